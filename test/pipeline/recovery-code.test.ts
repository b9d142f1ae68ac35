/** A recovery code is for once, wherever it was given: what it opened or proved may not be used before there is a new one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { base64 } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from '../system/support/program.ts';

let home = '';
let vault: LocalProgram;
let code = '';

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'keystead-code-'));
  vault = await startLocal(join(home, 'vault'));
  const made = await vault.call('vault:Create', { Password: base64(PASSWORD), Factors: 'password' });
  if (!made.ok) throw new Error(made.error.message);
  code = Buffer.from((made.output['RecoveryCode'] as { borrow<T>(use: (bytes: Uint8Array) => T): T }).borrow((bytes) => Uint8Array.from(bytes))).toString('base64');
});
afterEach(async () => {
  await vault.close();
  rmSync(home, { recursive: true, force: true });
});

const used = async (): Promise<unknown> => (await vault.ok('vault:Status'))['RecoveryCodeUsed'];
const createKey = (): Promise<string> => codeOf(vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' }));

it('is used up by unlocking, before anybody hears that the vault is open', async () => {
  await vault.ok('vault:Lock');
  const heard: unknown[] = [];
  vault.program.events.subscribe(({ event }) => {
    if (event === 'vault.unlocked') heard.push(vault.program.vault.open?.settings.recoveryCodeUsed);
  });
  expect(await vault.ok('vault:Unlock', { RecoveryCode: code })).toMatchObject({ RecoveryCodeUsed: true });
  expect(heard).toEqual([true]);
  expect(await createKey()).toBe('AccessDeniedException');
});

it('is used up by proving with it, in an open vault as well', async () => {
  expect(await used()).toBe(false);
  await vault.ok('vault:Unlock', { RecoveryCode: code });
  expect(await used()).toBe(true);
  expect(await createKey()).toBe('AccessDeniedException');
});

it('is used up by a change of the slots, and its successor takes that away', async () => {
  await vault.ok('vault:AddSlot', { Type: 'password', NewPassword: base64('another password entirely'), WithKeychain: false, RecoveryCode: code });
  expect(await used()).toBe(true);
  await vault.ok('vault:AddSlot', { Type: 'recovery', Password: base64(PASSWORD) });
  expect(await used()).toBe(false);
  expect(await createKey()).toBe('ok');
});

it('is not used up by a wrong one, nor by a password', async () => {
  expect(await codeOf(vault.ok('vault:AddSlot', { Type: 'recovery', Password: base64('not this one at all') }))).toBe('IncorrectPasswordException');
  await vault.ok('vault:Unlock', { Password: base64(PASSWORD) });
  expect(await used()).toBe(false);
});
