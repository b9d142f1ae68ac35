/** The names in a trail's folder, and the only way in which a file gets one: whole and durable. */
import { join } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import type { TrailDisk, TrailFile } from './disk.ts';

export const NEXT_NAME = 'next';
export const KEY_NAME = 'trail.key';
export const RESERVE_NAME = 'reserve';

const SEGMENT = /^(\d{8})\.seg$/;
export const segmentName = (number: number): string => `${String(number).padStart(8, '0')}.seg`;
/** The numbers of the segments among these names, ascending. */
export const segmentNumbers = (names: readonly string[]): number[] => names.flatMap((name) => SEGMENT.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);

export const unavailable = (cause?: unknown): VaultError =>
  new VaultError('TrailUnavailableException', 'the trail cannot be written: check the disk, then start the vault again', { cause });

/** A new file under its final name with these bytes, durable, or no trace of it under that name. Stays open. */
export async function writeWhole(disk: TrailDisk, folder: string, name: string, bytes: Uint8Array): Promise<TrailFile> {
  const temporary = join(folder, NEXT_NAME);
  await disk.remove(temporary);
  const file = await disk.open(temporary, 'create');
  try {
    await file.write(bytes, 0);
    await file.sync();
    await disk.rename(temporary, join(folder, name));
  } catch (error) {
    await file.close();
    await disk.remove(temporary);
    throw error;
  }
  await disk.syncFolder(folder).catch((error: unknown) => {
    throw unavailable(error);
  });
  return file;
}
