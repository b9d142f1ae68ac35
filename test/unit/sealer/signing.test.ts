import { createHash, generateKeyPairSync, sign as nodeSign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import { readEcdsaSignature, writeEcdsaSignature, writeSpki } from '../../../src/main/crypto/der.ts';
import { digest } from '../../../src/main/crypto/hmac.ts';
import { openEd25519, signEd25519 } from '../../../src/main/sealer/algorithms/eddsa.ts';
import { encodePss, verifyPss } from '../../../src/main/sealer/algorithms/emsa.ts';
import { signRsa } from '../../../src/main/sealer/algorithms/rsa.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { ALGORITHMS, type Algorithm, KEY_SPECS, type KeySpec, algorithmOf, offered } from '../../../src/shared/model/algorithms.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { codeOf, fakeSession, givenKey, loaded, makeKey } from './fake-session.ts';

const isSpec = (text: string): text is KeySpec => text in KEY_SPECS;
const isAlgorithm = (text: string): text is Algorithm => text in ALGORITHMS;
const SPECS = Object.keys(KEY_SPECS).filter(isSpec).filter((spec) => offered(spec, 'SIGN_VERIFY').length > 0);
const session = fakeSession();
const message = utf8('the quick brown fox');

/** FIPS 204 algorithms 2 and 7: μ = H(tr ‖ M', 64), M' = 0 ‖ length of the context (0) ‖ message; the public key ends its SubjectPublicKeyInfo. */
function muOf(spki: Uint8Array, of: Uint8Array): Uint8Array {
  const shake = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest();
  return shake(shake(spki.subarray(22)), Uint8Array.of(0, 0), of);
}

describe.each(SPECS)('%s', (spec) => {
  const key = makeKey(session, spec);
  const verify = async (algorithm: Algorithm, input: Uint8Array, isDigest: boolean, signature: Uint8Array) =>
    (await keyCalls.verify(session, { publicKey: (await key).publicKey, spec, algorithm, message: input, digest: isDigest, signature })).valid;
  const sign = async (algorithm: Algorithm, input: Uint8Array, isDigest: boolean) =>
    (await loaded(keyCalls.sign(session, { key: (await key).ref, purpose: 'kms', algorithm, message: input, digest: isDigest }))).signature;

  test.each(offered(spec, 'SIGN_VERIFY'))('%s: message and digest agree, and a changed one is refused', async (algorithm) => {
    const { hash, digestLength, digestOnly, digestForm } = algorithmOf(algorithm);
    const digested = digestForm === 'EXTERNAL_MU' ? muOf((await key).publicKey, message) : digestLength === undefined || hash === undefined ? undefined : digest(hash, message);
    const forms: [Uint8Array, boolean][] = [];
    if (!digestOnly) forms.push([message, false]);
    if (digested) forms.push([digested, true]);
    for (const [input, isDigest] of forms) {
      const signature = await sign(algorithm, input, isDigest);
      for (const [other, otherIsDigest] of forms) expect(await verify(algorithm, other, otherIsDigest, signature)).toBe(true);
      const changed = Uint8Array.from(signature);
      changed[changed.length - 1]! ^= 1;
      for (const [other, otherIsDigest] of forms) {
        expect(await verify(algorithm, other, otherIsDigest, changed)).toBe(false);
        expect(await verify(algorithm, other, otherIsDigest, signature.subarray(1))).toBe(false);
        expect(await verify(algorithm, other, otherIsDigest, new Uint8Array())).toBe(false);
      }
      const otherMessage = Uint8Array.from(input);
      otherMessage[0]! ^= 1;
      expect(await verify(algorithm, otherMessage, isDigest, signature)).toBe(false);
    }
    const wanted = digestOnly || digestLength === undefined ? 1 : 2;
    expect(forms).toHaveLength(wanted);
  });

  test('every algorithm that the spec does not offer is refused', async () => {
    const foreign = Object.keys(ALGORITHMS).filter(isAlgorithm).filter((algorithm) => !offered(spec, 'SIGN_VERIFY').includes(algorithm));
    for (const algorithm of foreign) {
      expect(await codeOf(() => sign(algorithm, message, false)), algorithm).toBe('InvalidKeyUsageException');
      expect(await codeOf(() => verify(algorithm, message, false, message)), algorithm).toBe('InvalidKeyUsageException');
    }
    expect(foreign.length).toBeGreaterThan(0);
    expect(await codeOf(() => sign('NONE' as Algorithm, message, false))).toBe('InvalidKeyUsageException');
  });

  test('a public key of another spec verifies nothing', async () => {
    const algorithm = offered(spec, 'SIGN_VERIFY')[0]!;
    const signature = await sign(algorithm, message, false);
    const { publicKey } = await key;
    for (const other of SPECS.filter((name) => name !== spec && offered(name, 'SIGN_VERIFY').includes(algorithm))) {
      const reply = await keyCalls.verify(session, { publicKey, spec: other, algorithm, message, digest: false, signature });
      expect(reply.valid, other).toBe(false);
    }
    for (const bad of [new Uint8Array(), publicKey.subarray(1), utf8('not a key')]) {
      expect((await keyCalls.verify(session, { publicKey: bad, spec, algorithm, message, digest: false, signature })).valid).toBe(false);
    }
  });
});

describe('digests', () => {
  test('of another length are refused', async () => {
    const { ref } = await makeKey(session, 'ECC_NIST_P256');
    for (const length of [0, 31, 33, 64]) {
      expect(await codeOf(() => keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: new Uint8Array(length), digest: true }))).toBe('ValidationException');
    }
  });

  test('Ed25519 takes whole messages, Ed25519ph digests only', async () => {
    const { ref } = await makeKey(session, 'ECC_NIST_EDWARDS25519');
    const sign = (algorithm: Algorithm, isDigest: boolean) => codeOf(() => keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm, message: new Uint8Array(64), digest: isDigest }));
    expect(await sign('ED25519_SHA_512', true)).toBe('ValidationException');
    expect(await sign('ED25519_PH_SHA_512', false)).toBe('ValidationException');
    expect(await sign('ED25519_PH_SHA_512', true)).toBe('none');
  });
});

