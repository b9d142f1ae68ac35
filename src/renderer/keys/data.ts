/** Keys as the screens need them, read through the queries' cache, which is emptied at lock. */
import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Output } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { useOf } from '../../shared/model/key-uses.ts';
import { isAttended } from '../attended.ts';
import { client, outputOf } from '../client.ts';
import { firstRowsOf, rowsOf, type KeyRow, type ListedAlias, type ListedKey } from './rows.ts';

export type { KeyRow } from './rows.ts';

export const KEYS = ['keys'] as const;
export const keyQuery = (id: string) => ['key', id] as const;
export const EVENTS = ['events'] as const;
const PAGE = 1000;
/** More than a window shows. */
const FIRST = 100;
/** What a screen needs to stand there. */
const SCREEN_MS = 300;

export interface KeyList {
  readonly rows: readonly KeyRow[];
  /** False while there are more to come: what stands where is not settled. */
  readonly whole: boolean;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

type ReadPage<T> = (limit: number, marker: string | undefined) => Promise<Page<T>>;

/** All that comes after a page, with it. */
async function rest<T>(first: Page<T>, page: ReadPage<T>): Promise<readonly T[]> {
  const items = [...first.items];
  for (let { next } = first; next !== undefined; ) {
    const more = await page(PAGE, next);
    items.push(...more.items);
    next = more.next;
  }
  return items;
}

const at = (limit: number, marker: string | undefined) => ({ Limit: limit, ...(marker === undefined ? {} : { Marker: marker }) });
const keyPage: ReadPage<ListedKey> = async (limit, marker) => {
  const { Keys, NextMarker } = outputOf(await client.kms.listKeys(at(limit, marker)));
  return { items: Keys, next: NextMarker };
};
const aliasPage: ReadPage<ListedAlias> = async (limit, marker) => {
  const { Aliases, NextMarker } = outputOf(await client.kms.listAliases(at(limit, marker)));
  return { items: Aliases, next: NextMarker };
};

/** A vault with many keys shows some at once, the first time that it is asked; what their screen asks goes before the rest of the list. */
async function allKeys(queries: QueryClient): Promise<KeyList> {
  const isFirst = queries.getQueryData(KEYS) === undefined;
  const limit = isFirst ? FIRST : PAGE;
  const [keys, aliases] = await Promise.all([keyPage(limit, undefined), aliasPage(limit, undefined)]);
  const whole = keys.next === undefined && aliases.next === undefined;
  if (isFirst && !whole) {
    queries.setQueryData<KeyList>(KEYS, { rows: firstRowsOf(keys.items, aliases.items, aliases.next === undefined), whole });
    await new Promise((later) => setTimeout(later, SCREEN_MS));
  }
  return { rows: rowsOf(...(await Promise.all([rest(keys, keyPage), rest(aliases, aliasPage)]))), whole: true };
}

const listQuery = { queryKey: KEYS, queryFn: ({ client: queries }: { readonly client: QueryClient }) => allKeys(queries) } as const;

export function useKeys() {
  const { data, error, refetch } = useQuery(listQuery);
  return { rows: data?.rows, whole: data?.whole ?? false, error, retry: () => { void refetch(); } };
}

/** What a key is called in the list; the beginning of its id where it has no name or is not read yet. */
export const useKeyName = (keyId: string): string => useKeys().rows?.find((row) => row.id === keyId)?.name ?? keyId.slice(0, 8);

/** Begins to read the list; resolves once there is something of it to show, or an error. */
export function firstKeys(queries: QueryClient): Promise<void> {
  const all = queries.query(listQuery).catch(() => undefined);
  return new Promise((done) => {
    const stop = queries.getQueryCache().subscribe(() => {
      if (queries.getQueryData(KEYS) === undefined) return;
      stop();
      done();
    });
    void all.then(() => { stop(); done(); });
  });
}

/** A window has 64 calls in flight; a list that is scrolled fast must leave some to the person. */
const LANES = 12;
let running = 0;
const waiting: (() => void)[] = [];
async function inLane<T>(work: () => Promise<T>): Promise<T> {
  if (running >= LANES) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

const describe = (id: string): Promise<KeyMetadata> => inLane(async () => outputOf(await client.kms.describeKey({ KeyId: id })).KeyMetadata);
export const describedQuery = (id: string) => ({ queryKey: keyQuery(id), queryFn: () => describe(id) });
export const useKey = (id: string) => useQuery(describedQuery(id));

/** Fewer than the lanes: the key that somebody opens meanwhile does not wait for all of these. */
const BEHIND = 6;
const isUnknown = (queries: QueryClient, { id }: KeyRow): boolean => {
  const state = queries.getQueryState(keyQuery(id));
  return state?.data === undefined || state.isInvalidated;
};
async function describeAll(queries: QueryClient, rows: readonly KeyRow[], signal: AbortSignal): Promise<void> {
  const left = rows.values();
  const work = async (): Promise<void> => {
    for (const { id } of left) {
      if (signal.aborted) return;
      // One that is not told stays found by its names.
      await queries.query({ ...describedQuery(id), gcTime: Number.POSITIVE_INFINITY }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: BEHIND }, work));
}

/** Asks what each of these keys is; undefined: of none. `round` grows when more is known, `reading` says that not all is. */
export function useDescribed(rows: readonly KeyRow[] | undefined): { readonly round: number; readonly reading: boolean } {
  const queries = useQueryClient();
  const [state, setState] = useState<{ readonly of?: readonly KeyRow[]; readonly round: number }>({ round: 0 });
  useEffect(() => {
    if (!rows) return undefined;
    const control = new AbortController();
    void describeAll(queries, rows.filter((row) => isUnknown(queries, row)), control.signal).then(() => {
      if (!control.signal.aborted) setState(({ round }) => ({ of: rows, round: round + 1 }));
    });
    return () => { control.abort(); };
  }, [queries, rows]);
  return { round: state.round, reading: rows !== undefined && rows !== state.of };
}

const usageQuery = (id: string) => [...keyQuery(id), 'use'] as const;
/** When the key was last used, as the vault keeps it: also what is older than the trail's latest records. `staleTime`: milliseconds that what was read before will do. */
export const useLastUsage = (id: string, staleTime = 10_000) => useQuery({ queryKey: usageQuery(id), queryFn: () => inLane(async () => outputOf(await client.kms.getKeyLastUsage({ KeyId: id }))), staleTime });

export type TrailEvent = Output<'trail:LookupEvents'>['Events'][number];
export interface RecentEvents {
  readonly events: readonly TrailEvent[];
  /** Older ones exist that were not read. */
  readonly cut: boolean;
}
const EVENT_PAGES = 4;
const EVENT_PAGE = 500;
export const MOST_EVENTS = EVENT_PAGES * EVENT_PAGE;

async function recent(): Promise<RecentEvents> {
  const events: TrailEvent[] = [];
  let before: number | undefined;
  for (let page = 0; page < EVENT_PAGES; page++) {
    const { Events, NextBefore } = outputOf(await client.trail.lookupEvents({ Limit: EVENT_PAGE, ...(before === undefined ? {} : { Before: before }) }));
    events.push(...Events);
    before = NextBefore;
    if (before === undefined) break;
  }
  return { events, cut: before !== undefined };
}

const MINUTE = 60_000;
/** The latest records; while they are shown to somebody, anew each minute and not more often: reading the trail is itself recorded. */
export function useRecentEvents() {
  const query = useQuery({ queryKey: EVENTS, queryFn: recent, staleTime: MINUTE, refetchOnMount: true });
  const { refetch } = query;
  useEffect(() => {
    const timer = setInterval(() => { if (isAttended(MINUTE)) void refetch({ cancelRefetch: false }); }, MINUTE);
    return () => { clearInterval(timer); };
  }, [refetch]);
  return query;
}

/** After a key was used here, or was not let: what the trail and the key say of it. */
export async function refreshUse(queries: QueryClient, id: string): Promise<void> {
  await Promise.all([queries.invalidateQueries({ queryKey: EVENTS }), queries.invalidateQueries({ queryKey: usageQuery(id) })]);
}

export const isUse = (event: TrailEvent): boolean => event.Operation !== undefined && useOf(event.Operation) !== undefined;
/** The ends of requests on this key; an intent is the same request once more. */
export const eventsOf = (events: readonly TrailEvent[], arn: string): readonly TrailEvent[] => events.filter((event) => event.Resource === arn && event.Kind !== 'intent');

/** Beyond this many keys at once, all that is known of single ones is asked anew. */
const MOST_SINGLE = 50;

/** The list, and these keys; all keys where none is named. */
export async function refreshKeys(queries: QueryClient, ids?: ReadonlySet<string>): Promise<void> {
  const single = ids && ids.size <= MOST_SINGLE ? [...ids].map((id) => queries.invalidateQueries({ queryKey: keyQuery(id) })) : [queries.invalidateQueries({ queryKey: ['key'] })];
  await Promise.all([queries.invalidateQueries({ queryKey: KEYS }), ...single]);
}
/** After a key was changed here: what the trail says of it, too. */
export async function refreshKey(queries: QueryClient, id?: string): Promise<void> {
  await Promise.all([refreshKeys(queries, id === undefined ? undefined : new Set([id])), queries.invalidateQueries({ queryKey: EVENTS })]);
}
