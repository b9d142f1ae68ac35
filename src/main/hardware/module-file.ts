/**
 * The file of a module before it is loaded: what it is, and who else could change it.
 *
 * Defends against: a module that another program has put in the place of the one that its owner agreed to. Does not: see a change between
 * this look and the loader's, nor the libraries that the module loads itself.
 */
import { createHash } from 'node:crypto';
import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { readBounded } from '../platform/files.ts';

/** Bytes: vendors' modules have tens of megabytes. */
const LIMIT = 256 * 1024 * 1024;
const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const STICKY = 0o1000;

export interface ModuleFile {
  /** Without links. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  /** Sentences for the owner; empty when nobody else could change the file. */
  readonly warnings: readonly string[];
}

const unreadable = (path: string, why: string): VaultError => new VaultError('FileNotReadableException', `module \`${path}\` ${why}`);

/** Who could put another file there, besides this user and root. `uid`: this user. */
export function writableBy(path: string, { uid: owner, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>, uid: number, isFolder: boolean): readonly string[] {
  const what = isFolder ? 'folder' : 'file';
  const found: string[] = [];
  if (owner !== 0 && owner !== uid) found.push(`${what} \`${path}\` belongs to user ${String(owner)}, who can change the module`);
  // In a folder with the sticky bit one may add, but not replace what is another's.
  if ((mode & OTHERS_WRITE) !== 0 && !(isFolder && (mode & STICKY) !== 0)) found.push(`${what} \`${path}\` is writable by everybody`);
  if ((mode & GROUP_WRITES) !== 0 && gid !== 0 && !(isFolder && (mode & STICKY) !== 0)) found.push(`${what} \`${path}\` is writable by group ${String(gid)}`);
  return found;
}

/** Throws FileNotReadableException. */
export async function lookAtModule(given: string, uid: number): Promise<ModuleFile> {
  let path: string;
  try {
    path = realpathSync(given);
  } catch (error) {
    throw unreadable(given, errnoOf(error) === 'ENOENT' ? 'does not exist' : 'cannot be looked at');
  }
  const warnings: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const stats = statSync(at);
    if (at === path && !stats.isFile()) throw unreadable(path, 'is not a file');
    warnings.push(...writableBy(at, stats, uid, at !== path));
    if (dirname(at) === at) break;
  }
  const bytes = await readBounded(path, LIMIT).catch(() => undefined);
  if (!bytes) throw unreadable(path, 'cannot be read, or is larger than any module');
  return { path, sha256: createHash('sha256').update(bytes).digest('hex'), warnings };
}
