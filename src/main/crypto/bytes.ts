/**
 * Byte strings outside V8's heap, and the few encodings that every exact format here is made of (big-endian).
 *
 * Why a file for this: V8 keeps typed arrays of up to 64 bytes that were made by length inside its own heap, moves them and
 * leaves copies behind that no `fill(0)` reaches. An array over an `ArrayBuffer` of its own stays where it is. So key and
 * secret bytes are made by `allocate`, `copy` and `concat` only.
 *
 * What this does not do: wipe by itself. Whoever gets bytes from here owns them and calls `wipe`.
 */

/** A byte string with an `ArrayBuffer` of its own. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** `length` zero bytes, off-heap. */
export const allocate = (length: number): Bytes => new Uint8Array(new ArrayBuffer(length));

/** An off-heap copy; the source stays the caller's. */
export function copy(source: Uint8Array): Bytes {
  const out = allocate(source.byteLength);
  out.set(source);
  return out;
}

/** Copies off-heap and wipes the source: for what a library returned. */
export function take(source: Uint8Array): Bytes {
  const out = copy(source);
  source.fill(0);
  return out;
}

/**
 * What node:crypto returned, without a copy: its native code gives each result an `ArrayBuffer` of its own, outside V8's heap, so
 * the memory is simply taken over (a copy and a wipe cost 40 % of a small HMAC). A view into something larger is copied and wiped.
 * Only for results of node:crypto: an array that JavaScript made may have left a copy in the heap.
 */
export const adopt = (result: Buffer<ArrayBuffer>): Bytes =>
  result.byteLength === result.buffer.byteLength ? new Uint8Array(result.buffer) : take(result);

/** All parts one after the other, off-heap; the parts stay the caller's. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const out = allocate(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.byteLength;
  }
  return out;
}

/** Overwrites with zeros. Copies that a library made are not reached. */
export function wipe(...parts: readonly (Uint8Array | undefined)[]): void {
  for (const part of parts) part?.fill(0);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** 1 byte. Throws RangeError outside 0 to 255. */
export function u8(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new RangeError('not an unsigned 8-bit number');
  const out = allocate(1);
  out[0] = value;
  return out;
}

/** 4 bytes, big-endian. Throws RangeError outside 0 to 2^32-1. */
export function u32(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new RangeError('not an unsigned 32-bit number');
  const out = allocate(4);
  viewOf(out).setUint32(0, value);
  return out;
}

/** 8 bytes, big-endian. Throws RangeError outside 0 to 2^53-1. */
export function u64(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not an unsigned number that is exact');
  const out = allocate(8);
  viewOf(out).setBigUint64(0, BigInt(value));
  return out;
}

/** The u32 at `offset`. Throws RangeError when it is not whole. */
export const readU32 = (bytes: Uint8Array, offset: number): number => viewOf(bytes).getUint32(offset);

/** The u64 at `offset`. Throws RangeError when it is not whole or over 2^53-1. */
export function readU64(bytes: Uint8Array, offset: number): number {
  const value = Number(viewOf(bytes).getBigUint64(offset));
  if (!Number.isSafeInteger(value)) throw new RangeError('number too large to be exact');
  return value;
}

/** LP(x) = u32 length ‖ x. */
export const lp = (part: Uint8Array): Bytes => concat(u32(part.byteLength), part);

export const isWellFormed = (text: string): boolean => text.isWellFormed();

const encoder = new TextEncoder();

/** UTF-8, off-heap. Throws TypeError for a lone surrogate, which an encoder would silently replace. */
export function utf8(text: string): Bytes {
  if (!isWellFormed(text)) throw new TypeError('text with a lone surrogate has no UTF-8 form');
  const out = allocate(Buffer.byteLength(text));
  encoder.encodeInto(text, out);
  return out;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower case. For ids and fingerprints: a string cannot be wiped, so never for a key. */
export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += HEX[byte] ?? '';
  return out;
}

/** Throws TypeError for anything but pairs of hexadecimal digits. */
export function fromHex(text: string): Bytes {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new TypeError('not hexadecimal');
  const out = allocate(text.length / 2);
  for (let i = 0; i < out.length; i += 1) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Unsigned order of byte strings; the shorter first where one begins the other. For public bytes: not in constant time. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
