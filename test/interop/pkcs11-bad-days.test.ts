/** What tokens and their modules do on bad days, each in a real served vault: it lives, other keys work, the error names the token. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, appendFileSync, chmodSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createModuleHost, type ModuleHost } from '../../src/main/backends/pkcs11/client.ts';
import { createProcessHost } from '../../src/main/platform/process.ts';
import type { ErrorBody } from '../../src/shared/model/errors.ts';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const SOURCE = resolve(import.meta.dirname, '../fixtures/pkcs11/bad-module.c');

let home = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let module = '';
let serial = '';
let store = '';
let key = '';
let software = '';
const sign = (KeyId = key): Json => ({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: b64('m') });

const mode = (word: string): void => { writeFileSync(join(home, 'mode'), word); };
async function refusal(operation: string, input: Json): Promise<ErrorBody> {
  const answer = await client.call(operation, input);
  if (answer.ok) throw new Error(`${operation} was not refused`);
  return answer.error;
}
const stateOf = async (): Promise<Json> => ((await client.ok('kms:DescribeCustomKeyStores', { CustomKeyStoreId: store }))['CustomKeyStores'] as readonly [Json])[0];
async function reconnect(): Promise<void> {
  if ((await stateOf())['ConnectionState'] !== 'DISCONNECTED') await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
  await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
}

beforeAll(async () => {
  home = temporaryFolder();
  hsm = softHsm(home);
  serial = hsm.makeToken('bad');
  module = join(home, 'bad.so');
  mode('');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${join(home, 'mode')}"`, `-DREAL="${SOFTHSM}"`, SOURCE, '-o', module, '-ldl']);
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  await client.ok('hardware:AddModule', { Path: module });
  const [token] = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Serial'] === serial);
  store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'bad', CloudHsmClusterId: token?.['CloudHsmClusterId'], KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  const make = async (input: Json): Promise<string> => ((await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', ...input }))['KeyMetadata'] as { KeyId: string }).KeyId;
  key = await make({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
  software = await make({});
});
afterEach(async () => {
  mode('');
  // Whatever was done to the module, the vault goes on.
  expect(await client.code('kms:Sign', sign(software))).toBe('ok');
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

describe('a module that is none', () => {
  it('is refused: no library, no PKCS #11 module, nothing there', async () => {
    const text = join(home, 'text.so');
    writeFileSync(text, 'not a library');
    expect((await refusal('hardware:AddModule', { Path: text })).code).toBe('ModuleRefusedException');
    expect((await refusal('hardware:AddModule', { Path: '/usr/lib/x86_64-linux-gnu/libnssutil3.so' })).code).toBe('ModuleRefusedException');
    expect((await refusal('hardware:AddModule', { Path: join(home, 'missing.so') })).code).toBe('FileNotReadableException');
  });

  it.each(['load:crash', 'load:fails'])('is refused when it does %s, and is not added', async (word) => {
    const copy = join(home, `${word.replace(':', '-')}.so`);
    copyFileSync(module, copy);
    mode(word);
    const error = await refusal('hardware:AddModule', { Path: copy });
    expect(error.message).toContain(copy);
    const { Modules } = await client.ok('hardware:ListModules');
    expect((Modules as readonly Json[]).map((one) => one['Path'])).not.toContain(copy);
  });

  it('is not loaded when its file has changed, until its owner agrees; and who else could change it is said', async () => {
    const copy = join(home, 'changing.so');
    copyFileSync(module, copy);
    chmodSync(copy, 0o666);
    const { Module } = await client.ok('hardware:AddModule', { Path: copy });
    expect((Module as Json)['Warnings']).toEqual([`file \`${copy}\` is writable by everybody`]);
    await client.ok('hardware:RemoveModule', { Path: copy });
    await client.ok('hardware:AddModule', { Path: copy });
    appendFileSync(copy, 'x');
    const listed = (((await client.ok('hardware:ListModules'))['Modules']) as readonly Json[]).find((one) => one['Path'] === copy);
    expect(listed?.['State']).toBe('changed');
    const { Failures } = await client.ok('hardware:ListTokens');
    expect(Failures).toEqual([{ Module: copy, Message: expect.stringContaining('is another file than you agreed to') as string }]);
    const error = await refusal('hardware:UpdateModule', { Path: copy, Sha256: '0'.repeat(64) });
    const sha256 = /`([0-9a-f]{64})`/.exec(error.message)?.[1];
    await client.ok('hardware:UpdateModule', { Path: copy, Sha256: sha256 });
    expect((await client.ok('hardware:ListTokens'))['Failures']).toEqual([]);
    await client.ok('hardware:RemoveModule', { Path: copy });
  });
});

describe('a token', () => {
  it('whose module crashes in a signature fails its key store, is named, and signs again after a new connection', async () => {
    await reconnect();
    mode('sign:crash');
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringContaining(`module \`${module}\` has crashed`)]);
    mode('');
    expect(await stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INTERNAL_ERROR' });
    expect((await client.ok('kms:DescribeKey', { KeyId: key }))['KeyMetadata']).toMatchObject({ KeyState: 'Unavailable' });
    expect(await client.code('kms:Sign', sign())).toBe('KMSInvalidStateException');
    await reconnect();
    expect(await client.code('kms:Sign', sign())).toBe('ok');
  });

  it.each([['sign:wrong'], ['sign:short']])('that does %s gives no signature out', async (word) => {
    await reconnect();
    mode(word);
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringContaining('token `bad`')]);
  });

  it('that is pulled out says so, and is connected again once it is back', async () => {
    await reconnect();
    mode('sign:removed');
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KeyUnavailableException', expect.stringContaining('token `bad` is not there')]);
    expect(await stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'CLUSTER_NOT_FOUND' });
    mode('');
    await reconnect();
    expect(await client.code('kms:Sign', sign())).toBe('ok');
  });

  it.each([
    ['login:crash', 'KMSInternalException', 'INTERNAL_ERROR'],
    ['login:locked', 'PinLockedException', 'USER_LOCKED_OUT'],
    ['login:expired', 'IncorrectPinException', 'INVALID_CREDENTIALS'],
  ])('that does %s is not connected, and the state says why', async (word, code, why) => {
    await reconnect();
    await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
    mode(word);
    expect((await refusal('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store })).code).toBe(code);
    expect(await stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: why });
  });

  it('whose PIN is locked, or has one try left, is not tried', async () => {
    mode('token:locked');
    expect((await refusal('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) })).message).toContain('token `bad` has locked its PIN');
    mode('token:last-try');
    expect((await refusal('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) })).message).toContain('one more wrong PIN locks it');
    expect((await refusal('hardware:UnlockToken', { Serial: serial, Pin: b64('wrong-pin'), LastTry: true })).message).toMatch(/token `bad` refuses the PIN.*one try is left/);
    await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN), LastTry: true });
  });

  it('that has no session left serves all requests with the one that it has', async () => {
    await reconnect();
    mode('session:count');
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => client.code('kms:Sign', sign()))))).toEqual(new Set(['ok']));
  });

  it.each([
    ['generate:no-rng', 'KMSInternalException'],
    ['generate:full', 'LimitExceededException'],
    ['key:extractable', 'UnsupportedOperationException'],
  ])('that does %s makes no key', async (word, code) => {
    await reconnect();
    const count = async (): Promise<number> => ((await client.ok('hardware:ListTokenKeys', { Serial: serial }))['Keys'] as readonly Json[]).length;
    const before = await count();
    mode(word);
    const error = await refusal('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
    expect([error.code, error.message]).toEqual([code, expect.stringContaining('token `bad`')]);
    mode('');
    expect(await count()).toBe(before);
  });

  it('with two keys under one id uses neither', async () => {
    await reconnect();
    for (const label of ['one', 'two']) hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'bad', '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', '77', '--label', label);
    const error = await refusal('hardware:AdoptKey', { CustomKeyStoreId: store, Id: '77', KeyUsage: 'SIGN_VERIFY' });
    expect(error.message).toContain('holds more than one key under one id');
  });

  it('that is deleted and put back is found again', async () => {
    await reconnect();
    const kept = join(home, 'kept');
    cpSync(hsm.folder, kept, { recursive: true });
    for (const name of readdirSync(hsm.folder)) rmSync(join(hsm.folder, name), { recursive: true });
    await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
    await client.ok('vault:Lock');
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect((await refusal('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) })).message).toContain(serial);
    cpSync(kept, hsm.folder, { recursive: true });
    await reconnect();
    expect(await client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('the module’s process', () => {
  it('that hangs is ended when its time is over, and tells every caller', async () => {
    const previous = process.env['SOFTHSM2_CONF'];
    process.env['SOFTHSM2_CONF'] = hsm.env['SOFTHSM2_CONF'];
    let host: ModuleHost | undefined;
    try {
      const entries = { sealer: '', keychain: '', cipher: '', egress: '', importer: '', pkcs11: resolve(import.meta.dirname, '../../dist/main/pkcs11.mjs') };
      host = createModuleHost(createProcessHost({ entries }).spawn('pkcs11'), module, { start: 20_000, generate: 20_000, call: 6000 });
      await host.call('load', { path: module });
      const token = { serial, label: 'bad' };
      await host.call('login', { token, again: false }, [Buffer.from(PIN)]);
      const { reply } = await host.call('keys', { token });
      const id = reply.keys.find(({ label }) => label === key)?.id ?? '';
      mode('sign:hang');
      const ask = (): Promise<unknown> => (host as ModuleHost).call('sign', { token, id, use: { kind: 'plain', mechanism: 0x1041 } }, [Buffer.alloc(32)]);
      const answers = await Promise.allSettled([ask(), ask()]);
      for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'KMSInternalException', message: expect.stringMatching(/did not answer `sign` in time/) as string } });
      expect(host.isGone).toBe(true);
    } finally {
      await host?.stop();
      if (previous === undefined) delete process.env['SOFTHSM2_CONF'];
      else process.env['SOFTHSM2_CONF'] = previous;
    }
  });
});
