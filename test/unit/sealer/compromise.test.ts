import { describe, expect, it } from 'vitest';
import { type Sealer, type SealedChange, type SealedRow, TABLES } from '../../../src/main/seal/protocol.ts';
import { recordTerm } from '../../../src/main/seal/record.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { MOMENT, RAM, RECOVERY, type TestVault, commit, deviceSecret, keychainSlot, newVault, packed, reopened, rowId, sha256, text } from './vault-fixture.ts';

type Row = SealedRow & { schema: number; unique?: string };
const failing = (code: string): unknown => expect.objectContaining({ code });

const STOLEN = deviceSecret(1);

interface Scene {
  vault: TestVault;
  rows: Row[];
  stolenSlot: string;
  ciphertext: Uint8Array;
}

const materialRow = (row: Row) => ({ rowId: row.rowId, version: 1, body: row.body });

async function scene(): Promise<Scene> {
  const vault = await newVault('compromise', [RECOVERY, keychainSlot(STOLEN)]);
  const material = await vault.sealer.call('generateMaterial', { rowId: rowId(9), spec: 'SYMMETRIC_DEFAULT', keyId: 'k', materialId: new Uint8Array(8), purpose: 'kms' });
  const sealed = await commit(vault, [
    { kind: 'put', table: 'keys', rowId: rowId(1), version: 1, schema: 1, plain: text('one'), unique: 'k' },
    { kind: 'put', table: 'settings', rowId: rowId(2), version: 1, schema: 1, plain: text('two') },
    { kind: 'putSealed', table: 'key_materials', rowId: rowId(9), version: 1, body: material.body, unique: '00' },
  ]);
  const rows: Row[] = [
    { table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: sealed[0]!.body!, unique: 'k' },
    { table: 'settings', rowId: rowId(2), version: 1, schema: 1, body: sealed[1]!.body! },
    { table: 'key_materials', rowId: rowId(9), version: 1, schema: 1, body: material.body, unique: '00' },
  ];
  const { ciphertext } = (await vault.sealer.call('encrypt', { key: materialRow(rows[2]!), keyId: 'k', algorithm: 'SYMMETRIC_DEFAULT', plaintext: text('secret'), context: {} })) as { ciphertext: Uint8Array };
  const { slots } = await vault.sealer.call('readHeader', { header: vault.header });
  return { vault, rows, stolenSlot: slots[1]!.slotId, ciphertext };
}

/** The compromise up to the point where the new header is on disk and adopted. */
async function renewRoot({ vault, stolenSlot }: Scene): Promise<void> {
  const { header, info } = await vault.sealer.call('compromiseSlot', { slotId: stolenSlot });
  await commit(vault, [], { prepare: sha256(header) });
  await vault.sealer.call('adoptHeader', { header });
  await commit(vault, [], { current: sha256(header), headerEpoch: info.headerEpoch });
  vault.header = header;
}

async function reseal(sealer: Sealer, vault: TestVault, rows: Row[]): Promise<Row[]> {
  const { changes } = await sealer.call('resealRows', { rows });
  const state = await sealer.call('resealState', { ...MOMENT, rowVersion: vault.version + 1 });
  vault.version += 1;
  vault.stateBody = state.stateBody;
  return rows.map((row, i) => ({ ...row, body: changes[i]!.body! }));
}

async function finish(sealer: Sealer, vault: TestVault): Promise<void> {
  const { header, info } = await sealer.call('finishTerm', {});
  await commit({ ...vault, sealer }, [], { prepare: sha256(header) }).then(() => (vault.version += 1));
  await sealer.call('adoptHeader', { header });
  const current = await sealer.call('sealUnit', { changes: [], stateRowVersion: vault.version + 1, ...MOMENT, header: { current: sha256(header), headerEpoch: info.headerEpoch } });
  await sealer.call('confirmUnit', { epoch: current.epoch });
  vault.version += 1;
  vault.stateBody = current.stateBody;
  vault.header = header;
}

const packRows = (rows: readonly Row[]): Uint8Array => Uint8Array.from(rows.flatMap((row) => [...packed(TABLES.indexOf(row.table), row.rowId, row.version, row.body.subarray(-16))]));
async function checked(vault: TestVault, rows: readonly Row[]): Promise<Sealer> {
  const sealer = await reopened(vault);
  await check(sealer, vault, rows);
  return sealer;
}
async function check(sealer: Sealer, vault: TestVault, rows: readonly Row[]): Promise<void> {
  await sealer.call('checkBegin', {});
  await sealer.call('checkRows', { packed: packRows(rows) });
  await sealer.call('checkFinish', { stateBody: vault.stateBody, stateRowVersion: vault.version, headerHash: sha256(vault.header), complete: true });
}
const openKeys = async (sealer: Sealer, row: Row) => (await sealer.call('openRows', { rows: [{ ...row, table: 'keys' }] })).plain[0];
const stranger = (header: Uint8Array) => createSealer({ random: fixedRandom('thief') }).call('unseal', { header, factors: { device: STOLEN }, type: 'keychain', ramBytes: RAM });

