import { expect, it } from 'vitest';

import { encodeRecord } from '../../../src/main/trail/record.ts';
import { readTail, verifyTrail } from '../../../src/main/trail/verify.ts';
import { SEGMENT_MAX_RECORDS } from '../../../src/main/trail/segment.ts';
import { create, temporaryFolder, trailSealer } from './support.ts';

const RECORDS = 100_000;
const MIB = 1024 * 1024;

it('verifies 100,000 records in constant memory', { timeout: 240_000 }, async () => {
  using folder = temporaryFolder('/dev/shm');
  const log = await create(folder.path);
  const body = encodeRecord({ time: 1, phase: 'note', operation: 'kms:Sign', principal: 'owner', reasons: ['x'.repeat(120)] });
  for (let i = 0; i < RECORDS; i += 1000) await Promise.all(Array.from({ length: 1000 }, () => log.append(body)));

  const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
  const peaks: number[] = [];
  const before = used();
  let peak = 0;
  const report = await verifyTrail(log, trailSealer(), {
    onProgress: (done) => {
      peak = Math.max(peak, used() - before);
      if (done / RECORDS >= (peaks.length + 1) / 4) {
        peaks.push(peak);
        peak = 0;
      }
    },
  });
  expect(report.broken).toBeUndefined();
  expect(report).toMatchObject({ records: RECORDS, segments: Math.ceil(RECORDS / SEGMENT_MAX_RECORDS) });
  // Garbage of a few pieces may be there at any time; what must not be is growth with the number of records.
  expect(peaks).toHaveLength(4);
  expect(Math.max(...peaks)).toBeLessThan(150 * MIB);
  expect(peaks[3] ?? 0).toBeLessThan(2 * Math.max(peaks[0] ?? 0, peaks[1] ?? 0) + 16 * MIB);

  // The end of a long trail is cheap to check: nothing before the segment of the position is read.
  const { index, hash } = log.head;
  expect(await readTail(log, trailSealer(), { trailIndex: index, trailHash: hash })).toMatchObject({ segments: 1, last: { index } });
  await log.close();
});
