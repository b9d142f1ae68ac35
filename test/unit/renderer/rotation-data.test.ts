import { expect, it } from 'vitest';

import { failureOf, rulesWords, stepsOf, took, usualOf, type EndedRun, type Step, type StepRecord } from '../../../src/renderer/secrets/rotation-data.ts';

const record = (step: Step, attempt: number, from: number, to: number, code?: string): StepRecord => ({ Step: step, Attempt: attempt, Started: from, Ended: to, ...(code === undefined ? {} : { Code: code, Reason: 'why' }) });
const standings = (run: Parameters<typeof stepsOf>[0]): string[] => stepsOf(run).map(({ standing }) => standing);

it('shows what is done, under way and still to come', () => {
  const Steps = [record('createSecret', 1, 0, 1), record('setSecret', 1, 1, 3)];
  expect(standings({ Steps, Step: 'testSecret', Attempt: 1, Started: 0 })).toEqual(['done', 'done', 'now', 'next']);
  expect(stepsOf({ Steps, Step: 'testSecret', Attempt: 1, Started: 0 })[2]).toMatchObject({ since: 3 });
  expect(standings({ Steps: [], Step: 'createSecret', Attempt: 1, Started: 0 })).toEqual(['now', 'next', 'next', 'next']);
});

it('shows where the last attempt failed while the next one waits, and that one anew once it runs', () => {
  const Steps = [record('createSecret', 1, 0, 1), record('setSecret', 1, 1, 3, '28P01')];
  const run = { Steps, Step: 'createSecret' as const, Attempt: 2, Started: 0 };
  expect(standings({ ...run, Until: 60 })).toEqual(['done', 'failed', 'next', 'next']);
  expect(stepsOf({ ...run, Until: 60 })[1]?.failure).toEqual({ code: '28P01', message: 'why' });
  expect(standings(run)).toEqual(['now', 'next', 'next', 'next']);
});

it('shows the attempt that failed while the current value is set again, and all done while the old one is taken away', () => {
  const failed = [record('createSecret', 5, 0, 1), record('setSecret', 5, 1, 3), record('testSecret', 5, 3, 4, 'ECONNREFUSED')];
  expect(standings({ Steps: [...failed, record('restoreSecret', 1, 4, 5, 'ECONNRESET')], Step: 'restoreSecret', Attempt: 2, Started: 0 })).toEqual(['done', 'done', 'failed', 'next']);
  expect(failureOf([...failed, record('restoreSecret', 1, 4, 5, 'ECONNRESET')])?.Code).toBe('ECONNREFUSED');
  const done = (['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const).map((step, i) => record(step, 1, i, i + 1));
  expect(standings({ Steps: done, Step: 'retireSecret', Attempt: 1, Started: 0 })).toEqual(['done', 'done', 'done', 'done']);
});

it('says how long a step usually takes: the median of the runs that went well', () => {
  const run = (seconds: number, result: EndedRun['Result'] = 'rotated'): EndedRun => ({ VersionId: 'v', Cause: 'schedule', Started: 0, Ended: 9, Attempts: 1, Result: result, Left: 'nothing', Restored: false, Steps: [record('testSecret', 1, 0, seconds)] });
  expect(usualOf([run(9), run(2), run(4), run(100, 'failed')], 'testSecret')).toBe(4);
  expect(usualOf([], 'testSecret')).toBeUndefined();
});

it('says times and rules as a person would', () => {
  expect([0, 0.04, 0.1, 4.24, 125].map(took)).toEqual(['at once', 'at once', '0.1 s', '4.2 s', '2 min']);
  expect([{ AutomaticallyAfterDays: 30 }, { ScheduleExpression: 'rate(1 day)' }, { ScheduleExpression: 'rate(4 hours)' }, { ScheduleExpression: 'cron(0 3 * * ? *)' }, {}].map(rulesWords)).toEqual(['every 30 days', 'every day', 'every 4 hours', 'by cron(0 3 * * ? *)', 'when you ask for it']);
});
