/** One contract for every place that holds keys: this vault, SoftHSM, a cluster of two of its tokens, NSS softokn. Judged by node:crypto and openssl. */
import { execFileSync } from 'node:child_process';
import { constants, createHash, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, randomBytes, verify, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { algorithmOf, KEY_SPECS, keySpecOf, offered, type Algorithm, type KeySpec, type KeyUsage } from '../../src/shared/model/algorithms.ts';
import type { Client, Json } from '../system/support/client.ts';
import { makeCluster } from '../system/support/cluster.ts';
import { openHsmVault, type HsmVault } from '../system/support/hsm-vault.ts';
import { NSS_LABEL, NSS_PIN, nssToken } from '../system/support/nss.ts';
import { PIN } from '../system/support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const unb64 = (value: unknown): Buffer => Buffer.from(value as string, 'base64');

let home = '';
let on: HsmVault;
let client: Client;
/** Id of the key store of each place but the vault. */
const stores = new Map<string, string>();

beforeAll(async () => {
  on = await openHsmVault({ prepare: (hsm) => { hsm.makeToken('contract'); } });
  ({ client, home } = on);
  await client.ok('hardware:AddModule', nssToken(home));
  const tokens = (await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
  for (const [name, label, pin] of [['SoftHSM', 'contract', PIN], ['NSS', NSS_LABEL, NSS_PIN]] as const) {
    const token = tokens.find((one) => one['Label'] === label);
    const { CustomKeyStoreId } = await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: name, CloudHsmClusterId: token?.['CloudHsmClusterId'], KeyStorePassword: b64(pin) });
    await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId });
    stores.set(name, CustomKeyStoreId as string);
  }
  stores.set('a cluster of two tokens', (await makeCluster(client, on.hsm, 'cluster', ['contract-one', 'contract-two'])).store);
});
afterAll(() => on.end());

const publicKeyOf = async (KeyId: string): Promise<KeyObject> => createPublicKey({ key: unb64((await client.ok('kms:GetPublicKey', { KeyId }))['PublicKey']), format: 'der', type: 'spki' });

function isRight(algorithm: Algorithm, key: KeyObject, message: Buffer, signature: Buffer): boolean {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'ed25519') return verify(null, message, key, signature);
  const padding = scheme === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(hash, message, { key, ...padding }, signature);
}

/** openssl's own word on a signature, from files. */
function opensslVerifies(key: KeyObject, message: Buffer, signature: Buffer): boolean {
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(home, name), content);
    return join(home, name);
  };
  const args = ['dgst', '-sha256', '-verify', file('key.pem', key.export({ type: 'spki', format: 'pem' })), '-signature', file('signature', signature), file('message', message)];
  return execFileSync('openssl', args).toString('utf8').includes('Verified OK');
}

/** `absent`: what the place does not make. `without`: algorithms that it does not have for keys that it makes. */
interface Place {
  readonly name: string;
  readonly absent: readonly KeySpec[];
  readonly without: readonly Algorithm[];
}
const PLACES: readonly Place[] = [
  { name: 'the vault', absent: [], without: [] },
  { name: 'SoftHSM', absent: [], without: ['ED25519_PH_SHA_512'] },
  { name: 'a cluster of two tokens', absent: ['ECC_NIST_EDWARDS25519'], without: [] },
  { name: 'NSS', absent: ['ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'], without: [] },
];
const SIGNING = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'RSA_2048'] as const;
const CURVES = [['ECC_NIST_P256', 'P-256'], ['ECC_NIST_P384', 'P-384'], ['ECC_NIST_P521', 'P-521']] as const;
const MACS = ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'] as const;

