/** `vault:` operations about the vaults of this user: which are known, and which one this process serves. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';

/** Of a new vault's folder: one plain name, the same on every system. */
export const folderName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/i, { error: 'must be letters, digits, `.`, `_` or `-`, and begin with a letter or a digit' });

const MOVE_ERRORS = ['VaultInUseException', 'VaultTooNewException', 'HeaderRefusedException'] as const;

export const listVaults = operation({
  name: 'vault:ListVaults',
  summary: 'List the vaults that were opened here before',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Vaults: z.array(
      z.strictObject({
        Folder: z.string(),
        Current: z.boolean().describe('The one that answers'),
        Found: z.boolean().describe('False: there is no vault in the folder now'),
      }),
    ),
    NewIn: z.string().describe('Where NewVault makes its folders'),
  }),
  errors: [],
  effect: 'read',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'vaults' },
  recorded: false,
});

export const switchVault = operation({
  name: 'vault:SwitchVault',
  summary: 'Lock this vault and show another in its place',
  input: () => z.strictObject({ Folder: f.absolutePath }),
  output: () => z.strictObject({ Folder: z.string().describe('Real path') }),
  errors: MOVE_ERRORS,
  effect: 'control',
  needs: 'any',
  doors: ['ipc'],
  audited: ['Folder'],
});

export const newVault = operation({
  name: 'vault:NewVault',
  summary: 'Lock this vault and go where a new one can be made; nothing is written before that',
  input: () => z.strictObject({ FolderName: folderName }),
  output: () => z.strictObject({ Folder: z.string().describe('Real path') }),
  errors: MOVE_ERRORS,
  effect: 'control',
  needs: 'any',
  doors: ['ipc'],
  audited: ['FolderName'],
});

export const forgetVault = operation({
  name: 'vault:ForgetVault',
  summary: 'Take a vault off the list; its folder stays as it is',
  input: () => z.strictObject({ Folder: f.absolutePath }),
  output: () => z.strictObject({}),
  errors: ['VaultInUseException'],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: ['Folder'],
  command: { alias: 'vaults forget' },
});
