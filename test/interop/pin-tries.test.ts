/** A token that counts wrong PINs: opencryptoki's software token locks at the third. Told at each, tried at the last only when insisted, and no way round it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ErrorBody } from '../../src/shared/model/errors.ts';
import type { Client, Json } from '../system/support/client.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';

const MODULE = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/opencryptoki/libopencryptoki.so.0`;
/** Where the one software token of the machine is kept, and what its processes share. */
const TOKEN = '/var/lib/opencryptoki/swtok';
const SHARED = ['/dev/shm/var.lib.opencryptoki.swtok', '/dev/shm/var.lib.opencryptoki.tpm.root'];
const [OFFICER_DEFAULT, OFFICER, FIRST, PIN, WRONG] = ['87654321', '76543210', '11111111', '1234567', '7654321'];
const b64 = (text: string): string => Buffer.from(text).toString('base64');

let home = '';
/** The slot daemon, which goes into the background by itself. */
let started = false;
let vault: VaultProcess | undefined;
let client: Client;
let serial = '';

const daemonNow = (): number | undefined => Number(spawnSync('pgrep', ['-x', 'pkcsslotd']).stdout.toString('utf8').trim().split('\n')[0]) || undefined;
const conf = (...args: string[]): void => void execFileSync('pkcsconf', ['-c', '3', ...args], { input: 'counted\n', stdio: ['pipe', 'ignore', 'ignore'] });
const newPin = (): void => {
  conf('-u', '-S', OFFICER, '-n', FIRST);
  conf('-p', '-U', FIRST, '-n', PIN);
};
const files = (): readonly string[] => readdirSync(TOKEN, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
const clean = (): void => { for (const file of [...files(), ...SHARED]) rmSync(file, { force: true }); };

beforeAll(async () => {
  if (!existsSync(MODULE)) throw new Error('opencryptoki is missing: apt-get install opencryptoki');
  // The machine has one such token: somebody's own is not to be erased.
  if (daemonNow() !== undefined || files().length > 0) throw new Error(`opencryptoki is in use on this machine: this test makes its token in ${TOKEN} anew`);
  home = temporaryFolder();
  execFileSync('pkcsslotd', { stdio: 'ignore' });
  started = true;
  await vi.waitFor(() => { expect(spawnSync('pkcsconf', ['-t']).status).toBe(0); }, { timeout: 20_000, interval: 200 });
  conf('-I', '-S', OFFICER_DEFAULT);
  conf('-P', '-S', OFFICER_DEFAULT, '-n', OFFICER);
  newPin();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home, within: 60_000 });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  await client.ok('hardware:AddModule', { Path: MODULE });
  serial = (await token())['Serial'] as string;
});
afterAll(async () => {
  await vault?.kill();
  if (started) {
    // It heeds no signal until it has noticed that the module's process is gone.
    await vi.waitFor(() => {
      const pid = daemonNow();
      if (pid !== undefined) process.kill(pid);
      expect(pid).toBeUndefined();
    }, { timeout: 120_000, interval: 500 });
    clean();
  }
  remove(home);
});

const token = async (): Promise<Json> => {
  const found = ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find(({ Label }) => Label === 'counted');
  if (!found) throw new Error('there is no token');
  return found;
};
const vaultModule = (): string => realpathSync(MODULE);
async function refusal(operation: string, input: Json): Promise<ErrorBody> {
  const answer = await client.call(operation, input);
  if (answer.ok) throw new Error(`${operation} was not refused`);
  return answer.error;
}

