/** ECDH against node:crypto's other half, and ML-KEM against itself; what is refused. Vectors by others are in test/vectors. */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { copy, hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import type { KeySpec } from '../../../src/shared/model/algorithms.ts';
import { codeOf, fakeSession, loaded, makeKey } from './fake-session.ts';

const session = fakeSession();
const CURVES = [['ECC_NIST_P256', 'P-256', 32], ['ECC_NIST_P384', 'P-384', 48], ['ECC_NIST_P521', 'P-521', 66]] as const;
const spki = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

describe('ECDH', () => {
  test.each(CURVES)('%s agrees with the other side', async (spec, namedCurve, length) => {
    const { ref, publicKey } = await makeKey(session, spec);
    for (let run = 0; run < 20; run += 1) {
      const other = spki(namedCurve);
      const { secret } = await loaded(keyCalls.deriveSharedSecret(session, { key: ref, publicKey: other.publicKey.export({ format: 'der', type: 'spki' }) }));
      expect(secret.byteLength).toBe(length);
      expect(hex(secret)).toBe(hex(diffieHellman({ privateKey: other.privateKey, publicKey: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }) })));
    }
  });

  test('takes no point of another curve, off its curve, or in another form', async () => {
    const { ref } = await makeKey(session, 'ECC_NIST_P256');
    const good = copy(spki('P-256').publicKey.export({ format: 'der', type: 'spki' }));
    const off = copy(good);
    off[off.byteLength - 1]! ^= 1;
    const infinity = copy(good).fill(0, 26);
    const foreign = ['P-384', 'secp256k1'].map((curve) => spki(curve).publicKey.export({ format: 'der', type: 'spki' }));
    const relabelled = copy(foreign[1]!);
    for (const publicKey of [off, infinity, ...foreign, relabelled, good.subarray(1), utf8('no key'), new Uint8Array(), good.subarray(26), generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' })]) {
      expect(await codeOf(() => keyCalls.deriveSharedSecret(session, { key: ref, publicKey }))).toBe('ValidationException');
    }
  });

  test.each(['SYMMETRIC_DEFAULT', 'RSA_2048', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512'] as const)('is not what a key of %s does', async (spec) => {
    const { ref } = await makeKey(session, spec);
    expect(await codeOf(() => keyCalls.deriveSharedSecret(session, { key: ref, publicKey: spki('P-256').publicKey.export({ format: 'der', type: 'spki' }) }))).toBe('InvalidKeyUsageException');
  });

  test('is not for keys of another purpose', async () => {
    const { ref } = await makeKey(session, 'ECC_NIST_P256', 'ssh');
    expect(await codeOf(() => keyCalls.deriveSharedSecret(session, { key: ref, publicKey: spki('P-256').publicKey.export({ format: 'der', type: 'spki' }) }))).toBe('InvalidKeyUsageException');
  });
});

describe('ML-KEM', () => {
  const SETS: readonly KeySpec[] = ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'];
  test.each(SETS)('%s recovers what was encapsulated, and of anything else something else', async (spec) => {
    const { ref, publicKey } = await makeKey(session, spec);
    const made = await keyCalls.encapsulate(session, { publicKey, spec });
    const recovered = async (ciphertext: Uint8Array) => hex((await loaded(keyCalls.decapsulate(session, { key: ref, ciphertext }))).secret);
    expect(made.secret.byteLength).toBe(32);
    expect(await recovered(made.ciphertext)).toBe(hex(made.secret));
    expect(hex((await keyCalls.encapsulate(session, { publicKey, spec })).secret)).not.toBe(hex(made.secret));
    // Implicit rejection: no error, the same wrong secret each time.
    const bent = copy(made.ciphertext);
    bent[0]! ^= 1;
    expect(await recovered(bent)).not.toBe(hex(made.secret));
    expect(await recovered(bent)).toBe(await recovered(bent));
    for (const ciphertext of [new Uint8Array(), made.ciphertext.subarray(1), copy(made.ciphertext).subarray(0, 32)]) {
      expect(await codeOf(() => keyCalls.decapsulate(session, { key: ref, ciphertext }))).toBe('InvalidCiphertextException');
    }
  });

  test('takes only public keys of its own set, with coefficients in range', async () => {
    const { publicKey } = await makeKey(session, 'ML_KEM_768');
    for (const spec of SETS.filter((one) => one !== 'ML_KEM_768')) expect(await codeOf(() => keyCalls.encapsulate(session, { publicKey, spec }))).toBe('ValidationException');
    // FIPS 203 section 7.2, modulus check: 12-bit words of 0xfff are above q.
    expect(await codeOf(() => keyCalls.encapsulate(session, { publicKey: copy(publicKey).fill(0xff, 22, 100), spec: 'ML_KEM_768' }))).toBe('ValidationException');
    expect(await codeOf(() => keyCalls.encapsulate(session, { publicKey, spec: 'RSA_2048' }))).toBe('InvalidKeyUsageException');
  });
});
