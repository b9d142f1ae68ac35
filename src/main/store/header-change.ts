/**
 * Header and database change in two phases, since they are two files: the state row first holds both hashes (prepared),
 * then the header is renamed into place, then the state row holds the new one only. Killed at any point, either header
 * that may be on the disk is accepted at the next opening, which finishes what was begun.
 */
import { join } from 'node:path';

import { VAULT_FILES } from '../../shared/model/paths.ts';
import { readBounded, storageError, syncFolder, writeFileAtomic } from '../platform/files.ts';
import { HEADER_LIMIT } from '../seal/header.ts';
import type { Sealer } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { headerHash } from './check.ts';
import type { WriteQueue } from './write-queue.ts';

export const headerPath = (folder: string): string => join(folder, VAULT_FILES.header);

export interface HeaderChange {
  readonly folder: string;
  readonly sealer: Sealer;
  readonly queue: WriteQueue;
}

/** For one who has the turn. When it rejects, the header that is on the disk then, old or new, is still accepted. */
export async function replaceHeader(change: HeaderChange, header: Uint8Array, headerEpoch: number, intent: Position): Promise<void> {
  const { folder, sealer, queue } = change;
  await finishEarlier(change);
  const current = headerHash(header);
  await queue.commit({ units: [], intent, header: { prepare: current } });
  try {
    await writeFileAtomic(headerPath(folder), header, { mode: 0o600 });
  } catch (error) {
    // Only the folder's fsync may have failed: the next change has to build on what is there now.
    const onDisk = await readBounded(headerPath(folder), HEADER_LIMIT).catch(() => undefined);
    if (onDisk && Buffer.compare(onDisk, header) === 0) await sealer.call('adoptHeader', { header });
    throw error;
  }
  await sealer.call('adoptHeader', { header });
  await queue.commit({ units: [], header: { current, headerEpoch } });
}

/** Makes the header on the disk the current one, when it is the prepared one. */
export async function finishHeader({ folder, sealer, queue }: HeaderChange, header: Uint8Array): Promise<void> {
  const { preparedHeader } = queue.state;
  const current = headerHash(header);
  if (preparedHeader === undefined || Buffer.compare(current, preparedHeader) !== 0) return;
  // It was renamed, but perhaps the power went before its name was durable.
  await syncFolder(folder).catch((error: unknown) => {
    throw storageError('finish the header in', folder, error);
  });
  const { headerEpoch } = await sealer.call('readHeader', { header });
  await queue.commit({ units: [], header: { current, headerEpoch } });
}

/** INVARIANT: a second header is prepared only while the one on the disk is the current one, else neither would be accepted. */
async function finishEarlier(change: HeaderChange): Promise<void> {
  if (change.queue.state.preparedHeader === undefined) return;
  const onDisk = await readBounded(headerPath(change.folder), HEADER_LIMIT);
  if (onDisk) await finishHeader(change, onDisk);
}
