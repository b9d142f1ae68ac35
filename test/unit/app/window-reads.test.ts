import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRefresh, startWindowReads } from '../../../src/main/app/window-reads.ts';
import { OPERATIONS } from '../../../src/shared/api/index.ts';
import { secretFields, secretTexts } from '../../../src/shared/api/operation.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { fakeTrail } from '../../fakes/fake-trail.ts';

describe('what the window reads to show itself', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  it('is one record a minute, with how often each was read, and none where nothing was', async () => {
    const trail = fakeTrail();
    const clock = fakeClock(1_000_000);
    const reads = startWindowReads({ trail: () => trail, clock });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(trail.records).toEqual([]);
    for (const name of ['kms:ListKeys', 'kms:DescribeKey', 'kms:DescribeKey']) reads.count(name);
    clock.advance(59_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(trail.records).toMatchObject([{ phase: 'note', operation: 'vault:WindowReads', input: { counts: { 'kms:ListKeys': 1, 'kms:DescribeKey': 2 }, first: 1_000_000, last: 1_059_000 } }]);
    reads.count('kms:ListKeys');
    await reads.stop();
    expect(trail.records).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(trail.records).toHaveLength(2);
  });

  it('goes on where the trail cannot be written', async () => {
    const trail = fakeTrail();
    trail.failOn = new Set([1]);
    const reads = startWindowReads({ trail: () => trail, clock: fakeClock() });
    reads.count('kms:ListKeys');
    await vi.advanceTimersByTimeAsync(60_000);
    reads.count('kms:ListKeys');
    await reads.stop();
    expect(trail.records).toHaveLength(1);
  });

  it('never is an operation that changes something, uses a key, or answers with a value', () => {
    const refreshes = Object.values(OPERATIONS).filter(isRefresh);
    expect(refreshes.map(({ name }) => name)).toEqual(expect.arrayContaining(['kms:ListKeys', 'kms:DescribeKey', 'secretsmanager:ListSecrets', 'vault:ListSlots']));
    for (const { name, output } of refreshes) expect([name, ...secretFields(output), ...secretTexts(output)]).toEqual([name]);
    for (const name of ['secretsmanager:GetSecretValue', 'kms:Decrypt', 'kms:CreateKey', 'trail:LookupEvents'] as const) expect(isRefresh(OPERATIONS[name])).toBe(false);
  });
});
