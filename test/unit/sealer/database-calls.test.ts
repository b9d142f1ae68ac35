import { describe, expect, it } from 'vitest';
import { type SealedChange, TABLES } from '../../../src/main/seal/protocol.ts';
import type { Sealer } from '../../../src/main/seal/protocol.ts';
import { MOMENT, type TestVault, commit, deviceSecret, keychainSlot, newVault, packed, reopened, rowId, sha256, text } from './vault-fixture.ts';

const failing = (code: string, what?: string): unknown => expect.objectContaining({ code, ...(what === undefined ? {} : { details: expect.objectContaining({ what }) as unknown }) });
const put = (id: number, plain: string, version = 1, oldTag?: Uint8Array) =>
  ({ kind: 'put', table: 'keys', rowId: rowId(id), version, schema: 1, plain: text(plain), ...(oldTag ? { oldTag } : {}) }) as const;

/** Three rows, one of them at version 2, and one that was removed. */
async function filled(): Promise<{ vault: TestVault; rows: { id: number; version: number; row: SealedChange }[] }> {
  const vault = await newVault('database');
  const first = await commit(vault, [put(1, 'one'), put(2, 'two'), put(3, 'three'), put(4, 'four')]);
  const second = await commit(vault, [put(2, 'two again', 2, first[1]!.tag), { kind: 'remove', table: 'keys', rowId: rowId(4), version: 1, oldTag: first[3]!.tag! }]);
  const rows = [
    { id: 1, version: 1, row: first[0]! },
    { id: 2, version: 2, row: second[0]! },
    { id: 3, version: 1, row: first[2]! },
  ];
  return { vault, rows };
}
const pack = (rows: readonly { id: number; version: number; row: SealedChange }[]): Uint8Array => Uint8Array.from(rows.flatMap(({ id, version, row }) => [...packed(0, rowId(id), version, row.tag!)]));

async function check(sealer: Sealer, vault: TestVault, coordinates: Uint8Array, given: { stateBody?: Uint8Array; version?: number; header?: Uint8Array; complete?: boolean } = {}) {
  await sealer.call('checkBegin', {});
  await sealer.call('checkRows', { packed: coordinates });
  return sealer.call('checkFinish', {
    stateBody: given.stateBody ?? vault.stateBody,
    stateRowVersion: given.version ?? vault.version,
    headerHash: sha256(given.header ?? vault.header),
    complete: given.complete ?? true,
  });
}

