import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';

import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { isRegularFile, storageError } from './files.ts';
import type { Clock } from './ports.ts';

/** Who holds a vault: for people only, never to decide by. */
export interface Holder {
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
}

export interface VaultLock extends Disposable {
  /** Lets go. Idempotent; the death of the process does the same. */
  release(): void;
}

/** sqlite.org/rescode.html */
const SQLITE = { busy: 5, locked: 6, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** How long a process that is just ending may still hold the lock, in milliseconds. */
const PATIENCE = 250;

/**
 * Takes the vault in `folder` for this process alone, by an exclusive SQLite lock on `lock.db`. The kernel lets go of it
 * when the process dies, so a file left behind locks nothing. VaultInUseException names the holder and its pid;
 * StorageException when the file cannot be used.
 *
 * INVARIANT: nothing else in this process opens `lock.db` while the lock is held. POSIX drops all of a process's locks
 * on a file when any descriptor of it is closed.
 */
export function acquireVaultLock(folder: string, clock: Pick<Clock, 'now'>): VaultLock {
  const path = join(folder, 'lock.db');
  let db: DatabaseSyncInstance | undefined;
  try {
    // SQLite would follow a link, and make its table in whatever file that is.
    isRegularFile(path);
    createPrivate(path);
    db = new DatabaseSync(path, { timeout: PATIENCE });
    // With locking_mode the lock outlives each transaction; the last one stays open all the same.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, since TEXT NOT NULL); DELETE FROM holder');
    // Not a prepared statement: one that is not yet collected would keep the connection, and so the lock, after close.
    db.exec(`INSERT INTO holder (pid, since) VALUES (${String(process.pid)}, '${new Date(clock.now()).toISOString()}')`);
    db.exec('COMMIT; BEGIN EXCLUSIVE');
  } catch (error) {
    try {
      db?.close();
    } catch {
      // It was never open.
    }
    throw refusal(folder, path, error);
  }
  const held = db;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    held.exec('ROLLBACK');
    held.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** Who holds the lock, or held it last; undefined when the file does not say. Takes no lock and waits for none. */
export function readHolder(folder: string): Holder | undefined {
  let db: DatabaseSyncInstance | undefined;
  try {
    // "immutable" reads past the lock. The row was committed before the lock was taken for good.
    db = new DatabaseSync(`${pathToFileURL(join(folder, 'lock.db')).href}?immutable=1`, { readOnly: true });
    const row = db.prepare('SELECT pid, since FROM holder').get() as { pid?: unknown; since?: unknown } | undefined;
    if (typeof row?.pid !== 'number' || typeof row.since !== 'string') return undefined;
    return Number.isNaN(Date.parse(row.since)) ? undefined : { pid: row.pid, since: row.since };
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}

function refusal(folder: string, path: string, error: unknown): VaultError {
  // The extended codes of one failure share their low byte.
  const { errcode } = error as { readonly errcode?: unknown };
  const result = typeof errcode === 'number' ? errcode & 0xff : undefined;
  if (result === SQLITE.busy || result === SQLITE.locked) {
    const holder = readHolder(folder);
    const who = holder === undefined ? 'another process' : `process ${String(holder.pid)}, since ${holder.since}`;
    return new VaultError('VaultInUseException', `the vault \`${folder}\` is in use by ${who}: talk to that one, or stop it with \`keystead stop\``, {
      ...(holder === undefined ? {} : { details: { pid: String(holder.pid), since: holder.since } }),
      cause: error,
    });
  }
  if (result === SQLITE.corrupt || result === SQLITE.notADatabase) {
    return new VaultError('StorageException', `\`${path}\` is damaged: remove it while no Keystead runs, it holds nothing but the lock`, { cause: error });
  }
  if (result === SQLITE.full) return new VaultError('StorageFullException', `cannot lock \`${path}\`: the disk is full, free some space and try again`, { cause: error });
  if (result === SQLITE.readOnly || result === SQLITE.cannotOpen) {
    return new VaultError('StorageException', `cannot lock \`${path}\`: it cannot be written, check who owns the folder and its mode`, { cause: error });
  }
  return storageError('lock', path, error);
}

/** SQLite would create it by the umask. A file that is there is not opened: see the invariant above. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
