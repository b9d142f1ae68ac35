import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomPassphrase } from '../../../src/main/secrets/passphrase.ts';

const text = (options: Partial<Parameters<typeof randomPassphrase>[1]>, bytes: (length: number) => Uint8Array): string =>
  randomPassphrase({ bytes: (length) => new Uint8Array(bytes(length)) }, { words: 6, separator: ' ', capitalize: false, includeNumber: false, ...options }).borrow((one) => new TextDecoder().decode(one));

it('draws every one of 2,048 different words, each from as many drawings as any other', () => {
  expect(new Set(wordlist).size).toBe(2048);
  const counts = new Map<string, number>();
  for (let drawn = 0; drawn < 65_536; drawn += 1) {
    const word = text({ words: 1 }, () => Uint8Array.of(drawn >> 8, drawn & 0xff));
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  expect([counts.size, ...new Set(counts.values())]).toEqual([2048, 32]);
});

it('has as many words as asked for, capitals and one digit where they are asked for', () => {
  fc.assert(fc.property(fc.integer({ min: 3, max: 20 }), fc.boolean(), fc.boolean(), fc.infiniteStream(fc.nat(247)), (words, capitalize, includeNumber, stream) => {
    const phrase = text({ words, capitalize, includeNumber }, (length) => Uint8Array.from({ length }, () => stream.next().value ?? 0));
    const parts = phrase.split(' ');
    expect(parts).toHaveLength(words);
    expect(parts.filter((part) => /\d$/.test(part))).toHaveLength(includeNumber ? 1 : 0);
    for (const part of parts) {
      const word = part.replace(/\d$/, '');
      expect(wordlist).toContain(word.toLowerCase());
      expect(/^[A-Z]/.test(word)).toBe(capitalize);
    }
  }));
});
