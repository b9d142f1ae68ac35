import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { describePeer, peerOf } from '../../../src/main/platform/peer.ts';

const me = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
let folder = '';
let server: Server;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-peer-'));
  server = createServer();
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const accepted = (): Promise<Socket> => new Promise((resolve) => server.once('connection', resolve));
const listening = (where: string | number): Promise<void> => new Promise((resolve) => (typeof where === 'string' ? server.listen(where, resolve) : server.listen(where, '127.0.0.1', resolve)));

describe('peerOf', () => {
  it('names this process on both sides', async () => {
    await listening(join(folder, 's'));
    const [client, theirs] = [connect(join(folder, 's')), await accepted()];
    expect(peerOf(theirs)).toEqual(me);
    expect(peerOf(client)).toEqual(me);
    theirs.destroy();
    await new Promise((resolve) => client.once('close', resolve).resume());
    expect(peerOf(theirs)).toBeUndefined();
    expect(peerOf(client)).toBeUndefined();
  });

  it('tells another user', async () => {
    const path = join(folder, 's');
    await listening(path);
    await chmod(folder, 0o755);
    await chmod(path, 0o777);
    const child = spawn(process.execPath, ['-e', `require('net').connect(${JSON.stringify(path)})`], { uid: 65534, gid: 65533, stdio: 'ignore' });
    const socket = await accepted();
    expect(peerOf(socket)).toEqual({ pid: child.pid, uid: 65534, gid: 65533 });
    child.kill('SIGKILL');
    socket.destroy();
  });

  it('knows nothing of a TCP peer', async () => {
    await listening(0);
    const address = server.address();
    const client = connect({ port: typeof address === 'object' && address ? address.port : 0 });
    const socket = await accepted();
    expect(peerOf(socket)).toBeUndefined();
    client.destroy();
    socket.destroy();
  });
});

describe('describePeer', () => {
  it('gives hints where it may, and none for a process that is gone', () => {
    expect(describePeer(process.pid)).toEqual({ executable: process.execPath, cwd: process.cwd() });
    expect(describePeer(0x7fffffff)).toEqual({});
  });
});
