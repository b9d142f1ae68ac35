/**
 * The few C functions that Node does not offer, through koffi. Loaded at the first use, so that a program that needs
 * none of them never loads a native module.
 *
 * Contract: `libc()` is undefined on Windows, and where koffi's binary is missing or refuses to load; every caller says
 * what it does then. Nothing here throws.
 */
import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';

/** Numbers, buffers and, as UTF-8, paths. Each returns the C result; 0 is success except where it says otherwise. */
export interface Libc {
  /** prctl(2), Linux only; absent elsewhere. */
  readonly prctl: ((option: number, a: number, b: number, c: number, d: number) => number) | undefined;
  /** setrlimit(2). `limit` is { soft, hard } as two native 64-bit words. */
  readonly setrlimit: (resource: number, limit: BigUint64Array) => number;
  /** getrlimit(2). */
  readonly getrlimit: (resource: number, limit: BigUint64Array) => number;
  /** clock_gettime(2). `time` receives seconds and nanoseconds as two native 64-bit words. */
  readonly clockGettime: (clock: number, time: BigInt64Array) => number;
  /** getsockopt(2). `length` holds the room in `value` and receives what was written. */
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array) => number;
  /** socketpair(2). `pair` receives the two descriptors. */
  readonly socketpair: (domain: number, type: number, protocol: number, pair: Int32Array) => number;
  /** fcntl(2) with a number as its argument. */
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  /** linkat(2), Linux only; fails elsewhere. */
  readonly linkat: (oldFolder: number, oldPath: string, newFolder: number, newPath: string, flags: number) => number;
  /** flock(2). */
  readonly flock: (fd: number, operation: number) => number;
  /** `errno` of the last call made here. */
  readonly errno: () => number;
}

let loaded: Libc | undefined;
let attempted = false;
let failure = '';

export function libc(): Libc | undefined {
  if (!attempted) {
    attempted = true;
    try {
      loaded = load();
    } catch (error) {
      failure = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown';
    }
  }
  return loaded;
}

/** Why `libc()` is undefined, for the diagnostic log; empty when it is not. */
export const libcFailure = (): string => failure;

function load(): Libc | undefined {
  if (process.platform === 'win32') {
    failure = 'there is no C library of this shape on Windows';
    return undefined;
  }
  // createRequire, not import: lazy and synchronous, since hardening has to come before anything else happens.
  const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule;
  const lib = koffi.load(null);
  // Variadic in C, and on some machines such arguments travel another way.
  const fcntl = lib.func('int fcntl(int fd, int command, ...)') as (fd: number, command: number, type: 'int', argument: number) => number;
  return {
    prctl:
      process.platform === 'linux'
        ? (lib.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)') as Libc['prctl'])
        : undefined,
    setrlimit: lib.func('int setrlimit(int resource, const uint64_t *limit)') as Libc['setrlimit'],
    getrlimit: lib.func('int getrlimit(int resource, _Out_ uint64_t *limit)') as Libc['getrlimit'],
    clockGettime: lib.func('int clock_gettime(int clock, _Out_ int64_t *time)') as Libc['clockGettime'],
    getsockopt: lib.func('int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint32_t *length)') as Libc['getsockopt'],
    socketpair: lib.func('int socketpair(int domain, int type, int protocol, _Out_ int32_t *pair)') as Libc['socketpair'],
    linkat: lib.func('int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags)') as Libc['linkat'],
    flock: lib.func('int flock(int fd, int operation)') as Libc['flock'],
    fcntl: (fd, command, argument) => fcntl(fd, command, 'int', argument),
    errno: () => koffi.errno(),
  };
}
