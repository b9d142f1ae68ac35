/** Who comes in at the command line's door, and how it closes. */
import { chmodSync, existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openCliSocket } from '../../../src/main/doors/cli-socket.ts';
import { Caller, call, eventually, fakePort, heldDispatch, me, openDoor, outputOf, peer, temporaryFolder, tidy } from './kit.ts';

afterEach(tidy);

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

  it('takes the kernel\'s word for who the peer is', async () => {
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

  it('is shut for a real other user: by the file, and by the peer check behind it', async () => {
    const port = fakePort();
    const base = temporaryFolder();
    const door = await openCliSocket({ path: join(base, 'run', 's'), port });
    const asNobody = async (): Promise<string> => {
      const script = `const s = require('net').connect(${JSON.stringify(door.path)}); s.on('error', (e) => console.log(e.code)).on('data', () => console.log('data')).on('end', () => console.log('end'))`;
      const child = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (text: Buffer) => (said += text.toString()));
      await once(child, 'close');
      return said.trim();
    };
    expect(await asNobody()).toBe('EACCES');
    for (const opened of [base, join(base, 'run'), door.path]) chmodSync(opened, 0o777);
    expect(await asNobody()).toMatch(/^(end|ECONNRESET)$/);
    expect(port.refusals).toEqual([{ door: 'cli', reason: 'peer', peer: 65_534 }]);
    await door.close();
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
