/** The wire against the platform's own JSON, and against itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../src/shared/model/errors.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../src/shared/wire/encode.ts';
import { frameOf, FrameReader } from '../../src/shared/wire/frame.ts';
import { decodeEnvelope, decodeJson } from '../../src/shared/wire/json.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

const text = fc.string({ unit: 'binary', maxLength: 60 });
const key = text.filter((name) => !FORBIDDEN.has(name));
const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, fc.constant(null), fc.boolean(), number, text, fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(key, tie('value'), { maxKeys: 5 })),
}));

/** The same document, written in another way: white space, escapes, exponents. */
function rewrite(document: unknown, choose: () => number): string {
  const space = (): string => ['', '', '', ' ', '\n', '\t\r '][choose() % 6] ?? '';
  const string = (plain: string): string => {
    const units = Array.from({ length: plain.length }, (_, index) => {
      const unit = plain.charCodeAt(index);
      const hex = unit.toString(16).padStart(4, '0');
      // Both halves of a pair in the same way: one alone would be no UTF-8.
      if ((unit >= 0xd800 && unit <= 0xdfff) || unit < 0x20 || unit === 0x22 || unit === 0x5c || choose() % 5 === 0) return `\\u${choose() % 2 ? hex : hex.toUpperCase()}`;
      return plain.charAt(index);
    });
    return `"${units.join('')}"`;
  };
  const write = (part: unknown): string => {
    if (typeof part === 'string') return string(part);
    if (typeof part === 'number' && choose() % 3 === 0) return Object.is(part, -0) ? '-0' : part.toExponential();
    if (Array.isArray(part)) return `[${space()}${part.map((item) => write(item) + space()).join(`,${space()}`)}]`;
    if (typeof part === 'object' && part !== null) {
      return `{${space()}${Object.entries(part).map(([name, item]) => `${string(name)}${space()}:${space()}${write(item)}`).join(`${space()},`)}${space()}}`;
    }
    return JSON.stringify(part);
  };
  return space() + write(document) + space();
}

describe('the JSON reader', () => {
  it('agrees with JSON.parse on everything that both take', () => {
    fc.assert(
      fc.property(value, fc.infiniteStream(fc.nat(1000)), (document, stream) => {
        const written = rewrite(document, () => Number(stream.next().value));
        expect(decodeJson(utf8(written))).toEqual(JSON.parse(written));
      }),
      { numRuns: 3000 },
    );
  });

  it('never takes what JSON.parse refuses, and says the same where both take it, one byte away from JSON', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), fc.constantFrom('set', 'insert', 'remove'), (document, where, byte, how) => {
        const good = utf8(JSON.stringify(document));
        const at = where % good.length;
        const bytes = how === 'set' ? good.slice() : Uint8Array.from([...good.subarray(0, at), ...(how === 'insert' ? [byte] : []), ...good.subarray(how === 'remove' ? at + 1 : at)]);
        if (how === 'set') bytes[at] = byte;
        let ours: unknown;
        try {
          ours = decodeJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(VaultError);
          expect((error as VaultError).code).toBe('SerializationException');
          return;
        }
        expect(ours).toEqual(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
      }),
      { numRuns: 5000 },
    );
  });

  it('takes whatever JSON.parse takes, but for the classes that it refuses by name', () => {
    const allowed = /forbidden|not allowed|second time|surrogate|2\^53|double|deeper|byte order/;
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (written) => {
        try {
          expect(decodeJson(utf8(written))).toEqual(JSON.parse(written));
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          expect(error.message).toMatch(allowed);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the same input by skipping it as by reading it', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 6 }), fc.infiniteStream(fc.nat(1000)), fc.nat(1000), (input, stream, id) => {
        const written = rewrite(input, () => Number(stream.next().value));
        const envelope = decodeEnvelope(utf8(`{"input":${written},"id":${String(id)}}`));
        expect(envelope['id']).toBe(id);
        expect(decodeJson(envelope['input'] as Uint8Array)).toEqual(JSON.parse(written));
      }),
      { numRuns: 1500 },
    );
  });

  it('decodes a secret exactly when Node finds the text canonical', () => {
    const fields = { secretFields: new Set(['s']) };
    const nearly = fc.oneof(
      fc.base64String({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.string({ unit: fc.constantFrom('A', 'B', 'Q', 'g', '0', '1', '+', '/', '=', '-', '_', ' '), maxLength: 12 }),
    );
    fc.assert(
      fc.property(nearly, (candidate) => {
        const canonical = Buffer.from(candidate, 'base64').toString('base64') === candidate;
        const bytes = utf8(`{"s":"${candidate}"}`);
        if (!canonical) expect(() => decodeJson(bytes, fields)).toThrow(VaultError);
        else {
          const { s } = decodeJson(bytes, fields) as { s: SecretBytes };
          expect(s.borrow((plain) => Buffer.from(plain).toString('base64'))).toBe(candidate);
        }
      }),
      { numRuns: 4000 },
    );
  });
});

describe('encode and decode', () => {
  it('agree with JSON.stringify, and come back as they went', () => {
    fc.assert(
      fc.property(value, (document) => {
        const bytes = encodeJson(document);
        expect(Buffer.from(bytes).toString()).toBe(JSON.stringify(document));
        // JSON has one zero.
        expect(decodeJson(bytes)).toEqual(JSON.parse(JSON.stringify(document)));
      }),
      { numRuns: 3000 },
    );
  });

  it('bring bytes and secrets back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.dictionary(key.filter((name) => name !== 'secret'), value), (bytes, rest) => {
        const encoded = encodeJson({ ...rest, secret: SecretBytes.copy(bytes) });
        const decoded = decodeJson(encoded, { secretFields: new Set(['secret']) }) as { secret: SecretBytes };
        expect(decoded.secret.borrow((plain) => Buffer.from(plain).equals(bytes))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('hold to any limit', () => {
    fc.assert(
      fc.property(value, fc.nat(300), (document, limit) => {
        const length = Buffer.byteLength(JSON.stringify(document));
        if (length <= limit - 6) expect(encodeJson(document, { limit }).length).toBe(length);
        else if (length > limit) expect(() => encodeJson(document, { limit })).toThrow(VaultError);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('frames', () => {
  it('come out of any chunks as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 }), fc.array(fc.nat(400), { minLength: 1, maxLength: 60 }), (bodies, sizes) => {
        const stream = Buffer.concat(bodies.map((body) => frameOf(body)));
        const reader = new FrameReader({ wipeChunks: true });
        const frames: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = turn < sizes.length ? (sizes[turn] ?? 0) : 400;
          reader.push(stream.subarray(at, at + size), (frame) => frames.push(Buffer.from(frame)));
          at += size;
        }
        expect(frames.map((frame) => frame.toString('hex'))).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
        expect(reader.pending).toBe(false);
        expect(stream.every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });
});
