/** Hardware in the real window over a real vault and SoftHSM: from nothing to a signature that openssl verifies, PINs, a token that goes and comes back. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FIRST_MESSAGE } from '../../src/renderer/hardware/setup-run.ts';
import { toPem } from '../../src/renderer/encoding.ts';
import type { OpenWindow } from '../hosts/playwright.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, type SoftHsm } from '../system/support/softhsm.ts';
import { dialog, heading, press, resultOf, submit } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { wholePage } from './support/page-content.ts';
import { openTokenWindow, type TokenWindow } from './support/token-window.ts';

let on: TokenWindow;
let home = '';
let hsm: SoftHsm;
let window: OpenWindow;
let page: Page;
const said: string[] = [];
inOrder(() => page);

/** The fresh page after a lock. */
async function shown(): Promise<void> {
  page = await window.page();
  page.on('pageerror', (error) => said.push(error.message));
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
}

beforeAll(async () => {
  on = await openTokenWindow([]);
  ({ home, hsm, window, page } = on);
});
afterAll(() => on.end());

const html = (): Promise<string> => wholePage(page);
const card = () => page.getByRole('region', { name: 'Key store bench' });

it('leaves nothing behind when the set-up is left after the module was loaded', async () => {
  await page.keyboard.press('Control+5');
  await page.getByText('No token yet').waitFor();
  await page.keyboard.press('n');
  await dialog(page).getByRole('radio', { name: /Another file/ }).check();
  await page.getByLabel('Path', { exact: true }).fill('libsofthsm2.so');
  await submit(page);
  // What the command line's help says is of no use here.
  await dialog(page).getByRole('alert').getByText('must be an absolute path. Nothing was loaded.').waitFor();
  await page.getByLabel('Path', { exact: true }).fill(SOFTHSM);
  await submit(page);
  await page.getByText('Its SHA-256').waitFor();
  const digest = execFileSync('sha256sum', [SOFTHSM]).toString('utf8').slice(0, 64);
  expect((await html()).replaceAll(' ', '')).toContain(digest);
  await submit(page);
  await page.getByText('Which token?').waitFor();
  await press(page, 'Cancel');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByText('No token yet').waitFor();
  expect((await window.local.ok('hardware:ListModules', {}))['Modules']).toEqual([]);
});

