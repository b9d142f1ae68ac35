/** PINs that are sealed in the vault: key stores connect by themselves; a wrong one is tried once, whatever dies meanwhile; no PIN lies anywhere in the open. */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import type { Json } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const OTHER_PIN = '7654321';
const b64 = (text: string): string => Buffer.from(text).toString('base64');

let on: TokenVault;
let bad: BadModule;

/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await is())) await sleep(50);
}
/** It settles by itself: as what? */
async function settled(): Promise<Json> {
  await until(async () => ['CONNECTED', 'FAILED'].includes((await on.stateOf())['ConnectionState'] as string));
  return on.stateOf();
}
const sealed = async (): Promise<readonly Json[]> => ((await on.client.ok('hardware:ListModules'))['Modules'] as readonly Json[]).find(({ Path }) => Path === bad.path)?.['SealedPins'] as readonly Json[];
const relock = async (): Promise<void> => {
  await on.client.ok('vault:Lock');
  await on.client.ok('vault:Unlock', { Password: b64(PASSWORD) });
};
const seal = (pin = PIN): Promise<Json> => on.client.ok('hardware:UnlockToken', { Serial: on.serial, Pin: b64(pin), SealPin: true });
const pinIs = (from: string, to: string): void => { on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'sealed', '--login', '--pin', from, '--change-pin', '--new-pin', to); };
const disconnect = (): Promise<unknown> => on.client.call('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });

beforeAll(async () => {
  on = await openTokenVault('sealed', { connected: false, module: (home) => (bad = buildBadModule(home)).path });
});
beforeEach(() => { bad.mode(''); });
afterAll(() => on.end());

describe('a PIN', () => {
  it('is not sealed unless its owner says so', async () => {
    await on.client.ok('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN) });
    expect(await sealed()).toEqual([]);
    await relock();
    await sleep(500);
    expect(await on.stateOf()).toMatchObject({ ConnectionState: 'DISCONNECTED' });
  });

  it('that is sealed connects its key store by itself after each unlock, and after kill -9', async () => {
    await seal();
    expect(await sealed()).toEqual([{ Serial: on.serial, Label: 'sealed', SealedDate: expect.any(Number) as number, State: 'sealed' }]);
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    await on.vault.kill();
    await on.start();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    const { KeyMetadata } = await on.client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
    expect(await on.client.code('kms:Sign', { KeyId: (KeyMetadata as Json)['KeyId'], Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' })).toBe('ok');
    expect(await sealed()).toMatchObject([{ State: 'sealed' }]);
  });

  it('lies nowhere in the open: not in the vault’s folder, its log, the trail', async () => {
    const { Events } = await on.client.ok('trail:LookupEvents', { Limit: 500 });
    expect(JSON.stringify(Events)).toContain('hardware:UseSealedPin');
    for (const needle of [PIN, b64(PIN), Buffer.from(PIN).toString('hex')]) {
      expect(JSON.stringify(Events)).not.toContain(needle);
      for (const entry of readdirSync(on.home, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || entry.parentPath.startsWith(on.hsm.folder)) continue;
        expect([entry.name, readFileSync(join(entry.parentPath, entry.name)).includes(needle)]).toEqual([entry.name, false]);
      }
    }
  });

  it('that the vault changes on the token stays right', async () => {
    await on.client.ok('hardware:SetPin', { Serial: on.serial, OldPin: b64(PIN), NewPin: b64(OTHER_PIN) });
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
    await on.client.ok('hardware:SetPin', { Serial: on.serial, OldPin: b64(OTHER_PIN), NewPin: b64(PIN) });
  });

  it('is not given where the token was given a wrong one, and stays sealed', async () => {
    const before = bad.logins();
    bad.mode('token:low');
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'FAILED' });
    expect([bad.logins(), (await sealed()).map(({ State }) => State)]).toEqual([before, ['sealed']]);
    bad.mode('');
    await relock();
    expect(await settled()).toMatchObject({ ConnectionState: 'CONNECTED' });
  });

  it('that is wrong is tried once, and forgotten', async () => {
    await on.client.ok('vault:Lock');
    pinIs(PIN, OTHER_PIN);
    const before = bad.logins();
    await on.client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    expect(await settled()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
    expect([bad.logins(), await sealed()]).toEqual([before + 1, []]);
    await disconnect();
    expect(await on.client.code('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store })).toBe('IncorrectPinException');
    await relock();
    await sleep(500);
    expect(bad.logins()).toBe(before + 1);
    pinIs(OTHER_PIN, PIN);
  });

  it('that was on its way when the vault was killed is never given again', async () => {
    await disconnect();
    await seal();
    await on.client.ok('vault:Lock');
    const before = bad.logins();
    bad.mode('login:hang');
    await on.client.ok('vault:Unlock', { Password: b64(PASSWORD) });
    await until(() => bad.logins() > before);
    await on.vault.kill();
    bad.mode('');
    await on.start();
    await sleep(500);
    expect([bad.logins(), (await sealed()).map(({ State }) => State)]).toEqual([before + 1, ['doubtful']]);
    const answer = await on.client.call('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store });
    expect(answer.ok ? '' : `${answer.error.code} ${answer.error.message}`).toMatch(/^IncorrectPinException .*nobody knows whether it was right/);
    expect(bad.logins()).toBe(before + 1);
    await disconnect();
    await seal();
    expect(await sealed()).toMatchObject([{ State: 'sealed' }]);
  });

  it('that the token’s security officer sets anew is forgotten, and nothing else; not while a key store uses the token', async () => {
    const reset = (NewPin: string): Json => ({ Serial: on.serial, SecurityOfficerPin: b64(OFFICER_PIN), NewPin: b64(NewPin) });
    await on.client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store });
    expect(await on.client.code('hardware:ResetPin', reset(OTHER_PIN))).toBe('KMSInvalidStateException');
    expect([await on.stateOf(), await sealed()]).toMatchObject([{ ConnectionState: 'CONNECTED' }, [{ State: 'sealed' }]]);
    await disconnect();
    await on.client.ok('hardware:ResetPin', reset(OTHER_PIN));
    expect([await sealed(), await on.client.code('hardware:UnlockToken', { Serial: on.serial, Pin: b64(PIN) })]).toEqual([[], 'IncorrectPinException']);
    await on.client.ok('hardware:UnlockToken', { Serial: on.serial, Pin: b64(OTHER_PIN) });
    await on.client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store });
    const { Keys } = (await on.client.ok('hardware:ListTokenKeys', { Serial: on.serial })) as { readonly Keys: readonly Json[] };
    expect(Keys.length).toBeGreaterThan(0);
    await disconnect();
    await on.client.ok('hardware:ResetPin', reset(PIN));
    await seal();
  });

  it('is gone when its owner says so, when the token’s key store goes, and when its module goes', async () => {
    await on.client.ok('hardware:ForgetPin', { Serial: on.serial });
    expect([await sealed(), await on.client.code('hardware:ForgetPin', { Serial: on.serial })]).toEqual([[], 'NotFoundException']);
    const { CustomKeyStoreId } = await on.client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'short', CloudHsmClusterId: await other('short') });
    const [short] = ((await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === 'short');
    await on.client.ok('hardware:UnlockToken', { Serial: short?.['Serial'], Pin: b64(PIN), SealPin: true });
    expect(await sealed()).toMatchObject([{ Label: 'short' }]);
    await on.client.ok('kms:DeleteCustomKeyStore', { CustomKeyStoreId });
    expect(await sealed()).toEqual([]);
  });
});

describe('a token that two modules show', () => {
  it('is given its PIN by the one that its owner names', async () => {
    const copy = on.at('copy.so');
    copyFileSync(bad.path, copy);
    await on.client.ok('hardware:AddModule', { Path: copy });
    await other('twice');
    const [twice] = ((await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === 'twice');
    const by = { Serial: twice?.['Serial'], Pin: b64(PIN) };
    const refused = await on.client.call('hardware:UnlockToken', by);
    expect(refused.ok ? '' : refused.error.message).toContain('`Module`');
    expect(await on.client.code('hardware:SetPin', { Serial: by.Serial, OldPin: by.Pin, NewPin: b64(OTHER_PIN) })).toBe('KeyUnavailableException');
    expect(await on.client.code('hardware:UnlockToken', { ...by, Module: on.at('none.so') })).toBe('NotFoundException');
    await on.client.ok('hardware:SetPin', { Serial: by.Serial, Module: copy, OldPin: by.Pin, NewPin: b64(OTHER_PIN) });
    await on.client.ok('hardware:UnlockToken', { Serial: by.Serial, Module: copy, Pin: b64(OTHER_PIN), SealPin: true });
    const tokens = (await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
    expect(tokens.filter(({ Label }) => Label === 'twice').every(({ Module }) => Module === copy || Module === bad.path)).toBe(true);
    await on.client.ok('hardware:RemoveModule', { Path: copy });
    await on.client.ok('hardware:AddModule', { Path: copy });
    expect((((await on.client.ok('hardware:ListModules'))['Modules']) as readonly Json[]).map(({ SealedPins }) => SealedPins)).toEqual([[], []]);
  });
});

/** A further token; its name here. */
async function other(label: string): Promise<string> {
  on.hsm.makeToken(label);
  const [token] = ((await on.client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).filter((one) => one['Label'] === label);
  return token?.['CloudHsmClusterId'] as string;
}
