/** Which of the vault's own jobs run now, and when to look again: pure. */

/** The only operation that the clock may ask of a locked vault, and the only one that does not wait for the others. */
export const LOCK_OPERATION = 'vault:Lock';

/** The longest time without looking: a clock that was set or a machine that slept is noticed after this, at the latest. */
export const LONGEST_WAIT_MS = 30_000;

/** How one job stands at this moment. */
export interface Standing {
  readonly name: string;
  readonly operation: string;
  /** Milliseconds until it is due: 0 or less is due, undefined is never. */
  readonly dueInMs: number | undefined;
  /** Milliseconds until it may run again after its last run. */
  readonly restMs: number;
  readonly running: boolean;
}

export interface Decision {
  /** Names in the order in which to run them: locks first, then whatever has been due the longest. */
  readonly run: readonly string[];
  /** Look again then; 0 to LONGEST_WAIT_MS. */
  readonly waitMs: number;
}

/**
 * Each job is named at most once, however many of its times have passed. While the vault is locked nothing but a lock is named,
 * and what was missed is due when it is asked again after the unlock.
 */
export function decide(standings: readonly Standing[], locked: boolean): Decision {
  const able = standings.filter(({ operation, running }) => !running && (!locked || operation === LOCK_OPERATION));
  const waits = able.flatMap(({ name, operation, dueInMs, restMs }) =>
    dueInMs === undefined ? [] : [{ name, dueInMs, waitMs: Math.max(dueInMs, restMs, 0), first: operation === LOCK_OPERATION }],
  );
  const run = waits
    .filter(({ waitMs }) => waitMs === 0)
    .sort((a, b) => Number(b.first) - Number(a.first) || a.dueInMs - b.dueInMs || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
  const later = waits.filter(({ waitMs }) => waitMs > 0).map(({ waitMs }) => waitMs);
  return { run, waitMs: Math.min(LONGEST_WAIT_MS, ...later) };
}
