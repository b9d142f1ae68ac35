/** The vault is killed between a token's making a key and the record of it: the key is found, and adopted or deleted as its owner says. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let home = '';
let folder = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let serial = '';
let store = '';
const at = (name: string): string => join(home, name);
const mode = (word: string): void => { writeFileSync(at('mode'), word); };

async function start(): Promise<void> {
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
}
const tokenNow = async (): Promise<Json> => ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Serial'] === serial) ?? {};
const keysOn = async (): Promise<readonly Json[]> => (await client.ok('hardware:ListTokenKeys', { Serial: serial }))['Keys'] as readonly Json[];
async function connect(): Promise<void> {
  await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
}
async function makeStore(): Promise<void> {
  store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'unrecorded', CloudHsmClusterId: (await tokenNow())['CloudHsmClusterId'], KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
}
const create = (): Json => ({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
/** Killed where the token has made the pair, and nobody has written it down. */
async function killBetween(): Promise<Json> {
  rmSync(at('mode.made'), { force: true });
  mode('generate:then-hang');
  void client.call('kms:CreateKey', create()).catch(() => undefined);
  while (!existsSync(at('mode.made'))) await sleep(20);
  await vault.kill();
  mode('');
  await start();
  await connect();
  const found = (await keysOn()).filter(({ State }) => State === 'notRecorded');
  expect(found).toHaveLength(1);
  return found[0] ?? {};
}

beforeAll(async () => {
  home = temporaryFolder();
  hsm = softHsm(home);
  serial = hsm.makeToken('unrecorded');
  mode('');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${at('mode')}"`, `-DREAL="${SOFTHSM}"`, resolve(import.meta.dirname, '../fixtures/pkcs11/bad-module.c'), '-o', at('bad.so'), '-ldl']);
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  await start();
  await client.ok('hardware:AddModule', { Path: at('bad.so') });
  await makeStore();
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

it('is deleted with its key store when that one’s name is typed, and is listed first', async () => {
  const found = await killBetween();
  const { Objects, Keys } = await client.ok('hardware:ListKeyStoreObjects', { CustomKeyStoreId: store });
  expect([Objects, Keys]).toEqual([[expect.objectContaining({ Token: 'unrecorded', Id: found['Id'], Label: found['Label'], Kind: 'key' })], 0]);
  expect(await client.code('hardware:EraseKeyStore', { CustomKeyStoreId: store, Confirm: found['Label'] })).toBe('KMSInvalidStateException');
  expect((await keysOn()).length).toBe(1);
  expect(await client.ok('hardware:EraseKeyStore', { CustomKeyStoreId: store, Confirm: 'unrecorded' })).toEqual({ Deleted: Objects, Left: [] });
  await makeStore();
  expect(await keysOn()).toEqual([]);
});

it('is found when the key store is connected, and adopted under the id that it was made with', async () => {
  const found = await killBetween();
  expect(found).toMatchObject({ Label: expect.stringMatching(UUID) as string, KeySpec: 'ECC_NIST_P256' });
  expect(await tokenNow()).toMatchObject({ NotRecorded: 1 });
  const { KeyMetadata } = await client.ok('hardware:AdoptKey', { CustomKeyStoreId: store, Id: found['Id'] });
  const KeyId = (KeyMetadata as Json)['KeyId'];
  expect(KeyId).toBe(found['Label']);
  const { PublicKey } = await client.ok('kms:GetPublicKey', { KeyId });
  const { Signature } = await client.ok('kms:Sign', { KeyId, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
  expect(verify('sha256', Buffer.from('m'), createPublicKey({ key: Buffer.from(PublicKey as string, 'base64'), format: 'der', type: 'spki' }), Buffer.from(Signature as string, 'base64'))).toBe(true);
  expect([(await keysOn()).map(({ State }) => State), (await tokenNow())['NotRecorded']]).toEqual([['recorded'], undefined]);
  expect(await client.ok('hardware:DescribeTokenKey', { KeyId })).toMatchObject({ Adopted: false });
});

it('is deleted when its label is typed, and nothing else is', async () => {
  const found = await killBetween();
  const deletion = (Confirm: unknown, Id = found['Id']): Promise<string> => client.code('hardware:DeleteTokenKey', { CustomKeyStoreId: store, Id, Confirm });
  expect(await deletion('yes')).toBe('KMSInvalidStateException');
  const recorded = (await keysOn()).find(({ State }) => State === 'recorded');
  expect(await deletion(recorded?.['Label'], recorded?.['Id'])).toBe('KMSInvalidStateException');
  hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'unrecorded', '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', 'ab'.repeat(16), '--label', 'theirs', '--usage-sign');
  expect((await keysOn()).find(({ Label }) => Label === 'theirs')).toMatchObject({ State: 'foreign' });
  expect(await deletion('theirs', 'ab'.repeat(16))).toBe('UnsupportedOperationException');
  expect((await keysOn()).length).toBe(3);
  expect(await deletion(found['Label'])).toBe('ok');
  expect((await keysOn()).map(({ State }) => State).sort()).toEqual(['foreign', 'recorded']);
  expect((await tokenNow())['NotRecorded']).toBeUndefined();
  expect(hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'unrecorded', '--login', '--pin', PIN, '--list-objects').toString('utf8')).not.toContain(found['Label'] as string);
});
