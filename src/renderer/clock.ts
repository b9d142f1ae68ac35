/** The window's one clock, in milliseconds since the epoch; a hook that ticks. */
import { useEffect, useState } from 'react';

// eslint-disable-next-line no-restricted-properties -- the page has no process to be given a clock by; this is the only place
export const now = (): number => Date.now();

/** The time, anew every `everyMs`. */
export function useNow(everyMs: number): number {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => { setTime(now()); }, everyMs);
    return () => { clearInterval(timer); };
  }, [everyMs]);
  return time;
}
