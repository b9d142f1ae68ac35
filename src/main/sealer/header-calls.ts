/**
 * The sealer's calls over header and slots (protocol part "header and slots").
 *
 * Each change makes the whole new header and keeps it as a proposal: the session goes on with the header that is on disk until main
 * says, by `adoptHeader`, that the new one is.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { copy, hex, wipe } from '../crypto/bytes.ts';
import { argon2id } from '../crypto/kdf.ts';
import { COST_FLOOR, costProblem } from '../seal/cost.ts';
import { SLOT_LIMIT, type Slot, headerInfo, parseHeader } from '../seal/header.ts';
import type { HeaderInfo, NewSlot } from '../seal/protocol.ts';
import { wipeSlotKey, wrapRoot } from '../seal/slots.ts';
import { bytesOf, bytesUpTo, listOf, wholeNumber } from './checks.ts';
import { type HeldHeader, firstHeader, openHeader, withNewRoot, withSlots, withoutPreviousRoot } from './held-header.ts';
import { matchSlot, refuseCosts } from './match-slot.ts';
import { type Draft, draftOf, outOfMemory } from './new-slot.ts';
import type { SealerHandlers, SealerSession } from './sealer-session.ts';

const NO_COST = { memory: 0, passes: 0 };
/** Above the limit, so that the parser is the one to say so. */
const FILE_LIMIT = 1024 * 1024;

function indexOf(slots: readonly Slot[], slotId: string): number {
  const index = slots.findIndex((slot) => hex(slot.slotId) === slotId);
  if (index < 0) throw new VaultError('SlotNotFoundException', `there is no slot \`${slotId}\`; list the slots of this vault`);
  return index;
}

/** The slots without one. LastSlotException when none would be left. */
function without(slots: readonly Slot[], slotId: string): readonly Slot[] {
  const index = indexOf(slots, slotId);
  if (slots.length === 1) throw new VaultError('LastSlotException', 'nothing would open this vault without its last slot; add another first');
  return slots.filter((_, i) => i !== index);
}

function propose({ vault }: SealerSession, header: HeldHeader): { readonly header: Uint8Array; readonly info: HeaderInfo } {
  vault.propose(header);
  return { header: copy(header.bytes), info: headerInfo(header.header) };
}

function checkRoom({ vault }: SealerSession): void {
  if (vault.current.header.slots.length >= SLOT_LIMIT) throw new VaultError('LimitExceededException', `a vault has at most ${String(SLOT_LIMIT)} slots; remove one first`);
}

async function draft(session: SealerSession, given: NewSlot): Promise<Draft> {
  return draftOf(session.random, session.vault.vaultId, given);
}

/** The draft with the root that is current now: the KDF took a while, and the header may have changed meanwhile. */
function complete({ random, vault }: SealerSession, { slot }: Draft): Slot {
  const { header, keys } = vault.current;
  return { ...slot, wrap: wrapRoot(random, header.vaultId, slot, keys.root, keys.term) };
}

const codeOf = ({ recoveryCode }: Draft): { recoveryCode?: Uint8Array } => (recoveryCode ? { recoveryCode } : {});

export const headerCalls: SealerHandlers<
  | 'readHeader'
  | 'measureKdf'
  | 'createHeader'
  | 'unseal'
  | 'addSlot'
  | 'retireSlot'
  | 'replaceSlot'
  | 'checkFactors'
  | 'compromiseSlot'
  | 'finishTerm'
  | 'adoptHeader'
> = {
  readHeader: (_session, { header }) => headerInfo(parseHeader(bytesUpTo(header, FILE_LIMIT, 'header'))),

  async measureKdf({ random }, { cost }) {
    const problem = costProblem(cost, NO_COST, Infinity);
    if (problem !== undefined) throw new VaultError('ValidationException', `the KDF cost ${problem}; ask for less`);
    // eslint-disable-next-line no-restricted-properties -- how long the machine takes is what is asked for, not what time it is
    const started = performance.now();
    try {
      wipe(await argon2id(random.bytes(16), random.bytes(32), cost, 32));
    } catch {
      throw outOfMemory();
    }
    // eslint-disable-next-line no-restricted-properties -- as above
    return { milliseconds: performance.now() - started };
  },

  async createHeader(session, { vaultId, slots }) {
    session.checkSealed();
    const { random } = session;
    const id = copy(bytesOf(vaultId, 16, 'vault id'));
    const given = listOf(slots, 'list of slots');
    if (given.length < 1 || given.length > SLOT_LIMIT) throw new VaultError('ValidationException', `a vault has 1 to ${String(SLOT_LIMIT)} slots; give at least one`);
    const drafts: Draft[] = [];
    for (const slot of given) drafts.push(await draftOf(random, id, slot));
    const held = firstHeader(random, id, drafts.map(({ slot }) => slot), COST_FLOOR);
    session.unseal(held, true);
    return { header: copy(held.bytes), recoveryCodes: drafts.flatMap(({ recoveryCode }) => recoveryCode ?? []), info: headerInfo(held.header) };
  },

  async unseal(session, { header: bytes, factors, type, ramBytes }) {
    session.checkSealed();
    const header = parseHeader(bytesUpTo(bytes, FILE_LIMIT, 'header'));
    refuseCosts(header, type, wholeNumber(ramBytes, 1, 'memory size'));
    const { slot, key } = await matchSlot(header, { type, factors });
    const held = openHeader(header, bytes, slot, key);
    session.unseal(held, false);
    return { slotId: hex(slot.slotId), info: headerInfo(held.header), pendingTerm: held.previous !== undefined };
  },

  async addSlot(session, { slot: given }) {
    checkRoom(session);
    const made = await draft(session, given);
    checkRoom(session);
    const { slots } = session.vault.current.header;
    const slot = complete(session, made);
    return { ...propose(session, withSlots(session.vault.current, [...slots, slot])), slotId: hex(slot.slotId), ...codeOf(made) };
  },

  retireSlot(session, { slotId }) {
    const { current } = session.vault;
    return propose(session, withSlots(current, without(current.header.slots, slotId)));
  },

  async replaceSlot(session, { slotId, slot: given }) {
    indexOf(session.vault.current.header.slots, slotId);
    const made = await draft(session, given);
    const { current } = session.vault;
    const index = indexOf(current.header.slots, slotId);
    const slot = complete(session, made);
    return { ...propose(session, withSlots(current, current.header.slots.with(index, slot))), slotId: hex(slot.slotId), ...codeOf(made) };
  },

  async checkFactors({ vault }, request) {
    const { slot, key } = await matchSlot(vault.current.header, request);
    wipeSlotKey(key);
    return { slotId: hex(slot.slotId) };
  },

  compromiseSlot(session, { slotId }) {
    const { current } = session.vault;
    if (current.previous) throw new VaultError('KMSInvalidStateException', 'the records are still being re-encrypted after an earlier removal; let that finish first');
    return propose(session, withNewRoot(current, session.random, without(current.header.slots, slotId)));
  },

  finishTerm(session) {
    const { vault, database } = session;
    database.confirmReencrypted();
    if (!vault.current.previous) throw new VaultError('InternalException', 'no re-encryption is under way; there is nothing to finish');
    if (vault.dataTerm !== vault.current.keys.term) throw new VaultError('InternalException', 'records are still under the old root; re-encrypt them first');
    return propose(session, withoutPreviousRoot(vault.current));
  },

  adoptHeader({ vault }, { header }) {
    vault.adopt(bytesUpTo(header, FILE_LIMIT, 'header'));
    return {};
  },
};
