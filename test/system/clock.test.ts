/** Time that jumps, stands and goes back under the whole program; and two programs that want the same vault. */
import { spawn } from 'node:child_process';
import { createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { EXIT, exitCodeOf } from '../../src/shared/model/errors.ts';
import type { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { remove, spawnVault, startVault, StartFailed, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const unlock = { Password: base64(PASSWORD) };
const home = temporaryFolder();
const template = join(home, 'template');
let copies = 0;
let folder = '';

beforeAll(() => makeVault(template));
afterAll(() => remove(home));
beforeEach(() => {
  copies += 1;
  folder = join(home, `copy-${String(copies)}`);
  cpSync(template, folder, { recursive: true });
});

describe('in one process, with a clock of the test', () => {
  // Later than the real time at which the template was made, so that the vault has seen nothing later.
  const start = Date.now() + DAY;
  let clock = fakeClock(start);
  let vault: LocalProgram;
  /** Timers of the schedule that are set; `tick` fires them as if their time had come. */
  const timers = new Set<() => void>();

  const tick = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn += 1) {
      for (const fire of [...timers]) {
        timers.delete(fire);
        fire();
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const begin = async (): Promise<void> => {
    vault = await startLocal(folder, {
      clock,
      after: (_ms, fire) => {
        timers.add(fire);
        return () => timers.delete(fire);
      },
    });
  };
  beforeEach(async () => {
    clock = fakeClock(start);
    timers.clear();
    await begin();
    await vault.ok('vault:Unlock', unlock);
    // Idleness is one test's matter only.
    await vault.ok('vault:UpdateSettings', { AutoLockMinutes: 0 });
  });
  afterEach(() => vault.close());

  async function doomedKey(days = 7): Promise<string> {
    const { KeyMetadata: key } = await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
    const { KeyId } = key as Json;
    await vault.ok('kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: days });
    return String(KeyId);
  }
  const isThere = async (KeyId: string): Promise<boolean> => (await codeOf(vault.ok('kms:DescribeKey', { KeyId }))) === 'ok';
  const deletions = async (): Promise<number> => ((await vault.ok('trail:LookupEvents', { Operation: 'kms:DeleteDueKeys', Result: 'ok', Limit: 500 }))['Events'] as readonly unknown[]).length;
  const state = async (): Promise<unknown> => (await vault.ok('vault:Status'))['State'];

  it('destroys a key when its time has come, and not before', async () => {
    const key = await doomedKey();
    clock.advance(7 * DAY - 1000);
    await tick();
    expect(await isThere(key)).toBe(true);
    clock.advance(2000);
    await tick();
    expect(await isThere(key)).toBe(false);
    expect(await deletions()).toBe(1);
  });

  it('destroys a secret with its values when its time has come, and not before or with a clock that was moved', async () => {
    await vault.ok('secretsmanager:CreateSecret', { Name: 'doomed', SecretString: base64('x') });
    await vault.ok('secretsmanager:CreateSecret', { Name: 'kept', SecretString: base64('x') });
    for (const SecretId of ['doomed', 'kept']) await vault.ok('secretsmanager:DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    await vault.ok('secretsmanager:RestoreSecret', { SecretId: 'kept' });
    const there = async (SecretId: string): Promise<boolean> => (await codeOf(vault.ok('secretsmanager:DescribeSecret', { SecretId }))) === 'ok';
    clock.setWall(start + 30 * DAY);
    await tick();
    expect(await there('doomed')).toBe(true);
    clock.setWall(start);
    clock.advance(7 * DAY - 1000);
    await tick();
    expect(await there('doomed')).toBe(true);
    clock.advance(2000);
    await tick();
    expect([await there('doomed'), await there('kept')]).toEqual([false, true]);
    clock.advance(60 * DAY);
    await tick();
    expect(await there('kept')).toBe(true);
    const runs = (await vault.ok('trail:LookupEvents', { Operation: 'secretsmanager:DeleteDueSecrets', Result: 'ok', Limit: 500 }))['Events'] as readonly unknown[];
    expect(runs).toHaveLength(1);
  });

  it('tells of a secret a week before the date in its tag, and of one that expired while it was locked; no name in what it tells', async () => {
    const told: { readonly title: string; readonly body: string }[] = [];
    vault.program.desk.attach({ name: 'chromium', origin: 'https://vault.invalid', notifications: { isThere: () => Promise.resolve(true), show: (notice) => Promise.resolve(void told.push(notice)) } });
    const on = (days: number): string => new Date(start + days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
    for (const [Name, days] of [['licence', 30], ['certificate', 60]] as const) await vault.ok('secretsmanager:CreateSecret', { Name, SecretString: base64('x'), Tags: [{ Key: 'expires', Value: on(days) }] });
    clock.advance(23 * DAY - 60_000);
    await tick();
    expect(told).toEqual([]);
    clock.advance(120_000);
    await tick();
    expect(told.map(({ title }) => title)).toEqual(['A secret expires within a week']);
    await vault.ok('vault:Lock');
    told.length = 0;
    clock.advance(38 * DAY);
    await tick();
    expect(told).toEqual([]);
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(told.map(({ title }) => title)).toEqual(['A secret has expired']);
    expect(JSON.stringify(told)).not.toMatch(/licence|certificate/);
  });

  it('does nothing while locked; at unlock one pass does all that was missed', async () => {
    const keys = [await doomedKey(7), await doomedKey(8), await doomedKey(30)];
    await vault.ok('vault:Lock');
    for (let day = 0; day < 10; day += 1) {
      clock.advance(DAY);
      await tick();
    }
    expect(await state()).toBe('locked');
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await Promise.all(keys.map(isThere))).toEqual([false, false, true]);
    expect(await deletions()).toBe(1);
    await tick();
    expect(await deletions()).toBe(1);
  });

  it('rotates a key on its date, once for all that were missed, and decrypts what came before', async () => {
    const { KeyMetadata } = await vault.ok('kms:CreateKey', {});
    const { KeyId } = KeyMetadata as Json;
    const { CiphertextBlob } = await vault.ok('kms:Encrypt', { KeyId, Plaintext: base64('before') });
    await vault.ok('kms:EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    const rotations = async (): Promise<number> => ((await vault.ok('kms:ListKeyRotations', { KeyId }))['Rotations'] as readonly unknown[]).length;
    clock.advance(90 * DAY - 1000);
    await tick();
    expect(await rotations()).toBe(0);
    clock.advance(2000);
    await tick();
    expect(await rotations()).toBe(1);
    await vault.ok('vault:Lock');
    clock.advance(1000 * DAY);
    await tick();
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await rotations()).toBe(2);
    using plaintext = (await vault.ok('kms:Decrypt', { CiphertextBlob }))['Plaintext'] as SecretBytes;
    expect(plaintext.borrow((bytes) => new TextDecoder().decode(bytes))).toBe('before');
  });

  it('ends the use of an imported material on its date, and destroys it when the clock runs, also after sleep', async () => {
    const { ok } = vault;
    const code = (name: string, input: Json): Promise<string> => codeOf(vault.ok(name, input));
    const KeyId = ((await ok('kms:CreateKey', { Origin: 'EXTERNAL' }))['KeyMetadata'] as { KeyId: string }).KeyId;
    const material = randomBytes(32);
    const bring = async (days: number): Promise<void> => {
      const { PublicKey, ImportToken } = await ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
      const key = createPublicKey({ key: Buffer.from(PublicKey as Uint8Array), format: 'der', type: 'spki' });
      const EncryptedKeyMaterial = publicEncrypt({ key, padding: 4, oaepHash: 'sha256' }, material).toString('base64');
      await ok('kms:ImportKeyMaterial', { KeyId, ImportToken, EncryptedKeyMaterial, ValidTo: (clock.now() + days * DAY) / 1000 });
    };
    const state = async (): Promise<unknown> => ((await ok('kms:DescribeKey', { KeyId }))['KeyMetadata'] as Json)['KeyState'];
    await bring(2);
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: base64('x') });
    clock.advance(2 * DAY - 1000);
    await tick();
    expect(await state()).toBe('Enabled');
    // Asleep over the date: refused before the schedule has run at all.
    clock.advance(1000);
    expect([await state(), await code('kms:Decrypt', { CiphertextBlob })]).toEqual(['PendingImport', 'KMSInvalidStateException']);
    await tick();
    expect((await ok('kms:ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))['Rotations']).toMatchObject([{ ImportState: 'PENDING_IMPORT' }]);
    await bring(300);
    expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('ok');
    await ok('vault:Lock');
    clock.advance(301 * DAY);
    await ok('vault:Unlock', unlock);
    expect(await state()).toBe('PendingImport');
    await tick();
    const { Events } = await ok('trail:LookupEvents', { Operation: 'kms:ExpireDueKeyMaterials', Limit: 50 });
    expect((Events as readonly Json[]).filter(({ Result }) => Result === 'ok').length).toBeGreaterThanOrEqual(2);
  });

  it('destroys no imported material by a clock that was moved, whatever is changed of its key meanwhile', async () => {
    const { ok } = vault;
    const KeyId = ((await ok('kms:CreateKey', { Origin: 'EXTERNAL', MultiRegion: true }))['KeyMetadata'] as { KeyId: string }).KeyId;
    const { PublicKey, ImportToken } = await ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
    const key = createPublicKey({ key: Buffer.from(PublicKey as Uint8Array), format: 'der', type: 'spki' });
    const EncryptedKeyMaterial = publicEncrypt({ key, padding: 4, oaepHash: 'sha256' }, randomBytes(32)).toString('base64');
    await ok('kms:ImportKeyMaterial', { KeyId, ImportToken, EncryptedKeyMaterial, ValidTo: (clock.now() + 2 * DAY) / 1000 });
    const { CiphertextBlob } = await ok('kms:Encrypt', { KeyId, Plaintext: base64('x') });
    const code = (name: string, input: Json): Promise<string> => codeOf(ok(name, input));
    const state = async (): Promise<unknown> => ((await ok('kms:DescribeKey', { KeyId }))['KeyMetadata'] as Json)['KeyState'];
    clock.setWall(start + 5 * DAY);
    await tick();
    const changes: readonly (readonly [string, Json])[] = [
      ['kms:TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }],
      ['kms:UntagResource', { KeyId, TagKeys: ['a'] }],
      ['kms:UpdateKeyDescription', { KeyId, Description: 'changed' }],
      ['kms:CreateAlias', { AliasName: 'alias/moved', TargetKeyId: KeyId }],
      ['kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 30 }],
      ['kms:CancelKeyDeletion', { KeyId }],
    ];
    for (const [name, input] of changes) expect([name, await code(name, input)]).toEqual([name, 'ok']);
    // Judged by that clock all the same.
    for (const [name, input] of [['kms:EnableKey', { KeyId }], ['kms:ReplicateKey', { KeyId, ReplicaRegion: 'ap-south-1' }], ['kms:RotateKeyOnDemand', { KeyId }], ['kms:Decrypt', { CiphertextBlob }]] as const) {
      expect([name, await code(name, input)]).toEqual([name, 'KMSInvalidStateException']);
    }
    expect(await state()).toBe('PendingImport');
    clock.setWall(start);
    expect(await state()).toBe('Disabled');
    await ok('kms:EnableKey', { KeyId });
    expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('ok');
    await ok('vault:Lock');
    await ok('vault:Unlock', unlock);
    expect(await code('kms:Decrypt', { CiphertextBlob })).toBe('ok');
  });

  it('does what was missed while nothing ran at all', async () => {
    const key = await doomedKey();
    await vault.close();
    clock.setWall(start + 20 * DAY);
    clock.reboot();
    await begin();
    await tick();
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await isThere(key)).toBe(false);
    expect(await deletions()).toBe(1);
  });

  it.each([
    { jump: 'forward', by: 30 * DAY },
    { jump: 'forward by 6 minutes past the date', by: 7 * DAY + 6 * MINUTE },
  ])('a clock that is set $jump while the vault is open destroys nothing; unlocking it again believes the clock', async ({ by }) => {
    const key = await doomedKey();
    clock.setWall(start + by);
    await tick();
    clock.advance(10 * MINUTE);
    await tick();
    expect(await isThere(key)).toBe(true);
    await vault.ok('vault:Lock');
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await isThere(key)).toBe(false);
  });

  it('a clock that drifts by less than five minutes is no jump', async () => {
    const key = await doomedKey();
    clock.advance(7 * DAY - MINUTE);
    clock.setWall(start + 7 * DAY + MINUTE);
    await tick();
    expect(await isThere(key)).toBe(false);
  });

  it('a clock set back puts a deletion off, also across a restart, until it runs on from where it was', async () => {
    const key = await doomedKey();
    clock.advance(8 * DAY - 2 * MINUTE);
    // Something is written at that time, so that the vault has seen it; the deletion itself is kept from running first.
    clock.setWall(start + 3 * DAY);
    await tick();
    expect(await isThere(key)).toBe(true);
    clock.setWall(start + 6 * DAY);
    await vault.ok('vault:Lock');
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await isThere(key)).toBe(true);
    await vault.ok('vault:UpdateSettings', { Name: 'seen' });
    await vault.close();

    clock.setWall(start + DAY);
    clock.reboot();
    await begin();
    await vault.ok('vault:Unlock', unlock);
    await tick();
    expect(await isThere(key)).toBe(true);
    // The date comes by a clock that is behind what the vault has seen on its last day.
    clock.advance(5 * DAY - 10 * MINUTE);
    await tick();
    expect(await isThere(key)).toBe(true);
    clock.advance(2 * DAY);
    await tick();
    expect(await isThere(key)).toBe(false);
  });

  it('locks itself when idle; looking at the state is no use, and setting the clock neither hurries nor delays it', async () => {
    await vault.ok('vault:UpdateSettings', { AutoLockMinutes: 10 });
    clock.setWall(start + 30 * DAY);
    await tick();
    expect(await state()).toBe('unlocked');
    clock.setWall(start - 30 * DAY);
    clock.advance(9 * MINUTE);
    await tick();
    expect(await state()).toBe('unlocked');
    await vault.ok('kms:ListKeys');
    clock.advance(9 * MINUTE);
    await tick();
    expect(await state()).toBe('unlocked');
    clock.advance(MINUTE + 1);
    await tick();
    expect(await state()).toBe('locked');
    expect(vault.program.vault.open).toBeUndefined();
  });

  it('the delay of wrong passwords holds when the clock is set forward or back, and across a restart', async () => {
    await vault.ok('vault:Lock');
    const wrong = { Password: base64('not the password') };
    for (const code of ['IncorrectPasswordException', 'IncorrectPasswordException', 'IncorrectPasswordException', 'UnlockDelayedException']) {
      expect(await codeOf(vault.ok('vault:Unlock', wrong))).toBe(code);
      // The second delay is one second; the third is not waited for.
      if (code === 'IncorrectPasswordException' && (await codeOf(vault.ok('vault:Status'))) === 'ok') clock.advance(1);
      const wait = Number((await vault.ok('vault:Status'))['RetryAfterSeconds'] ?? 0);
      if (wait === 1) clock.advance(1000);
    }
    for (const wall of [start + 365 * DAY, start - 365 * DAY]) {
      clock.setWall(wall);
      expect(await codeOf(vault.ok('vault:Unlock', unlock))).toBe('UnlockDelayedException');
    }
    await vault.close();
    await begin();
    expect(await codeOf(vault.ok('vault:Unlock', unlock))).toBe('UnlockDelayedException');
    clock.advance(2001);
    expect(await codeOf(vault.ok('vault:Unlock', unlock))).toBe('ok');
    expect((await vault.ok('vault:Status'))['RetryAfterSeconds']).toBeUndefined();
  });
});

describe('two processes and one folder', () => {
  const running: VaultProcess[] = [];
  afterEach(async () => {
    for (const vault of running.splice(0)) await vault.kill();
  });
  const start = async (name: string): Promise<VaultProcess> => {
    const vault = await startVault(folder, { home: join(home, name) });
    running.push(vault);
    return vault;
  };

  it('the second is refused with the process id of the first, which goes on', async () => {
    const first = await start('a');
    const second: unknown = await start('a').catch((error: unknown) => error);
    const elsewhere: unknown = await start('b').catch((error: unknown) => error);
    for (const failed of [second, elsewhere]) {
      if (!(failed instanceof StartFailed)) throw new Error('two processes have one vault');
      expect([failed.errorCode, failed.ended.code]).toEqual(['VaultInUseException', exitCodeOf('VaultInUseException')]);
      expect(failed.ended.stderr).toContain(`process ${String(first.pid)},`);
    }
    expect(await first.client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await first.stop();
  });

  it('a lock that a dead process left is none, not even when its process id is somebody else\'s now', async () => {
    const first = await start('a');
    await first.kill();
    expect(readFileSync(join(folder, 'lock.db')).byteLength).toBeGreaterThan(0);
    const second = await start('a');
    expect(await second.client.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
  });

  it('of many that start at once exactly one wins', async () => {
    const contest = 5;
    const contenders = Array.from({ length: contest }, () => spawnVault(folder, { home: join(home, 'c') }));
    const ended: (number | null)[] = [];
    for (const { ended: end } of contenders) void end.then(({ code }) => ended.push(code));
    const until = performance.now() + 20_000;
    while (ended.length < contest - 1 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(ended).toEqual(Array.from({ length: contest - 1 }, () => EXIT.conflict));
    for (const { pid, ended: end } of contenders) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // One of those that lost.
      }
      await end;
    }
    expect(ended.at(-1)).toBe(EXIT.ok);
  });

  it('a process that only reads the lock file does not let go of it', async () => {
    const first = await start('a');
    await new Promise((resolve) => spawn('cat', [join(folder, 'lock.db')], { stdio: 'ignore' }).once('exit', resolve));
    const second: unknown = await start('b').catch((error: unknown) => error);
    expect(second instanceof StartFailed && second.errorCode).toBe('VaultInUseException');
    await first.stop();
  });
});
