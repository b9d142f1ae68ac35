/** A real `dist/main/serve.mjs` on folders of its own, for tests that look at the running program from outside. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { socketPath } from '../../../src/shared/model/paths.ts';
import { connectWire, type WireClient } from './wire-client.ts';

const SERVE = resolve(import.meta.dirname, '../../../dist/main/serve.mjs');
const STARTS_WITHIN = 15_000;

export interface VaultProcess {
  readonly pid: number;
  /** Everything that the process may write is below this. */
  readonly home: string;
  readonly folder: string;
  readonly socket: string;
  /** What it has written to standard error. */
  readonly stderr: () => string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  connect(): Promise<WireClient>;
  /** SIGTERM, and SIGKILL when that takes too long; then removes the folders. */
  end(): Promise<void>;
}

export interface StartOptions {
  /** Run as this user and group; the caller must be root. Default: as the test. */
  readonly uid?: number;
  /** Of an earlier process, to start on the same vault again. */
  readonly home?: string;
}

/** A private place for one vault. Removed by `end`. */
export function makeHome(uid?: number): string {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'ks-'));
  for (const name of ['data', 'state', 'config', 'cache', 'run', 'tmp']) mkdirSync(join(home, name), { mode: 0o700 });
  if (uid !== undefined) for (const name of ['', 'data', 'state', 'config', 'cache', 'run', 'tmp']) chownSync(join(home, name), uid, uid);
  return home;
}

/** Resolves once it says hello on its socket. */
export async function startVault({ uid, home = makeHome(uid) }: StartOptions = {}): Promise<VaultProcess> {
  const folder = join(home, 'data', 'vault');
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_RUNTIME_DIR: join(home, 'run'),
  };
  const child = spawn(process.execPath, [SERVE, '--vault', folder], { cwd: home, env, stdio: ['ignore', 'ignore', 'pipe'], ...(uid === undefined ? {} : { uid, gid: uid }) });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => child.once('exit', (code, signal) => { done({ code, signal }); }));
  let ended = false;
  void exited.then(() => (ended = true));
  const { pid } = child;
  if (pid === undefined) throw new Error('the vault process did not start');

  const hash = createHash('sha256').update(folder, 'utf8').digest('hex');
  const socket = socketPath({ platform: process.platform, env, home, tmp: env.TMPDIR, uid: uid ?? process.geteuid?.() ?? 0 }, hash);
  const started = performance.now();
  for (;;) {
    try {
      await (await connectWire(socket)).close();
      break;
    } catch {
      if (ended || performance.now() - started > STARTS_WITHIN) {
        child.kill('SIGKILL');
        throw new Error(`the vault process did not open its socket: ${stderr}`);
      }
      await new Promise((again) => setTimeout(again, 50));
    }
  }

  return {
    pid,
    home,
    folder,
    socket,
    stderr: () => stderr,
    exited,
    connect: () => connectWire(socket),
    async end() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(late);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
