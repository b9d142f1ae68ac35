import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { randomPassword, type PasswordOptions } from '../../../src/main/secrets/password.ts';

const plain: PasswordOptions = {
  length: 32, excludeCharacters: '', excludeNumbers: false, excludePunctuation: false, excludeUppercase: false, excludeLowercase: false, includeSpace: false, requireEachIncludedType: true,
};
const make = (options: Partial<PasswordOptions>): string => {
  using password = randomPassword(systemRandom, { ...plain, ...options });
  return password.borrow((bytes) => new TextDecoder().decode(bytes));
};
const TYPES = { excludeLowercase: /[a-z]/, excludeUppercase: /[A-Z]/, excludeNumbers: /[0-9]/, excludePunctuation: /[!-/:-@[-`{-~]/ } as const;
const invalid = expect.objectContaining({ code: 'InvalidParameterException' });

it('fits its options, whatever they are', () => {
  const flag = fc.boolean();
  const options = fc.record({ length: fc.integer({ min: 4, max: 100 }), excludeNumbers: flag, excludePunctuation: flag, excludeUppercase: flag, excludeLowercase: flag, includeSpace: flag, requireEachIncludedType: flag });
  fc.assert(
    fc.property(options, (given) => {
      const types = Object.entries(TYPES) as [keyof typeof TYPES, RegExp][];
      if (types.every(([name]) => given[name]) && !given.includeSpace) {
        expect(() => make(given)).toThrow(invalid);
        return;
      }
      const password = make(given);
      expect(password).toHaveLength(given.length);
      for (const [name, type] of types) {
        if (given[name]) expect(password).not.toMatch(type);
        else if (given.requireEachIncludedType) expect(password).toMatch(type);
      }
      if (!given.includeSpace) expect(password).not.toContain(' ');
    }),
  );
});

it('holds none of the excluded characters', () => {
  const allButTwo = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).filter((one) => one !== 'x' && one !== '7').join('');
  expect(make({ excludeCharacters: allButTwo, length: 50 })).toMatch(/^[x7]{50}$/);
});

it('says when nothing can be made', () => {
  expect(() => make({ length: 3 })).toThrow(invalid);
  expect(make({ length: 3, requireEachIncludedType: false })).toHaveLength(3);
});

it('uses every character of the alphabet about as often as any other', () => {
  const counts = new Map<string, number>();
  for (const one of Array.from({ length: 25 }, () => make({ length: 4096 })).join('')) counts.set(one, (counts.get(one) ?? 0) + 1);
  expect(counts.size).toBe(94);
  const mean = (25 * 4096) / 94;
  // Chi-squared with 93 degrees of freedom: above 165 once in 200,000 runs.
  expect([...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)).toBeLessThan(165);
});
