/**
 * One process for one vault folder, with or without a window: where it is, its log, the one path, and the command line's socket.
 * The entry points (`serve.ts`, `window.ts`, Electron's main) differ only in what they put beside it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { EXIT, exitCodeOf, VaultError } from '../../shared/model/errors.ts';
import { chooseVault, configFile, logFolder, socketPath, type Surroundings } from '../../shared/model/paths.ts';
import { VERSION } from '../../shared/version.ts';
import { openCliSocket } from '../doors/cli-socket.ts';
import { systemClock } from '../platform/clock.ts';
import { ensurePrivateFolder } from '../platform/files.ts';
import { harden, hardened } from '../platform/harden.ts';
import { openLog, type Log } from '../platform/log.ts';
import { whereOf } from '../platform/log-events.ts';
import { peerOf } from '../platform/peer.ts';
import { openConfigFile, type ConfigFile } from './config.ts';
import { startDemo } from './demo.ts';
import { ENTRIES } from './entries.ts';
import { knownVaults, realPath, rememberWhenOpen } from './known-vaults.ts';
import { startServing, type Served, type Serving } from './serving.ts';
import { compose, type Machine, type Program } from './compose.ts';

/** How long callers get to read their last answers. */
const GRACE_MS = 3000;

/**
 * The local door is for programs of the owner: bulk work must not meet a limit that was made for a window. What is bounded
 * is how much may be under way at once.
 */
const CLI_LIMITS = { inFlight: 64, callsPerSecond: 20_000, burst: 40_000 };

export interface RunningVault {
  /** Of the vault that is served now: ask anew each time, since the person may go to another. */
  readonly program: Program;
  readonly log: Log;
  /** The folder of the vault that is served now, real path. */
  readonly folder: string;
  /** As `Serving.onMoved`. */
  readonly onMoved: Serving['onMoved'];
  /** Closes what was put beside first, then the doors, then the vault, and ends the process. Idempotent. */
  stop(reason: 'asked' | 'signal'): Promise<void>;
  /** To be closed before the vault is. */
  beside(close: (graceMs: number) => Promise<void>): void;
}

export interface RunOptions {
  readonly args: readonly string[];
  /** What this process has of its own in the machine's place. */
  readonly machine?: (log: Log) => Partial<Machine>;
  readonly exit?: (code: number) => void;
}

/** Rejects as `compose` does, and with whatever keeps the socket from being opened. */
export async function run({ args, machine, exit = (code) => process.exit(code) }: RunOptions): Promise<RunningVault> {
  harden();
  const surroundings: Surroundings = { platform: process.platform, env: process.env, home: homedir(), tmp: tmpdir(), uid: process.geteuid?.() ?? 0 };
  const config = openConfigFile(configFile(surroundings));
  const demo = args.includes('--demo') ? startDemo(surroundings, systemClock) : undefined;
  const folder = demo?.folder ?? (await vaultFolder(args, surroundings, config));
  const leave = (code: number): void => {
    demo?.remove();
    exit(code);
  };
  const logs = logFolder(surroundings);
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  await ensurePrivateFolder(logs);
  const log = openLog(logs, systemClock);
  const { undumpable, noCore, noDebugger, problems } = hardened();
  log.event('process.hardening', { undumpable, noCore, noDebugger, problems: problems.length });

  log.event('vault.starting', { pid: process.pid, version: VERSION, node: process.versions.node });
  dieSafely(log, leave);

  const others: ((graceMs: number) => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop: RunningVault['stop'] = (reason) =>
    (stopping ??= (async () => {
      log.event('vault.stopping', { reason });
      await serving.close(GRACE_MS, others);
      leave(EXIT.ok);
    })());
  const serve = async (folder: string): Promise<Served> => {
    const throwaway = folder === demo?.folder;
    const program = await compose({
      folder,
      entries: ENTRIES,
      version: VERSION,
      config,
      log,
      vaults: knownVaults({ surroundings, config, folder, moveTo: (other) => serving.moveTo(other) }),
      // The answer to `vault:Stop` goes out first.
      stopSoon: () => setImmediate(() => void stop('asked')),
      machine: { ...(throwaway ? { clock: demo.clock } : {}), ...machine?.(log) },
      throwaway,
    });
    try {
      if (throwaway) await demo.fill(program);
      else rememberWhenOpen(program, config, folder);
      const hash = createHash('sha256').update(folder, 'utf8').digest('hex');
      const door = await openCliSocket({ path: socketPath(surroundings, hash), port: program.door, peerOf, limits: CLI_LIMITS });
      log.event('door.opened', { door: 'cli' });
      return { folder, program, closeDoor: async (graceMs) => void (await Promise.all([door.close(graceMs), program.closeAwsDoor(graceMs)])) };
    } catch (error) {
      await program.close();
      throw error;
    }
  };
  const serving: Serving = await startServing(folder, serve, GRACE_MS).catch((error: unknown) => {
    demo?.remove();
    throw error;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop('signal'));
  return {
    get program() {
      return serving.now.program;
    },
    log,
    get folder() {
      return serving.now.folder;
    },
    onMoved: serving.onMoved,
    stop,
    beside: (close) => void others.push(close),
  };
}

async function vaultFolder(args: readonly string[], surroundings: Surroundings, config: ConfigFile): Promise<string> {
  const at = args.indexOf('--vault');
  const given = at < 0 ? undefined : args[at + 1];
  if (at >= 0 && given === undefined) throw new VaultError('ValidationException', '`--vault` wants a folder');
  return realPath(resolve(chooseVault(surroundings, given, await config.read())));
}

/**
 * An error that nobody caught ends the process: what it would do next is unknown, and its text may hold a value, so only its
 * class and place are kept. The sealer ends with this process.
 */
function dieSafely(log: Log, exit: (code: number) => void): void {
  const die = (error: unknown): void => {
    log.event('program.failed', {
      error: error instanceof Error ? error.name : undefined,
      where: whereOf(error),
      code: error instanceof VaultError ? error.code : undefined,
    });
    exit(EXIT.internal);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** The last line of standard error is `keystead: MESSAGE (CODE)`; the result is the exit code of the error table. */
export function sayWhy(error: unknown): number {
  const known = error instanceof VaultError;
  process.stderr.write(`keystead: ${known ? error.message : 'the vault could not start'} (${known ? error.code : 'InternalException'})\n`);
  return known ? exitCodeOf(error.code) : EXIT.internal;
}
