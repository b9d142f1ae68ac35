/**
 * Drives the rotations that are under way through their steps, each by requests that go the one path. Keeps nothing: what is to be done is
 * in the store, so a process that died in the middle of a step does the same step again. A few at a time, one for each secret.
 */
import { asSchedule } from '../doors/as-schedule.ts';
import { partsOfPlace } from '../../shared/model/ids.ts';
import type { ErrorCode } from '../../shared/model/errors.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import type { DoorPort } from '../doors/port.ts';
import { unrefTimer } from '../doors/schedule.ts';
import { settledWithin } from '../doors/settled-within.ts';
import type { Result } from '../kernel/request.ts';
import type { Clock } from '../platform/ports.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import type { Run } from '../secrets/rotation.ts';
import { isOutside } from '../secrets/rotator.ts';
import type { Vault } from '../vault/vault.ts';

export const ROTATION_JOB = 'secret-rotation';
const AT_ONCE = 4;
/** After a step of which nothing could be said. */
const REST_MS = 60_000;
/** Events within this time are one look, which is never inside the operation that told of them. */
const GATHER_MS = 5;

/** Of these it is not known how far the process outside came. */
const LOST: ReadonlySet<ErrorCode> = new Set(['InternalException']);

/** The vault's own trouble: nothing is known of the step, which is done again. */
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

export interface RotationRunner {
  /** Starts nothing more, aborts what runs, and resolves when it has ended, or after `graceMs` (default 10,000). */
  close(graceMs?: number): Promise<void>;
}

interface Flight {
  readonly controller: AbortController;
  /** Which step of which run is being done. */
  at: string;
  ended: Promise<void>;
}

const placeOf = ({ token, step, attempt }: Run): string => `${token}/${step}/${String(attempt)}`;

export function startRotationRunner({ vault, port, clock, fault, after = unrefTimer }: RunnerPorts): RotationRunner {
  const flights = new Map<string, Flight>();
  /** By secret: not before this boot time. */
  const restUntil = new Map<string, number>();
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;
  let closed = false;

  /** `place`: what the secret is kept under. */
  const ask = (place: string, operation: string, input: object, signal: AbortSignal): Promise<Result> => {
    const { name, region } = partsOfPlace(place);
    return asSchedule(port, ROTATION_JOB, operation, { SecretId: name, ...input }, signal, region);
  };

  /** Undefined: no run, or nothing to do for it now. */
  async function runOf(name: string): Promise<{ readonly run: Run; readonly isOutside: boolean } | undefined> {
    const reader = vault.open?.store.reader;
    if (!reader || vault.open?.problem !== undefined) return undefined;
    const [secret, rotation] = await Promise.all([reader.of(SECRETS).get(name), reader.of(ROTATIONS).get(name)]);
    const run = rotation?.state.run;
    if (!rotation || !run || run.until !== undefined || secret?.suffix !== rotation.suffix || secret.deletion) return undefined;
    return { run, isOutside: isOutside(rotation.rotator.kind, run.step) };
  }

  /** False: nothing could be said, and the step is to be done again later. */
  async function doStep(name: string, { run: { token, step, attempt }, isOutside: outside, isResumed }: { readonly run: Run; readonly isOutside: boolean; readonly isResumed: boolean }, signal: AbortSignal): Promise<boolean> {
    const of = { ClientRequestToken: token, Step: step, Attempt: attempt };
    const record = { ...of, Started: clock.now() / 1000 };
    const failed = ({ code, message }: { readonly code: ErrorCode; readonly message: string }) => ask(name, 'secretsmanager:RecordRotationStep', { ...record, ...(outside && (isResumed || LOST.has(code)) ? { Uncertain: true } : {}), Code: code.slice(0, 64), Reason: message.slice(0, 1024) }, signal);
    let recorded: Result;
    if (outside) {
      const done = await ask(name, 'secretsmanager:RunRotationStep', of, signal);
      if (!done.ok && (OURS.has(done.error.code) || signal.aborted)) return false;
      if (done.ok) {
        const { Ok: ok, ...said } = done.output;
        recorded = await ask(name, 'secretsmanager:RecordRotationStep', { ...record, ...said, ...(ok === true ? {} : { Code: said['Code'] ?? 'Unknown', ...(isResumed ? { Uncertain: true } : {}) }) }, signal);
      } else recorded = await failed(done.error);
    } else recorded = await ask(name, 'secretsmanager:RecordRotationStep', record, signal);
    if (!recorded.ok && !OURS.has(recorded.error.code) && !signal.aborted) recorded = await failed(recorded.error);
    if (recorded.ok) disposeSecrets(recorded.output);
    return recorded.ok;
  }

  async function drive(name: string, flight: Flight): Promise<void> {
    const { signal } = flight.controller;
    // A flight that finds a step being done finds one that was cut off, but for the step that every attempt begins with.
    for (let isResumed = true; ; isResumed = false) {
      const next = closed || signal.aborted ? undefined : await runOf(name);
      if (!next) return;
      flight.at = placeOf(next.run);
      if (!(await doStep(name, { ...next, isResumed }, signal))) {
        if (!signal.aborted) restUntil.set(name, clock.boottime() + REST_MS);
        return;
      }
    }
  }

  function start(name: string): void {
    const flight: Flight = { controller: new AbortController(), at: '', ended: Promise.resolve() };
    flights.set(name, flight);
    flight.ended = drive(name, flight)
      .catch(fault)
      .then(() => {
        flights.delete(name);
        lookIn(0);
      });
  }

  async function look(): Promise<void> {
    timer = undefined;
    const reader = vault.open?.store.reader;
    if (closed || !reader || vault.open?.problem !== undefined) return;
    // A run that was ended or stopped meanwhile: its step is cut off, and only then comes what follows.
    for (const [name, flight] of flights) {
      const now = await runOf(name);
      if (flight.at !== '' && (!now || placeOf(now.run) !== flight.at) && flights.get(name) === flight) await settledBefore(name, flight);
    }
    let soonest: number | undefined;
    for (const [name, { wake }] of await reader.of(ROTATIONS).entries()) {
      if (wake !== 'step' || flights.has(name)) continue;
      const rest = (restUntil.get(name) ?? 0) - clock.boottime();
      if (rest > 0) soonest = Math.min(soonest ?? rest, rest);
      else if (flights.size < AT_ONCE) start(name);
    }
    if (soonest !== undefined) lookIn(soonest);
  }

  /** The record of a step moves the run on before the flight knows: only one that stays behind was overtaken. */
  async function settledBefore(name: string, flight: Flight): Promise<void> {
    const { at } = flight;
    await new Promise<void>((done) => { after(GATHER_MS, done); });
    const now = await runOf(name);
    if (flights.get(name) === flight && flight.at === at && (!now || placeOf(now.run) !== at)) flight.controller.abort();
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
