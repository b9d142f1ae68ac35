/** Imports in the real window over a real vault: a file that is named, one that is dropped, content that is pasted; no value in the page, ever. */
import { existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenWindow } from '../hosts/playwright.ts';
import { base64 } from '../system/support/client.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { dialog, press, submit } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { currentValue, wholePage } from './support/page-content.ts';
import { openUnlocked } from './support/unlocked-window.ts';

const NEEDLE = 'zqNeedle7Xw';
const home = temporaryFolder();
let window: OpenWindow;
let page: Page;
let said: readonly string[];
inOrder(() => page);

beforeAll(async () => {
  ({ window, page, said } = await openUnlocked(home));
  await page.keyboard.press('Control+2');
  await page.getByText('No secrets yet').waitFor();
});
afterAll(async () => {
  await window.close();
  remove(home);
});

const current = (name: string): Promise<string> => currentValue(window, name);
const html = (): Promise<string> => wholePage(page);
const clean = async (): Promise<void> => { expect((await html()).includes(NEEDLE)).toBe(false); };

it('imports a .env that is named as one secret, and erases the file when it is told to', async () => {
  const path = join(home, '.env');
  writeFileSync(path, `USER=${NEEDLE}-u\nPASSWORD=${NEEDLE}-p\n`, { mode: 0o600 });
  await press(page, 'Import a file');
  // As a shell would have it.
  await page.getByLabel('File', { exact: true }).fill(`~/${relative(homedir(), path)}`);
  await submit(page);
  await page.getByLabel('Name', { exact: true }).fill('shop');
  await page.getByLabel('Prefix of names').fill('prod/');
  await dialog(page).getByText('prod/shop', { exact: true }).waitFor();
  await dialog(page).getByText('PASSWORD', { exact: true }).waitFor();
  await clean();
  expect(await window.local.ok('secretsmanager:ListSecrets')).toMatchObject({ SecretList: [] });
  await press(page, 'Import 1 secret');
  await page.getByText('1 secret made.').waitFor();
  expect(JSON.parse(await current('prod/shop'))).toEqual({ USER: `${NEEDLE}-u`, PASSWORD: `${NEEDLE}-p` });
  expect(existsSync(path)).toBe(true);
  await press(page, 'Overwrite and delete the file…');
  await page.getByText('This cannot be undone').waitFor();
  expect(existsSync(path)).toBe(true);
  await press(page, 'Overwrite and delete');
  await page.getByText('was overwritten and deleted').waitFor();
  expect(existsSync(path)).toBe(false);
  await press(page, 'Done');
  await clean();
});

it('calls what is dropped by the name of its file', async () => {
  await press(page, 'Import');
  await page.getByRole('group', { name: 'Drop a file or paste here' }).evaluate((zone, text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'deploy.env'));
    zone.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, `A=${NEEDLE}1\nB=${NEEDLE}2\n`);
  await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe('deploy');
  await press(page, 'Cancel');
  await dialog(page).waitFor({ state: 'detached' });
});

it('takes what is pasted past the page, and asks for each that clashes', async () => {
  await window.local.ok('secretsmanager:CreateSecret', { Name: 'each/B', SecretString: base64('before') });
  await window.local.ok('secretsmanager:CreateSecret', { Name: 'each/C', SecretString: base64('before') });
  await press(page, 'Import');
  await page.getByRole('group', { name: 'Drop a file or paste here' }).evaluate((zone, text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    zone.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, `A=${NEEDLE}1\nB=${NEEDLE}2\nC=${NEEDLE}3\n`);
  await page.getByRole('radio', { name: 'One each' }).check();
  await page.getByLabel('Prefix of names').fill('each/');
  await page.getByText('3 secrets: 1 new, 2 with another value').waitFor();
  await clean();
  await page.getByLabel('What to do with each/B').selectOption('Replace');
  await page.getByLabel('What to do with each/C').selectOption('Keep');
  await press(page, 'Import 3 secrets');
  await page.getByText('2 secrets made, 1 new version.').waitFor();
  await press(page, 'Done');
  expect(await Promise.all(['each/A', 'each/B', 'each/C', 'each/C-2'].map(current))).toEqual([`${NEEDLE}1`, `${NEEDLE}2`, 'before', `${NEEDLE}3`]);
  await clean();
});

it('leaves neither of two entries of one name out, and lets the last one of a variable count', async () => {
  const row = page.getByLabel('What to do with GitHub');
  const paste = async (text: string): Promise<void> => {
    await press(page, 'Import');
    await page.getByRole('group', { name: 'Drop a file or paste here' }).evaluate((zone, content) => {
      const data = new DataTransfer();
      data.setData('text/plain', content);
      zone.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }, text);
  };
  await paste(`Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nGitHub,https://github.com,me,${NEEDLE}1,,false,false,,\nGitHub,https://github.com,other,${NEEDLE}2,,false,false,,\n`);
  await row.waitFor();
  expect(await row.inputValue()).toBe('Keep');
  await press(page, 'Cancel');
  await paste(`GitHub=${NEEDLE}1\nGitHub=${NEEDLE}2\n`);
  await page.getByRole('radio', { name: 'One each' }).check();
  await row.waitFor();
  expect(await row.inputValue()).toBe('Replace');
  await press(page, 'Cancel');
});

it('takes a file that is dropped on the list, and says why it does not take another', async () => {
  const drop = (name: string, text: string): Promise<void> => page.getByRole('heading', { name: 'Secrets', exact: true }).evaluate((target, [fileName = '', content = '']) => {
    const data = new DataTransfer();
    data.items.add(new File([content], fileName));
    target.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, [name, text]);
  await drop('broken.env', `A=1\nB="${NEEDLE}`);
  await page.getByText('line 2', { exact: false }).waitFor();
  await clean();
  await press(page, 'Cancel');
  await drop('export.json', JSON.stringify({ github: { password: NEEDLE }, mail: { password: NEEDLE } }));
  await page.getByText('2 secrets: 2 new').waitFor();
  await clean();
  await press(page, 'Import 2 secrets');
  await page.getByText('2 secrets made.').waitFor();
  await press(page, 'Done');
  expect(await current('github')).toBe(JSON.stringify({ password: NEEDLE }));
  await clean();
  expect(said).toEqual([]);
});
