/** Every `kms:` and `file:` operation against a real vault, judged by node:crypto and openssl rather than by the vault itself. */
import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NAMES, OPERATIONS } from '../../src/shared/api/index.ts';
import { algorithmOf, KEY_SPECS, keySpecOf, offered, type Algorithm, type KeySpec, type KeyUsage } from '../../src/shared/model/algorithms.ts';
import type { Client, Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { PIN, SOFTHSM, softHsm } from './support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const unb64 = (value: unknown): Buffer => Buffer.from(value as string, 'base64');

let home = '';
let vault: VaultProcess;
let client: Client;
const seen = new Set<string>();
const ok = async (operation: string, input: Json = {}, region?: string): Promise<Json> => {
  seen.add(operation);
  return client.ok(operation, input, region);
};
const code = async (operation: string, input: Json = {}, region?: string): Promise<string> => {
  seen.add(operation);
  return client.code(operation, input, region);
};
const newKey = async (spec: KeySpec = 'SYMMETRIC_DEFAULT', usage?: KeyUsage): Promise<string> => {
  const { KeyMetadata } = await ok('kms:CreateKey', { KeySpec: spec, ...(usage ? { KeyUsage: usage } : {}) });
  return (KeyMetadata as { KeyId: string }).KeyId;
};

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  const hsm = softHsm(home);
  for (const label of ['kms', 'spare']) hsm.makeToken(label);
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

describe('symmetric keys', () => {
  it('encrypt and decrypt 1 and 4,096 bytes, with the context and only with it', async () => {
    const KeyId = await newKey();
    for (const plaintext of [randomBytes(1), randomBytes(4096)]) {
      const EncryptionContext = { purpose: 'test', ünïcode: '🔑' };
      const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64(plaintext), EncryptionContext });
      expect(unb64((await ok('kms:Decrypt', { CiphertextBlob, EncryptionContext }))['Plaintext'])).toEqual(plaintext);
      expect(unb64((await ok('kms:Decrypt', { CiphertextBlob, EncryptionContext, KeyId }))['Plaintext'])).toEqual(plaintext);
      expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('InvalidCiphertextException');
      expect(await code('kms:Decrypt', { CiphertextBlob, EncryptionContext: { ...EncryptionContext, purpose: 'other' } })).toBe('InvalidCiphertextException');
      expect(await code('kms:Decrypt', { CiphertextBlob, EncryptionContext, KeyId: await newKey() })).toBe('IncorrectKeyException');
    }
    expect(await code('kms:Encrypt', { KeyId, Plaintext: b64(randomBytes(4097)) })).toBe('ValidationException');
    expect(await code('kms:Encrypt', { KeyId, Plaintext: '' })).toBe('ValidationException');
    expect(await code('kms:Decrypt', { CiphertextBlob: b64(randomBytes(100)) })).toBe('InvalidCiphertextException');
  });

  it('give the same answer to every ciphertext that does not open', async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('x') });
    const whole = unb64(CiphertextBlob);
    const messages = new Set<string>();
    for (const at of [0, 2, 3, 4, 10, 20, 40, 60, whole.length - 1]) {
      const bent = Buffer.from(whole);
      bent.writeUInt8((bent[at] ?? 0) ^ 1, at);
      const answer = await client.call('kms:Decrypt', { CiphertextBlob: b64(bent) });
      messages.add(answer.ok ? 'opened' : `${answer.error.code} ${answer.error.message}`);
    }
    expect([...messages]).toHaveLength(1);
    expect([...messages][0]).toMatch(/^InvalidCiphertextException/);
  });

  it('make data keys of the asked length that decrypt to themselves', async () => {
    const KeyId = await newKey();
    for (const [input, length] of [[{ KeySpec: 'AES_256' }, 32], [{ KeySpec: 'AES_128' }, 16], [{ NumberOfBytes: 1024 }, 1024]] as const) {
      const { Plaintext, CiphertextBlob } = await ok('kms:GenerateDataKey', { KeyId, ...input });
      expect(unb64(Plaintext)).toHaveLength(length);
      expect((await ok('kms:Decrypt', { CiphertextBlob }))['Plaintext']).toBe(Plaintext);
    }
    expect(await code('kms:GenerateDataKey', { KeyId })).toBe('ValidationException');
    expect(unb64((await ok('kms:GenerateRandom', { NumberOfBytes: 100 }))['Plaintext'])).toHaveLength(100);
  });
});

