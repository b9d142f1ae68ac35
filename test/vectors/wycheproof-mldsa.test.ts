/**
 * Wycheproof: ML-DSA through the sealer's own calls. Signing is hedged; with the vectors' random bytes (zeros where they name none, FIPS 204
 * section 3.4) in place of the system's it has to give their signatures, byte for byte.
 */
import { describe, expect, test } from 'vitest';
import { copy } from '../../src/main/crypto/bytes.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { materialOf } from '../../src/main/sealer/materials.ts';
import { codeOf, fakeSession, givenKey, loaded } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const algorithm = 'ML_DSA_SHAKE_256';

interface VerifyGroup {
  readonly publicKeyDer: string;
  readonly tests: readonly (Case & { readonly msg: string; readonly ctx?: string; readonly sig: string })[];
}

describe.each([['mldsa_44_verify', 'ML_DSA_44', 180], ['mldsa_65_verify', 'ML_DSA_65', 210]] as const)('%s', (file, spec, cases) => {
  const { testGroups, numberOfTests } = wycheproof<VerifyGroup>(file);

  test('every case; the context is always empty here', async () => {
    const session = fakeSession();
    let [run, valid] = [0, 0];
    for (const { publicKeyDer, tests } of testGroups) {
      for (const { tcId, comment, msg, ctx = '', sig, result } of tests) {
        run += 1;
        const reply = await keyCalls.verify(session, { publicKey: bytes(publicKeyDer), spec, algorithm, message: bytes(msg), digest: false, signature: bytes(sig) });
        expect(reply.valid, `case ${tcId}: ${comment}`).toBe(result === 'valid' && ctx === '');
        if (reply.valid) valid += 1;
      }
    }
    expect(valid).toBeGreaterThan(50);
    expect(run).toBe(cases);
    expect(run).toBe(numberOfTests);
  });
});

interface SignGroup {
  readonly privateSeed: string;
  readonly publicKey: string;
  readonly tests: readonly (Case & { readonly msg?: string; readonly mu?: string; readonly ctx?: string; readonly rnd?: string; readonly sig: string })[];
}

test('mldsa_65_sign_seed, every case', async () => {
  const { testGroups, numberOfTests } = wycheproof<SignGroup>('mldsa_65_sign_seed');
  const entropy: { next: Uint8Array } = { next: new Uint8Array(32) };
  const session = fakeSession({ bytes: () => copy(entropy.next) });
  let [run, ofMessages, ofMu, withContext] = [0, 0, 0, 0];
  for (const { privateSeed, publicKey, tests } of testGroups) {
    const key = givenKey(session, 'ML_DSA_65', bytes(privateSeed));
    const sign = (message: Uint8Array, digest: boolean) => keyCalls.sign(session, { key, purpose: 'kms', algorithm, message, digest });
    for (const { tcId, msg, mu, ctx = '', rnd, sig, result } of tests) {
      run += 1;
      if (privateSeed.length !== 64) {
        expect(await codeOf(() => sign(bytes(msg ?? ''), false)), `case ${tcId}`).toBe('VaultTamperedException');
        continue;
      }
      entropy.next = rnd === undefined ? new Uint8Array(32) : bytes(rnd);
      const opened = materialOf(session, key)?.key;
      expect(opened?.family === 'ml-dsa' && hexOf(opened.publicKey.subarray(22)), `case ${tcId}`).toBe(publicKey);
      if (ctx !== '') withContext += 1;
      if (result !== 'valid') continue;
      if (msg !== undefined && ctx === '') {
        expect(hexOf((await loaded(sign(bytes(msg), false))).signature), `case ${tcId}`).toBe(sig);
        ofMessages += 1;
      }
      if (mu !== undefined) {
        expect(hexOf((await loaded(sign(bytes(mu), true))).signature), `case ${tcId} by μ`).toBe(sig);
        ofMu += 1;
      }
    }
  }
  expect({ ofMessages, ofMu, withContext }).toEqual({ ofMessages: 81, ofMu: 101, withContext: 4 });
  expect(run).toBe(105);
  expect(run).toBe(numberOfTests);
}, 180_000);
