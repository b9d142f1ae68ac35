import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

import { createHashFile } from '../../../src/main/platform/hash-file.ts';
import type { HashFile } from '../../../src/main/platform/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'keystead-hash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In place of the real worker: begins, and ends when its file is a word that says so. */
function fakeWorker(): URL {
  const path = join(folder, 'worker.mjs');
  writeFileSync(
    path,
    `import { parentPort, workerData } from 'node:worker_threads';
     parentPort.postMessage({ kind: 'progress', done: 0, total: 1 });
     if (workerData.path === 'ends') parentPort.postMessage({ kind: 'hashed', digest: new Uint8Array(32), size: 1 });
     else setInterval(() => {}, 1000);`,
  );
  return pathToFileURL(path);
}

interface Order {
  readonly began: Promise<void>;
  readonly code: Promise<string>;
  cancel(): void;
}

function start(hashFile: HashFile, path: string): Order {
  const controller = new AbortController();
  let code: Promise<string> = Promise.resolve('');
  const began = new Promise<void>((resolve) => {
    code = hashFile({ path, algorithm: 'sha256', wholeUpTo: 0 }, { signal: controller.signal, progress: () => resolve() }).then(
      () => 'ok',
      (error: unknown) => (error as { code: string }).code,
    );
  });
  return { began, code, cancel: () => controller.abort() };
}

describe('hashing files', () => {
  it('reads two at once and lets the others wait, so that no caller takes every thread', async () => {
    const hashFile = createHashFile(fakeWorker());
    const [one, two] = [start(hashFile, 'hangs'), start(hashFile, 'hangs')];
    await Promise.all([one.began, two.began]);
    const third = start(hashFile, 'ends');
    const waits = new Promise((resolve) => setTimeout(() => resolve('waits'), 200));
    expect(await Promise.race([third.began, waits])).toBe('waits');
    one.cancel();
    expect(await one.code).toBe('CancelledException');
    expect(await third.code).toBe('ok');
    two.cancel();
    expect(await two.code).toBe('CancelledException');
  });

  it('cancels one that waits for its turn, and its turn goes to the next', async () => {
    const hashFile = createHashFile(fakeWorker());
    const [one, two] = [start(hashFile, 'hangs'), start(hashFile, 'hangs')];
    const [third, fourth] = [start(hashFile, 'hangs'), start(hashFile, 'ends')];
    third.cancel();
    expect(await third.code).toBe('CancelledException');
    one.cancel();
    expect(await fourth.code).toBe('ok');
    two.cancel();
    await two.code;
  });
});
