/**
 * Brings a cluster level by itself when one of its tokens is back. Looks first, and asks for nothing where nothing is to be done; then it is
 * one request of the clock's own. What fails is told by the notice board, and tried again when a token comes back the next time.
 */
import { asSchedule } from '../doors/as-schedule.ts';
import { unrefTimer } from '../doors/schedule.ts';
import { settledWithin } from '../doors/settled-within.ts';
import type { Reader } from '../store/port.ts';
import { readable, type Runner, type RunnerPorts } from './flights.ts';

const JOB = 'cluster';
/** Milliseconds. Several tokens come back at once when a key store is connected. */
const GATHER_MS = 250;
/** From one levelling of a cluster to the next: a token that comes and goes is not levelled each time. */
const REST_MS = 60_000;

export interface ClusterRunnerPorts extends RunnerPorts {
  /** Whether a token of this store that answers is not level. */
  readonly isBehind: (reader: Reader, storeId: string) => Promise<boolean>;
}

export interface ClusterRunner extends Runner {
  /** A token of this store answers that did not before. Must not be called before the runner is there. */
  returned(storeId: string): void;
}

export function startClusterRunner({ vault, port, clock, fault, isBehind, after = unrefTimer }: ClusterRunnerPorts): ClusterRunner {
  /** By store: cancels the look that is to come. */
  const waiting = new Map<string, () => void>();
  const running = new Map<string, Promise<void>>();
  /** By store: another token came back while it was brought level. */
  const again = new Set<string>();
  /** By store: not before this boot time. */
  const restUntil = new Map<string, number>();
  let controller = new AbortController();
  let closed = false;

  async function run(storeId: string, signal: AbortSignal): Promise<void> {
    const reader = readable(vault);
    const isOver = (): boolean => signal.aborted;
    if (!reader || isOver() || !(await isBehind(reader, storeId)) || isOver()) return;
    await asSchedule(port, JOB, 'hardware:LevelCluster', { CustomKeyStoreId: storeId }, signal);
    restUntil.set(storeId, clock.boottime() + REST_MS);
  }

  function returned(storeId: string): void {
    if (closed || waiting.has(storeId)) return;
    if (running.has(storeId)) return void again.add(storeId);
    const { signal } = controller;
    waiting.set(storeId, after(Math.max(GATHER_MS, (restUntil.get(storeId) ?? 0) - clock.boottime()), () => {
      waiting.delete(storeId);
      running.set(storeId, run(storeId, signal).catch((error: unknown) => { if (!signal.aborted) fault(error); }).finally(() => {
        running.delete(storeId);
        // Of a new unlock, where it came back while what the old one had begun was winding down.
        if (again.delete(storeId)) returned(storeId);
      }));
    }));
  }

  const stop = (): void => {
    controller.abort();
    for (const cancel of waiting.values()) cancel();
    waiting.clear();
    again.clear();
  };
  const unsubscribe = port.subscribe(({ event }) => {
    if (event === 'vault.locked') stop();
    if (event !== 'vault.unlocked') return;
    controller = new AbortController();
    restUntil.clear();
  });

  return {
    returned,
    async close(graceMs = 10_000) {
      closed = true;
      unsubscribe();
      stop();
      await settledWithin(Promise.all(running.values()), graceMs, () => undefined);
    },
  };
}
