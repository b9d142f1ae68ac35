/**
 * `npm run bench [-- FIGURE …] [--keys=10000]`: JSON lines as they come, then a table. Ends with 0 also when a target is
 * missed: machines differ, and a figure is to be read, not to break a build.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { awsDoor } from './figures/aws-door.ts';
import { ciphering } from './figures/ciphering.ts';
import { disk } from './figures/disk.ts';
import { hashing } from './figures/hashing.ts';
import { keyGeneration } from './figures/key-generation.ts';
import { large } from './figures/large-vault.ts';
import { encrypting } from './figures/encrypting.ts';
import { secrets } from './figures/secrets.ts';
import { signing } from './figures/signing.ts';
import { windowList } from './figures/window-list.ts';
import { tokenCluster } from './figures/token-cluster.ts';
import { tokenSigning } from './figures/token-signing.ts';
import { window } from './figures/window.ts';
import { windowSecrets } from './figures/window-secrets.ts';
import { table, verdictOf, type Bench, type Line } from './harness.ts';

const FIGURES = [disk, signing, tokenSigning, tokenCluster, encrypting, keyGeneration, awsDoor, hashing, ciphering, large, secrets, window, windowList, windowSecrets];

const root = process.cwd();
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = names.filter((name) => !FIGURES.some((figure) => figure.name === name));
if (unknown.length > 0) throw new Error(`no figure \`${unknown.join('`, `')}\`; there are ${FIGURES.map((figure) => figure.name).join(', ')}`);
const keys = Number(process.argv.find((argument) => argument.startsWith('--keys='))?.slice('--keys='.length) ?? 10_000);

mkdirSync(join(root, '.bench'), { recursive: true });
const scratch = mkdtempSync(join(root, '.bench', 'run-'));
const [load = 0] = loadavg();
const lines: Line[] = [];
const bench: Bench = {
  scratch,
  root,
  keys,
  report(line) {
    lines.push(line);
    const verdict = verdictOf(line);
    console.log(JSON.stringify(verdict === '' ? line : { ...line, verdict }));
  },
  say: (text) => process.stderr.write(`${text}\n`),
};

try {
  for (const figure of FIGURES) {
    if (names.length > 0 && !names.includes(figure.name)) continue;
    bench.say(`— ${figure.name}`);
    try {
      await figure.run(bench);
    } catch (error) {
      bench.report({ figure: figure.name, value: Number.NaN, unit: 'not measured', target: { atLeast: 0 }, note: error instanceof Error ? error.message : String(error) });
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${table(lines)}\n\nNode ${process.version}, ${String(cpus().length)} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${process.platform}; load ${load.toFixed(1)} before`);
