/**
 * A vault of database format 2, the first with collections. `KEYSTEAD_WRITE_GOLDEN=1` makes it anew; that is for before a
 * release only. Its records in collections are of the tests' own kinds: what a domain's records look like is held beside the domain.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { fakeClock } from '../fakes/fake-clock.ts';
import { BLOBS, NOTES, type Blob, type Note } from '../unit/store/kinds.ts';
import { instant } from '../../src/shared/model/ids.ts';
import type { KeyRecord } from '../../src/main/keyring/ports.ts';
import { addKey, close, createVault, newKey, record, reopen, SETTINGS, temporaryFolder } from '../unit/store/vault.ts';

const GOLDEN = resolve(import.meta.dirname, '../fixtures/vaults/format-2');
const FORMAT_1 = resolve(import.meta.dirname, '../fixtures/vaults/format-1');
const FILES = ['header', 'vault.db'] as const;
const NOTE: Note = { name: 'prod/Prüfung 鍵', text: 'a text' };
const BLOB: Blob = { id: 'one', bytes: 'AAEC'.repeat(3000) };

function copyOf(golden: string): string {
  const folder = temporaryFolder();
  for (const name of FILES) copyFileSync(join(golden, name), join(folder, name));
  return folder;
}

const codeIn = (golden: string): Uint8Array => Buffer.from((JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as { readonly code: string }).code, 'latin1');

async function write(): Promise<void> {
  const vault = await createVault(undefined, fakeClock(SETTINGS.created));
  const { record: first } = await addKey(vault, 'one');
  const { material } = await newKey(vault.sealer, { keyId: first.keyId });
  const rotated: KeyRecord = {
    ...first,
    materials: [...first.materials, material.materialId],
    rotation: { periodDays: 90, next: instant(1_900_000_000_000) },
    rotations: [{ at: instant(1_850_000_000_000), type: 'ON_DEMAND' }],
  };
  await vault.store.write(record('golden'), (writer) => {
    writer.updateKey(rotated, material);
    writer.of(NOTES).insert(NOTE);
    writer.of(BLOBS).insert(BLOB);
    return Promise.resolve();
  });
  await close(vault);
  mkdirSync(GOLDEN, { recursive: true });
  for (const name of FILES) copyFileSync(join(vault.folder, name), join(GOLDEN, name));
  writeFileSync(join(GOLDEN, 'expected.json'), `${JSON.stringify({ code: Buffer.from(vault.code).toString('latin1'), key: rotated }, null, 2)}\n`);
}

test('a vault of format 2 opens, reads as written, and can be written', async () => {
  if (process.env['KEYSTEAD_WRITE_GOLDEN'] !== undefined || !existsSync(GOLDEN)) await write();
  const vault = await reopen({ folder: copyOf(GOLDEN), code: codeIn(GOLDEN) });
  const { reader } = vault.store;
  expect(await reader.of(NOTES).get(NOTE.name)).toEqual(NOTE);
  expect([...(await reader.of(NOTES).entries())]).toEqual([[NOTE.name, { length: NOTE.text.length }]]);
  expect(await reader.of(BLOBS).get(BLOB.id)).toEqual(BLOB);
  const { key } = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as { readonly key: KeyRecord };
  expect((await reader.keys({ limit: 10 })).items).toEqual([key]);
  for (const id of key.materials) expect((await reader.keyOfMaterial(id))?.keyId).toBe(key.keyId);
  expect(await reader.next('rotation')).toBe(1_900_000_000_000);
  await vault.store.write(record(), (writer) => Promise.resolve(writer.of(NOTES).update({ ...NOTE, text: 'another' })));
  await close(vault);
  expect((await (await reopen(vault)).store.reader.of(NOTES).get(NOTE.name))?.text).toBe('another');
});

test('a vault of format 1 is given the tables of format 2 and takes records in them', async () => {
  const vault = await reopen({ folder: copyOf(FORMAT_1), code: codeIn(FORMAT_1) });
  expect([...(await vault.store.reader.of(NOTES).entries())]).toEqual([]);
  await vault.store.write(record(), (writer) => Promise.resolve(writer.of(NOTES).insert(NOTE)));
  await close(vault);
  expect(await (await reopen(vault)).store.reader.of(NOTES).get(NOTE.name)).toEqual(NOTE);
});

test('a vault of format 1 that may only be read has no records in collections, and is left as it is', async () => {
  const folder = copyOf(FORMAT_1);
  const before = readFileSync(join(folder, 'vault.db'));
  const vault = await reopen({ folder, code: codeIn(FORMAT_1) }, { readOnly: true });
  expect([...(await vault.store.reader.of(NOTES).entries())]).toEqual([]);
  expect(await vault.store.reader.of(BLOBS).get('one')).toBeUndefined();
  expect((await vault.store.reader.of(NOTES).page({ limit: 5 })).items).toEqual([]);
  await close(vault);
  expect(readFileSync(join(folder, 'vault.db')).equals(before)).toBe(true);
});
