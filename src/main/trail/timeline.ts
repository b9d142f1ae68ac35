/**
 * How the records of a trail lie in time, in a bounded number of equal bins that grow coarser as the trail grows longer. Pure;
 * constant memory.
 */
import type { TrailRecord } from './record.ts';

export const BINS = 96;
/** Of the finest, in milliseconds. */
const FINEST = 60_000;

export interface Timeline {
  /** Beginning of the first bin, milliseconds since the epoch. */
  readonly from: number;
  /** Of one bin, in milliseconds. */
  readonly width: number;
  /** Ends of requests, and checkpoints that were signed; as many bins as it takes to reach the latest record. */
  readonly requests: readonly number[];
  readonly checkpoints: readonly number[];
}

export interface TimelineReader {
  see(record: Pick<TrailRecord, 'time' | 'phase' | 'operation' | 'result'>): void;
  /** Undefined while no record has ended a request. */
  read(): Timeline | undefined;
}

export function createTimeline(): TimelineReader {
  let from: number | undefined;
  let width = FINEST;
  let requests: number[] = [];
  let checkpoints: number[] = [];

  const coarser = (bins: readonly number[]): number[] => Array.from({ length: Math.ceil(bins.length / 2) }, (_, at) => (bins[2 * at] ?? 0) + (bins[2 * at + 1] ?? 0));
  return {
    see({ time, phase, operation, result }) {
      if (phase !== 'outcome') return;
      from ??= time;
      // A clock that was set back: what came after it is not before the beginning.
      const since = Math.max(0, time - from);
      while (since >= width * BINS) {
        width *= 2;
        requests = coarser(requests);
        checkpoints = coarser(checkpoints);
      }
      const at = Math.floor(since / width);
      while (requests.length <= at) {
        requests.push(0);
        checkpoints.push(0);
      }
      requests[at] = (requests[at] ?? 0) + 1;
      if (operation === 'trail:ExportCheckpoint' && result === 'ok') checkpoints[at] = (checkpoints[at] ?? 0) + 1;
    },
    read: () => (from === undefined ? undefined : { from, width, requests, checkpoints }),
  };
}