describe('the check at unlock', () => {
  it('passes for the rows as they are, in any order and in parts', async () => {
    const { vault, rows } = await filled();
    expect((await check(await reopened(vault), vault, pack(rows))).state).toMatchObject({ epoch: 3, headerEpoch: 1 });
    await check(await reopened(vault), vault, pack(rows.toReversed()));
    const sealer = await reopened(vault);
    await sealer.call('checkBegin', {});
    for (const row of rows) await sealer.call('checkRows', { packed: pack([row]) });
    await sealer.call('checkFinish', { stateBody: vault.stateBody, stateRowVersion: vault.version, headerHash: sha256(vault.header), complete: true });
  });

  it('notices rows that are missing, doubled, put back, added or swapped', async () => {
    const { vault, rows } = await filled();
    const [one, two, three] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
    const wrong = [
      [],
      [one, two],
      [...rows, one],
      [...rows, { ...one, id: 9 }],
      [one, { ...two, version: 1 }, three],
      [{ ...one, id: 3 }, two, { ...three, id: 1 }],
      [{ ...one, row: three.row }, two, { ...three, row: one.row }],
    ];
    for (const set of wrong) await expect(check(await reopened(vault), vault, pack(set))).rejects.toEqual(failing('VaultTamperedException', 'rows'));
    const otherTable = pack(rows);
    otherTable[0] = TABLES.indexOf('aliases');
    await expect(check(await reopened(vault), vault, otherTable)).rejects.toEqual(failing('VaultTamperedException', 'rows'));
  });

  it('refuses rows that cannot be', async () => {
    const { vault, rows } = await filled();
    for (const bad of [pack(rows).subarray(1), Uint8Array.from([...pack(rows).fill(TABLES.length, 0, 1)]), pack(rows).fill(TABLES.indexOf('vault_state'), 0, 1)]) {
      await expect(check(await reopened(vault), vault, bad)).rejects.toEqual(failing('VaultTamperedException', 'rows'));
    }
  });

  it('notices a state row that is altered, of another version or of an earlier moment', async () => {
    const { vault, rows } = await filled();
    const earlier = { body: vault.stateBody, version: vault.version };
    const later = await commit(vault, [put(5, 'five')]);
    const now = pack([...rows, { id: 5, version: 1, row: later[0]! }]);
    const flipped = Uint8Array.from(vault.stateBody);
    flipped[40]! ^= 1;
    await expect(check(await reopened(vault), vault, now, { stateBody: flipped })).rejects.toEqual(failing('VaultTamperedException', 'state'));
    await expect(check(await reopened(vault), vault, now, { stateBody: new Uint8Array() })).rejects.toEqual(failing('VaultTamperedException', 'state'));
    await expect(check(await reopened(vault), vault, now, { version: vault.version - 1 })).rejects.toEqual(failing('VaultTamperedException', 'state'));
    await expect(check(await reopened(vault), vault, now, { stateBody: earlier.body, version: earlier.version })).rejects.toEqual(failing('VaultTamperedException', 'rows'));
    const sealer = await reopened(vault);
    await check(sealer, vault, now);
    await expect(check(sealer, vault, pack(rows), { stateBody: earlier.body, version: earlier.version })).rejects.toEqual(failing('VaultTamperedException', 'state'));
  });

  it('wants the header that the database was written with, or the one prepared to follow', async () => {
    const { vault, rows } = await filled();
    const now = pack(rows);
    const old = { ...vault };
    const added = await vault.sealer.call('addSlot', { slot: keychainSlot(deviceSecret(1)) });
    await expect(check(await reopened({ ...vault, header: added.header }), vault, now, { header: added.header })).rejects.toEqual(failing('VaultTamperedException', 'header'));
    await commit(vault, [], { prepare: sha256(added.header) });
    for (const header of [vault.header, added.header]) expect((await check(await reopened({ ...vault, header }), vault, now, { header })).state.preparedHeader).toEqual(sha256(added.header));
    await vault.sealer.call('adoptHeader', { header: added.header });
    await expect(commit(vault, [], { current: sha256(added.header), headerEpoch: 7 })).rejects.toEqual(failing('ValidationException'));
    await expect(commit(vault, [], { current: new Uint8Array(32), headerEpoch: 2 })).rejects.toEqual(failing('ValidationException'));
    await commit(vault, [], { current: sha256(added.header), headerEpoch: 2 });
    await check(await reopened({ ...vault, header: added.header }), vault, now, { header: added.header });
    await expect(check(await reopened(old), vault, now)).rejects.toEqual(failing('VaultTamperedException', 'header'));
    await expect(check(await reopened({ ...vault, header: added.header }), vault, now, { header: vault.header })).rejects.toEqual(failing('VaultTamperedException', 'header'));
  });

  it('lets nothing be written before it is whole', async () => {
    const { vault, rows } = await filled();
    const sealer = await reopened(vault);
    const write = () => sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version + 1, ...MOMENT });
    await expect(write()).rejects.toEqual(failing('VaultReadOnlyException'));
    await sealer.call('checkFinish', { stateBody: vault.stateBody, stateRowVersion: vault.version, headerHash: sha256(vault.header), complete: false });
    await expect(write()).rejects.toEqual(failing('VaultReadOnlyException'));
    expect((await sealer.call('openRows', { rows: [{ table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: rows[0]!.row.body! }] })).plain[0]).toEqual(text('one'));
    await expect(check(sealer, vault, pack(rows).subarray(41))).rejects.toEqual(failing('VaultTamperedException', 'rows'));
    await expect(write()).rejects.toEqual(failing('VaultReadOnlyException'));
    await check(sealer, vault, pack(rows));
    await write();
  });

  it('has to be begun', async () => {
    const { vault } = await filled();
    const sealer = await reopened(vault);
    await expect(sealer.call('checkRows', { packed: new Uint8Array(41) })).rejects.toEqual(failing('InternalException'));
    await expect(sealer.call('checkFinish', { stateBody: vault.stateBody, stateRowVersion: vault.version, headerHash: sha256(vault.header), complete: true })).rejects.toEqual(failing('InternalException'));
  });
});

