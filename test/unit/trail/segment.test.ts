import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { concat } from '../../../src/main/crypto/bytes.ts';
import { encodeKeyBlock, parseKeyBlock } from '../../../src/main/trail/key-block.ts';
import { nextKey } from '../../../src/main/trail/ratchet.ts';
import { HEADER_LENGTH, encodeRecord, linkHash, recordLength } from '../../../src/main/trail/segment.ts';
import { BODIES, makeExample } from './golden.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { check, text, vaultId } from './support.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/trail');
const golden = (name: string): Buffer => readFileSync(join(FIXTURES, name));

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
};

describe('the frozen format', () => {
  const example = makeExample();
  const files = { '00000001.seg': example.segments[0], '00000002.seg': example.segments[1], 'trail.key': example.keyBlock };

  it.each(Object.entries(files))('%s is written byte for byte as in the golden file', (name, bytes) => {
    // A format that changes gets a new magic and a golden file of its own.
    expect(Buffer.from(bytes ?? []).equals(golden(name))).toBe(true);
  });

  it('is read from the golden files', () => {
    const result = check([golden('00000001.seg'), golden('00000002.seg')], golden('trail.key'));
    expect(result).toMatchObject({ broken: undefined, bodies: BODIES.flat(), checked: 4 });
  });

  it('has the sizes that it promises', () => {
    expect(HEADER_LENGTH).toBe(216);
    expect([1, 252, 253, 16_384].map(recordLength)).toEqual([361, 361, 617, 16_745]);
    expect(example.segments.map(({ byteLength }) => byteLength)).toEqual([216 + 361 + 617, 216 + 361 + 361]);
  });
});

describe('every bit of a segment', () => {
  const example = makeExample();
  const [first, second] = example.segments as [Uint8Array, Uint8Array];

  /** Index of the record that a bit belongs to, and -1 for the header. */
  const recordAt = (segment: number, byte: number): number => {
    let end = HEADER_LENGTH;
    if (byte < end) return -1;
    const records = example.records[segment] ?? [];
    return records.findIndex((record) => byte < (end += record.byteLength));
  };

  it.each([0, 1])('of segment %i (from 0) is noticed when it is flipped, at its own record', { timeout: 180_000 }, (segment) => {
    const bytes = example.segments[segment] as Uint8Array;
    const firstIndex = segment === 0 ? 0 : 2;
    let accepted = 0;
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const changed = flipped(bytes, bit);
      const { broken, checked } = check(segment === 0 ? [changed, second] : [first, changed], example.keyBlock);
      const at = recordAt(segment, bit >> 3);
      const index = firstIndex + Math.max(0, at);
      if (!broken) accepted += 1;
      expect({ bit, segment: broken?.segment, index: broken?.index, checked }).toEqual({ bit, segment: segment + 1, index, checked: index });
      if (at < 0) expect(broken?.what).toBe('header');
    }
    expect(accepted).toBe(0);
  });

  it('names a flipped field for what it is', () => {
    const at = (byte: number): string | undefined => check([flipped(first, (HEADER_LENGTH + byte) * 8), second], example.keyBlock).broken?.what;
    expect({ length: at(3), flags: at(4), index: at(12), previous: at(20), iv: at(50), ciphertext: at(100), tag: at(320), mac: at(340) }).toEqual({
      length: 'mac', flags: 'mac', index: 'index', previous: 'hash', iv: 'mac', ciphertext: 'mac', tag: 'mac', mac: 'mac',
    });
  });

  it('of the key block is noticed when it is flipped', () => {
    for (let bit = 0; bit < example.keyBlock.byteLength * 8; bit += 1) {
      expect(check(example.segments, flipped(example.keyBlock, bit)).broken).toMatchObject({ what: 'next-key', index: 4 });
    }
  });

  it('is checked alike in whatever pieces the bytes arrive', () => {
    for (const piece of [1, 7, 216, 217, 361, 1000]) expect(check(example.segments, example.keyBlock, { piece }).broken).toBeUndefined();
    for (const piece of [1, 215, 500]) {
      expect(check([flipped(first, 8 * 900), second], example.keyBlock, { piece }).broken).toMatchObject({ index: 1, what: 'mac' });
    }
  });
});

