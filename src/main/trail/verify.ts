/**
 * Main's side of reading the trail: it reads the files and hands them to the sealer, which alone can check and open them.
 * What is read is the trail up to one moment, the one in which `trail.key` was read; appends go on meanwhile.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { type Bytes, allocate, copy, wipe } from '../crypto/bytes.ts';
import type { Sealer, TrailBreak, VaultState } from '../seal/protocol.ts';
import { isNoFile, READ_ONLY } from './disk.ts';
import { type OpenIntent, openIntents } from './intents.ts';
import { type KeyBlock, parseKeyBlock } from './key-block.ts';
import type { Position, TrailFiles } from './port.ts';
import { type TrailRecord, decodeRecord } from './record.ts';
import { HEADER_LENGTH, parseHeader, type SegmentHeader } from './segment.ts';

/** Where the sealed state row says that the trail stood: index and SHA-256 (32) of a record. */
export type SealedPosition = Pick<VaultState, 'trailIndex' | 'trailHash'>;

export interface TrailReport {
  /** Records checked. */
  readonly records: number;
  readonly segments: number;
  /** The last good record; index -1 and zeros in an empty trail. */
  readonly last: Position;
  /** The first thing that is wrong. */
  readonly broken?: TrailBreak;
  /** Ascending; those of requests that are under way are among them. */
  readonly unfinished: readonly OpenIntent[];
  /** Records that are authentic and whose body this version cannot read. */
  readonly unreadable: number;
}

export interface Tail extends TrailReport {
  /** The highest that any record after the position names; 0 when none does. */
  readonly highestEpoch: number;
  readonly highestHeaderEpoch: number;
  /** Bodies (base64) of the records that bear a store epoch: what of the outbox has arrived. */
  readonly outcomes: ReadonlySet<string>;
}

export interface VerifyOptions {
  /** The database's own record of how far the trail had come. */
  readonly state?: SealedPosition;
  /** The first record, where it is not record 0: a new chain was started there. The hash of it stands for its segment's header too. */
  readonly start?: Position;
  /** Positions from checkpoints that were kept elsewhere. */
  readonly anchors?: readonly Position[];
  /** In order, each before the whole is known to be good. */
  readonly onRecord?: (record: TrailRecord, index: number) => void;
  /** Records checked, of how many that `trail.key` speaks of. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Aborted: rejects with CancelledException. */
  readonly signal?: AbortSignal;
}

/**
 * Checks every record of the trail. A broken trail is a report, not an error. Rejects with CancelledException,
 * TrailUnavailableException (a file that cannot be read), and what the sealer's calls reject with.
 */
export async function verifyTrail(log: TrailFiles, sealer: Sealer, options: VerifyOptions = {}): Promise<TrailReport> {
  const { state, anchors = [] } = options;
  const all = state ? [...anchors, positionOf(state)] : anchors;
  return readTrail(log, sealer, { ...options, anchors: all, ...(options.start ? { from: options.start } : {}) });
}

/**
 * Checks and opens the records after a position that is known to be good. `broken` with `fork` or `behind-state` when the
 * trail does not contain it. `onRecord` gets them in order.
 */
export async function readTail(log: TrailFiles, sealer: Sealer, from: SealedPosition, onRecord?: (record: TrailRecord, index: number) => void): Promise<Tail> {
  let [highestEpoch, highestHeaderEpoch] = [0, 0];
  const outcomes = new Set<string>();
  const report = await readTrail(log, sealer, {
    from: positionOf(from),
    onRecord(record, index, body) {
      highestEpoch = Math.max(highestEpoch, record.epoch ?? 0);
      highestHeaderEpoch = Math.max(highestHeaderEpoch, record.headerEpoch ?? 0);
      if (record.epoch !== undefined) outcomes.add(bytesToBase64(body));
      onRecord?.(record, index);
    },
  });
  return { ...report, highestEpoch, highestHeaderEpoch, outcomes };
}

/** What a broken trail is where it cannot be a report. */
export const brokenTrail = ({ index, what }: TrailBreak): VaultError =>
  new VaultError('TrailBrokenException', `the trail is broken at record ${String(index)} (\`${what}\`): run \`keystead trail verify\``);

const positionOf = ({ trailIndex, trailHash }: SealedPosition): Position => ({ index: trailIndex, hash: trailHash });

/** The sealer reads one trail at a time. */
const turns = new WeakMap<Sealer, Promise<unknown>>();

async function inTurn<T>(sealer: Sealer, work: () => Promise<T>): Promise<T> {
  const before = turns.get(sealer) ?? Promise.resolve();
  const mine = before.then(work, work);
  turns.set(sealer, mine);
  return mine;
}

interface ReadOptions extends Omit<VerifyOptions, 'onRecord' | 'start'> {
  readonly from?: Position;
  readonly onRecord?: (record: TrailRecord, index: number, body: Uint8Array) => void;
}

