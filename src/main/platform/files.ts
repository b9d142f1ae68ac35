/**
 * Files as a vault needs them: whole or not at all, private, and durable when the promise resolves.
 *
 * Defends against: a torn file after a kill or power cut, a full disk that destroys the old content, a link or another
 * user's folder put where a private one is expected, a huge or endless file that is read whole.
 * Does not: hide names and sizes, or protect against another process of the same user.
 *
 * Errors: StorageFullException (no room, quota), StorageException (everything else), both with the path and the next
 * step. Bytes that are read are off-heap.
 */
import { randomBytes } from 'node:crypto';
import { constants, lstatSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';

export interface WriteOptions {
  /** Permission bits of the new file, before umask; 0600 unless given. */
  readonly mode?: number;
}

const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * Replaces (or creates) `path` by `bytes`. When it resolves the new content is on the disk; when it rejects the old
 * content is untouched (or, if only the last fsync of the folder failed, either is there, whole). The caller keeps and
 * wipes `bytes`. A link at `path` is replaced, not followed.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  let created = false;
  try {
    // "wx" is O_EXCL: never through a link, never into a file that somebody else has put there.
    const file = await open(temporary, 'wx', options.mode ?? 0o600);
    created = true;
    await fill(file, bytes);
    await rename(temporary, path);
    created = false;
    await syncFolder(folder);
  } catch (error) {
    if (created) await unlink(temporary).catch(() => undefined);
    throw storageError('write', path, error);
  }
}

/** Reads from the file's beginning until `bytes` are full or the file ends; how many there are. Wipes them when reading fails. */
export async function fillFrom(file: FileHandle, bytes: Uint8Array): Promise<number> {
  try {
    let at = 0;
    while (at < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, at, bytes.byteLength - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at;
  } catch (error) {
    bytes.fill(0);
    throw error;
  }
}

/**
 * The whole of a regular file of at most `maxBytes`, off-heap; undefined when there is none. StorageException when it is
 * larger, a link or not a regular file. What is appended while it is read is not in it.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe put here would hang the open for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | NO_FOLLOW);
    const { size } = await checkRegular(file, path);
    if (size > maxBytes) throw tooLarge(path, maxBytes);
    const bytes = new Uint8Array(new ArrayBuffer(size));
    const at = await fillFrom(file, bytes);
    if (at === size) return bytes;
    const shorter = new Uint8Array(new ArrayBuffer(at));
    shorter.set(bytes.subarray(0, at));
    bytes.fill(0);
    return shorter;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'ELOOP') throw isLink(path);
    throw storageError('read', path, error);
  } finally {
    await file?.close().catch(() => undefined);
  }
}

/**
 * For what opens files by name (SQLite) and would follow a link or wait at a named pipe for ever: whether `path` is there.
 * StorageException when it is anything but a regular file, or cannot be looked at.
 */
export function isRegularFile(path: string): boolean {
  let stat;
  try {
    stat = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw storageError('look at', path, error);
  }
  if (stat?.isSymbolicLink()) throw isLink(path);
  if (stat && !stat.isFile()) throw refused(path, 'is not a regular file', 'move it away');
  return stat !== undefined;
}

/**
 * Makes `path` a folder that only this user can enter, creating it (and missing parents, 0700) where needed.
 * StorageException that says what is wrong and the command that mends it, when `path` is a link or no folder, belongs
 * to somebody else, or is open to others. It never loosens or tightens what it finds: content that others could read
 * until now is for the user to know about.
 */
export async function ensurePrivateFolder(path: string): Promise<void> {
  let stat;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    stat = await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR') throw refused(path, 'is not a folder', 'move it away');
    throw storageError('create the folder', path, error);
  }
  if (stat.isSymbolicLink()) throw refused(path, 'is a symbolic link', 'name the folder that it points to instead');
  if (!stat.isDirectory()) throw refused(path, 'is not a folder', 'move it away');
  if (process.getuid === undefined) return;
  const me = process.getuid();
  if (stat.uid !== me) throw refused(path, `belongs to user ${String(stat.uid)}, not to you (${String(me)})`, 'move it away or name another folder');
  if ((stat.mode & 0o077) !== 0) throw refused(path, `is open to other users (mode ${(stat.mode & 0o777).toString(8)})`, `run \`chmod 700 ${path}\``);
}

