/** What becomes of a file that is being encrypted when it is cancelled, the vault is locked, or a process is killed: nothing. And how much memory it takes. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base64, type Client } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { childrenOf, isAlive, remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
/** A file of zeros that takes no room: what is written of it does, so that nobody waits for its end. */
const ENDLESS = 64 * 1024 ** 3;
const LARGE = 400 * 1024 ** 2;

let home = '';
let folder = '';
let vault: VaultProcess;
let client: Client;
let KeyId = '';
let count = 0;

const start = async (): Promise<void> => {
  vault = await startVault(folder, { home });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
};
beforeAll(async () => {
  home = temporaryFolder();
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  await start();
  ({ KeyId } = (await client.ok('kms:CreateKey', {}))['KeyMetadata'] as { KeyId: string });
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((done) => setTimeout(done, 5));
}
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
  } catch {
    return '';
  }
};
const cipher = (): number | undefined => childrenOf(vault.pid).find((pid) => commandOf(pid).includes('cipher.mjs'));
/** Kilobytes that it has read and written, by the kernel's count. */
const peakOf = (pid: number): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'latin1'))?.[1] ?? 0);
/** Bytes that it has written so far. */
const writtenBy = (pid: number): number => {
  try {
    return Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${String(pid)}/io`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

let place = '';
let input: { Path: string; OutputPath: string; KeyId: string };
beforeEach(() => {
  count += 1;
  place = join(home, `f${String(count)}`);
  mkdirSync(place);
  const Path = join(place, 'plain');
  writeFileSync(Path, '');
  truncateSync(Path, ENDLESS);
  input = { Path, OutputPath: `${Path}.encrypted`, KeyId };
});

/** Resolves once a good part was written. */
async function underWay(): Promise<number> {
  await until(() => cipher() !== undefined);
  const pid = cipher() ?? 0;
  await until(() => writtenBy(pid) > 8 * 1024 ** 2 || !isAlive(pid));
  return pid;
}
const left = (): string[] => readdirSync(place).sort();

describe('a file that is being encrypted', () => {
  it('has no name meanwhile, and is gone with its process before a lock is done', async () => {
    const answer = client.code('file:Encrypt', input);
    const pid = await underWay();
    expect(left()).toEqual(['plain']);
    await client.ok('vault:Lock');
    expect(isAlive(pid)).toBe(false);
    expect([await answer, left()]).toEqual(['VaultLockedException', ['plain']]);
    await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
  });

  it('is gone when its caller goes away', async () => {
    const other = await vault.connect();
    const answer = other.code('file:Encrypt', input).catch(() => 'gone');
    const pid = await underWay();
    other.close();
    await until(() => !isAlive(pid));
    expect([await answer, left()]).toEqual(['gone', ['plain']]);
  });

  it('is gone when the command is interrupted, which says so', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') };
    const command = spawn(process.execPath, [CLI, 'file', 'encrypt', input.Path, '--key-id', KeyId, '--vault', folder], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    command.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(command, 'close');
    const pid = await underWay();
    command.kill('SIGINT');
    const [code] = (await ended) as [number];
    await until(() => !isAlive(pid));
    expect([code === 0, left()]).toEqual([false, ['plain']]);
    expect(stderr).toMatch(/cancel/i);
  });

  it('is gone when its process is killed, and the next one is written', async () => {
    const answer = client.code('file:Encrypt', input);
    process.kill(await underWay(), 'SIGKILL');
    expect([await answer, left()]).toEqual(['InternalException', ['plain']]);
    truncateSync(input.Path, 10);
    await client.ok('file:Encrypt', input);
    expect(left()).toEqual(['plain', 'plain.encrypted']);
  });

  it('is gone when the vault is killed', async () => {
    const answer = client.code('file:Encrypt', input).catch(() => 'gone');
    const pid = await underWay();
    await vault.kill();
    await until(() => !isAlive(pid));
    expect([await answer, left()]).toEqual(['gone', ['plain']]);
    await start();
  });
});

describe('a large file', () => {
  it('takes as much memory as a small one, and comes back the same', async () => {
    truncateSync(input.Path, LARGE);
    const peaks: Record<string, number> = {};
    const watched = async (name: string, more: typeof input): Promise<void> => {
      let over = false;
      const done = client.ok(name, more).finally(() => (over = true));
      await until(() => over || cipher() !== undefined);
      const pid = cipher() ?? 0;
      while (!over) {
        try {
          peaks[name] = Math.max(peaks[name] ?? 0, peakOf(pid));
        } catch {
          // It has ended, and the answer is on its way.
        }
        await new Promise((next) => setTimeout(next, 10));
      }
      await done;
    };
    await watched('file:Encrypt', input);
    await watched('file:Decrypt', { Path: input.OutputPath, OutputPath: join(place, 'back'), KeyId });
    // Of a process that holds no file as a whole: a third of it would be more.
    for (const name of ['file:Encrypt', 'file:Decrypt']) expect([name, peaks[name] ?? 0]).toEqual([name, expect.toSatisfy((kilobytes: number) => kilobytes > 10_000 && kilobytes < 200_000)]);
    const hashes = await Promise.all([input.Path, join(place, 'back')].map(async (path) => {
      const hash = createHash('sha256');
      for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
      return hash.digest('hex');
    }));
    expect(hashes[1]).toBe(hashes[0]);
  });
});
