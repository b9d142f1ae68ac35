/** A token that hangs inside a cluster: requests go on over the other one, its process is ended, and begun again by a PIN, or by itself with one that is sealed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inLanes, type Client, type Json } from '../system/support/client.ts';
import { addInput, clusterIds } from '../system/support/cluster.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm } from '../system/support/softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

let home = '';
let vault: VaultProcess;
let client: Client;
let store = '';
let key = '';
let serial = '';
const mode = (word: string): void => { writeFileSync(join(home, 'mode'), word); };

const memberOf = async (label: string): Promise<Json> => ((await client.ok('hardware:DescribeCluster', { CustomKeyStoreId: store }))['Members'] as readonly Json[]).find((one) => one['Label'] === label) ?? {};
const sign = (): Promise<string> => client.code('kms:Sign', { KeyId: key, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await sleep(200);
}
const isHealth = (health: string) => async (): Promise<boolean> => (await memberOf('hangs'))['Health'] === health;
async function hangUnderLoad(): Promise<void> {
  mode('sign:hang');
  expect(new Set(await inLanes(Array.from({ length: 60 }), sign))).toEqual(new Set(['ok']));
  await until(isHealth('failing'));
  mode('');
  expect(await sign()).toBe('ok');
}

beforeAll(async () => {
  home = temporaryFolder();
  const steady = softHsm(home);
  // A SoftHSM of its own, which the other module does not see.
  const apart = join(home, 'apart');
  mkdirSync(apart);
  const hanging = softHsm(apart);
  steady.makeToken('steady');
  serial = hanging.makeToken('hangs');
  mode('');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${join(home, 'mode')}"`, `-DREAL="${SOFTHSM}"`, `-DCONF="${hanging.env['SOFTHSM2_CONF'] ?? ''}"`, resolve(import.meta.dirname, '../fixtures/pkcs11/bad-module.c'), '-o', join(home, 'bad.so'), '-ldl']);
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home, env: steady.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  for (const Path of [SOFTHSM, join(home, 'bad.so')]) await client.ok('hardware:AddModule', { Path });
  const ids = await clusterIds(client);
  store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'both', CloudHsmClusterId: ids.get('steady'), KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  await client.ok('hardware:AddTokenToKeyStore', addInput(store, ids.get('hangs')));
  key = ((await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store }))['KeyMetadata'] as { KeyId: string }).KeyId;
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

it('loses no request, and waits for the hanging token’s PIN', async () => {
  await hangUnderLoad();
  expect(await memberOf('hangs')).toMatchObject({ FailureMessage: expect.stringContaining('PIN') as string });
  expect(await memberOf('hangs')).not.toHaveProperty('NextTryDate');
  expect(await memberOf('steady')).toMatchObject({ Health: 'connected' });
  await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN), SealPin: true });
  expect(await memberOf('hangs')).toMatchObject({ Health: 'connected' });
});

it('begins the token’s process again by itself where its PIN is sealed', async () => {
  // A connection sees what is sealed.
  await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
  await client.ok('hardware:UnlockToken', { Serial: ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === 'steady')?.['Serial'], Pin: b64(PIN) });
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  await hangUnderLoad();
  await until(isHealth('connected'));
  expect(await sign()).toBe('ok');
  expect(((await client.ok('hardware:ListModules'))['Modules'] as readonly Json[]).flatMap(({ SealedPins }) => SealedPins as readonly Json[])).toMatchObject([{ Label: 'hangs', State: 'sealed' }]);
});
