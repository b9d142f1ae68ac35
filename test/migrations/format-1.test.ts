/**
 * A vault of database format 1, as it was written when the format was frozen: it opens for ever, and every record in it
 * reads as it was written. `KEYSTEAD_WRITE_GOLDEN=1` makes it anew; that is for before a release only.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import type { AliasRecord, KeyRecord } from '../../src/main/keyring/ports.ts';
import type { VaultSettings } from '../../src/main/store/port.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { addKey, close, createVault, newAlias, newKey, record, reopen, SETTINGS, temporaryFolder } from '../unit/store/vault.ts';
import { instant } from '../../src/shared/model/ids.ts';

const GOLDEN = resolve(import.meta.dirname, '../fixtures/vaults/format-1');
const FILES = ['header', 'vault.db'] as const;

interface Expected {
  readonly code: string;
  readonly epoch: number;
  readonly keys: readonly KeyRecord[];
  readonly aliases: readonly AliasRecord[];
  readonly settings: VaultSettings;
  readonly outcomes: readonly string[];
}

async function write(): Promise<void> {
  const vault = await createVault(undefined, fakeClock(SETTINGS.created));
  const one = await addKey(vault, 'signing/release');
  const two = await newKey(vault.sealer, { description: 'Prüfung: ✓ 鍵', state: 'Disabled' });
  const three = await newKey(vault.sealer, { description: '', publicKey: Buffer.from('not a real public key').toString('base64') });
  await vault.store.write(record('golden'), (writer) => {
    writer.insertKey(two.record, two.material);
    writer.insertKey(three.record, three.material);
    writer.insertAlias(newAlias('second', one.record.keyId));
    writer.updateKey({ ...one.record, state: 'PendingDeletion', deletionDate: instant(1_900_000_000_000) });
    writer.putSettings({ ...SETTINGS, name: 'golden', autoLockMinutes: 0 });
    return Promise.resolve();
  });
  const { reader } = vault.store;
  const expected: Expected = {
    code: Buffer.from(vault.code).toString('latin1'),
    epoch: vault.store.state.epoch,
    keys: (await reader.keys({ limit: 10 })).items,
    aliases: (await reader.aliases({ limit: 10 })).items,
    settings: await reader.settings(),
    outcomes: (await vault.store.undelivered()).map(({ body }) => Buffer.from(body).toString()),
  };
  await close(vault);
  mkdirSync(GOLDEN, { recursive: true });
  for (const name of FILES) copyFileSync(join(vault.folder, name), join(GOLDEN, name));
  writeFileSync(join(GOLDEN, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
}

test('a vault of format 1 opens, reads as written, and can be written', async () => {
  if (process.env['KEYSTEAD_WRITE_GOLDEN'] !== undefined || !existsSync(GOLDEN)) await write();
  const expected = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as Expected;
  const folder = temporaryFolder();
  for (const name of FILES) copyFileSync(join(GOLDEN, name), join(folder, name));

  const vault = await reopen({ folder, code: Buffer.from(expected.code, 'latin1') });
  const { reader } = vault.store;
  expect(vault.store.state.epoch).toBe(expected.epoch);
  expect((await reader.keys({ limit: 10 })).items).toEqual(expected.keys);
  expect((await reader.aliases({ limit: 10 })).items).toEqual(expected.aliases);
  expect(await reader.settings()).toEqual(expected.settings);
  expect((await vault.store.undelivered()).map(({ body }) => Buffer.from(body).toString())).toEqual(expected.outcomes);
  for (const key of expected.keys) {
    const id = key.materials[0] ?? '';
    expect((await reader.keyOfMaterial(id))?.keyId).toBe(key.keyId);
    const material = await reader.material(id);
    // The material opens: it makes a MAC.
    const mac = await vault.sealer.call('mac', { key: { rowId: material?.rowId ?? new Uint8Array(16), version: 1, body: material?.body ?? new Uint8Array(0) }, algorithm: 'HMAC_SHA_256', message: new Uint8Array(3) });
    expect('mac' in mac && mac.mac.length).toBe(32);
  }
  await addKey(vault, 'added-later');
  await close(vault);
  expect((await (await reopen(vault)).store.reader.keys({ limit: 10 })).items).toHaveLength(expected.keys.length + 1);
});
