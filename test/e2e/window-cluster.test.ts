/** A key store that spans two SoftHSM tokens, in the real window over a real vault: joined, used, seen as a token goes and comes back, sealed. */
import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWindow, type OpenWindow } from '../hosts/playwright.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';
import { dialog } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';

const home = temporaryFolder();
const before = process.env['SOFTHSM2_CONF'];
const b64 = (text: string): string => Buffer.from(text).toString('base64');
let hsm: SoftHsm;
let window: OpenWindow;
let page: Page;
let store = '';
let key = '';
let serial = '';
const said: string[] = [];
inOrder(() => page);

beforeAll(async () => {
  hsm = softHsm(home);
  process.env['SOFTHSM2_CONF'] = hsm.env['SOFTHSM2_CONF'];
  hsm.makeToken('one');
  serial = hsm.makeToken('two');
  const folder = join(home, 'vault');
  await makeVault(folder);
  window = await openWindow(folder);
  page = await window.page();
  page.on('pageerror', (error) => said.push(error.message));
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('No keys yet').waitFor();
  await window.local.ok('hardware:AddModule', { Path: SOFTHSM });
  const tokens = (await window.local.ok('hardware:ListTokens', {}))['Tokens'] as readonly { readonly Label: string; readonly CloudHsmClusterId: string }[];
  store = (await window.local.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'pair', CloudHsmClusterId: tokens.find(({ Label }) => Label === 'one')?.CloudHsmClusterId, KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await window.local.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
});
afterAll(async () => {
  await window.close();
  if (before === undefined) delete process.env['SOFTHSM2_CONF'];
  else process.env['SOFTHSM2_CONF'] = before;
  remove(home);
});

const html = (): Promise<string> => page.evaluate(() => document.documentElement.outerHTML + Array.from(document.querySelectorAll('input'), ({ value }) => value).join('\n'));
const member = (name: string, state: string) => page.getByRole('listitem', { name: `${name}: ${state}`, exact: true });
async function signed(): Promise<void> {
  const { Signature } = await window.local.ok('kms:Sign', { KeyId: key, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
  const { PublicKey } = await window.local.ok('kms:GetPublicKey', { KeyId: key });
  const der = (value: unknown): Buffer => (typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value as Uint8Array));
  expect(verify('sha256', Buffer.from('m'), createPublicKey({ key: der(PublicKey), format: 'der', type: 'spki' }), der(Signature))).toBe(true);
}
/** By the keyboard alone. */
async function choose(item: string): Promise<void> {
  await page.getByRole('button', { name: 'More for pair', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: item }).waitFor();
  // Typing its name would do, but a slow machine takes the letters for several words.
  for (let at = 0; at < 10 && !(await page.evaluate((name) => document.activeElement?.textContent.startsWith(name) === true, item)); at++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor();
}

it('lets a token join by the keyboard alone, with PINs that stay nowhere', async () => {
  await page.keyboard.press('Control+5');
  await page.getByRole('region', { name: 'Key store pair' }).getByText('Connected', { exact: true }).waitFor();
  await choose('Span another token…');
  for (const [label, pin] of [['User PIN of two', PIN], ['Security officer’s PIN of two', OFFICER_PIN], ['Security officer’s PIN of one', OFFICER_PIN]] as const) {
    await page.getByLabel(label, { exact: true }).focus();
    await page.keyboard.type(pin);
  }
  await page.getByText('lies in plain').waitFor();
  await page.keyboard.press('Enter');
  await dialog(page).getByText('Not offered in it any more').waitFor({ timeout: 120_000 });
  await dialog(page).getByText('Ed25519').waitFor();
  expect(await html()).not.toMatch(new RegExp(`${OFFICER_PIN}|${PIN}`));
  await page.keyboard.press('Enter');
  await member('one', 'Connected').waitFor();
  await member('two', 'Connected').waitFor();
});

it('shows what each token holds, and follows one that goes and comes back', async () => {
  key = ((await window.local.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store }))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
  await member('two', 'Connected').getByText('1 of 1 key').waitFor();
  for (let i = 0; i < 4; i++) await signed();
  await member('two', 'Connected').getByText(/^[1-9]\d* requests? served$/).waitFor();
  const folder = readdirSync(hsm.folder).find((name) => name.replaceAll('-', '').endsWith(serial)) ?? '';
  renameSync(join(hsm.folder, folder), join(home, 'away'));
  for (let i = 0; i < 4; i++) await signed();
  await page.getByRole('listitem', { name: /^two: (?!Connected)/ }).waitFor();
  renameSync(join(home, 'away'), join(hsm.folder, folder));
  await member('two', 'Connected').waitFor({ timeout: 120_000 });
});

it('seals it for good once its name was typed out, and says so afterwards', async () => {
  await choose('Seal the cluster…');
  await page.keyboard.type('pai');
  expect(await dialog(page).getByRole('button', { name: 'Seal for good' }).isDisabled()).toBe(true);
  await page.keyboard.type('r');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Key store pair' }).getByText('Sealed', { exact: true }).waitFor();
  expect((await window.local.ok('hardware:DescribeCluster', { CustomKeyStoreId: store }))['State']).toBe('sealed');
  await signed();
  expect(said).toEqual([]);
});
