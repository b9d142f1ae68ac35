/**
 * The keychain against real ones: gnome-keyring-daemon (Debian 12: 42.1) on a private session bus, in a temporary home.
 * Needs dbus, gnome-keyring and a compiled keytar.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createKeychain } from '../../src/main/platform/keychain.ts';
import { createProcessHost } from '../../src/main/platform/process.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { bundle, bundleFile } from '../unit/platform/bundle.ts';
import { recordingLog } from '../fakes/recording-log.ts';

const secret = new Uint8Array(randomBytes(32));

let entry = '';
const saved = { ...process.env };
beforeAll(async () => {
  entry = await bundleFile('keychain-entry', 'src/main/keychain/entry.ts');
});
afterAll(() => {
  setEnvironment(saved);
});

function setEnvironment(values: NodeJS.ProcessEnv): void {
  for (const name of ['HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS']) {
    const value = values[name];
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}

function open(script = entry, limits: { limit?: number; promptLimit?: number } = {}) {
  const log = recordingLog();
  return { keychain: createKeychain({ host: createProcessHost({ entries: { sealer: '', keychain: script, cipher: '', pkcs11: '', egress: '', importer: '' }, log }), log, ...limits }), log };
}

async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof VaultError) || error.code !== 'KeychainUnavailableException') throw new Error(`not refused: ${String(error)}`);
  expect(error.message).toMatch(/`|try again|run this|recovery code/);
  return error.details?.['reason'];
}

describe('gnome-keyring-daemon', () => {
  let home = '';
  const started: ChildProcess[] = [];

  /** A bus and a keyring of this test's own; `unlock` gives the throwaway password. */
  async function session(unlock: boolean): Promise<ChildProcess> {
    const runtime = await mkdtemp(join(home, 'run-'));
    const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: runtime } });
    started.push(bus);
    const address = await new Promise<string>((resolve) => bus.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
    setEnvironment({ HOME: home, XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: address });
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...(unlock ? ['--unlock'] : [])], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: address },
    });
    started.push(daemon);
    daemon.stdin.end(unlock ? 'throwaway' : '');
    for (let i = 0; i < 100; i++) {
      const names = spawnSync('dbus-send', [`--bus=${address}`, '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames']).stdout.toString();
      if (names.includes('org.freedesktop.secrets')) return daemon;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('gnome-keyring-daemon did not come up');
  }
  const end = (): void => {
    for (const child of started.splice(0).reverse()) child.kill('SIGKILL');
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'keystead-keyring-'));
  });
  afterAll(async () => {
    end();
    await rm(home, { recursive: true, force: true });
  });

  it('keeps a device secret while it is unlocked, and tells a missing one', async () => {
    await session(true);
    const { keychain } = open();
    expect(await keychain.probe()).toEqual({ available: true });
    expect(await keychain.get('vault:1')).toBeUndefined();
    await keychain.set('vault:1', secret);
    const got = await keychain.get('vault:1');
    expect(got).toEqual(secret);
    expect(got?.buffer.byteLength).toBe(32);
    await expect(keychain.set('vault:1', new Uint8Array(0))).rejects.toMatchObject({ code: 'ValidationException' });
    await keychain.set('vault:1', new Uint8Array(32));
    await keychain.set('vault:1', secret);
    await keychain.set('vault:2', secret.slice(0, 5));
    await keychain.remove('vault:2');
    await keychain.remove('vault:2');
    expect(await keychain.get('vault:2')).toBeUndefined();
    await expect(keychain.get('../x')).rejects.toMatchObject({ code: 'ValidationException' });
    end();
  }, 60_000);

  it('is still there after a new login', async () => {
    await session(true);
    expect(await open().keychain.get('vault:1')).toEqual(secret);
    end();
  }, 60_000);

  it('locked: says so instead of "there is none"', async () => {
    await session(false);
    const { keychain } = open(entry, { limit: 4000 });
    // Without a prompter the daemon refuses; with one it would wait for the person.
    expect(await reasonOf(keychain.get('vault:1'))).toBe('locked');
    expect(await keychain.probe()).toMatchObject({ available: false, reason: expect.stringContaining('unlock it') as unknown });
    expect(await reasonOf(keychain.set('vault:1', new Uint8Array(32)))).toBe('locked');
    expect(await reasonOf(keychain.remove('vault:1'))).toBe('locked');
    end();
    await session(true);
    expect(await open().keychain.get('vault:1')).toEqual(secret);
    end();
  }, 90_000);

  it('frozen: gives up after its time limit, and the helper is gone', async () => {
    const daemon = await session(true);
    daemon.kill('SIGSTOP');
    const { keychain, log } = open(entry, { limit: 700, promptLimit: 1500 });
    const start = performance.now();
    expect(await reasonOf(keychain.get('vault:1'))).toBe('timeout');
    const brief = performance.now() - start;
    expect(await reasonOf(keychain.prompting().get('vault:1'))).toBe('timeout');
    expect(performance.now() - start - brief).toBeGreaterThan(1400);
    for (const { event, fields } of log.events) if (event === 'child.started') expect(existsSync(`/proc/${String(fields['pid'])}`)).toBe(false);
    daemon.kill('SIGCONT');
    end();
  }, 60_000);

  it('no daemon on the bus: refused', async () => {
    await session(true);
    started.pop()?.kill('SIGKILL');
    expect(await reasonOf(open(entry, { limit: 4000 }).keychain.get('vault:1'))).not.toBeUndefined();
    end();
  }, 60_000);
});

