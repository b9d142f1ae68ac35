import { spawn as spawnProcess, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';

import { VaultError, type ErrorCode } from '../../shared/model/errors.ts';
import { openChannel, type Channel } from './channel.ts';
import { libc } from './libc.ts';
import { noLog, type Log } from './log.ts';
import type { Child, Exit, ProcessHost } from './ports.ts';
import { watchStderr } from './stderr.ts';

type Entry = Parameters<ProcessHost['spawn']>[0];

export interface ProcessHostOptions {
  /** Absolute path of the JavaScript file of each entry. */
  readonly entries: Readonly<Record<Entry, string>>;
  readonly log?: Log;
}

/** socket(2) on Linux. */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;

/** How long frames that were on their way when a child exited are waited for, in milliseconds. */
const DRAIN = 250;

/** What each entry inherits. A child that holds keys has no business on the session bus. */
const EVERYWHERE = ['PATH', 'HOME', 'LANG', 'SystemRoot', 'windir', 'TEMP', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'];
/** Where vendors' modules look for their own settings. */
const MODULES = ['XDG_RUNTIME_DIR', 'SOFTHSM2_CONF', 'YUBIHSM_PKCS11_CONF', 'PKCS11_PROXY_SOCKET', 'OPENSC_CONF', 'CLOUDHSM_PKCS11_CONFIG'];
const ENVIRONMENT: Readonly<Record<Entry, readonly string[]>> = {
  sealer: EVERYWHERE,
  keychain: [...EVERYWHERE, 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'],
  cipher: EVERYWHERE,
  pkcs11: [...EVERYWHERE, ...MODULES],
  egress: EVERYWHERE,
  importer: EVERYWHERE,
};

const GONE: Readonly<Record<Entry, readonly [ErrorCode, string]>> = {
  sealer: ['SealerStoppedException', 'the sealer process has stopped: unlock the vault again'],
  keychain: ['KeychainUnavailableException', 'the keychain helper has stopped: try again'],
  cipher: ['InternalException', 'the process that reads the file has stopped: try again'],
  pkcs11: ['KMSInternalException', 'the process of the module has stopped: connect the key store again'],
  egress: ['InternalException', 'the process that connects outward has stopped: try again'],
  importer: ['InternalException', 'the process that reads the file has stopped: try again'],
};

/** Bytes of a frame, where it is less than what any child may send: other people's code runs in this one. */
const FRAME_LIMIT: Partial<Readonly<Record<Entry, number>>> = { pkcs11: 1024 * 1024 };

/**
 * Starts this program's own modules as children of plain Node. Throws InternalException when the system refuses to start
 * one. A child that breaks the framing, or closes its channel, is killed.
 */
export function createProcessHost(options: ProcessHostOptions): ProcessHost {
  const log = options.log ?? noLog;
  return {
    spawn(entry, { args = [] } = {}) {
      const pair = socketPair();
      let child: ChildProcess;
      try {
        child = spawnProcess(process.execPath, [...nodeFlags(), options.entries[entry], ...args], {
          stdio: ['ignore', 'ignore', 'pipe', pair?.[1] ?? 'pipe'],
          env: pick(process.env, ENVIRONMENT[entry]),
          windowsHide: true,
        });
      } catch (error) {
        if (pair) closeSync(pair[0]);
        throw new VaultError('InternalException', `cannot start the ${entry} process: see the diagnostic log`, { cause: error });
      } finally {
        if (pair) closeSync(pair[1]);
      }
      return adopt(entry, child, pair?.[0], log);
    },
  };
}

function adopt(entry: Entry, child: ChildProcess, fd: number | undefined, log: Log): Child {
  // Without a listener, a failed start would be an uncaught error.
  child.on('error', () => undefined);
  const pid = child.pid;
  const source = fd ?? child.stdio[3];
  if (pid === undefined || source === null || !(typeof source === 'number' || source instanceof Socket)) {
    if (fd !== undefined) closeSync(fd);
    throw new VaultError('InternalException', `cannot start the ${entry} process: check that memory and the number of processes are not used up`);
  }
  const started = performance.now();
  const channel = openChannel(source, FRAME_LIMIT[entry]);
  let gone = false;
  let asked = false;
  log.event('child.started', { entry, pid });
  watchStderr(child.stderr, entry, pid, log);

  void channel.closed.then((how) => {
    if (how === 'broken' && !asked) log.event('child.broken', { entry, pid });
    // One that is on its way out closes the channel first; its exit code is worth a moment.
    setTimeout(() => void (gone || child.kill('SIGKILL')), how === 'broken' ? 0 : DRAIN).unref();
  });
  const exited = new Promise<Exit>((resolve) => {
    // 'exit' comes after waitpid: the process is out of the table then.
    child.once('exit', (code, signal) => {
      gone = true;
      log.event('child.exited', { entry, pid, code: code ?? undefined, signal: signal ?? undefined, ms: Math.round(performance.now() - started), asked });
      void drained(channel).then(() => resolve({ code, signal }));
    });
  });

  return {
    pid,
    send(frame) {
      if (gone || asked) {
        frame.fill(0);
        throw new VaultError(...GONE[entry]);
      }
      try {
        channel.send(frame);
      } catch (error) {
        if (error instanceof VaultError && error.code !== 'InternalException') throw error;
        throw new VaultError(...GONE[entry]);
      }
    },
    onFrame: (receive) => channel.onFrame(receive),
    exited,
    kill() {
      asked = true;
      channel.destroy();
      child.kill('SIGKILL');
    },
  };
}

async function drained(channel: Channel): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  // A grandchild may hold the other end open for ever.
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN);
  });
  await Promise.race([channel.closed, late]);
  clearTimeout(timer);
  channel.destroy();
}

/**
 * Two ends of a local stream. Made here rather than by `stdio: 'pipe'`, because only a socket made from a descriptor
 * reads into a buffer that can be wiped. Undefined where that is not to be had; the pipe then takes its place.
 */
function socketPair(): readonly [mine: number, theirs: number] | undefined {
  if (process.platform !== 'linux') return undefined;
  const pair = new Int32Array(2);
  if (libc()?.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !== 0) return undefined;
  const [mine, theirs] = pair;
  return mine === undefined || theirs === undefined ? undefined : [mine, theirs];
}

/** A newer Node can be told from the start not to open a debugger on SIGUSR1; `harden` does it for all. */
function nodeFlags(): readonly string[] {
  return process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : [];
}

function pick(from: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
