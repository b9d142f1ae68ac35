/** Bad days of the disk: a small tmpfs and read-only mounts, so they want root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openDatabase } from '../../../src/main/store/database.ts';
import { addKey, close, codeOf, createVault, newAlias, newKey, readHeader, record, reopen, SETTINGS, temporaryFolder } from './vault.ts';

/** Not one of the temporary folders: those are removed after each test. */
const mounted = mkdtempSync(join(tmpdir(), 'keystead-small-'));

beforeAll(() => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'none', mounted]);
});

afterAll(() => {
  spawnSync('umount', ['-l', mounted]);
  rmSync(mounted, { recursive: true, force: true });
});

describe('a full disk', () => {
  test('fails the unit with StorageFullException; reading, closing, reopening and, with room, writing work', async () => {
    const vault = await createVault(mounted);
    const { record: key } = await addKey(vault, 'kept');
    const acknowledged: string[] = ['alias/kept'];
    let failure = '';
    for (let n = 0; failure === '' && n < 3000; n++) {
      const alias = newAlias(`n${String(n)}`, key.keyId);
      failure = await vault.store
        .write(record(), (writer) => Promise.resolve(writer.insertAlias(alias)))
        .then((committed) => (acknowledged.push(alias.name), committed.delivered(), ''))
        .catch((error: unknown) => (error as { code: string }).code);
    }
    expect(failure).toBe('StorageFullException');
    expect(await vault.store.reader.key(key.keyId)).toBeDefined();
    // Also a group: all of it is refused, and the next one is tried again.
    const group = await Promise.all(['g1', 'g2', 'g3'].map((name) => codeOf(vault.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias(name, key.keyId)))))));
    for (const code of group) expect(['resolved', 'StorageFullException']).toContain(code);
    await close(vault);

    const again = await reopen(vault);
    for (const name of acknowledged) expect(await again.store.reader.alias(newAlias(name.slice(6), key.keyId).name)).toBeDefined();
    await close(again);

    const roomy = temporaryFolder();
    cpSync(mounted, roomy, { recursive: true });
    await addKey(await reopen({ folder: roomy, code: vault.code }), 'room');
  });

  test('leaves no half-made vault', async () => {
    rmSync(join(mounted, 'vault.db'), { force: true });
    rmSync(join(mounted, 'vault.db-wal'), { force: true });
    rmSync(join(mounted, 'header'), { force: true });
    writeFileSync(join(mounted, 'filler'), Buffer.alloc(statfsFree(mounted) - 8192));
    expect(await codeOf(createVault(mounted))).toBe('StorageFullException');
    rmSync(join(mounted, 'filler'));
    await close(await createVault(mounted));
  });

  test('at every page count: the unit fails whole, the store goes on', async () => {
    const vault = await createVault();
    const { record: key } = await addKey(vault);
    await close(vault);
    // SQLite's own limit on the number of pages acts as the disk does, and it can be set in the middle of a session.
    const database = openDatabase(join(vault.folder, 'vault.db'), 'write');
    const before = Number(database.select('count(*)', 'FROM aliases')[0]?.[0]);
    database.exec('PRAGMA max_page_count = 1');
    expect(() => {
      for (let n = 0; n < 100; n++) database.exec(`INSERT INTO aliases VALUES (randomblob(16), 1, 1, randomblob(16), NULL, zeroblob(3000))`);
    }).toThrowError(/full/);
    database.exec('DELETE FROM aliases WHERE length(body) = 3000');
    expect(Number(database.select('count(*)', 'FROM aliases')[0]?.[0])).toBe(before);
    database.close();
    await addKey(await reopen(vault), 'goes-on');
    expect(key.state).toBe('Enabled');
  });
});

const statfsFree = (folder: string): number => {
  const line = spawnSync('df', ['--output=avail', '-B1', folder], { encoding: 'utf8' }).stdout.trim().split('\n')[1] ?? '0';
  return Number(line.trim());
};

describe('a read-only medium', () => {
  test('opens for reading only; writing is a clean error', async () => {
    const vault = await createVault();
    await addKey(vault, 'one');
    await close(vault);
    const folder = join(temporaryFolder(), 'read-only');
    mkdirSync(folder);
    execFileSync('mount', ['--bind', vault.folder, folder]);
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
      expect(await codeOf(reopen({ folder, code: vault.code }))).toBe('StorageException');
      const reading = await reopen({ folder, code: vault.code }, { readOnly: true });
      expect((await reading.store.reader.aliases({ limit: 10 })).items).toHaveLength(1);
      expect((await reading.store.reader.settings()).name).toBe(SETTINGS.name);
      await close(reading);
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
    await addKey(await reopen(vault), 'two');
  });
});

describe('files', () => {
  test('are private, one when closed, and a second vault is not made over them', async () => {
    const vault = await createVault();
    await addKey(vault);
    for (const name of ['vault.db', 'vault.db-wal', 'header']) expect(statSync(join(vault.folder, name)).mode & 0o077).toBe(0);
    await close(vault);
    expect(() => statSync(join(vault.folder, 'vault.db-wal'))).toThrow();
    expect(await codeOf(createVault(vault.folder))).toBe('VaultExistsException');
  });

  test('another program that has the file open is named', async () => {
    const vault = await createVault();
    await addKey(vault);
    await close(vault);
    const other = openDatabase(join(vault.folder, 'vault.db'), 'write');
    other.exec('BEGIN EXCLUSIVE');
    expect(await codeOf(reopen(vault))).toBe('VaultInUseException');
    other.exec('COMMIT');
    other.close();
    await reopen(vault);
  });

  test('what is in them is not plaintext', async () => {
    const vault = await createVault();
    const key = await newKey(vault.sealer, { description: 'NEEDLE-description' });
    await vault.store.write({ ...record(), outcome: () => Buffer.from('NEEDLE-outcome') }, (writer) => {
      writer.insertKey(key.record, key.material);
      writer.insertAlias(newAlias('NEEDLE-alias', key.record.keyId));
      writer.putSettings({ ...SETTINGS, name: 'NEEDLE-name' });
      return Promise.resolve();
    });
    const bytes = ['vault.db', 'vault.db-wal'].map((name) => readFileSync(join(vault.folder, name), 'latin1')).join('');
    for (const needle of ['NEEDLE', key.record.keyId, key.material.materialId, 'Enabled', 'HMAC_256', '123456789012']) expect(bytes.includes(needle)).toBe(false);
    expect(readHeader(vault.folder).length).toBeGreaterThan(0);
  });
});
