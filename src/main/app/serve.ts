/**
 * The vault without a window: one process for one vault folder, reached through the command line's socket.
 *
 *   node dist/main/serve.mjs --vault DIR
 *
 * On failure the last line of standard error is `keystead: MESSAGE (CODE)` and the exit code is that of the error table.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, exitCodeOf, VaultError } from '../../shared/model/errors.ts';
import { chooseVault, logFolder, readConfig, realFolder, socketPath, type Surroundings } from '../../shared/model/paths.ts';
import { openCliSocket } from '../doors/cli-socket.ts';
import { systemClock } from '../platform/clock.ts';
import { ensurePrivateFolder } from '../platform/files.ts';
import { harden, hardened } from '../platform/harden.ts';
import { openLog } from '../platform/log.ts';
import { peerOf } from '../platform/peer.ts';
import { VERSION } from '../../shared/version.ts';
import { compose } from './compose.ts';

/** How long callers get to read their last answers. */
const GRACE_MS = 3000;

/**
 * The local door is for programs of the owner: bulk work must not meet a limit that was made for a window. What is bounded
 * is how much may be under way at once.
 */
const CLI_LIMITS = { inFlight: 64, callsPerSecond: 20_000, burst: 40_000 };

async function main(args: readonly string[]): Promise<void> {
  harden();
  const surroundings: Surroundings = { platform: process.platform, env: process.env, home: homedir(), tmp: tmpdir(), uid: process.geteuid?.() ?? 0 };
  const folder = vaultFolder(args, surroundings);
  const logs = logFolder(surroundings);
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  await ensurePrivateFolder(logs);
  const log = openLog(logs, systemClock);
  const { undumpable, noCore, noDebugger, problems } = hardened();
  log.event('process.hardening', { undumpable, noCore, noDebugger, problems: problems.length });

  let stopping: Promise<void> | undefined;
  const stop = (reason: 'asked' | 'signal'): Promise<void> =>
    (stopping ??= (async () => {
      log.event('vault.stopping', { reason });
      await door.close(GRACE_MS);
      await program.close();
      process.exit(EXIT.ok);
    })());
  const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const program = await compose({
    folder,
    entries: { sealer: beside('./sealer.mjs'), keychain: beside('./keychain.mjs'), hashWorker: new URL('./hash-worker.mjs', import.meta.url) },
    version: VERSION,
    log,
    // The answer to `vault:Stop` goes out first.
    stopSoon: () => setImmediate(() => void stop('asked')),
  });
  const hash = createHash('sha256').update(folder, 'utf8').digest('hex');
  const door = await openCliSocket({ path: socketPath(surroundings, hash), port: program.door, peerOf, limits: CLI_LIMITS });
  log.event('door.opened', { door: 'cli' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop('signal'));
  if (process.stdout.isTTY) process.stdout.write(`keystead ${VERSION}: serving \`${folder}\`\n`);
}

function vaultFolder(args: readonly string[], surroundings: Surroundings): string {
  const at = args.indexOf('--vault');
  const given = at < 0 ? undefined : args[at + 1];
  if (at >= 0 && given === undefined) throw new VaultError('ValidationException', '`--vault` wants a folder');
  return realFolder(resolve(chooseVault(surroundings, given, readConfig(undefined))), (path) => {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof VaultError;
  process.stderr.write(`keystead: ${known ? error.message : 'the vault could not start'} (${known ? error.code : 'InternalException'})\n`);
  process.exit(known ? exitCodeOf(error.code) : EXIT.internal);
});
