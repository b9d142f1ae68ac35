/** Where in the file the rows of a collection come to lie, and what the file itself refuses. */
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, test, vi } from 'vitest';

import { BLOBS, NOTES } from './kinds.ts';
import { close, codeOf, createVault, record, reopen } from './vault.ts';

describe('rows of a collection', () => {
  test('that one unit makes lie together in the file, and say nothing else', async () => {
    const vault = await createVault();
    for (const unit of ['a', 'b']) {
      await vault.store.write(record(), (writer) => {
        for (let at = 0; at < 20; at++) {
          writer.of(NOTES).insert({ name: `${unit}${String(at)}`, text: '' });
          writer.of(BLOBS).insert({ id: `${unit}${String(at)}`, bytes: '' });
        }
        return Promise.resolve();
      });
    }
    await close(vault);
    const database = new DatabaseSync(join(vault.folder, 'vault.db'), { readOnly: true });
    const rows = (['secrets', 'secret_versions'] as const).map((table) => database.prepare(`SELECT hex(row_id) AS id FROM ${table}`).all().map((row) => String((row as { id: unknown }).id)));
    database.close();
    for (const ids of rows) {
      expect(new Set(ids).size).toBe(40);
      const beginnings = new Map<string, number>();
      for (const id of ids) beginnings.set(id.slice(0, 16), (beginnings.get(id.slice(0, 16)) ?? 0) + 1);
      expect([...beginnings.values()]).toEqual([20, 20]);
    }
    // Not those of the other table.
    expect(new Set(rows.flat().map((id) => id.slice(0, 16))).size).toBe(4);
    const { store } = await reopen(vault);
    expect(await store.reader.of(NOTES).get('b19')).toEqual({ name: 'b19', text: '' });
  });

  test('whose key is taken are refused by the file itself where nothing in memory knows it', async () => {
    const vault = await createVault();
    const insert = (id: string): Promise<unknown> => vault.store.write(record(), (writer) => Promise.resolve(writer.of(BLOBS).insert({ id, bytes: '' })));
    await insert('one');
    expect(await codeOf(insert('one'))).toBe('AlreadyExistsException');
    await insert('two');
  });

  test('that were found are found again without their blind value, until they are removed', async () => {
    const vault = await createVault();
    const asked = vi.spyOn(vault.sealer, 'call');
    const blinds = (): number => asked.mock.calls.filter(([method]) => method === 'blind').length;
    const blobs = vault.store.reader.of(BLOBS);
    await vault.store.write(record(), (writer) => Promise.resolve(writer.of(BLOBS).insert({ id: 'one', bytes: 'first' })));
    for (let times = 0; times < 3; times++) expect(await blobs.get('one')).toEqual({ id: 'one', bytes: 'first' });
    expect(blinds()).toBe(1);
    await vault.store.write(record(), (writer) => Promise.resolve(writer.of(BLOBS).update({ id: 'one', bytes: 'second' })));
    expect(await blobs.get('one')).toEqual({ id: 'one', bytes: 'second' });
    expect(blinds()).toBe(1);
    await vault.store.write(record(), (writer) => Promise.resolve(writer.of(BLOBS).remove('one')));
    expect(await blobs.get('one')).toBeUndefined();
    await vault.store.write(record(), (writer) => Promise.resolve(writer.of(BLOBS).insert({ id: 'one', bytes: 'third' })));
    expect(await blobs.get('one')).toEqual({ id: 'one', bytes: 'third' });
  });
});