it('says at each wrong PIN what is left, uses the last try only when told to, and says locked', async () => {
  const wrong = { Serial: serial, Pin: b64(WRONG) };
  expect(await token()).toMatchObject({ PinState: 'ok', LoggedIn: false });
  expect(await refusal('hardware:UnlockToken', wrong)).toMatchObject({ code: 'IncorrectPinException', message: expect.stringContaining('tries are running out') as string });
  expect(await token()).toMatchObject({ PinState: 'low' });
  expect(await refusal('hardware:UnlockToken', wrong)).toMatchObject({ code: 'IncorrectPinException', message: expect.stringContaining('one try is left') as string });
  expect(await token()).toMatchObject({ PinState: 'last' });
  // Neither a right nor a wrong one is tried now, by nothing, unless somebody insists.
  for (const Pin of [b64(WRONG), b64(PIN)]) expect(await refusal('hardware:UnlockToken', { Serial: serial, Pin })).toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('--last-try') as string });
  expect(await client.code('hardware:SetPin', { Serial: serial, OldPin: b64(WRONG), NewPin: b64('2345678') })).toBe('PinLockedException');
  expect(await client.code('vault:AddSlot', { Type: 'token', Serial: serial, Pin: b64(WRONG), Password: b64(PASSWORD) })).toBe('PinLockedException');
  expect(await token()).toMatchObject({ PinState: 'last' });
  expect(await refusal('hardware:UnlockToken', { ...wrong, LastTry: true })).toMatchObject({ code: 'IncorrectPinException', message: expect.stringContaining('locked now') as string });
  expect(await token()).toMatchObject({ PinState: 'locked' });
  for (const LastTry of [false, true]) expect(await refusal('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN), LastTry })).toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('security officer') as string });
});

it('is logged in to again once its officer has set a new PIN; the right PIN on the last try gives all of them back', async () => {
  const reset = (officer: string): Json => ({ Serial: serial, SecurityOfficerPin: b64(officer), NewPin: b64(PIN) });
  expect(await refusal('hardware:ResetPin', reset(WRONG))).toMatchObject({ code: 'IncorrectPinException', message: expect.stringContaining('security officer') as string, details: expect.objectContaining({ pin: 'securityOfficer' }) as object });
  expect(await token()).toMatchObject({ PinState: 'locked' });
  await client.ok('hardware:ResetPin', reset(OFFICER));
  expect(await token()).toMatchObject({ PinState: 'ok', SecurityOfficerPinState: 'ok', LoggedIn: false });
  for (let i = 0; i < 2; i += 1) expect(await client.code('hardware:UnlockToken', { Serial: serial, Pin: b64(WRONG) })).toBe('IncorrectPinException');
  expect(await client.code('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) })).toBe('PinLockedException');
  await client.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN), LastTry: true });
  expect(await token()).toMatchObject({ PinState: 'ok', LoggedIn: true });
});

it('counts the tries of its security officer, too, and no other PIN of theirs is given at the last without insisting', async () => {
  const slot = (await token())['Slot'];
  const erase = (more: Json = {}): Json => ({ Module: vaultModule(), Slot: slot, NewLabel: 'counted', Erase: 'counted', SecurityOfficerPin: b64(WRONG), Pin: b64(PIN), ...more });
  const wrongOfficer = (): void => void spawnSync('pkcsconf', ['-c', '3', '-u', '-S', '11112222', '-n', FIRST], { stdio: 'ignore' });
  expect(await token()).toMatchObject({ SecurityOfficerPinState: 'ok' });
  wrongOfficer();
  expect(await token()).toMatchObject({ SecurityOfficerPinState: 'low', PinState: 'ok' });
  wrongOfficer();
  expect(await token()).toMatchObject({ SecurityOfficerPinState: 'last' });
  expect(await refusal('hardware:InitializeToken', erase())).toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('`keystead hardware initialize-token --last-try`') as string });
  expect(await refusal('hardware:ResetPin', { Serial: serial, SecurityOfficerPin: b64(OFFICER), NewPin: b64(PIN) })).toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('`keystead hardware reset-pin --last-try`') as string });
  expect(await token()).toMatchObject({ SecurityOfficerPinState: 'last', LoggedIn: true });
  wrongOfficer();
  expect(await token()).toMatchObject({ SecurityOfficerPinState: 'locked' });
  expect(await refusal('hardware:InitializeToken', erase({ LastTry: true }))).toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('security officer’s PIN') as string });
});