describe('records and segments that are not where they were written', () => {
  const example = makeExample([['a', 'b', 'c', 'd'], ['e', 'f'], ['g']]);
  const { segments, records, keyBlock } = example;
  const header = (segment: number): Uint8Array => (segments[segment] as Uint8Array).subarray(0, HEADER_LENGTH);
  const [a, b, c, d] = records[0] as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const [, two, three] = segments as [Uint8Array, Uint8Array, Uint8Array];
  const withFirst = (...parts: Uint8Array[]): ReturnType<typeof check> => check([concat(header(0), ...parts), two, three], keyBlock);

  it('are found: removed, swapped, repeated, put in, cut at the end', () => {
    expect(withFirst(a, b, c, d).broken).toBeUndefined();
    expect(withFirst(b, c, d).broken).toMatchObject({ segment: 1, index: 0, what: 'index' });
    expect(withFirst(a, c, d).broken).toMatchObject({ segment: 1, index: 1, what: 'index' });
    expect(withFirst(a, c, b, d).broken).toMatchObject({ segment: 1, index: 1, what: 'index' });
    expect(withFirst(a, b, b, c, d).broken).toMatchObject({ segment: 1, index: 2, what: 'index' });
    expect(withFirst(a, b, c).broken).toMatchObject({ segment: 2, index: 3, what: 'header' });
    expect(withFirst(a, b, c, d, text('x')).broken).toMatchObject({ segment: 1, index: 4, what: 'torn' });
    expect(withFirst(a, b, c, d, new Uint8Array(64)).broken).toMatchObject({ segment: 1, index: 4, what: 'mac' });
  });

  it('are found when they come from another trail of the same vault, or from another vault', () => {
    const other = makeExample([['a', 'b', 'c', 'd'], ['e', 'f'], ['g']], 'another');
    const otherB = other.records[0]?.[1] as Uint8Array;
    expect(withFirst(a, otherB, c, d).broken).toMatchObject({ segment: 1, index: 1, what: 'hash' });
    expect(check([segments[0] as Uint8Array, other.segments[1] as Uint8Array, three], keyBlock).broken).toMatchObject({ segment: 2, what: 'header' });
    expect(check(other.segments, keyBlock).broken).toMatchObject({ what: 'next-key' });
    expect(check(segments, keyBlock, { vaultId: new Uint8Array(16) }).broken).toMatchObject({ segment: 1, index: 0, what: 'header' });
    // A whole trail put in place of this one is consistent in itself; the sealed state is what tells.
    expect(check(other.segments, other.keyBlock).broken).toBeUndefined();
    const state = { index: 4, hash: example.hashes[4] as Uint8Array };
    expect(check(other.segments, other.keyBlock, { anchors: [state], state }).broken).toMatchObject({ index: 4, what: 'fork' });
  });

  it('are found when a whole segment is missing, renamed or repeated', () => {
    const [one] = segments as [Uint8Array];
    expect(check([one, three], keyBlock, { numbers: [1, 3] }).broken).toMatchObject({ segment: 2, index: 4, what: 'missing-segment' });
    expect(check([one, three], keyBlock, { numbers: [1, 2] }).broken).toMatchObject({ segment: 2, index: 4, what: 'header' });
    expect(check([two, three], keyBlock, { numbers: [2, 3] }).broken).toMatchObject({ segment: 1, index: 0, what: 'missing-segment' });
    expect(check([one, two, two], keyBlock).broken).toMatchObject({ segment: 3, index: 6, what: 'header' });
    expect(check([one, two], keyBlock).broken).toMatchObject({ index: 6, what: 'next-key' });
    expect(check([one, two, new Uint8Array()], keyBlock).broken).toMatchObject({ segment: 3, index: 6, what: 'missing-segment' });
    expect(check([], keyBlock).broken).toMatchObject({ index: 0, what: 'next-key' });
  });

  it('are found when the end is cut at any byte', () => {
    const example2 = makeExample([['a', 'b', 'c']]);
    const [whole] = example2.segments as [Uint8Array];
    const ends = new Map([[HEADER_LENGTH, 0], [HEADER_LENGTH + 361, 1], [HEADER_LENGTH + 722, 2]]);
    for (let length = 0; length < whole.byteLength; length += 1) {
      const { broken } = check([whole.subarray(0, length)], example2.keyBlock);
      const what = ends.has(length) ? 'next-key' : length === 0 ? 'missing-segment' : length < HEADER_LENGTH ? 'header' : 'torn';
      expect({ length, ...broken }).toMatchObject({ length, what, index: Math.max(0, Math.floor((length - HEADER_LENGTH) / 361)) });
    }
  });

  it('are found by the sealed state when `trail.key` was put back too', () => {
    const early = makeExample([['a', 'b']], 'golden');
    const late = makeExample([['a', 'b', 'c']], 'golden');
    // The same trail, one record earlier: consistent in itself.
    expect(early.hashes).toEqual(late.hashes.slice(0, 2));
    expect(check(early.segments, early.keyBlock).broken).toBeUndefined();
    const state = { index: 2, hash: late.hashes[2] as Uint8Array };
    expect(check(early.segments, early.keyBlock, { anchors: [state], state }).broken).toMatchObject({ index: 2, what: 'behind-state' });
    expect(check(early.segments, early.keyBlock, { state }).broken).toMatchObject({ what: 'behind-state' });
    expect(check(late.segments, late.keyBlock, { state }).broken).toBeUndefined();
  });
});

