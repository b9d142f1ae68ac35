/** Secrets as the screens need them: names and what is known of them through the queries' cache, values never. */
import { keepPreviousData, skipToken, useInfiniteQuery, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client, outputOf } from '../client.ts';

export type SecretEntry = Output<'secretsmanager:ListSecrets'>['SecretList'][number];
export type SecretKnown = Output<'secretsmanager:DescribeSecret'>;
export type SecretVersion = Output<'secretsmanager:ListSecretVersionIds'>['Versions'][number];

export const SECRETS = ['secrets'] as const;
const secretQuery = (name: string) => ['secret', name] as const;
const versionsQuery = (name: string) => ['secret-versions', name] as const;
const PAGE = 100;

/** What AWS's filter takes of what was typed; words are found by their beginnings. */
export const searchWords = (typed: string): string => typed.replace(/[^a-zA-Z0-9:_@/+=.-]+/g, ' ').trim().slice(0, 500);

async function page(words: string, token: string | undefined): Promise<Output<'secretsmanager:ListSecrets'>> {
  return outputOf(
    await client.secretsmanager.listSecrets({
      SortBy: 'name', SortOrder: 'asc', MaxResults: PAGE, IncludePlannedDeletion: true,
      ...(words === '' ? {} : { Filters: [{ Key: 'all' as const, Values: [words] }] }),
      ...(token === undefined ? {} : { NextToken: token }),
    }),
  );
}

/** By name, a page at a time: the vault searches, not the window. */
export function useSecrets(words: string) {
  const query = useInfiniteQuery({
    queryKey: [...SECRETS, words],
    queryFn: ({ pageParam }) => page(words, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ NextToken }) => NextToken,
    placeholderData: keepPreviousData,
  });
  const secrets = useMemo(() => query.data?.pages.flatMap(({ SecretList }) => SecretList), [query.data]);
  const { fetchNextPage, isFetchingNextPage } = query;
  const loadMore = useCallback((): void => { if (!isFetchingNextPage) void fetchNextPage(); }, [fetchNextPage, isFetchingNextPage]);
  return { secrets, more: query.hasNextPage, loadMore, error: query.error, retry: () => { void query.refetch(); } };
}

export const useSecret = (name: string) => useQuery({ queryKey: secretQuery(name), queryFn: async () => outputOf(await client.secretsmanager.describeSecret({ SecretId: name })) });
export const useVersions = (name: string) =>
  useQuery({ queryKey: versionsQuery(name), queryFn: async () => outputOf(await client.secretsmanager.listSecretVersionIds({ SecretId: name, IncludeDeprecated: true, MaxResults: PAGE })) });

/** Milliseconds after which a reading is surely in the secret's record: the vault writes them down together. */
const WRITTEN_MS = 12_000;
/** Reads what is known of a secret anew where its last reading is shown, which changes it without being a change that the vault tells of. */
export function useLastRead(name: string): void {
  const queries = useQueryClient();
  useEffect(() => {
    const again = (): void => { void queries.invalidateQueries({ queryKey: secretQuery(name) }); };
    again();
    const written = setTimeout(again, WRITTEN_MS);
    return () => { clearTimeout(written); };
  }, [queries, name]);
}

export async function refreshSecrets(queries: QueryClient): Promise<void> {
  await Promise.all([SECRETS, ['secret'], ['secret-versions'], ['secret-rotation'], ['secret-rotations']].map((queryKey) => queries.invalidateQueries({ queryKey })));
}

interface Restoring {
  readonly busy: boolean;
  readonly failed?: CallError;
}
const restoreQuery = (name: string) => ['secret-restore', name] as const;
const RESTED: Restoring = { busy: false };
/** How the last restoration of a secret went, wherever it was asked for. */
export const useRestoring = (name: string): Restoring => useQuery<Restoring>({ queryKey: restoreQuery(name), queryFn: skipToken }).data ?? RESTED;

/** False: it is not restored, and `useRestoring` says why. Undefined: that is being tried already. */
export async function restoreSecret(queries: QueryClient, name: string): Promise<boolean | undefined> {
  if (queries.getQueryData<Restoring>(restoreQuery(name))?.busy === true) return undefined;
  queries.setQueryData<Restoring>(restoreQuery(name), { busy: true });
  const answer = await client.secretsmanager.restoreSecret({ SecretId: name });
  // Where the vault was locked meanwhile, nothing is kept of it.
  queries.setQueryData<Restoring>(restoreQuery(name), (current) => current && (answer.ok ? RESTED : { busy: false, failed: answer.error }));
  await refreshSecrets(queries);
  return answer.ok;
}

export interface Value {
  readonly kind: 'text' | 'bytes';
  readonly versionId: string;
  /** The caller's to wipe. */
  readonly bytes: SecretBytes;
}

/** Asked for anew each time, so that the page keeps nothing and the trail has every look at it. Throws CallFailure. */
export async function readValue(name: string, versionId?: string): Promise<Value> {
  const { SecretString, SecretBinary, VersionId } = outputOf(await client.secretsmanager.getSecretValue({ SecretId: name, ...(versionId === undefined ? {} : { VersionId: versionId }) }));
  return SecretString ? { kind: 'text', versionId: VersionId, bytes: SecretString } : { kind: 'bytes', versionId: VersionId, bytes: SecretBinary ?? SecretBytes.allocate(0) };
}

/** `prod/orders/` and `postgres`. */
export function pathOf(name: string): readonly [path: string, last: string] {
  const at = name.lastIndexOf('/', name.length - 2) + 1;
  return [name.slice(0, at), name.slice(at)];
}

const STAGE_WORDS: Readonly<Record<string, string>> = { AWSCURRENT: 'Current', AWSPREVIOUS: 'Previous', AWSPENDING: 'Pending' };
export const stageWord = (stage: string): string => STAGE_WORDS[stage] ?? stage;
