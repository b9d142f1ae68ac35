/**
 * What the window reads to show itself: counted, and summed up in the trail once a minute at most. One by one it would bury what people did,
 * and each row of a list would wait for the disk.
 */
import type { Operation } from '../../shared/api/operation.ts';
import type { Clock } from '../platform/ports.ts';
import type { TrailLog } from '../trail/port.ts';
import { encodeRecord } from '../trail/record.ts';

const PERIOD = 60_000;
const REFRESHES: ReadonlySet<string> = new Set(['kms:GetKeyRotationStatus', 'kms:GetKeyLastUsage']);

/** Lists and descriptions hold no value; whatever else is read stays a record of its own. */
export const isRefresh = ({ name, effect }: Pick<Operation, 'name' | 'effect'>): boolean => effect === 'read' && (/:(?:List|Describe)[A-Z]/.test(name) || REFRESHES.has(name));

export interface WindowReads {
  count(operation: string): void;
  /** Writes what is still counted. */
  stop(): Promise<void>;
}

export function startWindowReads(ports: { readonly trail: () => TrailLog | undefined; readonly clock: Clock }): WindowReads {
  let counts: Record<string, number> = {};
  let first = 0;
  const write = async (): Promise<void> => {
    if (Object.keys(counts).length === 0) return;
    const input = { counts, first, last: ports.clock.now() };
    counts = {};
    // A summary that cannot be written is lost: the window goes on showing what is there.
    await ports.trail()?.append(encodeRecord({ time: ports.clock.now(), phase: 'note', operation: 'vault:WindowReads', input }), { reserve: false }).catch(() => undefined);
  };
  const timer = setInterval(() => void write(), PERIOD);
  timer.unref();
  return {
    count(operation) {
      if (Object.keys(counts).length === 0) first = ports.clock.now();
      counts[operation] = (counts[operation] ?? 0) + 1;
    },
    async stop() {
      clearInterval(timer);
      await write();
    },
  };
}
