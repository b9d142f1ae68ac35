/** The clock's door: the vault's own jobs become requests like anybody else's. */
import type { ErrorCode } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import type { Clock } from '../platform/ports.ts';
import { asSchedule } from './as-schedule.ts';
import { decide, LOCK_OPERATION } from './due-jobs.ts';
import type { Standing } from './due-jobs.ts';
import type { DoorPort } from './port.ts';
import { settledWithin } from './settled-within.ts';

/**
 * When a job is due. `wall` for what people named a time for (a deletion); `boot`, milliseconds of the clock that counts sleep and
 * cannot be set, for what must not move with the wall clock (an idle lock).
 */
export type Due = { readonly wall: Instant } | { readonly boot: number };

export interface Job {
  /** Unique; the evidence that dispatch sees. */
  readonly name: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Undefined: not at all, for now. Asked often: cheap, without effect, never throws. Moves on once the job has run. */
  due(): Due | undefined;
}

/** A job that is still due after its run runs again no sooner than this. */
const REST_MS = 1000;
/** And after a run that failed. */
const REST_AFTER_FAILURE_MS = 60_000;
/** Events within this time are one look, which is never inside the operation that told of them. */
const GATHER_MS = 20;

export interface ScheduleOptions {
  readonly port: Omit<DoorPort, 'clock' | 'hello' | 'refused'>;
  readonly clock: Clock;
  readonly jobs: readonly Job[];
  readonly locked: () => boolean;
  /** For the diagnostic log: how each run ended, by code only. */
  readonly onRun?: (job: string, outcome: 'ok' | ErrorCode) => void;
  /** Calls `fire` once after `ms`, unless cancelled by the function it returns. Default: a timer that keeps no process alive. */
  readonly after?: (ms: number, fire: () => void) => () => void;
}

export interface Schedule {
  /** Looks now instead of at the next time. Events of the vault (an unlock, a changed key) do so by themselves. */
  look(): void;
  /** Starts nothing more, aborts what runs, and resolves when it has ended, or after `graceMs` (default 10,000). */
  close(graceMs?: number): Promise<void>;
}

/** Keeps no process alive. */
export const unrefTimer = (ms: number, fire: () => void): (() => void) => {
  const timer = setTimeout(fire, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

/** Starts at once. A lock runs whenever it is due; all other jobs run one after another. Runs missed during sleep or a lock are one run. */
export function startSchedule(options: ScheduleOptions): Schedule {
  const schedule = new ClockDoor(options);
  schedule.look();
  return schedule;
}

interface Run {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

class ClockDoor implements Schedule {
  readonly #options: ScheduleOptions;
  readonly #unsubscribe: () => void;
  readonly #running = new Map<string, Run>();
  /** By job: not before this boot time. */
  readonly #restUntil = new Map<string, number>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #closed = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#unsubscribe = options.port.subscribe(({ event }) => {
      // What failed because the vault was being locked need not wait any longer.
      if (event === 'vault.unlocked') this.#restUntil.clear();
      if (event !== 'progress' && event !== 'trail.appended') this.#lookIn(GATHER_MS);
    });
  }

  look(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { jobs, locked } = this.#options;
    const { run, waitMs } = decide(jobs.map((job) => this.#standingOf(job)), locked());
    for (const name of run) {
      const job = jobs.find((candidate) => candidate.name === name);
      // The others are decided on again when the one that runs has ended: it may have locked the vault or made them needless.
      if (job && (job.operation === LOCK_OPERATION || !this.#ordinaryRuns())) this.#start(job);
    }
    this.#lookIn(waitMs);
  }

  async close(graceMs = 10_000): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    for (const { controller } of this.#running.values()) controller.abort();
    await settledWithin(Promise.all(Array.from(this.#running.values(), (run) => run.ended)), graceMs, () => undefined);
  }

  /** A look that comes sooner stays, so that endless events cannot put it off. */
  #lookIn(ms: number): void {
    const at = this.#options.clock.monotonic() + ms;
    if (this.#closed || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const { after = unrefTimer } = this.#options;
    this.#timer = { at, cancel: after(ms, () => this.look()) };
  }

  #ordinaryRuns(): boolean {
    return this.#options.jobs.some(({ name, operation }) => operation !== LOCK_OPERATION && this.#running.has(name));
  }

  #standingOf(job: Job): Standing {
    const { clock } = this.#options;
    const due = job.due();
    const boot = clock.boottime();
    return {
      name: job.name,
      operation: job.operation,
      dueInMs: due === undefined ? undefined : 'wall' in due ? due.wall - clock.now() : due.boot - boot,
      restMs: (this.#restUntil.get(job.name) ?? boot) - boot,
      running: this.#running.has(job.name),
    };
  }

  #start(job: Job): void {
    const controller = new AbortController();
    const ended = Promise.resolve()
      .then(() => this.#run(job, controller.signal))
      .catch((): 'InternalException' => 'InternalException')
      .then((outcome) => {
        this.#running.delete(job.name);
        const failed = outcome !== 'ok' && job.operation !== LOCK_OPERATION;
        this.#restUntil.set(job.name, this.#options.clock.boottime() + (failed ? REST_AFTER_FAILURE_MS : REST_MS));
        this.#options.onRun?.(job.name, outcome);
        this.#lookIn(0);
      });
    this.#running.set(job.name, { controller, ended });
  }

  async #run(job: Job, signal: AbortSignal): Promise<'ok' | ErrorCode> {
    const result = await asSchedule(this.#options.port, job.name, job.operation, job.input, signal);
    if (!result.ok) return result.error.code;
    disposeSecrets(result.output);
    return 'ok';
  }
}
