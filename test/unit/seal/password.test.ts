import { expect, it } from 'vitest';
import { normalPassword } from '../../../src/main/seal/password.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (typed: string): string => new TextDecoder().decode(normalPassword(bytes(typed)));

it('brings what looks the same into one form', () => {
  expect(text('A\u030angstro\u0308m')).toBe('\u00c5ngstr\u00f6m');
  expect(text('\u212bngstr\u00f6m')).toBe('\u00c5ngstr\u00f6m');
  expect(text('\ufb01sh \uff11\uff12 \u2167')).toBe('fish 12 VIII');
  // Hangul, jamo by jamo and as syllables.
  expect(text('\u1112\u1161\u11ab')).toBe('\ud55c');
});

it('leaves ASCII as it is, and what is not UTF-8 too', () => {
  expect(text(' Tr0ub4dor&3\t')).toBe(' Tr0ub4dor&3\t');
  const odd = Uint8Array.of(0xff, 0x41, 0xcc, 0x8a, 0xed, 0xa0, 0x80);
  expect(normalPassword(odd)).toEqual(odd);
});

it('gives bytes of its own, outside the heap', () => {
  const typed = bytes('password');
  const normal = normalPassword(typed);
  normal.fill(0);
  expect(typed).toEqual(bytes('password'));
  expect(normal.buffer.byteLength).toBe(8);
});
