/** kill -9 at random moments of a write load: what was acknowledged is there, and the check at opening passes. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { rolldown } from 'rolldown';
import { beforeAll, expect, test } from 'vitest';

import { newAlias } from './vault.ts';
import { close, createVault, reopen } from './vault.ts';
import { keyIdFrom } from '../../../src/shared/model/ids.ts';

const ROUNDS = Number(process.env['KEYSTEAD_KILL_ROUNDS'] ?? 40);
const ROOT = resolve(import.meta.dirname, '../../..');
const CHILD = resolve(ROOT, 'node_modules/.cache/keystead-test/kill-child.mjs');

beforeAll(async () => {
  mkdirSync(resolve(CHILD, '..'), { recursive: true });
  // What stands in for `using` is the bundler's own, and no package.
  const bundle = await rolldown({ input: resolve(import.meta.dirname, 'kill-child.ts'), platform: 'node', external: (id) => !/^[./]|^@oxc-project\//.test(id), transform: { target: 'node20' }, logLevel: 'silent' });
  await bundle.write({ file: CHILD, format: 'esm', codeSplitting: false });
  await bundle.close();
});

/** What the child has said by the time that it was dead. */
function runAndKill(folder: string, code: Uint8Array, milliseconds: number): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [CHILD, folder, Buffer.from(code).toString('hex')], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    let ready = false;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (!ready && output.includes('\n')) {
        ready = true;
        setTimeout(() => child.kill('SIGKILL'), milliseconds);
      }
    });
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    child.on('close', (status, signal) => {
      if (signal === 'SIGKILL') done(output);
      else failed(new Error(`the child ended by itself (${String(status)}): ${errors}`));
    });
  });
}

test(`${String(ROUNDS)} kills: every acknowledged unit is there`, { timeout: 30_000 + ROUNDS * 5_000 }, async () => {
  const vault = await createVault();
  await close(vault);
  const acknowledged = new Map<string, number>();
  let units = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const output = await runAndKill(vault.folder, vault.code, Math.random() * 120);
    // The last line may be cut; a whole one ends with a line feed.
    for (const line of output.split('\n').slice(1, -1)) {
      const [name = '', count = '0'] = line.split(' ');
      acknowledged.set(name, Number(count));
      units++;
    }
    const { store, sealer, ...rest } = await reopen(vault);
    for (const [name, count] of acknowledged) {
      const { updated } = (await store.reader.alias(newAlias(name.slice(6), keyIdFrom(new Uint8Array(16))).name)) ?? { updated: 0 };
      expect(updated).toBeGreaterThanOrEqual(count);
      // One more may have been committed without the word getting out.
      expect(updated).toBeLessThanOrEqual(count + 1);
      acknowledged.set(name, updated);
    }
    for (const { body, delivered } of await store.undelivered()) {
      const [name = '', count] = Buffer.from(body).toString().split(' ');
      expect(acknowledged.get(name) ?? Number(count)).toBeGreaterThanOrEqual(Number(count));
      delivered();
    }
    await close({ store, sealer, ...rest });
  }
  expect(units).toBeGreaterThan(ROUNDS);
});
