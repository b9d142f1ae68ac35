/** Where a page ended, for the caller to give back: base64url of 0x01 ‖ rowId16. It says nothing about a record. */
import { VaultError } from '../../shared/model/errors.ts';

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
