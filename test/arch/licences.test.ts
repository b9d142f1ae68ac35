/** Whose work is in the program is said, and on which terms. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
interface Scripts {
  licences(): readonly { readonly name: string; readonly version: string; readonly licence: string; readonly text: string }[];
}

it('names every package that the program runs with, its terms, and nearly always their text', async () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const { licences } = (await import(pathToFileURL(join(ROOT, 'scripts/licences.mjs')).href)) as Scripts;
  const all = licences();
  const named = new Map(all.map(({ name, version }) => [name, version]));
  for (const [name, version] of Object.entries(dependencies)) expect([name, named.get(name)]).toEqual([name, version]);
  for (const name of ['react', 'react-dom', 'scheduler', '@tanstack/virtual-core', '@fontsource-variable/geist']) expect(named.has(name), name).toBe(true);
  expect(named.has('vitest')).toBe(false);
  expect(all.filter(({ licence }) => licence === 'not stated')).toEqual([]);
  expect(all.filter(({ text }) => text === '').length).toBeLessThan(all.length / 10);
});
