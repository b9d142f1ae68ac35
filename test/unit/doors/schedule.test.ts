import { describe, expect, it } from 'vitest';
import { decide, LOCK_OPERATION, LONGEST_WAIT_MS } from '../../../src/main/doors/due-jobs.ts';
import type { Standing } from '../../../src/main/doors/due-jobs.ts';
import { startSchedule } from '../../../src/main/doors/schedule.ts';
import type { Due, Job, Schedule } from '../../../src/main/doors/schedule.ts';
import type { Result } from '../../../src/main/kernel/request.ts';
import type { Clock } from '../../../src/main/platform/ports.ts';
import type { ErrorCode } from '../../../src/shared/model/errors.ts';
import { instant } from '../../../src/shared/model/ids.ts';
import { fakePort } from './kit.ts';
import type { FakePort } from './kit.ts';

const standing = (name: string, dueInMs: number | undefined, more: Partial<Standing> = {}): Standing => ({ name, operation: `x:${name}`, dueInMs, restMs: 0, running: false, ...more });
const lock = (dueInMs: number | undefined, more: Partial<Standing> = {}): Standing => standing('lock', dueInMs, { operation: LOCK_OPERATION, ...more });

describe('decide', () => {
  it.each<[string, Standing[], boolean, string[], number]>([
    ['nothing to do', [], false, [], LONGEST_WAIT_MS],
    ['what is due, in due order', [standing('b', -5), standing('a', -9), standing('c', 0), standing('d', 1)], false, ['a', 'b', 'c'], 1],
    ['by name where it is due at once', [standing('b', -5), standing('a', -5)], false, ['a', 'b'], LONGEST_WAIT_MS],
    ['a lock first', [standing('a', -99), lock(-1)], false, ['lock', 'a'], LONGEST_WAIT_MS],
    ['only a lock while locked', [standing('a', -99), lock(-1)], true, ['lock'], LONGEST_WAIT_MS],
    ['no waiting for what cannot run', [standing('a', 5)], true, [], LONGEST_WAIT_MS],
    ['never what is never due', [standing('a', undefined)], false, [], LONGEST_WAIT_MS],
    ['not what runs', [standing('a', -1, { running: true })], false, [], LONGEST_WAIT_MS],
    ['not what rests', [standing('a', -1, { restMs: 700 })], false, [], 700],
    ['the later of rest and due', [standing('a', 900, { restMs: 700 })], false, [], 900],
    ['the soonest of several', [standing('a', 900), standing('b', 80), lock(5000)], false, [], 80],
    ['no longer than the longest wait', [standing('a', 1e12)], false, [], LONGEST_WAIT_MS],
  ])('%s', (_name, standings, locked, run, waitMs) => {
    expect(decide(standings, locked)).toEqual({ run, waitMs });
  });
});

/** A clock, its timers, and a vault that answers at once unless held. */
class World {
  wall = 1_000_000;
  boot = 5000;
  locked = false;
  ran: string[] = [];
  outcomes: string[] = [];
  answer: ErrorCode | undefined;
  held: (() => void)[] | undefined;
  readonly port: FakePort;
  #timers: { at: number; fire: () => void }[] = [];
  schedule: Schedule | undefined;

  constructor() {
    this.port = fakePort(async (request) => {
      this.ran.push(request.evidence.door === 'schedule' ? request.evidence.job : '?');
      if (this.held) await new Promise<void>((resolve) => this.held?.push(resolve));
      const { id } = request;
      const result: Result = this.answer ? { ok: false, requestId: id, error: { code: this.answer, message: 'no' } } : { ok: true, requestId: id, output: {} };
      return result;
    });
  }

