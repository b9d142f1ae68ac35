/** Key pairs as data keys, and re-encryption: what comes out, what does not, and that openssl reads it. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, test } from 'vitest';
import { hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { generateDataKeyPair } from '../../../src/shared/api/kms-data-keys.ts';
import type { KeySpec } from '../../../src/shared/model/algorithms.ts';
import { KEY_ID, codeOf, fakeSession, loaded, makeKey } from './fake-session.ts';

const session = fakeSession();
const OTHER_KEY = '99999999-2222-4333-8444-555555555555';
const SYMMETRIC = 'SYMMETRIC_DEFAULT';
const PAIRS = generateDataKeyPair.output.shape.KeyPairSpec.options;

describe('a data key pair', () => {
  test.each(PAIRS.filter((spec) => !spec.startsWith('ML_KEM')))('%s is PKCS #8 that openssl reads and that has the public key', async (spec) => {
    const { ref } = await makeKey(session, SYMMETRIC);
    const context = { a: 'b' };
    const { privateKey, ciphertext, publicKey } = await loaded(keyCalls.generateDataKeyPair(session, { key: ref, keyId: KEY_ID, spec, context, reveal: true }));
    if (!privateKey) throw new Error('asked for and left out');
    const read = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
    // The encoding that openssl itself writes, byte for byte.
    expect(read.export({ format: 'der', type: 'pkcs8' }).equals(privateKey)).toBe(true);
    expect(createPublicKey(read).export({ format: 'der', type: 'spki' }).equals(publicKey)).toBe(true);
    const opened = await loaded(keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm: SYMMETRIC, ciphertext, context }));
    expect(hex(opened.plaintext)).toBe(hex(privateKey));
  });

  test.each([['ML_KEM_512', ml_kem512], ['ML_KEM_768', ml_kem768], ['ML_KEM_1024', ml_kem1024]] as const)('%s is its seed in PKCS #8, as RFC 9935 has it', async (spec, kem) => {
    const { ref } = await makeKey(session, SYMMETRIC);
    const { privateKey, publicKey } = await loaded(keyCalls.generateDataKeyPair(session, { key: ref, keyId: KEY_ID, spec, context: {}, reveal: true }));
    if (!privateKey) throw new Error('asked for and left out');
    // The seed form of appendix C.1.1, MFQCAQAwCwYJYIZIAWUDBAQBBEKAQ…, and the other two identifiers.
    expect(hex(privateKey.subarray(0, 22))).toBe(`3054020100300b06096086480165030404${{ ML_KEM_512: '01', ML_KEM_768: '02', ML_KEM_1024: '03' }[spec]}04428040`);
    expect(privateKey.byteLength).toBe(86);
    expect(hex(publicKey.subarray(22))).toBe(hex(kem.keygen(privateKey.slice(22)).publicKey));
  });

  test('shows its private half only when asked', async () => {
    const { ref } = await makeKey(session, SYMMETRIC);
    const common = { key: ref, keyId: KEY_ID, context: {} };
    expect(Object.keys(await keyCalls.generateDataKeyPair(session, { ...common, spec: 'ECC_NIST_P256', reveal: false })).sort()).toEqual(['ciphertext', 'publicKey']);
    expect(Object.keys(await keyCalls.generateDataKey(session, { ...common, length: 32, reveal: false }))).toEqual(['ciphertext']);
  });

  test('is a pair, of a known spec, under a symmetric key', async () => {
    const [{ ref }, rsa] = await Promise.all([makeKey(session, SYMMETRIC), makeKey(session, 'RSA_2048')]);
    const common = { keyId: KEY_ID, context: {}, reveal: true };
    for (const spec of ['SYMMETRIC_DEFAULT', 'HMAC_256', 'SM2', 'toString'] as KeySpec[]) expect(await codeOf(() => keyCalls.generateDataKeyPair(session, { ...common, key: ref, spec })), spec).toBe('ValidationException');
    expect(await codeOf(() => keyCalls.generateDataKeyPair(session, { ...common, key: rsa.ref, spec: 'RSA_2048' }))).toBe('InvalidKeyUsageException');
    expect(await codeOf(() => keyCalls.generateDataKeyPair(session, { ...common, key: ref, keyId: OTHER_KEY, spec: 'ECC_NIST_P256' }))).toBe('IncorrectKeyException');
  });
});

describe('data keys in one call', () => {
  test('are each fresh, and open in their own context alone', async () => {
    const { ref } = await makeKey(session, SYMMETRIC);
    const contexts = [{ n: '1' }, { n: '2' }, { n: '2' }];
    const { keys } = await loaded(keyCalls.generateDataKeys(session, { key: ref, keyId: KEY_ID, length: 32, contexts }));
    expect(new Set(keys.map(({ plaintext }) => hex(plaintext))).size).toBe(3);
    for (const [at, { plaintext, ciphertext }] of keys.entries()) {
      const decrypt = (context: Record<string, string>) => keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm: SYMMETRIC, ciphertext, context });
      expect(hex((await loaded(decrypt(contexts[at] ?? {}))).plaintext)).toBe(hex(plaintext));
      expect(await codeOf(() => decrypt({ n: '3' }))).toBe('InvalidCiphertextException');
    }
    expect(await codeOf(() => keyCalls.generateDataKeys(session, { key: ref, keyId: OTHER_KEY, length: 32, contexts }))).toBe('IncorrectKeyException');
    expect(await codeOf(() => keyCalls.generateDataKeys(session, { key: ref, keyId: KEY_ID, length: 0, contexts }))).toBe('ValidationException');
  });

  test('come at most 128 at once, and never under the key of one message', async () => {
    const { ref } = await makeKey(session, SYMMETRIC);
    const many = (count: number) => keyCalls.generateDataKeys(session, { key: ref, keyId: KEY_ID, length: 32, contexts: Array.from({ length: count }, () => ({})) });
    expect((await loaded(many(128))).keys).toHaveLength(128);
    expect(await codeOf(() => many(129))).toBe('ValidationException');
    const key = { materialId: new Uint8Array(8), messageKey: new Uint8Array(32), wrapped: new Uint8Array(60) };
    expect(await loaded(keyCalls.generateDataKey(session, { key, keyId: KEY_ID, length: 32, context: {}, reveal: true }))).toHaveProperty('plaintext');
    expect(await codeOf(() => keyCalls.generateDataKeys(session, { key: key as never, keyId: KEY_ID, length: 32, contexts: [{}] }))).toBe('ValidationException');
  });
});

describe('reEncrypt', () => {
  test('moves between keys, contexts and kinds of key', async () => {
    const [one, other, rsa] = await Promise.all([makeKey(session, SYMMETRIC), makeKey(session, SYMMETRIC, 'kms', OTHER_KEY), makeKey(session, 'RSA_2048')]);
    const uses = [
      { key: one.ref, keyId: KEY_ID, algorithm: SYMMETRIC, context: { a: '1' } },
      { key: other.ref, keyId: OTHER_KEY, algorithm: SYMMETRIC, context: {} },
      { key: rsa.ref, keyId: KEY_ID, algorithm: 'RSAES_OAEP_SHA_256', context: {} },
    ] as const;
    for (const source of uses) {
      for (const destination of uses) {
        const { ciphertext } = await loaded(keyCalls.encrypt(session, { ...source, plaintext: utf8('moved') }));
        const moved = await loaded(keyCalls.reEncrypt(session, { source, ciphertext, destination }));
        expect(Object.keys(moved)).toEqual(['ciphertext']);
        expect(hex((await loaded(keyCalls.decrypt(session, { ...destination, ciphertext: moved.ciphertext }))).plaintext)).toBe(hex(utf8('moved')));
        expect(await codeOf(() => keyCalls.reEncrypt(session, { source, ciphertext: ciphertext.slice(1), destination }))).toBe('InvalidCiphertextException');
      }
    }
    const [source, destination] = uses;
    const { ciphertext } = await loaded(keyCalls.encrypt(session, { ...source, plaintext: utf8('x'.repeat(191)) }));
    expect(await codeOf(() => keyCalls.reEncrypt(session, { source: { ...source, context: {} }, ciphertext, destination }))).toBe('InvalidCiphertextException');
    expect(await codeOf(() => keyCalls.reEncrypt(session, { source: { ...source, keyId: OTHER_KEY }, ciphertext, destination }))).toBe('IncorrectKeyException');
    expect(await codeOf(() => keyCalls.reEncrypt(session, { source, ciphertext, destination: uses[2] }))).toBe('ValidationException');
  });

  test('says missing when either material is', async () => {
    const own = fakeSession();
    const [one, other] = await Promise.all([makeKey(own, SYMMETRIC), makeKey(own, SYMMETRIC)]);
    const use = (key: typeof one.ref) => ({ key, keyId: KEY_ID, algorithm: SYMMETRIC, context: {} }) as const;
    const { ciphertext } = await loaded(keyCalls.encrypt(own, { ...use(one.ref), plaintext: utf8('x') }));
    const bare = { rowId: other.ref.rowId, version: 1 };
    expect(await keyCalls.reEncrypt(own, { source: use(one.ref), ciphertext, destination: use(bare) })).toEqual({ missing: true });
    expect(await keyCalls.reEncrypt(own, { source: use(bare), ciphertext, destination: use(one.ref) })).toEqual({ missing: true });
    expect(await keyCalls.reEncrypt(own, { source: use(one.ref), ciphertext, destination: use(other.ref) })).toHaveProperty('ciphertext');
  });
});
