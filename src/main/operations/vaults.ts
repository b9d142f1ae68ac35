/** `vault:` handlers about the vaults of this user. How a process goes from one to another is `app/serving.ts`. */
import { VaultError } from '../../shared/model/errors.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'ListVaults' | 'SwitchVault' | 'NewVault' | 'ForgetVault';

/** Folders are absolute paths. */
export interface VaultsControl {
  /** Of the vault that is served now, real path. */
  readonly folder: string;
  /** Where new vaults get their folders, and how. */
  readonly newIn: string;
  newFolder(name: string): string;
  /** What `config.json` knows; a list of the person's, so some may be gone. */
  known(): Promise<readonly string[]>;
  /** False: it was not known. */
  forget(folder: string): Promise<boolean>;
  /** The real path, also of a folder that is not there yet. */
  real(folder: string): string;
  holdsVault(folder: string): boolean;
  /**
   * Makes that folder's vault the one that is served. Resolves once it can be; this vault is locked and let go once the answer is out.
   * Rejects with VaultInUseException, VaultTooNewException, HeaderRefusedException or a storage error: then nothing has changed.
   */
  moveTo(folder: string): Promise<void>;
}

export const vaultsHandlers = (control: VaultsControl): Pick<HandlersOf<'vault'>, `vault:${Names}`> => {
  const isCurrent = (folder: string): boolean => folder === control.folder;
  return {
    'vault:ListVaults': async () => {
      const folders = new Set([control.folder, ...(await control.known())]);
      return {
        Vaults: [...folders].map((Folder) => ({ Folder, Current: isCurrent(Folder), Found: control.holdsVault(Folder) })),
        NewIn: control.newIn,
      };
    },

    'vault:SwitchVault': async ({ Folder }) => {
      const folder = control.real(Folder);
      if (!control.holdsVault(folder)) throw new VaultError('VaultNotFoundException', `there is no vault in \`${folder}\`; name the folder that holds its \`header\``);
      if (!isCurrent(folder)) await control.moveTo(folder);
      return { Folder: folder };
    },

    'vault:NewVault': async ({ FolderName }) => {
      const folder = control.real(control.newFolder(FolderName));
      if (control.holdsVault(folder)) throw new VaultError('VaultExistsException', `there is a vault in \`${folder}\` already; open it, or choose another name`);
      if (!isCurrent(folder)) await control.moveTo(folder);
      return { Folder: folder };
    },

    'vault:ForgetVault': async ({ Folder }) => {
      if (isCurrent(Folder)) throw new VaultError('VaultInUseException', 'this is the vault that is shown; go to another one first');
      if (!(await control.forget(Folder))) throw new VaultError('VaultNotFoundException', `\`${Folder}\` is not on the list; see \`keystead vaults\``);
      return {};
    },
  };
};