describe('RFC 8032', () => {
  test('section 7.3, Ed25519ph of "abc"', async () => {
    const ref = givenKey(session, 'ECC_NIST_EDWARDS25519', fromHex('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42'));
    const publicKey = writeSpki('ed25519', fromHex('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf'));
    const digested = digest('sha512', utf8('abc'));
    const { signature } = await loaded(keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm: 'ED25519_PH_SHA_512', message: digested, digest: true }));
    expect(hex(signature)).toBe('98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406');
    expect((await keyCalls.verify(session, { publicKey, spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_PH_SHA_512', message: digested, digest: true, signature })).valid).toBe(true);
    // Never one for the other: the domain differs.
    expect((await keyCalls.verify(session, { publicKey, spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', message: digested, digest: false, signature })).valid).toBe(false);
    expect((await keyCalls.verify(session, { publicKey, spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', message: utf8('abc'), digest: false, signature })).valid).toBe(false);
  });

  test('section 7.1, tests 1 and 2', () => {
    const cases = [
      ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', '', 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
      ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '72', '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
    ] as const;
    for (const [seed, text, signature] of cases) expect(hex(signEd25519(openEd25519(fromHex(seed)), fromHex(text), false))).toBe(signature);
  });
});

describe('ECDSA', () => {
  test('a signature with high s is accepted, as by AWS and openssl', async () => {
    const orders = {
      ECC_NIST_P256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
      ECC_SECG_P256K1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    } as const;
    for (const spec of ['ECC_NIST_P256', 'ECC_SECG_P256K1'] as const) {
      const { ref, publicKey } = await makeKey(session, spec);
      for (const isDigest of [false, true]) {
        const input = isDigest ? digest('sha256', message) : message;
        const { signature } = await loaded(keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: input, digest: isDigest }));
        const rs = readEcdsaSignature(signature, 32)!;
        const s = orders[spec] - BigInt(`0x${hex(rs.subarray(32))}`);
        rs.set(fromHex(s.toString(16).padStart(64, '0')), 32);
        const valid = await keyCalls.verify(session, { publicKey, spec, algorithm: 'ECDSA_SHA_256', message: input, digest: isDigest, signature: writeEcdsaSignature(rs) });
        expect(valid).toEqual({ valid: true });
      }
    }
  });

  test('fresh entropy goes into each digest signature', async () => {
    const { ref } = await makeKey(session, 'ECC_NIST_P256');
    const request = { key: ref, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: digest('sha256', message), digest: true } as const;
    const one = await loaded(keyCalls.sign(session, request));
    const other = await loaded(keyCalls.sign(session, request));
    expect(hex(one.signature)).not.toBe(hex(other.signature));
  });
});

describe('a signature that comes out wrong does not leave', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  test.each(['pkcs1', 'pss'] as const)('RSA %s', async (padding) => {
    for (const isDigest of [false, true]) {
      const input = isDigest ? digest('sha256', message) : message;
      const act = (publicKey: typeof stranger) => codeOf(() => signRsa({ padding, hash: 'sha256' }, { privateKey: pair.privateKey, publicKey }, input, isDigest, () => systemRandom.bytes(32)));
      expect(await act(stranger)).toBe('KMSInternalException');
      expect(await act(pair.publicKey)).toBe('none');
    }
  });

  test('Ed25519 and Ed25519ph', async () => {
    const key = openEd25519(systemRandom.bytes(32));
    const wrong = { ...key, publicKey: openEd25519(systemRandom.bytes(32)).publicKey };
    for (const isDigest of [false, true]) expect(await codeOf(() => signEd25519(wrong, new Uint8Array(64), isDigest))).toBe('KMSInternalException');
  });
});

test('PSS: a salt of another length, though valid in itself, is refused', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  for (const [saltLength, valid] of [[32, true], [0, false], [20, false], [222, false]] as const) {
    const signature = nodeSign('sha256', message, { key: privateKey, padding: 6, saltLength });
    for (const isDigest of [false, true]) {
      const input = isDigest ? digest('sha256', message) : message;
      expect((await keyCalls.verify(session, { publicKey: spki, spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', message: input, digest: isDigest, signature })).valid).toBe(valid);
    }
  }
});

test('PSS encoding: every bit flipped is refused', () => {
  const digested = digest('sha256', message);
  const encoded = encodePss('sha256', digested, systemRandom.bytes(32), 256);
  expect(verifyPss('sha256', digested, encoded)).toBe(true);
  for (let bit = 0; bit < encoded.length * 8; bit += 1) {
    const changed = Uint8Array.from(encoded);
    changed[bit >> 3]! ^= 0x80 >> (bit & 7);
    expect(verifyPss('sha256', digested, changed), `bit ${bit}`).toBe(false);
  }
});
