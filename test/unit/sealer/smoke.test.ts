import { expect, test } from 'vitest';
import { commit, newVault, packed, reopened, rowId, sha256, text } from './vault-fixture.ts';
test('smoke', async () => {
  const vault = await newVault();
  const rows = await commit(vault, [{ kind: 'put', table: 'keys', rowId: rowId(1), version: 1, schema: 1, plain: text('hello'), unique: 'k1' }]);
  const s = await reopened(vault);
  await s.call('checkBegin', {});
  await s.call('checkRows', { packed: packed(0, rowId(1), 1, rows[0]!.tag!) });
  const { state } = await s.call('checkFinish', { stateBody: vault.stateBody, stateRowVersion: vault.version, headerHash: sha256(vault.header), complete: true });
  expect(state.epoch).toBe(2);
  const { plain } = await s.call('openRows', { rows: [{ table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: rows[0]!.body! }] });
  expect(new TextDecoder().decode(plain[0])).toBe('hello');
  await s.stop();
  await expect(s.call('random', { length: 3 })).rejects.toMatchObject({ code: 'SealerStoppedException' });
});
test('speed', async () => {
  const vault = await newVault();
  for (let round = 0; round < 3; round += 1) {
    const t = performance.now();
    for (let i = 0; i < 20000; i += 1) await vault.sealer.call('confirmUnit', { epoch: 5 }).catch(() => 0);
    console.log('errors/s', 20000 / (performance.now() - t) * 1000);
    const t1 = performance.now();
    for (let i = 0; i < 20000; i += 1) await vault.sealer.call('random', { length: 32 });
    console.log('random/s', 20000 / (performance.now() - t1) * 1000);
    const plain = new Uint8Array(240);
    const changes = Array.from({ length: 10000 }, (_, i) => { const id = new Uint8Array(16); new DataView(id.buffer).setUint32(0, i + round * 10000); return { kind: 'put', table: 'keys', rowId: id, version: 1, schema: 1, plain, unique: `k${i}` } as const; });
    const t2 = performance.now();
    const rows = await commit(vault, changes);
    console.log('seal 10k', performance.now() - t2);
    const t3 = performance.now();
    await vault.sealer.call('openRows', { rows: rows.map((row, i) => ({ table: 'keys', rowId: changes[i]!.rowId, version: 1, schema: 1, body: row.body! })) });
    console.log('open 10k', performance.now() - t3);
    const pack = new Uint8Array(41 * 30000);
    await vault.sealer.call('checkBegin', {});
    const t4 = performance.now();
    await vault.sealer.call('checkRows', { packed: pack });
    console.log('check 30k', performance.now() - t4);
  }
});
