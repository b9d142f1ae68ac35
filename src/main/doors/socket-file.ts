/** The socket's place in the file system: its folder, a stale file, and a bind that never shows it to others. */
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { MAX_SOCKET_PATH } from '../../shared/model/paths.ts';

const PROBE_MS = 1000;

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new VaultError('StorageException', `\`${path}\` cannot be looked at; check its permissions`, { cause: error });
  }
}

/**
 * Makes the socket's folder (0700) where it is missing, and otherwise demands that it is a folder, not a link, of user `uid`, and
 * closed to everyone else. Throws ValidationException for a path over 100 bytes, StorageException for the folder.
 */
export function prepareSocketFolder(path: string, uid: number): void {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new VaultError('ValidationException', `the socket's path \`${path}\` is over ${String(MAX_SOCKET_PATH)} bytes; set XDG_RUNTIME_DIR to a shorter folder`);
  }
  const folder = dirname(path);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw new VaultError('StorageException', `the folder \`${folder}\` cannot be made; check its parent`, { cause: error });
  }
  const stats = statOf(folder);
  if (!stats?.isDirectory()) throw new VaultError('StorageException', `\`${folder}\` is not a folder; remove it`);
  if (stats.uid !== uid) throw new VaultError('StorageException', `the folder \`${folder}\` belongs to another user; set XDG_RUNTIME_DIR to a folder of your own`);
  if ((stats.mode & 0o077) !== 0) throw new VaultError('StorageException', `the folder \`${folder}\` is open to others; run chmod 700 on it`);
}

/**
 * Removes a socket file that nobody answers at. Throws VaultInUseException when somebody does, FileExistsException when the file is
 * not a socket of user `uid`. Two processes that do this at once could remove each other's: the vault's lock keeps it to one.
 */
export async function removeStaleSocket(path: string, uid: number): Promise<void> {
  const stats = statOf(path);
  if (!stats) return;
  if (!stats.isSocket() || stats.uid !== uid) throw new VaultError('FileExistsException', `\`${path}\` is not a socket of yours; remove it`);
  if (await answers(path)) throw new VaultError('VaultInUseException', `another process answers at \`${path}\`; stop it first`);
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw new VaultError('StorageException', `the stale socket \`${path}\` cannot be removed`, { cause: error });
  }
}

/** Only a refused connection proves that nobody is there: a busy vault has a full backlog, and that is no refusal. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const settle = (answer: boolean): void => {
      probe.destroy();
      resolve(answer);
    };
    probe.setTimeout(PROBE_MS, () => settle(true));
    probe.once('connect', () => settle(true));
    probe.once('error', (error) => settle(errnoOf(error) !== 'ECONNREFUSED' && errnoOf(error) !== 'ENOENT'));
  });
}

/** Binds and listens; the file is 0600 from its first moment. Throws VaultInUseException or StorageException. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
  });
  // Node binds before `listen` returns, so the mask is only changed for that one call.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  try {
    await listening;
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    if (errnoOf(error) === 'EADDRINUSE') throw new VaultError('VaultInUseException', `another process answers at \`${path}\`; stop it first`);
    throw new VaultError('StorageException', `the socket \`${path}\` cannot be made`, { cause: error });
  }
}
