import { describe, expect, it } from 'vitest';
import { expiryIn } from '../../../src/shared/model/expiry.ts';

describe('a secret expires', () => {
  it.each([
    ['2027-01-31', '2027-02-01T00:00:00.000Z'],
    ['2028-02-29', '2028-03-01T00:00:00.000Z'],
    ['2027-01-31T12:00Z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00:30+02:00', '2027-01-31T10:00:30.000Z'],
  ])('as its tag says: %s', (said, at) => {
    expect(new Date(expiryIn(said) ?? 0).toISOString()).toBe(at);
  });

  it.each(['', 'soon', '2027-02-31', '2027-13-01', '31.01.2027', '2027-1-1', '2027-01-31T25:00Z', '2027-01-31T12:00', '2027-01-31 ', '+012027-01-31', '1801440000000'])('never by %j', (said) => {
    expect(expiryIn(said)).toBeUndefined();
  });
});
