/**
 * The rotation of one secret as a state machine: `next(state, event, now)` says what the record becomes and what is to be done. Pure.
 * Source: AWS Secrets Manager User Guide, "Rotation by Lambda function": createSecret, setSecret, testSecret, finishSecret, each
 * idempotent, the whole repeated with the same version when one fails.
 *
 * Beyond AWS: when the attempts are used up after setSecret was begun, AWSCURRENT is set again outside (`restoreSecret`) before the
 * version under AWSPENDING is let go, so that a failed rotation ends with a value that works. And where the old value goes on being valid
 * beside the new one, it is taken away after finishSecret (`retireSecret`), once nobody uses it any more or the overlap is over.
 *
 * A setSecret of which nobody knows how it ended may come to the server later than a look at it: then AWSCURRENT is changed anew, not looked at.
 *
 * INVARIANT: at most one run; AWSCURRENT moves in finishSecret alone, after a testSecret of the same attempt that was right; a value that
 * may be in use outside keeps AWSPENDING until AWSCURRENT was set again.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { STEPS, type RotationStep, type RotatorFailure, type RotatorNote } from './rotator-port.ts';

export type RunStep = RotationStep | 'restoreSecret' | 'retireSecret';

/** One step that was tried, with its time and what it met. */
export interface StepRecord {
  readonly step: RunStep;
  /** Of its run, from 1. */
  readonly attempt: number;
  readonly started: Instant;
  readonly ended: Instant;
  readonly failure?: RotatorFailure;
  /** `db.example:5432 tls 41 ms`. */
  readonly connections?: readonly string[];
  /** Of what went well. */
  readonly notes?: readonly RotatorNote[];
}

export type Cause = 'schedule' | 'asked';
/** pending: AWSPENDING stays where it is. */
export type Left = 'nothing' | 'pending';

export interface Run {
  /** The version that is being made. */
  readonly token: string;
  readonly cause: Cause;
  readonly started: Instant;
  /** From 1. */
  readonly attempt: number;
  readonly step: RunStep;
  /** The step is not to be tried before this. Absent: it is being done, or was when the process ended. */
  readonly until?: Instant;
  /** setSecret was begun: the new value may hold outside. */
  readonly touched: boolean;
  /** A setSecret was cut off, or has lost its answer: its change may still come, after AWSCURRENT was seen to log in. */
  readonly uncertain?: true;
  /** What the run ends as once AWSCURRENT is set again. */
  readonly ending?: 'failed' | 'stopped';
  /** At most 40, the oldest go. */
  readonly steps: readonly StepRecord[];
}

/** A run that is over. */
export interface EndedRun {
  readonly token: string;
  readonly cause: Cause;
  readonly started: Instant;
  readonly ended: Instant;
  readonly attempts: number;
  readonly result: 'rotated' | 'failed' | 'stopped';
  readonly left: Left;
  /** AWSCURRENT was set again outside. */
  readonly restored: boolean;
  /** As of its run, where AWSPENDING stays. */
  readonly uncertain?: true;
  readonly steps: readonly StepRecord[];
}

export interface RotationState {
  /** When the next run begins; absent: only when it is asked for. */
  readonly due?: Instant;
  /** Since when nothing begins by itself. */
  readonly paused?: Instant;
  readonly run?: Run;
  /** Most recent last; at most 20. */
  readonly ended: readonly EndedRun[];
}

export const IDLE: RotationState = { ended: [] };

/** restores: can set AWSCURRENT again. retires: has to take the old value away. own: the value outside is nobody's but the vault's (generic), so there is nothing to restore. */
export interface Traits {
  readonly restores: boolean;
  readonly retires: boolean;
  readonly own: boolean;
}

