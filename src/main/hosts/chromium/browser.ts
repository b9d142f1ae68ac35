/** The browser's process: started without rights, spoken to over its pipe, and ended for certain. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../../../shared/model/errno.ts';
import { VaultError } from '../../../shared/model/errors.ts';
import { libc } from '../../platform/libc.ts';
import { openDescriptor, watchSocket } from '../../platform/wiped-reads.ts';
import { environment, flags } from './flags.ts';
import { openPipe, type DevToolsEvent, type Pipe } from './pipe.ts';
import { copyAuthority, makeProfile, unprivileged } from './profile.ts';

/** socket(2) on Linux. */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
/** Milliseconds that the browser has to close by itself. */
const CLOSE_PATIENCE = 1500;
const COMPLAINT_BYTES = 8192;

export interface Browser {
  readonly pid: number;
  readonly pipe: Pipe;
  /** Resolves once the process is gone; true when it ended as if asked to. */
  readonly exited: Promise<boolean>;
  /** In memory, that is; false where the profile is on a disk. */
  readonly inMemory: boolean;
  /** Why it did not start, in words; from its own complaints. */
  complaint(): string;
  /**
   * Kills every renderer and returns once each is gone from the process table; true when there was one. Rejects when one
   * does not go.
   */
  endRenderers(): Promise<boolean>;
  /** Asks it to close, kills it where that takes too long, removes the profile. Idempotent; never rejects. */
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly program: string;
  readonly headless: boolean;
  readonly raw: (message: Uint8Array) => boolean;
  readonly event: (event: DevToolsEvent) => void;
}

/** Throws InternalException when it cannot be started. */
export function startBrowser({ program, headless, raw, event }: BrowserOptions): Browser {
  const user = unprivileged();
  const { profile, home, inMemory, remove } = makeProfile(user);
  const authority = copyAuthority(user, process.env, home);
  const pair = socketPair();
  let child: ChildProcess;
  try {
    child = spawn(program, flags({ profile, headless }), {
      // A group of its own: Ctrl-C in the terminal is main's to handle. It goes with main all the same, since its pipe closes.
      detached: process.platform !== 'win32',
      cwd: home,
      env: environment({ ...process.env, ...(authority === undefined ? {} : { XAUTHORITY: authority }) }, home),
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', pair?.[1] ?? 'pipe'],
      windowsHide: false,
      ...user,
    });
  } catch (error) {
    if (pair) closeSync(pair[0]);
    remove();
    throw new VaultError('InternalException', `\`${program}\` cannot be started`, { cause: error });
  } finally {
    if (pair) closeSync(pair[1]);
  }
  child.on('error', () => undefined);
  const { pid } = child;
  const [out, incoming] = [child.stdio[3], pair?.[0] ?? child.stdio[4]];
  if (pid === undefined || !(out instanceof Socket) || !(typeof incoming === 'number' || incoming instanceof Socket)) {
    if (pair) closeSync(pair[0]);
    remove();
    throw new VaultError('InternalException', `\`${program}\` cannot be started`);
  }

  const kill = (): void => {
    try {
      // The whole group.
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  const complaints = gather(child.stderr);
  const pipe = openPipe({ out, raw, event, broken: kill });
  const input = typeof incoming === 'number' ? openDescriptor(incoming, pipe.take) : watchSocket(incoming, pipe.take);
  input.on('error', () => undefined);
  out.on('error', () => undefined);
  input.resume();
  const onExit = (): void => {
    kill();
    remove();
  };
  process.on('exit', onExit);
  const exited = new Promise<boolean>((resolve) => {
    child.once('exit', (code) => {
      process.removeListener('exit', onExit);
      pipe.end();
      input.destroy();
      kill();
      remove();
      resolve(code === 0);
    });
  });
  let closing: Promise<void> | undefined;

  return {
    pid,
    pipe,
    exited,
    inMemory,
    complaint: complaints,
    endRenderers: () => endRenderers(pid, pipe),
    close: () =>
      (closing ??= (async () => {
        pipe.send('Browser.close').catch(() => undefined);
        await Promise.race([exited, sleep(CLOSE_PATIENCE, undefined, { ref: false })]);
        kill();
        await exited;
        remove();
      })()),
  };
}

/** What it says until a window is there may say why there is none. Nothing of it is logged. */
function gather(stderr: ChildProcess['stderr']): () => string {
  let text = '';
  stderr?.on('data', (chunk: Buffer) => (text = `${text}${chunk.toString('utf8')}`.slice(-COMPLAINT_BYTES)));
  return () => {
    if (/no usable sandbox/i.test(text)) return 'it finds no sandbox on this system: allow user namespaces, or install the package `chromium-sandbox`';
    if (/missing x server|cannot open display|ozone/i.test(text)) return 'it cannot reach the display';
    return 'it ended while starting';
  };
}

async function endRenderers(browserPid: number, pipe: Pipe): Promise<boolean> {
  const { processInfo } = await pipe.send('SystemInfo.getProcessInfo');
  const pids = (Array.isArray(processInfo) ? processInfo : []).flatMap((info: { readonly type?: unknown; readonly id?: unknown }) =>
    info.type === 'renderer' && Number.isSafeInteger(info.id) && isBelow(info.id as number, browserPid) ? [info.id as number] : [],
  );
  for (const pid of pids) signal(pid, 'SIGKILL');
  for (let waited = 0; pids.some((pid) => signal(pid, 0)); waited += 2) {
    if (waited > 4000) throw new VaultError('InternalException', 'the page’s process does not end; close the window');
    await sleep(2);
  }
  return pids.length > 0;
}

/** False when there is no such process. */
function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, what);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** The browser's word alone does not get a process killed: it must be one of its own. Elsewhere than on Linux the word has to do. */
function isBelow(pid: number, ancestor: number): boolean {
  if (process.platform !== 'linux') return true;
  for (let at = pid; at > 1; at = parentOf(at)) if (at === ancestor) return pid !== ancestor;
  return false;
}

function parentOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

/** The end that is read from is a descriptor of our own making: only such a socket reads into a buffer that can be wiped. */
function socketPair(): readonly [mine: number, theirs: number] | undefined {
  if (process.platform !== 'linux') return undefined;
  const pair = new Int32Array(2);
  if (libc()?.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !== 0) return undefined;
  const [mine, theirs] = pair;
  return mine === undefined || theirs === undefined ? undefined : [mine, theirs];
}
