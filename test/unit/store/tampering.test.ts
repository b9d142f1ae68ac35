/** Edits that another program makes to the file while the vault is locked: each is a named error, and nothing is written. */
import { DatabaseSync } from '@photostructure/sqlite';
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

import { addKey, close, codeOf, copyOf, createVault, newAlias, newKey, readHeader, record, reopen, temporaryFolder, type NewKey, type TestVault, SETTINGS, unseal } from './vault.ts';
import { BLOBS, NOTES } from './kinds.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { openStore } from '../../../src/main/store/store.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';

/** Runs SQL on the file with all of SQLite's protections off. */
function edit(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'vault.db'));
  database.exec(sql);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

const fingerprint = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => !name.endsWith('-shm'))
    .sort()
    .map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')])
    // SQLite leaves an empty log behind when it could only read.
    .filter(([, hash]) => hash !== 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    .join('\n');

let original: TestVault;
let keys: NewKey[];
/** The same vault some units earlier. */
let earlier: string;
const folders: string[] = [];

beforeAll(async () => {
  const { mkdtempSync, cpSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'keystead-tampering-'));
  original = await createVault(folder);
  keys = [await addKey(original, 'one'), await addKey(original, 'two'), await addKey(original, 'three')];
  await close(original);
  earlier = mkdtempSync(join(tmpdir(), 'keystead-tampering-'));
  cpSync(folder, earlier, { recursive: true });
  const again = await reopen(original);
  const first = keys[0]?.record;
  if (first) await again.store.write(record(), (writer) => Promise.resolve(writer.updateKey({ ...first, state: 'Disabled' })));
  await again.store.write(record(), (writer) => Promise.resolve(writer.deleteAlias(newAlias('three', first?.keyId ?? keys[1]!.record.keyId).name)));
  await close(again);
  folders.push(folder, earlier);
  return async () => {
    const { rmSync } = await import('node:fs');
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  };
});

async function refused(folder: string): Promise<string> {
  const before = fingerprint(folder);
  const code = await codeOf(reopen({ folder, code: original.code }));
  expect(fingerprint(folder)).toBe(before);
  return code;
}

const first = '(SELECT row_id FROM keys ORDER BY row_id LIMIT 1)';
const second = '(SELECT row_id FROM keys ORDER BY row_id LIMIT 1 OFFSET 1)';

