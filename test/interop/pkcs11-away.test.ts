/** Tokens that are away, not to be told apart, or behind a module that hangs, under a plain key store of a served vault; secrets under a key in one. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '../../src/shared/model/errors.ts';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import { base64, type Json } from '../system/support/client.ts';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

let on: TokenVault;
let bad: BadModule;
let key = '';
let software = '';
const sign = (KeyId = key): Json => ({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: base64('m') });

async function refusal(operation: string, input: Json): Promise<ErrorBody> {
  const answer = await on.client.call(operation, input);
  if (answer.ok) throw new Error(`${operation} was not refused`);
  return answer.error;
}
const store = (): Json => ({ CustomKeyStoreId: on.store });
async function disconnect(): Promise<void> {
  if ((await on.stateOf())['ConnectionState'] !== 'DISCONNECTED') await on.client.ok('kms:DisconnectCustomKeyStore', store());
}
async function reconnect(): Promise<void> {
  await disconnect();
  await on.connect();
}
const newKey = async (input: Json): Promise<string> => ((await on.client.ok('kms:CreateKey', input))['KeyMetadata'] as { KeyId: string }).KeyId;
const text = (value: unknown): string => Buffer.from(value as string, 'base64').toString('utf8');
const tool = (...args: readonly string[]): void => { on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'away', '--login', '--pin', PIN, ...args); };

beforeAll(async () => {
  on = await openTokenVault('away', { module: (home) => (bad = buildBadModule(home)).path });
  key = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', ...store() });
  software = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
});
afterEach(async () => {
  bad.mode('');
  expect(await on.client.code('kms:Sign', sign(software))).toBe('ok');
});
afterAll(() => on.end());

describe('keys and tokens with one name', () => {
  it('two keys with one label and ids of their own are two keys', async () => {
    for (const id of ['a1', 'a2']) tool('--keypairgen', '--key-type', 'EC:prime256v1', '--id', id, '--label', 'same', '--usage-sign');
    const adopted: string[] = [];
    for (const Id of ['a1', 'a2']) adopted.push(((await on.client.ok('hardware:AdoptKey', { ...store(), Id, KeyUsage: 'SIGN_VERIFY' }))['KeyMetadata'] as { KeyId: string }).KeyId);
    const [one = '', two = ''] = adopted;
    const { Signature } = await on.client.ok('kms:Sign', sign(one));
    expect(await on.client.code('kms:Verify', { ...sign(one), Signature })).toBe('ok');
    expect(await on.client.code('kms:Verify', { ...sign(two), Signature })).toBe('KMSInvalidSignatureException');
  });

  it('a token that is there twice, serial number and all, is not used, and the error says what to do', async () => {
    await disconnect();
    bad.mode('token:twin');
    await on.client.ok('hardware:RestartModule', { Path: bad.path });
    const error = await refusal('kms:ConnectCustomKeyStore', store());
    expect(error.code).toBe('KeyUnavailableException');
    expect(error.message).toMatch(/token `away` is there more than once.*take one away/);
    bad.mode('');
    await on.client.ok('hardware:RestartModule', { Path: bad.path });
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });

  it('two tokens with one label are two tokens, each with its own PIN and keys', async () => {
    const before = new Set(((await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).map(({ Serial }) => Serial));
    on.hsm.run('softhsm2-util', '--init-token', '--free', '--label', 'away', '--so-pin', '87654321', '--pin', 'other-pin');
    await disconnect();
    await on.client.ok('hardware:RestartModule', { Path: bad.path });
    const twin = ((await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find(({ Label, Serial }) => Label === 'away' && !before.has(Serial)) ?? {};
    expect(twin['CloudHsmClusterId']).not.toBe((await on.tokenNow())['CloudHsmClusterId']);
    expect((await refusal('hardware:UnlockToken', { Serial: twin['Serial'], Pin: base64(PIN) })).code).toBe('IncorrectPinException');
    await on.client.ok('hardware:UnlockToken', { Serial: twin['Serial'], Pin: base64('other-pin') });
    expect((await on.client.ok('hardware:ListTokenKeys', { Serial: twin['Serial'] }))['Keys']).toEqual([]);
    await on.connect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('a token whose files are taken away while its key store is connected', () => {
  it('signs nothing while it is gone, is named, and signs again once it is back', async () => {
    await reconnect();
    const kept = on.at('kept');
    cpSync(on.hsm.folder, kept, { recursive: true });
    for (const name of readdirSync(on.hsm.folder)) rmSync(join(on.hsm.folder, name), { recursive: true });
    const answer = await on.client.call('kms:Sign', sign());
    // SoftHSM keeps what it has read; what it does give is a right signature.
    if (answer.ok) expect(await on.client.code('kms:Verify', { ...sign(), Signature: answer.output['Signature'] })).toBe('ok');
    else expect(answer.error.message).toContain('token `away`');
    const made = await refusal('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', ...store() });
    expect(made.message).toContain('token `away`');
    await disconnect();
    await on.client.ok('hardware:RestartModule', { Path: bad.path });
    expect((await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: base64(PIN) })).message).toContain(on.serial);
    expect(await on.client.code('kms:Sign', sign())).toBe('KMSInvalidStateException');
    cpSync(kept, on.hsm.folder, { recursive: true });
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('a token that gives no session at all', () => {
  it('is not connected, says why and what to do, and is connected once it has one', async () => {
    await disconnect();
    await on.client.ok('hardware:RestartModule', { Path: bad.path });
    bad.mode('session:count');
    const error = await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: base64(PIN) });
    expect([error.code, error.message]).toEqual(['ThrottlingException', expect.stringMatching(/token `away` has no session left; close other programs/)]);
    bad.mode('');
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('a module that hangs', () => {
  it('while it is loaded is ended in time and not added', async () => {
    const copy = on.at('hangs.so');
    cpSync(bad.path, copy);
    bad.mode('load:hang');
    const error = await refusal('hardware:AddModule', { Path: copy });
    expect([error.code, error.message]).toEqual(['ModuleRefusedException', expect.stringMatching(/hangs\.so` crashed or hung while it was loaded; check it/)]);
  });

  it('in a signature fails its key store and nothing else: other keys go on meanwhile, and a new connection signs', async () => {
    await reconnect();
    bad.mode('sign:hang');
    let isOver = false;
    const hung = refusal('kms:Sign', sign()).finally(() => { isOver = true; });
    await sleep(200);
    for (let time = 0; time < 5; time += 1) expect(await on.client.code('kms:Sign', sign(software))).toBe('ok');
    expect(isOver).toBe(false);
    const error = await hung;
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringMatching(/did not answer `sign` in time and was ended; connect the key store again/)]);
    expect(await on.stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INTERNAL_ERROR' });
    bad.mode('');
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('a secret under a key in a token', () => {
  const SecretId = 'in/hardware';
  const ok = (operation: string, input: Json = {}): Promise<Json> => on.client.ok(`secretsmanager:${operation}`, { SecretId, ...input });
  const value = async (VersionStage = 'AWSCURRENT'): Promise<string> => text((await ok('GetSecretValue', { VersionStage }))['SecretString']);

  it('is written, read and versioned; while the key store is disconnected the words say so, and nothing is lost', async () => {
    await reconnect();
    const KmsKeyId = await newKey({ KeySpec: 'SYMMETRIC_DEFAULT', Origin: 'AWS_CLOUDHSM', ...store() });
    await on.client.ok('secretsmanager:CreateSecret', { Name: SecretId, KmsKeyId, SecretString: base64('first') });
    await ok('PutSecretValue', { SecretString: base64('second') });
    expect([await value(), await value('AWSPREVIOUS')]).toEqual(['second', 'first']);
    const of = ((await ok('ListSecretVersionIds'))['Versions'] as readonly { readonly KmsKeyIds: readonly string[] }[]).map(({ KmsKeyIds }) => KmsKeyIds.map((one) => one.split('/').at(-1)));
    expect(of).toEqual([[KmsKeyId], [KmsKeyId]]);
    await disconnect();
    const read = await refusal('secretsmanager:GetSecretValue', { SecretId });
    expect([read.code, read.message]).toEqual(['DecryptionFailure', expect.stringMatching(/key store `cks-[0-9a-f]{17}` is not connected; connect it with `keystead kms connect-custom-key-store`/)]);
    const written = await refusal('secretsmanager:PutSecretValue', { SecretId, SecretString: base64('third') });
    expect([written.code, written.message]).toEqual(['EncryptionFailure', expect.stringMatching(/key store `cks-[0-9a-f]{17}` is not connected; connect it with `keystead kms connect-custom-key-store`/)]);
    await reconnect();
    expect([await value(), await value('AWSPREVIOUS')]).toEqual(['second', 'first']);
  });

  it('is rotated under it', async () => {
    await ok('SetRotator', { Rotator: 'generic', PasswordLength: 24 });
    await ok('RotateSecret');
    while ((await ok('DescribeRotation'))['Run'] !== undefined) await sleep(50);
    expect([(await value()).length, await value('AWSPREVIOUS')]).toEqual([24, 'second']);
    expect(((await ok('DescribeRotation'))['Ended'] as readonly Json[])[0]).toMatchObject({ Result: 'rotated' });
  });
});
