import { describe, expect, test } from 'vitest';
import { allocate, compareBytes, concat, copy, fromHex, hex, lp, readU32, readU64, take, u32, u64, u8, utf8, wipe } from '../../../src/main/crypto/bytes.ts';
import { base64ToBytes, bytesToBase64 } from '../../../src/shared/wire/base64.ts';
import { constantTimeEqual } from '../../../src/main/crypto/equal.ts';

describe('bytes of a fixed form', () => {
  test('numbers are big-endian and refuse what does not fit', () => {
    expect(hex(concat(u8(1), u32(0x0203_0405), u64(2 ** 53 - 1)))).toBe('0102030405001fffffffffffff');
    expect(readU32(fromHex('00ffffffff'), 1)).toBe(0xffff_ffff);
    expect(readU64(fromHex('001fffffffffffff'), 0)).toBe(2 ** 53 - 1);
    for (const make of [() => u8(256), () => u32(2 ** 32), () => u32(-1), () => u32(1.5), () => u64(2 ** 53), () => u64(-1), () => readU64(fromHex('0020000000000000'), 0), () => readU32(fromHex('000000'), 0)]) {
      expect(make).toThrow(RangeError);
    }
  });

  test('a length prefix counts bytes', () => {
    expect(hex(lp(utf8('é')))).toBe('00000002c3a9');
    expect(hex(lp(allocate(0)))).toBe('00000000');
  });

  test('UTF-8 refuses a lone surrogate and takes a pair', () => {
    expect(hex(utf8('\u{1F600}'))).toBe('f09f9880');
    for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) expect(() => utf8(text)).toThrow(TypeError);
  });

  test('hexadecimal and base64 agree with Node', () => {
    for (let length = 0; length < 40; length += 1) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length) & 0xff));
      expect(hex(bytes)).toBe(bytes.toString('hex'));
      expect(bytesToBase64(bytes)).toBe(bytes.toString('base64'));
      expect(base64ToBytes(bytes.toString('base64'))).toEqual(Uint8Array.from(bytes));
      expect(Buffer.from(fromHex(hex(bytes))).equals(bytes)).toBe(true);
    }
    for (const text of ['0', 'zz', '0 ', '0x']) expect(() => fromHex(text)).toThrow(TypeError);
  });
});

test('each byte string has memory of its own', () => {
  const source = Uint8Array.of(1, 2, 3);
  for (const bytes of [allocate(3), copy(source), concat(source), utf8('abc'), u32(1)]) {
    expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
    expect(bytes.byteOffset).toBe(0);
  }
  const taken = take(source);
  expect([...taken, ...source]).toEqual([1, 2, 3, 0, 0, 0]);
  wipe(taken, undefined);
  expect([...taken]).toEqual([0, 0, 0]);
});

test('byte order is unsigned, and a beginning comes first', () => {
  expect(compareBytes(fromHex('7f'), fromHex('80'))).toBeLessThan(0);
  expect(compareBytes(fromHex('01'), fromHex('0100'))).toBeLessThan(0);
  expect(compareBytes(fromHex('0102'), fromHex('0102'))).toBe(0);
});

test('equality of different lengths is false, not an error', () => {
  expect(constantTimeEqual(fromHex('01'), fromHex('01'))).toBe(true);
  expect(constantTimeEqual(fromHex('01'), fromHex('02'))).toBe(false);
  expect(constantTimeEqual(fromHex('01'), fromHex('0101'))).toBe(false);
});