describe('a unit', () => {
  it('that is abandoned leaves nothing', async () => {
    const { vault, rows } = await filled();
    const lost = await vault.sealer.call('sealUnit', { changes: [put(7, 'lost')], stateRowVersion: vault.version + 1, ...MOMENT });
    await vault.sealer.call('abandonUnit', { epoch: lost.epoch });
    const kept = await commit(vault, [put(8, 'kept')]);
    expect((await check(await reopened(vault), vault, pack([...rows, { id: 8, version: 1, row: kept[0]! }]))).state.epoch).toBe(lost.epoch);
  });

  it('is one at a time, and confirmed by its own epoch', async () => {
    const { vault } = await filled();
    const { epoch } = await vault.sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version + 1, ...MOMENT });
    await expect(vault.sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version + 1, ...MOMENT })).rejects.toEqual(failing('InternalException'));
    await expect(vault.sealer.call('confirmUnit', { epoch: epoch + 1 })).rejects.toEqual(failing('InternalException'));
    await vault.sealer.call('confirmUnit', { epoch });
    await expect(vault.sealer.call('confirmUnit', { epoch })).rejects.toEqual(failing('InternalException'));
    await expect(vault.sealer.call('abandonUnit', { epoch })).rejects.toEqual(failing('InternalException'));
  });

  it('that fails leaves no unit behind', async () => {
    const { vault } = await filled();
    const wrong = [
      { ...put(1, 'x'), rowId: new Uint8Array(15) },
      { ...put(1, 'x'), version: 0 },
      { ...put(1, 'x'), version: 2 },
      { ...put(1, 'x'), oldTag: new Uint8Array(16) },
      { ...put(1, 'x'), table: 'key_materials' as never },
      { ...put(1, 'x'), table: 'vault_state' as never },
      { ...put(1, 'x'), plain: 'text' as never },
      { ...put(1, 'x'), unique: '\ud800' },
      { kind: 'remove', table: 'vault_state' as never, rowId: rowId(0), version: 1, oldTag: new Uint8Array(16) } as const,
    ];
    for (const change of wrong) await expect(commit(vault, [put(6, 'fine'), change])).rejects.toEqual(failing('ValidationException'));
    await expect(vault.sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version, ...MOMENT })).rejects.toEqual(failing('ValidationException'));
    await commit(vault, []);
  });

  it('never takes time or trail back, and names a fork', async () => {
    const vault = await newVault();
    const seal = async (trailIndex: number, hash: number, clock: number) => {
      const reply = await vault.sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version + 1, trailIndex, trailHash: deviceSecret(hash), clock });
      await vault.sealer.call('confirmUnit', { epoch: reply.epoch });
      vault.version += 1;
      vault.stateBody = reply.stateBody;
    };
    await seal(10, 1, 2_000_000_000_000);
    await seal(9, 2, 1_000_000_000_000);
    expect((await check(await reopened(vault), vault, new Uint8Array())).state).toMatchObject({ trailIndex: 10, trailHash: deviceSecret(1), clock: 2_000_000_000_000 });
    await expect(seal(10, 3, 1)).rejects.toEqual(failing('VaultTamperedException', 'trail'));
    await seal(10, 1, 1);
  });

  it('gives a blind index to rows with a unique value', async () => {
    const vault = await newVault();
    const rows = await commit(vault, [{ ...put(1, 'x'), unique: 'alias/a' }, put(2, 'y')]);
    expect(rows[0]!.blind).toEqual((await vault.sealer.call('blind', { table: 'keys', value: 'alias/a' })).blind);
    expect(rows[1]!.blind).toBeUndefined();
  });
});

describe('rows', () => {
  it('do not open in another place, and the error names the row and nothing of it', async () => {
    const { vault, rows } = await filled();
    const row = { table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: rows[0]!.row.body! } as const;
    for (const wrong of [{ ...row, rowId: rowId(2) }, { ...row, version: 2 }, { ...row, schema: 2 }, { ...row, table: 'aliases' } as const, { ...row, body: rows[2]!.row.body! }]) {
      await expect(vault.sealer.call('openRows', { rows: [row, wrong] })).rejects.toMatchObject({ code: 'VaultTamperedException', details: { what: 'row', table: wrong.table, row: Buffer.from(wrong.rowId).toString('hex') } });
    }
    const stranger = await newVault('stranger');
    await expect(stranger.sealer.call('openRows', { rows: [row] })).rejects.toEqual(failing('VaultTamperedException'));
  });

  it('of key materials and the state are not opened for anybody', async () => {
    const { vault, rows } = await filled();
    for (const table of ['key_materials', 'vault_state', 'nothing'] as never[]) {
      await expect(vault.sealer.call('openRows', { rows: [{ table, rowId: rowId(1), version: 1, schema: 1, body: rows[0]!.row.body! }] })).rejects.toEqual(failing('ValidationException'));
    }
  });

  it('of key materials go in only where they open', async () => {
    const vault = await newVault();
    const request = { rowId: rowId(1), spec: 'SYMMETRIC_DEFAULT', keyId: 'k', materialId: new Uint8Array(8), purpose: 'kms' } as const;
    const { body } = await vault.sealer.call('generateMaterial', request);
    const change = { kind: 'putSealed', table: 'key_materials', rowId: rowId(1), version: 1, body, unique: '00' } as const;
    await expect(commit(vault, [{ ...change, rowId: rowId(2) }])).rejects.toEqual(failing('VaultTamperedException', 'row'));
    await expect(commit(vault, [{ ...change, table: 'keys' as never }])).rejects.toEqual(failing('ValidationException'));
    const [sealed] = await commit(vault, [change]);
    expect(sealed!.body).toEqual(body);
  });
});

it('makes the first state row only for a vault that it made', async () => {
  const vault = await newVault();
  await expect(vault.sealer.call('createState', { headerHash: sha256(vault.header), ...MOMENT })).rejects.toEqual(failing('InternalException'));
  await expect((await reopened(vault)).call('createState', { headerHash: sha256(vault.header), ...MOMENT })).rejects.toEqual(failing('InternalException'));
});
