/** The window goes from one vault to another and back: from its menu, from the gate, and to a new one. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openWindow, type OpenWindow } from '../hosts/playwright.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';

const home = temporaryFolder();
const [work, personal] = [join(home, 'work'), join(home, 'personal')];
let window: OpenWindow;
beforeAll(async () => {
  await makeVault(work);
  await makeVault(personal);
  window = await openWindow(work);
});
afterAll(async () => {
  await window.close();
  remove(home);
});

type Page = Awaited<ReturnType<OpenWindow['page']>>;
const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click();

async function unlock(page: Page, vault: string): Promise<void> {
  await page.getByText(`${vault} is locked`).waitFor();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('No keys yet').waitFor();
}
/** The page that asks is gone with the vault that it showed. */
async function freshAfter(act: () => Promise<void>): Promise<Page> {
  const renewed = window.renewed();
  await act().catch(() => undefined);
  await renewed;
  return window.page();
}
async function openList(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Locks in|Unlocked/ }).click();
  await page.getByRole('menuitem', { name: 'Other vaults…' }).click();
}

it('opens one that is elsewhere, goes back by the menu, and makes a new one', async () => {
  let page = await window.page();
  await unlock(page, 'work');
  await openList(page);
  await page.getByLabel('Open a vault that is elsewhere').fill(join(home, 'nothing'));
  await page.keyboard.press('Enter');
  await page.getByText('VaultNotFoundException').waitFor();
  await page.getByLabel('Open a vault that is elsewhere').fill(personal);
  page = await freshAfter(() => page.keyboard.press('Enter'));
  expect(window.local.program.vault.ports.folder).toBe(personal);
  await unlock(page, 'personal');

  await page.getByRole('button', { name: /Locks in|Unlocked/ }).click();
  page = await freshAfter(() => page.getByRole('menuitem', { name: 'work' }).click());
  await page.getByText('work is locked').waitFor();

  await press(page, 'Other vaults');
  await page.getByLabel('Make another vault').fill('../third');
  await page.keyboard.press('Enter');
  await page.getByText('a letter or a digit first').waitFor();
  await page.getByLabel('Make another vault').fill('third');
  page = await freshAfter(() => page.keyboard.press('Enter'));
  await page.getByText('Make your vault').waitFor();
  expect(window.local.program.vault.ports.folder.endsWith('/vaults/third')).toBe(true);

  await press(page, 'Other vaults');
  await page.getByRole('button', { name: 'Take personal off the list; its folder stays' }).click();
  await page.getByRole('button', { name: 'Open personal' }).waitFor({ state: 'detached' });
  page = await freshAfter(() => page.getByRole('button', { name: 'Open work' }).click());
  await unlock(page, 'work');
});
