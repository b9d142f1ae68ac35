/**
 * The rotation machine against a world: staging labels, a server that knows one value, steps that fail and processes that die between
 * an act and its record. Whatever happens in whatever order, what the server knows is never lost, and every run ends as it says.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeRotation, type RotationRecord } from '../../src/main/secrets/rotation-record.ts';
import { IDLE, MAX_ATTEMPTS, next, wakeOf, type Effect, type RotationEvent, type RotationState, type RunStep, type Traits } from '../../src/main/secrets/rotation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, type SecretName } from '../../src/shared/model/ids.ts';

const RUNS = Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 300);
const MINUTE = 60_000;
const FAILURE = { code: '28P01', message: 'password authentication failed' };

type Act =
  | { readonly act: 'step'; readonly fails: boolean; readonly dies: boolean; readonly halfway: boolean; readonly cut: boolean }
  | { readonly act: 'ask' | 'stop' | 'cancel' | 'late' | 'pause' | 'resume' | 'clock' | 'plan' | 'twice' | 'discard' }
  | { readonly act: 'wait'; readonly minutes: number };

/** One in four. */
const seldom = fc.integer({ min: 0, max: 3 }).map((one) => one === 0);
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ act: fc.constant('step' as const), fails: seldom, dies: seldom, halfway: fc.boolean(), cut: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant<Act>({ act: 'late' }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 90 }) }) },
    { weight: 4, arbitrary: fc.constantFrom<Act>({ act: 'ask' }, { act: 'clock' }, { act: 'clock' }, { act: 'plan' }) },
    { weight: 3, arbitrary: fc.constantFrom<Act>({ act: 'stop' }, { act: 'stop' }, { act: 'cancel' }, { act: 'pause' }, { act: 'resume' }, { act: 'twice' }, { act: 'discard' }) },
  ),
  { minLength: 30, maxLength: 150 },
);

/** What the machine's effects are carried out on. */
class World {
  state: RotationState = IDLE;
  now = instant(1_700_000_000_000);
  current = 'v0';
  previous: string | undefined;
  pending: string | undefined;
  /** The value that was set last on the server. */
  outside = 'v0';
  /** The change of a setSecret that nobody waited for: it comes whenever the server gets to it, but before any change that is made later. */
  late: string | undefined;
  /** The step in which the process died. */
  #died: string | undefined;
  /** Attempt at which the pending version was last tested. */
  proven: string | undefined;
  readonly #traits: Traits;
  #made = 0;
  /** The last step that was said to have ended. */
  said: (RotationEvent & { kind: 'ended' }) | undefined;

  constructor(traits: Traits) {
    this.#traits = traits;
  }

  isUnderWay({ token, step, attempt }: RotationEvent & { kind: 'ended' }): boolean {
    const { run } = this.state;
    return run?.token === token && run.step === step && run.attempt === attempt && run.until === undefined;
  }

  get canRestore(): boolean {
    return this.#traits.restores;
  }

  newToken(): string {
    // What a run before has left is taken up again.
    if (this.pending !== undefined && this.pending !== this.current) return this.pending;
    this.#made += 1;
    return `v${String(this.#made)}`;
  }

