import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/shared/model/ids.ts';
import { markOf, planned, standingOf } from '../../../src/main/secrets/rotation-plan.ts';
import type { EndedRun, Run } from '../../../src/main/secrets/rotation.ts';

const at = (time: number) => instant(time);
const RUN: Run = { token: 't', cause: 'schedule', started: at(100), attempt: 1, step: 'setSecret', touched: true, steps: [] };
const ENDED: EndedRun = { token: 't', cause: 'schedule', started: at(10), ended: at(20), attempts: 1, result: 'rotated', left: 'nothing', restored: false, steps: [] };
const failed: EndedRun = { ...ENDED, result: 'failed', ended: at(30) };
const late = { rotation: { enabled: true, rules: {}, next: at(50) } };

describe('a list says of a rotation', () => {
  it('that it is under way, that it waits for its next attempt, that it has failed', () => {
    expect(standingOf({ run: RUN, ended: [failed] })).toEqual({ state: 'rotating', since: 100 });
    const steps = [{ step: 'setSecret', attempt: 1, started: at(100), ended: at(140), failure: { code: 'x', message: 'y' } }] as const;
    expect(standingOf({ run: { ...RUN, attempt: 2, step: 'createSecret', until: at(200), steps }, ended: [] })).toEqual({ state: 'retrying', since: 140 });
    expect(standingOf({ ended: [ENDED, failed] })).toEqual({ state: 'failed', since: 30 });
  });

  it('nothing once a later one went well, and while only the old value is still held for those who use it', () => {
    expect(standingOf({ ended: [failed, ENDED] })).toBeUndefined();
    expect(standingOf({ ended: [] })).toBeUndefined();
    expect(standingOf({ run: { ...RUN, step: 'retireSecret', until: at(500) }, ended: [failed] })).toBeUndefined();
  });

  it('that it should have been done: where nothing else is said, and its schedule is on', () => {
    expect(markOf(late, { ended: [ENDED] }, at(51))).toEqual({ state: 'overdue', since: 50 });
    expect(markOf(late, undefined, at(50))).toBeUndefined();
    expect(markOf({ rotation: { ...late.rotation, enabled: false } }, undefined, at(51))).toBeUndefined();
    expect(markOf(late, { ended: [failed] }, at(51))).toMatchObject({ state: 'failed' });
  });
});

describe('the next rotation', () => {
  const HOUR = 3_600_000;
  const now = at(1_700_000_000_000);
  const due = (rules: { schedule: string; duration?: string }, chance: number): number | undefined => planned({ enabled: true, rules }, { created: now }, now, chance)?.due;

  it('is spread over the first half hour of its window, or over the first half of a shorter one, as chance has it', () => {
    const opens = due({ schedule: 'rate(1 day)', duration: '4h' }, 0) ?? NaN;
    expect(opens).toBeGreaterThan(now);
    expect([0.25, 0.5, 0.999].map((chance) => (due({ schedule: 'rate(1 day)', duration: '4h' }, chance) ?? NaN) - opens)).toEqual([HOUR / 8, HOUR / 4, Math.floor(0.999 * HOUR / 2)]);
  });

  it('lies in its window whatever chance and rules say, and moves with chance', () => {
    const rules = fc.record({ schedule: fc.constantFrom('rate(4 hours)', 'rate(1 day)', 'rate(90 days)', 'cron(0 8 1 * ? *)', 'cron(0 0/6 * * ? *)'), duration: fc.constantFrom('1h', '2h', '3h') });
    fc.assert(fc.property(rules, fc.double({ min: 0, max: 0.999_999, noNaN: true }), fc.integer({ min: 0, max: 400 * 24 * HOUR }), (given, chance, later) => {
      const plan = planned({ enabled: true, rules: given }, { created: now }, at(now + later), chance);
      if (!plan) throw new Error('none is planned');
      expect(plan.due).toBeGreaterThanOrEqual(plan.window.opens);
      expect(plan.due).toBeLessThan(plan.window.closes);
      expect(plan.window.closes).toBeGreaterThan(now + later);
      expect(plan.due - plan.window.opens).toBe(Math.floor(chance * HOUR / 2));
    }), { numRuns: 500 });
  });

  it('is none without a schedule, or where it is off', () => {
    expect(planned({ enabled: true, rules: {} }, { created: now }, now, 0)).toBeUndefined();
    expect(planned({ enabled: false, rules: { afterDays: 30 } }, { created: now }, now, 0)).toBeUndefined();
  });
});
