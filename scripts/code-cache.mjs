/**
 * A program that starts faster: its code as a classic script with what V8 made of it when it was built, and a launcher that runs
 * them. Where V8 is another one it refuses that, and compiles the code as ever.
 *
 * V8 compares no more of the code than its length, so both files are named by the code's hash, and the launcher, which is put in place
 * last, names them.
 */
import { createHash } from 'node:crypto';
import { Script } from 'node:vm';

/** What `require` of CommonJS puts around a file. */
const wrap = (/** @type {string} */ code) => `(function (exports, require, module, __filename, __dirname) {${code}\n})`;

/**
 * @param {string} name of the launcher's file, without its ending
 * @param {string} code CommonJS without `import()`, which a script cannot do
 * @returns {{ readonly code: readonly [string, string], readonly cache: readonly [string, Buffer], readonly launcher: string }} file names and contents
 */
export function fastStart(name, code) {
  const stem = `${name}.${createHash('sha256').update(code).digest('hex').slice(0, 16)}`;
  const wrapped = wrap(code);
  const script = new Script(wrapped, { filename: `${stem}.cjs` });
  return { code: [`${stem}.cjs`, wrapped], cache: [`${stem}.cache`, script.createCachedData()], launcher: launcher(stem) };
}

const launcher = (/** @type {string} */ stem) => `import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
const filename = fileURLToPath(new URL('./${stem}.cjs', import.meta.url));
const cachedData = (() => {
  try {
    return readFileSync(new URL('./${stem}.cache', import.meta.url));
  } catch {
    return undefined;
  }
})();
const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename));
`;
