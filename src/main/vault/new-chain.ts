/**
 * The way on from a broken trail: what is there is set aside whole, and a new chain begins with a record of what was broken.
 *
 * Defends against: a break that is used to hide a database or header that was put back (refused as at unlock), a chain begun without one of
 * the owner's factors, a trail that is given up though it is whole, and records of the new chain that could be taken for the old one's.
 * Does not: get back what was broken. Up to the break the old files can still be checked; what came after it is in doubt for ever, and
 * whoever could write the folder may have made the break to that end. The person decides, with what `dryRun` says.
 */
import type { VaultPhase } from '../../shared/api/vault.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { fromHex, hex } from '../crypto/bytes.ts';
import type { AttemptGate } from '../platform/ports.ts';
import type { HeaderInfo, Sealer, TrailBreak } from '../seal/protocol.ts';
import { openStore } from '../store/store.ts';
import type { StoreState, VaultSettings, VaultStore } from '../store/port.ts';
import { createTrail, openTrail } from '../trail/log.ts';
import type { Position } from '../trail/port.ts';
import { encodeRecord } from '../trail/record.ts';
import { closedTrail, digestOfTrail, dropDraft, emptyDraft, linkAfter, putInPlace } from '../trail/set-aside.ts';
import { verifyTrail, type TrailReport } from '../trail/verify.ts';
import { behind, readAnchor, writeAnchor, type Anchor } from './anchor.ts';
import { typeOf, type Given } from './factors.ts';
import { setRecoveryCodeUsed } from './recovery.ts';
import { finishHalfDone, putBack, unseal, type Unsealed } from './unlock.ts';
import { anchorOf, phaseOf, setOpen, startOf, type OpenVault, type Vault } from './vault.ts';

export interface NewChain {
  readonly state: VaultPhase;
  readonly broken: TrailBreak;
  readonly records: number;
  readonly segments: number;
  readonly setAside?: string;
  /** Of the first record of the new chain. */
  readonly firstIndex?: number;
}

export interface Asked {
  readonly given: Given;
  readonly dryRun: boolean;
}

/**
 * Leaves the vault unlocked. TrailIntactException when nothing is broken; what judging the factors rejects with; VaultTamperedException when
 * database or header do not fit either. Nothing is changed then. After any other failure the vault is locked, and this can be done again.
 */
export const startNewChain = (vault: Vault, { given, dryRun }: Asked, attempts: AttemptGate): Promise<NewChain> =>
  vault.inTurn(async () => {
    if (!vault.trail && vault.trailProblem === undefined) throw new VaultError('VaultNotFoundException', 'there is no vault here yet; make one with `keystead init`');
    const sealer = vault.ports.startSealer();
    vault.opening = sealer;
    let keep = false;
    try {
      const sealed = await unseal(vault, sealer, given, attempts);
      const found = await look(vault, sealer, sealed);
      const { broken, records, segments } = found.report;
      if (!broken) throw new VaultError('TrailIntactException', vault.open?.problem ?? 'the trail is whole; there is nothing to set aside');
      if (dryRun) return { state: phaseOf(vault), broken, records, segments };
      const { open, setAside, firstIndex } = await beginAnew(vault, sealer, sealed, { ...found, broken });
      keep = true;
      if (typeOf(given) === 'recovery') await setRecoveryCodeUsed(vault, open, true, undefined);
      return { state: phaseOf(vault), broken, records, segments, firstIndex, ...(setAside === undefined ? {} : { setAside }) };
    } finally {
      if (vault.opening === sealer) vault.opening = undefined;
      if (!keep) await sealer.stop();
    }
  });

interface Found {
  readonly report: TrailReport;
  readonly settings: VaultSettings;
  /** The highest that any record that fits names. */
  readonly highestEpoch: number;
  readonly highestHeaderEpoch: number;
}

/** Reads the trail that is there as far as it fits. */
async function look(vault: Vault, sealer: Sealer, sealed: Unsealed): Promise<Found> {
  const { state, settings } = vault.open ? { state: vault.open.store.state, settings: vault.open.settings } : await stored(vault, sealer, sealed);
  let [highestEpoch, highestHeaderEpoch] = [0, 0];
  const report = await verifyTrail(vault.trail ?? (await closedTrail(vault.ports.folder)), sealer, {
    state,
    ...startOf({ settings }),
    onRecord(record) {
      highestEpoch = Math.max(highestEpoch, record.epoch ?? 0);
      highestHeaderEpoch = Math.max(highestHeaderEpoch, record.headerEpoch ?? 0);
    },
  });
  return { report, settings, highestEpoch, highestHeaderEpoch };
}

async function stored({ ports: { folder, clock, random } }: Vault, sealer: Sealer, { header }: Unsealed): Promise<{ state: StoreState; settings: VaultSettings }> {
  const store = await openStore(sealer, { folder, header, readOnly: true }, { clock, random });
  try {
    return { state: store.state, settings: await store.reader.settings() };
  } finally {
    await store.close();
  }
}

interface Begun {
  readonly open: OpenVault;
  readonly setAside: string | undefined;
  readonly firstIndex: number;
}

