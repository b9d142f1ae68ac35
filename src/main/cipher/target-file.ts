/**
 * The file that is written: it has no name until it is whole, so that a process that is killed leaves nothing. Where the file system cannot
 * make such a file it has the name that the order gives, which the parent removes; only there does a kill of both leave it.
 */
import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { libc } from '../platform/libc.ts';
import { failing, StreamFailure } from './failure.ts';
import type { Order } from './messages.ts';

/** open(2), Linux: a file without a name, in this folder. With O_DIRECTORY, as older kernels want it. */
const O_TMPFILE = 0o20_000_000 | constants.O_DIRECTORY;
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const EEXIST = 17;

export interface TargetFile {
  readonly handle: FileHandle;
  /** Durable, under the target's name, when it resolves. Never takes a name that is taken. Rejects with StreamFailure. */
  name(): Promise<void>;
}

/** Rejects with StreamFailure. */
export async function openTarget(order: Pick<Order, 'target' | 'temporary'>, withoutName = openWithoutName): Promise<TargetFile> {
  const { target, temporary } = order;
  if (await isThere(target)) throw new StreamFailure('target', 'EEXIST');
  const nameless = await withoutName(dirname(target));
  const handle = nameless ?? (await open(temporary, 'wx', 0o600).catch(failing('target')));
  return {
    handle,
    async name() {
      await handle.sync().catch(failing('target'));
      if (nameless) giveName(nameless, target);
      else await moveTo(order);
      await syncFolder(dirname(target));
    },
  };
}

/** Undefined where there is no such thing: another system, or another file system. */
async function openWithoutName(folder: string): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux' || !libc()) return undefined;
  return open(folder, constants.O_WRONLY | O_TMPFILE, 0o600).catch(() => undefined);
}

function giveName({ fd }: FileHandle, target: string): void {
  const c = libc();
  // linkat(2): of one's own files this needs no right that others lack.
  if (c?.linkat(AT_FDCWD, `/proc/self/fd/${String(fd)}`, AT_FDCWD, target, AT_SYMLINK_FOLLOW) === 0) return;
  throw new StreamFailure('target', c?.errno() === EEXIST ? 'EEXIST' : 'UNKNOWN');
}

async function moveTo({ temporary, target }: Pick<Order, 'target' | 'temporary'>): Promise<void> {
  try {
    await link(temporary, target);
    await unlink(temporary);
  } catch (error) {
    // File systems without hard links.
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(errnoOf(error) ?? '') || (await isThere(target))) failing('target')(error);
    await rename(temporary, target).catch(failing('target'));
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY).catch(failing('target'));
  // Some file systems cannot sync a folder.
  await folder.sync().catch(() => undefined);
  await folder.close();
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => (errnoOf(error) === 'ENOENT' ? false : failing('target')(error)),
  );
