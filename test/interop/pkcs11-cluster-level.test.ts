/** SoftHSM tokens of a cluster that are behind: levelled by themselves when they are back, cut off, and let go again while they join. */
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client, Json } from '../system/support/client.ts';
import { addInput, clusterIds, makeCluster, type MadeCluster } from '../system/support/cluster.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

let home = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let made: MadeCluster;
beforeAll(async () => {
  home = temporaryFolder();
  hsm = softHsm(home);
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  await client.ok('hardware:AddModule', { Path: SOFTHSM });
  made = await makeCluster(client, hsm, 'level', ['one', 'two']);
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

const memberOf = async (label: string): Promise<Json> => ((await client.ok('hardware:DescribeCluster', { CustomKeyStoreId: made.store }))['Members'] as readonly Json[]).find((one) => one['Label'] === label) ?? {};
/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await sleep(50);
}
const create = async (): Promise<string> => ((await client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: made.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
/** One after the other: SoftHSM now and then fails a C_UnwrapKey (CKR_TEMPLATE_INCONSISTENT) that other calls run beside, which takes the token out for a moment. */
async function createMany(count: number): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let i = 0; i < count; i += 1) keys.push(await create());
  await until(async () => (await memberOf('two'))['Missing'] === 0);
  return keys;
}
const tool = (label: string, ...args: readonly string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, ...args).toString('utf8');
/** Of every object, by another's tool: class and CKA_ID, in an order of their own. */
const idsOn = (label: string): readonly string[] => tool(label, '--list-objects').split(/^(?=\S.* Object; )/m).flatMap((block) => { const id = /^ +ID: +(\w+)/m.exec(block)?.[1]; return id === undefined ? [] : [`${block.split(' Object')[0] ?? ''} ${id}`]; }).sort();
const levellings = async (): Promise<readonly Json[]> => (await client.ok('trail:LookupEvents', { Operation: 'hardware:LevelCluster', Limit: 500 }))['Events'] as readonly Json[];
const pullOut = (label: string): (() => void) => {
  const name = readdirSync(hsm.folder).find((one) => one.replaceAll('-', '').endsWith(made.serials.get(label) ?? '-')) ?? '';
  renameSync(join(hsm.folder, name), join(home, 'away'));
  return () => { renameSync(join(home, 'away'), join(hsm.folder, name)); };
};

it('is left alone while it is level: connecting it asks for nothing', async () => {
  await create();
  await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: made.store });
  for (const serial of made.serials.values()) await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: made.store });
  await sleep(1000);
  expect(await levellings()).toEqual([]);
});

it('is brought level by itself when a token is back, by one request of the clock’s own', async () => {
  const putBack = pullOut('two');
  const keys = [await create(), await create(), await create()];
  await until(async () => (await memberOf('two'))['Health'] === 'failing');
  putBack();
  await until(async () => (await memberOf('two'))['Missing'] === 0);
  const text = tool('two', '--list-objects', '--type', 'privkey');
  for (const key of keys) expect(text.split(key).length).toBe(2);
  await until(async () => (await levellings()).length > 0);
  const events = await levellings();
  expect(new Set(events.map((event) => JSON.stringify(event).includes('schedule/cluster')))).toEqual(new Set([true]));
  expect(new Set(events.map(({ RequestId }) => RequestId)).size).toBe(1);
});

it('stays as far as it came when levelling is cancelled, with nothing half made, and goes on from there', async () => {
  const keys = await createMany(12);
  for (const key of keys) tool('two', '--delete-object', '--type', 'privkey', '--label', key);
  expect(await memberOf('two')).toMatchObject({ Missing: 12 });
  const answer = await client.cancelled('hardware:LevelCluster', { CustomKeyStoreId: made.store }, () => true);
  expect(answer).toMatchObject({ ok: false, error: { code: 'CancelledException' } });
  expect(await memberOf('two')).not.toMatchObject({ Missing: 0 });
  const counted = await memberOf('two');
  expect(idsOn('two').filter((id) => id.endsWith('5a') && id.startsWith('Private'))).toEqual([]);
  expect(await client.ok('hardware:LevelCluster', { CustomKeyStoreId: made.store })).toMatchObject({ Made: counted['Missing'], Left: [] });
  const text = tool('two', '--list-objects', '--type', 'privkey');
  for (const key of keys) expect(text.split(key).length).toBe(2);
});

it('makes each copy once when it is levelled twice at the same time', async () => {
  const keys = await createMany(6);
  for (const key of keys) tool('two', '--delete-object', '--type', 'privkey', '--label', key);
  const answers = await Promise.all([1, 2].map(() => client.ok('hardware:LevelCluster', { CustomKeyStoreId: made.store })));
  expect(answers.map(({ Made }) => Made).sort()).toEqual([0, 6]);
  expect(answers.map(({ Left }) => Left)).toEqual([[], []]);
});

it('has a token that joins let go again at whatever point it is cancelled, and nothing of it on any token', async () => {
  hsm.makeToken('three');
  const id = (await clusterIds(client)).get('three');
  const before = ['one', 'two'].map(idsOn);
  for (const at of [1, 3, 4]) {
    const answer = await client.cancelled('hardware:AddTokenToKeyStore', addInput(made.store, id), ({ done }) => done >= at);
    expect(answer).toMatchObject({ ok: false, error: { code: 'CancelledException' } });
    expect([at, idsOn('three'), ['one', 'two'].map(idsOn)]).toEqual([at, [], before]);
  }
  const keys = (answer: Json): readonly unknown[] => (answer['Members'] as readonly Json[]).map(({ Label, Missing }) => [Label, Missing]);
  expect(keys(await client.ok('hardware:AddTokenToKeyStore', addInput(made.store, id)))).toEqual([['one', 0], ['two', 0], ['three', 0]]);
});