  start(...jobs: Job[]): void {
    const clock: Clock = { now: () => instant(this.wall), monotonic: () => this.boot, boottime: () => this.boot };
    this.schedule = startSchedule({
      port: this.port,
      clock,
      jobs,
      locked: () => this.locked,
      onRun: (job, outcome) => this.outcomes.push(`${job} ${outcome}`),
      after: (ms, fire) => {
        const timer = { at: this.boot + ms, fire };
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((other) => other !== timer));
      },
    });
  }

  /** Time passes; every timer fires at its time. */
  async pass(ms: number): Promise<void> {
    const end = this.boot + ms;
    for (;;) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      const step = Math.max(0, next.at - this.boot);
      this.boot += step;
      this.wall += step;
      next.fire();
    }
    this.wall += end - this.boot;
    this.boot = end;
  }

  /** The machine sleeps: clocks go on, timers do not. */
  sleep(ms: number): void {
    for (const timer of this.#timers) timer.at += ms;
    this.wall += ms;
    this.boot += ms;
  }

  get timers(): number {
    return this.#timers.length;
  }
}

const job = (name: string, due: () => Due | undefined, operation = `x:${name}`): Job => ({ name, operation, input: { job: name }, due });

/** Every `ms` of wall time from `start`, moving on when it has run. */
function every(world: World, name: string, start: number, ms: number): Job {
  const runs = (): number => world.outcomes.filter((outcome) => outcome === `${name} ok`).length;
  let seen = 0;
  let next = start;
  return job(name, () => {
    if (runs() > seen) {
      seen = runs();
      next = start + (Math.floor((world.wall - start) / ms) + 1) * ms;
    }
    return { wall: instant(next) };
  });
}

