/**
 * The few system calls that the trail makes, as a port: tests put a disk underneath that fills up, fails and loses power at
 * each of them. Everything throws the system's own error (`code` ENOSPC, EIO, …); the log decides what it means.
 */
import { close, constants, fdatasync, fstatSync, ftruncate, open, read, write, writeSync } from 'node:fs';
import { mkdir, open as openHandle, readdir, rename, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../../shared/model/errno.ts';
import { type Bytes, allocate } from '../crypto/bytes.ts';

export interface TrailFile {
  /** Now, and whether the file still has a name. Costs one system call, synchronous. */
  stat(): { readonly size: number; readonly linked: boolean };
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Bytes>;
  /** All of `bytes` at `offset`; when it rejects, any part of them may be there. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** The same at offset 0, synchronous, in one system call: for the one block that is overwritten in place. */
  overwrite(bytes: Uint8Array): void;
  /** Resolves when everything written is on the disk (fdatasync). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface TrailDisk {
  /** 0700; fine when it exists. Parents must exist. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  /** 0600; `create` fails when the name exists. Never through a link, and nothing but regular files (`isNoFile`). */
  open(path: string, mode: 'create' | 'write'): Promise<TrailFile>;
  rename(from: string, to: string): Promise<void>;
  /** Fine when there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(folder: string): Promise<void>;
}

const NOT_A_FILE = 'ENOTFILE';
/** There is something under that name, and it is a folder, a link, a pipe. */
export const isNoFile = (error: unknown): boolean => [NOT_A_FILE, 'EISDIR', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '');

/** No room, for whatever reason. */
export const isFull = (error: unknown): boolean => errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT';

const openFd = promisify(open);
const readFd = promisify(read);
const writeFd = promisify(write);
const truncateFd = promisify(ftruncate);
const syncFd = promisify(fdatasync);
const closeFd = promisify(close);

// Absent on Windows, where the constants are undefined at run time.
const { O_NOFOLLOW: NO_FOLLOW = 0, O_NONBLOCK: NO_WAIT = 0 } = constants as Partial<typeof constants>;
/** For reading: never through a link, and without waiting at a named pipe. */
export const READ_ONLY = constants.O_RDONLY | NO_FOLLOW | NO_WAIT;

function fileOf(fd: number): TrailFile {
  return {
    stat() {
      const { size, nlink } = fstatSync(fd);
      return { size, linked: nlink > 0 };
    },
    async read(offset, length) {
      const bytes = allocate(length);
      let at = 0;
      while (at < length) {
        const { bytesRead } = await readFd(fd, bytes, at, length - at, offset + at);
        if (bytesRead === 0) return bytes.subarray(0, at);
        at += bytesRead;
      }
      return bytes;
    },
    async write(bytes, offset) {
      for (let at = 0; at < bytes.byteLength; ) at += (await writeFd(fd, bytes, at, bytes.byteLength - at, offset + at)).bytesWritten;
    },
    overwrite(bytes) {
      if (writeSync(fd, bytes, 0, bytes.byteLength, 0) !== bytes.byteLength) throw Object.assign(new Error('short write'), { code: 'EIO' });
    },
    sync: () => syncFd(fd),
    truncate: (length) => truncateFd(fd, length),
    close: () => closeFd(fd),
  };
}

/** The system's own disk. */
export const systemDisk: TrailDisk = {
  async makeFolder(path) {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
  },
  list: (folder) => readdir(folder),
  async open(path, mode) {
    const flags = constants.O_RDWR | NO_FOLLOW | NO_WAIT | (mode === 'create' ? constants.O_CREAT | constants.O_EXCL : 0);
    const fd = await openFd(path, flags, 0o600);
    if (fstatSync(fd).isFile()) return fileOf(fd);
    await closeFd(fd);
    throw Object.assign(new Error('not a regular file'), { code: NOT_A_FILE });
  },
  rename,
  async remove(path) {
    await unlink(path).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  },
  async syncFolder(folder) {
    if (process.platform === 'win32') return;
    const handle = await openHandle(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
