import type { Clock } from '../../src/main/platform/ports.ts';
import { instant } from '../../src/shared/model/ids.ts';

/** A clock that stands still until it is told otherwise. */
export function fakeClock(start = 1_700_000_000_000): Clock & { advance(ms: number): void; setWall(ms: number): void; sleep(ms: number): void; reboot(): void } {
  let wall = start;
  let mono = 5_000;
  let boot = 5_000;
  return {
    now: () => instant(wall),
    monotonic: () => mono,
    boottime: () => boot,
    advance(ms) {
      wall += ms;
      mono += ms;
      boot += ms;
    },
    sleep(ms) {
      wall += ms;
      boot += ms;
    },
    setWall(ms) {
      wall = ms;
    },
    reboot() {
      mono = 0;
      boot = 0;
    },
  };
}