export type RotationEvent =
  | { readonly kind: 'planned'; readonly due: Instant | undefined }
  /** `token`: the version to make, or the one that a run before has left under AWSPENDING. */
  | { readonly kind: 'asked'; readonly token: string }
  /** `heldUntil`: somebody still uses the previous version, which is kept that long at most. */
  | { readonly kind: 'due'; readonly token: string; readonly heldUntil?: Instant }
  /** `heldUntil`: as above, of retireSecret. `chance`: 0 to 1, spreads retries. `due`: when the next run is planned, should this be the end of this one. */
  | { readonly kind: 'ended'; readonly token: string; readonly step: RunStep; readonly attempt: number; readonly started: Instant; readonly failure?: RotatorFailure; readonly uncertain?: boolean; readonly connections?: readonly string[]; readonly notes?: readonly RotatorNote[]; readonly chance: number; readonly due: Instant | undefined; readonly heldUntil?: Instant }
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  /** Ends the run and keeps AWSCURRENT. */
  | { readonly kind: 'stopped'; readonly due: Instant | undefined }
  /** The owner lets go of `token`, which a run before has left under AWSPENDING. */
  | { readonly kind: 'discarded'; readonly token: string }
  /** CancelRotateSecret: no schedule any more, and the run ends where it is. */
  | { readonly kind: 'cancelled' };

export type Effect =
  | { readonly kind: 'none' }
  /** AWSPENDING comes to `token`, then the first step. */
  | { readonly kind: 'begin'; readonly token: string }
  | { readonly kind: 'step'; readonly token: string; readonly step: RunStep }
  | { readonly kind: 'wait'; readonly until: Instant }
  /** `discard`: AWSPENDING is taken off `token`. */
  | { readonly kind: 'end'; readonly token: string; readonly result: EndedRun['result']; readonly discard: boolean };

export interface Decided {
  readonly state: RotationState;
  readonly effect: Effect;
}

export const MAX_ATTEMPTS = 5;
const MAX_STEPS = 40;
const MAX_ENDED = 20;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;
/** How often a held rotation looks whether the previous version is still used. */
const HOLD_MS = 600_000;

const NONE: Effect = { kind: 'none' };
const same = (state: RotationState): Decided => ({ state, effect: NONE });

/** 1, 2, 4 … minutes, at most an hour, a quarter more or less. */
const backOff = (attempt: number, chance: number): number => Math.round(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1)) * (0.75 + chance / 2));

function planned({ due: _before, ...rest }: RotationState, due: Instant | undefined): RotationState {
  return due === undefined ? rest : { ...rest, due };
}

const notComplete = (token: string): VaultError =>
  new VaultError('InvalidRequestException', `a rotation is not complete yet, that of version \`${token}\`; wait for it, or end it with \`keystead secret stop-rotation\``);

const UNCERTAIN = { uncertain: true } as const;
const leftUncertain = ({ ended }: RotationState, token: string): Pick<Run, 'uncertain'> => (ended.some((run) => run.token === token && run.uncertain) ? UNCERTAIN : {});

function begin(state: RotationState, token: string, cause: Cause, now: Instant): Decided {
  // What a run before has left may hold outside already.
  const touched = state.ended.some((run) => run.token === token && run.left === 'pending');
  const run: Run = { token, cause, started: now, attempt: 1, step: 'createSecret', touched, ...leftUncertain(state, token), steps: [] };
  return { state: { ...state, run }, effect: { kind: 'begin', token } };
}

/** The run is over. */
function end(state: RotationState, run: Run, how: { readonly result: EndedRun['result']; readonly left: Left; readonly restored: boolean; readonly due: Instant | undefined }, now: Instant): Decided {
  const { token, cause, started, steps } = run;
  const attempts = Math.max(1, ...steps.filter(({ step }) => step !== 'restoreSecret' && step !== 'retireSecret').map(({ attempt }) => attempt));
  const { result, left, restored, due } = how;
  const { run: _over, ...rest } = state;
  const ended = [...state.ended, { token, cause, started, ended: now, attempts, result, left, restored, ...(left === 'pending' && run.uncertain ? UNCERTAIN : {}), steps }].slice(-MAX_ENDED);
  return { state: planned({ ...rest, ended }, due), effect: { kind: 'end', token, result, discard: result !== 'rotated' && left === 'nothing' } };
}