describe('data keys that stay inside, key pairs and re-encryption', () => {
  it('make a data key without its plaintext, which decrypts to the asked length', async () => {
    const KeyId = await newKey();
    const answer = await ok('kms:GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 48, EncryptionContext: { a: 'b' } });
    expect(Object.keys(answer).sort()).toEqual(['CiphertextBlob', 'KeyId', 'KeyMaterialId']);
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: answer['CiphertextBlob'], EncryptionContext: { a: 'b' } }))['Plaintext'])).toHaveLength(48);
  });

  it.each(['RSA_2048', 'ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'])('make a %s pair whose halves fit', async (KeyPairSpec) => {
    const KeyId = await newKey();
    const pair = await ok('kms:GenerateDataKeyPair', { KeyId, KeyPairSpec });
    const privateKey = createPrivateKey({ key: unb64(pair['PrivateKeyPlaintext']), format: 'der', type: 'pkcs8' });
    expect(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })).toEqual(unb64(pair['PublicKey']));
    expect((await ok('kms:Decrypt', { CiphertextBlob: pair['PrivateKeyCiphertextBlob'] }))['Plaintext']).toBe(pair['PrivateKeyPlaintext']);
    const hidden = await ok('kms:GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec });
    expect(Object.keys(hidden).sort()).toEqual(['KeyId', 'KeyMaterialId', 'KeyPairSpec', 'PrivateKeyCiphertextBlob', 'PublicKey']);
    const opened = createPrivateKey({ key: unb64((await ok('kms:Decrypt', { CiphertextBlob: hidden['PrivateKeyCiphertextBlob'] }))['Plaintext']), format: 'der', type: 'pkcs8' });
    expect(createPublicKey(opened).export({ format: 'der', type: 'spki' })).toEqual(unb64(hidden['PublicKey']));
    expect(await code('kms:GenerateDataKeyPair', { KeyId, KeyPairSpec: 'SM2' })).toBe('UnsupportedOperationException');
    expect(await code('kms:GenerateDataKeyPair', { KeyId: await newKey('HMAC_256'), KeyPairSpec })).toBe('InvalidKeyUsageException');
  });

  it('re-encrypt across keys, contexts and algorithms, of what an old material made too', async () => {
    const [from, to, rsa] = [await newKey(), await newKey(), await newKey('RSA_2048', 'ENCRYPT_DECRYPT')];
    const made = await ok('kms:Encrypt', { KeyId: from, Plaintext: b64('moved'), EncryptionContext: { a: '1' } });
    await ok('kms:RotateKeyOnDemand', { KeyId: from });
    const source = { CiphertextBlob: made['CiphertextBlob'], SourceEncryptionContext: { a: '1' } };
    const moved = await ok('kms:ReEncrypt', { ...source, DestinationKeyId: to, DestinationEncryptionContext: { b: '2' } });
    expect(moved).toMatchObject({ SourceKeyId: expect.stringContaining(from), KeyId: expect.stringContaining(to) });
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: moved['CiphertextBlob'], EncryptionContext: { b: '2' }, KeyId: to }))['Plaintext']).toString()).toBe('moved');
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
    const out = await ok('kms:ReEncrypt', { ...source, DestinationKeyId: rsa, DestinationEncryptionAlgorithm: EncryptionAlgorithm });
    expect(unb64((await ok('kms:Decrypt', { KeyId: rsa, CiphertextBlob: out['CiphertextBlob'], EncryptionAlgorithm }))['Plaintext']).toString()).toBe('moved');
    const back = await ok('kms:ReEncrypt', { CiphertextBlob: out['CiphertextBlob'], SourceKeyId: rsa, SourceEncryptionAlgorithm: EncryptionAlgorithm, DestinationKeyId: from });
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: back['CiphertextBlob'] }))['Plaintext']).toString()).toBe('moved');

    expect(await code('kms:ReEncrypt', { ...source, SourceEncryptionContext: {}, DestinationKeyId: to })).toBe('InvalidCiphertextException');
    expect(await code('kms:ReEncrypt', { ...source, SourceKeyId: to, DestinationKeyId: to })).toBe('IncorrectKeyException');
    expect(await code('kms:ReEncrypt', { ...source, DestinationKeyId: 'alias/none' })).toBe('NotFoundException');
    expect(await code('kms:ReEncrypt', { ...source, DestinationKeyId: await newKey('HMAC_256') })).toBe('InvalidKeyUsageException');
    await ok('kms:DisableKey', { KeyId: to });
    expect(await code('kms:ReEncrypt', { ...source, DestinationKeyId: to })).toBe('DisabledException');
    const { Events } = await client.ok('trail:LookupEvents', { Operation: 'kms:ReEncrypt' });
    expect((Events as Json[]).some(({ Resource }) => String(Resource).endsWith(from))).toBe(true);
  });
});

/** As in AWS. */
const WITHOUT_DRY_RUN: ReadonlySet<string> = new Set(['kms:GenerateRandom', 'kms:GetParametersForImport']);

