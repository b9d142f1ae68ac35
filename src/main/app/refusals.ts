/** What was refused before anybody was authenticated: counted, and summed up in the trail once a minute at most. */
import type { DoorName } from '../../shared/api/operation.ts';
import type { Clock } from '../platform/ports.ts';
import { createDenialCounter, PERIOD, type DenialSummary } from '../trail/denials.ts';
import type { TrailLog } from '../trail/port.ts';
import { encodeRecord } from '../trail/record.ts';

export interface Refusals {
  count(door: DoorName, reason: string, peer?: number): void;
  /** Writes what is still counted. */
  stop(): Promise<void>;
}

export function startRefusals(ports: { readonly trail: () => TrailLog | undefined; readonly clock: Clock }): Refusals {
  const counter = createDenialCounter();
  const write = async (summaries: readonly DenialSummary[]): Promise<void> => {
    for (const { door, reason, peer, count, first, last } of summaries) {
      const body = encodeRecord({ time: ports.clock.now(), phase: 'note', operation: 'vault:Refused', input: { door, reason, peer, count, first, last } });
      // A summary that cannot be written is lost on purpose: nothing that a stranger does may stop the vault.
      await ports.trail()?.append(body, { reserve: true }).catch(() => undefined);
    }
  };
  const timer = setInterval(() => void write(counter.flush()), PERIOD);
  timer.unref();
  return {
    count(door, reason, peer) {
      void write(counter.count({ door, reason, peer: peer === undefined ? '' : String(peer) }, ports.clock.now()));
    },
    async stop() {
      clearInterval(timer);
      await write(counter.flush());
    },
  };
}
