import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import type { KeyPurpose } from '../../../src/main/seal/protocol.ts';
import { isLatticeSet, readLatticeSpki } from '../../../src/main/crypto/lattice-der.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { KEY_SPECS, type KeySpec, keySpecOf, offered } from '../../../src/shared/model/algorithms.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { KEY_ID, MATERIAL_ID, codeOf, fakeSession, givenKey, loaded, lockedSession, makeKey } from './fake-session.ts';

const session = fakeSession();
const OTHER_KEY = KEY_ID.replace('1', '9');
const isSpec = (text: string): text is KeySpec => text in KEY_SPECS;
const SPECS = Object.keys(KEY_SPECS).filter(isSpec);

describe('symmetric keys', () => {
  const algorithm = 'SYMMETRIC_DEFAULT';
  const context = { service: 'payments', empty: '' };

  test('encrypt, locate, decrypt', async () => {
    const { ref } = await makeKey(session, algorithm);
    for (const length of [0, 1, 4096]) {
      const plaintext = systemRandom.bytes(length);
      const { ciphertext } = await loaded(keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext, context }));
      expect(hex((await keyCalls.locate(session, { ciphertext })).materialId)).toBe(hex(MATERIAL_ID));
      const reply = await loaded(keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext, context: { empty: '', service: 'payments' } }));
      expect(hex(reply.plaintext)).toBe(hex(plaintext));
      for (const other of [{}, { service: 'payments' }, { ...context, more: '' }, { service: 'payments', empty: ' ' }]) {
        expect(await codeOf(() => keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext, context: other }))).toBe('InvalidCiphertextException');
      }
    }
  });

  test('what names another material is not decrypted, and says which', async () => {
    const [older, newer] = [await makeKey(session, algorithm), await makeKey(session, algorithm, 'kms', KEY_ID, fromHex('ffeeddccbbaa9988'))];
    const use = { keyId: KEY_ID, algorithm, context } as const;
    const { ciphertext } = await loaded(keyCalls.encrypt(session, { ...use, key: older.ref, plaintext: utf8('before') }));
    expect(await keyCalls.decrypt(session, { ...use, key: newer.ref, ciphertext })).toEqual({ other: MATERIAL_ID });
    expect(hex((await loaded(keyCalls.decrypt(session, { ...use, key: older.ref, ciphertext }))).plaintext)).toBe(hex(utf8('before')));
  });

  test('a data key decrypts to itself; its length is bounded', async () => {
    const { ref } = await makeKey(session, algorithm);
    for (const length of [1, 32, 1024]) {
      const { plaintext, ciphertext } = await loaded(keyCalls.generateDataKey(session, { key: ref, keyId: KEY_ID, length, context, reveal: true }));
      if (!plaintext) throw new Error('asked for and left out');
      expect(plaintext.byteLength).toBe(length);
      expect(hex((await loaded(keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext, context }))).plaintext)).toBe(hex(plaintext));
    }
    for (const length of [0, -1, 1.5, 1025, Number.NaN]) expect(await codeOf(() => keyCalls.generateDataKey(session, { key: ref, keyId: KEY_ID, length, context, reveal: true }))).toBe('ValidationException');
  });

  test('a lone surrogate in the context is the caller\'s fault', async () => {
    const { ref } = await makeKey(session, algorithm);
    expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext: utf8('x'), context: { k: '\ud800' } }))).toBe('ValidationException');
  });

  test('locate refuses what is no blob', async () => {
    for (const ciphertext of [new Uint8Array(), new Uint8Array(99), new Uint8Array(200), utf8('KB')]) {
      expect(await codeOf(() => keyCalls.locate(session, { ciphertext }))).toBe('InvalidCiphertextException');
    }
  });
});

