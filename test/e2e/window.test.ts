/**
 * From the first run to a signature that openssl verifies, in the real window of the Chromium host over a real vault; then lock,
 * a wrong password, and back.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openWindow, type OpenWindow } from '../hosts/playwright.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';

const PASSWORD = 'violin glacier tobacco umbrella';
const MESSAGE = 'release 1.4.0';

const home = temporaryFolder();
let window: OpenWindow;
beforeAll(async () => {
  window = await openWindow(join(home, 'vault'));
});
afterAll(async () => {
  await window.close();
  remove(home);
});

type Page = Awaited<ReturnType<OpenWindow['page']>>;
const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click();
const submit = (page: Page): Promise<void> => page.getByRole('dialog').locator('button[type=submit]').click();

async function firstRun(page: Page): Promise<void> {
  await page.getByText('Make your vault').waitFor();
  for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill(PASSWORD);
  await press(page, 'Make the vault');
  await page.locator('ol b').first().waitFor({ timeout: 30_000 });
  const groups = await page.locator('ol[aria-label^="Recovery"] b').allTextContents();
  expect(groups.map((group) => group.length)).toEqual([4, 4, 4, 4, 4, 4, 4]);
  await press(page, 'I have it, type two groups back');
  for (const label of await page.locator('form label').all()) {
    const group = Number((await label.textContent())?.replace('Group ', ''));
    await label.locator('input').fill(groups[group - 1] ?? '');
  }
  await press(page, 'Check and finish');
  await page.getByText('No keys yet').waitFor();
}

async function sign(page: Page): Promise<string> {
  await press(page, 'Make the first key');
  await page.getByRole('radio', { name: /Sign and verify/ }).check();
  await page.getByLabel('Name', { exact: true }).fill('release-signing');
  await submit(page);
  await page.getByRole('heading', { name: 'release-signing' }).waitFor();
  await press(page, 'Sign');
  await page.getByRole('textbox', { name: 'Message' }).fill(MESSAGE);
  await submit(page);
  await page.getByRole('button', { name: 'Copy base64' }).waitFor();
  return (await page.getByLabel('Signature', { exact: true }).textContent()) ?? '';
}

it('goes from the first run to a signature that openssl verifies, and back through a lock', async () => {
  let page = await window.page();
  await firstRun(page);
  const signature = await sign(page);

  await page.getByRole('radio', { name: 'Public key', exact: true }).check();
  const pem = page.getByText('-----BEGIN PUBLIC KEY-----');
  await pem.waitFor();
  writeFileSync(join(home, 'public.pem'), (await pem.textContent()) ?? '');
  writeFileSync(join(home, 'signature'), Buffer.from(signature, 'base64'));
  writeFileSync(join(home, 'message'), MESSAGE);
  const { stdout, stderr } = spawnSync('openssl', ['dgst', '-sha256', '-verify', join(home, 'public.pem'), '-signature', join(home, 'signature'), join(home, 'message')], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['Verified OK\n', '']);

  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Trail' }).click();
  await page.getByRole('listbox', { name: /Records/ }).getByRole('option').first().waitFor();
  await press(page, 'Verify');
  await page.getByText('Intact').waitFor();

  const renewed = window.renewed();
  // The page that is asked is gone before it could answer.
  await page.keyboard.press('Control+l').catch(() => undefined);
  await renewed;
  page = await window.page();
  expect(await page.content()).not.toContain('release-signing');
  await page.getByLabel('Password', { exact: true }).fill('wrong one here');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'release-signing' }).waitFor({ timeout: 20_000 });
});
