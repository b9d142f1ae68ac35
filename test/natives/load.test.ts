/**
 * Every native module of this installation, loaded once in a throwaway process: a binary made for another Node-API version
 * crashes at load, and that must show here and not in the vault.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** Prebuilt files for other systems lie next to ours and cannot be loaded here; `obj.target` is the linker's own copy. */
const others = [
  ...['linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'android'].filter((name) => name !== process.platform),
  ...['x64', 'arm64', 'arm', 'ia32', 'riscv64', 'loong64', 'ppc64'].filter((name) => name !== process.arch),
  'musl',
  'obj.target',
].map((name) => new RegExp(`(^|[^a-z0-9])${name}([^a-z0-9]|$)`));
const ours = readdirSync(join(ROOT, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.node') && !others.some((other) => other.test(path)),
);

describe('native modules', () => {
  it('are all seen', () => {
    for (const name of ['koffi', '@photostructure/sqlite', '@node-rs/argon2', 'keytar', 'pkcs11js']) {
      const family = name.replace('koffi', '@koromix/koffi-');
      expect(ours.some((path) => path.startsWith(family)), name).toBe(true);
    }
    expect(ours.length).toBeGreaterThanOrEqual(5);
  });

  it.each(ours)('%s loads', (path) => {
    const program = `const loaded = require(${JSON.stringify(join(ROOT, 'node_modules', path))}); if (Object.keys(loaded).length === 0) process.exit(3);`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '--eval', program], { encoding: 'utf8', timeout: 30_000 });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  });
});
