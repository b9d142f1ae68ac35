/** A key store that spans two SoftHSM tokens, in the real window over a real vault: joined, used, seen as a token goes and comes back, sealed. */
import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OFFICER_PIN, PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { dialog } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { wholePage } from './support/page-content.ts';
import { openTokenWindow, type TokenWindow } from './support/token-window.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
let on: TokenWindow;
let page: Page;
let store = '';
let key = '';
inOrder(() => page);

beforeAll(async () => {
  on = await openTokenWindow(['one', 'two']);
  ({ page } = on);
  store = await on.addStore('pair', 'one');
});
afterAll(() => on.end());

/** Takes a token's files away; what brings them back. */
function takeAway(label: string): () => void {
  const folder = join(on.hsm.folder, readdirSync(on.hsm.folder).find((name) => name.replaceAll('-', '').endsWith(on.serials.get(label) ?? '?')) ?? '');
  renameSync(folder, join(on.home, 'away'));
  return () => { renameSync(join(on.home, 'away'), folder); };
}
const html = (): Promise<string> => wholePage(page);
/** What the keyboard is at, by its label. */
const focused = (): Promise<string | null | undefined> => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.labels?.[0]?.textContent || document.activeElement?.getAttribute('aria-label'));
const member = (name: string, state: string) => page.getByRole('listitem', { name: `${name}: ${state}`, exact: true });
async function signed(): Promise<void> {
  const { Signature } = await on.window.local.ok('kms:Sign', { KeyId: key, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
  const { PublicKey } = await on.window.local.ok('kms:GetPublicKey', { KeyId: key });
  const der = (value: unknown): Buffer => (typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value as Uint8Array));
  expect(verify('sha256', Buffer.from('m'), createPublicKey({ key: der(PublicKey), format: 'der', type: 'spki' }), der(Signature))).toBe(true);
}
/** By the keyboard alone. */
async function choose(item: string): Promise<void> {
  await page.getByRole('button', { name: 'More for key store pair', exact: true }).focus();
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
  await page.keyboard.press('Escape');
  await expect.poll(focused).toBe('More for key store pair');
  await choose('Span another token…');
  await page.getByText('lies in plain').waitFor();
  for (const [user, officer] of [[PIN, '00000000'], [PIN, OFFICER_PIN]] as const) {
    for (const [label, pin] of [['User PIN of two', user], ['Security officer’s PIN of two', officer], ['Security officer’s PIN of one', OFFICER_PIN]] as const) {
      // Logged in to already, once it was right.
      if ((await page.getByLabel(label, { exact: true }).count()) === 0) continue;
      await page.getByLabel(label, { exact: true }).focus();
      await page.keyboard.type(pin);
    }
    await page.keyboard.press('Enter');
    if (officer === OFFICER_PIN) break;
    await dialog(page).getByText('refuses the PIN').waitFor({ timeout: 60_000 });
    await expect.poll(focused).toBe('Security officer’s PIN of two');
  }
  await dialog(page).getByText('Not offered in it any more').waitFor({ timeout: 120_000 });
  await dialog(page).getByText('Ed25519').waitFor();
  expect(await html()).not.toMatch(new RegExp(`${OFFICER_PIN}|${PIN}`));
  await page.keyboard.press('Enter');
  await member('one', 'Connected').waitFor();
  await member('two', 'Connected').waitFor();
});

it('offers for a new key only what travels, and says that it is in both tokens', async () => {
  await page.keyboard.press('Control+1');
  await page.keyboard.press('n');
  await dialog(page).getByRole('radio', { name: /^Sign and verify/ }).check();
  await dialog(page).getByRole('radio', { name: /In hardware: pair/ }).check();
  await dialog(page).getByText('Tokens one and two').waitFor();
  await expect.poll(() => page.getByLabel('Kind', { exact: true }).locator('option').allTextContents()).toContain('secp256k1, for blockchains');
  expect((await page.getByLabel('Kind', { exact: true }).locator('option').allTextContents()).join()).not.toContain('Ed25519');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+5');
});

it('shows what each token holds, and follows one that goes and comes back', async () => {
  key = ((await on.window.local.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store }))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
  await member('two', 'Connected').getByText('1 of 1 key').waitFor();
  for (let i = 0; i < 4; i++) await signed();
  await member('two', 'Connected').getByText(/^[1-9]\d* requests? served$/).waitFor();
  const back = takeAway('two');
  for (let i = 0; i < 4; i++) await signed();
  await page.getByRole('listitem', { name: /^two: (?!Connected)/ }).waitFor();
  back();
  await member('two', 'Connected').waitFor({ timeout: 120_000 });
});

it('is connected through another token where the first one is away', async () => {
  // Its process goes, and the PIN with it.
  const [module] = (await on.window.local.ok('hardware:ListModules', {}))['Modules'] as readonly { readonly Path: string }[];
  const back = takeAway('one');
  await on.window.local.ok('hardware:RestartModule', { Path: module?.Path });
  const card = page.getByRole('region', { name: 'Key store pair' });
  await card.getByRole('button', { name: 'Connect…' }).click();
  await dialog(page).getByRole('button', { name: 'Connect through two' }).waitFor();
  await page.getByLabel('PIN', { exact: true }).fill(PIN);
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  await card.getByText('Connected', { exact: true }).first().waitFor();
  await signed();
  back();
  // Its module may not have looked yet, and does not know it then.
  await expect.poll(async () => { const answer = await on.window.local.call('hardware:UnlockToken', { Serial: on.serials.get('one'), Pin: b64(PIN) }); return answer.ok ? 'ok' : answer.error.message; }).toBe('ok');
  await member('one', 'Connected').waitFor({ timeout: 120_000 });
});

it('keeps the page where it is, however much stands in the pane that scrolls', async () => {
  const heights = await page.evaluate(() => [document.documentElement.scrollHeight - innerHeight, document.querySelector('[data-pane="list"]')!.scrollHeight > innerHeight] as const);
  expect(heights).toEqual([0, true]);
});

it('seals it for good once its name was typed out, and says so afterwards', async () => {
  await choose('Seal the cluster…');
  await page.keyboard.type('pai');
  expect(await dialog(page).getByRole('button', { name: 'Seal for good' }).isDisabled()).toBe(true);
  await page.keyboard.type('r');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Key store pair' }).getByText('Sealed', { exact: true }).waitFor();
  expect((await on.window.local.ok('hardware:DescribeCluster', { CustomKeyStoreId: store }))['State']).toBe('sealed');
  await signed();
});

it('lets a token leave once its label was typed out, with what stays on it', async () => {
  await page.getByRole('button', { name: 'Let two leave…' }).focus();
  await page.keyboard.press('Enter');
  await dialog(page).getByText('One key stays on it').waitFor();
  await dialog(page).getByText('in one token then').waitFor();
  await page.keyboard.type('tw');
  expect(await dialog(page).getByRole('button', { name: 'Let it leave' }).isDisabled()).toBe(true);
  await page.keyboard.type('o');
  await page.keyboard.press('Enter');
  await dialog(page).waitFor({ state: 'detached' });
  expect((await on.window.local.ok('hardware:DescribeCluster', { CustomKeyStoreId: store }))['Members']).toHaveLength(1);
  await signed();
  // What it held it holds.
  const listed = on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'two', '--login', '--pin', PIN, '--list-objects', '--type', 'privkey').toString('utf8');
  expect(listed).toContain(key);
  expect(on.said).toEqual([]);
});
