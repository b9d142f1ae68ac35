/** Wycheproof: ECDH on the NIST curves and ML-KEM through the sealer's own calls, the vectors' private keys as materials. */
import { createECDH } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { writeEcPkcs8, writeSpki } from '../../src/main/crypto/der.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { materialOf } from '../../src/main/sealer/materials.ts';
import { codeOf, fakeSession, givenKey, loaded } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex');

interface EcdhGroup {
  readonly tests: readonly (Case & { readonly public: string; readonly private: string; readonly shared: string })[];
}

const CURVES = [
  { file: 'ecdh_secp256r1', spec: 'ECC_NIST_P256', curve: 'P-256', openssl: 'prime256v1', size: 32, cases: 612, derived: 330 },
  { file: 'ecdh_secp384r1', spec: 'ECC_NIST_P384', curve: 'P-384', openssl: 'secp384r1', size: 48, cases: 1047, derived: 771 },
  { file: 'ecdh_secp521r1', spec: 'ECC_NIST_P521', curve: 'P-521', openssl: 'secp521r1', size: 66, cases: 916, derived: 632 },
] as const;

describe.each(CURVES)('$file', ({ file, spec, curve, openssl, size, cases, derived }) => {
  const { testGroups, numberOfTests } = wycheproof<EcdhGroup>(file);

  test('every case; only the one form of a public key is taken', async () => {
    const session = fakeSession();
    let [run, agreed] = [0, 0];
    for (const { tests } of testGroups) {
      for (const { tcId, comment, public: other, private: own, shared, result } of tests) {
        run += 1;
        const scalar = bytes(own.replace(/^0+/, '').padStart(2 * size, '0'));
        const ecdh = createECDH(openssl);
        ecdh.setPrivateKey(scalar);
        const key = givenKey(session, spec, writeEcPkcs8(curve, scalar, writeSpki(curve, ecdh.getPublicKey())));
        const derive = () => keyCalls.deriveSharedSecret(session, { key, publicKey: bytes(other) });
        // `acceptable` are encodings that this vault does not take: BER, explicit parameters, compressed points.
        if (result !== 'valid') {
          expect(await codeOf(derive), `case ${tcId}: ${comment}`).toBe('ValidationException');
          continue;
        }
        expect(hexOf((await loaded(derive())).secret), `case ${tcId}: ${comment}`).toBe(shared);
        agreed += 1;
      }
    }
    expect({ run, agreed }).toEqual({ run: cases, agreed: derived });
    expect(run).toBe(numberOfTests);
  });
});

interface KemGroup {
  readonly tests: readonly (Case & { readonly seed: string; readonly ek?: string; readonly c: string; readonly K?: string })[];
}

describe.each([['mlkem_512', 'ML_KEM_512'], ['mlkem_768', 'ML_KEM_768']] as const)('%s', (file, spec) => {
  const { testGroups, numberOfTests } = wycheproof<KemGroup>(file);

  test('every case: the public key of the seed, and the secret of the ciphertext', async () => {
    const session = fakeSession();
    const refusals = new Map<string, number>();
    let run = 0;
    for (const { tests } of testGroups) {
      for (const { tcId, seed, ek, c, K, result } of tests) {
        run += 1;
        const key = givenKey(session, spec, bytes(seed));
        const decapsulate = () => keyCalls.decapsulate(session, { key, ciphertext: bytes(c) });
        if (result !== 'valid') {
          const code = await codeOf(decapsulate);
          refusals.set(code, (refusals.get(code) ?? 0) + 1);
          continue;
        }
        const opened = materialOf(session, key)?.key;
        expect(opened?.family === 'ml-kem' && hexOf(opened.publicKey.subarray(22)), `case ${tcId}`).toBe(ek);
        expect(hexOf((await loaded(decapsulate())).secret), `case ${tcId}`).toBe(K);
      }
    }
    // Seeds of another length are no materials; ciphertexts of another length do not open.
    expect(Object.fromEntries(refusals)).toEqual({ VaultTamperedException: 20, InvalidCiphertextException: 20 });
    expect(run).toBe(193);
    expect(run).toBe(numberOfTests);
  });
});
