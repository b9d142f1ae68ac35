import { describe, expect, it, vi } from 'vitest';
import { encodeFrame, frameOf, FrameReader, MAX_FRAME_BYTES } from '../../../src/shared/wire/frame.ts';

const collect = (reader: FrameReader, ...chunks: Uint8Array[]): Uint8Array[] => {
  const frames: Uint8Array[] = [];
  for (const chunk of chunks) reader.push(chunk, (frame) => frames.push(frame));
  return frames;
};
const texts = (frames: readonly Uint8Array[]): string[] => frames.map((frame) => Buffer.from(frame).toString());
const header = (length: number): Uint8Array => Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);

describe('frames', () => {
  it('are a length, big-endian, and the bytes', () => {
    expect([...frameOf(Buffer.from('{}'))]).toEqual([0, 0, 0, 2, 0x7b, 0x7d]);
    expect([...encodeFrame({})]).toEqual([0, 0, 0, 2, 0x7b, 0x7d]);
    expect([...frameOf(new Uint8Array(70_000)).subarray(0, 4)]).toEqual([0, 1, 0x11, 0x70]);
  });

  it('are 1 byte to 1 MiB', () => {
    expect(frameOf(new Uint8Array(MAX_FRAME_BYTES)).length).toBe(MAX_FRAME_BYTES + 4);
    expect(() => frameOf(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow('more than 1048576 bytes');
    expect(() => frameOf(new Uint8Array(0))).toThrow('empty frame');
    expect(encodeFrame('x'.repeat(MAX_FRAME_BYTES - 2)).length).toBe(MAX_FRAME_BYTES + 4);
    expect(() => encodeFrame('x'.repeat(MAX_FRAME_BYTES - 1))).toThrow(expect.objectContaining({ code: 'RequestTooLargeException' }) as Error);
  });
});

describe('FrameReader', () => {
  const stream = Buffer.concat(['{"a":1}', '2', '{"three":[3,3,3]}'].map((text) => frameOf(Buffer.from(text))));

  it('gives the same frames at every pair of cuts', () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const frames = collect(new FrameReader(), stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second));
        expect(texts(frames)).toEqual(['{"a":1}', '2', '{"three":[3,3,3]}']);
      }
    }
  });

  it('gives the same frames byte by byte, with empty chunks in between', () => {
    const reader = new FrameReader();
    const frames = collect(reader, ...Array.from(stream, (byte) => [new Uint8Array(0), Uint8Array.of(byte)]).flat());
    expect(texts(frames)).toEqual(['{"a":1}', '2', '{"three":[3,3,3]}']);
    expect(reader.pending).toBe(false);
  });

  it('takes the largest frame in pieces of any size', () => {
    const bytes = Buffer.from(Array.from({ length: MAX_FRAME_BYTES }, (_, index) => index & 255));
    const frame = frameOf(bytes);
    for (const size of [1021, 65_536, 700_000]) {
      const reader = new FrameReader();
      const chunks = Array.from({ length: Math.ceil(frame.length / size) }, (_, index) => frame.subarray(index * size, (index + 1) * size));
      const [only, ...others] = collect(reader, ...chunks);
      expect(others).toEqual([]);
      expect(bytes.equals(only ?? new Uint8Array(0))).toBe(true);
    }
  });

  it('refuses a length over the limit before any of it arrives, and everything after', () => {
    for (const length of [MAX_FRAME_BYTES + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const reader = new FrameReader();
      expect(() => collect(reader, header(length))).toThrow(expect.objectContaining({ code: 'RequestTooLargeException' }) as Error);
      expect(() => collect(reader, frameOf(Buffer.from('1')))).toThrow('no further frames');
    }
    expect(() => collect(new FrameReader(), header(0))).toThrow('empty frame');
    expect(() => collect(new FrameReader({ limit: 4 }), header(5))).toThrow('more than 4 bytes');
  });

  it('hands out the frames before a refused one', () => {
    const frames: Uint8Array[] = [];
    expect(() => new FrameReader().push(Buffer.concat([frameOf(Buffer.from('1')), header(0)]), (frame) => frames.push(frame))).toThrow();
    expect(texts(frames)).toEqual(['1']);
  });

  it('does not take the room that a length only promises', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 200 }, () => new FrameReader());
    for (const reader of readers) reader.push(header(MAX_FRAME_BYTES), () => undefined);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 70_000);
    expect(readers.every((reader) => reader.pending)).toBe(true);
  });

  it('wipes chunks when told so, and only then, also when it refuses', () => {
    const chunk = frameOf(Buffer.from('{"secret":"x"}'));
    const frames = collect(new FrameReader({ wipeChunks: true }), chunk);
    expect(chunk.every((byte) => byte === 0)).toBe(true);
    expect(texts(frames)).toEqual(['{"secret":"x"}']);
    const bad = Buffer.concat([header(0), Buffer.from('secret')]);
    expect(() => collect(new FrameReader({ wipeChunks: true }), bad)).toThrow();
    expect(bad.every((byte) => byte === 0)).toBe(true);
    const kept = frameOf(Buffer.from('1'));
    collect(new FrameReader(), kept);
    expect(kept[4]).toBe(0x31);
  });

  it('wipes every buffer that a frame outgrew, and what is left of one that never ends', () => {
    const made: ArrayBuffer[] = [];
    vi.stubGlobal('ArrayBuffer', class extends ArrayBuffer {
      constructor(length: number) {
        super(length);
        made.push(this);
      }
    });
    try {
      const reader = new FrameReader();
      reader.push(header(300_000), () => undefined);
      for (let turn = 0; turn < 4; turn++) reader.push(new Uint8Array(60_000).fill(7), () => undefined);
      expect(made.length).toBeGreaterThan(2);
      reader.reset();
    } finally {
      vi.unstubAllGlobals();
    }
    expect(made.every((buffer) => new Uint8Array(buffer).every((byte) => byte === 0))).toBe(true);
  });

  it('gives each frame a buffer of its own, off-heap', () => {
    const [first, second] = collect(new FrameReader(), Buffer.concat([frameOf(Buffer.from('1')), frameOf(Buffer.from('2'))]));
    expect(first?.buffer).not.toBe(second?.buffer);
    expect(first?.buffer.byteLength).toBe(1);
  });
});
