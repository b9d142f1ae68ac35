/**
 * A header with everything that its root opens, as the sealer holds it; and the only ways to make one: from scratch, from a file
 * that was authenticated step by step, or from one that is held already.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, concat, copy, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { digest, hmac, verifyHmac } from '../crypto/hmac.ts';
import type { Random } from '../platform/ports.ts';
import { costProblem } from '../seal/cost.ts';
import { HEADER_LIMIT, type Header, type HeaderBody, type Slot, encodeHeaderBody, macCovers, parseHeader, refused } from '../seal/header.ts';
import { ERA_LIMIT, type HeaderSecrets, copySecrets, newEra, openPreviousRoot, openSecrets, sealPreviousRoot, sealSecrets, wipeSecrets } from '../seal/secrets.ts';
import { type SlotKey, openSlot, wrapRoot } from '../seal/slots.ts';
import { TermKeys } from '../seal/term-keys.ts';

export interface HeldHeader {
  readonly header: Header;
  /** The file. */
  readonly bytes: Bytes;
  /** SHA-256 of the file. */
  readonly hash: Bytes;
  readonly keys: TermKeys;
  /** Of the term before, while its records are being re-encrypted. */
  readonly previous: TermKeys | undefined;
  readonly secrets: HeaderSecrets;
}

type Opened = Pick<HeldHeader, 'keys' | 'previous' | 'secrets'>;

function hold(body: HeaderBody, { keys, previous, secrets }: Opened): HeldHeader {
  const covered = encodeHeaderBody(body);
  const mac = hmac('sha256', keys.headerMac, covered);
  const bytes = concat(covered, mac);
  if (bytes.byteLength > HEADER_LIMIT) throw new VaultError('LimitExceededException', 'the header would be larger than 64 KiB; remove a slot first');
  // Through the parser, so that nothing is ever written that it would refuse to read.
  return { header: parseHeader(bytes), bytes, hash: digest('sha256', bytes), keys, previous, secrets };
}

/** The first header of a vault. `slots` are drafts without their root. */
export function firstHeader(random: Random, vaultId: Uint8Array, drafts: readonly Omit<Slot, 'wrap'>[], floor: HeaderBody['floor']): HeldHeader {
  const root = random.bytes(32);
  const keys = new TermKeys(root, vaultId, 1);
  wipe(root);
  const era = newEra(random, 1);
  const secrets = { locatorKey: random.bytes(32), eras: [era] };
  const body: HeaderBody = {
    vaultId: copy(vaultId),
    headerEpoch: 1,
    term: 1,
    rootCommit: copy(keys.commit),
    floor,
    trailPublicKey: copy(era.trailPublicKey),
    slots: drafts.map((draft) => ({ ...draft, wrap: wrapRoot(random, keys.vaultId, draft, keys.root, 1) })),
    secrets: sealSecrets(keys, random, secrets),
  };
  return hold(body, { keys, previous: undefined, secrets });
}

/** The same root, other slots. */
export const withSlots = (held: HeldHeader, slots: readonly Slot[]): HeldHeader =>
  hold({ ...held.header, headerEpoch: held.header.headerEpoch + 1, slots }, held);

/** A new root for these slots, with new trail and checkpoint keys; the old root stays inside. LimitExceededException after 255. */
export function withNewRoot(held: HeldHeader, random: Random, slots: readonly Slot[]): HeldHeader {
  const { header, keys: previous } = held;
  if (held.secrets.eras.length >= ERA_LIMIT) throw new VaultError('LimitExceededException', 'the root was renewed too often; make a new vault');
  const term = header.term + 1;
  const root = random.bytes(32);
  const keys = new TermKeys(root, header.vaultId, term);
  wipe(root);
  const era = newEra(random, term);
  const old = copySecrets(held.secrets);
  const secrets = { locatorKey: old.locatorKey, eras: [...old.eras, era] };
  const body: HeaderBody = {
    vaultId: header.vaultId,
    headerEpoch: header.headerEpoch + 1,
    term,
    rootCommit: copy(keys.commit),
    floor: header.floor,
    trailPublicKey: copy(era.trailPublicKey),
    slots: slots.map((slot) => ({ ...slot, wrap: wrapRoot(random, header.vaultId, slot, keys.root, term) })),
    secrets: sealSecrets(keys, random, secrets),
    previousRoot: sealPreviousRoot(keys, random, previous.root),
  };
  return hold(body, { keys, previous, secrets });
}

/** The same root, without the one before. */
export function withoutPreviousRoot(held: HeldHeader): HeldHeader {
  const { previousRoot: _gone, ...rest } = held.header;
  return hold({ ...rest, headerEpoch: held.header.headerEpoch + 1 }, { keys: held.keys, previous: undefined, secrets: held.secrets });
}

const altered = (what: string): VaultError =>
  new VaultError('VaultTamperedException', `the header was altered: its ${what} does not fit; restore the file \`header\` from a backup of this vault`, { details: { what: 'header' } });

/**
 * Opens a parsed header with the key of a slot whose commitment fitted. In this order: private key and root, root commitment, MAC,
 * floor, and only then the rest. VaultTamperedException, HeaderRefusedException. Consumes `slotKey`.
 */
export function openHeader(header: Header, bytes: Uint8Array, slot: Slot, slotKey: SlotKey): HeldHeader {
  const root = openSlot(header.vaultId, slot, slotKey);
  wipe(slotKey.kek, slotKey.commit);
  if (!root) throw altered('slot');
  const keys = new TermKeys(root, header.vaultId, header.term);
  wipe(root);
  try {
    return { header, bytes: copy(bytes), hash: digest('sha256', bytes), keys, ...openRest(header, bytes, slot, keys) };
  } catch (error) {
    keys.wipe();
    throw error;
  }
}

function openRest(header: Header, bytes: Uint8Array, slot: Slot, keys: TermKeys): Omit<Opened, 'keys'> {
  if (slot.wrap.generation !== header.term || !constantTimeEqual(keys.commit, header.rootCommit)) throw altered('root');
  if (!verifyHmac('sha256', keys.headerMac, header.mac, macCovers(bytes))) throw altered('MAC');
  for (const { kdf } of header.slots) {
    const problem = kdf && costProblem(kdf, header.floor, Infinity);
    if (problem !== undefined) throw refused(`the KDF cost of a slot ${problem}`);
  }
  const secrets = openSecrets(keys, header.secrets);
  if (!secrets) throw altered('secrets');
  const newest = secrets.eras.at(-1);
  if (newest?.term !== header.term || compareBytes(newest.trailPublicKey, header.trailPublicKey) !== 0) throw altered('trail key');
  if (!header.previousRoot) return { previous: undefined, secrets };
  const root = openPreviousRoot(keys, header.previousRoot);
  if (!root) throw altered('previous root');
  const previous = new TermKeys(root, header.vaultId, header.term - 1);
  wipe(root);
  return { previous, secrets };
}

/** Wipes what `held` holds and `kept` does not. */
export function releaseHeader(held: HeldHeader, kept?: HeldHeader): void {
  for (const keys of [held.keys, held.previous]) {
    if (keys && keys !== kept?.keys && keys !== kept?.previous) keys.wipe();
  }
  if (held.secrets !== kept?.secrets) wipeSecrets(held.secrets);
}
