/**
 * Wires everything: the machine (clock, randomness, processes), the vault, the one path, the doors. Names no window system.
 * The only place in which a real clock or generator is chosen.
 */
import { join } from 'node:path';
import { totalmem } from 'node:os';
import { VaultError } from '../../shared/model/errors.ts';
import { requestId, uuidFrom } from '../../shared/model/ids.ts';
import { PROTOCOL_VERSION } from '../../shared/wire/messages.ts';
import { fromHex } from '../crypto/bytes.ts';
import type { DoorPort } from '../doors/port.ts';
import { settledWithin } from '../doors/settled-within.ts';
import { startSchedule, unrefTimer } from '../doors/schedule.ts';
import { createApprovals } from '../kernel/approvals.ts';
import { authenticate } from '../kernel/authenticate.ts';
import { createDispatch } from '../kernel/dispatch.ts';
import { createJournal } from '../kernel/journal.ts';
import type { Dispatch } from '../kernel/request.ts';
import { createExecute } from '../operations/execute.ts';
import { register } from '../operations/register.ts';
import { createResolve } from '../operations/resolvers.ts';
import type { VaultsControl } from '../operations/vaults.ts';
import { createAttemptGate } from '../platform/attempts.ts';
import { systemClock } from '../platform/clock.ts';
import { refuseSharedFolder, sweepTemporary } from '../platform/files.ts';
import { createEgress } from '../egress/client.ts';
import { createRotator } from '../egress/rotator.ts';
import { createCipherFiles } from '../cipher/client.ts';
import { asSchedule } from '../doors/as-schedule.ts';
import { createImportReader } from '../imports/client.ts';
import { createHashFile } from '../platform/hash-file.ts';
import { createKeychain } from '../platform/keychain.ts';
import { acquireVaultLock, type VaultLock } from '../platform/lock.ts';
import { whereOf } from '../platform/log-events.ts';
import type { Log } from '../platform/log.ts';
import type { Clock } from '../platform/ports.ts';
import { killTree } from '../platform/descendants.ts';
import { plainFiles } from '../platform/plain-file.ts';
import { createProcessHost } from '../platform/process.ts';
import { systemRandom } from '../platform/random.ts';
import { DEFAULT_RULES } from '../rules/defaults.ts';
import { createSealerClient } from '../seal/client.ts';
import { headerInfo, parseHeader } from '../seal/header.ts';
import type { HeaderInfo } from '../seal/protocol.ts';
import { openTrail } from '../trail/log.ts';
import { encodeRecord } from '../trail/record.ts';
import { UsageTracker } from '../keyring/usage.ts';
import type { SecretAccess } from '../secrets/access.ts';
import { ImportStaging } from '../secrets/import-staging.ts';
import { diagnose } from '../vault/diagnose.ts';
import { createVault, openOrThrow, phaseOf, readHeaderFile, vaultExists, type Vault } from '../vault/vault.ts';
import { createAwsDoor } from './aws-door.ts';
import { createCapacity } from './capacity.ts';
import { closeAll } from './closing.ts';
import { createEvents, type Events } from './events.ts';
import { ACCESS_JOB, USAGE_JOB, vaultJobs } from './jobs.ts';
import { openTokens } from './hardware.ts';
import type { Machine } from './machine.ts';
import { nearingOf, startNotices } from './notice-board.ts';
import { startPresence } from './presence.ts';
import { startRefusals } from './refusals.ts';
import { isRefresh, startWindowReads } from './window-reads.ts';
import { createRemotePorts } from './remote-ports.ts';
import { startReplicationRunner } from './replication-runner.ts';
import { startRotationRunner } from './rotation-runner.ts';
import { createJoinNotes } from './joins.ts';
import { createGiveSealedPin, pinSeal } from './sealed-pins.ts';
import { createRunning } from './running.ts';
import { createWindowDesk, type WindowDesk } from './window-control.ts';
import type { ConfigFile } from './config.ts';