/**
 * For a folder that is there already: StorageException, with the command that mends it, when it belongs to somebody else or others
 * may write in it, who could put files of theirs in place of what is there. That others may read is not refused: a stick's
 * file system has no modes, and what is in a vault is sealed.
 */
export async function refuseSharedFolder(path: string): Promise<void> {
  if (process.getuid === undefined) return;
  const me = process.getuid();
  const { uid, mode } = await lstat(path).catch((error: unknown) => {
    throw storageError('look at', path, error);
  });
  if (uid !== me) throw refused(path, `belongs to user ${String(uid)}, not to you (${String(me)})`, 'start the program as its owner, or copy the folder');
  if ((mode & 0o022) !== 0) throw refused(path, `can be written by other users (mode ${(mode & 0o777).toString(8)})`, `run \`chmod 700 ${path}\``);
}

/**
 * Removes what killed calls of `writeFileAtomic` left in `folder`; resolves to how many. Only for one who holds the
 * folder's lock: a write in progress would lose its file.
 */
export async function sweepTemporary(folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!TEMPORARY.test(name)) continue;
    await unlink(join(folder, name)).then(
      () => removed++,
      () => undefined,
    );
  }
  return removed;
}

/** Makes the names in `folder` durable. Throws the system's own error. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems cannot sync a folder; there is nothing more to be had from them.
    if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

/** The system's error (or a VaultError, unchanged) as the vault's own. `action` is a verb: "cannot `action` `path`". */
export function storageError(action: string, path: string, cause: unknown): VaultError {
  if (cause instanceof VaultError) return cause;
  const code = errnoOf(cause) ?? 'unknown';
  const what = `cannot ${action} \`${path}\``;
  if (code === 'ENOSPC') return new VaultError('StorageFullException', `${what}: the disk is full, free some space and try again`, { cause });
  if (code === 'EDQUOT') return new VaultError('StorageFullException', `${what}: your disk quota is used up, free some space and try again`, { cause });
  const [why, next] = ADVICE[code] ?? [`the system says ${code}`, 'see the diagnostic log and the health of the disk'];
  return new VaultError('StorageException', `${what}: ${why}, ${next}`, { cause, details: { errno: code } });
}

const ADVICE: Readonly<Partial<Record<string, readonly [why: string, next: string]>>> = {
  EACCES: ['permission was denied', 'check who owns the folder and its mode'],
  EPERM: ['the system does not permit it', 'check who owns the folder and whether it is immutable'],
  EROFS: ['the file system is read-only', 'mount it for writing or name another folder'],
  ENOENT: ['the folder does not exist', 'create it or name another'],
  ENOTDIR: ['a part of the path is not a folder', 'check the path'],
  EISDIR: ['it is a folder', 'name a file'],
  ELOOP: ['there are too many links in the path', 'check the path'],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter one'],
  EMFILE: ['too many files are open', 'close other programs or raise the limit (ulimit -n)'],
  ENFILE: ['too many files are open on this machine', 'close other programs'],
  EIO: ['the disk reported an input/output error', 'check the disk before you go on'],
  EFBIG: ['it would exceed the allowed size of a file', 'raise the limit (ulimit -f)'],
};

async function fill(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function checkRegular(file: FileHandle, path: string): Promise<{ size: number }> {
  const stat = await file.stat();
  if (!stat.isFile()) throw refused(path, 'is not a regular file', 'move it away');
  return { size: stat.size };
}

// Absent on Windows, where the constant is undefined at run time.
const NO_FOLLOW = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;

const isLink = (path: string): VaultError => refused(path, 'is a symbolic link', 'put the file itself in its place');

const tooLarge = (path: string, maxBytes: number): VaultError =>
  new VaultError('StorageException', `\`${path}\` is larger than ${String(maxBytes)} bytes: it is damaged or not a file of this program, restore it from a copy`);

const refused = (path: string, why: string, next: string): VaultError => new VaultError('StorageException', `\`${path}\` ${why}: ${next}`);
