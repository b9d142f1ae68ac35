import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openCliSocket } from '../../../src/main/doors/cli-socket.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { frameOf, MAX_FRAME_BYTES } from '../../../src/shared/wire/frame.ts';
import { Caller, eventually, fakePort, heldDispatch, me, openDoor, outputOf, peer, temporaryFolder, tidy } from './kit.ts';

afterEach(tidy);

const call = (id: number, op = 'vault:Status', input: object = {}, more: object = {}): object => ({ id, op, input, ...more });

describe('the way in', () => {
  it('greets, and answers calls by id', async () => {
    const port = fakePort();
    const { path } = await openDoor(port);
    const caller = await Caller.to(path);
    await caller.until(() => caller.hellos.length === 1);
    expect(caller.hellos[0]).toEqual({ kind: 'hello', hello: port.hello() });
    caller.send(call(1, 'kms:Encrypt', { KeyId: 'k' }), call(2, 'x'));
    expect(outputOf(await caller.reply(2))).toEqual({ op: 'x', input: {} });
    const reply = await caller.reply(1);
    expect(outputOf(reply)).toEqual({ op: 'kms:Encrypt', input: { KeyId: 'k' } });
    expect(reply.requestId).toMatch(/^request-\d+$/);
    expect(port.requests[0]).toMatchObject({ door: 'cli', evidence: { door: 'cli', peer, hints: {} }, operation: 'kms:Encrypt' });
  });

  it('has read the hints when it greets', async () => {
    let read = false;
    const port = fakePort();
    const hello = port.hello();
    Object.assign(port, { hello: () => ({ ...hello, locked: read }) });
    const describe = (): object => {
      read = true;
      return { executable: '/bin/x' };
    };
    const caller = await Caller.to((await openDoor(port, { describe })).path);
    await caller.until(() => caller.hellos.length === 1);
    expect(caller.hellos[0]).toMatchObject({ hello: { locked: true } });
    caller.send(call(1));
    await caller.reply(1);
    expect(port.requests[0]?.evidence).toMatchObject({ hints: { executable: '/bin/x' } });
  });

  it.skipIf(process.platform !== 'linux')('takes the kernel\'s word for who the peer is', async () => {
    const port = fakePort();
    const door = await openCliSocket({ path: join(temporaryFolder(), 'run', 's'), port });
    const caller = await Caller.to(door.path);
    caller.send(call(1));
    await caller.reply(1);
    expect(port.requests[0]?.evidence).toEqual({
      door: 'cli',
      peer: { uid: me, gid: process.getegid?.(), pid: process.pid },
      hints: { executable: process.execPath, cwd: process.cwd() },
    });
    await door.close();
  });

  it.each([
    ['another user', () => ({ ...peer, uid: me + 1 })],
    ['a peer that the system does not name', () => { throw new Error('ENOTCONN'); }],
  ])('is shut, and counts, for %s', async (_name, peerOf) => {
    const port = fakePort();
    const { path } = await openDoor(port, { peerOf });
    const caller = await Caller.to(path);
    caller.send(call(1));
    await caller.until(() => caller.closed);
    expect(caller.hellos).toEqual([]);
    expect(port.requests).toEqual([]);
    expect(port.refusals.map(({ reason }) => reason)).toEqual(['peer']);
  });

  it('takes so many connections and no more, and others once one has left', async () => {
    const port = fakePort();
    const { path } = await openDoor(port, { limits: { connections: 3 } });
    const inside = await Promise.all([1, 2, 3].map(() => Caller.to(path)));
    await Promise.all(inside.map((caller) => caller.until(() => caller.hellos.length === 1)));
    const fourth = await Caller.to(path);
    await fourth.until(() => fourth.closed);
    expect(port.refusals).toEqual([{ door: 'cli', reason: 'connections', peer: me }]);
    inside[0]?.socket.destroy();
    await eventually(() => inside[0]?.closed === true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const fifth = await Caller.to(path);
    fifth.send(call(1));
    expect((await fifth.reply(1)).ok).toBe(true);
  });
});

describe('the socket file', () => {
  it('is 0600 in a folder of 0700, whatever the mask, and goes with the door', async () => {
    const mask = process.umask(0);
    try {
      const door = await openDoor(fakePort());
      expect(process.umask()).toBe(0);
      expect(lstatSync(door.path).mode & 0o777).toBe(0o600);
      expect(lstatSync(join(door.path, '..')).mode & 0o777).toBe(0o700);
      await door.close();
      expect(existsSync(door.path)).toBe(false);
    } finally {
      process.umask(mask);
    }
  });

  it('is not made in a folder that is a link, a file, or open to others', async () => {
    const base = temporaryFolder();
    mkdirSync(join(base, 'real'), { mode: 0o700 });
    symlinkSync(join(base, 'real'), join(base, 'link'));
    await expect(openDoor(fakePort(), { path: join(base, 'link', 's') })).rejects.toThrow('is not a folder');
    writeFileSync(join(base, 'file'), '');
    await expect(openDoor(fakePort(), { path: join(base, 'file', 's') })).rejects.toThrow('is not a folder');
    chmodSync(join(base, 'real'), 0o710);
    await expect(openDoor(fakePort(), { path: join(base, 'real', 's') })).rejects.toThrow('open to others');
    await expect(openDoor(fakePort(), { path: join(base, 'no', 'no', 's') })).rejects.toThrow('cannot be made');
  });

  it('is not made in a folder of another user', async () => {
    await expect(openDoor(fakePort(), { uid: me + 1 })).rejects.toThrow('belongs to another user');
  });

  it('has a path of at most 100 bytes', async () => {
    await expect(openDoor(fakePort(), { path: `/tmp/${'é'.repeat(60)}/s` })).rejects.toThrow('over 100 bytes');
  });

  it('replaces one that nobody answers at', async () => {
    const path = join(temporaryFolder(), 's');
    // Killed without a chance to remove it.
    spawnSync(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`]);
    expect(lstatSync(path).isSocket()).toBe(true);
    await openDoor(fakePort(), { path });
    const caller = await Caller.to(path);
    caller.send(call(1));
    expect((await caller.reply(1)).ok).toBe(true);
  });

  it('is left alone where somebody answers, and where it is not a socket', async () => {
    const first = await openDoor(fakePort());
    await expect(openDoor(fakePort(), { path: first.path })).rejects.toThrow(expect.objectContaining({ code: 'VaultInUseException' }) as Error);
    const mute = join(temporaryFolder(), 'm');
    const server = createServer(() => undefined).listen(mute);
    await expect(openDoor(fakePort(), { path: mute })).rejects.toThrow('another process answers');
    server.close();
    const file = join(temporaryFolder(), 'f');
    writeFileSync(file, 'mine');
    await expect(openDoor(fakePort(), { path: file })).rejects.toThrow(expect.objectContaining({ code: 'FileExistsException' }) as Error);
    expect(lstatSync(file).size).toBe(4);
  });
});

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
    caller.send(call(1, 'x', { Plaintext: 'AQID' }));
    expect(outputOf(await caller.reply(1))).toEqual({ Plaintext: 'AQID' });
    expect(secret.disposed).toBe(true);
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

describe('closing', () => {
  it('waits for what is running, and delivers its answers', async () => {
    const { dispatch, waiting } = heldDispatch();
    const door = await openDoor(fakePort(dispatch));
    const caller = await Caller.to(door.path);
    const idle = await Caller.to(door.path);
    await idle.until(() => idle.hellos.length === 1);
    caller.send(call(1));
    await eventually(() => waiting.length === 1);
    let closed = false;
    const closing = door.close().then(() => (closed = true));
    await idle.until(() => idle.closed);
    caller.send(call(2));
    await expect(Caller.to(door.path)).rejects.toThrow();
    expect(closed).toBe(false);
    expect(waiting[0]?.request.signal.aborted).toBe(false);
    waiting[0]?.answer({ output: { late: true } });
    await closing;
    expect(outputOf(await caller.reply(1))).toEqual({ late: true });
    await caller.until(() => caller.closed);
    expect(waiting.length).toBe(1);
  });

  it('aborts what outstays its time', async () => {
    const { dispatch, waiting } = heldDispatch();
    const door = await openDoor(fakePort(dispatch));
    const caller = await Caller.to(door.path);
    caller.send(call(1));
    await eventually(() => waiting.length === 1);
    waiting[0]?.request.signal.addEventListener('abort', () => waiting[0]?.answer());
    await door.close(50);
    expect(waiting[0]?.request.signal.aborted).toBe(true);
  });

  it('does not wait for one that does not listen', async () => {
    const { dispatch, waiting } = heldDispatch();
    const door = await openDoor(fakePort(dispatch));
    const caller = await Caller.to(door.path);
    caller.send(call(1));
    await eventually(() => waiting.length === 1);
    await door.close(50);
    expect(existsSync(door.path)).toBe(false);
  });
});
