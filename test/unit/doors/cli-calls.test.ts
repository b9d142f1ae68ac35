/** A call on the command line's door, from its bytes to the wiping of its answer; and what goes out unasked. */
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { FrameReader, MAX_FRAME_BYTES } from '../../../src/shared/wire/frame.ts';
import { Caller, call, eventually, fakePort, heldDispatch, openDoor, outputOf, tidy } from './kit.ts';

afterEach(tidy);

describe('a call', () => {
  it('is cancelled by its id, and still answered once', async () => {
    const { dispatch, waiting } = heldDispatch();
    const caller = await Caller.to((await openDoor(fakePort(dispatch))).path);
    caller.send(call(1), call(2), { id: 2, cancel: true }, { id: 77, cancel: true });
    await eventually(() => waiting[1]?.request.signal.aborted === true);
    expect(waiting[0]?.request.signal.aborted).toBe(false);
    for (const { answer } of waiting) answer();
    await caller.reply(1);
    await caller.reply(2);
    expect(caller.replies).toEqual([]);
  });

  it('is cancelled though its caller has called too much', async () => {
    const { dispatch, waiting } = heldDispatch();
    const caller = await Caller.to((await openDoor(fakePort(dispatch), { limits: { burst: 1 } })).path);
    caller.send(call(1), call(2), { id: 1, cancel: true });
    await eventually(() => waiting[0]?.request.signal.aborted === true);
  });

  it('is aborted when its caller goes away, by a close or half of one', async () => {
    for (const leave of ['destroy', 'end'] as const) {
      const { dispatch, waiting } = heldDispatch();
      const caller = await Caller.to((await openDoor(fakePort(dispatch))).path);
      caller.send(call(1));
      await eventually(() => waiting.length === 1);
      caller.socket[leave]();
      await eventually(() => waiting[0]?.request.signal.aborted === true);
      waiting[0]?.answer();
    }
  });

  it('cannot have the id of another one in flight', async () => {
    const { dispatch, waiting } = heldDispatch();
    const caller = await Caller.to((await openDoor(fakePort(dispatch))).path);
    caller.send(call(1), call(1));
    expect(outputOf(await caller.reply(null))).toMatchObject({ code: 'ValidationException' });
    expect(waiting.length).toBe(1);
    waiting[0]?.answer();
    await caller.reply(1);
    caller.send(call(1));
    await eventually(() => waiting.length === 2);
    waiting[1]?.answer();
    await caller.reply(1);
  });

  it('is answered though dispatch fails, or what it says cannot be written', async () => {
    const outputs: Record<string, () => unknown> = {
      throw: () => { throw new Error('inner words'); },
      bigint: () => ({ a: 1n }),
      huge: () => ({ a: 'x'.repeat(MAX_FRAME_BYTES) }),
    };
    const caller = await Caller.to(
      (await openDoor(fakePort(async ({ id, operation }) => ({ ok: true, requestId: id, output: (await Promise.resolve(outputs[operation]?.())) as Record<string, unknown> })))).path,
    );
    caller.send(call(1, 'throw'), call(2, 'bigint'), call(3, 'huge'));
    expect(outputOf(await caller.reply(1))).toEqual({ code: 'InternalException', message: expect.not.stringContaining('inner') as string });
    expect(outputOf(await caller.reply(2))).toMatchObject({ code: 'InternalException' });
    expect(outputOf(await caller.reply(3))).toMatchObject({ code: 'RequestTooLargeException' });
  });

  it('leaves no bytes behind: input, output and secrets are wiped', async () => {
    const secret = SecretBytes.copy(Uint8Array.of(1, 2, 3));
    let input = new Uint8Array(1);
    const port = fakePort((request) => {
      input = request.input as Uint8Array<ArrayBuffer>;
      return Promise.resolve({ ok: true, requestId: request.id, output: { Plaintext: secret } });
    });
    const caller = await Caller.to((await openDoor(port)).path);
    await caller.until(() => caller.hellos.length === 1);
    const chunks = vi.spyOn(FrameReader.prototype, 'push');
    const written = vi.spyOn(Socket.prototype, 'write');
    caller.send(call(1, 'x', { Plaintext: 'AQID' }));
    expect(outputOf(await caller.reply(1))).toEqual({ Plaintext: 'AQID' });
    expect(secret.disposed).toBe(true);
    // The vault reads before the caller does, and writes after it.
    const seen: readonly unknown[] = [chunks.mock.calls[0]?.[0], written.mock.calls[1]?.[0]];
    vi.restoreAllMocks();
    for (const bytes of seen) {
      if (!(bytes instanceof Uint8Array)) throw new Error('nothing was seen');
      expect(bytes.length).toBeGreaterThan(40);
      await eventually(() => bytes.every((byte) => byte === 0));
    }
    expect(new Uint8Array(input.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('has its secrets wiped when nobody is left to hear them', async () => {
    const { dispatch, waiting } = heldDispatch();
    const caller = await Caller.to((await openDoor(fakePort(dispatch))).path);
    caller.send(call(1));
    await eventually(() => waiting.length === 1);
    caller.socket.destroy();
    await eventually(() => waiting[0]?.request.signal.aborted === true);
    const secret = SecretBytes.allocate(8);
    waiting[0]?.answer({ output: { Plaintext: secret } });
    await eventually(() => secret.disposed);
  });
});

describe('progress and events', () => {
  it('reach only the call and the caller that asked', async () => {
    const { dispatch, waiting } = heldDispatch();
    const port = fakePort(dispatch);
    const { path } = await openDoor(port);
    const asking = await Caller.to(path);
    const other = await Caller.to(path);
    asking.send({ hello: { version: 1, events: true } }, call(1, 'x', {}, { progress: true }), call(2));
    other.send({ hello: { version: 1 } }, call(1));
    await eventually(() => waiting.length === 3);
    expect(waiting.map(({ request }) => request.progress !== undefined).sort()).toEqual([false, false, true]);
    const progress = waiting.find(({ request }) => request.progress)?.request.progress;
    progress?.({ done: 1, total: 4, unit: 'bytes' });
    progress?.({ done: 2, total: 4, unit: 'bytes' });
    port.now += 100;
    progress?.({ done: 3, total: 4, unit: 'bytes' });
    progress?.({ done: 4, total: 4, unit: 'bytes' });
    port.emit({ event: 'key.changed', id: 'k' });
    port.emit({ event: 'progress', progress: { done: 1, total: 1, unit: 'rows' } });
    await asking.until(() => asking.events.length === 4);
    expect(asking.events.map((message) => (message.kind === 'event' ? (message.event.progress?.done ?? message.event) : message))).toEqual([1, 3, 4, { event: 'key.changed', id: 'k' }]);
    for (const { answer } of waiting) answer();
    await other.reply(1);
    expect(other.events).toEqual([]);
    progress?.({ done: 4, total: 4, unit: 'bytes' });
    asking.send(call(9));
    await eventually(() => waiting.length === 4);
    expect(asking.events.length).toBe(4);
    waiting[3]?.answer();
  });

  it('end with a later hello, and with the connection', async () => {
    const port = fakePort();
    const { path } = await openDoor(port);
    const caller = await Caller.to(path);
    const hello = { hello: { version: 1, events: true } };
    caller.send(hello, hello);
    await eventually(() => port.listeners.size === 1);
    caller.send({ hello: { version: 1 } });
    await eventually(() => port.listeners.size === 0);
    caller.send(hello);
    await eventually(() => port.listeners.size === 1);
    caller.socket.destroy();
    await eventually(() => port.listeners.size === 0);
  });

  it('are dropped, not piled up, for one that does not read', async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port)).path);
    caller.send({ hello: { version: 1, events: true } });
    await eventually(() => port.listeners.size === 1);
    caller.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 200; round++) {
      for (let index = 0; index < 500; index++) port.emit({ event: 'key.changed', id: 'k'.repeat(36) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000);
    caller.socket.resume();
    caller.send(call(1));
    await caller.reply(1);
    expect(caller.events.length).toBeLessThan(50_000);
  });

  it('need a common version', async () => {
    const caller = await Caller.to((await openDoor(fakePort())).path);
    caller.send({ hello: { version: 2 } });
    expect(outputOf(await caller.reply(null))).toMatchObject({ code: 'ValidationException' });
    await caller.until(() => caller.closed);
  });
});
