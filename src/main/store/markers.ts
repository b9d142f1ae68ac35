/** Pages, and where one ended, for the caller to give back: base64url of 0x01 ‖ rowId16. It says nothing about a record. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Page } from '../keyring/ports.ts';
import type { Opened } from './record-cache.ts';

const PAGE_LIMIT = 1000;

const VERSION = 1;
const LENGTH = 17;

export function encodeMarker(rowId: Uint8Array): string {
  return Buffer.from([VERSION, ...rowId]).toString('base64url');
}

/** The row id (16 bytes) to go on after; empty when there is no marker. Throws InvalidMarkerException. */
export function decodeMarker(marker: string | undefined): Uint8Array {
  if (marker === undefined) return new Uint8Array(0);
  const bytes = Buffer.from(marker, 'base64url');
  // Encoding again refuses what the decoder skips: other alphabets, white space, padding, stray bits.
  if (bytes.byteLength !== LENGTH || bytes[0] !== VERSION || bytes.toString('base64url') !== marker) {
    throw new VaultError('InvalidMarkerException', 'the marker is not one that a listing of this vault gave out, start again without a marker');
  }
  return Uint8Array.from(bytes.subarray(1));
}

/** Throws ValidationException. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT) throw new VaultError('ValidationException', `the limit \`${String(limit)}\` is not between 1 and ${String(PAGE_LIMIT)}`);
}

/** `found` holds one more than `limit` when there is a next page. */
export function pageOf<S, T>(found: readonly Opened<S>[], limit: number, pick: (value: S) => T): Page<T> {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(({ value }) => pick(value)), ...(found.length > limit && last ? { next: encodeMarker(last.rowId) } : {}) };
}
