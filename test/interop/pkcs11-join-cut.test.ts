/** A token's join to a key store, cut off by kill -9 of the vault and by lock: what it left on SoftHSM tokens goes when they are back, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, type Json } from '../system/support/client.ts';
import { addInput, clusterIds, openClusterVault, type ClusterVault } from '../system/support/cluster.ts';
import { PIN } from '../system/support/softhsm.ts';

let on: ClusterVault;
/** CKA_ID of somebody's own pair on each token that joins. */
const THEIRS = 'ab'.repeat(16);

const joined = (label: string): Promise<Json> => clusterIds(on.client).then((ids) => addInput(on.store, ids.get(label)));
const takenBack = async (): Promise<readonly Json[]> => (await on.client.ok('trail:LookupEvents', { Operation: 'hardware:TakeBackJoins', Limit: 500 }))['Events'] as readonly Json[];
const cutNotice = async (): Promise<boolean> => ((await on.describe())['Notices'] as readonly string[]).some((one) => one.startsWith('A join was cut off'));
function makeGuest(label: string): void {
  if (label !== 'one') on.hsm.makeToken(label);
  on.tool(label, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', THEIRS, '--label', 'theirs', '--usage-sign');
}

/** Cut off when the join has come so far: `steps` of its ceremony, then keys that were copied. `how` ends what it does when nothing of it goes on. */
async function cutOff(label: string, unit: string, at: number, how: () => Promise<unknown>): Promise<void> {
  let cut: Promise<unknown> | undefined;
  await on.client.cancelled('hardware:AddTokenToKeyStore', await joined(label), (progress) => {
    if (progress.unit === unit && progress.done >= at) cut ??= how();
    return false;
  }).catch(() => undefined);
  await cut;
}

const POINTS: readonly (readonly [unit: string, at: number])[] = [['records', 1], ['records', 2], ['records', 3], ['records', 4], ['records', 5], ['keys', 1], ['keys', 3]];

describe('of a key store that is one token', () => {
  beforeAll(async () => { on = await openClusterVault('solo', ['one']); });
  afterAll(() => on.end());

  it('goes with what both tokens have of it, and the key store is what it was', async () => {
    makeGuest('two');
    const before = [on.idsOn('one'), on.idsOn('two')];
    await cutOff('two', 'records', 5, () => on.vault.kill());
    expect(on.idsOn('one').length).toBeGreaterThan(before[0]?.length ?? 0);
    await on.start();
    await on.unlockToken('one');
    await on.connect();
    expect([on.idsOn('one'), await cutNotice()]).toEqual([before[0], true]);
    await on.unlockToken('two');
    expect([on.idsOn('one'), on.idsOn('two'), await cutNotice()]).toEqual([...before, false]);
    expect(await on.describe()).toMatchObject({ State: 'single' });
    expect(await on.client.ok('hardware:AddTokenToKeyStore', await joined('two'))).toMatchObject({ State: 'open' });
  });
});

describe('of a key store that has adopted a key since', () => {
  beforeAll(async () => { on = await openClusterVault('adopted', ['one']); });
  afterAll(() => on.end());

  it('is not what the token holds under the same id as that key, which is its owner’s', async () => {
    makeGuest('one');
    makeGuest('two');
    const before = on.idsOn('two');
    await cutOff('two', 'records', 5, () => on.vault.kill());
    expect(on.idsOn('two').length).toBeGreaterThan(before.length);
    await on.start();
    await on.unlockToken('one');
    await on.connect();
    await on.client.ok('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id: THEIRS, KeyUsage: 'SIGN_VERIFY' });
    await on.unlockToken('two');
    expect([on.idsOn('two'), await cutNotice()]).toEqual([before, false]);
    expect(before.some((id) => id.endsWith(THEIRS))).toBe(true);
  });
});

describe('of a cluster', () => {
  const keys: string[] = [];
  let before: readonly (readonly string[])[];
  beforeAll(async () => {
    on = await openClusterVault('cut', ['one', 'two']);
    for (let i = 0; i < 10; i += 1) keys.push(((await on.client.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }))['KeyMetadata'] as { KeyId: string }).KeyId);
    makeGuest('three');
    before = ['one', 'two', 'three'].map(on.idsOn);
  });
  afterAll(() => on.end());

  const all = (): readonly (readonly string[])[] => ['one', 'two', 'three'].map(on.idsOn);

  it('is taken back at whatever point the vault was killed: from members when they are connected, from the other when it is logged in', async () => {
    const left: number[] = [];
    for (const [unit, at] of POINTS) {
      await cutOff('three', unit, at, () => on.vault.kill());
      left.push(all().flat().length - before.flat().length);
      await on.start();
      for (const label of ['one', 'two']) await on.unlockToken(label);
      await on.connect();
      expect([unit, at, all().slice(0, 2)]).toEqual([unit, at, before.slice(0, 2)]);
      expect(await on.client.ok('hardware:DescribeCluster', { CustomKeyStoreId: on.store })).toMatchObject({ Members: [{ Label: 'one', Missing: 0 }, { Label: 'two', Missing: 0 }] });
      await on.unlockToken('three');
      expect([unit, at, all(), await cutNotice()]).toEqual([unit, at, before, false]);
    }
    // Each was cut off where there was something to take back.
    expect(Math.min(...left)).toBeGreaterThan(0);
    const named = JSON.stringify(await takenBack());
    expect(named).toMatch(new RegExp(`touched:pkcs11:token=three[^"]*object=keystead%20${on.store}`));
    expect(named).not.toContain('%AB'.repeat(16));
    for (const KeyId of keys) expect(await on.client.code('kms:Sign', { KeyId, Message: base64('m'), SigningAlgorithm: 'ECDSA_SHA_256' })).toBe('ok');
  });

  it('is taken back after a lock', async () => {
    for (const [unit, at] of [['records', 4], ['keys', 2]] as const) {
      await cutOff('three', unit, at, async () => { await on.client.call('vault:Lock'); });
      await on.unlock();
      for (const label of ['one', 'two', 'three']) await on.unlockToken(label);
      await on.connect();
      expect([unit, at, all(), await cutNotice()]).toEqual([unit, at, before, false]);
    }
  });

  it('is taken back before the token joins again, whoever had no time for it until then; what was there before stays', async () => {
    await cutOff('three', 'keys', 2, () => on.vault.kill());
    await on.start();
    for (const label of ['one', 'two']) await on.unlockToken(label);
    await on.connect();
    const answer = await on.client.ok('hardware:AddTokenToKeyStore', { ...(await joined('three')), Pin: base64(PIN) });
    expect((answer['Members'] as readonly Json[]).map(({ Label, Missing }) => [Label, Missing])).toEqual([['one', 0], ['two', 0], ['three', 0]]);
    const text = on.tool('three', '--list-objects', '--type', 'privkey');
    for (const key of keys) expect(text.split(key).length).toBe(2);
    expect([text.includes('theirs'), on.tool('three', '--list-objects').includes('keystead probe'), await cutNotice()]).toEqual([true, false, false]);
    // A wrapping key and two copies on each; its pair, and two public keys of others: nothing twice.
    const own = (label: string): number => on.tool(label, '--list-objects', '--type', 'secrkey').split(`keystead ${on.store}`).length - 1;
    expect(['one', 'two', 'three'].map(own)).toEqual([3, 3, 2]);
  });
});
