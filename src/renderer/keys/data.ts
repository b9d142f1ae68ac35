/** Keys as the screens need them, read through the queries' cache, which is emptied at lock. */
import { useQuery, type QueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Output } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client, outputOf } from '../client.ts';
import { bareAlias } from '../format.ts';

export interface KeyRow {
  readonly id: string;
  readonly arn: string;
  /** The first alias without its prefix, else the beginning of the id. */
  readonly name: string;
  readonly named: boolean;
  /** With their prefix, sorted. */
  readonly aliases: readonly string[];
  /** Lower case, for the filter. */
  readonly text: string;
}

export const KEYS = ['keys'] as const;
export const ALIASES = ['aliases'] as const;
export const keyQuery = (id: string) => ['key', id] as const;
export const EVENTS = ['events'] as const;
const PAGE = 1000;

async function allKeys(): Promise<Output<'kms:ListKeys'>['Keys']> {
  const keys: Output<'kms:ListKeys'>['Keys'] = [];
  let marker: string | undefined;
  do {
    const page: Output<'kms:ListKeys'> = outputOf(await client.kms.listKeys({ Limit: PAGE, ...(marker === undefined ? {} : { Marker: marker }) }));
    keys.push(...page.Keys);
    marker = page.NextMarker;
  } while (marker !== undefined);
  return keys;
}

async function allAliases(): Promise<Output<'kms:ListAliases'>['Aliases']> {
  const aliases: Output<'kms:ListAliases'>['Aliases'] = [];
  let marker: string | undefined;
  do {
    const page: Output<'kms:ListAliases'> = outputOf(await client.kms.listAliases({ Limit: PAGE, ...(marker === undefined ? {} : { Marker: marker }) }));
    aliases.push(...page.Aliases);
    marker = page.NextMarker;
  } while (marker !== undefined);
  return aliases;
}

const order = new Intl.Collator('en', { numeric: true });

function rowsOf(keys: Output<'kms:ListKeys'>['Keys'], aliases: Output<'kms:ListAliases'>['Aliases']): readonly KeyRow[] {
  const names = new Map<string, string[]>();
  for (const { AliasName, TargetKeyId } of aliases) names.set(TargetKeyId, [...(names.get(TargetKeyId) ?? []), AliasName]);
  const rows = keys.map(({ KeyId, KeyArn }): KeyRow => {
    const own = (names.get(KeyId) ?? []).sort(order.compare);
    const name = own[0] === undefined ? KeyId.slice(0, 8) : bareAlias(own[0]);
    return { id: KeyId, arn: KeyArn, name, named: own[0] !== undefined, aliases: own, text: `${own.join(' ')} ${KeyId}`.toLowerCase() };
  });
  return rows.sort((a, b) => Number(b.named) - Number(a.named) || order.compare(a.name, b.name));
}

export function useKeys() {
  const keys = useQuery({ queryKey: KEYS, queryFn: allKeys });
  const aliases = useQuery({ queryKey: ALIASES, queryFn: allAliases });
  const rows = useMemo(() => (keys.data && aliases.data ? rowsOf(keys.data, aliases.data) : undefined), [keys.data, aliases.data]);
  return { rows, error: keys.error ?? aliases.error, retry: () => { void keys.refetch(); void aliases.refetch(); } };
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
export const useKey = (id: string) => useQuery({ queryKey: keyQuery(id), queryFn: () => describe(id) });

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

/** The latest records, read once a minute at most: reading the trail is itself recorded. */
export const useRecentEvents = () => useQuery({ queryKey: EVENTS, queryFn: recent, staleTime: 60_000, refetchOnMount: true });

const USES = new Set(['Encrypt', 'Decrypt', 'Sign', 'Verify', 'GenerateMac', 'VerifyMac', 'GenerateDataKey', 'GetPublicKey'].map((name) => `kms:${name}`).concat('file:Sign', 'file:Verify'));
export const isUse = (event: TrailEvent): boolean => event.Operation !== undefined && USES.has(event.Operation);
/** The ends of requests on this key; an intent is the same request once more. */
export const eventsOf = (events: readonly TrailEvent[], arn: string): readonly TrailEvent[] => events.filter((event) => event.Resource === arn && event.Kind !== 'intent');

export async function refreshKey(queries: QueryClient, id?: string): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: KEYS }),
    queries.invalidateQueries({ queryKey: ALIASES }),
    queries.invalidateQueries({ queryKey: id === undefined ? ['key'] : keyQuery(id) }),
  ]);
}