describe('rows', () => {
  test.each([
    ['a row deleted', `DELETE FROM keys WHERE row_id = ${first}`],
    ['a table emptied', 'DELETE FROM aliases'],
    ['a material deleted', 'DELETE FROM key_materials WHERE row_id = (SELECT min(row_id) FROM key_materials)'],
    ['the state row deleted', 'DELETE FROM vault_state'],
    ['a second state row', "INSERT INTO vault_state SELECT randomblob(16), version, schema, tag, body FROM vault_state"],
    ['a row added', 'INSERT INTO keys SELECT randomblob(16), version, schema, tag, NULL, body FROM keys LIMIT 1'],
    ['a row copied to another table', 'INSERT INTO outbox SELECT row_id, version, schema, tag, body FROM keys LIMIT 1'],
    ['two rows swapped', `UPDATE keys SET body = CASE row_id WHEN ${first} THEN (SELECT body FROM keys WHERE row_id = ${second}) ELSE body END, tag = CASE row_id WHEN ${first} THEN (SELECT tag FROM keys WHERE row_id = ${second}) ELSE tag END`],
    ['a version raised', `UPDATE keys SET version = version + 1 WHERE row_id = ${first}`],
    ['a tag changed', `UPDATE keys SET tag = zeroblob(16) WHERE row_id = ${first}`],
    ['the state row changed', 'UPDATE vault_state SET body = zeroblob(length(body))'],
    ['the state row given another version', 'UPDATE vault_state SET version = version + 1'],
  ])('%s is noticed at opening', async (_what, sql) => {
    const folder = copyOf(original.folder);
    edit(folder, sql);
    expect(await refused(folder)).toBe('VaultTamperedException');
  });

  test('a row put back as it was earlier is noticed, and so is the state row', async () => {
    for (const table of ['keys', 'vault_state']) {
      const folder = copyOf(original.folder);
      edit(folder, `ATTACH '${join(earlier, 'vault.db')}' AS earlier; INSERT OR REPLACE INTO main.${table} SELECT * FROM earlier.${table}; DETACH earlier`);
      expect(await refused(folder)).toBe('VaultTamperedException');
    }
  });

  test('a changed body is noticed when it is opened, and no other record suffers', async () => {
    const folder = copyOf(original.folder);
    edit(folder, `UPDATE keys SET body = zeroblob(length(body)) WHERE row_id = ${first}`);
    const { store } = await reopen({ folder, code: original.code });
    const codes = await Promise.all(keys.map(({ record: { keyId } }) => codeOf(store.reader.key(keyId))));
    expect(codes.filter((code) => code === 'VaultTamperedException').length).toBeGreaterThan(0);
  });

  test('a body that the same version had in a copy that went apart is noticed when it is opened', async () => {
    const { record: key } = keys[1]!;
    const apart = async (description: string): Promise<string> => {
      const folder = copyOf(original.folder);
      const vault = await reopen({ folder, code: original.code });
      await vault.store.write(record(), (writer) => Promise.resolve(writer.updateKey({ ...key, description })));
      await close(vault);
      return folder;
    };
    const [mine, other] = [await apart('mine'), await apart('other')];
    edit(mine, `ATTACH '${join(other, 'vault.db')}' AS other; UPDATE keys SET body = (SELECT body FROM other.keys o WHERE o.row_id = keys.row_id AND o.version = keys.version) WHERE version = 2 AND tag <> (SELECT tag FROM other.keys o WHERE o.row_id = keys.row_id); DETACH other`);
    const { store } = await reopen({ folder: mine, code: original.code });
    expect(await codeOf(store.reader.key(key.keyId))).toBe('VaultTamperedException');
  });

  test('a blind index moved to another row finds nothing false', async () => {
    const folder = copyOf(original.folder);
    edit(folder, `UPDATE keys SET blind = NULL; UPDATE key_materials SET blind = NULL; UPDATE aliases SET blind = NULL`);
    const { store } = await reopen({ folder, code: original.code });
    for (const { record: { keyId }, material } of keys) {
      expect((await store.reader.key(keyId))?.keyId).toBe(keyId);
      expect(Buffer.from((await store.reader.material(material.materialId))?.body ?? []).equals(material.body)).toBe(true);
    }
    const swapped = copyOf(original.folder);
    edit(swapped, 'CREATE TEMP TABLE b AS SELECT row_id, (SELECT blind FROM keys k WHERE k.row_id > keys.row_id ORDER BY row_id LIMIT 1) AS blind FROM keys; UPDATE keys SET blind = NULL; UPDATE keys SET blind = (SELECT blind FROM b WHERE b.row_id = keys.row_id); DROP TABLE b');
    const other = await reopen({ folder: swapped, code: original.code });
    for (const { record: { keyId } } of keys) {
      const found = await other.store.reader.key(keyId).catch((error: unknown) => error);
      expect(found).toSatisfy((value: unknown) => (value as { code?: string }).code === 'VaultTamperedException' || (value as { keyId?: string }).keyId === keyId);
    }
  });

  test('an older copy of the database with the same header opens, and says by its epoch and trail position that it is older', async () => {
    const folder = copyOf(original.folder);
    for (const name of ['vault.db', 'vault.db-wal']) if (readdirSync(earlier).includes(name)) copyFileSync(join(earlier, name), join(folder, name));
    const now = await reopen({ folder: copyOf(original.folder), code: original.code });
    const old = await reopen({ folder, code: original.code });
    expect(old.store.state.epoch).toBeLessThan(now.store.state.epoch);
    expect(old.store.state.trailIndex).toBeLessThan(now.store.state.trailIndex);
  });

  test('an older copy of the database under a newer header is refused', async () => {
    const folder = copyOf(original.folder);
    const vault = await reopen({ folder, code: original.code });
    const { header, info } = await vault.sealer.call('addSlot', { slot: { type: 'recovery', factors: {}, created: 1 } });
    await vault.store.changeHeader(header, { intent: record().intent, headerEpoch: info.headerEpoch });
    await close(vault);
    copyFileSync(join(earlier, 'vault.db'), join(folder, 'vault.db'));
    expect(await refused(folder)).toBe('VaultTamperedException');
  });

  test('an older header under a newer database is refused', async () => {
    const folder = copyOf(original.folder);
    const old = readHeader(folder);
    const vault = await reopen({ folder, code: original.code });
    const { header, info } = await vault.sealer.call('addSlot', { slot: { type: 'recovery', factors: {}, created: 1 } });
    await vault.store.changeHeader(header, { intent: record().intent, headerEpoch: info.headerEpoch });
    await close(vault);
    writeFileSync(join(folder, 'header'), old);
    expect(await refused(folder)).toBe('VaultTamperedException');
  });
});

