import { readFileSync } from 'node:fs';

import { instant } from '../../shared/model/ids.ts';
import { libc } from './libc.ts';
import type { Clock } from './ports.ts';

/** clock_gettime(2), `linux/time.h`. */
const CLOCK_BOOTTIME = 7;

const time = new BigInt64Array(2);

/** Milliseconds since boot, sleep included; undefined where the system has no such clock. */
function bootMilliseconds(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  if (libc()?.clockGettime(CLOCK_BOOTTIME, time) === 0) return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
  try {
    // Hundredths of a second: coarse, but it counts sleep too.
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
    return Number.isFinite(seconds) ? seconds * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** The clocks of this machine. `performance.now` and `hrtime` are CLOCK_MONOTONIC, which stands still during sleep. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  boottime: () => bootMilliseconds() ?? systemClock.monotonic(),
};
