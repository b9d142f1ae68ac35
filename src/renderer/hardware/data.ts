/** Modules, tokens and key stores as the screens need them, read through the queries' cache, which is emptied at lock. */
import { useQueries, useQuery, type QueryClient } from '@tanstack/react-query';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';
import { KEYS } from '../keys/data.ts';

export type Cluster = Output<'hardware:DescribeCluster'>;

export type Module = Output<'hardware:ListModules'>['Modules'][number];
export type Token = Output<'hardware:ListTokens'>['Tokens'][number];
export type KeyStore = Output<'kms:DescribeCustomKeyStores'>['CustomKeyStores'][number];
export type TokenKey = Output<'hardware:ListTokenKeys'>['Keys'][number];
export type TokenCertificate = Output<'hardware:ListTokenKeys'>['Certificates'][number];
export type Stated = TokenKey['Stated'];
export type Mechanism = Output<'hardware:ListMechanisms'>['Mechanisms'][number];

const HARDWARE = ['hardware'] as const;
const STORES = ['key-stores'] as const;

/** Looking for tokens loads modules that are not running, so modules are asked for after it. */
async function all() {
  const found = outputOf(await client.hardware.listTokens());
  return { ...found, ...outputOf(await client.hardware.listModules()) };
}
export const useHardware = (wanted = true) => useQuery({ queryKey: [...HARDWARE, 'all'], queryFn: all, enabled: wanted });

const stores = async (): Promise<readonly KeyStore[]> => outputOf(await client.kms.describeCustomKeyStores({ Limit: 100 })).CustomKeyStores;
export const storesQuery = { queryKey: STORES, queryFn: stores } as const;
/** `wanted`: whether to ask at all. */
export const useKeyStores = (wanted = true) => useQuery({ ...storesQuery, enabled: wanted });

/** How often a cluster is asked how its tokens are: asking is what tries one again that did not answer. */
const LOOK_MS = 3000;
/** The tokens that each of these key stores is in, in their order; undefined while it is not known. Watched where they are more than one. */
export const useClusters = (of: readonly KeyStore[]): readonly (Cluster | undefined)[] =>
  useQueries({
    queries: of.map(({ CustomKeyStoreId }) => ({
      queryKey: [...HARDWARE, 'cluster', CustomKeyStoreId],
      queryFn: async (): Promise<Cluster> => outputOf(await client.hardware.describeCluster({ CustomKeyStoreId })),
      refetchInterval: ({ state }: { readonly state: { readonly data: Cluster | undefined } }) => (state.data === undefined || state.data.State === 'single' ? (false as const) : LOOK_MS),
    })),
  }).map(({ data }) => data);

const named = ({ Serial, Label }: Pick<Token, 'Serial' | 'Label'>) => ({ Serial, Label });
export const useMechanisms = (token: Pick<Token, 'Serial' | 'Label'>, wanted = true) =>
  useQuery({ enabled: wanted, queryKey: [...HARDWARE, 'mechanisms', token.Serial, token.Label], queryFn: async () => outputOf(await client.hardware.listMechanisms(named(token))) });
export const useTokenKeys = (token: Pick<Token, 'Serial' | 'Label'>) =>
  useQuery({ queryKey: [...HARDWARE, 'keys', token.Serial, token.Label], queryFn: async () => outputOf(await client.hardware.listTokenKeys(named(token))) });
/** What a token says of a key, and what it does with it: it is asked each time. */
export const useTokenKey = (KeyId: string) => useQuery({ queryKey: [...HARDWARE, 'key', KeyId], queryFn: async () => outputOf(await client.hardware.describeTokenKey({ KeyId })), gcTime: 0 });

export async function refreshTokens(queries: QueryClient): Promise<void> {
  await Promise.all([queries.invalidateQueries({ queryKey: HARDWARE }), queries.invalidateQueries({ queryKey: STORES })]);
}
/** Tokens, modules and key stores; and the keys, whose states hang on them. */
export async function refreshHardware(queries: QueryClient): Promise<void> {
  await Promise.all([refreshTokens(queries), queries.invalidateQueries({ queryKey: ['key'] }), queries.invalidateQueries({ queryKey: KEYS })]);
}
