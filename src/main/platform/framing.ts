/**
 * Frames over a byte stream: u32 big-endian length, then that many bytes (0 to 64 MiB). Used between this program's
 * own processes; the doors have framings of their own.
 *
 * Defends against: a length that would make the receiver allocate without bound, and plaintext left behind in buffers
 * that nobody owns any more. Does not: authenticate the other side, or say what is in a frame.
 */

/** The largest frame, in bytes, without its length. */
export const MAX_FRAME = 64 * 1024 * 1024;
const HEADER = 4;

export interface FrameReader {
  /**
   * Takes the next bytes of the stream and hands out each frame that they complete, off-heap and owned by the receiver.
   * `chunk` is only read: whoever owns it wipes it. False once a length was over the limit; the stream is then at an
   * end, since nothing says where the next frame would begin.
   */
  push(chunk: Uint8Array): boolean;
  /** Wipes what is held of an unfinished frame. True when the stream ended between frames. */
  end(): boolean;
}

export function createFrameReader(receive: (frame: Uint8Array<ArrayBuffer>) => void, limit: number = MAX_FRAME): FrameReader {
  const header = new Uint8Array(new ArrayBuffer(HEADER));
  let headerFilled = 0;
  let body: Uint8Array<ArrayBuffer> | undefined;
  let bodyFilled = 0;
  let broken = false;

  return {
    push(chunk) {
      let at = 0;
      while (!broken && at < chunk.length) {
        if (body === undefined) {
          while (headerFilled < HEADER && at < chunk.length) header[headerFilled++] = chunk[at++] ?? 0;
          if (headerFilled < HEADER) break;
          const length = (((header[0] ?? 0) << 24) | ((header[1] ?? 0) << 16) | ((header[2] ?? 0) << 8) | (header[3] ?? 0)) >>> 0;
          if (length > limit) {
            broken = true;
            break;
          }
          body = new Uint8Array(new ArrayBuffer(length));
          bodyFilled = 0;
        }
        const take = Math.min(body.length - bodyFilled, chunk.length - at);
        body.set(chunk.subarray(at, at + take), bodyFilled);
        bodyFilled += take;
        at += take;
        if (bodyFilled === body.length) {
          const frame = body;
          body = undefined;
          headerFilled = 0;
          receive(frame);
        }
      }
      return !broken;
    },
    end() {
      const clean = !broken && body === undefined && headerFilled === 0;
      body?.fill(0);
      body = undefined;
      headerFilled = 0;
      broken = true;
      return clean;
    },
  };
}

/** Where the writer puts bytes; `done` is called once they are no longer needed, also on failure. */
export type Sink = (bytes: Uint8Array, done: () => void) => void;

export interface FrameWriter {
  /** Takes ownership of `frame` (at most `MAX_FRAME` bytes) and wipes it. Frames of one tick leave in one write. */
  send(frame: Uint8Array): void;
  /** Wipes what has not been handed to the sink. */
  end(): void;
}

/** Frames up to half of this are gathered; larger ones are written as they are, without a copy. */
const BATCH = 128 * 1024;

export function createFrameWriter(sink: Sink): FrameWriter {
  let batch = new Uint8Array(new ArrayBuffer(BATCH));
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let scheduled = false;

  const flush = (): void => {
    if (filled === 0) return;
    const full = batch;
    const length = filled;
    batch = spare ?? new Uint8Array(new ArrayBuffer(BATCH));
    spare = undefined;
    filled = 0;
    sink(full.subarray(0, length), () => {
      full.fill(0, 0, length);
      spare = full;
    });
  };
  const putLength = (length: number): void => {
    batch[filled++] = length >>> 24;
    batch[filled++] = length >>> 16;
    batch[filled++] = length >>> 8;
    batch[filled++] = length;
  };

  return {
    send(frame) {
      const length = frame.length;
      if (filled + HEADER + Math.min(length, BATCH / 2) > BATCH) flush();
      putLength(length);
      if (length > BATCH / 2) {
        flush();
        sink(frame, () => frame.fill(0));
        return;
      }
      batch.set(frame, filled);
      filled += length;
      frame.fill(0);
      if (scheduled) return;
      scheduled = true;
      // nextTick runs after the microtasks of the frame that is being handled, and so gathers all of their answers.
      process.nextTick(() => {
        scheduled = false;
        flush();
      });
    },
    end() {
      batch.fill(0, 0, filled);
      filled = 0;
    },
  };
}
