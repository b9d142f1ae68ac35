/** What one caller of the command line's door may not do. */
import { afterEach, describe, expect, it } from 'vitest';
import { frameOf, MAX_FRAME_BYTES } from '../../../src/shared/wire/frame.ts';
import { Caller, call, eventually, fakePort, heldDispatch, openDoor, outputOf, peer, tidy } from './kit.ts';

afterEach(tidy);

describe('limits', () => {
  it('answers a malformed message and goes on', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port)).path);
    caller.sendText('{', '{"id":5}', '{"id":1,"op":"x","input":{}}');
    expect(outputOf(await caller.reply(null))).toMatchObject({ code: 'SerializationException' });
    expect(outputOf(await caller.reply(5))).toMatchObject({ code: 'SerializationException' });
    expect((await caller.reply(1)).ok).toBe(true);
    expect(port.refusals.map(({ reason }) => reason)).toEqual(['malformed', 'malformed']);
  });

  it('answers a length over 1 MiB with an error, and closes', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port)).path);
    caller.socket.write(Buffer.of(0, 0x10, 0, 1, 0x7b));
    expect(outputOf(await caller.reply(null))).toMatchObject({ code: 'RequestTooLargeException' });
    await caller.until(() => caller.closed);
    expect(port.refusals.map(({ reason }) => reason)).toEqual(['too-large']);
  });

  it('takes a message of exactly 1 MiB', async () => {
    const caller = await Caller.to((await openDoor(fakePort(({ id, input }) => Promise.resolve({ ok: true, requestId: id, output: { length: input.length } })))).path);
    const [head, tail] = ['{"id":1,"op":"x","input":{"a":"', '"}}'];
    caller.sendText(head + 'x'.repeat(MAX_FRAME_BYTES - head.length - tail.length) + tail);
    expect(outputOf(await caller.reply(1))).toEqual({ length: MAX_FRAME_BYTES - '{"id":1,"op":"x","input":}'.length });
  });

  it('gives a frame so long from its first byte, even when it trickles', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port, { limits: { frameMs: 150 } })).path);
    const frame = frameOf(Buffer.from(JSON.stringify(call(1))));
    // A connection without a frame may stay.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(caller.closed).toBe(false);
    let at = 0;
    const trickle = setInterval(() => caller.socket.write(frame.subarray(at, ++at)), 20);
    expect(outputOf(await caller.reply(null))).toMatchObject({ message: expect.stringContaining('not finished in time') as string });
    await caller.until(() => caller.closed);
    clearInterval(trickle);
    expect(port.refusals.map(({ reason }) => reason)).toEqual(['slow']);
  });

  it('gives each frame a time of its own', async () => {
    const caller = await Caller.to((await openDoor(fakePort(), { limits: { frameMs: 200 } })).path);
    // Each write ends one frame and begins the next.
    const frames = Buffer.concat(Array.from({ length: 8 }, (_, index) => frameOf(Buffer.from(JSON.stringify(call(index + 1))))));
    const size = frames.length / 8;
    for (let at = 0; at < frames.length; at += size) {
      caller.socket.write(frames.subarray(Math.max(0, at - 5), at + size - 5));
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    caller.socket.write(frames.subarray(-5));
    await caller.until(() => caller.replies.length === 8);
    expect(caller.closed).toBe(false);
  });

  it('has 64 calls in flight, answers the 65th with ThrottlingException, and takes it later', async () => {
    const { dispatch, waiting } = heldDispatch();
    const port = fakePort(dispatch);
    const caller = await Caller.to((await openDoor(port)).path);
    caller.send(...Array.from({ length: 65 }, (_, index) => call(index + 1)));
    expect(outputOf(await caller.reply(65))).toMatchObject({ code: 'ThrottlingException', details: { retryAfterSeconds: '1' } });
    expect(waiting.length).toBe(64);
    waiting[0]?.answer();
    await caller.reply(1);
    caller.send(call(65));
    await eventually(() => waiting.length === 65);
    for (const { answer } of waiting) answer();
    await caller.reply(65);
  });

  it('lets 400 calls through at once, then 200 a second, and counts the rest', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port)).path);
    const round = async (first: number, count: number): Promise<number> => {
      for (let at = 0; at < count; at += 50) {
        caller.send(...Array.from({ length: Math.min(50, count - at) }, (_, index) => call(first + at + index)));
        await caller.until(() => caller.replies.length === Math.min(at + 50, count));
      }
      return caller.replies.splice(0).filter(({ ok }) => ok).length;
    };
    expect(await round(1, 500)).toBe(400);
    port.now += 250;
    expect(await round(1001, 100)).toBe(50);
    port.now += 60_000;
    expect(await round(2001, 500)).toBe(400);
    expect(port.refusals.every(({ reason }) => reason === 'rate')).toBe(true);
  });

  it('does not refill for a process that connects anew, and has its own for another process', async () => {
    const port = fakePort();
    let pid = 100;
    const { path } = await openDoor(port, { peerOf: () => ({ ...peer, pid }), limits: { burst: 10 } });
    const okOf = async (): Promise<number> => {
      const caller = await Caller.to(path);
      caller.send(...Array.from({ length: 10 }, (_, index) => call(index + 1)));
      await caller.until(() => caller.replies.length === 10);
      return caller.replies.filter(({ ok }) => ok).length;
    };
    expect(await okOf()).toBe(10);
    expect(await okOf()).toBe(0);
    pid = 101;
    expect(await okOf()).toBe(10);
    pid = 100;
    expect(await okOf()).toBe(0);
  });

  it('holds a flood back: little of it is read, and another caller is served', async () => {
    const port = fakePort();
    let pid = 1;
    const { path } = await openDoor(port, { peerOf: () => ({ ...peer, pid }), limits: { burst: 10, callsPerSecond: 1 } });
    const flooder = await Caller.to(path);
    const block = Buffer.concat(Array.from({ length: 1000 }, () => frameOf(Buffer.from(JSON.stringify(call(1))))));
    let answered = 0;
    const flood = setInterval(() => {
      answered += flooder.replies.splice(0).length;
      if (flooder.socket.writableLength < 1_000_000) flooder.socket.write(block);
    }, 1);
    pid = 2;
    const other = await Caller.to(path);
    const started = performance.now();
    for (let id = 1; id <= 10; id++) {
      other.send(call(id));
      expect((await other.reply(id)).ok).toBe(true);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(flood);
    const seconds = (performance.now() - started) / 1000;
    // One chunk of 64 KiB, about 1,800 calls, in each pause of 100 ms.
    expect(answered / seconds).toBeLessThan(30_000);
  });

  it('hangs up on one that sends nothing but noise', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port, { limits: { burst: 20 } })).path);
    caller.sendText(...Array.from({ length: 40 }, () => 'x'));
    await caller.until(() => caller.closed);
    expect(caller.replies.length).toBe(21);
  });

  it('stops reading from one that does not read, and leaves it after a time', async () => {
    const big = 'x'.repeat(500_000);
    const port = fakePort(({ id }) => Promise.resolve({ ok: true, requestId: id, output: { big } }));
    const caller = await Caller.to((await openDoor(port, { limits: { stallMs: 300 } })).path);
    await caller.until(() => caller.hellos.length === 1);
    caller.socket.pause();
    for (let id = 1; id <= 60; id++) {
      caller.send(call(id));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(port.requests.length).toBeLessThan(10);
    await eventually(() => port.refusals.some(({ reason }) => reason === 'stalled'));
  });

  it('goes on when a slow reader has caught up', async () => {
    const big = 'x'.repeat(500_000);
    const port = fakePort(({ id }) => Promise.resolve({ ok: true, requestId: id, output: { big } }));
    const caller = await Caller.to((await openDoor(port)).path);
    caller.socket.pause();
    for (let id = 1; id <= 20; id++) {
      caller.send(call(id));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    caller.socket.resume();
    await caller.until(() => caller.replies.length === 20);
  });
});