describe('removing a slot as compromised', () => {
  it('puts every record under a new root, and old ciphertexts still decrypt', async () => {
    const made = await scene();
    const { vault, ciphertext } = made;
    await stranger(vault.header);
    await renewRoot(made);
    const rows = await reseal(vault.sealer, vault, made.rows);
    expect(rows.map(({ body }) => recordTerm(body))).toEqual([2, 2, 2]);
    await finish(vault.sealer, vault);
    await expect(stranger(vault.header)).rejects.toEqual(failing('SlotNotFoundException'));
    const sealer = await checked(vault, rows);
    expect(await openKeys(sealer, rows[0]!)).toEqual(text('one'));
    await expect(openKeys(sealer, made.rows[0]!)).rejects.toEqual(failing('VaultTamperedException'));
    expect(await sealer.call('decrypt', { key: materialRow(rows[2]!), keyId: 'k', algorithm: 'SYMMETRIC_DEFAULT', ciphertext, context: {} })).toEqual({ plaintext: text('secret') });
    expect((await sealer.call('blind', { table: 'keys', value: 'k' })).blind).toEqual((await vault.sealer.call('blind', { table: 'keys', value: 'k' })).blind);
  });

  it('renews the trail key and the checkpoint key, and still tells the old one', async () => {
    const made = await scene();
    const before = await made.vault.sealer.call('readHeader', { header: made.vault.header });
    const signedBefore = await made.vault.sealer.call('signCheckpoint', { payload: text('{}') });
    await renewRoot(made);
    const after = await made.vault.sealer.call('readHeader', { header: made.vault.header });
    expect(after.trailPublicKey).not.toEqual(before.trailPublicKey);
    const signedAfter = await made.vault.sealer.call('signCheckpoint', { payload: text('{}') });
    expect(signedAfter.publicKey).not.toEqual(signedBefore.publicKey);
    expect((await made.vault.sealer.call('checkpointKeys', {})).publicKeys).toEqual([signedBefore.publicKey, signedAfter.publicKey]);
  });

  it('goes on after a death between the header and the records', async () => {
    const made = await scene();
    await renewRoot(made);
    const sealer = createSealer({ random: fixedRandom('resumed') });
    expect(await sealer.call('unseal', { header: made.vault.header, factors: { code: made.vault.code }, type: 'recovery', ramBytes: RAM })).toMatchObject({ pendingTerm: true });
    await expect(sealer.call('blind', { table: 'keys', value: 'k' })).rejects.toEqual(failing('InternalException'));
    await check(sealer, made.vault, made.rows);
    expect(await openKeys(sealer, made.rows[0]!)).toEqual(text('one'));
    const rows = await reseal(sealer, made.vault, made.rows);
    await finish(sealer, made.vault);
    await checked(made.vault, rows);
  });

  it('goes on after a death between the records and the last header', async () => {
    const made = await scene();
    await renewRoot(made);
    const rows = await reseal(made.vault.sealer, made.vault, made.rows);
    const sealer = await reopened(made.vault);
    await check(sealer, made.vault, rows);
    expect(await openKeys(sealer, rows[0]!)).toEqual(text('one'));
    await expect(openKeys(sealer, made.rows[0]!)).rejects.toEqual(failing('VaultTamperedException'));
    const again = await reseal(sealer, made.vault, rows);
    await finish(sealer, made.vault);
    await checked(made.vault, again);
  });

  it('may be tried again after the records could not be written', async () => {
    const made = await scene();
    await renewRoot(made);
    const { sealer } = made.vault;
    await sealer.call('resealRows', { rows: made.rows });
    await sealer.call('resealState', { ...MOMENT, rowVersion: made.vault.version + 1 });
    await sealer.call('abandonUnit', { epoch: 5 });
    await expect(sealer.call('finishTerm', {})).rejects.toEqual(failing('InternalException'));
    const rows = await reseal(sealer, made.vault, made.rows);
    await finish(sealer, made.vault);
    await checked(made.vault, rows);
  });

  it('is not finished with a record left out, doubled from elsewhere, or altered', async () => {
    const made = await scene();
    await renewRoot(made);
    const { sealer, version } = made.vault;
    await sealer.call('resealRows', { rows: made.rows.slice(1) });
    await expect(sealer.call('resealState', { ...MOMENT, rowVersion: version + 1 })).rejects.toEqual(failing('VaultTamperedException'));
    const altered = { ...made.rows[0]!, body: Uint8Array.from(made.rows[0]!.body) };
    altered.body[50]! ^= 1;
    await expect(sealer.call('resealRows', { rows: [altered] })).rejects.toEqual(failing('VaultTamperedException'));
    await expect(sealer.call('finishTerm', {})).rejects.toEqual(failing('InternalException'));
    await sealer.call('resealRows', { rows: made.rows });
    await sealer.call('resealState', { ...MOMENT, rowVersion: version + 1 });
    await sealer.call('finishTerm', {});
  });

  it('starts over when the database was written to meanwhile', async () => {
    const made = await scene();
    await renewRoot(made);
    const { vault } = made;
    await vault.sealer.call('resealRows', { rows: made.rows });
    const [added] = await commit(vault, [{ kind: 'put', table: 'keys', rowId: rowId(5), version: 1, schema: 1, plain: text('new') }]);
    await expect(vault.sealer.call('resealState', { ...MOMENT, rowVersion: vault.version + 1 })).rejects.toEqual(failing('VaultTamperedException'));
    const rows = await reseal(vault.sealer, vault, [...made.rows, { table: 'keys', rowId: rowId(5), version: 1, schema: 1, body: (added as SealedChange).body! }]);
    await finish(vault.sealer, vault);
    await checked(vault, rows);
  });

  it('is one at a time', async () => {
    const made = await scene();
    await renewRoot(made);
    const added = await made.vault.sealer.call('addSlot', { slot: keychainSlot(deviceSecret(3)) });
    await made.vault.sealer.call('adoptHeader', { header: added.header });
    await expect(made.vault.sealer.call('compromiseSlot', { slotId: added.slotId })).rejects.toEqual(failing('KMSInvalidStateException'));
    await expect((await newVault()).sealer.call('resealRows', { rows: [] })).rejects.toEqual(failing('InternalException'));
  });
});
