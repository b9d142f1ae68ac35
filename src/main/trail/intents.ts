/** Intents without an outcome: begun, and never known to have ended. */
import type { TrailRecord } from './record.ts';

export interface OpenIntent {
  readonly index: number;
  readonly record: TrailRecord;
}

export interface IntentTracker {
  /** Every record in the order of the trail. Memory grows with the open ones only. */
  see(index: number, record: TrailRecord): void;
  /** Ascending. A request that is still under way is among them. */
  open(): readonly OpenIntent[];
}

export function openIntents(): IntentTracker {
  const open = new Map<number, TrailRecord>();
  return {
    see(index, record) {
      if (record.phase === 'intent') open.set(index, record);
      else if (record.intent !== undefined) open.delete(record.intent);
    },
    open: () => [...open].map(([index, record]) => ({ index, record })),
  };
}
