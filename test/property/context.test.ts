/** Properties of the encryption context's canonical form. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex, isWellFormed, readU32 } from '../../src/main/crypto/bytes.ts';
import { canonicalContext } from '../../src/main/crypto/context.ts';
import { VaultError } from '../../src/shared/model/errors.ts';

const RUNS = { numRuns: 2000 };
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter(isWellFormed);
const pairs = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 8 });
const object = (entries: readonly (readonly [string, string])[]): Record<string, string> => {
  const out = Object.create(null) as Record<string, string>;
  for (const [key, value] of entries) out[key] = value;
  return out;
};

/** An independent reader of the form. */
function parse(bytes: Uint8Array): [string, string][] {
  const count = readU32(bytes, 0);
  let offset = 4;
  const next = (): string => {
    const length = readU32(bytes, offset);
    const part = Buffer.from(bytes.subarray(offset + 4, offset + 4 + length)).toString('utf8');
    offset += 4 + length;
    return part;
  };
  const out = Array.from({ length: count }, (): [string, string] => [next(), next()]);
  expect(offset).toBe(bytes.byteLength);
  return out;
}

describe('canonical context', () => {
  test('does not depend on the order of pairs', () => {
    fc.assert(
      fc.property(pairs.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))), ([one, other]) => {
        expect(hex(canonicalContext(object(one)))).toBe(hex(canonicalContext(object(other))));
      }),
      RUNS,
    );
  });

  test('says exactly the pairs, sorted by their UTF-8 bytes', () => {
    fc.assert(
      fc.property(pairs, (all) => {
        const sorted = all.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(parse(canonicalContext(object(all)))).toEqual(sorted);
      }),
      RUNS,
    );
  });

  test('two contexts have one form only when they are the same', () => {
    // Short texts over few letters, so that pairs whose concatenations collide are frequent.
    const tight = fc.uniqueArray(fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b', '\u0000'), maxLength: 3 }), fc.string({ unit: fc.constantFrom('a', 'b', '\u0000'), maxLength: 3 })), {
      selector: ([key]) => key,
      maxLength: 3,
    });
    const same = (a: readonly (readonly [string, string])[], b: readonly (readonly [string, string])[]): boolean =>
      JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
    fc.assert(
      fc.property(tight, tight, (one, other) => {
        expect(hex(canonicalContext(object(one))) === hex(canonicalContext(object(other)))).toBe(same(one, other));
      }),
      { numRuns: 5000 },
    );
  });

  test('a lone surrogate anywhere is refused', () => {
    const lone = fc.tuple(text, fc.integer({ min: 0xd800, max: 0xdfff }), fc.constantFrom('', 'x')).map(([before, unit, after]) => `${before}x${String.fromCharCode(unit)}${after}`);
    fc.assert(
      fc.property(lone, fc.boolean(), (bad, inKey) => {
        expect(() => canonicalContext(object([inKey ? [bad, 'v'] : ['k', bad]]))).toThrow(VaultError);
      }),
      RUNS,
    );
  });
});

test('the form is frozen', () => {
  expect(hex(canonicalContext({}))).toBe('00000000');
  expect(hex(canonicalContext({ b: '2', a: '1' }))).toBe('00000002' + '0000000161' + '0000000131' + '0000000162' + '0000000132');
});

test('UTF-8 order, not UTF-16 order', () => {
  // U+FFFD is ef bf bd, U+1F600 is f0 9f 98 80; as UTF-16 units the second comes first.
  expect(parse(canonicalContext({ '\u{1F600}': 'b', '\ufffd': 'a' })).map(([key]) => key)).toEqual(['\ufffd', '\u{1F600}']);
});

test('no normalisation: composed and decomposed are two contexts', () => {
  expect(hex(canonicalContext({ k: '\u00e9' }))).not.toBe(hex(canonicalContext({ k: 'e\u0301' })));
});

test('an own `__proto__` is a key like any other, an inherited key is none', () => {
  const parsed = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
  expect(parse(canonicalContext(parsed))).toEqual([['__proto__', 'x']]);
  expect(hex(canonicalContext(Object.create({ inherited: 'x' }) as Record<string, string>))).toBe('00000000');
  expect(() => canonicalContext({ k: 1 } as unknown as Record<string, string>)).toThrow(VaultError);
});
