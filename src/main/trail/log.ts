/**
 * Making and opening a trail in a vault's folder:
 *
 *   trail/00000001.seg …   the segments (segment.ts)
 *   trail/trail.key        where and with which key it goes on (key-block.ts)
 *   trail/reserve          room for the most important records on a full disk (reserve.ts)
 *   trail/next             a file on its way to one of the names above; removed at open
 */
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { VAULT_FILES } from '../../shared/model/paths.ts';
import { allocate, concat, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { X25519_LENGTH } from '../crypto/x25519.ts';
import type { Random } from '../platform/ports.ts';
import { type TrailDisk, type TrailFile, isFull, isNoFile, systemDisk } from './disk.ts';
import { KEY_NAME, NEXT_NAME, RESERVE_NAME, segmentName, segmentNumbers, writeWhole } from './files.ts';
import { KEY_BLOCK_LENGTH, encodeKeyBlock, parseKeyBlock } from './key-block.ts';
import type { Position, TrailLog } from './port.ts';
import { RATCHET_KEY_LENGTH } from './ratchet.ts';
import { type Recovery, broken, recover } from './recovery.ts';
import { openReserve } from './reserve.ts';
import { HASH_LENGTH, HEADER_LENGTH, VAULT_ID_LENGTH, encodeHeader, linkHash } from './segment.ts';
import { type WriterStart, startWriter } from './writer.ts';

export interface TrailOptions {
  /** The vault's folder, which must exist; the trail lives in `trail` inside it. */
  readonly folder: string;
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  /** The vault's X25519 public key (32): new segments are sealed to it. Public, so it may come from a header not yet authenticated. */
  readonly trailPublicKey: Uint8Array;
  readonly random: Random;
  /** The system's disk unless given. */
  readonly disk?: TrailDisk;
}

export interface Trail extends TrailLog {
  /** What opening found and mended. `tornBytes` above 0 is for the caller to record. */
  readonly recovery: Recovery;
  /** The public key (32) that the current segment is sealed to: when it is not the vault's current one, `rotate` is owed. */
  readonly sealedTo: Uint8Array;
}

/** Folders with an open trail in this process. Between processes the vault's own lock keeps the others out. */
const open = new Set<string>();

/**
 * A new, empty trail: its head has index -1 and a hash of zeros, or is `after`, which a new chain comes after. VaultExistsException when
 * there is one already, VaultInUseException when this process has one open there, StorageFullException, TrailUnavailableException.
 */
export const createTrail = (options: TrailOptions, after: Position = { index: -1, hash: allocate(HASH_LENGTH) }): Promise<Trail> =>
  exclusively(options, async (disk, folder) => {
    await disk.makeFolder(folder);
    await disk.syncFolder(dirname(folder));
    const names = await disk.list(folder);
    if (names.includes(KEY_NAME) || segmentNumbers(names).length > 0) {
      throw new VaultError('VaultExistsException', `\`${folder}\` holds a trail already: name another folder`);
    }
    const reserve = await openReserve(disk, join(folder, RESERVE_NAME), names.includes(RESERVE_NAME), options.random);
    const key = options.random.bytes(RATCHET_KEY_LENGTH);
    const firstIndex = after.index + 1;
    const start = { number: 1, firstIndex, vaultId: options.vaultId, previous: after.hash, recipient: options.trailPublicKey };
    const header = encodeHeader(start, key, key, options.random);
    const tip = { segment: 1, offset: HEADER_LENGTH, index: firstIndex, chain: linkHash(header), head: after.hash };
    const segment = await writeWhole(disk, folder, segmentName(1), header);
    const block = encodeKeyBlock(options.vaultId, tip, key);
    // Last: only a trail with its key can be opened, so a kill before this leaves nothing that looks like a trail.
    const keyFile = await writeWhole(disk, folder, KEY_NAME, block);
    wipe(block);
    const recovery: Recovery = { fastForwarded: 0, tornBytes: 0 };
    return { folder, keyFile, segment, tip, firstIndex, key, reserve, numbers: [1], sealedTo: options.trailPublicKey, recovery };
  });

/**
 * Opens the trail to go on writing, locked or not: fast-forwards over records that are newer than `trail.key`, cuts a torn
 * tail (`recovery`). TrailBrokenException when the files cannot be the ones that `trail.key` was written beside: nothing is
 * changed then. StorageFullException, TrailUnavailableException, VaultInUseException.
 */
export const openTrail = (options: TrailOptions): Promise<Trail> =>
  exclusively(options, async (disk, folder) => {
    const names = await disk.list(folder).catch((error: unknown) => {
      throw ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '') ? broken(`\`${folder}\` is no folder`) : error;
    });
    const numbers = segmentNumbers(names);
    const keyFile = await openExisting(disk, join(folder, KEY_NAME));
    const bytes = await keyFile.read(0, KEY_BLOCK_LENGTH + 1);
    try {
      const block = parseKeyBlock(bytes);
      if (!block) throw broken('`trail.key` is damaged');
      if (!constantTimeEqual(block.vaultId, options.vaultId)) throw broken('`trail.key` belongs to another vault');
      const segment = await openExisting(disk, join(folder, segmentName(block.segment)));
      const mended = await recover({ disk, folder, numbers, segment, block });
      await disk.remove(join(folder, NEXT_NAME));
      const reserve = await openReserve(disk, join(folder, RESERVE_NAME), names.includes(RESERVE_NAME), options.random);
      return { folder, keyFile, segment, reserve, ...mended };
    } finally {
      wipe(bytes);
    }
  });

async function openExisting(disk: TrailDisk, path: string): Promise<TrailFile> {
  try {
    return await disk.open(path, 'write');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw broken(`\`${path}\` is missing`);
    if (isNoFile(error)) throw broken(`\`${path}\` is not a file`);
    throw error;
  }
}

type Prepared = Omit<WriterStart, 'disk' | 'vaultId' | 'recipient' | 'random' | 'onClose'> & { readonly recovery: Recovery };

/** One writer per folder, and the system's errors in the vault's words. */
async function exclusively(options: TrailOptions, prepare: (disk: TrailDisk, folder: string) => Promise<Prepared>): Promise<Trail> {
  if (options.vaultId.byteLength !== VAULT_ID_LENGTH || options.trailPublicKey.byteLength !== X25519_LENGTH) {
    throw new RangeError('a vault id has 16 bytes, a trail public key 32');
  }
  const folder = join(resolve(options.folder), VAULT_FILES.trail);
  if (open.has(folder)) throw new VaultError('VaultInUseException', `the trail in \`${folder}\` is open already`);
  open.add(folder);
  const disk = options.disk ?? systemDisk;
  const opened: TrailFile[] = [];
  const tracked: TrailDisk = {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode);
      opened.push(file);
      return file;
    },
  };
  try {
    const { recovery, ...prepared } = await prepare(tracked, folder);
    const writer = startWriter({
      ...prepared,
      disk,
      random: options.random,
      vaultId: concat(options.vaultId),
      recipient: concat(options.trailPublicKey),
      onClose: () => open.delete(folder),
    });
    return Object.assign(writer, { recovery });
  } catch (error) {
    for (const file of opened) await file.close().catch(() => undefined);
    open.delete(folder);
    if (error instanceof VaultError || error instanceof RangeError) throw error;
    if (isFull(error)) throw new VaultError('StorageFullException', `cannot open the trail in \`${folder}\`: the disk is full, free some space and try again`, { cause: error });
    throw new VaultError('TrailUnavailableException', `cannot open the trail in \`${folder}\` (${errnoOf(error) ?? 'unknown error'}): check the folder's owner, mode and disk`, { cause: error });
  }
}
