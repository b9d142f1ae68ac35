import { hkdfSync } from 'node:crypto';
import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js';
import { describe, expect, test } from 'vitest';
import { fromHex, hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import { argon2id, hkdf, hkdfExpand, hkdfExtract } from '../../../src/main/crypto/kdf.ts';

describe('HKDF', () => {
  test('RFC 5869 appendix A.1, extract and expand apart', () => {
    const prk = hkdfExtract('sha256', fromHex('000102030405060708090a0b0c'), fromHex('0b'.repeat(22)));
    expect(hex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
    const okm = hkdfExpand('sha256', prk, fromHex('f0f1f2f3f4f5f6f7f8f9'), 42);
    expect(hex(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  });

  test.each(['sha256', 'sha512'] as const)('%s agrees with node:crypto at every length around a block', (hash) => {
    for (const length of [1, 31, 32, 33, 63, 64, 65, 76, 127, 128, 129, 1000]) {
      const ours = hkdf(hash, fromHex('aa'.repeat(32)), fromHex('bb'.repeat(32)), utf8('info'), length);
      expect(hex(ours)).toBe(Buffer.from(hkdfSync(hash, fromHex('aa'.repeat(32)), fromHex('bb'.repeat(32)), 'info', length)).toString('hex'));
    }
  });

  test('a length that HKDF cannot give is refused', () => {
    for (const length of [0, -1, 1.5, 255 * 64 + 1]) expect(() => hkdf('sha512', fromHex('aa'), fromHex(''), fromHex(''), length)).toThrow(RangeError);
  });
});

describe('Argon2id', () => {
  test('the reference implementation\'s own test (phc-winner-argon2, test.c): t=2, m=64 MiB, p=1', async () => {
    const out = await argon2id(utf8('password'), utf8('somesalt'), { memory: 65_536, passes: 2, lanes: 1 }, 32);
    expect(hex(out)).toBe('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7');
  });

  test('several lanes and other lengths agree with @noble/hashes', async () => {
    for (const [lanes, length] of [[1, 16], [4, 32], [3, 64]] as const) {
      const cost = { memory: 128, passes: 3, lanes };
      const ours = await argon2id(utf8('pass\u00e9'), fromHex('11'.repeat(16)), cost, length);
      expect(hex(ours)).toBe(hex(nobleArgon2id(utf8('pass\u00e9'), fromHex('11'.repeat(16)), { m: cost.memory, t: cost.passes, p: lanes, dkLen: length })));
      expect(ours.buffer.byteLength).toBe(length);
    }
  });

  test('inputs stay the caller\'s and are not changed; refused parameters carry no detail', async () => {
    const password = utf8('password');
    await argon2id(password, fromHex('22'.repeat(16)), { memory: 64, passes: 1, lanes: 1 }, 32);
    expect(hex(password)).toBe(hex(utf8('password')));
    const refused = argon2id(password, fromHex('22'), { memory: 64, passes: 1, lanes: 1 }, 32);
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.not.toThrow(/password$/);
  });

  test('the caller may wipe its password as soon as it has the promise', async () => {
    const cost = { memory: 1024, passes: 2, lanes: 1 };
    const expected = hex(await argon2id(utf8('password'), fromHex('22'.repeat(16)), cost, 32));
    const password = utf8('password');
    // More runs than libuv has threads, so that the last one still waits for its thread when its password goes.
    const before = Array.from({ length: 6 }, () => argon2id(utf8('other'), fromHex('22'.repeat(16)), cost, 32));
    const last = argon2id(password, fromHex('22'.repeat(16)), cost, 32);
    password.fill(0);
    expect(hex(await last)).toBe(expected);
    await Promise.all(before);
  });

  test('the event loop turns while it works', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await argon2id(utf8('password'), fromHex('33'.repeat(16)), { memory: 65_536, passes: 3, lanes: 1 }, 32);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
