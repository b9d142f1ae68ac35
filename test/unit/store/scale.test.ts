/**
 * A vault so large that its check runs in the background. `KEYSTEAD_SCALE_KEYS` sets the number of keys (three rows each);
 * 17,000 is just above the limit.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import type { KeyRecord } from '../../../src/main/keyring/ports.ts';
import { addKey, close, codeOf, createVault, newAlias, newKey, record, reopen, type NewKey, type TestVault } from './vault.ts';

const KEYS = Number(process.env['KEYSTEAD_SCALE_KEYS'] ?? 100_000);
const BATCH = 250;

async function fill(vault: TestVault): Promise<KeyRecord[]> {
  const records: KeyRecord[] = [];
  while (records.length < KEYS) {
    const made: NewKey[] = await Promise.all(Array.from({ length: Math.min(BATCH, KEYS - records.length) }, () => newKey(vault.sealer)));
    const committed = await vault.store.write(record(), (writer) => {
      for (const [at, key] of made.entries()) {
        writer.insertKey(key.record, key.material);
        writer.insertAlias(newAlias(`n${String(records.length + at)}`, key.record.keyId));
      }
      return Promise.resolve();
    });
    committed.delivered();
    records.push(...made.map((key) => key.record));
  }
  return records;
}

test(`${String(KEYS)} keys`, { timeout: 60_000 + KEYS * 6 }, async () => {
  const vault = await createVault();
  const keys = await fill(vault);
  const first = keys[0];
  const last = keys.at(-1);
  if (!first || !last) throw new Error('no keys');
  await close(vault);

  // Reads are served before the check and the index are done; a write waits for the check.
  const again = await reopen(vault);
  let checked = false;
  void again.store.checked.then(() => (checked = true));
  expect((await again.store.reader.keys({ limit: 100 })).items).toHaveLength(100);
  expect(await again.store.reader.key(last.keyId)).toEqual(last);
  expect((await again.store.reader.alias(newAlias('n0', first.keyId).name))?.target).toBe(first.keyId);
  expect(checked).toBe(false);
  // Written while the index is still being filled: the loader must not bring the old back.
  await again.store.write(record(), async (writer) => {
    writer.updateKey({ ...first, state: 'PendingDeletion' });
    await writer.destroyKey(last.keyId);
  });
  expect(checked).toBe(true);
  expect((await again.store.reader.pendingDeletion()).map(({ keyId }) => keyId)).toEqual([first.keyId]);
  expect(await again.store.reader.key(last.keyId)).toBeUndefined();

  let seen = 0;
  for (let after: string | undefined; ; ) {
    const page = await again.store.reader.keys({ limit: 1000, ...(after === undefined ? {} : { after }) });
    seen += page.items.length;
    if (page.next === undefined) break;
    after = page.next;
  }
  expect(seen).toBe(KEYS - 1);
  await close(again);

  // A row taken away is noticed here too, later: reads are served, writes and `checked` say what is wrong.
  const database = new DatabaseSync(join(vault.folder, 'vault.db'));
  database.exec('DELETE FROM aliases WHERE row_id = (SELECT max(row_id) FROM aliases)');
  database.close();
  const tampered = await reopen(vault);
  expect(await tampered.store.reader.key(first.keyId)).toBeDefined();
  expect(await codeOf(addKey(tampered))).toBe('VaultTamperedException');
  expect(await codeOf(tampered.store.checked)).toBe('VaultTamperedException');
  await close(tampered);
  // Closed in the middle of the check.
  await close(await reopen(vault));
});
