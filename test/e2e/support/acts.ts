/** What a person does in the window, in their words. */
import type { Locator, Page } from 'playwright-core';
import type { Home } from './home.ts';

export const PASSWORD = 'violin glacier tobacco umbrella';

export const button = (within: Page | Locator, name: string): Locator => within.getByRole('button', { name, exact: true }).first();
export const press = (within: Page | Locator, name: string): Promise<void> => button(within, name).click();
export const dialog = (page: Page): Locator => page.getByRole('dialog');
/** The button that does what the dialog is about. */
export const submit = (page: Page): Promise<void> => dialog(page).locator('button[type=submit]').click();
export const heading = (page: Page, name: string): Locator => page.getByRole('heading', { name, exact: true });
export const textOf = async (locator: Locator): Promise<string> => (await locator.textContent()) ?? '';

/** The seven groups, as they are shown. */
export async function recoveryCode(page: Page): Promise<readonly string[]> {
  await page.locator('ol[aria-label^="Recovery"] b').first().waitFor({ timeout: 30_000 });
  return page.locator('ol[aria-label^="Recovery"] b').allTextContents();
}

/** Types back the groups that are asked for. */
export async function typeGroups(page: Page, groups: readonly string[]): Promise<void> {
  for (const label of await page.locator('form label', { hasText: /^Group \d$/ }).all()) {
    await label.locator('input').fill(groups[Number((await textOf(label)).replace('Group ', '')) - 1] ?? '');
  }
  await press(page, 'Check and finish');
}

/** From the first screen to an empty vault; the recovery code's groups. */
export async function firstRun(page: Page): Promise<readonly string[]> {
  await page.getByText('Make your vault').waitFor();
  for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill(PASSWORD);
  await press(page, 'Make the vault');
  const groups = await recoveryCode(page);
  await press(page, 'I have it, type two groups back');
  await typeGroups(page, groups);
  await page.getByText('No keys yet').waitFor();
  return groups;
}

export async function unlock(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(password);
  await press(page, 'Unlock');
}

/** Shows a key of the list. */
export async function openKey(page: Page, name: string): Promise<void> {
  await page.getByRole('option', { name: new RegExp(`^${name}\\b`) }).first().click();
  await heading(page, name).waitFor();
}

/** In Settings. Shown as chosen once the vault's process has kept it. */
export async function chooseTheme(page: Page, name: 'Dark' | 'Light'): Promise<void> {
  await page.getByRole('radio', { name, exact: true }).click();
  await page.locator(`html[data-theme="${name.toLowerCase()}"]`).waitFor({ state: 'attached' });
}

/** The key's menu, and what is in it. */
export async function fromMenu(page: Page, item: string): Promise<void> {
  await press(page, 'More for this key');
  await page.getByRole('menuitem', { name: item }).click();
}

/** Opens the use panel of a key that is shown, or goes to another action in it. */
export async function act(page: Page, label: string): Promise<Locator> {
  const panel = dialog(page);
  if ((await panel.count()) === 0) await press(page, label);
  await panel.waitFor();
  const choice = panel.getByRole('radio', { name: label, exact: true });
  if (!(await choice.isChecked())) await choice.check();
  return panel;
}

/** The line that the panel gives for the terminal. */
export const commandOf = async (panel: Locator): Promise<string> => textOf(panel.locator('div', { has: panel.page().getByRole('heading', { name: 'The same on the command line' }) }).last().locator('code'));

/** Bytes of a result that is shown in base64. */
export async function resultOf(panel: Locator, label: string): Promise<Buffer> {
  const shown = panel.getByLabel(label, { exact: true });
  await shown.waitFor();
  return Buffer.from(await textOf(shown), 'base64');
}

/** What openssl says of a signature in files of the home folder. */
export const opensslVerifies = (home: Home, signature: string, message: string, pem = 'public.pem'): string => home.output(`openssl dgst -sha256 -verify ${pem} -signature ${signature} ${message}`);
