/** The real window over a new vault of one password, unlocked by typing it: where the specs of single screens begin. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openWindow, type OpenWindow } from '../../hosts/playwright.ts';
import { makeVault, PASSWORD } from '../../system/support/make-vault.ts';

export interface UnlockedWindow {
  readonly window: OpenWindow;
  readonly page: Page;
  /** Errors that no part of the page has caught. */
  readonly said: readonly string[];
}

/** The vault is made in `home`. The caller closes the window. */
export async function openUnlocked(home: string): Promise<UnlockedWindow> {
  const folder = join(home, 'vault');
  await makeVault(folder);
  const window = await openWindow(folder);
  try {
    const page = await window.page();
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(error.message));
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('No keys yet').waitFor();
    return { window, page, said };
  } catch (error) {
    await window.close();
    throw error;
  }
}