const at = (state: RotationState, run: Run): Decided => ({ state: { ...state, run }, effect: { kind: 'step', token: run.token, step: run.step } });

/** Ended by the owner: a setSecret that is being done is cut off, and nobody hears how it ends. */
const cutOff = (run: Run): Run => (run.step === 'setSecret' && run.until === undefined ? { ...run, ...UNCERTAIN } : run);

/** A setSecret that went well was the last to change anything; one that did not leaves open what was open before it. */
function settledBy({ uncertain: before, ...run }: Run, { step, failure, uncertain }: RotationEvent & { kind: 'ended' }): Run {
  const isOpen = step === 'setSecret' ? failure !== undefined && (before ?? uncertain === true) : before === true;
  return isOpen ? { ...run, ...UNCERTAIN } : run;
}

const without = ({ until: _until, ...run }: Run): Run => run;

/** The run cannot go on: what is outside is brought back to AWSCURRENT first, where it may not be. */
function giveUp(state: RotationState, run: Run, ending: 'failed' | 'stopped', due: Instant | undefined, traits: Traits, now: Instant): Decided {
  // AWSCURRENT has moved: what is left to do outside stays undone.
  if (run.step === 'retireSecret') return end(state, run, { result: 'rotated', left: 'nothing', restored: false, due }, now);
  if (traits.own || !run.touched) return end(state, run, { result: ending, left: 'nothing', restored: false, due }, now);
  if (traits.restores) return at(state, { ...without(run), step: 'restoreSecret', attempt: 1, ending });
  return end(state, run, { result: ending, left: 'pending', restored: false, due }, now);
}

const following = (step: RotationStep, { retires }: Traits): RunStep | undefined => STEPS[STEPS.indexOf(step) + 1] ?? (retires ? 'retireSecret' : undefined);

/** Looks again at the latest after a while: those who used the previous version may have read the new one. */
const held = (until: Instant, now: Instant): Instant => instant(Math.min(until, now + HOLD_MS));

function stepEnded(state: RotationState, event: RotationEvent & { kind: 'ended' }, traits: Traits, now: Instant): Decided {
  const run = state.run;
  // Of a run that was ended meanwhile, or said twice.
  if (run?.token !== event.token || run.step !== event.step || run.attempt !== event.attempt || run.until !== undefined) return same(state);
  const { failure, connections, notes, chance, due } = event;
  const record: StepRecord = { step: run.step, attempt: run.attempt, started: event.started, ended: now, ...(failure ? { failure } : {}), ...(connections && connections.length > 0 ? { connections } : {}), ...(notes && notes.length > 0 ? { notes } : {}) };
  const done: Run = { ...settledBy(run, event), steps: [...run.steps, record].slice(-MAX_STEPS) };
  if (run.step === 'restoreSecret') {
    const result = run.ending ?? 'failed';
    if (!failure) return end(state, done, { result, left: 'nothing', restored: true, due }, now);
    // Neither value is proven: both are kept, for the owner to decide.
    if (run.attempt >= MAX_ATTEMPTS) return end(state, done, { result, left: 'pending', restored: false, due }, now);
    return waiting(state, { ...done, attempt: run.attempt + 1 }, chance, now);
  }
  if (run.step === 'retireSecret') {
    // The new value is proven and in use, whatever becomes of the old one.
    if (!failure || run.attempt >= MAX_ATTEMPTS) return end(state, done, { result: 'rotated', left: 'nothing', restored: false, due }, now);
    return waiting(state, { ...done, attempt: run.attempt + 1 }, chance, now);
  }
  if (failure) {
    if (run.attempt >= MAX_ATTEMPTS) return giveUp(state, done, 'failed', due, traits, now);
    return waiting(state, { ...done, step: 'createSecret', attempt: run.attempt + 1 }, chance, now);
  }
  const step = following(run.step, traits);
  if (step === undefined) return end(state, done, { result: 'rotated', left: 'nothing', restored: false, due }, now);
  if (step === 'retireSecret') {
    const { heldUntil } = event;
    if (heldUntil === undefined || heldUntil <= now) return at(state, { ...done, step, attempt: 1 });
    const until = held(heldUntil, now);
    return { state: { ...state, run: { ...done, step, attempt: 1, until } }, effect: { kind: 'wait', until } };
  }
  return at(state, { ...done, step, touched: run.touched || step === 'setSecret' });
}

