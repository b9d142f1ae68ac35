/** Everything that can be checked without running the program. `npm run check`; `npm test` counts each check as one. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, ensure } from './ensure.mjs';

/** @typedef {{ name: string, command: readonly string[] }} Check */

/** @param {string} name @param {string[]} args @returns {readonly string[]} */
const tool = (name, ...args) => [join('node_modules', '.bin', name), ...args];

/** @type {readonly string[]} */
const PROJECTS = ['src/shared', 'src/main', 'src/cli', 'src/renderer', 'test', 'test/renderer', 'test/e2e', 'bench', 'scripts'];

/** @type {readonly Check[]} */
const CHECKS = [
  ...PROJECTS.map((project) => ({ name: `types of ${project}`, command: tool('tsc', '--noEmit', '--project', project) })),
  // One process each: all of it at once needs more memory than Node gives.
  { name: 'lint of src', command: tool('eslint', '--max-warnings=0', 'src') },
  { name: 'lint of test', command: tool('eslint', '--max-warnings=0', 'test') },
  { name: 'lint of the rest', command: tool('eslint', '--max-warnings=0', '--ignore-pattern', 'src/**', '--ignore-pattern', 'test/**', '.') },
  { name: 'imports', command: tool('depcruise', '--config', '.dependency-cruiser.cjs', 'src') },
  { name: 'reference is current', command: [process.execPath, 'scripts/run-ts.mjs', 'scripts/reference.ts', '--check'] },
];

/** @param {Check} check @returns {Promise<boolean>} */
const run = ({ name, command: [program = '', ...args] }) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name}\n${code === 0 ? '' : output}`);
      resolve(code === 0);
    });
  });

/** @typedef {{ packages: Record<string, { version?: string, optionalDependencies?: Record<string, string> }> }} LockFile */

/**
 * What is wrong with the lock file. No download addresses: they name one registry, and packages are held by their hashes. And every
 * optional package has an entry: npm leaves out what a registry did not have that day, and `npm ci` then refuses the whole file.
 * @returns {string | undefined}
 */
function lockFileProblem() {
  const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  if (text.includes('"resolved"')) return 'it holds `resolved` addresses: npm install --omit-lockfile-registry-resolved';
  const { packages } = /** @type {LockFile} */ (JSON.parse(text));
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, wanted] of Object.entries(optionalDependencies)) {
      // As Node resolves: beside the package, then outwards.
      const places = [path, ...[...path.matchAll(/\/?node_modules\//g)].map(({ index }) => path.slice(0, index)).reverse()];
      const found = places.map((place) => packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`]).find((entry) => entry !== undefined);
      const fits = found !== undefined && (!/^\d+\.\d+\.\d+$/.test(wanted) || found.version === wanted);
      if (!fits) return `${path || 'package.json'} wants ${name} ${wanted}, which has no entry: pin a version that has all its parts`;
    }
  }
  return undefined;
}

/** Two at a time. @returns {Promise<{ passed: number, failed: number }>} */
export async function check() {
  const problem = lockFileProblem();
  process.stdout.write(problem === undefined ? '✓ lock file\n' : `✗ lock file\n${problem}\n`);
  const results = [problem === undefined];
  const waiting = CHECKS.values();
  const lane = async () => {
    for (const next of waiting) results.push(await run(next));
  };
  await Promise.all([lane(), lane()]);
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(join(ROOT, 'node_modules'))) ensure('start');
  const { passed, failed } = await check();
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
