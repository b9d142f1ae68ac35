import { describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../../src/shared/wire/encode.ts';

const textOf = (value: unknown): string => new TextDecoder('utf-8', { fatal: true }).decode(encodeJson(value));

describe('encodeJson', () => {
  it.each([
    ['a string', 'plain'],
    ['every ASCII character', String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code))],
    ['characters of two, three and four bytes', 'é€\u{1f639}\u2028\uffff\u{10ffff}'],
    ['an empty string', ''],
    ['a long string with one escape at its end', `${'x'.repeat(5000)}\n`],
    ['numbers', [0, -0, 1, -1, 0.1, 1e21 / 1e10, 5e-324, 9007199254740991]],
    ['literals', [true, false, null]],
    ['nothing much', [{}, [], [[]], { '': {} }]],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('agrees with JSON.stringify on %s', (_name, value) => {
    expect(textOf(value)).toBe(JSON.stringify(value));
  });

  it('writes bytes and secrets as base64, for every length to 100', () => {
    for (let length = 0; length <= 100; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 91 + length) & 255);
      const base64 = Buffer.from(bytes).toString('base64');
      expect(textOf({ blob: bytes, secret: SecretBytes.copy(bytes) })).toBe(`{"blob":"${base64}","secret":"${base64}"}`);
    }
  });

  it('leaves out fields that are undefined', () => {
    expect(textOf({ a: undefined, b: 1, c: undefined })).toBe('{"b":1}');
  });

  it.each([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a function', { a: () => 1 }],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['another typed array', new Uint16Array(2)],
    ['an array buffer', new ArrayBuffer(2)],
    ['NaN', NaN],
    ['infinity', -Infinity],
    ['an unsafe integer', 2 ** 53],
    ['a lone high surrogate', 'a\ud800b'],
    ['a high surrogate at the end', '\ud800'],
    ['a lone low surrogate', '\udc00'],
    ['a forbidden key', JSON.parse('{"__proto__":1}')],
    ['a lone surrogate in a key', { '\ud800': 1 }],
  ])('refuses %s', (_name, value) => {
    expect(() => encodeJson(value)).toThrow(expect.objectContaining({ code: 'SerializationException' }) as Error);
  });

  it('refuses cycles and depth over 32', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => encodeJson(cycle)).toThrow('nested deeper than 32');
  });

  it('refuses a wiped secret', () => {
    const secret = SecretBytes.allocate(4);
    secret[Symbol.dispose]();
    expect(() => encodeJson({ secret })).toThrow(TypeError);
  });

  it('holds to its limit, exactly', () => {
    expect(encodeJson('x'.repeat(98), { limit: 100 }).length).toBe(100);
    expect(() => encodeJson('x'.repeat(99), { limit: 100 })).toThrow(expect.objectContaining({ code: 'RequestTooLargeException' }) as Error);
    expect(encodeJson(new Uint8Array(73), { limit: 102 }).length).toBe(102);
    expect(() => encodeJson(new Uint8Array(76), { limit: 102 })).toThrow(expect.objectContaining({ code: 'RequestTooLargeException' }) as Error);
  });

  it('wipes every buffer that it outgrew, and the last one when it refuses', () => {
    const made: ArrayBuffer[] = [];
    vi.stubGlobal('ArrayBuffer', class extends ArrayBuffer {
      constructor(length: number) {
        super(length);
        made.push(this);
      }
    });
    const secrets = (count: number): SecretBytes[] => Array.from({ length: count }, () => SecretBytes.copy(new Uint8Array(300).fill(7)));
    const values = secrets(20);
    try {
      made.length = 0;
      const bytes = encodeJson({ values });
      expect(made.length).toBeGreaterThan(3);
      expect(made.pop()).toBe(bytes.buffer);
      expect(() => encodeJson({ values, last: 1n })).toThrow();
    } finally {
      vi.unstubAllGlobals();
    }
    expect(made.every((buffer) => new Uint8Array(buffer).every((byte) => byte === 0))).toBe(true);
  });

  it('leaves the reserved room free', () => {
    expect([...encodeJson([1], { reserve: 4 })]).toEqual([0, 0, 0, 0, 0x5b, 0x31, 0x5d]);
  });
});