describe('the clock\'s door', () => {
  it('makes a request like any other', async () => {
    const world = new World();
    world.start(job('sweep', () => (world.ran.length === 0 ? { wall: instant(world.wall) } : undefined)));
    await world.pass(0);
    expect(world.port.requests[0]).toMatchObject({ door: 'schedule', evidence: { door: 'schedule', job: 'sweep' }, operation: 'x:sweep' });
    expect(world.outcomes).toEqual(['sweep ok']);
  });

  it('gives the input as bytes, and wipes them', async () => {
    const world = new World();
    let text = '';
    const { dispatch } = world.port;
    Object.assign(world.port, { dispatch: (request: Parameters<typeof dispatch>[0]) => ((text = Buffer.from(request.input).toString()), dispatch(request)) });
    world.start(job('a', () => (world.ran.length === 0 ? { boot: 0 } : undefined)));
    await world.pass(0);
    expect(text).toBe('{"job":"a"}');
    expect(world.port.requests[0]?.input.every((byte) => byte === 0)).toBe(true);
  });

  it('runs at its time, and again', async () => {
    const world = new World();
    world.start(every(world, 'a', world.wall + 10_000, 10_000));
    await world.pass(9999);
    expect(world.ran).toEqual([]);
    await world.pass(1);
    expect(world.ran).toEqual(['a']);
    await world.pass(30_000);
    expect(world.ran).toEqual(['a', 'a', 'a', 'a']);
  });

  it('runs each missed job once after a sleep, in due order', async () => {
    const world = new World();
    world.start(every(world, 'a', world.wall + 20_000, 10_000), every(world, 'b', world.wall + 5000, 10_000), every(world, 'c', world.wall + 1e9, 10_000));
    world.sleep(10 * 3_600_000);
    await world.pass(LONGEST_WAIT_MS);
    expect(world.ran.slice(0, 2)).toEqual(['b', 'a']);
    expect(world.ran.filter((name) => name === 'a').length).toBeLessThanOrEqual(4);
    expect(world.ran).not.toContain('c');
  });

  it('runs nothing while locked but the lock, and all that was missed once at the unlock', async () => {
    const world = new World();
    world.locked = true;
    let locks = 0;
    world.start(every(world, 'a', world.wall, 1000), job('idle', () => (locks++ === 0 ? { boot: 0 } : undefined), LOCK_OPERATION));
    await world.pass(3_600_000);
    expect(world.ran).toEqual(['idle']);
    world.locked = false;
    world.port.emit({ event: 'vault.unlocked' });
    await world.pass(100);
    expect(world.ran).toEqual(['idle', 'a']);
  });

  it('asks again before each job: one that locks stops the rest', async () => {
    const world = new World();
    world.held = [];
    world.start(every(world, 'a', world.wall - 2, 1e9), every(world, 'b', world.wall - 1, 1e9));
    await world.pass(0);
    expect(world.ran).toEqual(['a']);
    world.locked = true;
    world.held.shift()?.();
    await world.pass(100);
    expect(world.ran).toEqual(['a']);
  });

  it('locks while another job hangs', async () => {
    const world = new World();
    world.held = [];
    const idle: { at?: number } = {};
    world.start(every(world, 'hangs', world.wall, 1e9), every(world, 'waits', world.wall, 1e9), job('idle', () => (idle.at === undefined ? undefined : { boot: idle.at }), LOCK_OPERATION));
    await world.pass(10);
    idle.at = world.boot + 40_000;
    await world.pass(80_000);
    expect(world.ran).toEqual(['hangs', 'idle']);
  });

  it('follows the boot clock for a lock, wherever the wall clock is set', async () => {
    const world = new World();
    const lockAt = world.boot + 60_000;
    world.start(job('idle', () => (world.ran.length === 0 ? { boot: lockAt } : undefined), LOCK_OPERATION));
    world.wall -= 86_400_000;
    await world.pass(60_000);
    expect(world.ran).toEqual(['idle']);
  });

  it('notices a wall clock set forward within the longest wait', async () => {
    const world = new World();
    world.start(every(world, 'a', world.wall + 3_600_000, 1e9));
    await world.pass(1000);
    world.wall += 3_600_000;
    await world.pass(LONGEST_WAIT_MS);
    expect(world.ran).toEqual(['a']);
  });

  it('rests after a failure, and not for what failed because of a lock', async () => {
    const world = new World();
    world.answer = 'VaultLockedException';
    world.start(every(world, 'a', world.wall, 1e9));
    await world.pass(59_000);
    expect(world.outcomes).toEqual(['a VaultLockedException']);
    await world.pass(2000);
    expect(world.ran.length).toBe(2);
    world.answer = undefined;
    world.port.emit({ event: 'vault.unlocked' });
    await world.pass(100);
    expect(world.outcomes.at(-1)).toBe('a ok');
  });

  it('does not spin when a job stays due, nor when dispatch breaks its word', async () => {
    const world = new World();
    world.start(job('stuck', () => ({ boot: 0 })));
    await world.pass(10_000);
    expect(world.ran.length).toBeLessThanOrEqual(11);
    const broken = new World();
    Object.assign(broken.port, { dispatch: () => Promise.reject(new Error('no')) });
    broken.start(job('stuck', () => ({ boot: 0 })));
    await broken.pass(119_000);
    expect(broken.outcomes).toEqual(['stuck InternalException', 'stuck InternalException']);
  });

  it('is not put off by endless events, and keeps one timer', async () => {
    const world = new World();
    world.start(every(world, 'a', world.wall + 500, 1e9));
    for (let ms = 0; ms < 600; ms++) {
      world.port.emit({ event: 'key.changed', id: 'k' });
      await world.pass(1);
      expect(world.timers).toBeLessThanOrEqual(1);
    }
    expect(world.ran).toEqual(['a']);
  });

  it('aborts what runs at its close, waits for it, and starts nothing more', async () => {
    const world = new World();
    world.held = [];
    world.start(every(world, 'a', world.wall, 1000), every(world, 'b', world.wall, 1000));
    await world.pass(0);
    let closed = false;
    const closing = world.schedule?.close().then(() => (closed = true));
    await Promise.resolve();
    expect(world.port.requests[0]?.signal.aborted).toBe(true);
    expect(closed).toBe(false);
    world.held.shift()?.();
    await closing;
    await world.pass(100_000);
    expect(world.ran).toEqual(['a']);
    expect(world.timers).toBe(0);
    expect(world.port.listeners.size).toBe(0);
  });
});