export interface ProgramOptions {
  /** The vault's folder, real path. */
  readonly folder: string;
  /** Built modules of the children and of the hashing thread. */
  readonly entries: { readonly sealer: string; readonly keychain: string; readonly cipher: string; readonly pkcs11: string; readonly egress: string; readonly importer: string; readonly hashWorker: URL };
  readonly version: string;
  readonly config: ConfigFile;
  readonly log: Log;
  /** The folder goes when the process ends: said to whoever looks at it. */
  readonly throwaway?: boolean;
  /** Of a test suite: neither suspend nor the screen's lock means anything to it. */
  readonly unattended?: boolean;
  /** The vaults of this user, and the way to another. */
  readonly vaults: VaultsControl;
  /** Ends the process once answers are out. */
  readonly stopSoon: () => void;
  /** What takes the place of this machine's own in tests. */
  readonly machine?: Partial<Machine>;
}

export type { Machine } from './machine.ts';

export interface Program {
  readonly dispatch: Dispatch;
  readonly door: DoorPort;
  readonly events: Events;
  readonly vault: Vault;
  /** The door for AWS clients: to be closed with the other doors, before the vault is. Idempotent. */
  closeAwsDoor(graceMs: number): Promise<void>;
  /** To be told which window there is. */
  readonly desk: WindowDesk;
  /** Locks, closes the trail, lets go of the folder. The doors are closed before. Idempotent. */
  close(): Promise<void>;
}

const random = systemRandom;
/** Milliseconds that a lock waits for uses of keys to be written down. */
const BEFORE_LOCK_MS = 250;

