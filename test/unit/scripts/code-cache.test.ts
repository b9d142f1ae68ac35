/** A launcher runs its code with V8's work on it where that fits, and without it where it is missing, damaged or another V8's. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';

interface Scripts {
  fastStart(name: string, code: string): { readonly code: readonly [string, string]; readonly cache: readonly [string, Buffer]; readonly launcher: string };
}
const ROOT = resolve(import.meta.dirname, '../../..');
const CODE = `const { basename } = require('node:path');\nprocess.stdout.write([basename(__filename), typeof exports, process.argv[2]].join(' '));`;

let folder: string;
let made: ReturnType<Scripts['fastStart']>;
let launcher: string;
beforeAll(async () => {
  const { fastStart } = (await import(pathToFileURL(join(ROOT, 'scripts/code-cache.mjs')).href)) as Scripts;
  folder = mkdtempSync(join(tmpdir(), 'keystead-launcher-'));
  made = fastStart('hello', CODE);
  launcher = join(folder, 'hello.mjs');
  writeFileSync(launcher, made.launcher);
  writeFileSync(join(folder, made.code[0]), made.code[1]);
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const run = (): string => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [launcher, 'word'], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
};
/** V8's flags and version are in the first bytes, the length of the source after them, what it made in the rest. */
const damaged = (at: number): Buffer => {
  const bytes = Buffer.from(made.cache[1]);
  bytes.writeUInt8((bytes[at] ?? 0) ^ 0xff, at);
  return bytes;
};

it.each([
  ['no cache', () => undefined],
  ['its cache', () => made.cache[1]],
  ['a cache of another V8', () => damaged(4)],
  ['a cache of other code', () => damaged(8)],
  ['a cache that is damaged', () => damaged(made.cache[1].length - 9)],
  ['a cache that was cut', () => made.cache[1].subarray(0, 100)],
  ['an empty cache', () => Buffer.alloc(0)],
])('runs with %s', (_what, cache) => {
  const bytes = cache();
  rmSync(join(folder, made.cache[0]), { force: true });
  if (bytes) writeFileSync(join(folder, made.cache[0]), bytes);
  expect(run()).toBe(`${made.code[0]} object word`);
});

it('is built with caches that this Node takes', () => {
  for (const [where, name] of [['main', 'serve'], ['cli', 'keystead']] as const) {
    const built = join(ROOT, 'dist', where);
    const [file, ...others] = readdirSync(built).filter((one) => one.startsWith(`${name}.`) && one.endsWith('.cjs'));
    expect(others).toEqual([]);
    // A classic script is strict only where it says so, and the sources are written, and tested, as modules.
    expect(readFileSync(join(built, String(file)), 'utf8')).toMatch(/^\(function \([a-z_, ]+\) \{\s*['"]use strict['"];/i);
    const cachedData = readFileSync(join(built, String(file).replace(/cjs$/, 'cache')));
    const script = new Script(readFileSync(join(built, String(file)), 'utf8'), { cachedData });
    expect(script.cachedDataRejected).toBe(false);
  }
});
