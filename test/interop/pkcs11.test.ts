/** Custom key stores in a real served vault, with SoftHSM as the token; judged by node:crypto, openssl and pkcs11-tool. */
import { constants, createHash, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, randomBytes, verify, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { algorithmOf, keySpecOf, offered, type Algorithm, type KeySpec } from '../../src/shared/model/algorithms.ts';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const unb64 = (value: unknown): Buffer => Buffer.from(value as string, 'base64');

let home = '';
let folder = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let serial = '';
let store = '';

const start = async (): Promise<void> => {
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
};
const tokens = async (): Promise<readonly Json[]> => (await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
const stateOf = async (): Promise<Json> => ((await client.ok('kms:DescribeCustomKeyStores', { CustomKeyStoreId: store }))['CustomKeyStores'] as readonly [Json])[0];
const newKey = async (KeySpec: KeySpec, KeyUsage?: string): Promise<string> => {
  const { KeyMetadata } = await client.ok('kms:CreateKey', { KeySpec, ...(KeyUsage === undefined ? {} : { KeyUsage }), Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
  return (KeyMetadata as { KeyId: string }).KeyId;
};
const publicKeyOf = async (KeyId: string): Promise<KeyObject> => createPublicKey({ key: unb64((await client.ok('kms:GetPublicKey', { KeyId }))['PublicKey']), format: 'der', type: 'spki' });
const connect = async (): Promise<void> => {
  await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
};

function isRight(algorithm: Algorithm, key: KeyObject, message: Buffer, signature: Buffer): boolean {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'ed25519') return verify(null, message, key, signature);
  const padding = scheme === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(hash, message, { key, ...padding }, signature);
}

beforeAll(async () => {
  home = temporaryFolder();
  folder = join(home, 'v', 'default');
  hsm = softHsm(home);
  serial = hsm.makeToken('first');
  await makeVault(folder);
  await start();
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

describe('a key store in SoftHSM', () => {
  it('is made from a module and a token, and connected with the PIN', async () => {
    const { Module } = await client.ok('hardware:AddModule', { Path: SOFTHSM });
    expect(Module).toMatchObject({ State: 'running', Manufacturer: 'SoftHSM' });
    const token = (await tokens()).find((one) => one['Serial'] === serial);
    expect(token).toMatchObject({ Label: 'first', Initialized: true, PinSet: true, PinState: 'ok', LoggedIn: false });
    const { CustomKeyStoreId } = await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'soft', CloudHsmClusterId: token?.['CloudHsmClusterId'], KeyStorePassword: b64(PIN) });
    store = CustomKeyStoreId as string;
    expect(await stateOf()).toMatchObject({ CustomKeyStoreName: 'soft', ConnectionState: 'DISCONNECTED', CustomKeyStoreType: 'AWS_CLOUDHSM' });
    expect(await client.code('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store })).toBe('CustomKeyStoreInvalidStateException');
    await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
    expect(await stateOf()).toMatchObject({ ConnectionState: 'CONNECTED' });
  });

  it.each(['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'RSA_2048'] as const)('signs with %s, by every algorithm that the token has', async (spec) => {
    const KeyId = await newKey(spec, 'SIGN_VERIFY');
    const key = await publicKeyOf(KeyId);
    const message = randomBytes(100);
    for (const algorithm of offered(spec, 'SIGN_VERIFY')) {
      const input = { KeyId, SigningAlgorithm: algorithm, Message: b64(message) };
      if (algorithm === 'ED25519_PH_SHA_512') {
        expect(await client.code('kms:Sign', { ...input, Message: b64(randomBytes(64)), MessageType: 'DIGEST' })).toBe('UnsupportedOperationException');
        continue;
      }
      const { Signature } = await client.ok('kms:Sign', input);
      expect([algorithm, isRight(algorithm, key, message, unb64(Signature))]).toEqual([algorithm, true]);
      expect(await client.code('kms:Verify', { ...input, Signature })).toBe('ok');
      const { hash } = algorithmOf(algorithm);
      if (hash === undefined) continue;
      const digested = await client.ok('kms:Sign', { KeyId, SigningAlgorithm: algorithm, Message: b64(createHash(hash).update(message).digest()), MessageType: 'DIGEST' });
      expect(isRight(algorithm, key, message, unb64(digested['Signature']))).toBe(true);
    }
    const { KeyMetadata } = await client.ok('kms:DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store, KeyState: 'Enabled' });
    const described = await client.ok('hardware:DescribeTokenKey', { KeyId });
    expect(described['Stated']).toEqual({ Sensitive: true, Extractable: false, AlwaysSensitive: true, NeverExtractable: true, Local: true });
    expect(described['Uri']).toMatch(new RegExp(`^pkcs11:token=first;serial=${serial};id=(?:%[0-9A-F]{2}){16};type=private$`));
  });

  it('encrypts with AES-256: blobs, data keys, re-encryption both ways', async () => {
    const KeyId = await newKey('SYMMETRIC_DEFAULT');
    const EncryptionContext = { purpose: 'test' };
    for (const plaintext of [randomBytes(1), randomBytes(4096)]) {
      const { CiphertextBlob } = await client.ok('kms:Encrypt', { KeyId, Plaintext: b64(plaintext), EncryptionContext });
      expect(unb64((await client.ok('kms:Decrypt', { CiphertextBlob, EncryptionContext }))['Plaintext'])).toEqual(plaintext);
      expect(await client.code('kms:Decrypt', { CiphertextBlob })).toBe('InvalidCiphertextException');
      const whole = unb64(CiphertextBlob);
      for (const at of [3, 10, 40, 60, 90, 100, 140, whole.length - 1]) {
        const bent = Buffer.from(whole);
        bent.writeUInt8((bent[at] ?? 0) ^ 1, at);
        expect([at, await client.code('kms:Decrypt', { CiphertextBlob: b64(bent), EncryptionContext })]).toEqual([at, 'InvalidCiphertextException']);
      }
    }
    const made = await client.ok('kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    expect((await client.ok('kms:Decrypt', { CiphertextBlob: made['CiphertextBlob'] }))['Plaintext']).toBe(made['Plaintext']);
    await client.ok('kms:GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_128' });
    await client.ok('kms:GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' });
    const soft = ((await client.ok('kms:CreateKey'))['KeyMetadata'] as { KeyId: string }).KeyId;
    const moved = await client.ok('kms:ReEncrypt', { CiphertextBlob: made['CiphertextBlob'], DestinationKeyId: soft });
    const back = await client.ok('kms:ReEncrypt', { CiphertextBlob: moved['CiphertextBlob'], DestinationKeyId: KeyId });
    expect((await client.ok('kms:Decrypt', { CiphertextBlob: back['CiphertextBlob'], KeyId }))['Plaintext']).toBe(made['Plaintext']);
  });

  it('decrypts RSA with both hashes of OAEP, and says nothing of what is wrong', async () => {
    const KeyId = await newKey('RSA_2048', 'ENCRYPT_DECRYPT');
    const key = await publicKeyOf(KeyId);
    const plaintext = randomBytes(32);
    const messages = new Set<string>();
    for (const [algorithm, oaepHash] of [['RSAES_OAEP_SHA_1', 'sha1'], ['RSAES_OAEP_SHA_256', 'sha256']] as const) {
      const theirs = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
      for (const CiphertextBlob of [b64(theirs), (await client.ok('kms:Encrypt', { KeyId, EncryptionAlgorithm: algorithm, Plaintext: b64(plaintext) }))['CiphertextBlob']]) {
        expect(unb64((await client.ok('kms:Decrypt', { KeyId, EncryptionAlgorithm: algorithm, CiphertextBlob }))['Plaintext'])).toEqual(plaintext);
      }
      const other = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha512' }, plaintext);
      for (const blob of [other, publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, plaintext), randomBytes(128)]) {
        const answer = await client.call('kms:Decrypt', { KeyId, EncryptionAlgorithm: algorithm, CiphertextBlob: b64(blob) });
        messages.add(answer.ok ? 'opened' : `${answer.error.code} ${answer.error.message}`);
      }
    }
    expect([...messages]).toEqual([expect.stringMatching(/^InvalidCiphertextException/)]);
  });

  it('makes MACs, and agrees on secrets', async () => {
    for (const spec of ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'] as const) {
      const KeyId = await newKey(spec, 'GENERATE_VERIFY_MAC');
      const MacAlgorithm = offered(spec, 'GENERATE_VERIFY_MAC')[0];
      const { Mac } = await client.ok('kms:GenerateMac', { KeyId, MacAlgorithm, Message: b64('x') });
      expect(unb64(Mac).byteLength).toBe(keySpecOf(spec).bits / 8);
      expect(await client.code('kms:VerifyMac', { KeyId, MacAlgorithm, Message: b64('x'), Mac })).toBe('ok');
      expect(await client.code('kms:VerifyMac', { KeyId, MacAlgorithm, Message: b64('y'), Mac })).toBe('KMSInvalidMacException');
    }
    for (const [spec, namedCurve] of [['ECC_NIST_P256', 'P-256'], ['ECC_NIST_P384', 'P-384'], ['ECC_NIST_P521', 'P-521']] as const) {
      const KeyId = await newKey(spec, 'KEY_AGREEMENT');
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      const { SharedSecret } = await client.ok('kms:DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: b64(publicKey.export({ type: 'spki', format: 'der' })) });
      expect(unb64(SharedSecret)).toEqual(diffieHellman({ privateKey, publicKey: await publicKeyOf(KeyId) }));
    }
  });

  it('is seen by pkcs11-tool, and adopts what pkcs11-tool made', async () => {
    const tool = (...args: string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'first', '--login', '--pin', PIN, ...args).toString('utf8');
    const KeyId = await newKey('ECC_NIST_P256');
    expect(tool('--list-objects', '--type', 'privkey')).toContain(KeyId);
    tool('--keypairgen', '--key-type', 'EC:prime256v1', '--id', 'abcd', '--label', 'theirs', '--usage-sign');
    const { Keys } = await client.ok('hardware:ListTokenKeys', { Serial: serial });
    const theirs = (Keys as readonly Json[]).find((key) => key['Id'] === 'abcd');
    expect(theirs).toMatchObject({ Label: 'theirs', KeySpec: 'ECC_NIST_P256' });
    const { KeyMetadata } = await client.ok('hardware:AdoptKey', { CustomKeyStoreId: store, Id: 'abcd', KeyUsage: 'SIGN_VERIFY' });
    const adopted = (KeyMetadata as { KeyId: string }).KeyId;
    const { Signature } = await client.ok('kms:Sign', { KeyId: adopted, SigningAlgorithm: 'ECDSA_SHA_256', Message: b64('m') });
    expect(isRight('ECDSA_SHA_256', await publicKeyOf(adopted), Buffer.from('m'), unb64(Signature))).toBe(true);
    expect(await client.code('hardware:AdoptKey', { CustomKeyStoreId: store, Id: 'abcd' })).toBe('AlreadyExistsException');
  });

  it('makes its keys unavailable while it is disconnected, and cannot be deleted while it has some', async () => {
    const KeyId = await newKey('ECC_NIST_P256');
    const sign = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: b64('m') };
    expect(await client.code('kms:DeleteCustomKeyStore', { CustomKeyStoreId: store })).toBe('CustomKeyStoreInvalidStateException');
    await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
    expect(await client.code('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store })).toBe('CustomKeyStoreInvalidStateException');
    expect((await client.ok('kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ KeyState: 'Unavailable', Enabled: false });
    expect(await client.code('kms:Sign', sign)).toBe('KMSInvalidStateException');
    expect(await client.code('kms:DeleteCustomKeyStore', { CustomKeyStoreId: store })).toBe('CustomKeyStoreHasCMKsException');
    await client.ok('kms:UpdateCustomKeyStore', { CustomKeyStoreId: store, NewCustomKeyStoreName: 'renamed' });
    await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
    expect(await client.code('kms:Sign', sign)).toBe('ok');
  });

  it('signs again after kill -9 and a new unlock, with its PIN and not without', async () => {
    const KeyId = await newKey('ECC_NIST_P256');
    const sign = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: b64('m') };
    await client.ok('kms:Sign', sign);
    await vault.kill();
    await start();
    expect(await client.code('kms:Sign', sign)).toBe('KMSInvalidStateException');
    expect(await client.code('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store })).toBe('IncorrectPinException');
    expect(await stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
    expect(await client.code('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store })).toBe('CustomKeyStoreInvalidStateException');
    await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
    await connect();
    const { Signature } = await client.ok('kms:Sign', sign);
    expect(isRight('ECDSA_SHA_256', await publicKeyOf(KeyId), Buffer.from('m'), unb64(Signature))).toBe(true);
    await client.ok('vault:Lock');
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect(await stateOf()).toMatchObject({ ConnectionState: 'DISCONNECTED' });
    await connect();
    expect(await client.code('kms:Sign', sign)).toBe('ok');
  });

  it('initialises an empty token, changes its PIN, and names the token when the PIN is wrong', async () => {
    const empty = (await tokens()).find((token) => token['Initialized'] === false);
    const made = await client.ok('hardware:InitializeToken', { Module: SOFTHSM_REAL(), Slot: empty?.['Slot'], NewLabel: 'second', SecurityOfficerPin: b64(OFFICER_PIN), Pin: b64('first-pin') });
    expect(made['Label']).toBe('second');
    const Serial = made['Serial'];
    const wrong = await client.call('hardware:UnlockToken', { Serial, Pin: b64('not-the-pin') });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'IncorrectPinException' } });
    expect(wrong.ok ? '' : wrong.error.message).toContain('token `second` refuses the PIN');
    await client.ok('hardware:SetPin', { Serial, OldPin: b64('first-pin'), NewPin: b64('second-pin') });
    expect(await client.code('hardware:UnlockToken', { Serial, Pin: b64('first-pin') })).toBe('IncorrectPinException');
    expect(await client.code('hardware:UnlockToken', { Serial, Pin: b64('second-pin') })).toBe('ok');
  });
});

/** As the module is known: without links. */
const SOFTHSM_REAL = (): string => hsm.run('realpath', SOFTHSM).toString('utf8').trim();
