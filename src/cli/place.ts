/** Which vault is meant, and where its socket is. */
import { createHash } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT } from '../shared/model/errors.ts';
import { changeConfig, readConfig, withVault } from '../shared/model/config.ts';
import { chooseVault, configFile, realFolder, runtimeFolder, socketPath, VAULT_FILES } from '../shared/model/paths.ts';
import { connectTo, type Connection } from './connection.ts';
import { absolute, readText } from './files.ts';
import { CliError, type World } from './world.ts';

export interface Place {
  /** Real path of the vault's folder, whether it exists or not. */
  readonly folder: string;
  readonly socket: string;
}

function realpath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

export async function placeOf(world: World, given: string | undefined): Promise<Place> {
  const { surroundings } = world;
  const config = readConfig(await readText(configFile(surroundings)));
  const folder = realFolder(absolute(world, chooseVault(surroundings, given, config)), realpath);
  const hash = createHash('sha256').update(folder, 'utf8').digest('hex');
  return { folder, socket: socketPath(surroundings, hash) };
}

/** Whether a vault was made here. */
export function hasVault(place: Place): boolean {
  return lstatSync(join(place.folder, VAULT_FILES.header), { throwIfNoEntry: false }) !== undefined;
}

/** Makes this vault the last one used. Not worth a failure: the vault itself is fine without. */
export async function remember(world: World, place: Place): Promise<void> {
  const path = configFile(world.surroundings);
  const next = `${path}.${String(process.pid)}.new`;
  try {
    const text = await readText(path);
    const config = readConfig(text);
    if (config.last === place.folder) return;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(next, changeConfig(text, withVault(config, place.folder)), { mode: 0o600, flag: 'wx' });
    await rename(next, path);
  } catch {
    await rm(next, { force: true }).catch(() => undefined);
  }
}

/** The folder of the sockets, made when it is not there. `connectTo` judges it. */
export async function ensureRuntimeFolder(world: World): Promise<string> {
  const folder = runtimeFolder(world.surroundings);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export const noVault = (place: Place): CliError =>
  new CliError('VaultNotFoundException', EXIT.notFound, `there is no vault in \`${place.folder}\``, { next: 'keystead init' });
const notRunning = (place: Place): CliError =>
  new CliError('NotRunning', EXIT.notRunning, `the vault in \`${place.folder}\` is not running, and so it is locked`, { next: 'keystead unlock' });

/** A conversation with the running vault; exit 7 when it is not running, 5 when there is none. */
export async function reach(world: World, place: Place): Promise<Connection> {
  const connection = await connectTo(place.socket, world.surroundings.uid);
  if (connection) return connection;
  throw hasVault(place) ? notRunning(place) : noVault(place);
}

