/**
 * `config.json` on the disk. Changes of one process and of several go one after the other: each is made to what is on the disk at that
 * moment, so that none takes another's away.
 */
import { realpath, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { changeConfig, isConfig, readConfig, type Config, type ConfigChange } from '../../shared/model/config.ts';
import { lockFile, type FileLock } from '../platform/file-lock.ts';
import { ensurePrivateFolder, readBounded, storageError, sweepTemporary, writeFileAtomic } from '../platform/files.ts';

const MOST_BYTES = 1024 * 1024;
/** Milliseconds: what the lock guards takes a few. */
const PATIENCE = 10_000;

export interface ConfigFile {
  /** As it is now; the usual values where there is no file, or none that can be read. Never rejects. */
  read(): Promise<Config>;
  /** Resolves to what is on the disk then. Rejects with StorageException or StorageFullException, and has changed nothing then. */
  change(next: (config: Config) => ConfigChange): Promise<Config>;
}

/** `patience`: as PATIENCE, for tests. */
export function openConfigFile(path: string, patience = PATIENCE): ConfigFile {
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
      const mine = turn.then(() => changeFile(path, next, patience));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function changeFile(path: string, next: (config: Config) => ConfigChange, patience: number): Promise<Config> {
  await ensureFolder(dirname(path));
  const file = await behind(path);
  const lock = await lockBeside(file, patience);
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
    await lock.release();
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

/** What a process that was killed while it wrote has left goes, too. */
async function lockBeside(file: string, patience: number): Promise<FileLock> {
  const path = `${file}.lock`;
  try {
    const lock = await lockFile(path, patience, () => new VaultError('StorageException', `\`${file}\` is being changed by another program and does not come free; try again`));
    if (lock.leftOver) await sweepTemporary(dirname(file));
    return lock;
  } catch (error) {
    throw storageError('write', path, error);
  }
}
