/**
 * Bad days of the disk under the whole running vault: full, read-only, taken away by permissions. What cannot be done fails by
 * name, `lock`, `status` and `trail verify` go on, and everything acknowledged is there once the disk is well again.
 *
 * Needs root: to mount a small file system, and to start the vault as a user whom modes mean something to.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, cpSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exitCodeOf, type ErrorCode } from '../../src/shared/model/errors.ts';
import { base64, type Client, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { isAlive, NOBODY, remove, startVault, StartFailed, temporaryFolder, type StartOptions, type VaultProcess } from './support/served-vault.ts';

const unlock = { Password: base64(PASSWORD) };
const template = join(temporaryFolder(), 'template');
beforeAll(async () => {
  await makeVault(template);
  return () => remove(template);
});

let home = '';
let folder = '';
const running: VaultProcess[] = [];
const mounts: string[] = [];
beforeEach(() => {
  home = temporaryFolder();
});
afterEach(async () => {
  for (const vault of running.splice(0)) await vault.kill();
  for (const path of mounts.splice(0)) execFileSync('umount', [path]);
  remove(home);
});

async function start(options: Partial<StartOptions> = {}): Promise<VaultProcess> {
  const vault = await startVault(folder, { home, ...options });
  running.push(vault);
  return vault;
}

/** Mounted, or the test fails: without a disk of its own it proves nothing. */
function mountSmall(size: string): string {
  const disk = join(home, 'disk');
  execFileSync('mkdir', ['-m', '0700', disk]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', disk]);
  mounts.push(disk);
  cpSync(template, join(disk, 'vault'), { recursive: true });
  return disk;
}

/** Takes every byte but `leave`. */
function fill(path: string, leave = 0): void {
  const { bavail, bsize } = statfsSync(join(path, '..'));
  const fd = openSync(path, 'w');
  try {
    let room = leave > 0 ? bavail * bsize - leave : Number.POSITIVE_INFINITY;
    for (const size of [65_536, 4096, 1]) {
      try {
        for (; room >= size; room -= size) writeSync(fd, Buffer.alloc(size, 1));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    }
  } finally {
    closeSync(fd);
  }
}

let made = 0;
async function createKey(client: Client): Promise<string> {
  made += 1;
  const { KeyMetadata: key } = await client.ok('kms:CreateKey', { KeySpec: 'HMAC_256', Description: `key ${String(made)}` });
  return String((key as Json)['KeyId']);
}

const mac = (KeyId: string): Json => ({ KeyId, Message: base64('message'), MacAlgorithm: 'HMAC_SHA_256' });

async function expectWhole(client: Client, acknowledged: readonly string[]): Promise<void> {
  expect(await client.ok('vault:Status')).toMatchObject({ State: 'unlocked' });
  for (const id of acknowledged) expect(await client.code('kms:GenerateMac', mac(id))).toBe('ok');
  expect(await client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
  expect(await client.ok('kms:DescribeKey', { KeyId: await createKey(client) })).toBeDefined();
}

const slotsOf = async (client: Client): Promise<readonly unknown[]> => ((await client.ok('vault:ListSlots'))['Slots'] as readonly Json[]).map((slot) => slot['SlotId']);

async function startCode(options: Partial<StartOptions> = {}): Promise<string | undefined> {
  const failed: unknown = await start(options).catch((error: unknown) => error);
  if (!(failed instanceof StartFailed)) throw new Error('the vault started');
  expect(failed.ended.code).toBe(exitCodeOf(failed.errorCode as ErrorCode));
  return failed.errorCode;
}

describe('a full disk', () => {
  it('refuses by name, locks and verifies from its reserve, and goes on once there is room', async () => {
    const disk = mountSmall('3m');
    folder = join(disk, 'vault');
    const { client, sealer } = await start();
    await client.ok('vault:Unlock', unlock);
    const acknowledged = [await createKey(client)];
    fill(join(disk, 'filler'), 200_000);
    let refusal = '';
    for (let n = 0; refusal === '' && n < 2000; n += 1) {
      const answer = await client.call('kms:CreateKey', { KeySpec: 'HMAC_256' });
      if (answer.ok) acknowledged.push(String((answer.output['KeyMetadata'] as Json)['KeyId']));
      else refusal = answer.error.code;
    }
    expect(refusal).toBe('StorageFullException');
    expect(acknowledged.length).toBeGreaterThan(5);
    fill(join(disk, 'more'));
    for (const [operation, input] of [
      ['kms:CreateKey', {}],
      ['kms:GenerateMac', mac(acknowledged[0] ?? '')],
      ['vault:UpdateSettings', { Name: 'other' }],
      ['vault:AddSlot', { Type: 'recovery', ...unlock }],
      ['kms:ListKeys', {}],
    ] as const) {
      expect(`${operation} ${await client.code(operation, input)}`).toBe(`${operation} StorageFullException`);
    }
    for (let n = 0; n < 3; n += 1) {
      expect(await client.ok('vault:Status')).toMatchObject({ State: 'unlocked' });
      expect(await client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
    }
    const keys = sealer();
    expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });
    expect(keys !== undefined && isAlive(keys)).toBe(false);
    // Closing the database has given up its log.
    fill(join(disk, 'all'));
    expect(await client.code('vault:Unlock', unlock)).toBe('StorageFullException');
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });

    for (const name of ['filler', 'more', 'all']) rmSync(join(disk, name));
    expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await expectWhole(client, acknowledged);
  });

  it('when the process dies on it, says so at the next start or opens, and loses nothing', async () => {
    const disk = mountSmall('3m');
    folder = join(disk, 'vault');
    const first = await start();
    await first.client.ok('vault:Unlock', unlock);
    const acknowledged = [await createKey(first.client), await createKey(first.client)];
    fill(join(disk, 'filler'));
    expect(await first.client.code('kms:CreateKey')).toBe('StorageFullException');
    await first.kill();
    const second: unknown = await start().catch((error: unknown) => error);
    if (second instanceof StartFailed) expect([second.errorCode, second.ended.code]).toEqual(['StorageFullException', exitCodeOf('StorageFullException')]);
    else {
      const { client } = second as VaultProcess;
      expect(await client.code('vault:Unlock', unlock)).toBe('StorageFullException');
      expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });
      await (second as VaultProcess).kill();
    }
    rmSync(join(disk, 'filler'));
    const { client } = await start();
    expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await expectWhole(client, acknowledged);
  });

  it('at any amount of room that is left, a change of slots is whole or not at all', async () => {
    const disk = mountSmall('3m');
    folder = join(disk, 'vault');
    const { client } = await start();
    await client.ok('vault:Unlock', unlock);
    const acknowledged = [await createKey(client)];
    const codes: string[] = [];
    let slots = await slotsOf(client);
    for (const leave of [4096, 12_288, 24_576, 49_152, 98_304]) {
      fill(join(disk, 'filler'), leave);
      const answer = await client.call('vault:AddSlot', { Type: 'recovery', ...unlock });
      codes.push(answer.ok ? 'ok' : answer.error.code);
      rmSync(join(disk, 'filler'));
      await client.ok('vault:Lock');
      expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
      const after = await slotsOf(client);
      if (answer.ok) expect(after).toContain((answer.output['Slot'] as Json)['SlotId']);
      else expect(after).toEqual(slots);
      slots = after;
      await expectWhole(client, acknowledged);
    }
    for (const code of codes) expect(['ok', 'StorageFullException']).toContain(code);
    expect(codes).toContain('StorageFullException');
  });
});