describe('a dry run', () => {
  it('says that a request would be allowed, does nothing, and refuses what would be refused', async () => {
    const [KeyId, signer, hmac, agrees, kem] = [await newKey(), await newKey('ECC_NIST_P256'), await newKey('HMAC_256'), await newKey('ECC_NIST_P256', 'KEY_AGREEMENT'), await newKey('ML_KEM_512')];
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('x') });
    const sign = { KeyId: signer, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' };
    const mac = { KeyId: hmac, Message: b64('m'), MacAlgorithm: 'HMAC_SHA_256' };
    const asked: readonly (readonly [string, Json])[] = [
      ['kms:Encrypt', { KeyId, Plaintext: b64('x') }],
      ['kms:Decrypt', { CiphertextBlob }],
      ['kms:ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }],
      ['kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
      ['kms:GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
      ['kms:GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
      ['kms:GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
      ['kms:Sign', sign],
      ['kms:Verify', { ...sign, Signature: b64('s') }],
      ['kms:GenerateMac', mac],
      ['kms:VerifyMac', { ...mac, Mac: b64('s') }],
      ['kms:DeriveSharedSecret', { KeyId: agrees, KeyAgreementAlgorithm: 'ECDH', PublicKey: b64('x') }],
      ['kms:Encapsulate', { KeyId: kem, EncapsulationAlgorithm: 'ML_KEM' }],
      ['kms:Decapsulate', { KeyId: kem, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: b64('x') }],
    ];
    const using = NAMES.filter((name) => name.startsWith('kms:') && OPERATIONS[name].effect === 'use' && !WITHOUT_DRY_RUN.has(name));
    expect(asked.map(([name]) => name).sort()).toEqual([...using].sort());
    for (const [name, input] of asked) expect([name, await code(name, { ...input, DryRun: true })]).toEqual([name, 'DryRunOperationException']);
    expect(await code('kms:Encrypt', { KeyId, Plaintext: b64('x'), DryRun: false })).toBe('ok');
    for (const key of [KeyId, signer, hmac, agrees, kem]) await ok('kms:DisableKey', { KeyId: key });
    for (const [name, input] of asked) expect([name, await code(name, { ...input, DryRun: true })]).toEqual([name, 'DisabledException']);
  });
});

const PSS = { padding: 6, saltLength: -1 } as const;

/** What an independent implementation says of a signature. */
function judge(key: KeyObject, algorithm: Algorithm, message: Uint8Array, signature: Uint8Array): boolean {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'ed25519') return verify(null, message, key, signature);
  if (scheme === 'pss') return verify(hash, message, { key, ...PSS }, signature);
  return verify(hash, message, key, signature);
}

const signing = (Object.keys(KEY_SPECS) as KeySpec[]).flatMap((spec) => (keySpecOf(spec).algorithms.SIGN_VERIFY && keySpecOf(spec).family !== 'ml-dsa' ? [spec] : []));
const lattices = { ML_DSA_44: ml_dsa44, ML_DSA_65: ml_dsa65, ML_DSA_87: ml_dsa87 } as const;
const kems = { ML_KEM_512: ml_kem512, ML_KEM_768: ml_kem768, ML_KEM_1024: ml_kem1024 } as const;
const shake = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest();

describe('signing keys', () => {
  it.each(signing)('%s signs what others verify, raw and by digest', async (spec) => {
    const KeyId = await newKey(spec, 'SIGN_VERIFY');
    const publicKey = createPublicKey({ key: unb64((await ok('kms:GetPublicKey', { KeyId }))['PublicKey']), format: 'der', type: 'spki' });
    const message = randomBytes(300);
    for (const SigningAlgorithm of offered(spec, 'SIGN_VERIFY')) {
      const { hash, digestLength, digestOnly } = algorithmOf(SigningAlgorithm);
      const forms = [...(digestOnly ? [] : ['RAW']), ...(digestLength ? ['DIGEST'] : [])];
      for (const MessageType of forms) {
        const sent = MessageType === 'RAW' ? message : createHash(hash ?? 'sha512').update(message).digest();
        const input = { KeyId, Message: b64(sent), MessageType, SigningAlgorithm };
        const { Signature } = await ok('kms:Sign', input);
        // As AWS does it, Ed25519ph hashes the digest once more; no independent implementation is at hand, RFC 8032's vector stands in the unit tests.
        if (!digestOnly) expect([SigningAlgorithm, MessageType, judge(publicKey, SigningAlgorithm, message, unb64(Signature))]).toEqual([SigningAlgorithm, MessageType, true]);
        expect((await ok('kms:Verify', { ...input, Signature }))['SignatureValid']).toBe(true);
        const other = Buffer.from(sent);
        other.writeUInt8((other[0] ?? 0) ^ 1, 0);
        expect(await code('kms:Verify', { ...input, Message: b64(other), Signature })).toBe('KMSInvalidSignatureException');
      }
      if (digestLength) expect(await code('kms:Sign', { KeyId, Message: b64(randomBytes(digestLength - 1)), MessageType: 'DIGEST', SigningAlgorithm })).toBe('ValidationException');
    }
  });

  it.each(Object.keys(lattices) as (keyof typeof lattices)[])('%s signs messages and μ alike, with a public key that the library reads', async (spec) => {
    const KeyId = await newKey(spec);
    const publicKey = new Uint8Array(unb64((await ok('kms:GetPublicKey', { KeyId }))['PublicKey']).subarray(22));
    const message = randomBytes(300);
    const mu = shake(shake(publicKey), Uint8Array.of(0, 0), message);
    const forms = [['RAW', message], ['EXTERNAL_MU', mu]] as const;
    for (const [MessageType, sent] of forms) {
      const { Signature } = await ok('kms:Sign', { KeyId, Message: b64(sent), MessageType, SigningAlgorithm: 'ML_DSA_SHAKE_256' });
      expect(lattices[spec].verify(new Uint8Array(unb64(Signature)), new Uint8Array(message), publicKey)).toBe(true);
      for (const [type, given] of forms) expect((await ok('kms:Verify', { KeyId, Message: b64(given), MessageType: type, SigningAlgorithm: 'ML_DSA_SHAKE_256', Signature }))['SignatureValid']).toBe(true);
      expect(await code('kms:Verify', { KeyId, Message: b64(mu), MessageType: 'RAW', SigningAlgorithm: 'ML_DSA_SHAKE_256', Signature })).toBe('KMSInvalidSignatureException');
    }
    for (const [MessageType, length] of [['DIGEST', 64], ['EXTERNAL_MU', 63], ['EXTERNAL_MU', 65]] as const) {
      expect(await code('kms:Sign', { KeyId, Message: b64(randomBytes(length)), MessageType, SigningAlgorithm: 'ML_DSA_SHAKE_256' })).toBe('ValidationException');
    }
    expect(await code('kms:Sign', { KeyId: await newKey('ECC_NIST_P256'), Message: b64(mu), MessageType: 'EXTERNAL_MU', SigningAlgorithm: 'ECDSA_SHA_256' })).toBe('ValidationException');
    const Path = join(home, spec);
    writeFileSync(Path, randomBytes(4096));
    const { Signature } = await ok('file:Sign', { KeyId, Path });
    expect((await ok('file:Verify', { KeyId, Path, Signature }))['MessageType']).toBe('RAW');
    writeFileSync(Path, randomBytes(4097));
    expect(await code('file:Sign', { KeyId, Path })).toBe('ValidationException');
  });

  it('sign files that openssl verifies, at and around the sizes where something changes', async () => {
    const KeyId = await newKey('ECC_NIST_P256', 'SIGN_VERIFY');
    const pem = createPublicKey({ key: unb64((await ok('kms:GetPublicKey', { KeyId }))['PublicKey']), format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' });
    writeFileSync(join(home, 'pub.pem'), pem);
    for (const size of [0, 1, 4096, 4097, 4 * 1024 * 1024, 8 * 1024 * 1024 + 1]) {
      const Path = join(home, `file-${String(size)}`);
      writeFileSync(Path, randomBytes(size));
      const signed = await ok('file:Sign', { KeyId, Path });
      expect(signed).toMatchObject({ Size: size, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' });
      writeFileSync(`${Path}.sig`, unb64(signed['Signature']));
      const { stdout } = spawnSync('openssl', ['dgst', '-sha256', '-verify', join(home, 'pub.pem'), '-signature', `${Path}.sig`, Path], { encoding: 'utf8' });
      expect([size, stdout.trim()]).toEqual([size, 'Verified OK']);
      expect((await ok('file:Verify', { KeyId, Path, Signature: signed['Signature'] }))['SignatureValid']).toBe(true);
    }
    expect(await code('file:Sign', { KeyId, Path: join(home, 'missing') })).toBe('FileNotReadableException');
    expect(await code('file:Sign', { KeyId, Path: home })).toBe('FileNotReadableException');
    expect(await code('file:Sign', { KeyId, Path: 'relative' })).toBe('ValidationException');
  });

  it('leave a file encrypted to be decrypted by name; the rest stands in file-cipher.test.ts', async () => {
    const KeyId = await newKey();
    const Path = join(home, 'to-encrypt');
    writeFileSync(Path, 'top secret');
    await ok('file:Encrypt', { KeyId, Path, OutputPath: `${Path}.encrypted` });
    await ok('file:Decrypt', { KeyId, Path: `${Path}.encrypted`, OutputPath: `${Path}.back` });
    expect(readFileSync(`${Path}.back`, 'utf8')).toBe('top secret');
  });

  it('sign a small file whole and a larger one prehashed with Ed25519, and say so', async () => {
    const KeyId = await newKey('ECC_NIST_EDWARDS25519');
    for (const [size, algorithm] of [[4096, 'ED25519_SHA_512'], [4097, 'ED25519_PH_SHA_512']] as const) {
      const Path = join(home, `ed-${String(size)}`);
      writeFileSync(Path, randomBytes(size));
      const signed = await ok('file:Sign', { KeyId, Path });
      expect(signed['SigningAlgorithm']).toBe(algorithm);
      expect((await ok('file:Verify', { KeyId, Path, Signature: signed['Signature'] }))['SignatureValid']).toBe(true);
    }
  });
});

describe('RSA encryption and MACs', () => {
  it.each(['RSA_2048', 'RSA_3072', 'RSA_4096'] as const)('%s opens what node:crypto encrypted to it, up to its limit', async (spec) => {
    const KeyId = await newKey(spec, 'ENCRYPT_DECRYPT');
    const key = createPublicKey({ key: unb64((await ok('kms:GetPublicKey', { KeyId }))['PublicKey']), format: 'der', type: 'spki' });
    for (const [EncryptionAlgorithm, oaepHash, overhead] of [['RSAES_OAEP_SHA_1', 'sha1', 42], ['RSAES_OAEP_SHA_256', 'sha256', 66]] as const) {
      const limit = keySpecOf(spec).bits / 8 - overhead;
      const plaintext = randomBytes(limit);
      const CiphertextBlob = b64(publicEncrypt({ key, padding: 4, oaepHash }, plaintext));
      expect(unb64((await ok('kms:Decrypt', { KeyId, CiphertextBlob, EncryptionAlgorithm }))['Plaintext'])).toEqual(plaintext);
      const own = await ok('kms:Encrypt', { KeyId, Plaintext: b64(plaintext), EncryptionAlgorithm });
      expect(unb64((await ok('kms:Decrypt', { KeyId, CiphertextBlob: own['CiphertextBlob'], EncryptionAlgorithm }))['Plaintext'])).toEqual(plaintext);
      expect(await code('kms:Encrypt', { KeyId, Plaintext: b64(randomBytes(limit + 1)), EncryptionAlgorithm })).toBe('ValidationException');
      expect(await code('kms:Encrypt', { KeyId, Plaintext: b64('x'), EncryptionAlgorithm, EncryptionContext: { a: 'b' } })).toBe('ValidationException');
    }
    expect(await code('kms:Sign', { KeyId, Message: b64('x'), SigningAlgorithm: 'RSASSA_PSS_SHA_256' })).toBe('InvalidKeyUsageException');
  });

  it.each(['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'] as const)('%s verifies its own MACs and no others', async (spec) => {
    const KeyId = await newKey(spec);
    const MacAlgorithm = offered(spec, 'GENERATE_VERIFY_MAC')[0];
    const { Mac } = await ok('kms:GenerateMac', { KeyId, Message: b64('message'), MacAlgorithm });
    expect(unb64(Mac)).toHaveLength(keySpecOf(spec).bits / 8);
    expect((await ok('kms:VerifyMac', { KeyId, Message: b64('message'), MacAlgorithm, Mac }))['MacValid']).toBe(true);
    expect(await code('kms:VerifyMac', { KeyId, Message: b64('other'), MacAlgorithm, Mac })).toBe('KMSInvalidMacException');
    expect(await code('kms:VerifyMac', { KeyId: await newKey(spec), Message: b64('message'), MacAlgorithm, Mac })).toBe('KMSInvalidMacException');
  });
});

describe('agreement on secrets', () => {
  it.each([['ECC_NIST_P256', 'P-256'], ['ECC_NIST_P384', 'P-384'], ['ECC_NIST_P521', 'P-521']] as const)('%s agrees with node:crypto', async (spec, namedCurve) => {
    const KeyId = await newKey(spec, 'KEY_AGREEMENT');
    const published = await ok('kms:GetPublicKey', { KeyId });
    expect(published).toMatchObject({ KeyUsage: 'KEY_AGREEMENT', KeyAgreementAlgorithms: ['ECDH'] });
    const mine = generateKeyPairSync('ec', { namedCurve });
    const ask = { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: b64(mine.publicKey.export({ format: 'der', type: 'spki' })) };
    const { SharedSecret, KeyOrigin } = await ok('kms:DeriveSharedSecret', ask);
    expect(unb64(SharedSecret)).toEqual(diffieHellman({ privateKey: mine.privateKey, publicKey: createPublicKey({ key: unb64(published['PublicKey']), format: 'der', type: 'spki' }) }));
    expect(KeyOrigin).toBe('AWS_KMS');
    const foreign = generateKeyPairSync('ec', { namedCurve: namedCurve === 'P-256' ? 'P-384' : 'P-256' });
    expect(await code('kms:DeriveSharedSecret', { ...ask, PublicKey: b64(foreign.publicKey.export({ format: 'der', type: 'spki' })) })).toBe('ValidationException');
    expect(await code('kms:Sign', { KeyId, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' })).toBe('InvalidKeyUsageException');
    expect(await code('kms:DeriveSharedSecret', { ...ask, KeyId: await newKey(spec) })).toBe('InvalidKeyUsageException');
    expect(await code('kms:CreateKey', { KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'KEY_AGREEMENT' })).toBe('ValidationException');
  });

  it.each(Object.keys(kems) as (keyof typeof kems)[])('%s recovers what the library encapsulated, and rejects implicitly', async (spec) => {
    const KeyId = await newKey(spec);
    const EncapsulationAlgorithm = 'ML_KEM';
    const published = await ok('kms:GetPublicKey', { KeyId });
    expect(published).toMatchObject({ KeyUsage: 'ENCAPSULATE_DECAPSULATE', EncapsulationAlgorithms: ['ML_KEM'] });
    const theirs = kems[spec].encapsulate(new Uint8Array(unb64(published['PublicKey']).subarray(22)));
    const recovered = async (blob: string) => unb64((await ok('kms:Decapsulate', { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: blob }))['SharedSecret']);
    expect(await recovered(b64(theirs.cipherText))).toEqual(Buffer.from(theirs.sharedSecret));
    const ours = await ok('kms:Encapsulate', { KeyId, EncapsulationAlgorithm });
    expect(await recovered(ours['SharedSecretCiphertextBlob'] as string)).toEqual(unb64(ours['SharedSecret']));
    const bent = unb64(ours['SharedSecretCiphertextBlob']);
    bent.writeUInt8((bent[0] ?? 0) ^ 1, 0);
    expect((await recovered(b64(bent))).equals(unb64(ours['SharedSecret']))).toBe(false);
    expect(await code('kms:Decapsulate', { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: b64(bent.subarray(1)) })).toBe('InvalidCiphertextException');
    expect(await code('kms:Encapsulate', { KeyId: await newKey(), EncapsulationAlgorithm })).toBe('InvalidKeyUsageException');
  });

  it('does not offer SM2, with AWS’s own error', async () => {
    for (const KeyUsage of ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'KEY_AGREEMENT']) expect(await code('kms:CreateKey', { KeySpec: 'SM2', KeyUsage })).toBe('UnsupportedOperationException');
  });
});

describe('the life of a key', () => {
  it('goes through its states with the refusals of AWS', async () => {
    const KeyId = await newKey();
    const use = () => code('kms:Encrypt', { KeyId, Plaintext: b64('x') });
    const state = async () => ((await ok('kms:DescribeKey', { KeyId }))['KeyMetadata'] as { KeyState: string }).KeyState;
    expect([await state(), await use()]).toEqual(['Enabled', 'ok']);
    await ok('kms:DisableKey', { KeyId });
    expect([await state(), await use()]).toEqual(['Disabled', 'DisabledException']);
    await ok('kms:EnableKey', { KeyId });
    await ok('kms:UpdateKeyDescription', { KeyId, Description: 'naïve 🔑 description' });
    const { DeletionDate } = await ok('kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    expect((DeletionDate as number) - Date.now() / 1000).toBeGreaterThan(7 * 86_400 - 60);
    expect([await state(), await use(), await code('kms:EnableKey', { KeyId }), await code('kms:ScheduleKeyDeletion', { KeyId })]).toEqual([
      'PendingDeletion', 'KMSInvalidStateException', 'KMSInvalidStateException', 'KMSInvalidStateException',
    ]);
    await ok('kms:CancelKeyDeletion', { KeyId });
    expect(await state()).toBe('Disabled');
    expect(await code('kms:CancelKeyDeletion', { KeyId })).toBe('KMSInvalidStateException');
  });

  it('names keys by aliases, which move between keys of one kind only', async () => {
    const [a, b, mac] = [await newKey(), await newKey(), await newKey('HMAC_256')];
    await ok('kms:CreateAlias', { AliasName: 'alias/app', TargetKeyId: a });
    expect(await code('kms:CreateAlias', { AliasName: 'alias/app', TargetKeyId: b })).toBe('AlreadyExistsException');
    expect(await code('kms:CreateAlias', { AliasName: 'alias/aws/x', TargetKeyId: b })).toBe('InvalidAliasNameException');
    expect(await code('kms:CreateAlias', { AliasName: 'app', TargetKeyId: b })).toBe('InvalidAliasNameException');
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId: 'alias/app', Plaintext: b64('x') });
    await ok('kms:UpdateAlias', { AliasName: 'alias/app', TargetKeyId: b });
    expect(await code('kms:UpdateAlias', { AliasName: 'alias/app', TargetKeyId: mac })).toBe('KMSInvalidStateException');
    expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('ok');
    expect(await code('kms:Decrypt', { CiphertextBlob, KeyId: 'alias/app' })).toBe('IncorrectKeyException');
    const { Aliases } = await ok('kms:ListAliases', { KeyId: b });
    expect(Aliases).toMatchObject([{ AliasName: 'alias/app', TargetKeyId: b }]);
    // Managing a key by a name that may move tomorrow is refused, as in AWS.
    expect(await code('kms:DisableKey', { KeyId: 'alias/app' })).toBe('NotFoundException');
    await ok('kms:DeleteAlias', { AliasName: 'alias/app' });
    expect(await code('kms:Encrypt', { KeyId: 'alias/app', Plaintext: b64('x') })).toBe('NotFoundException');
  });

  it('lists every key once, in pages of any size', async () => {
    const all: string[] = [];
    let Marker: unknown;
    do {
      const page = await ok('kms:ListKeys', { Limit: 7, ...(Marker === undefined ? {} : { Marker }) });
      all.push(...(page['Keys'] as { KeyId: string }[]).map(({ KeyId }) => KeyId));
      Marker = page['NextMarker'];
    } while (Marker !== undefined);
    const whole = ((await ok('kms:ListKeys', { Limit: 1000 }))['Keys'] as { KeyId: string }[]).map(({ KeyId }) => KeyId);
    expect([...all].sort()).toEqual([...whole].sort());
    expect(new Set(all).size).toBe(all.length);
    expect(await code('kms:ListKeys', { Marker: 'no marker' })).toBe('InvalidMarkerException');
  });
});

describe('rotation and tags', () => {
  it('rotates on demand and by plan, and decrypts what older material encrypted', async () => {
    const KeyId = await newKey();
    const { CiphertextBlob: before } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('before') });
    expect(await ok('kms:GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: false });
    await ok('kms:EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    expect(await ok('kms:GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    await ok('kms:RotateKeyOnDemand', { KeyId });
    const { CiphertextBlob: after } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('after') });
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: before }))['Plaintext']).toString()).toBe('before');
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: after }))['Plaintext']).toString()).toBe('after');
    expect((await ok('kms:ListKeyRotations', { KeyId }))['Rotations']).toMatchObject([{ RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' }]);
    expect((await ok('kms:ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))['Rotations']).toHaveLength(2);
    await ok('kms:DisableKeyRotation', { KeyId });
    expect(await ok('kms:GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: false });
    expect(await code('kms:EnableKeyRotation', { KeyId: await newKey('ECC_NIST_P256', 'SIGN_VERIFY') })).toBe('UnsupportedOperationException');
  });

  it('keeps tags by their names', async () => {
    const KeyId = await newKey();
    await ok('kms:TagResource', { KeyId, Tags: [{ TagKey: 'team', TagValue: 'orders' }, { TagKey: 'stage', TagValue: 'dev' }] });
    await ok('kms:TagResource', { KeyId, Tags: [{ TagKey: 'stage', TagValue: 'prod' }] });
    await ok('kms:UntagResource', { KeyId, TagKeys: ['team', 'never'] });
    expect((await ok('kms:ListResourceTags', { KeyId }))['Tags']).toEqual([{ TagKey: 'stage', TagValue: 'prod' }]);
    expect(await code('kms:TagResource', { KeyId, Tags: [{ TagKey: 'aws:x', TagValue: '' }] })).toBe('TagException');
  });
});

describe('imported key material', () => {
  const wrapped = async (KeyId: string, material: Uint8Array, WrappingAlgorithm = 'RSAES_OAEP_SHA_256', WrappingKeySpec = 'RSA_2048'): Promise<Json> => {
    const { PublicKey, ImportToken } = await ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec });
    const oaepHash = WrappingAlgorithm.endsWith('_1') ? 'sha1' : 'sha256';
    const seal = (bytes: Uint8Array): Buffer => publicEncrypt({ key: createPublicKey({ key: unb64(PublicKey), format: 'der', type: 'spki' }), padding: 4, oaepHash }, bytes);
    if (!WrappingAlgorithm.startsWith('RSA_AES')) return { KeyId, ImportToken, EncryptedKeyMaterial: b64(seal(material)), ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
    const kek = randomBytes(32);
    const cipher = createCipheriv('id-aes256-wrap-pad', kek, Buffer.from('a65959a6', 'hex'));
    return { KeyId, ImportToken, EncryptedKeyMaterial: b64(Buffer.concat([seal(kek), cipher.update(material), cipher.final()])), ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
  };
  const external = async (spec: KeySpec, usage?: KeyUsage): Promise<string> => ((await ok('kms:CreateKey', { KeySpec: spec, Origin: 'EXTERNAL', ...(usage ? { KeyUsage: usage } : {}) }))['KeyMetadata'] as { KeyId: string }).KeyId;
  const described = async (KeyId: string): Promise<Json> => (await ok('kms:DescribeKey', { KeyId }))['KeyMetadata'] as Json;

  it('makes a key usable, goes, and comes back as the same material only', async () => {
    const KeyId = await external('SYMMETRIC_DEFAULT');
    expect(await described(KeyId)).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL', Enabled: false });
    expect(await code('kms:Encrypt', { KeyId, Plaintext: b64('x') })).toBe('KMSInvalidStateException');
    const material = randomBytes(32);
    const { KeyMaterialId } = await ok('kms:ImportKeyMaterial', await wrapped(KeyId, material));
    expect(KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    expect(await described(KeyId)).toMatchObject({ KeyState: 'Enabled', ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', CurrentKeyMaterialId: KeyMaterialId });
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('kept') });
    expect(await code('kms:ImportKeyMaterial', await wrapped(KeyId, randomBytes(32)))).toBe('IncorrectKeyMaterialException');
    expect(await ok('kms:DeleteImportedKeyMaterial', { KeyId })).toMatchObject({ KeyMaterialId });
    expect(await described(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('KMSInvalidStateException');
    expect(await code('kms:ImportKeyMaterial', await wrapped(KeyId, randomBytes(32)))).toBe('IncorrectKeyMaterialException');
    await ok('kms:ImportKeyMaterial', { ...(await wrapped(KeyId, material)), KeyMaterialId });
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob }))['Plaintext']).toString()).toBe('kept');
  });

  it('rotates to a second material, and needs both', async () => {
    const KeyId = await external('SYMMETRIC_DEFAULT');
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const one = (await ok('kms:ImportKeyMaterial', await wrapped(KeyId, first)))['KeyMaterialId'];
    const { CiphertextBlob: before } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('before') });
    expect(await code('kms:RotateKeyOnDemand', { KeyId })).toBe('KMSInvalidStateException');
    const two = (await ok('kms:ImportKeyMaterial', { ...(await wrapped(KeyId, second, 'RSAES_OAEP_SHA_1')), ImportType: 'NEW_KEY_MATERIAL', KeyMaterialDescription: 'of the ceremony' }))['KeyMaterialId'];
    expect((await ok('kms:ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))['Rotations']).toMatchObject([
      { KeyMaterialId: one, KeyMaterialState: 'CURRENT', ImportState: 'IMPORTED' },
      { KeyMaterialId: two, KeyMaterialState: 'PENDING_ROTATION', KeyMaterialDescription: 'of the ceremony' },
    ]);
    await ok('kms:RotateKeyOnDemand', { KeyId });
    const { CiphertextBlob: after } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('after') });
    for (const [CiphertextBlob, text] of [[before, 'before'], [after, 'after']]) expect(unb64((await ok('kms:Decrypt', { CiphertextBlob }))['Plaintext']).toString()).toBe(text);
    await ok('kms:DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: one });
    expect(await code('kms:Encrypt', { KeyId, Plaintext: b64('x') })).toBe('KMSInvalidStateException');
    await ok('kms:ImportKeyMaterial', await wrapped(KeyId, first));
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob: before }))['Plaintext']).toString()).toBe('before');
  });

  it('signs with an RSA key that was brought, and refuses tokens of other keys and expired dates', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
    const KeyId = await external('RSA_3072', 'SIGN_VERIFY');
    expect(await code('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_4096' })).toBe('UnsupportedOperationException');
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    const input = await wrapped(KeyId, der, 'RSA_AES_KEY_WRAP_SHA_256');
    expect(await code('kms:ImportKeyMaterial', { ...input, KeyId: await external('RSA_3072', 'SIGN_VERIFY') })).toBe('InvalidImportTokenException');
    expect(await code('kms:ImportKeyMaterial', { ...input, ExpirationModel: 'KEY_MATERIAL_EXPIRES' })).toBe('ValidationException');
    expect(await code('kms:ImportKeyMaterial', { ...input, ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: Date.now() / 1000 - 1 })).toBe('ValidationException');
    await ok('kms:ImportKeyMaterial', input);
    expect(unb64((await ok('kms:GetPublicKey', { KeyId }))['PublicKey'])).toEqual(publicKey.export({ format: 'der', type: 'spki' }));
    const { Signature } = await ok('kms:Sign', { KeyId, Message: b64('m'), SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' });
    expect(verify('sha256', Buffer.from('m'), publicKey, unb64(Signature))).toBe(true);
    expect(await code('kms:ImportKeyMaterial', { ...(await wrapped(KeyId, der, 'RSA_AES_KEY_WRAP_SHA_1')), ImportType: 'EXISTING_KEY_MATERIAL' })).toBe('ValidationException');
    expect(await code('kms:GetParametersForImport', { KeyId: await newKey(), WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' })).toBe('UnsupportedOperationException');
  });
});

describe('regions and last use', () => {
  it('replicates a multi-Region key, which then lives in each region by itself', async () => {
    const { KeyId } = (await ok('kms:CreateKey', { MultiRegion: true }))['KeyMetadata'] as { KeyId: string };
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('everywhere') });
    expect(await code('kms:Decrypt', { CiphertextBlob }, 'ap-south-1')).toBe('InvalidCiphertextException');
    expect((await ok('kms:ReplicateKey', { KeyId, ReplicaRegion: 'ap-south-1' }))['ReplicaKeyMetadata']).toMatchObject({ MultiRegion: true, KeyState: 'Enabled' });
    expect(await code('kms:ReplicateKey', { KeyId, ReplicaRegion: 'ap-south-1' })).toBe('AlreadyExistsException');
    expect(unb64((await ok('kms:Decrypt', { CiphertextBlob }, 'ap-south-1'))['Plaintext']).toString()).toBe('everywhere');
    await ok('kms:UpdatePrimaryRegion', { KeyId, PrimaryRegion: 'ap-south-1' });
    expect(await code('kms:UpdatePrimaryRegion', { KeyId, PrimaryRegion: 'ap-south-1' })).toBe('UnsupportedOperationException');
    expect((await ok('kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Region: 'ap-south-1' } } });
    const own = await newKey();
    expect(await code('kms:DescribeKey', { KeyId: own }, 'ap-south-1')).toBe('NotFoundException');
    expect(((await ok('kms:ListKeys', { Limit: 1000 }, 'ap-south-1'))['Keys'] as Json[]).map((key) => key['KeyId'])).toEqual([KeyId]);
    expect(await code('kms:ListKeys', {}, 'nowhere')).toBe('ValidationException');
    expect(await ok('secretsmanager:ListSecrets', {}, 'ap-south-1')).toEqual({ SecretList: [] });
    expect(await code('secretsmanager:ListSecrets', {}, 'nowhere')).toBe('ValidationException');
  });

  it('knows when a key was last used, at once and after the vault was locked and opened again', async () => {
    const KeyId = await newKey();
    const last = async (): Promise<Json> => (await ok('kms:GetKeyLastUsage', { KeyId }))['KeyLastUsage'] as Json;
    expect(await last()).toEqual({});
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: b64('x') });
    expect(await last()).toMatchObject({ Operation: 'Encrypt' });
    expect(await code('kms:Decrypt', { CiphertextBlob: b64(randomBytes(120)) })).toBe('InvalidCiphertextException');
    expect(await last()).toMatchObject({ Operation: 'Encrypt' });
    await ok('kms:Decrypt', { CiphertextBlob });
    const used = await last();
    expect(used).toMatchObject({ Operation: 'Decrypt' });
    expect(Math.abs((used['Timestamp'] as number) - Date.now() / 1000)).toBeLessThan(60);
    await client.ok('vault:Lock');
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect(await last()).toEqual(used);
    expect(await code('kms:GetKeyLastUsage', { KeyId: 'alias/none' })).toBe('NotFoundException');
  });

  it('lets nobody change the key that the vault makes for its secrets', async () => {
    await client.ok('secretsmanager:CreateSecret', { Name: 'of-the-managed-key', SecretString: b64('value') });
    const { KeyMetadata } = await ok('kms:DescribeKey', { KeyId: 'alias/aws/secretsmanager' });
    const { KeyId } = KeyMetadata as { KeyId: string };
    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', KeyState: 'Enabled' });
    expect(await ok('kms:GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
    const refusals: [string, Json, string][] = [
      ['kms:DisableKey', {}, 'AccessDeniedException'],
      ['kms:UpdateKeyDescription', { Description: 'x' }, 'AccessDeniedException'],
      ['kms:ScheduleKeyDeletion', {}, 'AccessDeniedException'],
      ['kms:TagResource', { Tags: [{ TagKey: 'a', TagValue: 'b' }] }, 'AccessDeniedException'],
      ['kms:DisableKeyRotation', {}, 'UnsupportedOperationException'],
      ['kms:RotateKeyOnDemand', {}, 'UnsupportedOperationException'],
    ];
    for (const [name, input, refusal] of refusals) expect([name, await code(name, { KeyId, ...input })]).toEqual([name, refusal]);
    expect(await code('kms:CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId })).toBe('AccessDeniedException');
    expect(await code('kms:DeleteAlias', { AliasName: 'alias/aws/secretsmanager' })).toBe('InvalidAliasNameException');
  });
});

it('deletes a key store that has no keys; the rest of key stores is in test/interop', async () => {
  await ok('hardware:AddModule', { Path: SOFTHSM });
  const tokens = (await ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
  const CloudHsmClusterId = tokens.find((token) => token['Label'] === 'kms')?.['CloudHsmClusterId'];
  expect(await code('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'wrong', CloudHsmClusterId, KeyStorePassword: b64('wrong-pin') })).toBe('IncorrectPinException');
  const { CustomKeyStoreId } = await ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'empty', CloudHsmClusterId, KeyStorePassword: b64(PIN) });
  await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId });
  // A secret under a key in the token: read while it is connected, and said to be unreadable while it is not.
  const symmetric = ((await ok('kms:CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }))['KeyMetadata'] as { KeyId: string }).KeyId;
  await client.ok('secretsmanager:CreateSecret', { Name: 'in-token', KmsKeyId: symmetric, SecretString: b64('value') });
  expect((await client.ok('secretsmanager:GetSecretValue', { SecretId: 'in-token' }))['SecretString']).toBe(b64('value'));
  await ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId });
  expect(await client.code('secretsmanager:GetSecretValue', { SecretId: 'in-token' })).toBe('DecryptionFailure');
  expect(await code('kms:DeleteCustomKeyStore', { CustomKeyStoreId })).toBe('CustomKeyStoreHasCMKsException');
  const empty = (await ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'other', CloudHsmClusterId: tokens.find((token) => token['Label'] === 'spare')?.['CloudHsmClusterId'] }))['CustomKeyStoreId'];
  await ok('kms:UpdateCustomKeyStore', { CustomKeyStoreId: empty, NewCustomKeyStoreName: 'spare' });
  await ok('kms:DeleteCustomKeyStore', { CustomKeyStoreId: empty });
  expect(((await ok('kms:DescribeCustomKeyStores'))['CustomKeyStores'] as readonly Json[]).map((one) => one['CustomKeyStoreName'])).toEqual(['empty']);
});

it('says that callers’ policies decide, and makes a certificate request; what openssl says of it is in test/interop', async () => {
  const { KeyId } = (await ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }))['KeyMetadata'] as { KeyId: string };
  expect(await ok('kms:ListKeyPolicies', { KeyId })).toEqual({ PolicyNames: ['default'], Truncated: false });
  const { Policy, PolicyName } = await ok('kms:GetKeyPolicy', { KeyId });
  expect([PolicyName, JSON.parse(Policy as string)]).toMatchObject(['default', { Version: '2012-10-17' }]);
  expect(await code('kms:GetKeyPolicy', { KeyId, PolicyName: 'other' })).toBe('NotFoundException');
  const { CertificateRequest } = await ok('file:GenerateCertificateRequest', { KeyId, CommonName: 'build.example.com' });
  expect(CertificateRequest).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
  expect(await code('file:GenerateCertificateRequest', { KeyId: await newKey(), CommonName: 'a' })).toBe('InvalidKeyUsageException');
});

it('has asked every kms and file operation that a person may ask for', () => {
  const wanted = NAMES.filter((name) => /^(kms|file):/.test(name) && OPERATIONS[name].doors.some((door) => door === 'cli'));
  expect(wanted.filter((name) => !seen.has(name))).toEqual([]);
});
