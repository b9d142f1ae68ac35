/** SoftHSM tokens of a cluster that are behind: levelled by themselves when they are back, cut off, and let go again while they join. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { base64, type Json } from '../system/support/client.ts';
import { addInput, clusterIds, openClusterVault, type ClusterVault } from '../system/support/cluster.ts';
import { PIN } from '../system/support/softhsm.ts';

let on: ClusterVault;
beforeAll(async () => { on = await openClusterVault('level', ['one', 'two']); });
afterAll(() => on.end());

const memberOf = (label: string): Promise<Json> => on.memberOf(label);
/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await sleep(50);
}
const create = async (): Promise<string> => ((await on.client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
/** One after the other: SoftHSM now and then fails a C_UnwrapKey (CKR_TEMPLATE_INCONSISTENT) that other calls run beside, which takes the token out for a moment. */
async function createMany(count: number): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let i = 0; i < count; i += 1) keys.push(await create());
  await until(async () => (await memberOf('two'))['Missing'] === 0);
  return keys;
}
const levellings = async (): Promise<readonly Json[]> => (await on.client.ok('trail:LookupEvents', { Operation: 'hardware:LevelCluster', Limit: 500 }))['Events'] as readonly Json[];
const pullOut = (label: string): (() => void) => {
  const folder = on.folderOf(label);
  renameSync(folder, join(on.home, 'away'));
  return () => { renameSync(join(on.home, 'away'), folder); };
};

it('is left alone while it is level: connecting it asks for nothing', async () => {
  await create();
  await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
  for (const serial of on.serials.values()) await on.client.ok('hardware:UnlockToken', { Serial: serial, Pin: base64(PIN) });
  await on.client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: on.store });
  await sleep(1000);
  expect(await levellings()).toEqual([]);
});

it('is brought level by itself when a token is back, by one request of the clock’s own', async () => {
  const putBack = pullOut('two');
  const keys = [await create(), await create(), await create()];
  await until(async () => (await memberOf('two'))['Health'] === 'failing');
  putBack();
  await until(async () => (await memberOf('two'))['Missing'] === 0);
  const text = on.tool('two', '--list-objects', '--type', 'privkey');
  for (const key of keys) expect(text.split(key).length).toBe(2);
  await until(async () => (await levellings()).length > 0);
  const events = await levellings();
  expect(new Set(events.map((event) => JSON.stringify(event).includes('schedule/cluster')))).toEqual(new Set([true]));
  expect(new Set(events.map(({ RequestId }) => RequestId)).size).toBe(1);
});

it('stays as far as it came when levelling is cancelled, with nothing half made, and goes on from there', async () => {
  const keys = await createMany(20);
  for (const key of keys) on.tool('two', '--delete-object', '--type', 'privkey', '--label', key);
  expect(await memberOf('two')).toMatchObject({ Missing: 20 });
  const answer = await on.client.cancelled('hardware:LevelCluster', { CustomKeyStoreId: on.store }, () => true);
  expect(answer).toMatchObject({ ok: false, error: { code: 'CancelledException' } });
  expect(await memberOf('two')).not.toMatchObject({ Missing: 0 });
  const counted = await memberOf('two');
  expect(on.idsOn('two').filter((id) => id.endsWith('5a') && id.startsWith('Private'))).toEqual([]);
  expect(await on.client.ok('hardware:LevelCluster', { CustomKeyStoreId: on.store })).toMatchObject({ Made: counted['Missing'], Left: [] });
  const text = on.tool('two', '--list-objects', '--type', 'privkey');
  for (const key of keys) expect(text.split(key).length).toBe(2);
});

it('makes each copy once when it is levelled twice at the same time', async () => {
  const keys = await createMany(6);
  for (const key of keys) on.tool('two', '--delete-object', '--type', 'privkey', '--label', key);
  const answers = await Promise.all([1, 2].map(() => on.client.ok('hardware:LevelCluster', { CustomKeyStoreId: on.store })));
  expect(answers.map(({ Made }) => Made).sort()).toEqual([0, 6]);
  expect(answers.map(({ Left }) => Left)).toEqual([[], []]);
});

it('has a token that joins let go again at whatever point it is cancelled, and nothing of it on any token', async () => {
  on.hsm.makeToken('three');
  const id = (await clusterIds(on.client)).get('three');
  const before = ['one', 'two'].map(on.idsOn);
  for (const at of [1, 3, 4]) {
    const answer = await on.client.cancelled('hardware:AddTokenToKeyStore', addInput(on.store, id), ({ done }) => done >= at);
    expect(answer).toMatchObject({ ok: false, error: { code: 'CancelledException' } });
    expect([at, on.idsOn('three'), ['one', 'two'].map(on.idsOn)]).toEqual([at, [], before]);
  }
  const keys = (answer: Json): readonly unknown[] => (answer['Members'] as readonly Json[]).map(({ Label, Missing }) => [Label, Missing]);
  expect(keys(await on.client.ok('hardware:AddTokenToKeyStore', addInput(on.store, id)))).toEqual([['one', 0], ['two', 0], ['three', 0]]);
});
