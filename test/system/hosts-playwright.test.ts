/** Playwright sees the window of the Chromium host: what the end-to-end tests stand on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWindow, type OpenWindow } from '../hosts/playwright.ts';
import { PASSWORD, makeVault } from './support/make-vault.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

describe('the window under Playwright', () => {
  const folder = temporaryFolder();
  let window: OpenWindow;
  beforeAll(async () => {
    await makeVault(`${folder}/vault`);
    window = await openWindow(`${folder}/vault`);
  });
  afterAll(async () => {
    await window.close();
    remove(folder);
  });

  it('shows the built page, with its bridge and without an error', async () => {
    const page = await window.page();
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await expect.poll(() => page.evaluate("document.querySelector('#root')?.childElementCount > 0")).toBe(true);
    expect(await page.evaluate('Object.keys(keystead)')).toEqual(['invoke', 'on']);
    expect(failures).toEqual([]);
  });

  it('shows a fresh page after a lock', async () => {
    await window.local.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
    const before = await window.page();
    await before.evaluate('void (globalThis.mark = 1)');
    const renewed = window.renewed();
    await window.local.ok('vault:Lock');
    await renewed;
    const page = await window.page();
    expect(await page.evaluate('typeof globalThis.mark')).toBe('undefined');
    // Not waitForFunction with a text, which the page's policy refuses once it has to ask again.
    await expect.poll(() => page.evaluate("document.querySelector('#root')?.childElementCount > 0")).toBe(true);
  });
});