describe('RSA encryption', () => {
  const key = makeKey(session, 'RSA_2048');
  test.each([
    ['RSAES_OAEP_SHA_1', 214],
    ['RSAES_OAEP_SHA_256', 190],
  ] as const)('%s up to %i bytes', async (algorithm, limit) => {
    const { ref } = await key;
    for (const length of [0, 1, limit]) {
      const plaintext = systemRandom.bytes(length);
      const { ciphertext } = await loaded(keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext, context: {} }));
      expect(ciphertext.byteLength).toBe(256);
      const open = (bytes: Uint8Array) => keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext: bytes, context: {} });
      expect(hex((await loaded(open(ciphertext))).plaintext)).toBe(hex(plaintext));
      const changed = Uint8Array.from(ciphertext);
      changed[100]! ^= 1;
      for (const bad of [changed, ciphertext.subarray(1), new Uint8Array(257), new Uint8Array()]) expect(await codeOf(() => open(bad))).toBe('InvalidCiphertextException');
    }
    expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext: new Uint8Array(limit + 1), context: {} }))).toBe('ValidationException');
  });

  test('takes no context', async () => {
    const { ref } = await key;
    const algorithm = 'RSAES_OAEP_SHA_256';
    expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext: utf8('x'), context: { a: 'b' } }))).toBe('ValidationException');
    expect(await codeOf(() => keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext: new Uint8Array(256), context: { a: 'b' } }))).toBe('ValidationException');
  });
});

describe('HMAC', () => {
  test.each([224, 256, 384, 512] as const)('%i', async (bits) => {
    const algorithm = `HMAC_SHA_${bits}` as const;
    const { ref } = await makeKey(session, `HMAC_${bits}`);
    const { mac } = await loaded(keyCalls.mac(session, { key: ref, algorithm, message: utf8('m') }));
    expect(mac.byteLength).toBe(bits / 8);
    const verify = async (given: Uint8Array, message = 'm') => (await loaded(keyCalls.verifyMac(session, { key: ref, algorithm, message: utf8(message), mac: given }))).valid;
    expect(await verify(mac)).toBe(true);
    expect(await verify(mac, 'n')).toBe(false);
    expect(await verify(mac.subarray(1))).toBe(false);
    expect(await verify(new Uint8Array())).toBe(false);
    const other = bits === 256 ? 'HMAC_SHA_384' : 'HMAC_SHA_256';
    expect(await codeOf(() => keyCalls.mac(session, { key: ref, algorithm: other, message: utf8('m') }))).toBe('InvalidKeyUsageException');
  });

  test('RFC 4231 test case 1, with a key of the length that AWS has', async () => {
    // Test case 1's 20-byte key is no key here; zeros behind it are the same HMAC key (RFC 2104 section 2).
    const ref = givenKey(session, 'HMAC_256', fromHex(`${'0b'.repeat(20)}${'00'.repeat(12)}`));
    const { mac } = await loaded(keyCalls.mac(session, { key: ref, algorithm: 'HMAC_SHA_256', message: utf8('Hi There') }));
    expect(hex(mac)).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
  });
});

