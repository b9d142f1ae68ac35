/** PINs that are sealed in the vault: key stores connect by themselves; a wrong one is tried once, whatever dies meanwhile; no PIN lies anywhere in the open. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const SOURCE = resolve(import.meta.dirname, '../fixtures/pkcs11/bad-module.c');
const OTHER_PIN = '7654321';
const b64 = (text: string): string => Buffer.from(text).toString('base64');

let home = '';
let folder = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let module = '';
let serial = '';
let store = '';

const mode = (word: string): void => { writeFileSync(join(home, 'mode'), word); };
const logins = (): number => (existsSync(join(home, 'mode.logins')) ? readFileSync(join(home, 'mode.logins')).byteLength : 0);
async function start(): Promise<void> {
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
}
/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await is())) await sleep(50);
}
const stateOf = async (): Promise<Json> => ((await client.ok('kms:DescribeCustomKeyStores', { CustomKeyStoreId: store }))['CustomKeyStores'] as readonly [Json])[0];
/** It settles by itself: as what? */
async function settled(): Promise<Json> {
  await until(async () => ['CONNECTED', 'FAILED'].includes((await stateOf())['ConnectionState'] as string));
  return stateOf();
}
const sealed = async (): Promise<readonly Json[]> => ((await client.ok('hardware:ListModules'))['Modules'] as readonly Json[]).find(({ Path }) => Path === module)?.['SealedPins'] as readonly Json[];
const relock = async (): Promise<void> => {
  await client.ok('vault:Lock');
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
};
const seal = (pin = PIN): Promise<Json> => client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(pin), SealPin: true });
const pinIs = (from: string, to: string): void => { hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'sealed', '--login', '--pin', from, '--change-pin', '--new-pin', to); };
const disconnect = (): Promise<unknown> => client.call('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });

beforeAll(async () => {
  home = temporaryFolder();
  hsm = softHsm(home);
  serial = hsm.makeToken('sealed');
  module = join(home, 'bad.so');
  mode('');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${join(home, 'mode')}"`, `-DREAL="${SOFTHSM}"`, SOURCE, '-o', module, '-ldl']);
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  await start();
  await client.ok('hardware:AddModule', { Path: module });
  const [token] = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Serial'] === serial);
  store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'sealed', CloudHsmClusterId: token?.['CloudHsmClusterId'], KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
});
beforeEach(() => { mode(''); });
afterAll(async () => {
  await vault.kill();
  remove(home);
});

describe('a PIN', () => {
  it('is not sealed unless its owner says so', async () => {
    await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
    expect(await sealed()).toEqual([]);
    await relock();
    await sleep(500);
    expect(await stateOf()).toMatchObject({ ConnectionState: 'DISCONNECTED' });
  });

  it('that is sealed connects its key store by itself after each unlock, and after kill -9', async () => {
    await seal();
    expect(await sealed()).toEqual([{ Serial: serial, Label: 'sealed', SealedDate: expect.any(Number) as number, State: 'sealed' }]);
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    await vault.kill();
    await start();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    const { KeyMetadata } = await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
    expect(await client.code('kms:Sign', { KeyId: (KeyMetadata as Json)['KeyId'], Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' })).toBe('ok');
    expect(await sealed()).toMatchObject([{ State: 'sealed' }]);
  });

  it('lies nowhere in the open: not in the vault’s folder, its log, the trail', async () => {
    const { Events } = await client.ok('trail:LookupEvents', { Limit: 500 });
    expect(JSON.stringify(Events)).toContain('hardware:UseSealedPin');
    for (const needle of [PIN, b64(PIN), Buffer.from(PIN).toString('hex')]) {
      expect(JSON.stringify(Events)).not.toContain(needle);
      for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.parentPath.startsWith(hsm.folder)) continue;
        expect([entry.name, readFileSync(join(entry.parentPath, entry.name)).includes(needle)]).toEqual([entry.name, false]);
      }
    }
  });

  it('that the vault changes on the token stays right', async () => {
    await client.ok('hardware:SetPin', { Serial: serial, OldPin: b64(PIN), NewPin: b64(OTHER_PIN) });
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    await client.ok('hardware:SetPin', { Serial: serial, OldPin: b64(OTHER_PIN), NewPin: b64(PIN) });
  });

  it('is not given where the token was given a wrong one, and stays sealed', async () => {
    const before = logins();
    mode('token:low');
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'FAILED' });
    expect([logins(), (await sealed()).map(({ State }) => State)]).toEqual([before, ['sealed']]);
    mode('');
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
  });

  it('that is wrong is tried once, and forgotten', async () => {
    await client.ok('vault:Lock');
    pinIs(PIN, OTHER_PIN);
    const before = logins();
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect(await settled()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
    expect([logins(), await sealed()]).toEqual([before + 1, []]);
    await disconnect();
    expect(await client.code('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store })).toBe('IncorrectPinException');
    await relock();
    await sleep(500);
    expect(logins()).toBe(before + 1);
    pinIs(OTHER_PIN, PIN);
  });

  it('that was on its way when the vault was killed is never given again', async () => {
    await disconnect();
    await seal();
    await client.ok('vault:Lock');
    const before = logins();
    mode('login:hang');
    await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    await until(() => logins() > before);
    await vault.kill();
    mode('');
    await start();
    await sleep(500);
    expect([logins(), (await sealed()).map(({ State }) => State)]).toEqual([before + 1, ['doubtful']]);
    const answer = await client.call('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
    expect(answer.ok ? '' : `${answer.error.code} ${answer.error.message}`).toMatch(/^IncorrectPinException .*nobody knows whether it was right/);
    expect(logins()).toBe(before + 1);
    await disconnect();
    await seal();
    expect(await sealed()).toMatchObject([{ State: 'sealed' }]);
  });

  it('is gone when its owner says so, when the token’s key store goes, and when its module goes', async () => {
    await client.ok('hardware:ForgetPin', { Serial: serial });
    expect([await sealed(), await client.code('hardware:ForgetPin', { Serial: serial })]).toEqual([[], 'NotFoundException']);
    const { CustomKeyStoreId } = await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'short', CloudHsmClusterId: await other('short') });
    const [short] = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === 'short');
    await client.ok('hardware:UnlockToken', { Serial: short?.['Serial'], Pin: b64(PIN), SealPin: true });
    expect(await sealed()).toMatchObject([{ Label: 'short' }]);
    await client.ok('kms:DeleteCustomKeyStore', { CustomKeyStoreId });
    expect(await sealed()).toEqual([]);
  });
});

describe('a token that two modules show', () => {
  it('is given its PIN by the one that its owner names', async () => {
    const copy = join(home, 'copy.so');
    copyFileSync(module, copy);
    await client.ok('hardware:AddModule', { Path: copy });
    await other('twice');
    const [twice] = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === 'twice');
    const by = { Serial: twice?.['Serial'], Pin: b64(PIN) };
    const refused = await client.call('hardware:UnlockToken', by);
    expect(refused.ok ? '' : refused.error.message).toContain('`Module`');
    expect(await client.code('hardware:SetPin', { Serial: by.Serial, OldPin: by.Pin, NewPin: b64(OTHER_PIN) })).toBe('KeyUnavailableException');
    expect(await client.code('hardware:UnlockToken', { ...by, Module: join(home, 'none.so') })).toBe('NotFoundException');
    await client.ok('hardware:SetPin', { Serial: by.Serial, Module: copy, OldPin: by.Pin, NewPin: b64(OTHER_PIN) });
    await client.ok('hardware:UnlockToken', { Serial: by.Serial, Module: copy, Pin: b64(OTHER_PIN), SealPin: true });
    const tokens = (await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
    expect(tokens.filter(({ Label }) => Label === 'twice').every(({ Module }) => Module === copy || Module === module)).toBe(true);
    await client.ok('hardware:RemoveModule', { Path: copy });
    await client.ok('hardware:AddModule', { Path: copy });
    expect((((await client.ok('hardware:ListModules'))['Modules']) as readonly Json[]).map(({ SealedPins }) => SealedPins)).toEqual([[], []]);
  });
});

/** A further token; its name here. */
async function other(label: string): Promise<string> {
  hsm.makeToken(label);
  const [token] = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === label);
  return token?.['CloudHsmClusterId'] as string;
}