  /** Undefined when the machine refuses. */
  take(event: RotationEvent): Effect | undefined {
    if (event.kind === 'ended') this.said = event;
    let decided;
    try {
      decided = next(this.state, event, this.now, this.#traits);
    } catch (error) {
      expect(error instanceof VaultError && error.code).toBe('InvalidRequestException');
      return undefined;
    }
    this.state = decided.state;
    const { effect } = decided;
    if (effect.kind === 'begin') this.pending = effect.token;
    if (effect.kind === 'end') {
      if (effect.result === 'rotated' || effect.discard) this.pending = undefined;
    }
    return effect;
  }

  /** The step that is due, done outside; `halfway`: it took effect and is reported as failed, or the process died before the record. */
  step({ fails, dies, halfway, cut }: Act & { act: 'step' }): void {
    const { run } = this.state;
    if (wakeOf(this.state) !== 'step' || !run) return;
    const done = !fails || halfway;
    const place = `${run.token}/${run.step}/${String(run.attempt)}`;
    const isResumed = this.#died === place;
    this.#died = dies ? place : undefined;
    const isLost = fails && cut && !halfway && run.step === 'setSecret' && !this.#traits.own;
    if (run.step === 'setSecret' && done && !this.#traits.own) this.#change(run.token, false);
    if (run.step === 'restoreSecret' && done) this.#change(this.current, run.uncertain === true);
    if (isLost) this.late = run.token;
    // A test tells the truth about the server.
    const wrong = run.step === 'testSecret' && !this.#traits.own && this.outside !== run.token;
    const failure = fails || wrong ? { failure: FAILURE } : {};
    if (dies) return;
    if (run.step === 'finishSecret' && !fails) {
      expect(this.proven).toBe(`${run.token}/${String(run.attempt)}`);
      [this.previous, this.current] = [this.current, run.token];
    }
    const { token, step, attempt } = run;
    if (step === 'testSecret' && !fails && !wrong) this.proven = `${token}/${String(attempt)}`;
    this.take({ kind: 'ended', token, step, attempt, started: this.now, chance: 0.5, ...(token.endsWith('3') ? { heldUntil: instant(this.now + 45 * MINUTE) } : {}), due: instant(this.now + 600 * MINUTE), ...failure, ...(fails && (isLost || isResumed) ? { uncertain: true } : {}) });
  }

  /** A login that goes well already changes nothing, unless the change is to be made anew. */
  #change(to: string, anew: boolean): void {
    if (this.outside === to && !anew) return;
    this.outside = to;
    this.late = undefined;
  }

  /** What is under way at the server is cut off with its run, and comes later. */
  cutOff(): void {
    const { run } = this.state;
    if (run?.step === 'setSecret' && run.until === undefined && !this.#traits.own) this.late = run.token;
  }
}

function apply(world: World, one: Act): void {
  switch (one.act) {
    case 'step':
      return world.step(one);
    case 'wait':
      world.now = instant(world.now + one.minutes * MINUTE);
      return;
    case 'ask':
      return void world.take({ kind: 'asked', token: world.newToken() });
    case 'clock':
      return void world.take({ kind: 'due', token: world.newToken() });
    case 'plan':
      return void world.take({ kind: 'planned', due: instant(world.now + 30 * MINUTE) });
    case 'late':
      world.outside = world.late ?? world.outside;
      world.late = undefined;
      return;
    case 'stop':
      world.cutOff();
      return void world.take({ kind: 'stopped', due: instant(world.now + 600 * MINUTE) });
    case 'cancel':
      world.cutOff();
      return void world.take({ kind: 'cancelled' });
    case 'discard':
      // Where nothing can be set back, it is the owner's word that the server does not know the value.
      if (world.pending !== undefined && world.canRestore) world.take({ kind: 'discarded', token: world.pending });
      return;
    case 'pause':
      return void world.take({ kind: 'paused' });
    case 'resume':
      return void world.take({ kind: 'resumed' });
    case 'twice':
      // A record that came twice, or late: nothing changes but by the step that it is of.
      if (world.said && !world.isUnderWay(world.said)) {
        const before = world.state;
        world.take(world.said);
        expect(world.state).toBe(before);
      }
      return;
  }
}

describe.each<{ readonly name: string; readonly traits: Traits }>([
  { name: 'a server that can be set back', traits: { restores: true, retires: false, own: false } },
  { name: 'a server that keeps the old value beside the new one', traits: { restores: true, retires: true, own: false } },
  { name: 'the vault’s own value', traits: { restores: false, retires: false, own: true } },
  { name: 'a function or command', traits: { restores: false, retires: false, own: false } },
])('$name', ({ traits }) => {
  it('loses no value that the server may know, has one run at a time, and says how each ended', () => {
    fc.assert(
      fc.property(acts, (steps) => {
        const world = new World(traits);
        for (const one of steps) {
          const before = world.state;
          apply(world, one);
          // What the server knows, and what it will, is AWSCURRENT's value or AWSPENDING's: never one that nobody has.
          if (!traits.own) expect([world.current, world.pending]).toContain(world.outside);
          if (!traits.own && world.late !== undefined) expect([world.current, world.pending]).toContain(world.late);
          const { run, ended } = world.state;
          if (run) {
            expect(world.pending).toBe(run.token);
            expect(run.attempt).toBeLessThanOrEqual(MAX_ATTEMPTS);
            expect(run.ending !== undefined).toBe(run.step === 'restoreSecret');
          }
          const over = ended.at(-1);
          if (over && over !== before.ended.at(-1)) {
            expect(run).toBeUndefined();
            expect(over.result === 'rotated').toBe(world.current === over.token);
            if (over.left === 'nothing') expect([world.pending, traits.own ? world.current : world.outside]).toEqual([undefined, world.current]);
            else expect(world.pending).toBe(over.token);
          }
          // Nothing begins by itself while paused.
          if (before.paused !== undefined && before.run === undefined && one.act === 'clock') expect(run).toBeUndefined();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('ends every run, whatever fails, once nobody interferes', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (outcomes) => {
        const world = new World(traits);
        apply(world, { act: 'ask' });
        for (const fails of outcomes) {
          apply(world, { act: 'step', fails, dies: false, halfway: fails, cut: false });
          apply(world, { act: 'wait', minutes: 90 });
          apply(world, { act: 'clock' });
          if (!world.state.run) break;
        }
        expect(world.state.run).toBeUndefined();
        expect(world.state.ended).toHaveLength(1);
      }),
      { numRuns: RUNS },
    );
  });

  it('is kept and read back as it was', () => {
    fc.assert(
      fc.property(acts, (steps) => {
        const world = new World(traits);
        for (const one of steps) apply(world, one);
        const record: RotationRecord = {
          name: 'prod/db' as SecretName,
          suffix: 'AbCdEf',
          rotator: { kind: 'postgres', strategy: 'alternating', password: { length: 32, exclude: '', punctuation: true }, field: 'password', hosts: ['db.example'], overlapHours: 4 },
          state: world.state,
        };
        expect(decodeRotation(new TextEncoder().encode(JSON.stringify(record)))).toEqual(record);
      }),
      { numRuns: RUNS },
    );
  });
});

it('repeats what failed with the same version after 1, 2, 4 and 8 minutes, a quarter more or less, then gives up', () => {
  const own: Traits = { restores: false, retires: false, own: true };
  let now = instant(0);
  let state = next(IDLE, { kind: 'asked', token: 'v1' }, now, own).state;
  const waits: number[] = [];
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    expect(state.run).toMatchObject({ token: 'v1', step: 'createSecret', attempt });
    const { state: after, effect } = next(state, { kind: 'ended', token: 'v1', step: 'createSecret', attempt, started: now, failure: FAILURE, chance: attempt % 2, due: undefined }, now, own);
    state = after;
    if (effect.kind !== 'wait') {
      expect(effect).toEqual({ kind: 'end', token: 'v1', result: 'failed', discard: true });
      break;
    }
    waits.push((effect.until - now) / MINUTE);
    expect(next(state, { kind: 'due', token: 'v2' }, instant(effect.until - 1), own).state).toBe(state);
    now = effect.until;
    state = next(state, { kind: 'due', token: 'v2' }, now, own).state;
  }
  expect(waits).toEqual([1.25, 1.5, 5, 6]);
});

it('waits while the previous version is still used, as long as it was told and no longer', () => {
  const own: Traits = { restores: false, retires: false, own: true };
  const planned = next(IDLE, { kind: 'planned', due: instant(1000) }, instant(0), own).state;
  const held = next(planned, { kind: 'due', token: 'v1', heldUntil: instant(900_000) }, instant(1000), own).state;
  expect([held.run, held.due]).toEqual([undefined, 601_000]);
  const later = next(held, { kind: 'due', token: 'v1', heldUntil: instant(900_000) }, instant(601_000), own).state;
  expect([later.run, later.due]).toEqual([undefined, 900_000]);
  expect(next(later, { kind: 'due', token: 'v1', heldUntil: instant(900_000) }, instant(900_000), own).effect).toEqual({ kind: 'begin', token: 'v1' });
});

it('takes the old value away when nobody uses it any more, and a failure of that undoes nothing', () => {
  const redis: Traits = { restores: true, retires: true, own: false };
  let state = next(IDLE, { kind: 'asked', token: 'v1' }, instant(0), redis).state;
  const ended = (step: RunStep, more: object = {}): void => {
    state = next(state, { kind: 'ended', token: 'v1', step, attempt: state.run?.attempt ?? 0, started: instant(0), chance: 0.5, due: undefined, ...more }, instant(0), redis).state;
  };
  for (const step of ['createSecret', 'setSecret', 'testSecret'] as const) ended(step);
  ended('finishSecret', { heldUntil: instant(1_000_000) });
  expect(state.run).toMatchObject({ step: 'retireSecret', until: 600_000 });
  state = next(state, { kind: 'due', token: 'v2', heldUntil: instant(1_000_000) }, instant(600_000), redis).state;
  expect(state.run).toMatchObject({ step: 'retireSecret', until: 1_000_000 });
  const stopped = next(state, { kind: 'stopped', due: undefined }, instant(600_000), redis);
  expect(stopped.effect).toMatchObject({ kind: 'end', result: 'rotated' });
  state = next(state, { kind: 'due', token: 'v2' }, instant(1_000_000), redis).state;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    ended('retireSecret', { failure: FAILURE });
    if (state.run) state = next(state, { kind: 'due', token: 'v2' }, instant(9_000_000), redis).state;
  }
  expect(state.run).toBeUndefined();
  expect(state.ended).toMatchObject([{ result: 'rotated', attempts: 1, left: 'nothing' }]);
});
