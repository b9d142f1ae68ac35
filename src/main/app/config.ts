/**
 * `config.json` on the disk. Changes of one process and of several go one after the other: each is made to what is on the disk at that
 * moment, so that none takes another's away.
 */
import { realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../../shared/model/errno.ts';
import { changeConfig, isConfig, readConfig, type Config, type ConfigChange } from '../../shared/model/config.ts';
import { ensurePrivateFolder, readBounded, storageError, sweepTemporary, writeFileAtomic } from '../platform/files.ts';

const MOST_BYTES = 1024 * 1024;
/** A lock that is the same one for this many milliseconds is of a process that was killed: what it guards takes a few. */
const STALE = 3000;
const RETRY = 10;

export interface ConfigFile {
  /** As it is now; the usual values where there is no file, or none that can be read. Never rejects. */
  read(): Promise<Config>;
  /** Resolves to what is on the disk then. Rejects with StorageException or StorageFullException, and has changed nothing then. */
  change(next: (config: Config) => ConfigChange): Promise<Config>;
}

/** `stale`: as STALE, for tests. */
export function openConfigFile(path: string, stale = STALE): ConfigFile {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    async read() {
      try {
        return readConfig(await textOf(await behind(path)));
      } catch {
        return readConfig(undefined);
      }
    },
    change(next) {
      const mine = turn.then(() => changeFile(path, next, stale));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function changeFile(path: string, next: (config: Config) => ConfigChange, stale: number): Promise<Config> {
  await ensureFolder(dirname(path));
  const file = await behind(path);
  const unlock = await lockBeside(file, stale);
  try {
    const found = await textOf(file);
    // Somebody's typing error must not cost them the rest.
    if (found !== undefined && !isConfig(found)) await rename(file, `${file}.unreadable`);
    const text = found !== undefined && isConfig(found) ? found : undefined;
    const changed = changeConfig(text, next(readConfig(text)));
    if (changed !== text) await writeFileAtomic(file, new TextEncoder().encode(changed));
    return readConfig(changed);
  } catch (error) {
    throw storageError('change', file, error);
  } finally {
    await unlock();
  }
}

/** The folder may be older than this program, and others may look into it: nothing here is secret. */
async function ensureFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) await ensurePrivateFolder(folder);
}

/** People keep such files in another place and put a link here. */
const behind = (path: string): Promise<string> => realpath(path).catch(() => path);

async function textOf(path: string): Promise<string | undefined> {
  const bytes = await readBounded(path, MOST_BYTES);
  return bytes && new TextDecoder().decode(bytes);
}

async function lockBeside(file: string, stale: number): Promise<() => Promise<void>> {
  const lock = `${file}.lock`;
  let seen: string | undefined;
  for (let waited = 0; ; waited += RETRY) {
    try {
      await writeFile(lock, '', { flag: 'wx', mode: 0o600 });
      return () => unlink(lock).catch(() => undefined);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw storageError('write', lock, error);
    }
    const [now, was] = [await stat(lock).then(({ ino, ctimeMs }) => `${String(ino)} ${String(ctimeMs)}`, () => undefined), seen];
    if (now !== was) waited = 0;
    else if (waited > stale) {
      await unlink(lock).catch((error: unknown) => Promise.reject(storageError('remove', lock, error)));
      await sweepTemporary(dirname(file));
    }
    seen = now;
    await sleep(RETRY);
  }
}
