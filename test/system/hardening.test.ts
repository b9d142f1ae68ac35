/** What the running vault and its sealer deny to another process of their own user, and what happens when the sealer is killed. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Client } from './support/client.ts';
import { demandRoot, scan, summary } from './support/memory.ts';
import { patternsOf, textNeedle } from './support/needles.ts';
import { until } from './support/processes.ts';
import { base64 } from './support/scenario.ts';
import { isAlive, NOBODY, remove, startVault, temporaryFolder, type StartOptions, type VaultProcess } from './support/served-vault.ts';

const AS_NOBODY = { uid: NOBODY, gid: NOBODY } as const;
let home = '';
let vault: VaultProcess;
let client: Client;
let password = '';

beforeAll(demandRoot);
beforeEach(() => {
  home = temporaryFolder();
  password = randomBytes(18).toString('base64url');
});
afterEach(async () => {
  await vault.kill();
  remove(home);
});

/** A new vault, open, and its sealer. */
async function openVault(options: Partial<StartOptions> = {}): Promise<number> {
  vault = await startVault(join(home, 'data', 'vault'), { home, cwd: home, ...options });
  client = vault.client;
  await client.ok('vault:Create', { Password: base64(password), Factors: 'password' });
  const sealer = vault.sealer();
  if (sealer === undefined) throw new Error('there is no sealer');
  return sealer;
}

/** What a process of the unprivileged user hears when it opens this file. */
const opens = (path: string): string => {
  const script = `try { require('fs').readSync(require('fs').openSync(${JSON.stringify(path)}), Buffer.alloc(1)); console.log('opened') } catch (error) { console.log(error.code === 'EIO' ? 'opened' : error.code) }`;
  return spawnSync(process.execPath, ['-e', script], AS_NOBODY).stdout.toString().trim();
};

/** A plain Node of the same user, for what is to be compared with. */
async function bareNode(use: (pid: number) => Promise<void> | void): Promise<void> {
  const child = spawn(process.execPath, ['--inspect-port=0', '-e', 'console.log(1); setInterval(() => {}, 1000)'], { ...AS_NOBODY, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await use(child.pid!);
  } finally {
    child.kill('SIGKILL');
  }
}

it('hides its memory and environment, and its sealer\'s, from its own user', async () => {
  const sealer = await openVault({ uid: NOBODY });
  for (const pid of [vault.pid, sealer]) {
    for (const file of ['mem', 'environ', 'maps']) expect(opens(`/proc/${String(pid)}/${file}`), `${file} of ${pid === sealer ? 'the sealer' : 'main'}`).toBe('EACCES');
    expect(spawnSync('gdb', ['-p', String(pid), '-batch', '-ex', 'info proc'], AS_NOBODY).stderr.toString()).not.toMatch(/Attaching|\[New LWP/);
  }
  await bareNode((pid) => {
    for (const file of ['mem', 'environ', 'maps']) expect(opens(`/proc/${String(pid)}/${file}`), `${file} of a bare process`).toBe('opened');
  });
});

it('writes no core when it aborts, though it was started with leave to', async () => {
  const sealer = await openVault({ before: ['prlimit', '--core=unlimited:unlimited'] });
  const cores = (): readonly string[] => readdirSync(home).filter((name) => name.startsWith('core'));
  for (const pid of [vault.pid, sealer]) expect(readFileSync(`/proc/${String(pid)}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0\s/);
  process.kill(sealer, 'SIGABRT');
  await until(() => !isAlive(sealer), 'the sealer has aborted');
  process.kill(vault.pid, 'SIGABRT');
  expect((await vault.ended).signal).toBe('SIGABRT');
  expect(cores()).toEqual([]);
  // Where cores are files of the working folder, a bare process leaves one.
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  if (/^core[^/]*$/.test(pattern)) {
    spawnSync('prlimit', ['--core=unlimited:unlimited', process.execPath, '-e', 'process.abort()'], { cwd: home });
    expect(cores()).not.toEqual([]);
  }
});

/** TCP ports that a process listens at. */
function listensAt(pid: number): readonly string[] {
  const inodes = new Set(
    readdirSync(`/proc/${String(pid)}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${String(pid)}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/${String(pid)}/net/${name}`, 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9] ?? ''))
      .map((fields) => fields[1] ?? ''),
  );
}

it('opens no debugger on SIGUSR1', async () => {
  const sealer = await openVault();
  for (const pid of [vault.pid, sealer]) process.kill(pid, 'SIGUSR1');
  await sleep(500);
  expect([vault.pid, sealer].flatMap(listensAt)).toEqual([]);
  expect((await client.ok('vault:Status'))['State']).toBe('unlocked');
  await bareNode(async (pid) => {
    process.kill(pid, 'SIGUSR1');
    await until(() => listensAt(pid).length > 0, 'a bare process opens its debugger');
  });
});

it('locks itself when its sealer is killed, says so to who waits, and unlocks again', async () => {
  await openVault();
  const { KeyMetadata } = await client.ok('kms:CreateKey', {});
  const { KeyId } = KeyMetadata as { KeyId: string };
  const secret = textNeedle('plaintext', randomBytes(24).toString('base64url'));
  const Plaintext = base64(secret.bytes);
  const { CiphertextBlob } = await client.ok('kms:Encrypt', { KeyId, Plaintext });
  for (let round = 0; round < 5; round++) {
    // Uses and writes are under way; RSA keys take the sealer so long that one is for certain.
    const waiting = [
      ...Array.from({ length: 4 }, () => client.code('kms:CreateKey', { KeySpec: 'RSA_4096', KeyUsage: 'SIGN_VERIFY' })),
      ...Array.from({ length: 20 }, () => client.code('kms:Encrypt', { KeyId, Plaintext })),
      ...Array.from({ length: 5 }, (_, i) => client.code('kms:CreateAlias', { AliasName: `alias/a${String(round)}-${String(i)}`, TargetKeyId: KeyId })),
    ];
    // Once the first is answered, however busy the machine is, those that take long are under way.
    await Promise.race(waiting);
    await sleep(10 * round);
    const sealer = vault.sealer();
    if (sealer === undefined) throw new Error('there is no sealer');
    process.kill(sealer, 'SIGKILL');
    const codes = await Promise.all(waiting);
    expect(codes).toContain('SealerStoppedException');
    expect(codes.filter((code) => !['ok', 'SealerStoppedException', 'VaultLockedException'].includes(code))).toEqual([]);
    await until(async () => (await client.ok('vault:Status'))['State'] === 'locked', 'the vault has locked itself');
    expect(await client.code('kms:Decrypt', { CiphertextBlob })).toBe('VaultLockedException');
    const { hits } = scan(vault.pid, [...patternsOf(secret), ...patternsOf(textNeedle('password', password))]);
    expect(summary(hits)).toEqual({});
    expect((await client.ok('vault:Unlock', { Password: base64(password) }))['State']).toBe('unlocked');
    expect((await client.ok('kms:Decrypt', { CiphertextBlob }))['Plaintext']).toBe(Plaintext);
  }
  const { Events } = await client.ok('trail:LookupEvents', { Operation: 'vault:Lock' });
  expect((Events as readonly { readonly Note?: string }[]).filter(({ Note }) => Note?.includes('sealer:stopped')).length).toBe(5);
});
