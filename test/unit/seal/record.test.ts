import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TABLES } from '../../../src/main/seal/protocol.ts';
import { type Place, RECORD_LIMIT, bucketOf, openRecord, recordTag, recordTerm, sealRecord } from '../../../src/main/seal/record.ts';
import { TermKeys } from '../../../src/main/seal/term-keys.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';

const VAULT = Uint8Array.from({ length: 16 }, (_, i) => i);
const keys = new TermKeys(new Uint8Array(32).fill(7), VAULT, 3);
const place: Place = { table: 'keys', rowId: new Uint8Array(16).fill(9), version: 5, schema: 1 };
const nonce = fixedRandom('record').bytes(24);
const plain = new TextEncoder().encode('{"keyId":"example"}');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('sealed record', () => {
  it('has the frozen bytes', () => {
    const golden = readFileSync(new URL('../../fixtures/seal/record.hex', import.meta.url), 'utf8').trim();
    expect(hex(sealRecord(keys, place, nonce, plain))).toBe(golden);
    expect(openRecord(keys, place, Buffer.from(golden, 'hex'))).toEqual(Uint8Array.from(plain));
  });

  it('pads to size buckets', () => {
    expect([1, 256, 257, 1024, 4096, 4097, 8192, 8193].map(bucketOf)).toEqual([256, 256, 512, 1024, 4096, 8192, 8192, 12288]);
    const lengths = new Set([0, 1, 100, 252].map((length) => sealRecord(keys, place, nonce, new Uint8Array(length)).byteLength));
    expect([...lengths]).toEqual([46 + 256]);
  });

  it('opens what it sealed, of any size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), (body) => {
        expect(openRecord(keys, place, sealRecord(keys, place, nonce, body))).toEqual(Uint8Array.from(body));
      }),
      { numRuns: 200 },
    );
    const large = new Uint8Array(RECORD_LIMIT).fill(1);
    expect(openRecord(keys, place, sealRecord(keys, place, nonce, large))).toEqual(large);
    expect(() => sealRecord(keys, place, nonce, new Uint8Array(RECORD_LIMIT + 1))).toThrow(RangeError);
  });

  it('refuses every flipped bit', () => {
    const record = sealRecord(keys, place, nonce, plain);
    let accepted = 0;
    for (let bit = 0; bit < record.byteLength * 8; bit += 1) {
      const flipped = Uint8Array.from(record);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      if (openRecord(keys, place, flipped)) accepted += 1;
    }
    expect(accepted).toBe(0);
  });

  it('refuses every truncation and extension', () => {
    const record = sealRecord(keys, place, nonce, plain);
    for (let length = 0; length < record.byteLength; length += 1) expect(openRecord(keys, place, record.subarray(0, length))).toBeUndefined();
    expect(openRecord(keys, place, Uint8Array.from([...record, 0]))).toBeUndefined();
  });

  it('opens only in its own place, vault and term', () => {
    const record = sealRecord(keys, place, nonce, plain);
    for (const table of TABLES.filter((name) => name !== 'keys')) expect(openRecord(keys, { ...place, table }, record)).toBeUndefined();
    for (const version of [0, 4, 6, 5 + 2 ** 32]) expect(openRecord(keys, { ...place, version }, record)).toBeUndefined();
    expect(openRecord(keys, { ...place, schema: 2 }, record)).toBeUndefined();
    expect(openRecord(keys, { ...place, rowId: new Uint8Array(16).fill(8) }, record)).toBeUndefined();
    expect(openRecord(new TermKeys(keys.root, new Uint8Array(16).fill(1), 3), place, record)).toBeUndefined();
    expect(openRecord(new TermKeys(keys.root, VAULT, 4), place, record)).toBeUndefined();
    expect(openRecord(new TermKeys(new Uint8Array(32), VAULT, 3), place, record)).toBeUndefined();
  });

  it('tells term and tag without opening', () => {
    const record = sealRecord(keys, place, nonce, plain);
    expect(recordTerm(record)).toBe(3);
    expect(recordTerm(record.subarray(0, 45))).toBeUndefined();
    expect(recordTag(record)).toEqual(record.subarray(-16));
  });
});
