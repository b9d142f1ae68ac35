/**
 * Refusals before authentication, counted instead of recorded one by one: a stranger who knocks a hundred thousand times gets
 * a number, not a hundred thousand records. Pure: time is an argument, appending is the caller's.
 */

/** Buckets in one period; the last takes everything that finds no bucket of its own. */
export const BUCKETS_MAX = 64;
/** Milliseconds of one period. */
export const PERIOD = 60_000;
/** Characters that are kept of what a stranger may choose. */
const TEXT_MAX = 64;
const OTHER = 'other';

export interface Denial {
  readonly door: string;
  readonly reason: string;
  /** Who knocked, as far as it is known, for example `uid 1001`. */
  readonly peer: string;
}

/** `first`, `last`: milliseconds since the epoch. */
export interface DenialSummary extends Denial {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface DenialCounter {
  /** Counts one. Returns the summaries of the period before when `now` is in a new one; else nothing. */
  count(denial: Denial, now: number): readonly DenialSummary[];
  /** The summaries so far, and begins anew. For the timer, lock and close. */
  flush(): readonly DenialSummary[];
}

export function createDenialCounter(): DenialCounter {
  const buckets = new Map<string, DenialSummary>();
  let began = 0;

  const flush = (): readonly DenialSummary[] => {
    const summaries = [...buckets.values()];
    buckets.clear();
    return summaries;
  };

  return {
    flush,
    count(denial, now) {
      // A clock that was set back begins a period too: the old one would never end.
      const over = buckets.size > 0 && (now - began >= PERIOD || now < began) ? flush() : [];
      if (buckets.size === 0) began = now;
      const own = { door: denial.door.slice(0, TEXT_MAX), reason: denial.reason.slice(0, TEXT_MAX), peer: denial.peer.slice(0, TEXT_MAX) };
      const place = keyOf(own);
      const roomy = buckets.has(place) || buckets.size < BUCKETS_MAX - 1;
      const into = roomy ? own : { door: OTHER, reason: OTHER, peer: OTHER };
      const before = buckets.get(keyOf(into));
      buckets.set(keyOf(into), { ...into, count: (before?.count ?? 0) + 1, first: before?.first ?? now, last: now });
      return over;
    },
  };
}

const keyOf = ({ door, reason, peer }: Denial): string => JSON.stringify([door, reason, peer]);
