import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METHODS, decodeMessage, encodeError, encodeReply, encodeRequest, errorOf } from '../../../src/main/seal/wire.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

const decode = (frame: Uint8Array) => decodeMessage(frame, () => 'views');
const malformed: unknown = expect.objectContaining({ code: 'SerializationException' });
const roundTrip = (body: object): unknown => decode(encodeReply(7, body)).body;

/** JSON values and bytes, without what JSON cannot tell apart (-0, undefined) and without null. */
const { value } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => `\u0000${text}`),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
    fc.boolean(),
    fc.uint8Array({ maxLength: 100 }),
  ),
  value: fc.oneof({ maxDepth: 4 }, tie('leaf'), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.string().filter((key) => key !== '__proto__'), tie('value'), { maxKeys: 4, noNullPrototype: true })),
}));
const messages = fc.dictionary(fc.string().filter((key) => key !== '__proto__'), value, { maxKeys: 5, noNullPrototype: true });

describe('messages', () => {
  it('come back as they were sent, bytes at any depth', () => {
    fc.assert(
      fc.property(messages, (body) => {
        expect(roundTrip(body)).toEqual(body);
      }),
      { numRuns: 1000 },
    );
  });

  it('do not take a text for bytes, whatever a caller chose', () => {
    const context = { '\u0000': '\u0000', '': '\u0000\u0000', a: '\u0000x', b: '\\u0000', c: Uint8Array.of(1) };
    expect(roundTrip({ context })).toEqual({ context });
  });

  it('keep bytes in place where keys look like numbers', () => {
    const body = { b: Uint8Array.of(1), 10: Uint8Array.of(2), 2: Uint8Array.of(3), a: [Uint8Array.of(4), 'x', Uint8Array.of()] };
    expect(roundTrip(body)).toEqual(body);
  });

  it('leave undefined fields out', () => {
    expect(roundTrip({ a: undefined, b: 1 })).toEqual({ b: 1 });
  });

  it.each([
    ['null', { a: null }],
    ['NaN', { a: Number.NaN }],
    ['a function', { a: () => 1 }],
    ['a bigint', { a: 1n }],
    ['undefined in a list', { a: [undefined] }],
    ['__proto__', Object.defineProperty({}, '__proto__', { value: 1, enumerable: true })],
  ])('cannot hold %s', (_name, body) => {
    expect(() => encodeReply(1, body)).toThrow(malformed);
  });

  it('carry the method and the call id', () => {
    for (const method of METHODS) expect(decode(encodeRequest(0xffff_ffff, method, {}))).toMatchObject({ id: 0xffff_ffff, kind: 'request', method });
  });

  it('carry errors of the table, and no others', () => {
    const error = new VaultError('VaultTamperedException', 'rows are missing; restore a backup', { details: { what: 'rows' } });
    expect(errorOf(decode(encodeError(1, error.toBody())).body)).toMatchObject({ code: error.code, message: error.message, details: error.details });
    for (const body of [{}, { code: 'Nope', message: 'x' }, { code: 'toString', message: 'x' }, { code: 'InternalException', message: 1 }]) {
      expect(errorOf(body)).toMatchObject({ code: 'InternalException' });
    }
  });
});

describe('malformed frames', () => {
  const frame = encodeRequest(3, 'blind', { table: 'keys', value: 'x', extra: [Uint8Array.of(1, 2, 3), Uint8Array.of()] } as never);

  it('are refused when cut or extended anywhere', () => {
    for (let length = 0; length < frame.byteLength; length += 1) expect(() => decode(frame.subarray(0, length))).toThrow(malformed);
    expect(() => decode(Uint8Array.from([...frame, 0]))).toThrow(malformed);
  });

  it('give an error and nothing else, for 20,000 of them', () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.tuple(fc.nat(frame.byteLength - 1), fc.integer({ min: 1, max: 255 }), fc.nat(frame.byteLength - 1)).map(([place, change, other]) => {
        const changed = Uint8Array.from(frame);
        changed[place]! ^= change;
        changed[other]! ^= change;
        return changed;
      })), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          refused += 1;
          expect(error).toEqual(malformed);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(refused).toBeGreaterThan(10_000);
  });

  const raw = (json: string, parts: readonly Uint8Array[] = [], head: readonly number[] = [0, 0, 0, 1, 1, 0]): Uint8Array => {
    const body = new TextEncoder().encode(json);
    const u32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
    return Uint8Array.from([...head, ...u32(body.length), ...body, ...u32(parts.length), ...parts.flatMap((part) => u32(part.length)), ...parts.flatMap((part) => [...part])]);
  };

  it.each([
    ['no JSON', raw('{')],
    ['null', raw('{"a":null}')],
    ['a list', raw('[]')],
    ['a number', raw('1')],
    ['bytes at the top', raw('"\\u0000"', [Uint8Array.of(1)])],
    ['__proto__', raw('{"__proto__":{}}')],
    ['a part that nothing takes', raw('{}', [Uint8Array.of(1)])],
    ['bytes without a part', raw('{"a":"\\u0000"}')],
    ['a half mark', raw('{"a":"\\u0000x"}')],
    ['depth', raw(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`)],
    ['no such kind', raw('{}', [], [0, 0, 0, 1, 9, 0])],
    ['no such method', raw('{}', [], [0, 0, 0, 1, 0, 200])],
    ['a method in a reply', raw('{}', [], [0, 0, 0, 1, 1, 3])],
    ['a lying part count', Uint8Array.from([...raw('{}').subarray(0, 12), 255, 255, 255, 255])],
  ])('are refused for %s', (_name, bytes) => {
    expect(() => decode(bytes)).toThrow(malformed);
  });

  it('are refused for broken UTF-8', () => {
    const bytes = raw('{"a":"xx"}');
    bytes[16] = 0xff;
    expect(() => decode(bytes)).toThrow(malformed);
  });
});