describe('without a keychain', () => {
  it('no session bus', async () => {
    setEnvironment({ HOME: tmpdir(), XDG_RUNTIME_DIR: join(tmpdir(), 'keystead-nothing-here') });
    const { keychain } = open();
    expect(await reasonOf(keychain.get('a'))).toBe('no-bus');
    expect(await keychain.probe()).toMatchObject({ available: false, reason: expect.stringContaining('session bus') as unknown });
  });

  it('a bus that is gone', async () => {
    setEnvironment({ HOME: tmpdir(), DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' });
    expect(await reasonOf(open(entry, { limit: 4000 }).keychain.get('a'))).toBe('failed');
  }, 20_000);

  it.each([
    ['crashes', 'process.kill(process.pid, "SIGSEGV")', 'crashed'],
    ['exits', 'process.exit(0)', 'crashed'],
    ['hangs', 'for (;;);', 'timeout'],
    ['never answers', 'setInterval(() => {}, 1000)', 'timeout'],
    ['answers nonsense', 'import("node:fs").then((fs) => fs.writeSync(3, Uint8Array.of(0, 0, 0, 1, 99)))', 'crashed'],
    ['answers nothing', 'import("node:fs").then((fs) => fs.writeSync(3, Uint8Array.of(0, 0, 0, 0)))', 'crashed'],
    ['announces 4 GiB', 'import("node:fs").then((fs) => fs.writeSync(3, Uint8Array.of(255, 255, 255, 255)))', 'crashed'],
  ])('a helper that %s', async (what, script, reason) => {
    const path = await bundle(`helper-${what.replaceAll(/\W/g, '-')}`, script);
    const value = Uint8Array.of(1, 2, 3);
    expect(await reasonOf(open(path, { limit: 600 }).keychain.set('a', value))).toBe(reason);
    expect([...value]).toEqual([1, 2, 3]);
  });

  it('names the line to type when keytar is not installed', async () => {
    // The same helper from a folder that no node_modules is above.
    const { copyFile } = await import('node:fs/promises');
    const folder = await mkdtemp(join(tmpdir(), 'keystead-no-keytar-'));
    await copyFile(entry, join(folder, 'entry.mjs'));
    setEnvironment({ HOME: folder, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' });
    const { keychain } = open(join(folder, 'entry.mjs'));
    expect(await keychain.probe()).toMatchObject({ available: false, reason: expect.stringMatching(/type: `.*npm ci`/) as unknown });
    await rm(folder, { recursive: true });
  });
});
