import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecoveryCode, generateRecoveryCode, parseRecoveryCode } from '../../../src/main/seal/recovery-code.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (code: Uint8Array): string => new TextDecoder().decode(code);
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const code = text(generateRecoveryCode(fixedRandom('code')));
const mistyped = { code: 'IncorrectRecoveryCodeException', details: { mistyped: 'true' } };

describe('recovery code', () => {
  it('is 28 characters of the alphabet, frozen', () => {
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{28}$/);
    expect(code).toBe('WMZDCFM1J2YBRKNBRCNJYS2DXXPE');
  });

  it('ends with the first ten bits of SHA-256 of label and code', () => {
    const hash = createHash('sha256').update(`keystead/recovery-check/1${code.slice(0, 26)}`).digest();
    const bits = (hash.readUInt16BE(0) >> 6) & 0x3ff;
    expect(code.slice(26)).toBe(`${ALPHABET[bits >> 5]!}${ALPHABET[bits & 31]!}`);
  });

  it('is shown in seven groups of four', () => {
    const shown = text(formatRecoveryCode(bytes(code)));
    expect(shown.split('-').map((group) => group.length)).toEqual([4, 4, 4, 4, 4, 4, 4]);
    expect(shown.replaceAll('-', '')).toBe(code);
  });

  it.each([
    ['as shown', text(formatRecoveryCode(bytes(code)))],
    ['lower case', code.toLowerCase()],
    ['O for 0', code.replaceAll('0', 'o')],
    ['I and l for 1', code.replaceAll('1', 'l')],
    ['spaces, tabs, line ends', ` ${code.slice(0, 9)}\t${code.slice(9, 20)}\r\n${code.slice(20)} `],
    ['dashes of word processors', `${code.slice(0, 4)}\u2013${code.slice(4, 8)}\u2014${code.slice(8, 12)}\u2212${code.slice(12, 16)}\u00a0${code.slice(16)}`],
  ])('forgives %s', (_name, typed) => {
    expect(text(parseRecoveryCode(bytes(typed)))).toBe(code);
  });

  it.each([
    ['empty', ''],
    ['short', code.slice(0, 27)],
    ['long', `${code}0`],
    ['U, which no code has', `U${code.slice(1)}`],
    ['another script', `\u0410${code.slice(1)}`],
    ['cut in the middle of a dash', `${code.slice(0, 4)}\u2013`],
  ])('refuses %s as mistyped', (_name, typed) => {
    expect(() => parseRecoveryCode(bytes(typed))).toThrow(expect.objectContaining(mistyped));
  });

  it('notices all but one of 1,024 single typing errors', () => {
    let accepted = 0;
    let tried = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const valid = text(generateRecoveryCode(fixedRandom(`typing ${String(seed)}`)));
      for (let place = 0; place < 28; place += 1) {
        for (const character of ALPHABET) {
          if (character === valid[place]) continue;
          tried += 1;
          try {
            parseRecoveryCode(bytes(valid.slice(0, place) + character + valid.slice(place + 1)));
            accepted += 1;
          } catch {
            // Noticed.
          }
        }
      }
    }
    expect(tried).toBe(20 * 28 * 31);
    expect(accepted).toBeLessThan((tried / 1024) * 3);
  });

  it('never crashes on what was typed, and says nothing of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (typed) => {
        try {
          parseRecoveryCode(typed);
        } catch (error) {
          expect(error).toMatchObject(mistyped);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
