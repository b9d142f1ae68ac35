/** The parent's side of the process that encrypts and decrypts files: one for each file, killed when it has answered, was cancelled or lied. */
import { unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { invalidCiphertext, VaultError } from '../../shared/model/errors.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { hex } from '../crypto/bytes.ts';
import type { CipherFile, CipherKeys, CipherOptions, CipherOrder, CipheredFile, ProcessHost, Random } from '../platform/ports.ts';
import { type ToParent, decodeToParent, encode } from './messages.ts';

/** Files at once: each is a process of about 100 MB. Others are refused; they can be tried again. */
const AT_ONCE = 4;

const SOURCE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by the vault; check its permissions',
  EPERM: 'may not be read by the vault; check its permissions',
  EISDIR: 'is a folder; name a file',
  NOT_A_FILE: 'is not a regular file; name one',
  CHANGED: 'changed while it was read; try again once nothing writes to it',
};
const TARGET: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be written: its folder does not exist',
  EACCES: 'may not be written by the vault; check the folder\'s permissions',
  EPERM: 'may not be written by the vault; check the folder\'s permissions',
  EROFS: 'cannot be written: the file system is read-only',
};

function failure({ where, code }: Extract<ToParent, { kind: 'failed' }>, { source, target }: CipherOrder): VaultError {
  if (where === 'message') return invalidCiphertext();
  if (where === 'source') return new VaultError('FileNotReadableException', `file \`${source}\` ${SOURCE[code] ?? 'cannot be read'}`);
  if (code === 'EEXIST') return new VaultError('FileExistsException', `file \`${target}\` exists; move it away or name another`);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new VaultError('StorageFullException', `cannot write \`${target}\`: the disk is full, free some space and try again`);
  return new VaultError('StorageException', `file \`${target}\` ${TARGET[code] ?? 'cannot be written'}`);
}

const cancelled = (): VaultError => new VaultError('CancelledException', 'cancelled; no file was written');
const broken = (): VaultError => new VaultError('InternalException', 'the process that reads the file has stopped; try again');

export function createCipherFile({ host, random }: { readonly host: ProcessHost; readonly random: Random }): CipherFile {
  let running = 0;
  return async (order, keys, options) => {
    if (options.signal.aborted) throw cancelled();
    if (running >= AT_ONCE) throw new VaultError('ThrottlingException', `${String(AT_ONCE)} files are being encrypted or decrypted already; try again when one is done`);
    running += 1;
    try {
      return await run(host, order, join(dirname(order.target), `.${basename(order.target)}.${hex(random.bytes(8))}.tmp`), keys, options);
    } finally {
      running -= 1;
    }
  };
}

async function run(host: ProcessHost, order: CipherOrder, temporary: string, keys: CipherKeys, { signal, progress }: CipherOptions): Promise<CipheredFile> {
  const child = host.spawn('cipher');
  const ended = child.exited.then(() => { throw broken(); });
  let cancel: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => { reject(cancelled()); };
  });
  signal.addEventListener('abort', cancel);
  try {
    const answered = new Promise<CipheredFile>((resolve, reject) => {
      const answer = async (message: ToParent, bytes: Uint8Array): Promise<void> => {
        if (message.kind === 'progress') progress(message.done, message.total);
        else if (message.kind === 'failed') throw failure(message, order);
        else if (message.kind === 'done') resolve({ size: message.size, written: message.written, context: message.context });
        else if (message.kind === 'make') {
          const { plaintext, ciphertext } = await keys.make(message.context);
          using key = plaintext;
          key.borrow((secret) => { child.send(encode({ kind: 'key', wrapped: bytesToBase64(ciphertext) }, secret)); });
        } else {
          using key = await keys.unwrap(bytes, message.context);
          key.borrow((secret) => { child.send(encode({ kind: 'key' }, secret)); });
        }
      };
      child.onFrame((frame) => {
        const given = decodeToParent(frame);
        if (given) answer(given.message, given.bytes.slice()).catch(reject);
        else reject(broken());
      });
    });
    child.send(encode({ kind: 'order', ...order, context: { ...order.context }, temporary }));
    return await Promise.race([answered, ended, aborted]);
  } finally {
    signal.removeEventListener('abort', cancel);
    ended.catch(() => undefined);
    aborted.catch(() => undefined);
    child.kill();
    await child.exited;
    // Nothing after a success; all that is left of anything else.
    await unlink(temporary).catch(() => undefined);
  }
}
