/** Wycheproof: HMAC with every hash that is offered, and HKDF. Keys of AWS's length also go through the sealer's own calls. */
import { describe, expect, test } from 'vitest';
import { HASH_LENGTH, hmac, verifyHmac } from '../../src/main/crypto/hmac.ts';
import { hkdf } from '../../src/main/crypto/kdf.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { fakeSession, givenKey, loaded } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface MacGroup {
  readonly keySize: number;
  readonly tagSize: number;
  readonly tests: readonly (Case & { readonly key: string; readonly msg: string; readonly tag: string })[];
}

const SUITES = [
  { bits: 224, hash: 'sha224', total: 172, throughSealer: 160 },
  { bits: 256, hash: 'sha256', total: 174, throughSealer: 162 },
  { bits: 384, hash: 'sha384', total: 174, throughSealer: 162 },
  { bits: 512, hash: 'sha512', total: 174, throughSealer: 162 },
] as const;

describe.each(SUITES)('HMAC with $hash', ({ bits, hash, total, throughSealer }) => {
  const { testGroups, numberOfTests } = wycheproof<MacGroup>(`hmac_${hash}`);

  test('every case; a truncated tag is never valid', async () => {
    const session = fakeSession();
    let run = 0;
    let sealer = 0;
    for (const group of testGroups) {
      const whole = group.tagSize === HASH_LENGTH[hash] * 8;
      for (const { tcId, key, msg, tag, result } of group.tests) {
        const valid = result === 'valid' && whole;
        expect(verifyHmac(hash, bytes(key), bytes(tag), bytes(msg)), `case ${tcId}`).toBe(valid);
        // The tag itself is right in truncated groups, too.
        const computed = Buffer.from(hmac(hash, bytes(key), bytes(msg))).toString('hex').slice(0, tag.length);
        expect(computed === tag, `case ${tcId}`).toBe(result === 'valid');
        run += 1;
        if (group.keySize !== bits) continue;
        const algorithm = `HMAC_SHA_${bits}` as const;
        const ref = givenKey(session, `HMAC_${bits}`, bytes(key));
        expect((await loaded(keyCalls.verifyMac(session, { key: ref, algorithm, message: bytes(msg), mac: bytes(tag) }))).valid, `case ${tcId}`).toBe(valid);
        sealer += 1;
      }
    }
    expect({ run, sealer }).toEqual({ run: total, sealer: throughSealer });
    expect(run).toBe(numberOfTests);
  });
});

interface HkdfGroup {
  readonly tests: readonly (Case & { readonly ikm: string; readonly salt: string; readonly info: string; readonly size: number; readonly okm: string })[];
}

test('HKDF-SHA-256, every case', () => {
  const { testGroups, numberOfTests } = wycheproof<HkdfGroup>('hkdf_sha256');
  let run = 0;
  for (const { tests } of testGroups) {
    for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
      run += 1;
      const derive = () => hkdf('sha256', bytes(ikm), bytes(salt), bytes(info), size);
      if (result === 'valid') expect(Buffer.from(derive()).toString('hex'), `case ${tcId}`).toBe(okm);
      else expect(derive, `case ${tcId}`).toThrow(RangeError);
    }
  }
  expect(run).toBe(86);
  expect(run).toBe(numberOfTests);
});