/** Rejects with VaultInUseException, VaultTooNewException, HeaderRefusedException or a storage error. */
export async function compose(options: ProgramOptions): Promise<Program> {
  const { folder, log, version, machine = {} } = options;
  const { clock = systemClock, after } = machine;
  const fault = (error: unknown, id?: string): void => {
    log.event('request.failed', { requestId: id, error: error instanceof Error ? error.name : undefined, where: whereOf(error), code: error instanceof VaultError ? error.code : undefined });
  };
  const events = createEvents(fault);
  const host = createProcessHost({ entries: options.entries, log });
  const tokens = openTokens({ host, random, clock, changed: () => { events.emit({ event: 'key.changed' }); } });
  const attempts = createAttemptGate({ path: join(folder, 'attempts'), clock, log });

  let held: VaultLock | undefined;
  const claim = (): void => {
    held ??= acquireVaultLock(folder, clock);
  };
  const exists = vaultExists(folder);
  if (exists) {
    await refuseSharedFolder(folder);
    claim();
    // What a kill left of files that were being written.
    await sweepTemporary(folder);
  }
  let trailProblem: string | undefined;
  const trail = exists
    ? await openExistingTrail(folder, clock, log).catch((error: unknown) => {
        // Goes on, for its owner to look and to start a new chain: nothing else can be done, since nothing can be recorded.
        if (error instanceof VaultError && error.code === 'TrailBrokenException') {
          trailProblem = error.message;
          log.event('trail.broken');
          return undefined;
        }
        held?.release();
        throw error;
      })
    : undefined;
  const cipherFiles = machine.cipherFiles ?? createCipherFiles({ host, random });
  const egress = machine.egress ?? createEgress({ host, after: unrefTimer, killTree });
  const importReader = createImportReader({ host, after: unrefTimer });
  const staging = new ImportStaging(after ?? unrefTimer);
  const vault = createVault(
    {
      folder,
      clock,
      random,
      keychain: machine.keychain ?? createKeychain({ host, log }),
      startSealer: machine.startSealer ?? (() => createSealerClient(host.spawn('sealer'))),
      ramBytes: totalmem(),
      openBackend: (sealer, store) => {
        egress.begin();
        return tokens.openBackend(sealer, store);
      },
      tokens: tokens.slots,
      endBorrowers: async () => {
        staging.clear();
        await Promise.all([cipherFiles.endAll(), importReader.endAll(), egress.endAll(), tokens.endTokens()]);
      },
      emit: events.emit,
      claim,
    },
    trail,
    trailProblem,
  );

  const running = createRunning(clock.boottime);
  const refusals = startRefusals({ trail: () => vault.trail, clock });
  const windowReads = startWindowReads({ trail: () => vault.trail, clock });
  const newRequestId = () => requestId(uuidFrom(random.bytes(16)));
  const ownUid = process.geteuid?.() ?? 0;
  const startedAt = clock.now();
  const usage = new UsageTracker(clock.boottime);
  const accesses = new UsageTracker<SecretAccess>(clock.boottime);
  const jobs = vaultJobs({ vault, usage, accesses, clock, lastActivity: () => running.lastActivity });

  const awsDoor = createAwsDoor({ vault, clock, random, log, events, fault });

  // Nobody to ask without a window: whatever a rule wants asked is denied.
  const approvals = createApprovals({ present: () => false, after: timer });

  const desk = createWindowDesk({ config: options.config, clock, after: after ?? unrefTimer, isOpen: () => vault.open !== undefined, dispatch: (request) => dispatch(request), newRequestId });

  const dispatch: Dispatch = createDispatch({
    authenticate: (evidence) => authenticate(evidence, { ownUid, signatures: awsDoor.signatures }),
    refused: (request) => { refusals.count(request.door, 'unauthenticated'); },
    operations: register({
      control: {
        vault,
        attempts,
        version,
        throwaway: options.throwaway ?? false,
        processId: process.pid,
        startedAt,
        shownHeader: () => shownHeader(vault),
        locksAt: jobs.locksAt,
        beforeLock: () => recordUsage(),
        stopSoon: options.stopSoon,
        cancel: running.cancel,
        diagnose: () => diagnose(vault),
      },
      vaults: options.vaults,
      trail: { vault, attempts, clock },
      access: awsDoor.control,
      window: desk,
      random,
      hashFile: createHashFile(options.entries.hashWorker),
      cipherFile: cipherFiles.cipherFile,
      ...tokens,
      tokenSlots: tokens.slots,
      pins: pinSeal(() => openOrThrow(vault).sealer),
      giveSealedPin: createGiveSealedPin(() => ({ dispatch, newRequestId })),
      joins: createJoinNotes(() => ({ dispatch, newRequestId })),
      usage,
      accesses,
      rotator: machine.rotator ?? createRotator({ egress, command: (name) => vault.open?.settings.commands?.find((one) => one.name === name), endpoint: awsDoor.endpoint }),
      imports: { read: importReader.read, files: plainFiles, staging },
      remotePorts: createRemotePorts({ vault: () => vault, egress, now: clock.now, remotes: machine.remotes }),
    }),
    rules: DEFAULT_RULES,
    vault: () => ({ lockState: phaseOf(vault), recoveryCodeUsed: vault.open?.settings.recoveryCodeUsed ?? false }),
    take: createCapacity(clock.monotonic),
    resolve: createResolve(() => {
      const { realm, store, keys } = openOrThrow(vault);
      return { realm, reader: store.reader, keys, now: clock.now(), isConnected: tokens.isConnected };
    }),
    approvals,
    journal: createJournal({ trail: () => vault.trail, now: clock.now, summed: ({ door, operation }, declared) => (door === 'ipc' && isRefresh(declared) ? { count: () => { windowReads.count(operation); } } : undefined) }),
    execute: createExecute(vault, usage),
    now: clock.now,
    started: running.started,
    fault: (request, error) => { fault(error, request.id); },
  });

  const notices = startNotices({ clock, isOpen: () => vault.open !== undefined, nearing: nearingOf(jobs.dates), after: after ?? unrefTimer, tell: (notice) => void desk.tell(notice).catch(fault) });
  const door: DoorPort = {
    dispatch: notices.watch(dispatch),
    newRequestId,
    subscribe: events.subscribe,
    refused: (name, reason, peer) => { refusals.count(name, reason, peer); },
    hello: () => ({ version: PROTOCOL_VERSION, pid: process.pid, locked: !vault.open, features: [], ...(vault.open ? { vaultId: vault.open.info.vaultId } : {}) }),
    clock,
  };
  awsDoor.follow(door);
  /** Uses of keys and reads of secrets that still wait in memory, as the clock's jobs would write them. */
  const recordUsage = async (): Promise<void> => {
    const waiting = [...(usage.writeAt === undefined ? [] : [USAGE_JOB]), ...(accesses.writeAt === undefined ? [] : [ACCESS_JOB])];
    if (waiting.length === 0 || vault.open?.problem !== undefined || !vault.open) return;
    const written = waiting.map(({ name, operation, input }) =>
      asSchedule({ dispatch, newRequestId }, name, operation, input),
    );
    await settledWithin(Promise.all(written), BEFORE_LOCK_MS, () => undefined);
  };
  const schedule = startSchedule({ port: door, clock, jobs: jobs.list, locked: () => !vault.open, ...(after ? { after } : {}) });
  const rotations = startRotationRunner({ vault, port: door, clock, fault, ...(after ? { after } : {}) });
  const replication = startReplicationRunner({ vault, port: door, clock, fault, ...(after ? { after } : {}) });
  const tokenRunners = tokens.startRunners({ vault, port: door, clock, fault, ...(after ? { after } : {}) });
  // Nobody leaves a vault that is a test's.
  const presence = options.unattended ? { stop: () => undefined } : startPresence({ vault, door, log });
  events.subscribe(({ event }) => {
    if (event === 'vault.locked') {
      usage.clear();
      accesses.clear();
      approvals.denyAll();
      void desk.clear();
      log.event('vault.locked');
    }
    if (event === 'vault.unlocked') log.event(vault.open?.problem === undefined ? 'vault.unlocked' : 'vault.readonly');
    if (event === 'vault.unlocked' || event === 'vault.locked' || event === 'key.changed' || event === 'secret.changed') void jobs.refresh().then(notices.look, fault);
  });

  return { dispatch, door, events, vault, desk, closeAwsDoor: awsDoor.close, close: once(() => closeAll({ vault, desk, awsDoor, schedule, runners: [rotations, replication, ...tokenRunners], recordUsage, presence: { stop: () => { presence.stop(); notices.stop(); } }, refusals, windowReads, abort: running.abortAll, release: () => { held?.release(); } })) };
}

