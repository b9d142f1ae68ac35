/** The parent's side of the process that reads a file: one for each file, killed when it has answered, was cancelled, or took too long. */
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { ProcessHost } from '../platform/ports.ts';
import { decodeAnswer } from './messages.ts';
import type { ReadImport, ReadSecretsFile } from './port.ts';
import { ImportFailure } from './parsed.ts';

/** 16 MiB are read in a few seconds; a file that takes longer was made to. */
const MOST_MS = 60_000;

export interface ImportReader {
  readonly read: ReadSecretsFile;
  /** For a lock: kills every such process, and resolves once they are gone. */
  endAll(): Promise<void>;
}

const refused = ({ why, line }: ImportFailure): VaultError =>
  new VaultError('ValidationException', line === undefined ? `the file is not taken: ${why}` : `the file is not taken, because of line ${String(line)}: ${why}`, line === undefined ? undefined : { details: { line: String(line) } });
const broken = (): VaultError => new VaultError('InternalException', 'the process that reads the file has stopped; try again with a smaller part of it');

export function createImportReader({ host, after }: { readonly host: ProcessHost; readonly after: (ms: number, fire: () => void) => () => void }): ImportReader {
  const running = new Map<Promise<unknown>, () => void>();

  async function run(bytes: Uint8Array, signal: AbortSignal, ending: AbortSignal): Promise<ReadImport> {
    const child = host.spawn('importer');
    const ended = child.exited.then(() => { throw broken(); });
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => { reject(new VaultError('CancelledException', 'cancelled; nothing was imported')); });
      ending.addEventListener('abort', () => { reject(new VaultError('VaultLockedException', 'the vault was locked meanwhile; nothing was imported')); });
      stop = after(MOST_MS, () => { reject(new VaultError('ValidationException', `the file is not taken: reading it takes longer than ${String(MOST_MS / 1000)} seconds`)); });
    });
    try {
      const answered = new Promise<ReadImport>((resolve, reject) => {
        child.onFrame((frame) => {
          try {
            const answer = decodeAnswer(frame);
            if (answer) resolve({ file: answer.file, values: SecretBytes.copy(answer.values) });
            else reject(broken());
          } catch (error) {
            reject(error instanceof ImportFailure ? refused(error) : broken());
          } finally {
            frame.fill(0);
          }
        });
      });
      child.send(bytes);
      return await Promise.race([answered, ended, aborted]);
    } finally {
      stop();
      ended.catch(() => undefined);
      aborted.catch(() => undefined);
      child.kill();
      await child.exited;
    }
  }

  return {
    read(bytes, signal) {
      if (signal.aborted) {
        bytes.fill(0);
        return Promise.reject(new VaultError('CancelledException', 'cancelled; nothing was imported'));
      }
      const ending = new AbortController();
      const done = run(bytes, signal, ending.signal).finally(() => running.delete(done));
      running.set(done, () => { ending.abort(); });
      return done;
    },
    async endAll() {
      for (const end of running.values()) end();
      await Promise.allSettled(running.keys());
    },
  };
}
