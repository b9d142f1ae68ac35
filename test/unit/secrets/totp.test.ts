/** One-time codes against the vectors of RFC 6238 appendix B, RFC 4226 appendix D and RFC 4648 section 10. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneTimeCode, oneTimeSeed } from '../../../src/main/secrets/totp.ts';
import { instant } from '../../../src/shared/model/ids.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** Bit by bit, as RFC 4648 section 6 has it: another way than the code's own. */
const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET.charAt(parseInt(five.padEnd(5, '0'), 2))).join('');
};
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeAt = (text: string, seconds: number): string => oneTimeCode(oneTimeSeed(text), instant(seconds * 1000)).code.borrow((bytes) => new TextDecoder().decode(bytes));
const uri = (seed: string, algorithm: string, more = '&digits=8'): string => `otpauth://totp/ACME:ada?secret=${base32(ascii(seed))}&issuer=ACME&algorithm=${algorithm}${more}`;

const SEEDS = { SHA1: '12345678901234567890', SHA256: '12345678901234567890123456789012', SHA512: '1234567890123456789012345678901234567890123456789012345678901234' };
const VECTORS = [
  [59, '94287082', '46119246', '90693936'],
  [1_111_111_109, '07081804', '68084774', '25091201'],
  [1_111_111_111, '14050471', '67062674', '99943326'],
  [1_234_567_890, '89005924', '91819424', '93441116'],
  [2_000_000_000, '69279037', '90698825', '38618901'],
  [20_000_000_000, '65353130', '77737706', '47863826'],
] as const;

describe('one-time codes', () => {
  it.each(VECTORS)('are those of RFC 6238 at %i s', (at, sha1, sha256, sha512) => {
    expect([codeAt(uri(SEEDS.SHA1, 'SHA1'), at), codeAt(uri(SEEDS.SHA256, 'SHA256'), at), codeAt(uri(SEEDS.SHA512, 'SHA512'), at)]).toEqual([sha1, sha256, sha512]);
  });

  it('are those of RFC 4226 for counters from 0, from the seed alone', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => codeAt('gezd gnbv-gy3t qojq GEZDGNBVGY3TQOJQ', counter * 30));
    expect(codes).toEqual(['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']);
  });

  it('say when the next one begins', () => {
    const seed = oneTimeSeed(uri(SEEDS.SHA1, 'SHA1', '&period=45'));
    for (const [at, until] of [[0, 45], [44, 45], [45, 90]] as const) expect(oneTimeCode(seed, instant(at * 1000)).until).toBe(until * 1000);
  });

  it('read base32 as RFC 4648 writes it, with and without padding', () => {
    for (const [text, bytes] of [['MY======', 'f'], ['MZXQ====', 'fo'], ['MZXW6===', 'foo'], ['MZXW6YQ=', 'foob'], ['MZXW6YTB', 'fooba'], ['MZXW6YTBOI======', 'foobar']] as const) {
      expect(oneTimeSeed(`otpauth://totp/x?secret=${text}`).key.borrow((key) => new TextDecoder().decode(key))).toBe(bytes);
    }
    fc.assert(fc.property(fc.uint8Array({ minLength: 10, maxLength: 128 }), (bytes) => {
      expect(oneTimeSeed(base32(bytes)).key.borrow((key) => [...key])).toEqual([...bytes]);
    }));
  });

  it.each(['', 'ada', 'MZXW6YTBOI======', 'not base32!', '0189', 'otpauth://hotp/x?secret=MZXW6YTB&counter=1', 'otpauth://totp/x', 'otpauth://totp/x?secret=', 'otpauth://totp/x?secret=MZXW6YTB&digits=5', 'otpauth://totp/x?secret=MZXW6YTB&digits=6.5', 'otpauth://totp/x?secret=MZXW6YTB&period=0', 'otpauth://totp/x?secret=MZXW6YTB&algorithm=MD5', 'otpauth:totp', `otpauth://totp/x?secret=${'A'.repeat(5000)}`])('refuse %j, and repeat nothing of it', (text) => {
    expect(() => oneTimeSeed(text)).toThrow(/^the value is no seed of one-time codes: [^MZ]*$/);
  });

  it('end in a seed or a refusal for whatever comes', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((text) => `otpauth://totp/${text}`), fc.webUrl().map((url) => url.replace(/^https?/, 'otpauth'))), (text) => {
      try {
        const { digits, period } = oneTimeSeed(text);
        expect([digits >= 6 && digits <= 8, period >= 5 && period <= 3600]).toEqual([true, true]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'InvalidParameterException' });
      }
    }));
  });
});
