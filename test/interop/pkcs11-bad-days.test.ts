/** What tokens and their modules do on bad days, each in a real served vault: it lives, other keys work, the error names the token. */
import { copyFileSync, appendFileSync, chmodSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createModuleHost, type ModuleHost } from '../../src/main/backends/pkcs11/client.ts';
import { createProcessHost } from '../../src/main/platform/process.ts';
import type { ErrorBody } from '../../src/shared/model/errors.ts';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import type { Json } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');

let on: TokenVault;
let bad: BadModule;
let key = '';
let software = '';
const sign = (KeyId = key): Json => ({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: b64('m') });

async function refusal(operation: string, input: Json): Promise<ErrorBody> {
  const answer = await on.client.call(operation, input);
  if (answer.ok) throw new Error(`${operation} was not refused`);
  return answer.error;
}
async function reconnect(): Promise<void> {
  if ((await on.stateOf())['ConnectionState'] !== 'DISCONNECTED') await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
  await on.connect();
}

beforeAll(async () => {
  on = await openTokenVault('bad', { module: (home) => (bad = buildBadModule(home)).path });
  const make = async (input: Json): Promise<string> => ((await on.client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', ...input }))['KeyMetadata'] as { KeyId: string }).KeyId;
  key = await make({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
  software = await make({});
});
afterEach(async () => {
  bad.mode('');
  // Whatever was done to the module, the vault goes on.
  expect(await on.client.code('kms:Sign', sign(software))).toBe('ok');
});
afterAll(() => on.end());

describe('a module that is none', () => {
  it('is refused: no library, no PKCS #11 module, nothing there', async () => {
    const text = on.at('text.so');
    writeFileSync(text, 'not a library');
    expect((await refusal('hardware:AddModule', { Path: text })).code).toBe('ModuleRefusedException');
    expect((await refusal('hardware:AddModule', { Path: '/usr/lib/x86_64-linux-gnu/libnssutil3.so' })).code).toBe('ModuleRefusedException');
    expect((await refusal('hardware:AddModule', { Path: on.at('missing.so') })).code).toBe('FileNotReadableException');
  });

  it.each(['load:crash', 'load:fails'])('is refused when it does %s, and is not added', async (word) => {
    const copy = on.at(`${word.replace(':', '-')}.so`);
    copyFileSync(bad.path, copy);
    bad.mode(word);
    const error = await refusal('hardware:AddModule', { Path: copy });
    expect(error.message).toContain(copy);
    const { Modules } = await on.client.ok('hardware:ListModules');
    expect((Modules as readonly Json[]).map((one) => one['Path'])).not.toContain(copy);
  });

  it('is not loaded when its file has changed, until its owner agrees; and who else could change it is said', async () => {
    const copy = on.at('changing.so');
    copyFileSync(bad.path, copy);
    chmodSync(copy, 0o666);
    const { Module } = await on.client.ok('hardware:AddModule', { Path: copy });
    expect((Module as Json)['Warnings']).toEqual([`file \`${copy}\` is writable by everybody`]);
    await on.client.ok('hardware:RemoveModule', { Path: copy });
    await on.client.ok('hardware:AddModule', { Path: copy });
    appendFileSync(copy, 'x');
    const listed = (((await on.client.ok('hardware:ListModules'))['Modules']) as readonly Json[]).find((one) => one['Path'] === copy);
    expect(listed?.['State']).toBe('changed');
    const { Failures } = await on.client.ok('hardware:ListTokens');
    expect(Failures).toEqual([{ Module: copy, Message: expect.stringContaining('is another file than you agreed to') as string }]);
    const error = await refusal('hardware:UpdateModule', { Path: copy, Sha256: '0'.repeat(64) });
    const sha256 = /`([0-9a-f]{64})`/.exec(error.message)?.[1];
    await on.client.ok('hardware:UpdateModule', { Path: copy, Sha256: sha256 });
    expect((await on.client.ok('hardware:ListTokens'))['Failures']).toEqual([]);
    await on.client.ok('hardware:RemoveModule', { Path: copy });
  });
});

describe('a token', () => {
  it('whose module crashes in a signature fails its key store, is named, and signs again after a new connection', async () => {
    await reconnect();
    bad.mode('sign:crash');
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringContaining(`module \`${bad.path}\` has crashed`)]);
    bad.mode('');
    expect(await on.stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INTERNAL_ERROR' });
    expect((await on.client.ok('kms:DescribeKey', { KeyId: key }))['KeyMetadata']).toMatchObject({ KeyState: 'Unavailable' });
    expect(await on.client.code('kms:Sign', sign())).toBe('KMSInvalidStateException');
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });

  it.each([['sign:wrong'], ['sign:short']])('that does %s gives no signature out', async (word) => {
    await reconnect();
    bad.mode(word);
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringContaining('token `bad`')]);
  });

  it('that is pulled out says so, and is connected again once it is back', async () => {
    await reconnect();
    bad.mode('sign:removed');
    const error = await refusal('kms:Sign', sign());
    expect([error.code, error.message]).toEqual(['KeyUnavailableException', expect.stringContaining('token `bad` is not there')]);
    expect(await on.stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'CLUSTER_NOT_FOUND' });
    bad.mode('');
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });

  it.each([
    ['login:crash', 'KMSInternalException', 'INTERNAL_ERROR'],
    ['login:locked', 'PinLockedException', 'USER_LOCKED_OUT'],
    ['login:expired', 'IncorrectPinException', 'INVALID_CREDENTIALS'],
  ])('that does %s is not connected, and the state says why', async (word, code, why) => {
    await reconnect();
    await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
    bad.mode(word);
    expect((await refusal('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store })).code).toBe(code);
    expect(await on.stateOf()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: why });
  });

  it('whose PIN is locked, or has one try left, is not tried', async () => {
    bad.mode('token:locked');
    expect((await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN) })).message).toContain('token `bad` has locked its PIN');
    bad.mode('token:last-try');
    expect((await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN) })).message).toContain('one more wrong PIN locks it');
    expect((await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: b64('wrong-pin'), LastTry: true })).message).toMatch(/token `bad` refuses the PIN.*one try is left/);
    await on.client.ok('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN), LastTry: true });
  });

  it('that has no session left serves all requests with the one that it has', async () => {
    await reconnect();
    bad.mode('session:count');
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => on.client.code('kms:Sign', sign()))))).toEqual(new Set(['ok']));
  });

  it.each([
    ['generate:no-rng', 'KMSInternalException'],
    ['generate:full', 'LimitExceededException'],
    ['key:extractable', 'UnsupportedOperationException'],
  ])('that does %s makes no key', async (word, code) => {
    await reconnect();
    const count = async (): Promise<number> => ((await on.client.ok('hardware:ListTokenKeys', { Serial: on.serial }))['Keys'] as readonly Json[]).length;
    const before = await count();
    bad.mode(word);
    const error = await refusal('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
    expect([error.code, error.message]).toEqual([code, expect.stringContaining('token `bad`')]);
    bad.mode('');
    expect(await count()).toBe(before);
  });

  it.each([
    ['clock:reset', { ClockState: 'off', ClockTime: 0 }],
    ['clock:nonsense', { ClockState: 'unreadable' }],
  ])('that does %s is listed with that, and signs; no time here is its', async (word, clock) => {
    await reconnect();
    expect(await on.tokenNow()).not.toHaveProperty('ClockState');
    bad.mode(word);
    expect(await on.tokenNow()).toMatchObject(clock);
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
    const { KeyMetadata } = await on.client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
    expect(Math.abs((KeyMetadata as { CreationDate: number }).CreationDate * 1000 - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    ['random:device', /token `bad` reports a fault of the device; see to it, and try again/],
    ['random:none', /token `bad` has no working generator of random numbers; replace it/],
    ['random:zeros', /token `bad` gave the same byte 32 times for random bytes, which were withheld; do not trust it/],
  ])('that does %s gives no random bytes, and the vault has its own', async (word, message) => {
    await reconnect();
    bad.mode(word);
    const error = await refusal('kms:GenerateRandom', { NumberOfBytes: 32, CustomKeyStoreId: on.store });
    expect([error.code, error.message]).toEqual(['KMSInternalException', expect.stringMatching(message)]);
    expect(Buffer.from((await on.client.ok('kms:GenerateRandom', { NumberOfBytes: 32 }))['Plaintext'] as string, 'base64').byteLength).toBe(32);
    bad.mode('');
    expect(await on.client.code('kms:GenerateRandom', { NumberOfBytes: 32, CustomKeyStoreId: on.store })).toBe('ok');
  });

  it('with two keys under one id uses neither', async () => {
    await reconnect();
    for (const label of ['one', 'two']) on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'bad', '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', '77', '--label', label);
    const error = await refusal('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id: '77', KeyUsage: 'SIGN_VERIFY' });
    expect(error.message).toContain('holds more than one key under one id');
  });

  it('that is deleted and put back is found again', async () => {
    await reconnect();
    const kept = on.at('kept');
    cpSync(on.hsm.folder, kept, { recursive: true });
    for (const name of readdirSync(on.hsm.folder)) rmSync(join(on.hsm.folder, name), { recursive: true });
    await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
    await on.client.ok('vault:Lock');
    await on.client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect((await refusal('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN) })).message).toContain(on.serial);
    cpSync(kept, on.hsm.folder, { recursive: true });
    await reconnect();
    expect(await on.client.code('kms:Sign', sign())).toBe('ok');
  });
});

describe('the module’s process', () => {
  it('that hangs is ended when its time is over, and tells every caller', async () => {
    const previous = process.env['SOFTHSM2_CONF'];
    process.env['SOFTHSM2_CONF'] = on.hsm.env['SOFTHSM2_CONF'];
    let host: ModuleHost | undefined;
    try {
      const entries = { sealer: '', keychain: '', cipher: '', egress: '', importer: '', pkcs11: resolve(import.meta.dirname, '../../dist/main/pkcs11.mjs') };
      host = createModuleHost(createProcessHost({ entries }).spawn('pkcs11'), bad.path, { start: 20_000, generate: 20_000, call: 6000 });
      await host.call('load', { path: bad.path });
      const token = { serial: on.serial, label: 'bad' };
      await host.call('login', { token, again: false }, [Buffer.from(PIN)]);
      const { reply } = await host.call('keys', { token });
      const id = reply.keys.find(({ label }) => label === key)?.id ?? '';
      bad.mode('sign:hang');
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