it('a file system that has become read-only is named at the start, and nothing is lost', async () => {
  const disk = mountSmall('8m');
  folder = join(disk, 'vault');
  const first = await start();
  await first.client.ok('vault:Unlock', unlock);
  const acknowledged = [await createKey(first.client)];
  await first.kill();
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  expect(await startCode()).toBe('StorageException');
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  const { client } = await start();
  expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
  await expectWhole(client, acknowledged);
});

describe('permissions that are taken away', () => {
  beforeEach(() => {
    folder = join(home, 'vault');
    cpSync(template, folder, { recursive: true });
    execFileSync('chown', ['-R', `${String(NOBODY)}:${String(NOBODY)}`, home]);
  });

  it('from the folder while the vault is open: what needs a new file is refused, the rest goes on', async () => {
    const { client, sealer } = await start({ uid: NOBODY });
    await client.ok('vault:Unlock', unlock);
    const acknowledged = [await createKey(client)];
    const header = readFileSync(join(folder, 'header'));
    for (const path of [folder, join(folder, 'trail')]) chmodSync(path, 0o500);
    expect(await client.code('vault:AddSlot', { Type: 'recovery', ...unlock })).toBe('StorageException');
    expect(readFileSync(join(folder, 'header')).equals(header)).toBe(true);
    // Files that are open stay so: either it is written, or it is refused by name.
    const answer = await client.call('kms:CreateKey', { KeySpec: 'HMAC_256' });
    if (answer.ok) acknowledged.push(String((answer.output['KeyMetadata'] as Json)['KeyId']));
    else expect(answer.error.code).toBe('StorageException');
    expect(await client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'unlocked' });
    const keys = sealer();
    expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });
    expect(keys !== undefined && isAlive(keys)).toBe(false);

    chmodSync(folder, 0o000);
    expect(await client.code('vault:Unlock', unlock)).toBe('StorageException');
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });
    for (const path of [folder, join(folder, 'trail')]) chmodSync(path, 0o700);
    expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await expectWhole(client, acknowledged);
  });

  it.each([
    { path: '.', mode: 0o000, code: 'StorageException' },
    { path: 'header', mode: 0o000, code: 'StorageException' },
    { path: 'lock.db', mode: 0o000, code: 'StorageException' },
    { path: 'trail', mode: 0o000, code: 'TrailUnavailableException' },
    { path: 'trail/trail.key', mode: 0o400, code: 'TrailUnavailableException' },
    { path: 'trail/00000001.seg', mode: 0o000, code: 'TrailUnavailableException' },
  ])('from `$path` (mode $mode): the start says $code', async ({ path, mode, code }) => {
    const first = await start({ uid: NOBODY });
    await first.client.ok('vault:Unlock', unlock);
    const acknowledged = [await createKey(first.client)];
    await first.stop();
    const target = join(folder, path);
    const before = path === '.' || path === 'trail' ? 0o700 : 0o600;
    chmodSync(target, mode);
    expect(await startCode({ uid: NOBODY })).toBe(code);
    chmodSync(target, before);
    const { client } = await start({ uid: NOBODY });
    expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await expectWhole(client, acknowledged);
  });

  it.each([
    { mode: 0o000, code: 'StorageException' },
    { mode: 0o400, code: 'StorageException' },
  ])('from the database (mode $mode): unlocking says $code, the vault stays locked and answers', async ({ mode, code }) => {
    const { client } = await start({ uid: NOBODY });
    chmodSync(join(folder, 'vault.db'), mode);
    expect(await client.code('vault:Unlock', unlock)).toBe(code);
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    expect(await client.ok('vault:Lock')).toEqual({ State: 'locked' });
    chmodSync(join(folder, 'vault.db'), 0o600);
    expect(await client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await expectWhole(client, []);
  });

  it('from the folder that logs go to: the vault works without', async () => {
    writeFileSync(join(home, 'placeholder'), '');
    const first = await start({ uid: NOBODY });
    chmodSync(join(home, 'state', 'keystead'), 0o500);
    chmodSync(join(home, 'state', 'keystead', 'diagnostic.log'), 0o400);
    await first.client.ok('vault:Unlock', unlock);
    await expectWhole(first.client, []);
    await first.stop();
  });
});
