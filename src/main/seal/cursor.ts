/**
 * Reading exact binary formats from hostile bytes: every read is bounds-checked, nothing is skipped, and the end must be the end.
 * Big-endian. The bytes handed out are off-heap copies.
 */
import { type Bytes, copy, readU32, readU64 } from '../crypto/bytes.ts';

/** The bytes are not of the format. Its message names the field and holds none of its content; formats turn it into their error. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export class Cursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  /** A view of the next `length` bytes. Throws MalformedError when they are not all there. */
  view(length: number, field: string): Uint8Array {
    if (length > this.#bytes.byteLength - this.#offset) throw new MalformedError(`${field} is cut short`);
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  bytes(length: number, field: string): Bytes {
    return copy(this.view(length, field));
  }

  u8(field: string): number {
    return this.view(1, field)[0] ?? 0;
  }

  u16(field: string): number {
    const [high = 0, low = 0] = this.view(2, field);
    return high * 256 + low;
  }

  u32(field: string): number {
    return readU32(this.view(4, field), 0);
  }

  /** Throws MalformedError above 2^53-1. */
  u64(field: string): number {
    const view = this.view(8, field);
    try {
      return readU64(view, 0);
    } catch {
      throw new MalformedError(`${field} is out of range`);
    }
  }

  /** Throws MalformedError when anything is left. */
  end(format: string): void {
    if (this.#offset !== this.#bytes.byteLength) throw new MalformedError(`${format} goes on after its end`);
  }
}

/** 2 bytes, big-endian. Throws RangeError outside 0 to 65,535. */
export function u16(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) throw new RangeError('not an unsigned 16-bit number');
  return copy(Uint8Array.of(value >> 8, value & 0xff));
}
