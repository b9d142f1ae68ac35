/** The trail as its screen needs it: pages newest first, filters, names in place of ARNs. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client, outputOf } from '../client.ts';
import { bareAlias, tailOf } from '../format.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { keyQuery, useDescribed, type KeyRow, type TrailEvent } from '../keys/data.ts';

export const TRAIL = ['trail'] as const;
const PAGE = 200;

export const RESULTS = [['any', 'Any outcome'], ['ok', 'Allowed'], ['denied', 'Denied'], ['failed', 'Failed']] as const;
export type ResultFilter = (typeof RESULTS)[number][0];
export const SPANS = [['all', 'Any time'], ['hour', 'Last hour'], ['day', 'Last 24 hours'], ['week', 'Last 7 days']] as const;
export type Span = (typeof SPANS)[number][0];
const SPAN_MS: Record<Span, number> = { all: Number.POSITIVE_INFINITY, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

export function useTrail(result: ResultFilter) {
  return useInfiniteQuery({
    queryKey: [...TRAIL, result],
    queryFn: async ({ pageParam }) =>
      outputOf(await client.trail.lookupEvents({ Limit: PAGE, ...(pageParam === undefined ? {} : { Before: pageParam }), ...(result === 'any' ? {} : { Result: result }) })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.NextBefore,
    refetchOnMount: true,
    staleTime: 10_000,
  });
}

/** How many records before its end a request's beginning is looked for, with others under way between. */
const BEGUN_WITHIN = 2000;

/**
 * What was asked for in a request. It stands in the record of the request's beginning, which a filter by outcome leaves out: taken from the
 * records that are loaded, or read. Undefined where nothing was recorded of it.
 */
export function useAsked(event: TrailEvent | undefined, loaded: readonly TrailEvent[] | undefined): TrailEvent['Input'] {
  const { RequestId = '', Index = 0 } = event ?? {};
  const ended = event?.Kind === 'outcome' && event.Input === undefined && RequestId !== '';
  const begun = ended ? loaded?.find((one) => one.Kind === 'intent' && one.RequestId === RequestId) : undefined;
  const { data } = useQuery({
    queryKey: [...TRAIL, 'begun', RequestId],
    enabled: ended && begun === undefined,
    queryFn: async () => {
      const { Events } = outputOf(await client.trail.lookupEvents({ RequestId, Before: Index, ...(Index > BEGUN_WITHIN ? { After: Index - BEGUN_WITHIN } : {}), Limit: 8 }));
      return Events.find(({ Kind }) => Kind === 'intent') ?? null;
    },
  });
  return event?.Input ?? begun?.Input ?? data?.Input;
}

/** Something public and stable about a record, from which its seam is drawn. */
export const recordId = (event: TrailEvent): string => `${event.Index}:${event.Time}:${event.RequestId ?? event.Kind}`;

const isCheckpoint = (event: TrailEvent): boolean => /^trail:(?:Export|Sign|Verify)Checkpoint$/.test(event.Operation ?? '');
export const toneOf = (event: TrailEvent): 'record' | 'checkpoint' | 'denied' => (event.Result === 'denied' ? 'denied' : isCheckpoint(event) ? 'checkpoint' : 'record');

/** Names of keys for ARNs; what is not known stays as the ARN ends. */
export function useNames(rows: readonly KeyRow[] | undefined): (arn: string | undefined) => string {
  return useMemo(() => {
    const names = new Map((rows ?? []).map((row) => [row.arn, row.name]));
    return (arn) => (arn === undefined ? '' : (names.get(arn) ?? bareAlias(tailOf(arn))));
  }, [rows]);
}

/** ARNs of the keys in tokens among those that these records are about. */
export function useInTokens(rows: readonly KeyRow[] | undefined, events: readonly TrailEvent[] | undefined): ReadonlySet<string> {
  const queries = useQueryClient();
  const about = useMemo(() => {
    const arns = new Set(events?.map(({ Resource }) => Resource));
    return rows?.filter(({ arn }) => arns.has(arn));
  }, [rows, events]);
  const { round } = useDescribed(about);
  return useMemo(() => new Set(about?.filter(({ id }) => queries.getQueryData<KeyMetadata>(keyQuery(id))?.Origin === 'AWS_CLOUDHSM').map(({ arn }) => arn)), [about, queries, round]);
}

/** An intent whose outcome is here too is the same request once more. */
export function visible(events: readonly TrailEvent[], find: string, span: Span, at: number, nameOf: (arn: string | undefined) => string): readonly TrailEvent[] {
  const ended = new Set(events.flatMap((event) => (event.Kind === 'outcome' && event.RequestId !== undefined ? [event.RequestId] : [])));
  const since = at - SPAN_MS[span];
  const wanted = find.trim().toLowerCase();
  return events.filter((event) => {
    if (event.Kind === 'intent' && event.RequestId !== undefined && ended.has(event.RequestId)) return false;
    // This very reading, which has not ended while it reads.
    if (event.Kind === 'intent' && event.Operation === 'trail:LookupEvents') return false;
    if (event.Time * 1000 < since) return false;
    if (wanted === '') return true;
    const text = `${event.Operation ?? ''} ${event.Resource ?? ''} ${nameOf(event.Resource)} ${event.Door ?? ''} ${event.Principal ?? ''} ${event.Error ?? ''} ${event.RequestId ?? ''} ${event.Index}`;
    return text.toLowerCase().includes(wanted);
  });
}
