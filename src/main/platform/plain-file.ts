/**
 * A file of the user's that holds secrets in the clear: read once with what it is known by, and erased only if it is still that one.
 *
 * Defends against: a link or another file put in its place meanwhile, a second name of it that would stay, a file of somebody else's.
 * Does not: erase what an SSD, a copy-on-write file system, a snapshot or a backup has kept; nothing at this level can.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { fillFrom, syncFolder } from './files.ts';
import type { FileIdentity, PlainFiles } from './ports.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be opened by the vault; check its permissions',
  EPERM: 'may not be opened by the vault; check its permissions',
  EISDIR: 'is a folder; name a file',
  ELOOP: 'is a symbolic link; erase the file that it points to by hand',
};
const PIECE = 1024 * 1024;

const refused = (path: string, why: string): VaultError => new VaultError('FileNotReadableException', `file \`${path}\` ${why}`);
const because = (path: string, error: unknown): unknown => (error instanceof VaultError ? error : refused(path, REASONS[errnoOf(error) ?? ''] ?? 'cannot be read'));

async function whole(file: FileHandle, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(new ArrayBuffer(size));
  if ((await fillFrom(file, bytes)) === size) return bytes;
  bytes.fill(0);
  throw new Error('shorter than it was');
}

async function readPlain(path: string, most: number): Promise<{ readonly bytes: Uint8Array; readonly identity: FileIdentity }> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe would hang the open for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw refused(path, 'is not a regular file; name one');
    if (stat.size > most) throw refused(path, `has more than ${String(most / 1024 / 1024)} MiB; divide it`);
    if (stat.size === 0) throw refused(path, 'is empty');
    const bytes = await whole(file, stat.size);
    return { bytes, identity: { device: stat.dev, inode: stat.ino, size: stat.size, digest: createHash('sha256').update(bytes).digest() } };
  } catch (error) {
    throw because(path, error);
  } finally {
    await file?.close().catch(() => undefined);
  }
}

/** Opened without following a link, and still what it was: the same file with the same bytes, with one name, the user's own. */
async function checkSame(file: FileHandle, path: string, { device, inode, size, digest }: FileIdentity): Promise<void> {
  const stat = await file.stat();
  const changed = 'is not the file any more that was imported; nothing was erased';
  if (!stat.isFile() || stat.dev !== device || stat.ino !== inode || stat.size !== size) throw refused(path, changed);
  if (stat.nlink !== 1) throw refused(path, `has ${String(stat.nlink)} names (hard links); erase it by hand`);
  if (process.getuid && stat.uid !== process.getuid()) throw refused(path, 'belongs to somebody else; nothing was erased');
  const bytes = await whole(file, size);
  const now = createHash('sha256').update(bytes).digest();
  bytes.fill(0);
  if (!timingSafeEqual(now, digest)) throw refused(path, changed);
}

async function erasePlain(path: string, identity: FileIdentity): Promise<void> {
  let file: FileHandle | undefined;
  try {
    // Absent on Windows, where the constant is undefined at run time.
    const noFollow = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;
    file = await open(path, constants.O_RDWR | constants.O_NONBLOCK | noFollow);
    await checkSame(file, path, identity);
    const zeros = new Uint8Array(new ArrayBuffer(Math.min(PIECE, identity.size)));
    for (let at = 0; at < identity.size; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, identity.size - at), at);
      at += bytesWritten;
    }
    await file.sync();
    // The name, if it is still this file's: what has taken its place meanwhile stays.
    const named = await lstat(path).catch(() => undefined);
    if (named?.dev !== identity.device || named.ino !== identity.inode) throw refused(path, 'was overwritten, and another file has its name by now; that one stays');
    await unlink(path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw because(path, error);
  } finally {
    await file?.close().catch(() => undefined);
  }
}

export const plainFiles: PlainFiles = { read: readPlain, erase: erasePlain };
