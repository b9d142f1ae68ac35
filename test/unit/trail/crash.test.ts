import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

import { systemRandom } from '../../../src/main/platform/random.ts';
import { BATCH_MAX } from '../../../src/main/trail/writer.ts';
import { checkFiles, reopen, temporaryFolder, text } from './support.ts';

const ROUNDS = Number(process.env['KEYSTEAD_KILL_ROUNDS'] ?? 40);

/** The child as one file that this Node runs without a loader. */
async function bundle(into: string): Promise<string> {
  const build = await rolldown({ input: join(import.meta.dirname, 'crash-child.ts'), platform: 'node', external: [/^node:/, /^@node-rs\//, /^@noble\//], logLevel: 'silent' });
  const file = join(into, 'crash-child.mjs');
  await build.write({ file, format: 'esm' });
  await build.close();
  return file;
}

function killedAfter(file: string, folder: string, round: number, milliseconds: number): Promise<string[]> {
  const child = spawn(process.execPath, [file, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunks.length === 0) setTimeout(() => child.kill('SIGKILL'), milliseconds);
    chunks.push(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error('the child ended by itself'));
      // A line that was not finished was not printed in time; the first says that it has begun.
      else resolve(Buffer.concat(chunks).toString().split('\n').slice(1, -1));
    });
  });
}

it(`keeps every acknowledged append through ${String(ROUNDS)} rounds of kill -9`, { timeout: 30_000 + ROUNDS * 3000 }, async () => {
  // Beside the sources, so that the child finds the packages.
  using build = temporaryFolder(join(import.meta.dirname, '../../../node_modules'));
  using folder = temporaryFolder();
  const file = await bundle(build.path);
  const acknowledged = new Map<number, string>();
  let forwarded = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const moment = (systemRandom.bytes(1)[0] ?? 0) / 6;
    for (const line of await killedAfter(file, folder.path, round, moment)) {
      const space = line.indexOf(' ');
      acknowledged.set(Number(line.slice(0, space)), line.slice(space + 1));
    }
    const log = await reopen(folder.path);
    expect(log.recovery.fastForwarded).toBeLessThanOrEqual(BATCH_MAX);
    forwarded += log.recovery.fastForwarded;
    await log.append(text(`after round ${String(round)}`));
    await log.close();
    if (round % 8 !== 7 && round !== ROUNDS - 1) continue;
    const { broken, bodies } = checkFiles(folder.path, log);
    expect(broken).toBeUndefined();
    for (const [index, body] of acknowledged) if (bodies[index] !== body) expect.fail(`record ${String(index)} is lost or another`);
  }
  process.stdout.write(`${String(acknowledged.size)} acknowledged appends, 0 lost; ${String(forwarded)} records fast-forwarded\n`);
  expect(acknowledged.size).toBeGreaterThan(ROUNDS);
});
