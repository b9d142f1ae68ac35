/**
 * The pictures of the README: the real window in the Chromium host over a demo vault, in both themes. `npm run screenshots`; not a test.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { DEMO_PASSWORD } from '../../src/shared/model/demo.ts';
import { act, chooseTheme, dialog, openKey, press, resultOf, submit } from './support/acts.ts';
import { openChromiumWindow } from './support/chromium-window.ts';
import { makeHome } from './support/home.ts';

const FOLDER = 'docs/pictures';
/** Pixels of the picture for one of the page. */
const SCALE = 1.5;
const QUALITY = 82;
/** Bytes that a picture may have in the repository. */
const MOST = 150_000;

const PICTURES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  async keys(page) {
    await openKey(page, 'orders-data');
    await page.getByText(/requests?$/).first().waitFor();
  },
  async sign(page) {
    await openKey(page, 'release-signing');
    const panel = await act(page, 'Sign');
    await panel.getByLabel('Message', { exact: true }).fill('release 1.4.0');
    await submit(page);
    await resultOf(panel, 'Signature');
  },
  async trail(page) {
    await page.getByRole('link', { name: 'Trail' }).click();
    await press(page, 'Verify');
    await page.getByText('Intact', { exact: true }).waitFor();
    await page.getByRole('listbox').getByRole('option', { name: /release-signing/ }).first().click();
    await page.getByRole('complementary', { name: 'Record' }).waitFor();
  },
  async palette(page) {
    await page.keyboard.press('Control+k');
    await dialog(page).getByRole('combobox').fill('sign rel');
    await dialog(page).getByRole('option', { name: /^Sign with/ }).first().waitFor();
  },
};

async function picture(page: Page, name: string): Promise<void> {
  // Hovering and the caret are not part of the picture.
  await page.mouse.move(0, 799);
  await page.waitForTimeout(600);
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setDeviceMetricsOverride', { width: 1280, height: 800, deviceScaleFactor: SCALE, mobile: false });
  await page.waitForTimeout(300);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  await session.detach();
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length > MOST) throw new Error(`${name} has ${String(bytes.length)} bytes`);
  const path = join(FOLDER, `${name}.webp`);
  writeFileSync(path, bytes);
  process.stdout.write(`${path}: ${String(Math.round(bytes.length / 1000))} kB\n`);
}

mkdirSync(FOLDER, { recursive: true });
const home = makeHome();
const window = await openChromiumWindow(home, ['--demo']);
try {
  for (const theme of ['Dark', 'Light'] as const) {
    let page = await window.page();
    await page.getByRole('listbox', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Control+,');
    await chooseTheme(page, theme);
    await page.keyboard.press('Control+1');
    for (const [name, show] of Object.entries(PICTURES)) {
      await show(page);
      await picture(page, `${name}-${theme.toLowerCase()}`);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+1');
    }
    // A fresh page, in the same theme.
    page = await window.renewed(() => page.keyboard.press('Control+l'));
    await page.getByText('is locked').waitFor();
    await picture(page, `unlock-${theme.toLowerCase()}`);
    await page.getByLabel('Password', { exact: true }).fill(DEMO_PASSWORD);
    await press(page, 'Unlock');
    await page.getByRole('listbox', { name: 'Keys' }).waitFor({ timeout: 30_000 });
  }
} finally {
  await window.close();
  home.remove();
}
