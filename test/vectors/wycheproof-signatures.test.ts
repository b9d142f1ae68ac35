/**
 * Wycheproof: every signature algorithm that is offered and has a file, through the sealer's own `verify`, each case twice where digests
 * are taken: as a message and as its digest, since the two go through different code.
 */
import { describe, expect, test } from 'vitest';
import { digest } from '../../src/main/crypto/hmac.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { type Algorithm, type KeySpec, algorithmOf } from '../../src/shared/model/algorithms.ts';
import { fakeSession } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly publicKeyDer: string;
  readonly tests: readonly (Case & { readonly msg: string; readonly sig: string })[];
}

interface Suite {
  readonly file: string;
  readonly spec: KeySpec;
  readonly algorithm: Algorithm;
  readonly cases: number;
}

const SUITES: readonly Suite[] = [
  { file: 'ecdsa_secp256r1_sha256', spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', cases: 484 },
  { file: 'ecdsa_secp384r1_sha384', spec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384', cases: 504 },
  { file: 'ecdsa_secp521r1_sha512', spec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512', cases: 542 },
  { file: 'ecdsa_secp256k1_sha256', spec: 'ECC_SECG_P256K1', algorithm: 'ECDSA_SHA_256', cases: 476 },
  { file: 'ed25519', spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', cases: 151 },
  { file: 'rsa_signature_2048_sha256', spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', cases: 259 },
  { file: 'rsa_signature_4096_sha512', spec: 'RSA_4096', algorithm: 'RSASSA_PKCS1_V1_5_SHA_512', cases: 259 },
  { file: 'rsa_pss_2048_sha256_mgf1_32', spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', cases: 108 },
  { file: 'rsa_pss_4096_sha512_mgf1_64', spec: 'RSA_4096', algorithm: 'RSASSA_PSS_SHA_512', cases: 179 },
];

describe.each(SUITES)('$file', ({ file, spec, algorithm, cases }) => {
  const { testGroups, numberOfTests } = wycheproof<Group>(file);
  const { hash, digestLength } = algorithmOf(algorithm);
  const forms = digestLength === undefined ? [false] : [false, true];

  test.each(forms)('every case, as a digest: %s', async (isDigest) => {
    const session = fakeSession();
    let run = 0;
    for (const { publicKeyDer, tests } of testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        const message = isDigest ? digest(hash!, bytes(msg)) : bytes(msg);
        const reply = await keyCalls.verify(session, { publicKey: bytes(publicKeyDer), spec, algorithm, message, digest: isDigest, signature: bytes(sig) });
        // `acceptable` is a DigestInfo without its NULL: old, and refused here.
        expect(reply.valid, `case ${tcId}: ${comment}`).toBe(result === 'valid');
        run += 1;
      }
    }
    expect(run).toBe(cases);
    expect(run).toBe(numberOfTests);
  });
});
