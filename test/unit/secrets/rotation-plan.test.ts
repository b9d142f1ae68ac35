import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/shared/model/ids.ts';
import { markOf, standingOf } from '../../../src/main/secrets/rotation-plan.ts';
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