const readTrail = (log: TrailFiles, sealer: Sealer, options: ReadOptions): Promise<TrailReport> =>
  inTurn(sealer, async () => {
    const keyBlock = await log.keyBlock();
    const end = parseKeyBlock(keyBlock);
    // Files that were begun since belong to a later moment. A damaged block says nothing: then everything is read.
    const upTo = log.segments().filter(({ number }) => !end || number <= end.segment);
    try {
      return await feedAll(sealer, options.from ? await startingAt(upTo, options.from) : upTo, keyBlock, end, options);
    } finally {
      wipe(keyBlock);
    }
  });

async function feedAll(sealer: Sealer, segments: readonly Segment[], keyBlock: Uint8Array, end: KeyBlock | undefined, options: ReadOptions): Promise<TrailReport> {
  const { from, anchors = [], state, signal, onProgress, onRecord } = options;
  const intents = openIntents();
  const total = end?.index ?? 0;
  let unreadable = 0;
  let broken: TrailBreak | undefined;
  await sealer.call('trailBegin', { ...(from ? { from: wire(from) } : {}), anchors: anchors.map(wire) });
  for (const segment of segments) {
    const limit = segment.number === end?.segment ? end.offset : Number.POSITIVE_INFINITY;
    for await (const { bytes, last } of pieces(segment.path, limit)) {
      if (signal?.aborted) throw new VaultError('CancelledException', 'reading the trail was cancelled');
      const reply = await sealer.call('trailFeed', { segment: segment.number, bytes, last, open: true });
      for (const { index, body } of reply.records) {
        const record = tryDecode(body);
        if (!record) unreadable += 1;
        else {
          intents.see(index, record);
          onRecord?.(record, index, body);
        }
      }
      onProgress?.(reply.verified, total);
      broken = reply.broken;
      if (broken) break;
    }
    if (broken) break;
  }
  // Asked also when it is broken already: it ends the reading, and keeps the first break.
  const position = state ? { state: { trailIndex: state.trailIndex, trailHash: copy(state.trailHash) } } : {};
  const finish = await sealer.call('trailFinish', { keyBlock, ...position });
  return {
    records: finish.records,
    segments: segments.length,
    last: { index: finish.lastIndex, hash: finish.lastHash },
    ...(finish.broken ? { broken: finish.broken } : {}),
    unfinished: intents.open(),
    unreadable,
  };
}

/** A message's bytes may be wiped once they are sent. */
const wire = ({ index, hash }: Position): { index: number; hash: Uint8Array } => ({ index, hash: copy(hash) });

function tryDecode(body: Uint8Array): TrailRecord | undefined {
  try {
    return decodeRecord(body);
  } catch {
    return undefined;
  }
}

type Segment = ReturnType<TrailFiles['segments']>[number];

/** From the segment that says it holds this record on; all of them when none does. What it says is checked by the reader. */
async function startingAt(segments: readonly Segment[], from: Position): Promise<readonly Segment[]> {
  for (let at = segments.length - 1; at > 0; at -= 1) {
    const header = await headerOf(segments[at]?.path ?? '');
    if (header && header.firstIndex <= from.index) return segments.slice(at);
  }
  return segments;
}

/** What a segment file says of itself, authenticated by nothing yet; undefined when it is not there or is none. TrailUnavailableException. */
export async function headerOf(path: string): Promise<SegmentHeader | undefined> {
  const file = await openFile(path);
  try {
    return file && parseHeader(await readAt(file, path, 0, HEADER_LENGTH));
  } finally {
    await file?.close();
  }
}

const PIECE = 1024 * 1024;

/** At most `limit` bytes of a file; a file that is not there, or is no file, is one empty piece, which the reader calls missing. */
async function* pieces(path: string, limit: number): AsyncGenerator<{ bytes: Bytes; last: boolean }> {
  const file = await openFile(path);
  if (!file) {
    yield { bytes: allocate(0), last: true };
    return;
  }
  try {
    for (let at = 0, last = false; !last; at += PIECE) {
      const bytes = await readAt(file, path, at, Math.min(PIECE, limit - at));
      last = bytes.byteLength < PIECE || at + PIECE >= limit;
      yield { bytes, last };
    }
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, READ_ONLY);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || isNoFile(error)) return undefined;
    throw unreadableFile(path, error);
  }
}

async function readAt(file: FileHandle, path: string, offset: number, length: number): Promise<Bytes> {
  const bytes = allocate(length);
  let at = 0;
  try {
    while (at < length) {
      const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
  } catch (error) {
    throw unreadableFile(path, error);
  }
  return at === length ? bytes : copy(bytes.subarray(0, at));
}

const unreadableFile = (path: string, cause: unknown): VaultError =>
  new VaultError('TrailUnavailableException', `cannot read \`${path}\` (${errnoOf(cause) ?? 'unknown error'}): check its owner, its mode and the disk`, { cause });
