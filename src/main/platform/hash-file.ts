/** Hashing a file of any size in a worker thread: about 15 MB of memory, progress, cancel. */
import { Worker } from 'node:worker_threads';
import { VaultError } from '../../shared/model/errors.ts';
import type { HashReport } from './hash-worker.ts';
import type { HashFile } from './ports.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the vault; check its permissions',
  EPERM: 'may not be read by the vault; check its permissions',
  EISDIR: 'is a folder; name a file',
  NOT_A_FILE: 'is not a regular file; name one',
  CHANGED: 'changed while it was read; try again once nothing writes to it',
};

/** `worker`: the built worker module. */
export const createHashFile =
  (worker: URL): HashFile =>
  (order, { signal, progress }) =>
    new Promise((resolve, reject) => {
      const thread = new Worker(worker, { workerData: order, resourceLimits: { maxOldGenerationSizeMb: 32 } });
      const settle = (act: () => void): void => {
        signal.removeEventListener('abort', cancel);
        void thread.terminate();
        act();
      };
      const cancel = (): void => {
        settle(() => {
          reject(new VaultError('CancelledException', 'hashing was cancelled; nothing was signed'));
        });
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
