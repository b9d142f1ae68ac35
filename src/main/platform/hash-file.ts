/** Hashing a file of any size in a worker thread: about 15 MB of memory, progress, cancel. */
import { Worker } from 'node:worker_threads';
import { VaultError } from '../../shared/model/errors.ts';
import type { HashReport } from './hash-worker.ts';
import type { HashedFile, HashFile, HashOptions, HashOrder } from './ports.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the vault; check its permissions',
  EPERM: 'may not be read by the vault; check its permissions',
  EISDIR: 'is a folder; name a file',
  NOT_A_FILE: 'is not a regular file; name one',
  CHANGED: 'changed while it was read; try again once nothing writes to it',
};

/**
 * Files read at once; others wait for their turn. What the vault itself writes goes through the same four threads of libuv, and a
 * file system that hangs must not come to hold them all.
 */
const AT_ONCE = 2;

const cancelled = (): VaultError => new VaultError('CancelledException', 'hashing was cancelled; nothing was signed');

/** `worker`: the built worker module. */
export function createHashFile(worker: URL): HashFile {
  const waiting = new Set<() => void>();
  let running = 0;

  const enter = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancelled());
      if (running < AT_ONCE) {
        running += 1;
        return resolve();
      }
      const leave = (): void => {
        waiting.delete(go);
        reject(cancelled());
      };
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      waiting.add(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  const left = (): void => {
    const [go] = waiting;
    if (!go) {
      running -= 1;
      return;
    }
    waiting.delete(go);
    go();
  };

  return async (order, options) => {
    await enter(options.signal);
    return hash(worker, order, options, left);
  };
}

/** `left` is called once the thread is gone, which may be later than the answer. */
const hash = (worker: URL, order: HashOrder, { signal, progress }: HashOptions, left: () => void): Promise<HashedFile> =>
  new Promise((resolve, reject) => {
    const thread = new Worker(worker, { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 32 } });
    thread.once('exit', left);
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', cancel);
      void thread.terminate();
      act();
    };
    const cancel = (): void => {
      settle(() => { reject(cancelled()); });
    };
    thread.on('message', (report: HashReport) => {
      if (report.kind === 'progress') progress(report.done, report.total);
      else if (report.kind === 'hashed') settle(() => { resolve(report); });
      else settle(() => { reject(new VaultError('FileNotReadableException', `file \`${order.path}\` ${REASONS[report.code] ?? 'cannot be read'}`)); });
    });
    thread.on('error', () => {
      settle(() => { reject(new VaultError('FileNotReadableException', `file \`${order.path}\` cannot be read`)); });
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel);
  });
