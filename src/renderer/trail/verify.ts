/** Verifying the trail: what main answered last, and how far a check that is under way has come. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { now } from '../clock.ts';

export interface Verified {
  readonly report: Output<'trail:VerifyTrail'>;
  readonly at: number;
  readonly seconds: number;
}
export interface Verifying {
  readonly done: number;
  readonly total: number;
}

export function useVerify() {
  const [verified, setVerified] = useState<Verified>();
  const [running, setRunning] = useState<Verifying>();
  const [error, setError] = useState<CallError>();
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);

  const verify = useCallback(async (): Promise<void> => {
    if (control.current) return;
    const mine = new AbortController();
    control.current = mine;
    const started = now();
    setError(undefined);
    setRunning({ done: 0, total: 0 });
    const answer = await client.trail.verifyTrail({}, { signal: mine.signal, progress: ({ done, total }) => { setRunning({ done, total }); } });
    control.current = undefined;
    setRunning(undefined);
    if (answer.ok) setVerified({ report: answer.output, at: now(), seconds: (now() - started) / 1000 });
    else if (answer.error.code !== 'CancelledException') setError(answer.error);
  }, []);
  const cancel = useCallback(() => control.current?.abort(), []);
  return { verified, running, error, verify, cancel };
}
