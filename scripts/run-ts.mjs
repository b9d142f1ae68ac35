/**
 * Runs a TypeScript program of this checkout: `node scripts/run-ts.mjs scripts/reference.ts --check`.
 * It is bundled first, since Node 20 does not read TypeScript.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './build.mjs';
import { CACHE, ROOT } from './ensure.mjs';

/** Packages are found from the cache's folder as from everywhere in the checkout; what the bundler itself adds is not installed.
 * @param {string} id */
const isPackage = (id) => !/^(?:[./]|node:|@oxc-project\/)/.test(id);

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) throw new Error('usage: node scripts/run-ts.mjs FILE.ts [ARGUMENT …]');
const file = join(CACHE, `${entry.replaceAll('/', '-').replace(/\.ts$/, '')}.mjs`);
mkdirSync(CACHE, { recursive: true });
writeFileSync(file, await bundle(entry, 'esm', isPackage));
const { status } = spawnSync(process.execPath, [file, ...args], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
