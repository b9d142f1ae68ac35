/**
 * Unlock: the delay of wrong passwords, the seal, the state of the database, the trail against that state, and what a kill
 * left half done. In that order, so that nothing is written before everything fits.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { compareBytes } from '../crypto/bytes.ts';
import type { AttemptGate } from '../platform/ports.ts';
import type { HeaderInfo, Sealer } from '../seal/protocol.ts';
import { openStore } from '../store/store.ts';
import type { StoreState, VaultStore } from '../store/port.ts';
import type { Trail } from '../trail/log.ts';
import type { Position } from '../trail/port.ts';
import { brokenTrail, readTail, type Tail } from '../trail/verify.ts';
import { behind, readAnchor, writeAnchor } from './anchor.ts';
import { typeOf, withFactors, type Given } from './factors.ts';
import { prove } from './slots.ts';
import { setRecoveryCodeUsed } from './recovery.ts';
import { anchorOf, factorSources, positionOr, readHeaderFile, setOpen, type OpenVault, type Vault } from './vault.ts';

export interface Unlocked {
  readonly open: OpenVault;
  readonly slotId: string;
}

/** Rejects with what the declaration of `vault:Unlock` names, CancelledException when `signal` aborts; the vault is locked then. */
export const unlock = (vault: Vault, given: Given, attempts: AttemptGate, intent: Position | undefined, signal: AbortSignal): Promise<Unlocked> =>
  vault.inTurn(async () => {
    if (vault.trailProblem !== undefined) throw new VaultError('TrailBrokenException', `${vault.trailProblem}; or begin a new chain with \`keystead trail start-new-chain\``);
    if (!vault.trail) throw new VaultError('VaultNotFoundException', 'there is no vault here yet; make one with `keystead init`');
    // Open already: the factors are judged all the same, so that asking again is no way round them.
    if (vault.open) return { open: vault.open, slotId: await prove(vault, given, attempts, intent) };
    const sealer = vault.ports.startSealer();
    vault.opening = sealer;
    // Neither Argon2id nor a module can be interrupted; the processes that run them can be ended.
    const cancel = (): void => void Promise.all([sealer.stop(), vault.ports.tokens.end()]);
    signal.addEventListener('abort', cancel);
    try {
      signal.throwIfAborted();
      const { slotId, info, pendingTerm, header } = await unseal(vault, sealer, given, attempts);
      const open = await openChecked(vault, vault.trail, sealer, { header, info, pendingTerm, byCode: typeOf(given) === 'recovery' }, positionOr(vault, intent));
      // Lock came in between: it has stopped this sealer, and nothing may be left open.
      if (vault.opening !== sealer) {
        await open.store.close();
        throw new VaultError('CancelledException', 'the vault was locked while it was being unlocked');
      }
      setOpen(vault, open);
      vault.anchoring = writeAnchor(vault.ports.keychain, info, anchorOf(vault.trail, open.store));
      vault.ports.emit({ event: 'vault.unlocked' });
      return { open, slotId };
    } catch (error) {
      vault.opening = undefined;
      await sealer.stop();
      throw signal.aborted ? new VaultError('CancelledException', 'the unlock was cancelled; the vault is locked') : error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  });

export interface Unsealed {
  readonly slotId: string;
  readonly info: HeaderInfo;
  readonly pendingTerm: boolean;
  readonly header: Uint8Array;
}

/** Judges the factors, with the wait of wrong ones. */
export async function unseal(vault: Vault, sealer: Sealer, given: Given, attempts: AttemptGate): Promise<Unsealed> {
  const { ports } = vault;
  const header = await readHeaderFile(ports.folder);
  const shown = await sealer.call('readHeader', { header });
  return withFactors(given, shown, factorSources(vault, shown.vaultId), async (factors, type) => {
    await attempts.begin();
    const opened = await sealer.call('unseal', { header, factors, type, ramBytes: ports.ramBytes });
    await attempts.succeeded();
    return { ...opened, header };
  });
}

interface Sealed {
  readonly header: Uint8Array;
  readonly info: HeaderInfo;
  readonly pendingTerm: boolean;
  /** Opened by a recovery code, which is used up by that. */
  readonly byCode: boolean;
}

async function openChecked(vault: Vault, trail: Trail, sealer: Sealer, sealed: Sealed, intent: Position): Promise<OpenVault> {
  const { ports } = vault;
  const { store, problem, tail } = await openEvenIfWrong(vault, trail, sealer, sealed);
  try {
    if (tail) await finishHalfDone({ trail, store, tail, sealed, intent });
    const settings = await store.reader.settings();
    const { region, account } = settings;
    const keys = ports.openBackend(sealer, store);
    const open = { sealer, store, keys, realm: { region, account }, unlockedAt: ports.clock.now(), info: sealed.info, settings, ...(problem === undefined ? {} : { problem }) };
    if (sealed.byCode) await setRecoveryCodeUsed(vault, open, true, intent);
    return open;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** `tail`: only when all of it fits. */
interface Opened {
  readonly store: VaultStore;
  readonly problem?: string;
  readonly tail?: Tail;
}

/** The store, writable when database, header, trail and the counter outside agree; else for reading only, with the reason. */
async function openEvenIfWrong(vault: Vault, trail: Trail, sealer: Sealer, { header, info }: Sealed): Promise<Opened> {
  const { folder, clock, random, keychain } = vault.ports;
  let tail: Tail | undefined;
  const approve = async (state: StoreState): Promise<undefined> => {
    tail = await readTail(trail, sealer, state);
    const anchor = await readAnchor(keychain, info);
    const problem = trailProblem(tail, state) ?? (anchor && behind(anchor, anchorOf(trail, { state })));
    if (problem !== undefined) throw new VaultError('VaultTamperedException', problem);
    return undefined;
  };
  try {
    const store = await openStore(sealer, { folder, header, approve }, { clock, random });
    return { store, ...(tail ? { tail } : {}) };
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'VaultTamperedException') throw error;
    return { store: await openStore(sealer, { folder, header, readOnly: true }, { clock, random }), problem: error.message };
  }
}

/** What database or header lack that the trail has seen. */
export function putBack({ highestEpoch, highestHeaderEpoch }: Pick<Tail, 'highestEpoch' | 'highestHeaderEpoch'>, state: StoreState): string | undefined {
  const late = (what: string, seen: number, found: number): string | undefined =>
    seen <= found ? undefined : `the ${what} was put back: the trail has seen epoch ${String(seen)}, the ${what} is at ${String(found)}; put the newest copy in place`;
  return late('database', highestEpoch, state.epoch) ?? late('header', highestHeaderEpoch, state.headerEpoch);
}

/** The trail may lead the store, never lag it; and its outcomes name the highest epochs that were ever committed. */
function trailProblem(tail: Tail, state: StoreState): string | undefined {
  return tail.broken ? brokenTrail(tail.broken).message : putBack(tail, state);
}

interface HalfDone {
  readonly trail: Trail;
  readonly store: VaultStore;
  readonly tail: Pick<Tail, 'outcomes'>;
  readonly sealed: Pick<Sealed, 'info' | 'pendingTerm'>;
  readonly intent: Position;
}

/**
 * Outcomes that were committed and never reached the trail, and a change of the root that was cut short. The state follows the trail in the
 * transaction that removes those outcomes, never before: a lock or a kill in between leaves both as they were, so that none is appended twice.
 */
export async function finishHalfDone({ trail, store, tail, sealed, intent }: HalfDone): Promise<void> {
  for (const one of await store.undelivered()) {
    if (!tail.outcomes.has(bytesToBase64(one.body))) await trail.append(one.body);
    one.delivered();
  }
  await store.follow(trail.head);
  if (sealed.pendingTerm) await store.changeTerm({ intent });
  if (compareBytes(trail.sealedTo, sealed.info.trailPublicKey) !== 0) await trail.rotate(sealed.info.trailPublicKey);
}
