import { isAbsolute, join } from 'node:path';
import { z } from 'zod';

import { VaultError } from '../../shared/model/errors.ts';
import { ensurePrivateFolder, readBounded, writeFileAtomic } from './files.ts';

/** `config.json`: which vaults there are and how the window looks. Nothing in it is secret, nothing in it is trusted. */
const Config = z
  .strictObject({
    format: z.literal(1),
    vaults: z
      .array(
        z.strictObject({
          /** As shown; 1 to 64 characters. */
          name: z.string().min(1).max(256),
          /** Absolute. */
          path: z.string().min(1).max(4096).refine(isAbsolute, 'must be an absolute path'),
        }),
      )
      .max(1000),
    /** Path of the vault that was used last. */
    last: z.string().max(4096).optional(),
    theme: z.enum(['system', 'light', 'dark']),
  })
  .refine(({ vaults, last }) => last === undefined || vaults.some(({ path }) => path === last), { path: ['last'], message: 'is not one of the vaults' })
  .refine(({ vaults }) => new Set(vaults.map(({ path }) => path)).size === vaults.length, { path: ['vaults'], message: 'names a path twice' });

export type Config = z.infer<typeof Config>;

export const EMPTY_CONFIG: Config = { format: 1, vaults: [], theme: 'system' };

/** Bytes. */
const LARGEST = 4 * 1024 * 1024;

export const configPath = (folder: string): string => join(folder, 'config.json');

/**
 * The configuration in `folder`, or `EMPTY_CONFIG` where there is none. StorageException that names the field when the
 * file is not what this program writes; it is never repaired or overwritten.
 */
export async function readConfig(folder: string): Promise<Config> {
  const path = configPath(folder);
  const bytes = await readBounded(path, LARGEST);
  if (bytes === undefined) return EMPTY_CONFIG;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new VaultError('StorageException', `\`${path}\` is not JSON: mend or remove it, it holds only the list of vaults and the theme`);
  }
  const parsed = Config.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') ?? '';
  throw new VaultError('StorageException', `\`${path}\` is not valid at \`${where || '(top)'}\`: mend or remove it, it holds only the list of vaults and the theme`);
}

/** Replaces the configuration whole, creating `folder` (0700) where needed. Errors as `writeFileAtomic`. */
export async function writeConfig(folder: string, config: Config): Promise<void> {
  const checked = Config.parse(config);
  await ensurePrivateFolder(folder);
  await writeFileAtomic(configPath(folder), new TextEncoder().encode(`${JSON.stringify(checked, undefined, 2)}\n`));
}

/** `config` with this vault known and the last one. */
export function remember(config: Config, vault: { readonly name: string; readonly path: string }): Config {
  const others = config.vaults.filter(({ path }) => path !== vault.path);
  return { ...config, vaults: [...others, { name: vault.name, path: vault.path }], last: vault.path };
}

/** `config` without this vault. */
export function forget(config: Config, path: string): Config {
  const { last, ...rest } = config;
  const kept = { ...rest, vaults: config.vaults.filter((vault) => vault.path !== path) };
  return last === undefined || last === path ? kept : { ...kept, last };
}
