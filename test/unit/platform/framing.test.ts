import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createFrameReader, createFrameWriter, MAX_FRAME } from '../../../src/main/platform/framing.ts';

const framed = (...frames: Uint8Array[]): Uint8Array => {
  const parts = frames.flatMap((frame) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    return [length, frame];
  });
  return new Uint8Array(Buffer.concat(parts));
};

const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('frame reader', () => {
  it('hands out the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (frames, cuts) => {
        const stream = framed(...frames);
        const got: Uint8Array[] = [];
        const reader = createFrameReader((frame) => got.push(frame));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const step = cuts[i % cuts.length] ?? 1;
          expect(reader.push(stream.slice(at, at + step))).toBe(true);
          at += step;
        }
        expect(got.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
        expect(reader.end()).toBe(true);
      }),
    );
  });

  it('gives each frame an ArrayBuffer of its own', () => {
    const got: Uint8Array[] = [];
    createFrameReader((frame) => got.push(frame)).push(framed(Uint8Array.of(1), Uint8Array.of(2, 3)));
    expect(got.map((frame) => frame.buffer.byteLength)).toEqual([1, 2]);
  });

  it.each([MAX_FRAME + 1, 0x7fffffff, 0x80000000, 0xffffffff])('refuses a length of %d and takes no more', (length) => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(length);
    let frames = 0;
    const reader = createFrameReader(() => frames++);
    expect(reader.push(header)).toBe(false);
    expect(reader.push(framed(Uint8Array.of(1)))).toBe(false);
    expect(reader.end()).toBe(false);
    expect(frames).toBe(0);
  });

  it('takes exactly its limit', () => {
    const got: number[] = [];
    const reader = createFrameReader((frame) => got.push(frame.length), 8);
    expect(reader.push(framed(new Uint8Array(8)))).toBe(true);
    expect(reader.push(framed(new Uint8Array(9)))).toBe(false);
    expect(got).toEqual([8]);
  });

  it.each([1, 3, 4, 6])('says that a stream cut after %d bytes is not whole', (length) => {
    const reader = createFrameReader(() => undefined);
    reader.push(framed(new Uint8Array(8)).subarray(0, length));
    expect(reader.end()).toBe(false);
  });

  it('neither throws nor grows on 20,000 random streams', () => {
    let handed = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        const reader = createFrameReader((frame) => (handed += frame.length), 32);
        reader.push(bytes);
        reader.end();
      }),
      { numRuns: 20_000 },
    );
    expect(handed).toBeLessThan(20_000 * 64);
  });
});

describe('frame writer', () => {
  function collect(): { writes: Uint8Array[]; done: (() => void)[]; sink: (bytes: Uint8Array, done: () => void) => void } {
    const writes: Uint8Array[] = [];
    const done: (() => void)[] = [];
    return { writes, done, sink: (bytes, finished) => void (writes.push(bytes), done.push(finished)) };
  }

  it('gathers the frames of one tick in one write and wipes them', async () => {
    const { writes, done, sink } = collect();
    const writer = createFrameWriter(sink);
    const frames = [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)];
    for (const frame of frames) writer.send(frame);
    expect(writes).toHaveLength(0);
    await nextTick();
    expect(writes.map((write) => [...write])).toEqual([[0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 3]]);
    expect(frames.map((frame) => [...frame])).toEqual([[0, 0], [], [0]]);
    done[0]?.();
    expect([...(writes[0] ?? [])].every((byte) => byte === 0)).toBe(true);
  });

  it('keeps order and content across batches and large frames', async () => {
    const sizes = [10, 70_000, 100_000, 5, 200_000, 64_000, 64_000, 64_000, 1];
    const frames = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    const stream: number[] = [];
    const writer = createFrameWriter((bytes, done) => {
      for (const byte of bytes) stream.push(byte);
      done();
    });
    for (const frame of frames) writer.send(frame.slice());
    await nextTick();
    const got: Uint8Array[] = [];
    createFrameReader((frame) => got.push(frame)).push(Uint8Array.from(stream));
    expect(got.map((frame) => frame.length)).toEqual(sizes);
    expect(got.every((frame, i) => frame.every((byte) => byte === i + 1))).toBe(true);
  });

  it('does not touch a buffer that is still being written', async () => {
    const { writes, done, sink } = collect();
    const writer = createFrameWriter(sink);
    for (let i = 1; i <= 3; i++) {
      writer.send(Uint8Array.of(i));
      await nextTick();
    }
    expect(writes.map((write) => write[4])).toEqual([1, 2, 3]);
    for (const finished of done) finished();
    writer.send(Uint8Array.of(4));
    await nextTick();
    writer.send(Uint8Array.of(5));
    await nextTick();
    expect(writes.slice(3).map((write) => write[4])).toEqual([4, 5]);
  });

  it('wipes what it still holds at the end', async () => {
    const { writes, sink } = collect();
    const writer = createFrameWriter(sink);
    writer.send(Uint8Array.of(9));
    writer.end();
    await nextTick();
    expect(writes).toHaveLength(0);
  });
});
