/** Custom key stores in a real served vault, with SoftHSM as the token; judged by node:crypto and pkcs11-tool. */
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { copyFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeySpec } from '../../src/shared/model/algorithms.ts';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
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

  it('says where a key is, what the token says of it, and what it did when it was asked to wrap it out', async () => {
    const KeyId = await newKey('ECC_NIST_P256');
    expect((await client.ok('kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store, CloudHsmClusterId: (await stateOf())['CloudHsmClusterId'], KeyState: 'Enabled' });
    const described = await client.ok('hardware:DescribeTokenKey', { KeyId });
    expect(described['Stated']).toEqual({ Sensitive: true, Extractable: false, AlwaysSensitive: true, NeverExtractable: true, Local: true });
    expect(described['Tested']).toEqual({ WrapRefused: expect.arrayContaining(['CKM_AES_KEY_WRAP']) as string[], WrapAllowed: [], WrapUnknown: [] });
    expect(described['Uri']).toMatch(new RegExp(`^pkcs11:token=first;serial=${serial};id=(?:%[0-9A-F]{2}){16};type=private$`));
  });

  it('is put to the test, and has no key of the test afterwards', async () => {
    const keys = async (): Promise<number> => ((await client.ok('hardware:ListTokenKeys', { Serial: serial }))['Keys'] as readonly Json[]).length;
    const before = await keys();
    expect(await client.ok('hardware:TestToken', { CustomKeyStoreId: store })).toEqual({ KeySpec: 'ECC_NIST_P256', SigningAlgorithm: 'ECDSA_SHA_256' });
    expect(await keys()).toBe(before);
    expect(await client.code('hardware:TestToken', { CustomKeyStoreId: 'cks-0123456789abcdef0' })).toBe('CustomKeyStoreNotFoundException');
  });

  it('has a module whose file can be looked at before it is loaded', async () => {
    const { Sha256, Warnings } = await client.ok('hardware:InspectModule', { Path: SOFTHSM });
    expect(Sha256).toBe(createHash('sha256').update(readFileSync(SOFTHSM)).digest('hex'));
    expect(Warnings).toEqual([]);
    const copy = join(home, 'copy.so');
    copyFileSync(SOFTHSM, copy);
    expect(await client.code('hardware:AddModule', { Path: copy, Sha256: '0'.repeat(64) })).toBe('ModuleRefusedException');
    expect(((await client.ok('hardware:ListModules'))['Modules'] as readonly Json[]).map(({ Path }) => Path)).toEqual([realpathSync(SOFTHSM)]);
  });

  it('gives random bytes of the token’s own generator', async () => {
    const draw = async (): Promise<string> => (await client.ok('kms:GenerateRandom', { NumberOfBytes: 32, CustomKeyStoreId: store }))['Plaintext'] as string;
    expect(unb64(await draw()).byteLength).toBe(32);
    expect(await draw()).not.toBe(await draw());
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
    expect(verify('sha256', Buffer.from('m'), await publicKeyOf(adopted), unb64(Signature))).toBe(true);
    expect(await client.code('hardware:AdoptKey', { CustomKeyStoreId: store, Id: 'abcd' })).toBe('AlreadyExistsException');
  });

  it('adopts what p11tool made, and p11tool signs with what it made', async () => {
    const tool = (...args: string[]): string => hsm.run('p11tool', `--provider=${SOFTHSM}`, '--login', `--set-pin=${PIN}`, '--batch', ...args, `pkcs11:token=first`).toString('utf8');
    tool('--generate-privkey=rsa', '--bits=2048', '--label=gnutls', '--id=beef', '--mark-sign');
    const { Keys } = await client.ok('hardware:ListTokenKeys', { Serial: serial });
    expect((Keys as readonly Json[]).find((key) => key['Id'] === 'beef')).toMatchObject({ Label: 'gnutls', KeySpec: 'RSA_2048' });
    const { KeyMetadata } = await client.ok('hardware:AdoptKey', { CustomKeyStoreId: store, Id: 'beef', KeyUsage: 'SIGN_VERIFY' });
    const KeyId = (KeyMetadata as { KeyId: string }).KeyId;
    const { Signature } = await client.ok('kms:Sign', { KeyId, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', Message: b64('m') });
    expect(verify('sha256', Buffer.from('m'), await publicKeyOf(KeyId), unb64(Signature))).toBe(true);
    const ours = await newKey('ECC_NIST_P256');
    const Uri = (await client.ok('hardware:DescribeTokenKey', { KeyId: ours }))['Uri'] as string;
    // What it finds goes to standard error.
    expect(hsm.run('sh', '-c', 'exec p11tool "$@" 2>&1', 'p11tool', `--provider=${SOFTHSM}`, '--login', `--set-pin=${PIN}`, '--batch', '--test-sign', Uri).toString('utf8')).toMatch(/ok/i);
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
    expect(verify('sha256', Buffer.from('m'), await publicKeyOf(KeyId), unb64(Signature))).toBe(true);
    await client.ok('vault:Lock');
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect(await stateOf()).toMatchObject({ ConnectionState: 'DISCONNECTED' });
    await connect();
    expect(await client.code('kms:Sign', sign)).toBe('ok');
  });

  it('takes a PIN from a file on the command line, without its line’s end, and never as an argument', async () => {
    const file = join(home, 'pin');
    writeFileSync(file, `${PIN}\n`, { mode: 0o600 });
    const run = (...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', folder, 'hardware', 'unlock-token', '--serial', serial, ...args], { env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') }, input: '' });
    expect(JSON.parse(run('--pin', `file://${file}`).stdout.toString('utf8'))).toEqual({ Serial: serial, Label: 'first' });
    const refused = run('--pin', PIN);
    expect([refused.status, refused.stderr.toString('utf8')]).toEqual([2, expect.stringContaining('may not stand in an argument')]);
    expect(refused.stderr.toString('utf8')).not.toContain(PIN);
    expect(run().stderr.toString('utf8')).toContain('--pin');
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