describe('forward security', () => {
  const example = makeExample([['a', 'b', 'c', 'd', 'e', 'f']]);
  const [segment] = example.segments as [Uint8Array];
  const random = fixedRandom('thief');
  const TAKEN = 3;
  const taken = example.keys[TAKEN] as Uint8Array;

  /** The trail up to `index`, then what a thief writes with the key that he puts at `index` and its successors. */
  function forge(index: number, stolen: Uint8Array, bodies: readonly string[]): ReturnType<typeof check> {
    const kept = segment.subarray(0, HEADER_LENGTH + index * 361);
    let key = stolen;
    let chain = index === 0 ? linkHash(segment.subarray(0, HEADER_LENGTH)) : (example.hashes[index - 1] as Uint8Array);
    let bytes: Uint8Array = kept;
    bodies.forEach((body, i) => {
      const record = encodeRecord(index + i, chain, text(body), key, random);
      bytes = concat(bytes, record);
      chain = linkHash(record);
      key = nextKey(key);
    });
    const tip = { segment: 1, offset: bytes.byteLength, index: index + bodies.length, chain, head: chain };
    return check([bytes], encodeKeyBlock(vaultId, tip, key));
  }

  it('whoever takes the key at record 3 can write record 3 and later ones', () => {
    expect(forge(TAKEN, taken, ['x', 'y']).broken).toBeUndefined();
  });

  it.each([0, 1, 2])('but not record %i, which came before', (index) => {
    expect(forge(index, taken, ['x', 'y', 'z', 'w']).broken).toMatchObject({ index, what: 'mac' });
    for (let ahead = 1; ahead <= 8; ahead += 1) {
      let key = taken;
      for (let i = 0; i < ahead; i += 1) key = nextKey(key);
      expect(forge(index, key, ['x']).broken).toMatchObject({ index, what: 'mac' });
    }
  });

  it('nor leave earlier records away, or read them', () => {
    // The thief cannot make the block of an earlier end: it holds a key that the ratchet has left behind.
    const cut = segment.subarray(0, HEADER_LENGTH + 2 * 361);
    const chain = example.hashes[1] as Uint8Array;
    const block = encodeKeyBlock(vaultId, { segment: 1, offset: cut.byteLength, index: 2, chain, head: chain }, taken);
    expect(check([cut], block).broken).toMatchObject({ index: 2, what: 'next-key' });
    expect(parseKeyBlock(block)).toBeDefined();
  });

  it('and a new segment shuts a thief out who does not come again', () => {
    const two = makeExample([['a', 'b'], ['c', 'd']]);
    const [one, next] = two.segments as [Uint8Array, Uint8Array];
    let key = two.keys[1] as Uint8Array;
    for (let i = 0; i < 4; i += 1) {
      key = nextKey(key);
      expect(two.keys.slice(2)).not.toContainEqual(key);
    }
    const chain = linkHash(next.subarray(0, HEADER_LENGTH));
    const forged = encodeRecord(2, chain, text('x'), nextKey(two.keys[1] as Uint8Array), random);
    expect(check([one, concat(next.subarray(0, HEADER_LENGTH), forged)], two.keyBlock).broken).toMatchObject({ index: 2, what: 'mac' });
  });
});
