/**
 * Finding the end of a trail that was not closed. `trail.key` never leads the records, so everything before it must be there,
 * and what follows it is either a record that its key verifies, or the torn rest of a write that nobody was told of.
 *
 * It cannot tell a torn write from a record that somebody has damaged while the vault was closed: both are cut. That is why
 * the cut is recorded, and why `trail.key` follows so closely.
 */
import { join } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, copy, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { TrailDisk, TrailFile } from './disk.ts';
import { segmentName } from './files.ts';
import type { KeyBlock, Tip } from './key-block.ts';
import { nextKey } from './ratchet.ts';
import { HEADER_LENGTH, SEGMENT_MAX_BYTES, checkPlace, claimedLength, linkHash, parseHeader, verifyHeader, verifyRecord } from './segment.ts';

export interface Recovery {
  /** Records that were there beyond `trail.key`. */
  readonly fastForwarded: number;
  /** Bytes cut after the last whole record; to be recorded when not 0. */
  readonly tornBytes: number;
  /** A segment that had been begun, without a record in it yet, and was taken away again. */
  readonly abandonedSegment?: number;
}

export interface Mended {
  readonly tip: Tip;
  /** Of `tip.index`; the receiver's to wipe. */
  readonly key: Bytes;
  readonly firstIndex: number;
  readonly sealedTo: Uint8Array;
  readonly numbers: readonly number[];
  readonly recovery: Recovery;
}

export const broken = (what: string): VaultError =>
  new VaultError('TrailBrokenException', `${what}: nothing was changed, compare the vault's folder with a copy`);

/** TrailBrokenException, or the system's errors. Changes nothing before all checks have passed. */
export async function recover(found: {
  readonly disk: TrailDisk;
  readonly folder: string;
  /** Of the segment files, ascending. */
  readonly numbers: readonly number[];
  readonly segment: TrailFile;
  readonly block: KeyBlock;
}): Promise<Mended> {
  const { disk, folder, segment, block } = found;
  const name = segmentName(block.segment);
  const size = segment.stat().size;
  if (size < block.offset) throw broken(`\`${name}\` is shorter than \`trail.key\` says`);
  const header = parseHeader(await segment.read(0, HEADER_LENGTH));
  if (header?.number !== block.segment || header.firstIndex > block.index || !constantTimeEqual(header.vaultId, block.vaultId)) {
    throw broken(`\`${name}\` does not begin as \`trail.key\` says`);
  }
  const tail = await segment.read(block.offset, Math.max(0, Math.min(size, SEGMENT_MAX_BYTES) - block.offset));
  const { tip, key } = fastForward(tail, block);
  const later = found.numbers.filter((number) => number > block.segment);
  try {
    for (const number of later) await checkAbandoned(disk, folder, number, tip, key, block.vaultId);
    if (size > tip.offset) await segment.truncate(tip.offset);
    if (size > block.offset) await segment.sync();
    for (const number of later) await disk.remove(join(folder, segmentName(number)));
    if (later.length > 0) await disk.syncFolder(folder);
  } catch (error) {
    wipe(key);
    throw error;
  }
  return {
    tip,
    key,
    firstIndex: header.firstIndex,
    sealedTo: header.recipient,
    numbers: found.numbers.filter((number) => number <= block.segment),
    recovery: {
      fastForwarded: tip.index - block.index,
      tornBytes: size - tip.offset,
      ...(later[0] === undefined ? {} : { abandonedSegment: later[0] }),
    },
  };
}

/** Over every whole record of `bytes`, which begin at `from`, whose place and MAC are right. */
function fastForward(bytes: Uint8Array, from: KeyBlock): { tip: Tip; key: Bytes } {
  const key = copy(from.key);
  let { offset, index } = from;
  let chain: Uint8Array = copy(from.chain);
  let head: Uint8Array = copy(from.head);
  for (let at = 0; bytes.byteLength - at >= 4; ) {
    const length = claimedLength(bytes, at);
    if (length === undefined || at + length > bytes.byteLength) break;
    const record = bytes.subarray(at, at + length);
    if (checkPlace(record, index, chain) !== undefined || !verifyRecord(record, key)) break;
    const next = nextKey(key);
    key.set(next);
    wipe(next);
    head = chain = linkHash(record);
    at += length;
    offset += length;
    index += 1;
  }
  return { tip: { segment: from.segment, offset, index, chain, head }, key };
}

/**
 * A later file may only be the header of the very next segment, made by whoever had the last key, without a record: records
 * go into a segment only after `trail.key` has moved to it. Its first key is lost, so it is begun again.
 */
async function checkAbandoned(disk: TrailDisk, folder: string, number: number, tip: Tip, key: Uint8Array, vaultId: Uint8Array): Promise<void> {
  const file = await disk.open(join(folder, segmentName(number)), 'write');
  const bytes = await file.read(0, HEADER_LENGTH + 1);
  await file.close();
  const header = parseHeader(bytes);
  const expected = header?.number === number && number === tip.segment + 1 && header.firstIndex === tip.index;
  if (!expected || !constantTimeEqual(header.vaultId, vaultId) || !constantTimeEqual(header.previous, tip.chain) || !verifyHeader(bytes, key)) {
    throw broken(`\`${segmentName(number)}\` does not follow from \`trail.key\``);
  }
}
