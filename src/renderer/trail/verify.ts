/**
 * Verifying the trail: what main answered last, and how far a check that is under way has come. Both outlive the screen, in the queries' cache:
 * a check goes on while somebody looks elsewhere, and its result stands until lock, which empties the cache.
 */
import { skipToken, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { now } from '../clock.ts';

const VERIFY = ['verify'] as const;

export interface Verified {
  readonly report: Output<'trail:VerifyTrail'>;
  readonly at: number;
  readonly seconds: number;
}
export interface Verifying {
  readonly done: number;
  readonly total: number;
}
interface Check {
  readonly verified?: Verified | undefined;
  readonly running?: Verifying;
  readonly error?: CallError;
  /** Of the check that is under way. */
  readonly control?: AbortController;
}
const NOTHING: Check = {};

export function useVerify() {
  const queries = useQueryClient();
  const { data: { verified, running, error } = NOTHING } = useQuery<Check>({ queryKey: VERIFY, queryFn: skipToken, gcTime: Number.POSITIVE_INFINITY });

  const verify = useCallback(async (): Promise<void> => {
    const before = queries.getQueryData<Check>(VERIFY);
    if (before?.control) return;
    const last = before?.verified;
    const control = new AbortController();
    const started = now();
    // What comes after a lock is of a vault that is not on the screen any more.
    const keep = (next: Check): void => { queries.setQueryData<Check>(VERIFY, (current) => (current?.control === control ? next : undefined)); };
    queries.setQueryData<Check>(VERIFY, { verified: last, running: { done: 0, total: 0 }, control });
    const answer = await client.trail.verifyTrail({}, { signal: control.signal, progress: ({ done, total }) => { keep({ verified: last, running: { done, total }, control }); } });
    if (answer.ok) keep({ verified: { report: answer.output, at: now(), seconds: (now() - started) / 1000 } });
    else keep({ verified: last, ...(answer.error.code === 'CancelledException' ? {} : { error: answer.error }) });
  }, [queries]);
  const cancel = useCallback(() => queries.getQueryData<Check>(VERIFY)?.control?.abort(), [queries]);
  return { verified, running, error, verify, cancel };
}
