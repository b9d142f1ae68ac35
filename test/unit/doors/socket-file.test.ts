/** The socket's file and folder. */
import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Caller, call, fakePort, me, openDoor, temporaryFolder, tidy } from './kit.ts';

afterEach(tidy);

describe('the socket file', () => {
  it('is 0600 in a folder of 0700, whatever the mask, and goes with the door', async () => {
    const mask = process.umask(0);
    const masks = vi.spyOn(process, 'umask');
    try {
      const door = await openDoor(fakePort());
      // Before the file is there, not after.
      expect(masks.mock.calls).toEqual([[0o177], [0]]);
      masks.mockRestore();
      expect(process.umask()).toBe(0);
      expect(lstatSync(door.path).mode & 0o777).toBe(0o600);
      expect(lstatSync(join(door.path, '..')).mode & 0o777).toBe(0o700);
      await door.close();
      expect(existsSync(door.path)).toBe(false);
    } finally {
      masks.mockRestore();
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
