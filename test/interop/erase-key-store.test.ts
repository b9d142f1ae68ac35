/** A key store deleted with what this vault made for it on its SoftHSM tokens: listed first, typed out, and nothing else on them. */
import { renameSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client, Json } from '../system/support/client.ts';
import { makeCluster } from '../system/support/cluster.ts';
import { openHsmVault, type HsmVault } from '../system/support/hsm-vault.ts';
import { PIN, SOFTHSM, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

let hsm: SoftHsm;
let client: Client;
const tool = (label: string, ...args: readonly string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, ...args).toString('utf8');
const objectsOf = (label: string): string => tool(label, '--list-objects');
const theirs = (label: string): string => tool(label, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', 'abcd', '--label', 'theirs', '--usage-sign');

let on: HsmVault;
beforeAll(async () => {
  on = await openHsmVault();
  ({ hsm, client } = on);
});
afterAll(() => on.end());

const listed = async (CustomKeyStoreId: string): Promise<readonly Json[]> => (await client.ok('hardware:ListKeyStoreObjects', { CustomKeyStoreId }))['Objects'] as readonly Json[];
const digestOf = async (CustomKeyStoreId: string): Promise<unknown> => (await client.ok('hardware:ListKeyStoreObjects', { CustomKeyStoreId }))['Digest'];
const NONE = '0'.repeat(64);
const stores = async (): Promise<readonly Json[]> => (await client.ok('kms:DescribeCustomKeyStores'))['CustomKeyStores'] as readonly Json[];
const create = async (CustomKeyStoreId: string): Promise<string> => ((await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }))['KeyMetadata'] as { KeyId: string }).KeyId;
it('is refused while it has keys, is not typed out, or not connected', async () => {
  const { store } = await makeCluster(client, hsm, 'single', ['alone']);
  const KeyId = await create(store);
  theirs('alone');
  expect(await client.code('hardware:EraseKeyStore', { CustomKeyStoreId: store, Digest: NONE, Confirm: 'single' })).toBe('CustomKeyStoreHasCMKsException');
  expect(await listed(store)).toEqual([]);
  expect(objectsOf('alone')).toContain(KeyId);
  await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: store });
  for (const operation of ['hardware:ListKeyStoreObjects', 'hardware:EraseKeyStore']) expect(await client.code(operation, { CustomKeyStoreId: store, ...(operation === 'hardware:EraseKeyStore' ? { Digest: NONE, Confirm: 'single' } : {}) })).toBe('CustomKeyStoreInvalidStateException');
});

it('lists and deletes a cluster’s own keys on every token, and leaves what others made', async () => {
  const { store } = await makeCluster(client, hsm, 'pair', ['left', 'right']);
  for (const label of ['left', 'right']) theirs(label);
  const objects = await listed(store);
  for (const Token of ['left', 'right']) expect(objects.filter((one) => one['Token'] === Token).map(({ Kind }) => Kind).sort()).toEqual(['copyOfWrappingKey', 'publicTransportKey', 'transportKey', 'wrappingKey']);
  for (const Confirm of ['', 'Pair', 'other']) expect(await client.code('hardware:EraseKeyStore', { CustomKeyStoreId: store, Digest: await digestOf(store), Confirm })).toBe('KMSInvalidStateException');
  for (const label of ['left', 'right']) expect(objectsOf(label)).toContain(`keystead ${store}`);
  // Of what was shown, and of nothing else.
  const refused = await client.call('hardware:EraseKeyStore', { CustomKeyStoreId: store, Digest: NONE, Confirm: 'pair' });
  expect(refused.ok ? '' : refused.error.message).toContain('8 objects by now');
  for (const label of ['left', 'right']) expect(objectsOf(label)).toContain(`keystead ${store}`);
  const erased = await client.ok('hardware:EraseKeyStore', { CustomKeyStoreId: store, Digest: await digestOf(store), Confirm: 'pair' });
  expect(erased).toEqual({ Deleted: expect.arrayContaining([...objects]) as Json[], Left: [] });
  for (const label of ['left', 'right']) {
    expect(objectsOf(label)).not.toContain('keystead');
    expect(objectsOf(label)).toContain('theirs');
  }
  expect((await stores()).map(({ CustomKeyStoreName }) => CustomKeyStoreName)).toEqual(['single']);
  // The tokens are free again.
  const { store: again } = await makeClusterOf('again', 'left');
  expect((await stores()).map(({ CustomKeyStoreId }) => CustomKeyStoreId)).toContain(again);
});

it('is refused while one of its tokens is away', async () => {
  const { store, serials } = await makeCluster(client, hsm, 'away', ['here', 'gone']);
  const name = readdirSync(hsm.folder).find((one) => one.replaceAll('-', '').endsWith(serials.get('gone') ?? '-')) ?? '';
  const before = objectsOf('here');
  renameSync(join(hsm.folder, name), join(on.home, 'away'));
  try {
    // It is noticed when somebody looks.
    await client.ok('hardware:DescribeCluster', { CustomKeyStoreId: store });
    const refused = await client.call('hardware:EraseKeyStore', { CustomKeyStoreId: store, Digest: NONE, Confirm: 'away' });
    expect(refused.ok ? '' : `${refused.error.code} ${refused.error.message}`).toMatch(/^KMSInvalidStateException token `gone` does not answer/);
    expect(objectsOf('here')).toBe(before);
  } finally {
    renameSync(join(on.home, 'away'), join(hsm.folder, name));
  }
});

async function makeClusterOf(name: string, label: string): Promise<{ readonly store: string }> {
  const id = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === label)?.['CloudHsmClusterId'];
  const store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: name, CloudHsmClusterId: id, KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  return { store };
}
