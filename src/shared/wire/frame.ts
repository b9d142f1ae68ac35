/** Frames on a stream: u32 big-endian length, then that many bytes of JSON, 1 byte to 1 MiB. */
import { VaultError } from '../model/errors.ts';
import { encodeJson } from './encode.ts';

/** Most bytes after the length. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const HEADER_BYTES = 4;
/** Room taken before the bytes are there, so that a length alone costs little. */
const FIRST_ROOM = 64 * 1024;

const offHeap = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(length));

/** A frame around a copy of `bytes`. Throws RequestTooLargeException above the limit, SerializationException when empty. */
export function frameOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  checkLength(bytes.length, MAX_FRAME_BYTES);
  const frame = offHeap(HEADER_BYTES + bytes.length);
  frame.set(bytes, HEADER_BYTES);
  return putLength(frame);
}

/** A value as a whole frame, encoded in place (`encodeJson`, and its errors). The caller owns it, and wipes it where it held a secret. */
export function encodeFrame(value: unknown): Uint8Array<ArrayBuffer> {
  return putLength(encodeJson(value, { reserve: HEADER_BYTES, limit: MAX_FRAME_BYTES }));
}

function putLength(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const length = frame.length - HEADER_BYTES;
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
  return frame;
}

function checkLength(length: number, limit: number): void {
  if (length === 0) throw new VaultError('SerializationException', 'an empty frame');
  if (length > limit) throw new VaultError('RequestTooLargeException', `a frame of more than ${String(limit)} bytes; send less at a time`);
}

export interface FrameReaderOptions {
  /** Most bytes of one frame. Default MAX_FRAME_BYTES. */
  readonly limit?: number;
  /** Wipe each chunk once its bytes are copied. Default false. */
  readonly wipeChunks?: boolean;
}

/**
 * Cuts chunks of any size into frames. Holds at most one unfinished frame: no more than its limit, and never more than twice
 * what has arrived of it beyond the first 64 KiB.
 */
export class FrameReader {
  readonly #limit: number;
  readonly #wipeChunks: boolean;
  #length = 0;
  #headerBytes = 0;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #have = 0;
  #broken = false;

  constructor(options: FrameReaderOptions = {}) {
    this.#limit = options.limit ?? MAX_FRAME_BYTES;
    this.#wipeChunks = options.wipeChunks ?? false;
  }

  /** Whether a frame has begun and is not finished. */
  get pending(): boolean {
    return this.#headerBytes > 0;
  }

  /**
   * Takes the next chunk; calls `receive` with each frame that it completes, in order. The frame's bytes (without the length) are an
   * off-heap buffer of the receiver's own, to be wiped by it. Throws RequestTooLargeException or SerializationException as soon as a
   * length is not allowed, after the frames before it were received; the stream has no further frames then, and every later
   * call throws.
   */
  push(chunk: Uint8Array, receive: (frame: Uint8Array<ArrayBuffer>) => void): void {
    try {
      this.#consume(chunk, receive);
    } catch (error) {
      this.reset();
      this.#broken = true;
      throw error;
    } finally {
      if (this.#wipeChunks) chunk.fill(0);
    }
  }

  /** Forgets and wipes an unfinished frame. */
  reset(): void {
    this.#body?.fill(0);
    this.#body = undefined;
    this.#headerBytes = 0;
    this.#length = 0;
    this.#have = 0;
  }

  #consume(chunk: Uint8Array, receive: (frame: Uint8Array<ArrayBuffer>) => void): void {
    if (this.#broken) throw new VaultError('SerializationException', 'the stream has no further frames');
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        this.#length = this.#length * 256 + (chunk[at++] as number);
        if (++this.#headerBytes < HEADER_BYTES) continue;
        checkLength(this.#length, this.#limit);
        this.#body = offHeap(Math.min(this.#length, FIRST_ROOM));
        continue;
      }
      const take = Math.min(this.#length - this.#have, chunk.length - at);
      this.#room(this.#have + take).set(chunk.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      if (this.#have < this.#length) continue;
      const frame = this.#body;
      this.#body = undefined;
      this.reset();
      if (frame) receive(frame);
    }
  }

  #room(needed: number): Uint8Array<ArrayBuffer> {
    const body = this.#body ?? offHeap(0);
    if (needed <= body.length) return body;
    const larger = offHeap(Math.min(this.#length, Math.max(needed, body.length * 2)));
    larger.set(body.subarray(0, this.#have));
    body.fill(0);
    this.#body = larger;
    return larger;
  }
}