describe('a material is used for what it was made for', () => {
  test('not under another key id', async () => {
    for (const [spec, algorithm] of [['SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT'], ['RSA_2048', 'RSAES_OAEP_SHA_256']] as const) {
      const { ref } = await makeKey(session, spec);
      const common = { key: ref, keyId: OTHER_KEY, algorithm, context: {} };
      expect(await codeOf(() => keyCalls.encrypt(session, { ...common, plaintext: utf8('x') }))).toBe('IncorrectKeyException');
      expect(await codeOf(() => keyCalls.decrypt(session, { ...common, ciphertext: new Uint8Array(256) }))).toBe('IncorrectKeyException');
    }
    const { ref } = await makeKey(session, 'SYMMETRIC_DEFAULT');
    expect(await codeOf(() => keyCalls.generateDataKey(session, { key: ref, keyId: OTHER_KEY, length: 32, context: {}, reveal: true }))).toBe('IncorrectKeyException');
  });

  test('not for another purpose', async () => {
    const purposes: readonly KeyPurpose[] = ['kms', 'ssh', 'envelope', 'checkpoint', 'certificate'];
    for (const purpose of purposes) {
      const { ref } = await makeKey(session, 'ECC_NIST_EDWARDS25519', purpose);
      for (const asked of purposes) {
        const code = await codeOf(() => keyCalls.sign(session, { key: ref, purpose: asked, algorithm: 'ED25519_SHA_512', message: utf8('m'), digest: false }));
        expect(code).toBe(asked === purpose ? 'none' : 'InvalidKeyUsageException');
      }
    }
    const { ref } = await makeKey(session, 'SYMMETRIC_DEFAULT', 'envelope');
    expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: utf8('x'), context: {} }))).toBe('InvalidKeyUsageException');
    const mac = await makeKey(session, 'HMAC_256', 'ssh');
    expect(await codeOf(() => keyCalls.mac(session, { key: mac.ref, algorithm: 'HMAC_SHA_256', message: utf8('m') }))).toBe('InvalidKeyUsageException');
  });

  test('not with an algorithm of another spec', async () => {
    for (const spec of SPECS) {
      const { ref } = await makeKey(session, spec);
      const context = {};
      if (spec !== 'SYMMETRIC_DEFAULT') {
        expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: utf8('x'), context })), spec).toBe('InvalidKeyUsageException');
        expect(await codeOf(() => keyCalls.generateDataKey(session, { key: ref, keyId: KEY_ID, length: 32, context, reveal: true })), spec).toBe('InvalidKeyUsageException');
      }
      if (keySpecOf(spec).family !== 'hmac') expect(await codeOf(() => keyCalls.mac(session, { key: ref, algorithm: 'HMAC_SHA_256', message: utf8('m') })), spec).toBe('InvalidKeyUsageException');
      if (offered(spec, 'SIGN_VERIFY').length === 0) {
        expect(await codeOf(() => keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: utf8('m'), digest: false })), spec).toBe('InvalidKeyUsageException');
      }
      // Symmetric and RSA keys do not sign with encryption's algorithms, nor encrypt with signing's.
      expect(await codeOf(() => keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm: 'RSASSA_PSS_SHA_256', plaintext: utf8('x'), context })), spec).toBe('InvalidKeyUsageException');
    }
  });

  test('a row in the place of another does not open', async () => {
    const one = await makeKey(session, 'SYMMETRIC_DEFAULT');
    const other = await makeKey(session, 'SYMMETRIC_DEFAULT');
    const swapped = { rowId: one.ref.rowId, version: 1, body: other.ref.body! };
    expect(await codeOf(() => keyCalls.encrypt(session, { key: swapped, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: utf8('x'), context: {} }))).toBe('VaultTamperedException');
  });
});

