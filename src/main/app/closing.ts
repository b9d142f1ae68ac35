/** The end of a program. */
import type { Schedule } from '../doors/schedule.ts';
import { lock, type Vault } from '../vault/vault.ts';
import type { Refusals } from './refusals.ts';
import type { Runner } from './flights.ts';
import type { WindowDesk } from './window-control.ts';
import type { WindowReads } from './window-reads.ts';

export interface Closing {
  readonly vault: Vault;
  readonly awsDoor: { close(graceMs: number): Promise<void> };
  readonly desk: WindowDesk;
  readonly schedule: Schedule;
  readonly runners: readonly Runner[];
  readonly recordUsage: () => Promise<void>;
  readonly presence: { stop(): void };
  readonly refusals: Refusals;
  readonly windowReads: WindowReads;
  readonly abort: () => void;
  readonly release: () => void;
}

/** In the order in which nothing waits for what is gone already. */
export async function closeAll({ vault, desk, awsDoor, schedule, runners, recordUsage, presence, refusals, windowReads, abort, release }: Closing): Promise<void> {
  presence.stop();
  await awsDoor.close(0);
  await schedule.close();
  for (const runner of runners) await runner.close();
  await recordUsage();
  abort();
  await lock(vault);
  await desk.clear();
  await vault.anchoring;
  await refusals.stop();
  await windowReads.stop();
  await vault.trail?.close();
  release();
}
