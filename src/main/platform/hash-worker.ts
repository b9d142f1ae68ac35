/**
 * Worker thread: hashes one file with two buffers, so that the disk reads the next piece while this thread hashes the last.
 * Messages out (`HashReport`): progress after each piece, then the digest, or the code of what failed.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { HashOrder } from './ports.ts';

export type HashReport =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'hashed'; readonly digest: Uint8Array; readonly size: number; readonly whole?: Uint8Array }
  | { readonly kind: 'failed'; readonly code: string };

const PIECE = 4 * 1024 * 1024;

async function hash(order: HashOrder, report: (message: HashReport) => void): Promise<void> {
  // Without O_NONBLOCK a named pipe would hang the open for ever; without O_NOCTTY a terminal would become this process's own.
  const file = await open(order.path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const before = await file.stat();
    if (!before.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'NOT_A_FILE' });
    const { size, digest, whole } = await stream(file, order, (done) => {
      report({ kind: 'progress', done, total: before.size });
    });
    const after = await file.stat();
    if (size !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw Object.assign(new Error('changed'), { code: 'CHANGED' });
    report({ kind: 'hashed', digest, size, ...(whole ? { whole } : {}) });
  } finally {
    await file.close();
  }
}

async function stream(file: FileHandle, order: HashOrder, progress: (done: number) => void): Promise<{ size: number; digest: Uint8Array; whole?: Uint8Array }> {
  const hasher = createHash(order.algorithm);
  const buffers = [new Uint8Array(PIECE), new Uint8Array(PIECE)] as const;
  let whole: Uint8Array | undefined;
  let size = 0;
  let turn: 0 | 1 = 0;
  let reading = file.read(buffers[turn], 0, PIECE, 0);
  for (;;) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) break;
    const piece = buffers[turn].subarray(0, bytesRead);
    if (size === 0 && bytesRead <= order.wholeUpTo) whole = piece.slice();
    size += bytesRead;
    turn = turn === 0 ? 1 : 0;
    reading = file.read(buffers[turn], 0, PIECE, size);
    hasher.update(piece);
    progress(size);
  }
  if (size > order.wholeUpTo) whole = undefined;
  else whole ??= new Uint8Array(0);
  return { size, digest: hasher.digest(), ...(whole ? { whole } : {}) };
}

if (parentPort) {
  const port = parentPort;
  const report = (message: HashReport): void => {
    port.postMessage(message);
  };
  hash(workerData as HashOrder, report).catch((error: unknown) => {
    report({ kind: 'failed', code: (error as { code?: string }).code ?? 'UNKNOWN' });
  });
}