async function openExistingTrail(folder: string, clock: Clock, log: Log): Promise<Vault['trail']> {
  const info = headerInfo(parseHeader(await readHeaderFile(folder)));
  const trail = await openTrail({ folder, vaultId: fromHex(info.vaultId), trailPublicKey: info.trailPublicKey, random });
  const { fastForwarded, tornBytes } = trail.recovery;
  if (tornBytes > 0 || fastForwarded > 0) log.event('trail.recovered', { records: fastForwarded, cut: tornBytes });
  if (tornBytes > 0) await trail.append(encodeRecord({ time: clock.now(), phase: 'note', operation: 'trail:Recover', reasons: [`torn-tail:${String(tornBytes)}`] }), { reserve: true });
  return trail;
}

async function shownHeader(vault: Vault): Promise<Pick<HeaderInfo, 'vaultId' | 'slots'> | undefined> {
  if (phaseOf(vault) === 'absent') return undefined;
  try {
    return vault.open?.info ?? headerInfo(parseHeader(await readHeaderFile(vault.ports.folder)));
  } catch {
    // A damaged header is said by unlock, by name; a status line must not fail for it.
    return undefined;
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
}

const timer = (milliseconds: number, call: () => void): { cancel(): void } => {
  const handle = setTimeout(call, milliseconds);
  return { cancel: () => { clearTimeout(handle); } };
};
