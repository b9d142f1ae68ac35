/**
 * The reserve: a file of really allocated bytes, given up step by step on a full disk, so that locking, verification,
 * summaries of denials and "trail full" can still be recorded. It cannot keep others on the disk from taking what it gives
 * up; what it gives up is therefore small, and asked for only when a record needs it.
 */
import type { Random } from '../platform/ports.ts';
import { type TrailDisk, type TrailFile, isFull } from './disk.ts';

export const RESERVE_LENGTH = 256 * 1024;
/** Room for three of the largest records or about a hundred usual ones, and for a new segment's folder entry. */
const RESERVE_STEP = 64 * 1024;

export interface Reserve {
  /** Whether nothing of it is missing. */
  readonly whole: boolean;
  /** Gives up one step; false when nothing is left. Rejects with the system's error. */
  release(): Promise<boolean>;
  /** Takes back what room there is; resolves to `whole`. Rejects only with errors other than a full disk. */
  refill(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the file, or creates it, and fills it as far as there is room. */
export async function openReserve(disk: TrailDisk, path: string, exists: boolean, random: Random): Promise<Reserve> {
  let file: TrailFile | undefined = exists ? await disk.open(path, 'write') : undefined;
  let size = Math.min(file?.stat().size ?? 0, RESERVE_LENGTH);
  const reserve: Reserve = {
    get whole() {
      return size === RESERVE_LENGTH;
    },
    async release() {
      if (!file || size === 0) return false;
      size = Math.max(0, size - RESERVE_STEP);
      await file.truncate(size);
      // Some file systems hand freed blocks out again only once the change is committed.
      await file.sync();
      return true;
    },
    async refill() {
      try {
        file ??= await disk.open(path, 'create');
        while (size < RESERVE_LENGTH) {
          const step = Math.min(RESERVE_STEP, RESERVE_LENGTH - size);
          // Random, because zeros may be stored as nothing at all.
          await file.write(random.bytes(step), size);
          await file.sync();
          size += step;
        }
      } catch (error) {
        if (!isFull(error)) throw error;
        await file?.truncate(size);
      }
      return size === RESERVE_LENGTH;
    },
    close: async () => file?.close(),
  };
  await reserve.refill();
  return reserve;
}
