/** Rows opened by the sealer, as the collections ask for them. */
import { VaultError } from '../../shared/model/errors.ts';
import type { OpenableTable } from '../seal/protocol.ts';
import type { Opened, RecordCache } from './record-cache.ts';
import type { StoredRow } from './rows.ts';

const BATCH_BYTES = 8 * 1024 * 1024;

export type Decode<T> = (schema: number, plain: Uint8Array) => T;

export interface RowSource {
  /** VaultLockedException after the store was closed. */
  checkOpen(): void;
  /** Records of rows, in the same order. VaultTamperedException naming the table when one does not open. */
  open<T>(table: OpenableTable, rows: readonly StoredRow[], decode: Decode<T>): Promise<T[]>;
  /** The record in a row, from the cache or opened. Undefined when the row went while it was looked up. */
  at<T>(table: OpenableTable, rowId: Uint8Array, cache: RecordCache<T>, decode: Decode<T>): Promise<Opened<T> | undefined>;
  /** Up to `limit` records in the order of their rows, after `after` (16 bytes; empty: from the start). */
  pageOf<T>(table: OpenableTable, after: Uint8Array, limit: number, decode: Decode<T>): Promise<Opened<T>[]>;
  /** What the unauthenticated column says: a row (16 bytes) to be opened and compared. */
  rowByBlind(table: OpenableTable, name: string): Promise<Uint8Array | undefined>;
}

/** So that a call stays far below what one message may hold, however large the records are. */
export function* batches<T extends { readonly body: Uint8Array }>(rows: readonly T[]): Generator<readonly T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (batch.length > 0 && bytes + row.body.byteLength > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += row.body.byteLength;
  }
  if (batch.length > 0) yield batch;
}

export const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked: unlock it and try again');
export const misplaced = (table: string): VaultError =>
  new VaultError('VaultTamperedException', `a row of \`${table}\` is filed under another name, restore the vault's folder from a copy`, { details: { table } });
