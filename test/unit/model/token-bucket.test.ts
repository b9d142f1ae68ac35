import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from '../../../src/shared/model/token-bucket.ts';

it('never lets more through than burst plus rate times time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 200 }), (gaps) => {
      const [rate, burst] = [100, 5];
      const bucket = new TokenBucket(rate, burst, 0);
      let now = 0;
      let through = 0;
      for (const gap of gaps) {
        now += gap;
        if (bucket.take(now) >= 0) through += 1;
      }
      expect(through).toBeLessThanOrEqual(burst + (now / 1000) * rate + 1e-9);
    }),
  );
});

it('does not refill when a clock goes back', () => {
  const bucket = new TokenBucket(1000, 1, 1000);
  expect(bucket.take(1000)).toBe(0);
  expect(bucket.take(0)).toBeLessThan(0);
});

it('is full again once nothing of it is missing', () => {
  const bucket = new TokenBucket(1000, 2, 0);
  expect(bucket.isFull(0)).toBe(true);
  bucket.take(0);
  expect(bucket.isFull(0)).toBe(false);
  expect(bucket.isFull(1)).toBe(true);
});
