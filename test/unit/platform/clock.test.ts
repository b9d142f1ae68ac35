import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/main/platform/clock.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';

describe('the system clock', () => {
  it('advances on all three clocks alike', async () => {
    const read = (): number[] => [systemClock.now(), systemClock.monotonic(), systemClock.boottime()];
    const before = read();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const passed = read().map((value, i) => value - (before[i] ?? 0));
    for (const milliseconds of passed) expect(milliseconds).toBeGreaterThan(40);
    expect(Math.abs((passed[1] ?? 0) - (passed[2] ?? 0))).toBeLessThan(20);
  });

  it('boottime is the time since boot', () => {
    const uptime = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
    expect(Math.abs(systemClock.boottime() - uptime)).toBeLessThan(1000);
  });
});

describe('the system generator', () => {
  it('fills buffers of their own', () => {
    const [a, b] = [systemRandom.bytes(32), systemRandom.bytes(32)];
    expect(a.buffer.byteLength).toBe(32);
    expect(a).not.toEqual(b);
    expect(systemRandom.bytes(0)).toHaveLength(0);
    // More than one call of getrandom(2) gives at once.
    expect(systemRandom.bytes(100_000).subarray(99_900).some((byte) => byte !== 0)).toBe(true);
  });
});
