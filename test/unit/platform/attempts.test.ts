import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createAttemptGate, delayAfter, remaining } from '../../../src/main/platform/attempts.ts';
import type { AttemptGate } from '../../../src/main/platform/ports.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { recordingLog } from '../../fakes/recording-log.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-attempts-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Seconds to wait, or 0 when the attempt was let through. */
async function attempt(gate: AttemptGate): Promise<number> {
  try {
    await gate.begin();
    return 0;
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'UnlockDelayedException') throw error;
    return Number(error.details?.['retryAfterSeconds']);
  }
}

describe('the schedule', () => {
  it('is 0, 0, 1, 2, 4 … 60 s', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000_000].map((n) => delayAfter(n) / 1000)).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  const last = { now: 1_000_000, boottime: 50_000, boot: 'a' };
  it.each([
    ['within the boot, time since boot counts', { now: 1_000_500, boottime: 50_500, boot: 'a' }, { wait: 500, rebase: false }],
    ['a wall clock set forward opens nothing', { now: 9_000_000, boottime: 50_500, boot: 'a' }, { wait: 500, rebase: false }],
    ['a wall clock set back neither opens nor prolongs', { now: 0, boottime: 51_000, boot: 'a' }, { wait: 0, rebase: false }],
    ['after a reboot the wall clock counts', { now: 1_000_400, boottime: 10, boot: 'b' }, { wait: 600, rebase: false }],
    ['after a reboot a clock set back starts the delay again', { now: 0, boottime: 10, boot: 'b' }, { wait: 1000, rebase: true }],
    ['without boot ids a clock set back starts the delay again', { now: 999_999, boottime: 99_999, boot: '' }, { wait: 1000, rebase: true }],
  ])('%s', (_what, moment, expected) => {
    expect(remaining({ failures: 2, last }, moment)).toEqual(expected);
  });
});

describe('the gate', () => {
  it('counts before the attempt is judged, and across processes', async () => {
    const clock = fakeClock();
    const path = join(folder, 'attempts');
    const open = (): AttemptGate => createAttemptGate({ path, clock, boot: 'a' });
    expect(await attempt(open())).toBe(0);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ failures: 1 });
    expect(await attempt(open())).toBe(0);
    expect(await attempt(open())).toBe(1);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ failures: 2 });
    clock.advance(999);
    expect(await attempt(open())).toBe(1);
    clock.advance(1);
    expect(await attempt(open())).toBe(0);
    expect(await attempt(open())).toBe(2);
  });

  it('forgets on success', async () => {
    const gate = createAttemptGate({ path: join(folder, 'attempts'), clock: fakeClock(), boot: 'a' });
    await gate.begin();
    await gate.begin();
    await gate.succeeded();
    expect(await readdir(folder)).toEqual([]);
    expect(await attempt(gate)).toBe(0);
  });

  it('lets simultaneous attempts through one by one', async () => {
    const gate = createAttemptGate({ path: join(folder, 'attempts'), clock: fakeClock(), boot: 'a' });
    expect(await Promise.all(Array.from({ length: 6 }, () => attempt(gate)))).toEqual([0, 0, 1, 1, 1, 1]);
  });

  it('a clock set back across a reboot starts the delay again, once', async () => {
    const clock = fakeClock();
    const path = join(folder, 'attempts');
    const before = createAttemptGate({ path, clock, boot: 'a' });
    for (let i = 0; i < 2; i++) await before.begin();
    clock.reboot();
    clock.setWall(0);
    const after = createAttemptGate({ path, clock, boot: 'b' });
    expect(await attempt(after)).toBe(1);
    clock.advance(1000);
    expect(await attempt(after)).toBe(0);
  });

  it.each(['', '{', '{"format":1,"failures":-1,"now":0,"boottime":0,"boot":""}', '{"format":2}', 'x'.repeat(2000)])('takes a damaged file (%#) for the whole delay, once', async (content) => {
    const clock = fakeClock();
    const log = recordingLog();
    const path = join(folder, 'attempts');
    await writeFile(path, content);
    const gate = createAttemptGate({ path, clock, boot: 'a', log });
    expect(await attempt(gate)).toBe(60);
    clock.advance(60_000);
    expect(await attempt(gate)).toBe(0);
    expect(log.names()).toEqual(['attempts.damaged']);
  });

  it('counts in memory where the file cannot be written', async () => {
    const log = recordingLog();
    const gate = createAttemptGate({ path: join(folder, 'missing', 'attempts'), clock: fakeClock(), boot: 'a', log });
    expect([await attempt(gate), await attempt(gate), await attempt(gate)]).toEqual([0, 0, 1]);
    expect(log.events[0]).toEqual({ event: 'attempts.not-persisted', fields: { errno: 'ENOENT' } });
    await gate.succeeded();
    expect(await attempt(gate)).toBe(0);
  });
});
