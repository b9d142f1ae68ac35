import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConfigFile } from '../../../src/main/app/config.ts';
import { lockFile } from '../../../src/main/platform/file-lock.ts';
import { withVault } from '../../../src/shared/model/config.ts';
import { bundle } from '../platform/bundle.ts';

describe('config.json on the disk', () => {
  let home: string;
  let path: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'keystead-config-'));
    path = join(home, 'a', 'b', 'config.json');
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is made with its folder, private, and read by the next one', async () => {
    const first = openConfigFile(path);
    expect((await first.read()).window.theme).toBe('system');
    expect((await first.change(() => ({ window: { theme: 'dark' } }))).window.theme).toBe('dark');
    expect((await openConfigFile(path).read()).window.theme).toBe('dark');
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, 'a', 'b'))).toEqual(['config.json']);
  });

  it('takes every change of those that were asked for at once, from two sides', async () => {
    const [one, other] = [openConfigFile(path), openConfigFile(path)];
    await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? one : other).change((config) => withVault(config, `/vault-${String(at)}`))));
    expect((await openConfigFile(path).read()).vaults).toHaveLength(40);
  });

  it('is not written when nothing changes', async () => {
    const config = openConfigFile(path);
    await config.change(() => ({ last: '/a' }));
    const before = lstatSync(path).ino;
    await config.change(() => ({ last: '/a' }));
    expect(lstatSync(path).ino).toBe(before);
  });

  it('stays behind the link that somebody put in its place', async () => {
    const elsewhere = join(home, 'elsewhere.json');
    writeFileSync(elsewhere, '{"mine":1}');
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    symlinkSync(elsewhere, path);
    await openConfigFile(path).change(() => ({ window: { notifications: false } }));
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(elsewhere, 'utf8'))).toEqual({ mine: 1, window: { notifications: false } });
  });

  it('sets aside what is no configuration, and goes on', async () => {
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    writeFileSync(path, '{"vaults": ["/a",]}');
    await openConfigFile(path).change(() => ({ last: '/b' }));
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe('{"vaults": ["/a",]}');
    expect((await openConfigFile(path).read()).last).toBe('/b');
  });

  it.each([
    ['a folder', () => mkdirSync(path, { recursive: true })],
    ['larger than a mebibyte', () => writeFileSync(path, `{"x":"${'x'.repeat(1024 * 1024)}"}`)],
    ['a pipe that nobody writes to', () => spawnSync('mkfifo', [path])],
  ])('reads as usual and changes nothing where there is %s', async (_name, make) => {
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    make();
    const kind = lstatSync(path);
    const config = openConfigFile(path);
    expect((await config.read()).vaults).toEqual([]);
    await expect(config.change(() => ({ last: '/a' }))).rejects.toMatchObject({ code: 'StorageException' });
    expect([lstatSync(path).ino, readdirSync(join(home, 'a', 'b'))]).toEqual([kind.ino, ['config.json']]);
  });

  it('goes past the lock of a process that was killed at once, waits for that of one that lives, and goes not past what is no lock', async () => {
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    writeFileSync(`${path}.lock`, '');
    const held = await lockFile(`${path}.lock`, 0, () => new Error('busy'));
    expect(held.leftOver).toBe(true);
    await expect(openConfigFile(path, 50).change(() => ({ last: '/a' }))).rejects.toMatchObject({ code: 'StorageException', message: expect.stringContaining('another program') as string });
    const waiting = openConfigFile(path).change(() => ({ last: '/waited' }));
    await held.release();
    expect((await waiting).last).toBe('/waited');
    writeFileSync(`${path}.lock`, '');
    expect((await openConfigFile(path, 0).change(() => ({ last: '/a' }))).last).toBe('/a');
    expect(existsSync(`${path}.lock`)).toBe(false);
    mkdirSync(`${path}.lock`);
    await expect(openConfigFile(path, 200).change(() => ({ last: '/b' }))).rejects.toMatchObject({ code: 'StorageException' });
  }, 20_000);

  it('loses no change to those who come upon a dead one’s lock together', async () => {
    const script = await bundle('config-add', "import { openConfigFile } from './src/main/app/config.ts';\nconst [path = '', name = ''] = process.argv.slice(2);\nconst config = openConfigFile(path);\nfor (let at = 0; at < 20; at++) await config.change(({ vaults }) => ({ vaults: [...vaults, `/${name}-${at}`] }));");
    mkdirSync(join(home, 'a', 'b'), { recursive: true });
    writeFileSync(`${path}.lock`, '');
    const ends = ['a', 'b', 'c', 'd'].map(async (name) => once(spawn(process.execPath, [script, path, name]), 'exit'));
    for (const [code] of await Promise.all(ends)) expect(code).toBe(0);
    expect(new Set((await openConfigFile(path).read()).vaults).size).toBe(80);
    expect(readdirSync(join(home, 'a', 'b'))).toEqual(['config.json']);
  }, 60_000);

  it('is one text or the other, whole, when the process that changes it is killed; and nothing of it stays in the way', async () => {
    const script = await bundle('config-loop', "import { openConfigFile } from './src/main/app/config.ts';\nconst config = openConfigFile(process.argv[2] ?? '');\nfor (let at = 0; ; at++) await config.change(() => ({ vaults: Array(500).fill(`/vault-${at}`), last: String(at) }));");
    const config = openConfigFile(path, 200);
    for (const after of [1, 3, 5, 7]) {
      const child = spawn(process.execPath, [script, path]);
      const last = (await config.read()).last;
      while ((await config.read()).last === last) await new Promise((done) => setTimeout(done, 5));
      await new Promise((done) => setTimeout(done, after));
      child.kill('SIGKILL');
      await new Promise((done) => child.once('exit', done));
      const found = await config.read();
      expect(found.vaults.filter((vault) => vault === `/vault-${String(found.last)}`)).toHaveLength(500);
      await config.change(() => ({ last: 'mine' }));
    }
    expect(readdirSync(join(home, 'a', 'b'))).toEqual(['config.json']);
  }, 60_000);
});
