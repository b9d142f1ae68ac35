/**
 * One file through the AWS Encryption SDK's message format (its "Message format reference", version 2), in constant memory.
 *
 * Written: suite 0x0478, AES-256-GCM with HKDF-SHA512 and key commitment, no signature (who may decrypt with the key may encrypt with
 * it, so a signature would say nothing more), frames of 1 MiB. Read: every committing suite, signed or not; frames up to 64 MiB.
 * Plaintext goes to a file without a name frame by frame, each after its tag was checked; it gets its name only after the last one and,
 * where there is one, the signature. A message cut short never becomes a file.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Transform, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { failing, StreamFailure } from './failure.ts';
import type { VaultKeyring } from './keyring.ts';
import { createEndWatch } from './message-end.ts';
import type { Order } from './messages.ts';
import { openTarget } from './target-file.ts';

const FRAME = 1024 * 1024;
const LARGEST_FRAME = 64 * 1024 * 1024;
/** A message may name several wrapping keys; one that names more than this is meant to keep us busy. */
const MOST_KEYS = 16;

const options = { commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, maxEncryptedDataKeys: MOST_KEYS };
const { encryptStream } = buildEncrypt(options);
const { decryptStream } = buildDecrypt(options);

export interface Streamed {
  /** Bytes read and written. */
  readonly size: number;
  readonly written: number;
  readonly context: Readonly<Record<string, string>>;
}

/** The target is whole and has its name when it resolves. Rejects with StreamFailure, or with what the keyring rejects with. */
export async function streamFile(order: Order, keyring: VaultKeyring, progress: (done: number, total: number) => void): Promise<Streamed> {
  // Without O_NONBLOCK a named pipe would hang the open for ever; without O_NOCTTY a terminal would become this process's own.
  const source = await open(order.source, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY).catch(failing('source'));
  try {
    const before = await source.stat().catch(failing('source'));
    if (!before.isFile()) throw new StreamFailure('source', 'NOT_A_FILE');
    const target = await openTarget(order);
    try {
      const context: { seen: Readonly<Record<string, string>> } = { seen: order.context };
      const cipher = cipherOf(order, keyring, before.size);
      cipher.on('MessageHeader', ({ encryptionContext }: { readonly encryptionContext: Readonly<Record<string, string>> }) => { context.seen = { ...encryptionContext }; });
      const within = order.work === 'decrypt' ? createEndWatch() : () => true;
      const read = counting((done, piece) => {
        if (!within(piece)) throw new StreamFailure('message', 'TRAILING');
        progress(done, before.size);
      });
      const written = counting(() => undefined);
      await pipeline(sourceOf(source), read.stream, cipher, written.stream, writer(target.handle));
      const after = await source.stat().catch(failing('source'));
      if (order.work === 'encrypt' && (read.total() !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)) throw new StreamFailure('source', 'CHANGED');
      await target.name();
      return { size: read.total(), written: written.total(), context: context.seen };
    } finally {
      await target.handle.close();
    }
  } finally {
    await source.close();
  }
}

function cipherOf(order: Order, keyring: VaultKeyring, plaintextLength: number): Duplex {
  if (order.work === 'decrypt') return decryptStream(keyring, { maxBodySize: LARGEST_FRAME });
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  return encryptStream(keyring, { suiteId, encryptionContext: { ...order.context }, frameLength: FRAME, plaintextLength });
}

async function* sourceOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    // A new one each time: the cipher keeps what it is given until its frame is whole.
    const piece = Buffer.allocUnsafeSlow(FRAME);
    const { bytesRead } = await file.read(piece, 0, FRAME, null).catch(failing('source'));
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}

const writer = (file: FileHandle) => async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; ) at += (await file.write(piece, at).catch(failing('target'))).bytesWritten;
  }
};

/** What `each` throws ends the stream. */
function counting(each: (done: number, piece: Uint8Array) => void): { readonly stream: Transform; readonly total: () => number } {
  let done = 0;
  const stream = new Transform({
    transform(piece: Uint8Array, _encoding, next) {
      done += piece.byteLength;
      try {
        each(done, piece);
      } catch (error) {
        next(error as Error);
        return;
      }
      next(null, piece);
    },
  });
  return { stream, total: () => done };
}
