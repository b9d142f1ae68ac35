/**
 * Work on secrets that is driven by requests of the clock's own, until there is no more of it: a few secrets at a time, one flight for each.
 * Keeps nothing: what is to be done is in the store, so a process that died in the middle does the same again.
 */
import type { ErrorCode } from '../../shared/model/errors.ts';
import { partsOfPlace } from '../../shared/model/ids.ts';
import { asSchedule } from '../doors/as-schedule.ts';
import type { DoorPort } from '../doors/port.ts';
import { unrefTimer } from '../doors/schedule.ts';
import { settledWithin } from '../doors/settled-within.ts';
import type { Result } from '../kernel/request.ts';
import type { Clock } from '../platform/ports.ts';
import type { Reader } from '../store/port.ts';
import type { Vault } from '../vault/vault.ts';

const AT_ONCE = 4;
/** After a request of which nothing could be said. */
const REST_MS = 60_000;
/** Events within this time are one look, which is never inside the operation that told of them. */
const GATHER_MS = 5;
/** A timer stands still while the machine sleeps. */
const LONGEST_WAIT_MS = 60_000;

/** The vault's own trouble: nothing is known of what was asked, which is asked again. */
export const OURS: ReadonlySet<ErrorCode> = new Set([
  'VaultLockedException',
  'VaultNotFoundException',
  'VaultReadOnlyException',
  'VaultTamperedException',
  'CancelledException',
  'ThrottlingException',
  'SealerStoppedException',
  'StorageFullException',
  'StorageException',
  'TrailUnavailableException',
  'TrailBrokenException',
]);

export interface RunnerPorts {
  readonly vault: Vault;
  readonly port: Pick<DoorPort, 'dispatch' | 'newRequestId' | 'subscribe'>;
  readonly clock: Clock;
  readonly after?: (ms: number, fire: () => void) => () => void;
  readonly fault: (error: unknown) => void;
}

export interface Runner {
  /** Starts nothing more, aborts what runs, and resolves when it has ended, or after `graceMs` (default 10,000). */
  close(graceMs?: number): Promise<void>;
}

export interface Flight {
  readonly controller: AbortController;
  /** What is being done, for a drive that tells what overtook it; empty at first. */
  at: string;
  ended: Promise<void>;
}

/** `place`: what a secret is kept under. */
export interface Driven {
  readonly job: string;
  /** Places at which there may be something to do, and in how many milliseconds; 0 or less: now. */
  waiting(reader: Reader): Promise<Iterable<readonly [place: string, ms: number]>>;
  /** Does one thing. done: there may be more; rest: nothing could be said of it, and it is tried again later; over: there is no more. */
  drive(place: string, flight: Flight, ask: Ask): Promise<'done' | 'rest' | 'over'>;
  /** Whether what a flight is at was overtaken: ended or stopped by somebody else. */
  isOvertaken?(place: string, flight: Flight): Promise<boolean>;
}
export type Ask = (operation: string, input: object) => Promise<Result>;

export function startFlights({ vault, port, clock, fault, after = unrefTimer }: RunnerPorts, { job, waiting, drive, isOvertaken }: Driven): Runner {
  const flights = new Map<string, Flight>();
  /** By place: not before this boot time. */
  const restUntil = new Map<string, number>();
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;
  let closed = false;

  async function fly(place: string, flight: Flight): Promise<void> {
    const { signal } = flight.controller;
    const { name, region } = partsOfPlace(place);
    const ask: Ask = (operation, input) => asSchedule(port, job, operation, { SecretId: name, ...input }, signal, region);
    let came: Awaited<ReturnType<Driven['drive']>> = 'done';
    while (came === 'done' && !closed && !signal.aborted) came = await drive(place, flight, ask);
    if (came === 'rest' && !signal.aborted) restUntil.set(place, clock.boottime() + REST_MS);
  }

  function start(place: string): void {
    const flight: Flight = { controller: new AbortController(), at: '', ended: Promise.resolve() };
    flights.set(place, flight);
    flight.ended = fly(place, flight)
      .catch((error: unknown) => {
        fault(error);
        restUntil.set(place, clock.boottime() + REST_MS);
      })
      .then(() => {
        flights.delete(place);
        lookIn(0);
      });
  }

  /** What is cut off comes first, and only then what follows. A record moves the work on before its flight knows: only one that stays behind was overtaken. */
  async function endOvertaken(): Promise<void> {
    if (!isOvertaken) return;
    for (const [place, flight] of flights) {
      const { at } = flight;
      const isSo = async (): Promise<boolean> => at !== '' && (await isOvertaken(place, flight).catch((error: unknown) => { fault(error); return false; })) && flight.at === at && flights.get(place) === flight;
      if (!(await isSo())) continue;
      await new Promise<void>((done) => { after(GATHER_MS, done); });
      if (await isSo()) flight.controller.abort();
    }
  }

  async function look(): Promise<void> {
    timer = undefined;
    const reader = readable(vault);
    if (closed || !reader) return;
    await endOvertaken();
    let soonest: number | undefined;
    for (const [place, ms] of await waiting(reader)) {
      if (flights.has(place)) continue;
      const rest = Math.max(ms, (restUntil.get(place) ?? 0) - clock.boottime());
      if (rest > 0) soonest = Math.min(soonest ?? rest, rest);
      else if (flights.size < AT_ONCE) start(place);
    }
    if (soonest !== undefined) lookIn(Math.min(soonest, LONGEST_WAIT_MS));
  }

  function lookIn(ms: number): void {
    const at = clock.monotonic() + ms;
    if (closed || (timer && timer.at <= at)) return;
    timer?.cancel();
    timer = { at, cancel: after(ms, () => void look().catch(fault)) };
  }

  const unsubscribe = port.subscribe(({ event }) => {
    if (event === 'vault.locked') for (const { controller } of flights.values()) controller.abort();
    if (event === 'vault.unlocked') restUntil.clear();
    if (event === 'vault.unlocked' || event === 'secret.changed') lookIn(GATHER_MS);
  });

  return {
    async close(graceMs = 10_000) {
      closed = true;
      unsubscribe();
      timer?.cancel();
      for (const { controller } of flights.values()) controller.abort();
      await settledWithin(Promise.all(Array.from(flights.values(), ({ ended }) => ended)), graceMs, () => undefined);
    },
  };
}

/** The reader of a vault that is open and has no problem. */
export function readable({ open }: Vault): Reader | undefined {
  return open && open.problem === undefined ? open.store.reader : undefined;
}
