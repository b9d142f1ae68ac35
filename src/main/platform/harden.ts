/**
 * What the operating system is asked to do for a process that holds something worth stealing.
 *
 * Defends against: another process of the same user that reads `/proc/PID/mem`, attaches a debugger, or finds a core
 * file. Does not defend against root, against a process that read the memory before the call, or against one that
 * started this process under a debugger.
 *
 * Node opens a debugger's port on SIGUSR1, to which every local user can then connect. A listener for the signal takes
 * its place (measured); what remains is the time between exec and the call.
 *
 * `PR_SET_DUMPABLE` is reset by exec: every child calls `harden` first thing. It also hides `exe`, `cwd`, `fd` and
 * `environ` of this process from others of the same user.
 */
import type * as inspectorModule from 'node:inspector';
import { createRequire } from 'node:module';

import { libc, libcFailure } from './libc.ts';

/** prctl(2), `linux/prctl.h`. */
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
/** getrlimit(2); the same number on Linux and macOS. */
const RLIMIT_CORE = 4;

export interface Hardened {
  /** Memory cannot be read or traced by other processes of the same user. */
  readonly undumpable: boolean;
  /** No core file is written. */
  readonly noCore: boolean;
  /** SIGUSR1 opens no debugger, and none is open. */
  readonly noDebugger: boolean;
  /** What failed, in words for the diagnostic log and `doctor`; empty when nothing did. */
  readonly problems: readonly string[];
}

const NOT_YET: Hardened = { undumpable: false, noCore: false, noDebugger: false, problems: ['not hardened yet'] };
let status: Hardened = NOT_YET;

/** What `harden` achieved in this process. */
export const hardened = (): Hardened => status;

/**
 * Makes this process unreadable to others of the same user, as far as the system can. Idempotent. Never throws: what
 * could not be done is in `hardened().problems`, and the caller decides whom to tell.
 */
export function harden(): void {
  const problems: string[] = [];
  const c = libc();
  let undumpable = false;
  let noCore = false;
  if (c === undefined) {
    problems.push(`the C library could not be called: ${libcFailure()}`);
  } else {
    if (c.prctl === undefined) {
      problems.push(`this system (${process.platform}) has no prctl: other processes of the same user may be able to read memory`);
    } else if (c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) !== 0) {
      problems.push(`prctl(PR_SET_DUMPABLE) failed with errno ${String(c.errno())}`);
    } else {
      undumpable = c.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) === 0;
      if (!undumpable) problems.push('prctl(PR_SET_DUMPABLE) had no effect');
    }
    // Soft and hard: a core limit that cannot be raised again, here and in the children.
    if (c.setrlimit(RLIMIT_CORE, new BigUint64Array(2)) !== 0) {
      problems.push(`setrlimit(RLIMIT_CORE) failed with errno ${String(c.errno())}`);
    } else {
      noCore = true;
    }
  }
  const noDebugger = forbidDebugger(problems);
  status = { undumpable, noCore, noDebugger, problems };
}

/** One listener however often `harden` is called. */
const ignore = (): void => undefined;

function forbidDebugger(problems: string[]): boolean {
  if (process.platform !== 'win32' && !process.listeners('SIGUSR1').includes(ignore)) process.on('SIGUSR1', ignore);
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as typeof inspectorModule;
    if (inspector.url() === undefined) return true;
    // Opened by a flag, the environment, or a SIGUSR1 that came before this call. Every local user could connect to its port.
    inspector.close();
    if (inspector.url() === undefined) return true;
    problems.push('a debugger is open on this process: start it without --inspect');
    return false;
  } catch {
    // Built without the inspector: there is nothing to open.
    return true;
  }
}
