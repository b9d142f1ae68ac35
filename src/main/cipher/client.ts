/** The parent's side of the process that encrypts and decrypts files: one for each file, killed when it has answered, was cancelled or lied. */
import { unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { invalidCiphertext, VaultError } from '../../shared/model/errors.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { hex } from '../crypto/bytes.ts';
import type { CipherFile, CipherFiles, CipherKeys, CipherOptions, CipherOrder, CipheredFile, ProcessHost, Random } from '../platform/ports.ts';
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

/** The code is the child's own word. */
const said = (table: Readonly<Record<string, string>>, code: string): string | undefined => (Object.hasOwn(table, code) ? table[code] : undefined);

function failure({ where, code }: Extract<ToParent, { kind: 'failed' }>, { source, target }: CipherOrder): VaultError {
  // What a header says in plain text, before anything of it was opened.
  if (where === 'message' && code === 'OTHER_KEY') return new VaultError('IncorrectKeyException', `file \`${source}\` was not encrypted under this key; name the key that it was encrypted under`);
  if (where === 'message' && code === 'OTHER_CONTEXT') return new VaultError('InvalidCiphertextException', `file \`${source}\` was not encrypted with this encryption context; give pairs that it was encrypted with, or none`);
  if (where === 'message') return invalidCiphertext();
  if (where === 'source') return new VaultError('FileNotReadableException', `file \`${source}\` ${said(SOURCE, code) ?? 'cannot be read'}`);
  if (code === 'EEXIST') return new VaultError('FileExistsException', `file \`${target}\` exists; move it away or name another`);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new VaultError('StorageFullException', `cannot write \`${target}\`: the disk is full, free some space and try again`);
  return new VaultError('StorageException', `file \`${target}\` ${said(TARGET, code) ?? 'cannot be written'}`);
}

const cancelled = (): VaultError => new VaultError('CancelledException', 'cancelled; no file was written');
const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault was locked meanwhile; no file was written');
const broken = (): VaultError => new VaultError('InternalException', 'the process that reads the file has stopped; try again');

export function createCipherFiles({ host, random }: { readonly host: ProcessHost; readonly random: Random }): CipherFiles {
  const running = new Map<Promise<CipheredFile>, () => void>();
  const cipherFile: CipherFile = (order, keys, options) => {
    if (options.signal.aborted) return Promise.reject(cancelled());
    if (running.size >= AT_ONCE) return Promise.reject(new VaultError('ThrottlingException', `${String(AT_ONCE)} files are being encrypted or decrypted already; try again when one is done`));
    const temporary = join(dirname(order.target), `.${basename(order.target)}.${hex(random.bytes(8))}.tmp`);
    const ending = new AbortController();
    const done = run(host, order, temporary, keys, { ...options, ending: ending.signal }).finally(() => running.delete(done));
    running.set(done, () => { ending.abort(); });
    return done;
  };
  return {
    cipherFile,
    async endAll() {
      for (const end of running.values()) end();
      await Promise.allSettled(running.keys());
    },
  };
}

async function run(host: ProcessHost, order: CipherOrder, temporary: string, keys: CipherKeys, { signal, progress, ending }: CipherOptions & { readonly ending: AbortSignal }): Promise<CipheredFile> {
  const child = host.spawn('cipher');
  const ended = child.exited.then(() => { throw broken(); });
  let cancel: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => { reject(cancelled()); };
    ending.addEventListener('abort', () => { reject(locked()); });
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
