/** The trail's picture in time: nothing is lost or counted twice, however long the trail is. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BINS, createTimeline } from '../../../src/main/trail/timeline.ts';

const outcome = (time: number, operation = 'kms:Sign', result = 'ok') => ({ time, phase: 'outcome' as const, operation, result });

it('has every end of a request in the bin of its time, in at most 96 bins', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10 * 365 * 86_400_000 }), { minLength: 1, maxLength: 300 }), (given) => {
      const times = [...given].sort((a, b) => a - b);
      const timeline = createTimeline();
      for (const time of times) timeline.see(outcome(time));
      const { from, width, requests } = timeline.read() ?? { from: 0, width: 0, requests: [] };
      expect(from).toBe(times[0]);
      expect(requests.length).toBeLessThanOrEqual(BINS);
      expect(requests.map((_, at) => times.filter((time) => Math.floor((time - from) / width) === at).length)).toEqual(requests);
      // No coarser than it must be.
      expect(width === 60_000 || ((times.at(-1) ?? 0) - from) / width >= BINS / 2).toBe(true);
    }),
  );
});

it('counts checkpoints that were signed, and no intent or note', () => {
  const timeline = createTimeline();
  timeline.see({ time: 5, phase: 'note', operation: 'trail:Recover' });
  expect(timeline.read()).toBeUndefined();
  timeline.see({ time: 10, phase: 'intent', operation: 'trail:ExportCheckpoint' });
  timeline.see(outcome(20, 'trail:ExportCheckpoint'));
  timeline.see(outcome(30, 'trail:ExportCheckpoint', 'AccessDeniedException'));
  expect(timeline.read()).toEqual({ from: 20, width: 60_000, requests: [2], checkpoints: [1] });
});

it('puts what a clock that was set back recorded into the first bin', () => {
  const timeline = createTimeline();
  timeline.see(outcome(100_000));
  timeline.see(outcome(5));
  timeline.see(outcome(170_000));
  expect(timeline.read()).toMatchObject({ from: 100_000, requests: [2, 1] });
});
