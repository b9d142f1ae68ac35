/** The vaults of this user, as the process that serves one of them knows them. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';

export const VAULTS = ['vaults'] as const;
export type KnownVaults = Output<'vault:ListVaults'>;
export type KnownVault = KnownVaults['Vaults'][number];

export const useVaults = (): UseQueryResult<KnownVaults> => useQuery({ queryKey: VAULTS, queryFn: async () => outputOf(await client.vault.listVaults()) });

/** Under a folder, with the separator that it uses itself. */
export const under = (folder: string, name: string): string => `${folder}${folder.includes('\\') && !folder.includes('/') ? '\\' : '/'}${name}`;