/** From here on the vault that was open is closed: it comes back with the new chain, or locked. */
async function beginAnew(vault: Vault, sealer: Sealer, sealed: Unsealed, found: Found & { readonly broken: TrailBreak }): Promise<Begun> {
  const { ports } = vault;
  const { folder, clock, random, keychain } = ports;
  const { header, info, pendingTerm } = sealed;
  const before = vault.open;
  vault.open = undefined;
  let begun: { readonly first: Position; readonly setAside: string | undefined } | undefined;
  let store: VaultStore | undefined;
  try {
    await before?.store.close();
    const approve = async (state: StoreState): Promise<Position> => {
      const anchor = await readAnchor(keychain, info);
      const problem = putBack(found, state) ?? (anchor && behind({ ...anchor, trailIndex: 0 }, { trailIndex: 0, storeEpoch: state.epoch, headerEpoch: state.headerEpoch }));
      if (problem !== undefined) throw new VaultError('VaultTamperedException', problem);
      begun = await replace(vault, info, found, state, anchor);
      return begun.first;
    };
    store = await openStore(sealer, { folder, header, approve }, { clock, random });
    const { trail } = vault;
    if (!begun || !trail) throw new VaultError('InternalException', 'the new chain was not begun, report this');
    const { first, setAside } = begun;
    await finishHalfDone({ trail, store, tail: { outcomes: new Set() }, sealed: { info, pendingTerm }, intent: first });
    const settings = await remember(vault, store, first);
    const open = { sealer, store, keys: ports.openBackend(sealer, store), realm: { region: settings.region, account: settings.account }, unlockedAt: clock.now(), info, settings };
    // Lock came in between: it has stopped this sealer, and nothing may be left open.
    if (vault.opening !== sealer) throw new VaultError('CancelledException', 'the vault was locked meanwhile; the new chain is there, unlock it');
    setOpen(vault, open);
    vault.anchoring = writeAnchor(keychain, info, anchorOf(trail, store));
    ports.emit({ event: 'vault.unlocked' });
    return { open, setAside, firstIndex: first.index };
  } catch (error) {
    await store?.close();
    if (before) ports.emit({ event: 'vault.locked' });
    throw error;
  } finally {
    await before?.sealer.stop();
    await dropDraft(folder);
  }
}

/** Puts a new chain, with its first record, in the place of the old one. The vault goes on with whatever is in place afterwards. */
async function replace(vault: Vault, info: HeaderInfo, { broken, report }: Found & { readonly broken: TrailBreak }, state: StoreState, anchor: Anchor | undefined): Promise<{ first: Position; setAside: string | undefined }> {
  const { folder, clock, random } = vault.ports;
  // A closed trail refuses every request meanwhile: none goes unrecorded.
  await vault.trail?.close();
  try {
    const evidence = await digestOfTrail(folder);
    const vaultId = fromHex(info.vaultId);
    const known = Math.max(0, state.trailIndex, anchor?.trailIndex ?? 0, report.last.index);
    const draft = await createTrail({ folder: await emptyDraft(folder), vaultId, trailPublicKey: info.trailPublicKey, random }, linkAfter(known, info.vaultId, evidence));
    const facts = {
      broken: `${broken.what} at record ${String(broken.index)}, segment ${String(broken.segment)}`,
      records: report.records,
      lastIndex: report.last.index,
      lastHash: hex(report.last.hash),
      sealedIndex: state.trailIndex,
      setAside: hex(evidence),
    };
    const first = await draft.append(encodeRecord({ time: clock.now(), phase: 'note', operation: 'trail:StartNewChain', input: facts, reasons: ['trail:begun'] }));
    await draft.close();
    return { first, setAside: await putInPlace(folder) };
  } finally {
    await openWhatIsThere(vault, info);
  }
}

/** Never rejects: what cannot be opened is why the trail is broken. */
async function openWhatIsThere(vault: Vault, info: HeaderInfo): Promise<void> {
  const { folder, random } = vault.ports;
  try {
    vault.trail = await openTrail({ folder, vaultId: fromHex(info.vaultId), trailPublicKey: info.trailPublicKey, random });
    vault.trailProblem = undefined;
  } catch (error) {
    vault.trail = undefined;
    vault.trailProblem = error instanceof VaultError ? error.message : 'the trail could not be opened';
  }
}

/** Where the chain begins is sealed: without it, segments that somebody takes away from its beginning would not be missed. */
async function remember(vault: Vault, store: VaultStore, first: Position): Promise<VaultSettings> {
  const note = (epoch: number): Uint8Array => encodeRecord({ time: vault.ports.clock.now(), phase: 'note', operation: 'vault:UpdateSettings', reasons: ['trail:new-chain'], epoch });
  const { value, outcome, delivered } = await store.write<VaultSettings>({ intent: first, outcome: (_value, epoch) => note(epoch) }, async (writer) => {
    const settings = { ...(await writer.settings()), chainStart: { index: first.index, hash: hex(first.hash) } };
    writer.putSettings(settings);
    return settings;
  });
  await vault.trail?.append(outcome);
  delivered();
  return value;
}
