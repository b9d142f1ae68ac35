import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TABLES } from '../../../src/main/seal/protocol.ts';
import { PACKED_LENGTH, type RowMark, SetHash, packRow } from '../../../src/main/sealer/set-hash.ts';

const KEY = new Uint8Array(32).fill(3);
const mark = (n: number, version = 1): RowMark => ({ table: TABLES[n % TABLES.length]!, rowId: new Uint8Array(16).fill(n & 255), version, tag: new Uint8Array(16).fill((n * 7 + version) & 255) });
const value = (rows: readonly RowMark[]): Uint8Array => {
  const sum = new SetHash(KEY);
  for (const row of rows) sum.addRow(row);
  return sum.value();
};

describe('set hash', () => {
  it('is the sum of HMAC-SHA256 mod 2^256', () => {
    const rows = Array.from({ length: 100 }, (_, i) => mark(i, 2 ** 40 + i));
    const expected = rows.reduce((sum, row) => sum + BigInt(`0x${createHmac('sha256', KEY).update(packRow(row)).digest('hex')}`), 0n) % 2n ** 256n;
    expect(Buffer.from(value(rows)).toString('hex')).toBe(expected.toString(16).padStart(64, '0'));
  });

  it('of no rows is zero, and comes back to it', () => {
    expect(value([])).toEqual(new Uint8Array(32));
    const sum = new SetHash(KEY);
    sum.addRow(mark(1));
    sum.removeRow(mark(1));
    expect(sum.value()).toEqual(new Uint8Array(32));
    sum.removeRow(mark(2));
    sum.addRow(mark(2));
    expect(sum.value()).toEqual(new Uint8Array(32));
  });

  it('kept row by row, from any stored value on, is what is recomputed', () => {
    const operation = fc.record({ row: fc.nat(7), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 8 }), (units) => {
        const present = new Map<number, RowMark>();
        const versions = new Map<number, number>();
        let stored: Uint8Array = new Uint8Array(32);
        for (const unit of units) {
          const sum = new SetHash(KEY, stored);
          for (const { row, remove } of unit) {
            const old = present.get(row);
            if (old) sum.removeRow(old);
            present.delete(row);
            if (remove) continue;
            const version = (versions.get(row) ?? 0) + 1;
            versions.set(row, version);
            present.set(row, mark(row, version));
            sum.addRow(mark(row, version));
          }
          stored = sum.value();
          expect(stored).toEqual(value([...present.values()]));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes rows packed together, and no part of one', () => {
    const rows = [mark(1), mark(2), mark(3)];
    const sum = new SetHash(KEY);
    sum.add(Uint8Array.from(rows.flatMap((row) => [...packRow(row)])));
    expect(sum.value()).toEqual(value(rows));
    expect(() => {
      sum.add(new Uint8Array(PACKED_LENGTH + 1));
    }).toThrow(RangeError);
  });

  it('depends on the key, the table, the row, the version and the tag', () => {
    const row = mark(1);
    const others: RowMark[] = [{ ...row, table: 'outbox' }, { ...row, rowId: new Uint8Array(16) }, { ...row, version: 2 }, { ...row, tag: new Uint8Array(16) }];
    for (const other of others) expect(value([other])).not.toEqual(value([row]));
    const keyed = new SetHash(new Uint8Array(32).fill(4));
    keyed.addRow(row);
    expect(keyed.value()).not.toEqual(value([row]));
  });
});
