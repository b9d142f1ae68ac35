/**
 * The one writer: appends wait in a queue; a batch of them becomes one write and one fdatasync, is answered, and then
 * `trail.key` moves on. While a batch is on its way the next one forms, so nothing waits for company that does not come.
 *
 * INVARIANT: `trail.key` on disk never leads the durable records, and lags them by at most one batch (BATCH_MAX records,
 * no time beyond the batch's own fdatasync). A segment holds records only once `trail.key` durably points into it.
 */
import { join } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, allocate, concat, copy, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { Random } from '../platform/ports.ts';
import { type TrailDisk, type TrailFile, isFull } from './disk.ts';
import { segmentName, unavailable, writeWhole } from './files.ts';
import { KEY_BLOCK_LENGTH, type Tip, encodeKeyBlock } from './key-block.ts';
import type { Position, TrailLog } from './port.ts';
import { RATCHET_KEY_LENGTH, nextKey, startKey } from './ratchet.ts';
import type { Reserve } from './reserve.ts';
import { BODY_MAX, HEADER_LENGTH, SEGMENT_MAX_BYTES, SEGMENT_MAX_RECORDS, encodeHeader, encodeRecord, linkHash, recordLength } from './segment.ts';

/** Records in one batch: the published window of forward security. */
export const BATCH_MAX = 64;

/** Milliseconds after which a moved `trail.key` is forced to the disk; other processes see it at once. */
const KEY_SYNC_AFTER = 1000;

export interface WriterStart {
  readonly disk: TrailDisk;
  /** The trail's own folder. */
  readonly folder: string;
  readonly vaultId: Uint8Array;
  readonly random: Random;
  readonly keyFile: TrailFile;
  /** The current segment; `firstIndex` is its first record's. */
  readonly segment: TrailFile;
  readonly firstIndex: number;
  readonly tip: Tip;
  /** K(tip.index), 32 bytes; taken and wiped. */
  readonly key: Bytes;
  readonly reserve: Reserve;
  /** Of the segments that are there, ascending, the current one last. */
  readonly numbers: readonly number[];
  /** What the current segment is sealed to, and what the next will be sealed to. */
  readonly sealedTo: Uint8Array;
  readonly recipient: Uint8Array;
  readonly onClose: () => void;
}

interface Append {
  readonly body: Uint8Array;
  readonly reserve: boolean;
  resolve(position: Position): void;
  reject(error: VaultError): void;
}
type Job = { readonly append: Append } | { readonly task: () => Promise<void> };

export interface Writer extends TrailLog {
  readonly sealedTo: Uint8Array;
}

const full = (cause: unknown): VaultError =>
  new VaultError('StorageFullException', 'the disk is full and nothing may happen unrecorded: free some space and try again', { cause });
const outOfReserve = new Error('the reserve of the trail is not whole');