it('goes from nothing to a signature that openssl verifies, by the keyboard alone', async () => {
  const begun = performance.now();
  await page.getByRole('button', { name: 'Set up the first token' }).focus();
  await page.keyboard.press('Enter');
  // What p11-kit has registered stands first, and has the focus.
  await dialog(page).getByText('SoftHSM 2, a token in software').waitFor();
  await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).type)).toBe('radio');
  await page.keyboard.press('Enter');
  await page.getByText('Its SHA-256').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('Which token?').waitFor();
  await dialog(page).getByText('Empty token').waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.closest('dialog') !== null && document.activeElement?.tagName)).toBe('INPUT');
  await page.keyboard.press('Enter');
  await page.getByLabel('Label', { exact: true }).waitFor();
  await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).placeholder)).toBe('release-hsm');
  await page.keyboard.type('bench');
  for (const pin of [OFFICER_PIN, PIN, PIN]) {
    await page.keyboard.press('Tab');
    // Past the eye of the field before, which the first has not.
    if (await page.evaluate(() => document.activeElement?.tagName === 'BUTTON')) await page.keyboard.press('Tab');
    await page.keyboard.type(pin);
  }
  await page.keyboard.press('Enter');
  await page.getByLabel('Name of the first key').waitFor({ timeout: 30_000 });
  expect(await html()).not.toContain(PIN);
  await page.getByLabel('Name of the first key').focus();
  await page.keyboard.press('Enter');
  await page.getByText('A key in hardware has signed').waitFor({ timeout: 60_000 });
  process.stdout.write(`from nothing to the first signature in hardware: ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  const signature = await resultOf(dialog(page), 'Signature');
  const { PublicKey } = await window.local.ok('kms:GetPublicKey', { KeyId: 'alias/first-hardware-key' });
  writeFileSync(join(home, 'message'), FIRST_MESSAGE);
  writeFileSync(join(home, 'signature.bin'), signature);
  writeFileSync(join(home, 'public.pem'), toPem('PUBLIC KEY', PublicKey as Uint8Array));
  expect(execFileSync('openssl', ['dgst', '-sha256', '-verify', 'public.pem', '-signature', 'signature.bin', 'message'], { cwd: home }).toString('utf8')).toContain('Verified OK');
  // The test's own key pair is gone again: one private key is on the token.
  const listed = hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'bench', '--login', '--pin', PIN, '--list-objects', '--type', 'privkey').toString('utf8');
  expect(listed.match(/Private Key Object/g)).toHaveLength(1);
  await press(page, 'Go to the key');
  await heading(page, 'first-hardware-key').waitFor();
});

it('says that the key is in hardware, what the token says of it, and what it did when it was asked to wrap it out', async () => {
  await page.getByRole('article').getByText('Hardware', { exact: true }).waitFor();
  await page.getByRole('option', { name: /first-hardware-key.*hardware/ }).waitFor();
  await page.getByRole('tab', { name: 'Token' }).click();
  await page.getByText('Never was extractable').waitFor();
  await page.getByText('the token refused').waitFor();
});

it('asks for the PIN where a key is used that is not connected, and goes on with what was begun', async () => {
  const renewed = window.renewed();
  await page.keyboard.press('Control+l');
  await renewed;
  await shown();
  await page.getByRole('option', { name: /first-hardware-key.*Not connected/ }).click();
  await page.getByRole('listbox', { name: 'Keys' }).focus();
  await page.keyboard.press('s');
  const pin = page.getByLabel('PIN', { exact: true });
  await pin.waitFor();
  await pin.fill('needle-0000');
  await page.keyboard.press('Enter');
  await page.getByText('refuses the PIN').waitFor();
  expect(await pin.inputValue()).toBe('');
  expect(await html()).not.toContain('needle-0000');
  await pin.fill(PIN);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Message' }).fill('release 1.4.0');
  expect(await html()).not.toContain(PIN);
  await submit(page);
  await page.getByLabel('Signature', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
});

it('makes a key where the person says that it lives', async () => {
  await page.keyboard.press('n');
  await dialog(page).getByRole('radio', { name: /In hardware: bench/ }).check();
  await page.getByText('Whoever loses the token loses the key').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('hsm/data');
  await submit(page);
  await heading(page, 'hsm/data').waitFor();
  expect((await window.local.ok('kms:DescribeKey', { KeyId: 'alias/hsm/data' }))['KeyMetadata']).toMatchObject({ Origin: 'AWS_CLOUDHSM', KeySpec: 'SYMMETRIC_DEFAULT' });
});

it('adopts keys that another program has made on the token, tells two of one label apart, and keeps the name and the keyboard', async () => {
  for (const id of ['abcd', 'abce']) hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'bench', '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', id, '--label', 'theirs', '--usage-sign');
  await page.keyboard.press('Control+5');
  await card().getByText('2 keys').waitFor();
  const token = page.getByRole('region', { name: 'Token bench' });
  await token.getByRole('tab', { name: 'Keys on it' }).click();
  for (const [id, name, after] of [['abcd', 'theirs', '3 keys'], ['abce', undefined, '4 keys']] as const) {
    await page.getByRole('button', { name: `Adopt theirs, id ${id} to sign and verify` }).focus();
    await page.keyboard.press('Enter');
    await card().getByText(after).waitFor();
    await token.getByText(`theirs, id ${id}, on the token`).waitFor();
    if (name !== undefined) await token.getByRole('button', { name: `Open ${name}`, exact: true }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? 'nothing')).toMatch(/^Open /);
  }
  expect((await window.local.ok('kms:DescribeKey', { KeyId: 'alias/theirs' }))['KeyMetadata']).toMatchObject({ Origin: 'AWS_CLOUDHSM', KeySpec: 'ECC_NIST_P256' });
});

it('says that a token is missing, leaves other keys as they are, and uses it again once it is back', async () => {
  const kept = join(home, 'kept');
  cpSync(hsm.folder, kept, { recursive: true });
  for (const name of readdirSync(hsm.folder)) rmSync(join(hsm.folder, name), { recursive: true });
  await page.getByRole('button', { name: 'Restart libsofthsm2.so' }).click();
  await page.getByText('has to be connected again').waitFor();
  await press(page, 'Restart the module');
  await dialog(page).waitFor({ state: 'detached' });
  await card().getByRole('button', { name: 'Connect…' }).click();
  await dialog(page).getByRole('alert').waitFor();
  await press(page, 'Cancel');
  await card().getByText('Token missing').waitFor();
  await page.keyboard.press('Control+1');
  await page.getByRole('option', { name: /first-hardware-key.*Token missing/ }).waitFor();
  cpSync(kept, hsm.folder, { recursive: true });
  await page.keyboard.press('Control+5');
  await press(page, 'Look again');
  await card().getByRole('button', { name: 'Connect…' }).click();
  await page.getByLabel('PIN', { exact: true }).fill(PIN);
  await dialog(page).getByRole('checkbox', { name: 'Seal the PIN in the vault' }).check();
  await page.getByLabel('PIN', { exact: true }).focus();
  await page.keyboard.press('Enter');
  await card().getByText('Connected', { exact: true }).waitFor();
  // The button goes with what it is for, and the keyboard stays on the page.
  const forget = page.getByRole('button', { name: 'Forget the PIN of bench' });
  await forget.focus();
  await page.keyboard.press('Enter');
  await forget.waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-pane'))).toBe('list');
  const Message = Buffer.from('m').toString('base64');
  await window.local.ok('kms:Sign', { KeyId: 'alias/first-hardware-key', SigningAlgorithm: 'ECDSA_SHA_256', Message });
  expect([...on.said, ...said]).toEqual([]);
});