describe('the schema', () => {
  test.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM aliases; END'],
    ['a view', 'CREATE VIEW v AS SELECT * FROM keys'],
    ['an index', 'CREATE INDEX i ON keys (version)'],
    ['a table', 'CREATE TABLE notes (text)'],
    ['a table missing', 'DROP TABLE aliases'],
    ['a table that is a view', 'ALTER TABLE keys RENAME TO real; CREATE VIEW keys AS SELECT * FROM real'],
    ['a virtual table', 'CREATE VIRTUAL TABLE f USING fts5(text)'],
    ['a column', 'ALTER TABLE settings ADD COLUMN more INTEGER'],
    ['statistics', 'ANALYZE'],
    ['another application', 'PRAGMA application_id = 7'],
    ['no format', 'PRAGMA user_version = 0'],
  ])('%s is refused', async (_what, sql) => {
    const folder = copyOf(original.folder);
    edit(folder, sql);
    expect(await refused(folder)).toBe('VaultTamperedException');
  });

  test('a newer format is refused by its name', async () => {
    const folder = copyOf(original.folder);
    edit(folder, 'PRAGMA user_version = 3; CREATE TABLE later (x)');
    expect(await refused(folder)).toBe('VaultTooNewException');
  });

  test.each([
    ['no database', () => Buffer.alloc(8192, 7)],
    ['an empty file', () => Buffer.alloc(0)],
    ['a truncated file', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['a page of noise', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0x5a)])],
  ])('%s is refused', async (_what, damage) => {
    const folder = copyOf(original.folder);
    writeFileSync(join(folder, 'vault.db'), damage(readFileSync(join(folder, 'vault.db'))));
    expect(await refused(folder)).toBe('VaultTamperedException');
  });

  test('no database at all is VaultNotFoundException', async () => {
    const folder = temporaryFolder();
    copyFileSync(join(original.folder, 'header'), join(folder, 'header'));
    expect(await codeOf(reopen({ folder, code: original.code }))).toBe('VaultNotFoundException');
  });
});

describe('opened read-only', () => {
  test('a vault whose rows do not match is read, and never written', async () => {
    const folder = copyOf(original.folder);
    edit(folder, `DELETE FROM aliases WHERE row_id = (SELECT min(row_id) FROM aliases)`);
    const before = fingerprint(folder);
    const vault = await reopen({ folder, code: original.code }, { readOnly: true });
    expect((await vault.store.reader.keys({ limit: 10 })).items).toHaveLength(3);
    expect((await vault.store.reader.aliases({ limit: 10 })).items).toHaveLength(1);
    const key = await newKey(vault.sealer);
    expect(await codeOf(vault.store.write(record(), (writer) => Promise.resolve(writer.insertKey(key.record, key.material))))).toBe('VaultReadOnlyException');
    expect(await codeOf(vault.store.changeHeader(readHeader(folder), { intent: record().intent, headerEpoch: 9 }))).toBe('VaultReadOnlyException');
    await close(vault);
    expect(fingerprint(folder)).toBe(before);
  });

  test('also when the state row is gone', async () => {
    const folder = copyOf(original.folder);
    edit(folder, 'DELETE FROM vault_state');
    const { store } = await reopen({ folder, code: original.code }, { readOnly: true });
    expect((await store.reader.keys({ limit: 10 })).items).toHaveLength(3);
  });
});

describe('collections', () => {
  async function withNotes(): Promise<TestVault> {
    const vault = await createVault();
    await vault.store.write(record(), (writer) => {
      writer.of(NOTES).insert({ name: 'one', text: 'first' });
      writer.of(NOTES).insert({ name: 'two', text: 'second' });
      writer.of(BLOBS).insert({ id: 'one', bytes: '' });
      return Promise.resolve();
    });
    await close(vault);
    return vault;
  }

  test('a row taken away, put elsewhere or changed is noticed', async () => {
    const vault = await withNotes();
    for (const sql of [
      'DELETE FROM secrets WHERE row_id = (SELECT min(row_id) FROM secrets)',
      'UPDATE secrets SET version = version + 1',
      'INSERT INTO secret_versions SELECT row_id, version, schema, tag, blind, body FROM secrets LIMIT 1',
      'INSERT INTO remotes SELECT row_id, version, schema, tag, blind, body FROM secrets LIMIT 1',
    ]) {
      const folder = copyOf(vault.folder);
      edit(folder, sql);
      expect(await codeOf(reopen({ folder, code: vault.code }))).toBe('VaultTamperedException');
    }
  });

  test('a changed blind column, which nothing authenticates, hides no indexed record and gives away no wrong one', async () => {
    const vault = await withNotes();
    edit(vault.folder, 'UPDATE secrets SET blind = randomblob(16); UPDATE secret_versions SET blind = (SELECT blind FROM secrets LIMIT 1)');
    const again = await reopen(vault);
    expect((await again.store.reader.of(NOTES).get('one'))?.text).toBe('first');
    expect(await codeOf(again.store.write(record(), (writer) => Promise.resolve(writer.of(NOTES).insert({ name: 'two', text: 'twice' }))))).toBe('AlreadyExistsException');
    expect(await again.store.reader.of(BLOBS).get('one')).toBeUndefined();
  });

  test('a kind that is not named in the store is refused, and so is one of a newer schema', async () => {
    const vault = await withNotes();
    const again = await reopen(vault);
    expect(() => again.store.reader.of({ ...NOTES })).toThrowError(/not named/);
    await close(again);
    const kind = { ...NOTES, schema: 1 };
    const second = await unseal(vault.folder, vault.code);
    const store = await openStore(second.sealer, { folder: vault.folder, header: readHeader(vault.folder) }, { random: systemRandom, clock: fakeClock(SETTINGS.created), kinds: [kind] });
    expect(await codeOf(store.reader.of(kind).get('one'))).toBe('VaultTooNewException');
    await store.close();
    await second.sealer.stop();
  });
});
