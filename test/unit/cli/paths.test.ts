import { createServer } from 'node:net';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseVault, configFile, realFolder, runtimeFolder, socketPath, vaultsFolder, type Surroundings } from '../../../src/shared/model/paths.ts';
import { encodeFrame } from '../../../src/shared/wire/frame.ts';
import { createFake, type Fake } from './fake-vault.ts';

const here = (env: Surroundings['env'], platform = 'linux'): Surroundings => ({ platform, env, home: '/home/a', tmp: '/tmp', uid: 1000 });
const HASH = 'ab'.repeat(32);

describe('folders', () => {
  it('follow XDG, and ignore a relative value', () => {
    expect(vaultsFolder(here({}))).toBe('/home/a/.local/share/keystead/vaults');
    expect(vaultsFolder(here({ XDG_DATA_HOME: '/d' }))).toBe('/d/keystead/vaults');
    expect(vaultsFolder(here({ XDG_DATA_HOME: 'd' }))).toBe('/home/a/.local/share/keystead/vaults');
    expect(configFile(here({ XDG_CONFIG_HOME: '/c' }))).toBe('/c/keystead/config.json');
    expect([runtimeFolder(here({ XDG_RUNTIME_DIR: '/run/user/1000' })), runtimeFolder(here({}))]).toEqual(['/run/user/1000/keystead', '/tmp/keystead-1000']);
  });

  it('are the platform’s own elsewhere', () => {
    expect(vaultsFolder(here({}, 'darwin'))).toBe('/home/a/Library/Application Support/Keystead/vaults');
    expect(vaultsFolder(here({ LOCALAPPDATA: 'C:\\L' }, 'win32'))).toBe('C:\\L\\Keystead\\vaults');
    expect(socketPath(here({}, 'win32'), HASH)).toBe('\\\\.\\pipe\\keystead-abababababababab');
  });

  it('have a socket of at most 100 bytes', () => {
    expect(socketPath(here({ XDG_RUNTIME_DIR: '/run/user/1000' }), HASH)).toBe('/run/user/1000/keystead/abababababababab.sock');
    const room = 100 - '/keystead/abababababababab.sock'.length;
    expect(socketPath(here({ XDG_RUNTIME_DIR: `/${'x'.repeat(room - 1)}` }), HASH)).toHaveLength(100);
    expect(() => socketPath(here({ XDG_RUNTIME_DIR: `/${'x'.repeat(room)}` }), HASH)).toThrow(/set XDG_RUNTIME_DIR/);
  });

  it('are real, as far as they exist', () => {
    const real = (path: string): string | undefined => ({ '/': '/', '/link': '/target' })[path];
    expect([realFolder('/link/a/b', real), realFolder('/link', real), realFolder('/x/y', real)]).toEqual(['/target/a/b', '/target', '/x/y']);
  });
});

describe('which vault is meant', () => {
  it('flag, variable, last, default', () => {
    const config = { last: '/last' };
    expect(chooseVault(here({ KEYSTEAD_VAULT: '/env' }), '/flag', config)).toBe('/flag');
    expect(chooseVault(here({ KEYSTEAD_VAULT: '/env' }), undefined, config)).toBe('/env');
    expect(chooseVault(here({ KEYSTEAD_VAULT: '' }), undefined, config)).toBe('/last');
    expect(chooseVault(here({}), undefined, {})).toBe('/home/a/.local/share/keystead/vaults/default');
  });
});

describe('a server that misbehaves', () => {
  let fake: Fake | undefined;
  let close: (() => void) | undefined;
  afterEach(async () => {
    close?.();
    await fake?.close();
  });

  const hello = encodeFrame({ hello: { version: 1, pid: 1, locked: false, features: [] } });
  it.each<[string, Uint8Array | undefined, number]>([
    ['hangs up', undefined, 7],
    ['sends no JSON', Uint8Array.of(0, 0, 0, 2, 0x7b, 0x7b), 70],
    ['sends a frame beyond the limit', Uint8Array.of(0xff, 0xff, 0xff, 0xff), 70],
    ['hangs up after its hello', hello, 7],
    ['answers in an unknown form', Buffer.concat([hello, encodeFrame({ id: 1, ok: true, output: { Keys: 1 }, requestId: 'r' })]), 70],
    ['answers what was not asked', Buffer.concat([hello, encodeFrame({ id: 99, ok: true, output: {}, requestId: 'r' })]), 7],
  ])('%s', async (_name, bytes, expected) => {
    const made = createFake();
    fake = made;
    const path = socketPath(made.surroundings, createHash('sha256').update(made.folder).digest('hex'));
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // Only the hello goes out before the question; the rest waits for it.
      const [first, rest] = bytes && bytes.length > hello.length ? [hello, bytes.subarray(hello.length)] : [bytes, undefined];
      if (!first) socket.end();
      else socket.write(first);
      socket.on('data', () => (rest ? socket.end(rest) : socket.end()));
    });
    close = () => server.close();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(await made.run(['kms', 'list-keys', '--vault', join(made.home, 'vault')])).toMatchObject({ code: expected, out: '' });
  });
});
