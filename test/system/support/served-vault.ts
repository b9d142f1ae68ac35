/** The built vault as a real process in folders of its own, as `keystead unlock` would start it. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { realFolder, socketPath } from '../../../src/shared/model/paths.ts';
import { connectTo, type Client } from './client.ts';

const SERVE = resolve(import.meta.dirname, '../../../dist/main/serve.mjs');
/** A user without rights, as Debian has it. */
export const NOBODY = 65_534;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** All of standard error. */
  readonly stderr: string;
}

/** The process ended before it answered. */
export class StartFailed extends Error {
  readonly ended: Ended;
  constructor(ended: Ended) {
    super(`the vault did not start: code ${String(ended.code)}, signal ${String(ended.signal)}: ${ended.stderr}`);
    this.ended = ended;
  }
  /** Of the last line, `keystead: MESSAGE (CODE)`; undefined for a line of another form. */
  get errorCode(): string | undefined {
    return /^keystead: .+ \((\w+)\)$/.exec(this.ended.stderr.trimEnd().split('\n').at(-1) ?? '')?.[1];
  }
}

export interface VaultProcess {
  readonly pid: number;
  readonly client: Client;
  readonly ended: Promise<Ended>;
  /** Another conversation with the same process. */
  connect(): Promise<Client>;
  /** Process id of its sealer now; undefined while it is locked. */
  sealer(): number | undefined;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
  /** Asks it to stop, and waits until it has. Throws when it ends in any other way. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** A folder for everything that is not the vault's: run-time files, logs. */
  readonly home: string;
  /** Runs as this user, without any capability. */
  readonly uid?: number;
  /** Milliseconds until it must answer. */
  readonly within?: number;
  /** Environment beyond the usual. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: `/`. */
  readonly cwd?: string;
  /** A command that goes before the vault's own and becomes it, such as `prlimit`. */
  readonly before?: readonly string[];
  /** Told of the process id at once, before it answers. */
  readonly onSpawn?: (pid: number) => void;
}

/** A short name: a socket's path may have 100 bytes. */
export function temporaryFolder(): string {
  return realpathSync(mkdtempSync('/tmp/ks-'));
}

export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

function environment(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') };
}

/** As the vault itself names the folder: a missing one has a parent that is there. */
export function socketOf(folder: string, home: string): string {
  const real = realFolder(folder, (path) => (existsSync(path) ? realpathSync(path) : undefined));
  const hash = createHash('sha256').update(real, 'utf8').digest('hex');
  return socketPath({ platform: 'linux', env: environment(home), home, tmp: '/tmp', uid: 0 }, hash);
}

function prepareHome(home: string, uid: number): void {
  for (const folder of [home, join(home, 'run'), join(home, 'state')]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (uid !== 0) chownSync(folder, uid, uid);
  }
}

/** Starts the process without waiting for it. */
export function spawnVault(folder: string, options: StartOptions): { readonly pid: number; readonly ended: Promise<Ended> } {
  const { home, uid = 0 } = options;
  prepareHome(home, uid);
  const id = String(uid);
  const serve = [...(options.before ?? []), process.execPath, SERVE, '--vault', folder];
  const [program = '', ...args] = uid === 0 ? serve : ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', ...serve];
  const child = spawn(program, args, { cwd: options.cwd ?? '/', env: { ...environment(home), ...options.env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<Ended>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => settle({ code, signal, stderr }));
  });
  if (child.pid === undefined) throw new Error('the vault could not be started');
  options.onSpawn?.(child.pid);
  return { pid: child.pid, ended };
}

/** Resolves once it answers. Rejects with StartFailed when it ends before, and when it does neither in time (it is killed then). */
export async function startVault(folder: string, options: StartOptions): Promise<VaultProcess> {
  const { pid, ended } = spawnVault(folder, options);
  const path = socketOf(folder, options.home);
  let end: Ended | undefined;
  void ended.then((how) => (end = how));
  const connect = (): Promise<Client> => connectTo(path, options.uid);
  const until = performance.now() + (options.within ?? 60_000);
  let client: Client | undefined;
  for (;;) {
    if (end) throw new StartFailed(end);
    // Its own socket, and not one that an earlier process left.
    client = await connect().catch(() => undefined);
    if (client?.hello.pid === pid) break;
    client?.close();
    if (performance.now() > until) {
      process.kill(pid, 'SIGKILL');
      throw new StartFailed({ ...(await ended), stderr: 'no answer in time' });
    }
    await sleep(4);
  }
  return {
    pid,
    client,
    ended,
    connect,
    sealer: () => childrenOf(pid).find((child) => argumentsOf(child).includes('sealer.mjs')),
    async kill() {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
      await ended;
    },
    async stop() {
      await client.ok('vault:Stop');
      const { code, stderr } = await ended;
      if (code !== 0) throw new Error(`the vault stopped with code ${String(code)}: ${stderr}`);
    },
  };
}

/** From /proc: the parent is the second field after the name in brackets. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const [state, parent] = statOf(Number(name));
    return parent === String(pid) && state !== 'Z' ? [Number(name)] : [];
  });
}

function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** False for one that is gone or only waits to be reaped. */
export const isAlive = (pid: number): boolean => !['', 'Z', 'X'].includes(statOf(pid)[0] ?? '');

function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [''];
  }
}

/** SHA-256 of every regular file below a folder, by relative path; other things by their kind. */
export function hashFiles(folder: string, leaveOut: (path: string) => boolean = () => false): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry): [string, string][] => {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (leaveOut(name)) return [];
    if (entry.isFile()) return [[name, createHash('sha256').update(readFileSync(path)).digest('hex')]];
    return [[name, entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other']];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `dirname/basename` of a copy that lies beside nothing else. */
export const beside = (folder: string, name: string): string => join(dirname(folder), `${basename(folder)}-${name}`);
