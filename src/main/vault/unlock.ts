/**
 * Unlock: the delay of wrong passwords, the seal, the state of the database, the trail against that state, and what a kill
 * left half done. In that order, so that nothing is written before everything fits.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { HeaderInfo, Sealer } from '../seal/protocol.ts';
import { openStore } from '../store/store.ts';
import type { VaultStore } from '../store/port.ts';
import type { Position, TrailLog } from '../trail/port.ts';
import { readTail, type Tail } from '../trail/verify.ts';
import { deviceSecret, typeOf, withFactors, type Given } from './factors.ts';
import { setRecoveryCodeUsed } from './recovery.ts';
import { positionOr, readHeaderFile, type OpenVault, type Vault } from './vault.ts';

export interface Unlocked {
  readonly open: OpenVault;
  readonly slotId: string;
}

/** Rejects with what the declaration of `vault:Unlock` names; the vault is locked then. */
export const unlock = (vault: Vault, given: Given, attempts: Attempts, intent: Position | undefined): Promise<Unlocked> =>
  vault.inTurn(async () => {
    if (!vault.trail) throw new VaultError('VaultNotFoundException', 'there is no vault here yet; make one with `keystead init`');
    if (vault.open) throw new VaultError('VaultExistsException', 'the vault is unlocked already');
    const sealer = vault.ports.startSealer();
    vault.opening = sealer;
    try {
      const { slotId, info, pendingTerm, header } = await unseal(vault, sealer, given, attempts);
      const open = await openChecked(vault, vault.trail, sealer, { header, info , pendingTerm }, positionOr(vault, intent));
      // Lock came in between: it has stopped this sealer, and nothing may be left open.
      if (vault.opening !== sealer) {
        await open.store.close();
        throw new VaultError('CancelledException', 'the vault was locked while it was being unlocked');
      }
      vault.open = open;
      vault.opening = undefined;
      if (typeOf(given) === 'recovery' && open.problem === undefined) await setRecoveryCodeUsed(vault, true, intent);
      vault.ports.emit({ event: 'vault.unlocked' });
      return { open, slotId };
    } catch (error) {
      vault.opening = undefined;
      await sealer.stop();
      throw error;
    }
  });

/** The persisted delay of wrong passwords. */
export interface Attempts {
  /** Throws UnlockDelayedException while the delay has not passed; counts the attempt before it is judged. */
  begin(): Promise<void>;
  succeeded(): Promise<void>;
  /** Milliseconds still to wait. */
  remaining(): Promise<number>;
}

interface Unsealed {
  readonly slotId: string;
  readonly info: HeaderInfo;
  readonly pendingTerm: boolean;
  readonly header: Uint8Array;
}

async function unseal(vault: Vault, sealer: Sealer, given: Given, attempts: Attempts): Promise<Unsealed> {
  const { ports } = vault;
  const header = await readHeaderFile(ports.folder);
  const shown = await sealer.call('readHeader', { header });
  return withFactors(given, shown.slots, () => deviceSecret(ports.keychain, shown.vaultId), async (factors, type) => {
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
}

async function openChecked(vault: Vault, trail: TrailLog, sealer: Sealer, sealed: Sealed, intent: Position): Promise<OpenVault> {
  const { ports } = vault;
  const { store, problem } = await openEvenIfWrong(vault, trail, sealer, sealed.header);
  try {
    if (problem === undefined) await finishHalfDone(trail, sealer, store, sealed.pendingTerm, intent);
    const settings = await store.reader.settings();
    const { region, account } = settings;
    const keys = ports.openBackend(sealer, store);
    return { sealer, store, keys, realm: { region, account }, unlockedAt: ports.clock.now(), info: sealed.info, settings, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The store, writable when database, header and trail agree; else for reading only, with the reason. */
async function openEvenIfWrong(vault: Vault, trail: TrailLog, sealer: Sealer, header: Uint8Array): Promise<{ store: VaultStore; problem?: string }> {
  const { folder, clock, random } = vault.ports;
  let store: VaultStore;
  try {
    store = await openStore(sealer, { folder, header }, { clock, random });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'VaultTamperedException') throw error;
    return { store: await openStore(sealer, { folder, header, readOnly: true }, { clock, random }), problem: error.message };
  }
  const problem = problemOf(await readTail(trail, sealer, store.state), store);
  if (problem === undefined) return { store };
  await store.close();
  return { store: await openStore(sealer, { folder, header, readOnly: true }, { clock, random }), problem };
}

/** The trail may lead the store, never lag it; and it knows the highest epoch that was ever committed. */
function problemOf(tail: Tail, store: VaultStore): string | undefined {
  if (tail.broken) return `the trail is broken at record ${String(tail.broken.index)} (\`${tail.broken.what}\`); run \`keystead trail verify\``;
  if (tail.highestEpoch > store.state.epoch) {
    return `the database was put back: the trail has seen epoch ${String(tail.highestEpoch)}, the database is at ${String(store.state.epoch)}; put the newest copy in place`;
  }
  return undefined;
}

/** Outcomes that were committed and never reached the trail, and a re-encryption that was cut short. */
async function finishHalfDone(trail: TrailLog, sealer: Sealer, store: VaultStore, pendingTerm: boolean, intent: Position): Promise<void> {
  const { outcomes } = await readTail(trail, sealer, store.state);
  for (const one of await store.undelivered()) {
    if (!outcomes.has(Buffer.from(one.body).toString('base64'))) await trail.append(one.body);
    one.delivered();
  }
  if (pendingTerm) await store.changeTerm({ intent });
}
