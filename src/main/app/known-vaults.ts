/** The vaults of this user: `config.json`'s list, the folders themselves, and the way to another. */
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withVault } from '../../shared/model/config.ts';
import { realFolder, vaultsFolder, type Surroundings } from '../../shared/model/paths.ts';
import type { VaultsControl } from '../operations/vaults.ts';
import { vaultExists } from '../vault/vault.ts';
import type { Program } from './compose.ts';
import type { ConfigFile } from './config.ts';

interface KnownVaultsOptions {
  readonly surroundings: Surroundings;
  readonly config: ConfigFile;
  /** Of the vault that these are asked of. */
  readonly folder: string;
  readonly moveTo: (folder: string) => Promise<void>;
}

export function knownVaults({ surroundings, config, folder, moveTo }: KnownVaultsOptions): VaultsControl {
  const newIn = vaultsFolder(surroundings);
  return {
    folder,
    newIn,
    newFolder: (name) => join(newIn, name),
    known: async () => (await config.read()).vaults,
    async forget(forgotten) {
      let known = false;
      await config.change(({ vaults, last }) => {
        known = vaults.includes(forgotten);
        return { vaults: vaults.filter((path) => path !== forgotten), ...(last === forgotten ? { last: undefined } : {}) };
      });
      return known;
    },
    real: (path) => realPath(resolve(path)),
    holdsVault(path) {
      try {
        return vaultExists(path);
      } catch {
        // Not to be looked at, or something else that has the name of a vault's file.
        return false;
      }
    },
    moveTo,
  };
}

/** `absolute` must be normalised; it need not exist. */
export const realPath = (absolute: string): string =>
  realFolder(absolute, (path) => {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  });

/** An open vault is the last one, for the command line and for the next start. Not worth a failure. */
export function rememberWhenOpen({ events }: Pick<Program, 'events'>, config: ConfigFile, folder: string): void {
  events.subscribe(({ event }) => {
    if (event === 'vault.unlocked') config.change((before) => withVault(before, folder)).catch(() => undefined);
  });
}
