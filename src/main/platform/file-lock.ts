/**
 * A lock beside a file that several processes change. The system lets go of it when its holder ends, in whatever way: there is no lock of the
 * dead to be told from that of the living.
 *
 * Does not: keep out a program that does not ask for it.
 */
import { constants, open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../../shared/model/errno.ts';
import { libc } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
/** EINTR, EAGAIN as EWOULDBLOCK (Linux, macOS). */
const BUSY: ReadonlySet<number> = new Set([4, 11, 35]);
const RETRY = 10;

export interface FileLock {
  /** The file was there already: whoever held the lock before was killed. Or holds it a moment later than this one. */
  readonly leftOver: boolean;
  /** Lets go, and takes the lock's file away. Never rejects. */
  release(): Promise<void>;
}

/**
 * Waits for its turn. Rejects with the system's error where `path` cannot be written, or holds something that is no file; with `busy()`
 * after `patience` milliseconds.
 */
export async function lockFile(path: string, patience: number, busy: () => Error): Promise<FileLock> {
  for (let waited = 0; ; waited += RETRY) {
    const { file, leftOver } = await openFile(path);
    if (isHeld(file) && (await isStill(file, path))) {
      return {
        leftOver,
        async release() {
          // First the name, then the lock: who waits for the lock finds that the name is gone, and begins again.
          await unlink(path).catch(() => undefined);
          await file.close().catch(() => undefined);
        },
      };
    }
    await file.close();
    if (waited >= patience) throw busy();
    await sleep(RETRY);
  }
}

/** Neither through a link nor, as for writing alone, waiting for somebody at a pipe's other end. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly leftOver: boolean }> {
  try {
    return { file: await open(path, FLAGS | constants.O_EXCL, 0o600), leftOver: false };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return { file: await open(path, FLAGS, 0o600), leftOver: true };
  }
}

function isHeld({ fd }: FileHandle): boolean {
  const c = libc();
  // Without the C library changes are only ordered within this process, which its caller does.
  if (!c) return true;
  if (c.flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (BUSY.has(c.errno())) return false;
  throw new Error('the file cannot be locked');
}

/** Whether the path still names the file that was locked: its holder before may have taken it away. */
async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const [held, named] = [await file.stat(), await stat(path).catch(() => undefined)];
  return named?.ino === held.ino && named.dev === held.dev;
}