describe.each(PLACES)('keys in $name', ({ name, absent, without }) => {
  const inPlace = (): Json => (stores.has(name) ? { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get(name) } : {});
  const newKey = async (KeySpec: KeySpec, KeyUsage: KeyUsage): Promise<string> => ((await client.ok('kms:CreateKey', { KeySpec, KeyUsage, ...inPlace() }))['KeyMetadata'] as { KeyId: string }).KeyId;

  it.each(SIGNING)('sign with %s, by every algorithm', async (spec) => {
    if (absent.includes(spec)) {
      expect(await client.code('kms:CreateKey', { KeySpec: spec, KeyUsage: 'SIGN_VERIFY', ...inPlace() })).toBe('UnsupportedOperationException');
      return;
    }
    const KeyId = await newKey(spec, 'SIGN_VERIFY');
    const key = await publicKeyOf(KeyId);
    const message = randomBytes(100);
    for (const algorithm of offered(spec, 'SIGN_VERIFY')) {
      const input = { KeyId, SigningAlgorithm: algorithm, Message: b64(message) };
      const { hash, digestOnly } = algorithmOf(algorithm);
      const digested = hash === undefined ? undefined : { ...input, Message: b64(createHash(hash).update(message).digest()), MessageType: 'DIGEST' };
      if (without.includes(algorithm)) {
        expect(await client.code('kms:Sign', digested ?? input)).toBe('UnsupportedOperationException');
        continue;
      }
      if (digestOnly) continue;
      const { Signature } = await client.ok('kms:Sign', input);
      expect([algorithm, isRight(algorithm, key, message, unb64(Signature))]).toEqual([algorithm, true]);
      expect(await client.code('kms:Verify', { ...input, Signature })).toBe('ok');
      expect(await client.code('kms:Verify', { ...input, Message: b64('other'), Signature })).toBe('KMSInvalidSignatureException');
      if (digested) expect(isRight(algorithm, key, message, unb64((await client.ok('kms:Sign', digested))['Signature']))).toBe(true);
      if (algorithm === 'ECDSA_SHA_256' || algorithm === 'RSASSA_PKCS1_V1_5_SHA_256') expect(opensslVerifies(key, message, unb64(Signature))).toBe(true);
    }
  });

  it('encrypt: blobs, data keys, re-encryption to the vault and back', async () => {
    const KeyId = await newKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const EncryptionContext = { purpose: 'test' };
    for (const plaintext of [randomBytes(1), randomBytes(4096)]) {
      const { CiphertextBlob } = await client.ok('kms:Encrypt', { KeyId, Plaintext: b64(plaintext), EncryptionContext });
      expect(unb64((await client.ok('kms:Decrypt', { CiphertextBlob, EncryptionContext }))['Plaintext'])).toEqual(plaintext);
      expect(await client.code('kms:Decrypt', { CiphertextBlob })).toBe('InvalidCiphertextException');
      const whole = unb64(CiphertextBlob);
      const messages = new Set<string>();
      for (const at of [3, 10, 40, 60, 90, 100, Math.min(140, whole.length - 2), whole.length - 1]) {
        const bent = Buffer.from(whole);
        bent.writeUInt8((bent[at] ?? 0) ^ 1, at);
        const answer = await client.call('kms:Decrypt', { CiphertextBlob: b64(bent), EncryptionContext });
        messages.add(answer.ok ? `opened at ${String(at)}` : `${answer.error.code} ${answer.error.message}`);
      }
      expect([...messages]).toEqual([expect.stringMatching(/^InvalidCiphertextException/)]);
    }
    const made = await client.ok('kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    expect((await client.ok('kms:Decrypt', { CiphertextBlob: made['CiphertextBlob'] }))['Plaintext']).toBe(made['Plaintext']);
    await client.ok('kms:GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_128' });
    const pair = await client.ok('kms:GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' });
    expect((await client.ok('kms:Decrypt', { CiphertextBlob: pair['PrivateKeyCiphertextBlob'] }))['Plaintext']).toBe(pair['PrivateKeyPlaintext']);
    const soft = ((await client.ok('kms:CreateKey'))['KeyMetadata'] as { KeyId: string }).KeyId;
    const moved = await client.ok('kms:ReEncrypt', { CiphertextBlob: made['CiphertextBlob'], DestinationKeyId: soft });
    const back = await client.ok('kms:ReEncrypt', { CiphertextBlob: moved['CiphertextBlob'], DestinationKeyId: KeyId });
    expect((await client.ok('kms:Decrypt', { CiphertextBlob: back['CiphertextBlob'], KeyId }))['Plaintext']).toBe(made['Plaintext']);
  });

  it('decrypt RSA with both hashes of OAEP, and say nothing of what is wrong', async () => {
    const KeyId = await newKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const key = await publicKeyOf(KeyId);
    const messages = new Set<string>();
    for (const [EncryptionAlgorithm, oaepHash] of [['RSAES_OAEP_SHA_1', 'sha1'], ['RSAES_OAEP_SHA_256', 'sha256']] as const) {
      for (const length of [1, 32, 190]) {
        const plaintext = randomBytes(length);
        const theirs = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
        for (const CiphertextBlob of [b64(theirs), (await client.ok('kms:Encrypt', { KeyId, EncryptionAlgorithm, Plaintext: b64(plaintext) }))['CiphertextBlob']]) {
          expect(unb64((await client.ok('kms:Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob }))['Plaintext'])).toEqual(plaintext);
        }
      }
      const other = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha512' }, randomBytes(32));
      for (const blob of [other, publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, randomBytes(32)), randomBytes(128)]) {
        const answer = await client.call('kms:Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob: b64(blob) });
        messages.add(answer.ok ? 'opened' : `${answer.error.code} ${answer.error.message}`);
      }
    }
    expect([...messages]).toEqual([expect.stringMatching(/^InvalidCiphertextException/)]);
  });

  it.each(MACS)('make MACs with %s', async (spec) => {
    const KeyId = await newKey(spec, 'GENERATE_VERIFY_MAC');
    const MacAlgorithm = offered(spec, 'GENERATE_VERIFY_MAC')[0];
    const { Mac } = await client.ok('kms:GenerateMac', { KeyId, MacAlgorithm, Message: b64('x') });
    expect(unb64(Mac).byteLength).toBe(keySpecOf(spec).bits / 8);
    expect(await client.code('kms:VerifyMac', { KeyId, MacAlgorithm, Message: b64('x'), Mac })).toBe('ok');
    expect(await client.code('kms:VerifyMac', { KeyId, MacAlgorithm, Message: b64('y'), Mac })).toBe('KMSInvalidMacException');
  });

  it.each(CURVES)('agree on secrets with %s, and refuse what is no key of its curve', async (spec, namedCurve) => {
    const KeyId = await newKey(spec, 'KEY_AGREEMENT');
    const own = await publicKeyOf(KeyId);
    for (let time = 0; time < 4; time += 1) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      const { SharedSecret } = await client.ok('kms:DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: b64(publicKey.export({ type: 'spki', format: 'der' })) });
      expect(unb64(SharedSecret)).toEqual(diffieHellman({ privateKey, publicKey: own }));
    }
    const wrong = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ type: 'spki', format: 'der' });
    const off = Buffer.from(own.export({ type: 'spki', format: 'der' }));
    off.writeUInt8((off.at(-1) ?? 0) ^ 1, off.length - 1);
    for (const key of [wrong, off, randomBytes(40)]) expect(await client.code('kms:DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: b64(key) })).toBe('ValidationException');
  });
});

describe('what tokens say and what they do', () => {
  it.each([
    ['SoftHSM', ['token `contract` knows OAEP with SHA-1 only, as it said when it was tried: for SHA-256 it does raw RSA, and the padding is checked here in constant time']],
    ['NSS', ['token `NSS Certificate DB` does OAEP with SHA-256 itself, as it did when it was tried']],
    ['a cluster of two tokens', ['contract-one', 'contract-two'].map((label) => `token \`${label}\` knows OAEP with SHA-1 only, as it said when it was tried: for SHA-256 it does raw RSA, and the padding is checked here in constant time`)],
  ])('is on the page of an RSA key that decrypts: who does OAEP with SHA-256 in %s', async (name, notes) => {
    const { KeyMetadata } = await client.ok('kms:CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get(name) });
    const KeyId = (KeyMetadata as { KeyId: string }).KeyId;
    for (let time = 0; time < 2; time += 1) {
      const { Notes } = await client.ok('hardware:DescribeTokenKey', { KeyId });
      expect((Notes as readonly string[]).filter((note) => note.includes('OAEP'))).toEqual(notes);
    }
  });

  it('is told apart: NSS calls a key not extractable, and wraps it out', async () => {
    const { KeyMetadata } = await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get('NSS') });
    const described = await client.ok('hardware:DescribeTokenKey', { KeyId: (KeyMetadata as { KeyId: string }).KeyId });
    expect(described['Stated']).toMatchObject({ Sensitive: true, Extractable: false, NeverExtractable: true });
    expect((described['Tested'] as { WrapAllowed: readonly string[] }).WrapAllowed).toContain('CKM_AES_KEY_WRAP_PAD');
  });

  it.each([['SoftHSM'], ['NSS']])('is offered as it is taken: every kind of key, offered by %s or not', async (name) => {
    const label = name === 'NSS' ? NSS_LABEL : 'contract';
    const { Serial } = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === label) ?? {};
    const { Offers } = await client.ok('hardware:ListMechanisms', { Serial, Label: label });
    const offers = (Offers as readonly Json[]).map(({ KeySpec, KeyUsage }) => `${String(KeySpec)} ${String(KeyUsage)}`);
    const taken: string[] = [];
    // Longer ones take their time, and are told by the sizes that the token states.
    for (const spec of (Object.keys(KEY_SPECS) as KeySpec[]).filter((one) => one !== 'RSA_3072' && one !== 'RSA_4096')) {
      for (const KeyUsage of Object.keys(keySpecOf(spec).algorithms)) {
        const code = await client.code('kms:CreateKey', { KeySpec: spec, KeyUsage, Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get(name) });
        expect(['ok', 'UnsupportedOperationException']).toContain(code);
        if (code === 'ok') taken.push(`${spec} ${KeyUsage}`);
      }
    }
    expect(offers.filter((one) => !/^RSA_[34]/.test(one))).toEqual(taken);
    expect(offers.includes('ECC_SECG_P256K1 SIGN_VERIFY')).toBe(name === 'SoftHSM');
  });

  it('is probed: RSA 3072 and 4096 where the token has them', async () => {
    for (const spec of ['RSA_3072', 'RSA_4096'] as const) {
      const KeyId = ((await client.ok('kms:CreateKey', { KeySpec: spec, KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get('SoftHSM') }))['KeyMetadata'] as { KeyId: string }).KeyId;
      const { Signature } = await client.ok('kms:Sign', { KeyId, SigningAlgorithm: 'RSASSA_PSS_SHA_512', Message: b64('m') });
      expect(isRight('RSASSA_PSS_SHA_512', await publicKeyOf(KeyId), Buffer.from('m'), unb64(Signature))).toBe(true);
    }
    expect(await client.code('kms:CreateKey', { KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.get('SoftHSM') })).toBe('UnsupportedOperationException');
  });
});
