/**
 * Bundles the program into `dist/`: one file for each process, natives left out, everything else in.
 *
 *   node scripts/build.mjs              builds
 *   node scripts/build.mjs --if-stale   builds when a source is newer than the last build
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fastStart } from './code-cache.mjs';
import { ROOT, newest } from './ensure.mjs';
import { licencesPart } from './licences.mjs';

/** Output file → entry. */
const ENTRIES = {
  'main/serve.mjs': 'src/main/app/serve.ts',
  'main/window.mjs': 'src/main/app/window.ts',
  'main/page.js': 'src/main/hosts/chromium/page.ts',
  'main/electron.mjs': 'src/main/hosts/electron/main.ts',
  'main/preload.cjs': 'src/main/hosts/electron/preload.ts',
  'main/sealer.mjs': 'src/main/sealer/entry.ts',
  'main/keychain.mjs': 'src/main/keychain/entry.ts',
  'main/cipher.mjs': 'src/main/cipher/entry.ts',
  'main/pkcs11.mjs': 'src/main/backends/pkcs11/entry.ts',
  'main/egress.mjs': 'src/main/egress/entry.ts',
  'main/importer.mjs': 'src/main/imports/entry.ts',
  'main/hash-worker.mjs': 'src/main/platform/hash-worker.ts',
  'cli/keystead.mjs': 'src/cli/main.ts',
};
/** A classic script runs inside a page; a CommonJS file is what a sandboxed preload has to be. */
const FORMATS = /** @type {Record<string, 'esm' | 'cjs' | 'iife'>} */ ({ '.mjs': 'esm', '.cjs': 'cjs', '.js': 'iife' });
/** Those that somebody waits for. */
const FAST = new Set(['main/serve.mjs', 'cli/keystead.mjs']);
/** Left out of the bundles: native modules, and what scripts alone use and cannot be bundled. */
const NATIVES = ['koffi', '@photostructure/sqlite', '@node-rs/argon2', 'keytar', 'pkcs11js', 'electron', 'playwright-core', 'rolldown'];
const DIST = join(ROOT, 'dist');
const BUILT = join(DIST, '.built');

export const isStale = () =>
  !existsSync(BUILT) || newest(['src', 'scripts/build.mjs', 'scripts/code-cache.mjs', 'package-lock.json']) > Number(readFileSync(BUILT, 'utf8'));

/**
 * Bundles one entry and its imports into the text of one file: an ES module unless `format` says otherwise.
 * @param {string} entry relative to the root
 * @param {'esm' | 'cjs' | 'iife'} [format]
 * @param {(id: string) => boolean} [isExternal] What is left to be loaded when it runs; default: the native modules.
 */
export async function bundle(entry, format = 'esm', isExternal = (id) => NATIVES.some((name) => id === name || id.startsWith(`${name}/`))) {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: join(ROOT, entry),
    platform: format === 'iife' ? 'browser' : 'node',
    // Electron's and Node 20's grammar has no `using`.
    transform: { target: 'node20' },
    external: isExternal,
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${entry}: ${log.message}`);
    },
  });
  try {
    const { output } = await build.generate({ format, codeSplitting: false, strict: true });
    if (format === 'cjs' && output[0].dynamicImports.length > 0) throw new Error(`${entry}: a classic script imports nothing while it runs, and this one imports ${output[0].dynamicImports.join(', ')}`);
    return output[0].code;
  } finally {
    await build.close();
  }
}

const PAGES = ['src/renderer', 'src/shared', 'package-lock.json'];

/** The window's pages, when a source of theirs is newer. Quiet; throws when a page cannot be built. */
async function buildPages() {
  const built = statSync(join(DIST, 'renderer', 'index.html'), { throwIfNoEntry: false });
  const config = join(ROOT, 'src/renderer/vite.config.ts');
  if (!existsSync(config) || (built !== undefined && built.mtimeMs > newest(PAGES))) return;
  const vite = await import('vite');
  await vite.build({ configFile: config, logLevel: 'warn', plugins: [licencesPart] });
}

/** @param {string} target @param {string | Buffer} content */
function put(target, content) {
  const fresh = `${target}.${String(process.pid)}`;
  writeFileSync(fresh, content);
  renameSync(fresh, target);
}

/** @param {string} target @param {string} code */
function putFast(target, code) {
  const [folder, name] = [dirname(target), basename(target, extname(target))];
  const made = fastStart(name, code);
  for (const [file, content] of [made.code, made.cache]) put(join(folder, file), content);
  put(target, made.launcher);
  const isOld = (/** @type {string} */ file) => new RegExp(`^${name}\\.[0-9a-f]{16}\\.(cjs|cache)$`).test(file) && file !== made.code[0] && file !== made.cache[0];
  for (const file of readdirSync(folder).filter(isOld)) rmSync(join(folder, file), { force: true });
}

/** Each file is put in place whole, so that a running program or a second build never sees half of one. */
export async function build() {
  const started = Date.now();
  const made = await Promise.all(
    Object.entries(ENTRIES).map(async ([file, entry]) => {
      if (!existsSync(join(ROOT, entry))) {
        process.stdout.write(`build: no ${entry} yet, ${file} left out\n`);
        return false;
      }
      const target = join(DIST, file);
      mkdirSync(dirname(target), { recursive: true });
      if (FAST.has(file)) putFast(target, await bundle(entry, 'cjs'));
      else put(target, await bundle(entry, FORMATS[extname(file)]));
      return true;
    }),
  );
  await buildPages();
  writeFileSync(BUILT, String(started));
  process.stdout.write(`build: ${String(made.filter(Boolean).length)} files in ${String(Date.now() - started)} ms\n`);
}

export async function buildIfStale() {
  if (isStale()) await build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await (process.argv.includes('--if-stale') ? buildIfStale() : build());
}