describe('missing', () => {
  test('is said without a body, once, until the body came; and again after forget', async () => {
    const own = fakeSession();
    const { ref } = await makeKey(own, 'HMAC_256');
    const bare = { rowId: ref.rowId, version: ref.version };
    const mac = (key: typeof ref) => keyCalls.mac(own, { key, algorithm: 'HMAC_SHA_256', message: utf8('m') });
    expect(await mac(bare)).toEqual({ missing: true });
    expect(await mac(ref)).toHaveProperty('mac');
    expect(await mac(bare)).toHaveProperty('mac');
    expect(await mac({ ...bare, version: 2 })).toEqual({ missing: true });
    expect(own.opened()).toBe(1);
    await keyCalls.forget(own, { rowId: ref.rowId });
    await keyCalls.forget(own, { rowId: ref.rowId });
    expect(await mac(bare)).toEqual({ missing: true });
  });

  test('is the answer of every call that needs a material', async () => {
    const key = { rowId: systemRandom.bytes(16), version: 1 };
    const named = { key, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', context: {} } as const;
    const replies = await Promise.all([
      keyCalls.encrypt(session, { ...named, plaintext: utf8('x') }),
      keyCalls.decrypt(session, { ...named, ciphertext: utf8('x') }),
      keyCalls.generateDataKey(session, { ...named, length: 32, reveal: false }),
      keyCalls.generateDataKeyPair(session, { ...named, spec: 'ECC_NIST_P256', reveal: true }),
      keyCalls.reEncrypt(session, { source: named, ciphertext: utf8('x'), destination: named }),
      keyCalls.deriveSharedSecret(session, { key, publicKey: utf8('x') }),
      keyCalls.decapsulate(session, { key, ciphertext: utf8('x') }),
      keyCalls.sign(session, { key, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: utf8('m'), digest: false }),
      keyCalls.mac(session, { key, algorithm: 'HMAC_SHA_256', message: utf8('m') }),
      keyCalls.verifyMac(session, { key, algorithm: 'HMAC_SHA_256', message: utf8('m'), mac: utf8('m') }),
    ]);
    for (const reply of replies) expect(reply).toEqual({ missing: true });
  });
});

describe('generateMaterial', () => {
  test.each(SPECS)('%s gives a public key exactly when it is asymmetric, and no two are alike', async (spec) => {
    const [one, other] = await Promise.all([makeKey(session, spec), makeKey(session, spec)]);
    const { family, bits } = keySpecOf(spec);
    if (family === 'symmetric' || family === 'hmac') {
      expect(one.publicKey).toHaveLength(0);
      return;
    }
    expect(hex(one.publicKey)).not.toBe(hex(other.publicKey));
    if (isLatticeSet(spec)) {
      // Node 20's OpenSSL does not know them. RFC 9881 and RFC 9935: the identifier without parameters.
      expect(hex(one.publicKey.subarray(0, 22))).toMatch(new RegExp(`^3082....300b0609608648016503040${family === 'ml-dsa' ? '3' : '4'}..0382....00$`));
      expect(hex(readLatticeSpki(spec, one.publicKey)!)).toBe(hex(one.publicKey.subarray(22)));
      return;
    }
    const details = createPublicKey({ key: Buffer.from(one.publicKey), format: 'der', type: 'spki' });
    if (family === 'rsa') expect(details.asymmetricKeyDetails).toEqual({ modulusLength: bits, publicExponent: 65537n });
    else expect(details.asymmetricKeyType).toBe(family === 'ec' ? 'ec' : 'ed25519');
  });

  test('refuses ids of another length, unknown specs and purposes', async () => {
    const good = { rowId: systemRandom.bytes(16), spec: 'HMAC_256', keyId: KEY_ID, materialId: MATERIAL_ID, purpose: 'kms' } as const;
    const bad = [{ rowId: new Uint8Array(15) }, { materialId: new Uint8Array(9) }, { keyId: '' }, { spec: 'DES' as KeySpec }, { spec: 'toString' as KeySpec }, { purpose: 'any' as KeyPurpose }];
    for (const change of bad) expect(await codeOf(() => keyCalls.generateMaterial(session, { ...good, ...change }))).toBe('ValidationException');
  });
});

test('random gives what was asked for, within bounds', async () => {
  expect((await keyCalls.random(session, { length: 1024 })).bytes.byteLength).toBe(1024);
  for (const length of [0, -1, 0.5, 65_537, Number.POSITIVE_INFINITY]) expect(await codeOf(() => keyCalls.random(session, { length }))).toBe('ValidationException');
});

test('a locked vault has no keys', async () => {
  const key = { rowId: systemRandom.bytes(16), version: 1, body: new Uint8Array(100) };
  expect(await codeOf(() => keyCalls.mac(lockedSession, { key, algorithm: 'HMAC_SHA_256', message: utf8('m') }))).toBe('VaultLockedException');
  expect(await codeOf(() => keyCalls.locate(lockedSession, { ciphertext: new Uint8Array(100) }))).toBe('VaultLockedException');
  expect(await codeOf(() => keyCalls.signCheckpoint(lockedSession, { payload: utf8('{}') }))).toBe('VaultLockedException');
  expect(await codeOf(() => keyCalls.forget(lockedSession, { rowId: key.rowId }))).toBe('VaultLockedException');
});
