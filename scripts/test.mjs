/**
 * `npm test [-- VITEST ARGUMENT …]`: makes the checkout ready, checks, builds, runs every test. The last line is the true
 * total. What a test needs is installed, not gone around: a skipped test is a failed one. Only where it needs root and this is
 * not root is it named and left out of the total.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT, ensure } from './ensure.mjs';

/**
 * The parts of vitest's JSON report that are read here.
 * @typedef {{ fullName: string, status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled' }} Assertion
 * @typedef {{ name: string, status: 'passed' | 'failed', message: string, assertionResults: Assertion[] }} File
 * @typedef {{ testResults: File[] }} Report
 */

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

ensure('test');
const { check } = await import('./check.mjs');
const { build } = await import('./build.mjs');
let { passed, failed } = await check();

try {
  await build();
  passed += 1;
} catch (error) {
  say(`✗ build\n${String(error)}`);
  failed += 1;
}

const file = join(CACHE, 'results.json');
rmSync(file, { force: true });
const vitest = spawnSync(
  join(ROOT, 'node_modules', '.bin', 'vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)],
  // Building the pages has set NODE_ENV to production here, and React's parts for tests are not in that build.
  { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, NODE_ENV: 'test' } },
);

const root = process.getuid?.() === 0;
let good = 0;
let bad = 0;
if (existsSync(file)) {
  const report = /** @type {Report} */ (JSON.parse(readFileSync(file, 'utf8')));
  for (const { name, status, message, assertionResults } of report.testResults) {
    for (const assertion of assertionResults) {
      const ran = assertion.status === 'passed' || assertion.status === 'failed';
      if (assertion.status === 'passed') good += 1;
      else if (ran || root) bad += 1;
      if (!ran) say(`${root ? '✗' : '–'} ${assertion.status}${root ? '' : ', run as root'}: ${assertion.fullName}`);
    }
    // A file that could not be loaded, or whose hooks failed, has no failed test of its own.
    if (status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed')) {
      say(`✗ ${name}\n${message}`);
      bad += 1;
    }
  }
}
// A crash, an unhandled error or an empty run is a failure even when no test says so.
if (bad === 0 && (good === 0 || vitest.status !== 0)) {
  say(good === 0 ? '✗ no test ran' : `✗ vitest ended with ${vitest.signal ?? String(vitest.status)}`);
  bad = 1;
}
passed += good;
failed += bad;
say(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 ? 0 : 1;
