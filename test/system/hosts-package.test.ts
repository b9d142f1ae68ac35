/**
 * What electron-builder makes of electron-builder.yml, with a placeholder in the place of Electron's binary: which files the program has, which of
 * them are files of their own, and which fuses are burnt in.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createPackage, listPackage } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** In front of the fuses in every Electron binary; then the version of the format, their number, and one character for each. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** As Electron ships: what it can do, it does. */
const SHIPPED = '101100011';
const [ON, OFF] = ['1'.charCodeAt(0), '0'.charCodeAt(0)];

async function placeholder(folder: string): Promise<void> {
  for (const name of ['locales', 'resources', 'app']) mkdirSync(join(folder, name), { recursive: true });
  const padding = '\0'.repeat(4096);
  writeFileSync(join(folder, 'electron'), Buffer.from(`\x7fELF${padding}${SENTINEL}\x01${String.fromCharCode(SHIPPED.length)}${SHIPPED}${padding}`, 'latin1'), { mode: 0o755 });
  for (const name of ['version', 'LICENSE', 'LICENSES.chromium.html', 'chrome-sandbox', 'locales/en-US.pak']) writeFileSync(join(folder, name), name === 'version' ? '45.4.1' : 'x');
  writeFileSync(join(folder, 'app/package.json'), '{"name":"placeholder","main":"main.js"}');
  await createPackage(join(folder, 'app'), join(folder, 'resources/default_app.asar'));
  rmSync(join(folder, 'app'), { recursive: true });
}

describe('the packaged program', () => {
  const home = mkdtempSync(join(tmpdir(), 'keystead-package-'));
  const unpacked = join(home, 'out/linux-unpacked');
  const archive = join(unpacked, 'resources/app.asar');
  let files: readonly string[] = [];

  beforeAll(async () => {
    await placeholder(join(home, 'dist'));
    const builder = join(ROOT, 'node_modules/.bin/electron-builder');
    execFileSync(builder, ['--linux', 'dir', '--config', 'electron-builder.yml', `-c.electronDist=${join(home, 'dist')}`, `-c.directories.output=${join(home, 'out')}`], { cwd: ROOT, stdio: 'pipe' });
    files = listPackage(archive, { isPack: false });
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('has the program’s processes, the preload and the pages, and neither sources nor tests', () => {
    for (const name of ['electron.mjs', 'preload.cjs', 'sealer.mjs', 'keychain.mjs', 'cipher.mjs', 'egress.mjs', 'importer.mjs', 'pkcs11.mjs', 'hash-worker.mjs']) expect(files).toContain(`/dist/main/${name}`);
    expect(files).toContain('/dist/renderer/index.html');
    expect(files.filter((file) => /^\/(?:src|test|scripts|docs|bench)\//.test(file) || /\.(?:ts|tsx|map)$/.test(file))).toEqual([]);
    expect(readdirSync(join(unpacked, 'resources/cli')).map((file) => file.replace(/[0-9a-f]{16}/, 'HASH')).sort()).toEqual(['keystead.HASH.cache', 'keystead.HASH.cjs', 'keystead.mjs']);
  });

  it('has of the packages only those with native modules, and nothing that fetches or compiles', () => {
    const packages = new Set(files.flatMap((file) => /^\/node_modules\/((?:@[^/]+\/)?[^/@][^/]*)\/package\.json$/.exec(file)?.[1] ?? []));
    for (const name of packages) expect(name).toMatch(/^(?:koffi|keytar|pkcs11js|node-gyp-build|@koromix\/.*|@node-rs\/argon2.*|@photostructure\/sqlite)$/);
    for (const name of ['koffi', '@node-rs/argon2', '@photostructure/sqlite']) expect(packages).toContain(name);
  });

  it('has every native module as a file of its own', () => {
    const natives = files.filter((file) => file.endsWith('.node'));
    const apart = readdirSync(`${archive}.unpacked`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.node'));
    expect(natives.length).toBeGreaterThanOrEqual(3);
    expect(apart.map((file) => `/${file}`).sort()).toEqual([...natives].sort());
  });

  it('starts the window’s main process', () => {
    const text = execFileSync(process.execPath, ['-e', `process.stdout.write(require('@electron/asar').extractFile(${JSON.stringify(archive)}, 'package.json'))`], { cwd: ROOT, encoding: 'utf8' });
    expect(JSON.parse(text)).toMatchObject({ name: 'keystead', main: 'dist/main/electron.mjs' });
  });

  it('cannot be run as Node, debugged from outside, or given another program', async () => {
    const wire = (await getCurrentFuseWire(join(unpacked, 'keystead-desktop'))) as Readonly<Record<number, number>>;
    const { RunAsNode, EnableCookieEncryption, EnableNodeOptionsEnvironmentVariable, EnableNodeCliInspectArguments, EnableEmbeddedAsarIntegrityValidation, OnlyLoadAppFromAsar, GrantFileProtocolExtraPrivileges } = FuseV1Options;
    for (const fuse of [RunAsNode, EnableNodeOptionsEnvironmentVariable, EnableNodeCliInspectArguments, GrantFileProtocolExtraPrivileges]) expect(wire[fuse]).toBe(OFF);
    for (const fuse of [EnableCookieEncryption, EnableEmbeddedAsarIntegrityValidation, OnlyLoadAppFromAsar]) expect(wire[fuse]).toBe(ON);
  });
});