function waiting(state: RotationState, run: Run, chance: number, now: Instant): Decided {
  const until = instant(now + backOff(run.attempt - 1, chance));
  return { state: { ...state, run: { ...run, until } }, effect: { kind: 'wait', until } };
}

function due(state: RotationState, event: RotationEvent & { kind: 'due' }, now: Instant): Decided {
  const { run } = state;
  if (state.paused !== undefined) return same(state);
  const { heldUntil } = event;
  const isHeld = heldUntil !== undefined && heldUntil > now;
  if (run) {
    if (run.until === undefined || run.until > now) return same(state);
    return run.step === 'retireSecret' && isHeld ? same({ ...state, run: { ...run, until: held(heldUntil, now) } }) : at(state, without(run));
  }
  if (state.due === undefined || state.due > now) return same(state);
  if (isHeld) return same({ ...state, due: held(heldUntil, now) });
  return begin(state, event.token, 'schedule', now);
}

/** InvalidRequestException when a run is asked for while there is another one, or ended while there is none. */
export function next(state: RotationState, event: RotationEvent, now: Instant, traits: Traits): Decided {
  const { run } = state;
  switch (event.kind) {
    case 'planned':
      return same(planned(state, event.due));
    case 'asked':
      if (!run) return begin(state, event.token, 'asked', now);
      if (run.token !== event.token || run.ending !== undefined) throw notComplete(run.token);
      // Asked again: a retry that waits is done now.
      return run.until === undefined ? same(state) : at(state, without(run));
    case 'due':
      return due(state, event, now);
    case 'ended':
      return stepEnded(state, event, traits, now);
    case 'paused':
      return same(state.paused === undefined ? { ...state, paused: now } : state);
    case 'resumed': {
      const { paused: _paused, ...rest } = state;
      return same(rest);
    }
    case 'stopped':
      if (!run) throw new VaultError('InvalidRequestException', 'no rotation is under way; see `keystead secret describe-rotation`');
      return run.ending === undefined ? giveUp(state, cutOff(run), 'stopped', event.due, traits, now) : same(state);
    case 'discarded': {
      if (run) throw notComplete(run.token);
      const left: Run = { token: event.token, cause: 'asked', started: now, attempt: 1, step: 'restoreSecret', touched: true, ending: 'stopped', ...leftUncertain(state, event.token), steps: [] };
      return traits.restores ? at(state, left) : { state, effect: { kind: 'end', token: event.token, result: 'stopped', discard: true } };
    }
    case 'cancelled': {
      const idle = planned(state, undefined);
      if (run?.step === 'retireSecret') return giveUp(idle, run, 'stopped', undefined, traits, now);
      return run ? end(idle, cutOff(run), { result: 'stopped', left: 'pending', restored: false, due: undefined }, now) : same(idle);
    }
  }
}

/** What is to be done by itself, and when: at once for a step. Undefined: nothing. */
export function wakeOf({ run, due: planned, paused }: RotationState): Instant | 'step' | undefined {
  if (run && run.until === undefined) return 'step';
  if (paused !== undefined) return undefined;
  return run ? run.until : planned;
}