export function startWriter(start: WriterStart): Writer {
  const { disk, folder, vaultId, random, keyFile, reserve, onClose } = start;
  // K of the last durable record's successor, and of a batch on its way. One off-heap buffer, wiped at each step.
  const slab = allocate(2 * RATCHET_KEY_LENGTH);
  const durable = slab.subarray(0, RATCHET_KEY_LENGTH);
  const working = slab.subarray(RATCHET_KEY_LENGTH);
  durable.set(start.key);
  wipe(start.key);

  let { segment, tip, firstIndex, recipient, sealedTo } = start;
  const numbers = [...start.numbers];
  const queue: Job[] = [];
  let running = false;
  let failure: VaultError | undefined;
  let closing: Promise<void> | undefined;
  let keySync: NodeJS.Timeout | undefined;

  function fail(error: unknown): VaultError {
    return (failure ??= error instanceof VaultError ? error : unavailable(error));
  }

  function enqueue(job: Job): void {
    queue.push(job);
    if (running) return;
    running = true;
    setImmediate(() => void pump());
  }

  /** Runs alone, between batches, even after a failure. */
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closing) reject(unavailable());
      else enqueue({ task: () => work().then(resolve, reject) });
    });

  async function pump(): Promise<void> {
    for (let job = queue[0]; job; job = queue[0]) {
      if ('task' in job) {
        queue.shift();
        await job.task();
      } else {
        const { batch, rotate } = nextBatch(job.append);
        queue.splice(0, batch.length);
        await appendAll(batch, rotate);
      }
    }
    running = false;
  }

  /** The appends at the front that fit into one batch and one segment; `rotate` when the first needs a new segment. */
  function nextBatch(first: Append): { batch: readonly Append[]; rotate: boolean } {
    let count = tip.index - firstIndex;
    let bytes = tip.offset;
    const fits = (append: Append): boolean => count < SEGMENT_MAX_RECORDS && bytes + recordLength(append.body.byteLength) <= SEGMENT_MAX_BYTES;
    const rotate = !fits(first);
    if (rotate) [count, bytes] = [0, HEADER_LENGTH];
    const batch: Append[] = [];
    for (const job of queue) {
      if ('task' in job || batch.length === BATCH_MAX || !fits(job.append)) break;
      batch.push(job.append);
      count += 1;
      bytes += recordLength(job.append.body.byteLength);
    }
    return { batch, rotate };
  }

  /** Answers every one of them. */
  async function appendAll(batch: readonly Append[], rotate: boolean): Promise<void> {
    let rest = batch;
    let owed = rotate;
    const refuseUnless = (allowed: (append: Append) => boolean, cause: unknown): void => {
      for (const append of rest) if (!allowed(append)) append.reject(full(cause));
      rest = rest.filter(allowed);
    };
    try {
      if (failure) throw failure;
      // What the reserve has given up belongs to those who may use it, until the reserve is whole again.
      if (!reserve.whole && rest.some((append) => !append.reserve) && !(await reserve.refill())) refuseUnless((append) => append.reserve, outOfReserve);
      while (rest.length > 0) {
        try {
          if (owed) await startSegment(recipient);
          owed = false;
          await commit(rest);
          return;
        } catch (error) {
          if (!isFull(error)) throw error;
          refuseUnless((append) => append.reserve, error);
          if (rest.length > 0 && !(await reserve.release())) refuseUnless(() => false, error);
        }
      }
    } catch (error) {
      const reason = fail(error);
      for (const append of rest) append.reject(reason);
    }
  }

  /** One write, one fdatasync, the answers, the key. On a full disk it throws that error and nothing has changed. */
  async function commit(batch: readonly Append[]): Promise<void> {
    const { size, linked } = segment.stat();
    if (size !== tip.offset || !linked) {
      throw new VaultError('TrailUnavailableException', `\`${segmentName(tip.segment)}\` was changed by another program: close the vault and verify its trail`);
    }
    working.set(durable);
    const records: Bytes[] = [];
    const positions: Position[] = [];
    let chain = tip.chain;
    for (const { body } of batch) {
      const index = tip.index + positions.length;
      const record = encodeRecord(index, chain, body, working, random);
      const next = nextKey(working);
      working.set(next);
      wipe(next);
      chain = linkHash(record);
      records.push(record);
      positions.push({ index, hash: copy(chain) });
    }
    const bytes = concat(...records);
    try {
      await segment.write(bytes, tip.offset);
    } catch (error) {
      // A part of the batch may be in the file: nobody may ever read it.
      await segment.truncate(tip.offset).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      throw error;
    }
    // After a failed fdatasync nobody knows what is on the disk, and a second one may lie: there is no going on from here.
    await segment.sync().catch((cause: unknown) => {
      throw unavailable(cause);
    });
    tip = { ...tip, offset: tip.offset + bytes.byteLength, index: tip.index + batch.length, chain, head: chain };
    durable.set(working);
    working.fill(0);
    for (const [i, append] of batch.entries()) append.resolve(positions[i] as Position);
    publishKey();
  }

  function publishKey(): void {
    const block = encodeKeyBlock(vaultId, tip, durable);
    try {
      keyFile.overwrite(block);
    } catch (error) {
      throw fail(unavailable(error));
    } finally {
      wipe(block);
    }
    keySync ??= setTimeout(() => {
      keySync = undefined;
      if (!closing) keyFile.sync().catch(fail);
    }, KEY_SYNC_AFTER).unref();
  }

  /** On a full disk it throws that error and nothing has changed. */
  async function startSegment(to: Uint8Array): Promise<void> {
    const number = tip.segment + 1;
    const fresh = random.bytes(RATCHET_KEY_LENGTH);
    const first = startKey(durable, fresh);
    wipe(fresh);
    try {
      const header = encodeHeader({ number, firstIndex: tip.index, vaultId, previous: tip.chain, recipient: to }, first, durable, random);
      const file = await writeWhole(disk, folder, segmentName(number), header);
      const old = segment;
      segment = file;
      numbers.push(number);
      firstIndex = tip.index;
      sealedTo = to;
      tip = { ...tip, segment: number, offset: header.byteLength, chain: linkHash(header) };
      durable.set(first);
      publishKey();
      await keyFile.sync().catch((cause: unknown) => {
        throw unavailable(cause);
      });
      await old.close();
    } finally {
      wipe(first);
    }
  }

  async function shutDown(): Promise<void> {
    clearTimeout(keySync);
    try {
      if (!failure) await keyFile.sync();
    } catch (error) {
      throw unavailable(error);
    } finally {
      fail(new VaultError('TrailUnavailableException', 'the trail is closed: start the vault again'));
      slab.fill(0);
      await Promise.allSettled([segment.close(), keyFile.close(), reserve.close()]);
      onClose();
    }
  }

  publishKey();
  return {
    append(body, options) {
      if (closing || failure) return Promise.reject(failure ?? new VaultError('TrailUnavailableException', 'the trail is closing: start the vault again'));
      if (body.byteLength < 1 || body.byteLength > BODY_MAX) return Promise.reject(new RangeError(`the body of a record is 1 to ${String(BODY_MAX)} bytes`));
      return new Promise((resolve, reject) => {
        enqueue({ append: { body: copy(body), reserve: options?.reserve ?? false, resolve, reject } });
      });
    },
    get head() {
      return { index: tip.index - 1, hash: copy(tip.head) };
    },
    get sealedTo() {
      return sealedTo;
    },
    segments: () => numbers.map((number) => ({ number, path: join(folder, segmentName(number)) })),
    keyBlock: () =>
      alone(() =>
        keyFile.read(0, KEY_BLOCK_LENGTH).catch((cause: unknown) => {
          throw unavailable(cause);
        }),
      ),
    rotate: (to) =>
      alone(async () => {
        if (failure) throw failure;
        // An empty segment under this key is what is asked for already.
        if (constantTimeEqual(to, sealedTo) && tip.index === firstIndex) return;
        try {
          await startSegment(copy(to));
          recipient = copy(to);
        } catch (error) {
          if (error instanceof RangeError) throw error;
          throw isFull(error) ? full(error) : fail(error);
        }
      }),
    close: () => (closing ??= alone(shutDown)),
  };
}
