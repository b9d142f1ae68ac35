/** The one request of a form: asked once however often it is sent, busy until what follows is done, and why it was refused. */
import { useCallback, useRef, useState } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';

export interface Request {
  readonly busy: boolean;
  readonly error: CallError | undefined;
  /** Asks, then does what follows an answer that is no refusal. Does nothing while it is under way. */
  send<T>(ask: () => Promise<Answer<T>>, then: (output: T) => Promise<void>): Promise<void>;
}

export function useRequest(): Request {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  // Two submits can come before the first has drawn anything.
  const under = useRef(false);
  const send = useCallback<Request['send']>(async (ask, then) => {
    if (under.current) return;
    under.current = true;
    setBusy(true);
    setError(undefined);
    try {
      const answer = await ask();
      if (answer.ok) await then(answer.output);
      else setError(answer.error);
    } finally {
      under.current = false;
      setBusy(false);
    }
  }, []);
  return { busy, error, send };
}
