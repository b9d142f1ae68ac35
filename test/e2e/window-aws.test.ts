/** Programs of AWS's let in from the real window, keys in other regions, and files: a real SDK comes in with the access key that the window shows. In order. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DecryptCommand, DescribeKeyCommand, EnableKeyCommand, EncryptCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { OpenWindow } from '../hosts/playwright.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { act, button, dialog, heading, openKey, press, submit, textOf } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { openUnlocked } from './support/unlocked-window.ts';

const home = temporaryFolder();
const folder = join(home, 'vault');
let window: OpenWindow;
let page: Page;
let client: KMSClient;
let said: readonly string[];
inOrder(() => page);

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });

beforeAll(async () => {
  ({ window, page, said } = await openUnlocked(home));
  await window.local.ok('kms:CreateKey', { MultiRegion: true, Description: 'for the shop' }).then(({ KeyMetadata }) => window.local.ok('kms:CreateAlias', { AliasName: 'alias/shop', TargetKeyId: (KeyMetadata as { readonly KeyId: string }).KeyId }));
});
afterAll(async () => {
  client.destroy();
  await window.close();
  remove(home);
});

it('opens the door and makes a client, whose access key a real SDK comes in with', async () => {
  const port = await freePort();
  await page.keyboard.press('Control+7');
  await page.getByText('The door lets nobody in without one').waitFor();
  await page.getByLabel('Port').fill(String(port));
  await page.keyboard.press('Enter');
  await page.getByText(`https://127.0.0.1:${String(port)}`).waitFor();
  await page.getByRole('switch', { name: 'Door for AWS clients' }).click();
  await page.getByText('Nobody has come in since the door was opened.').waitFor();
  await press(page, 'New client');
  await page.getByLabel('Name', { exact: true }).fill('orders-api');
  await submit(page);
  await heading(page, 'Access key of orders-api').waitFor();
  const accessKeyId = (await textOf(dialog(page).locator('code').first())).trim();
  await press(dialog(page), 'Reveal');
  const secretAccessKey = await textOf(dialog(page).locator('pre'));
  expect([accessKeyId, secretAccessKey]).toEqual([expect.stringMatching(/^[A-Z0-9]{20}$/), expect.stringMatching(/^[A-Za-z0-9+/]{40}$/)]);
  await press(page, 'I have it');
  await dialog(page).waitFor({ state: 'detached' });
  expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(secretAccessKey);

  client = new KMSClient({ region: 'eu-west-1', endpoint: `https://127.0.0.1:${String(port)}`, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1, requestHandler: { httpsAgent: new Agent({ ca: readFileSync(join(folder, 'aws-ca.pem')) }) } });
  const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: 'alias/shop', Plaintext: Buffer.from('order 17') }));
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }));
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('order 17');
  await page.getByRole('row', { name: /orders-api Encrypt shop 200 ok/ }).waitFor();
  await page.getByRole('row', { name: /orders-api Decrypt shop 200 ok/ }).waitFor();
  await page.getByText(/, used just now/).waitFor();
});

it('changes what a client may do, from its next request on', async () => {
  const { KeyId } = await client.send(new EncryptCommand({ KeyId: 'alias/shop', Plaintext: Buffer.from('x') }));
  const manage = (): Promise<unknown> => client.send(new EnableKeyCommand({ KeyId }));
  await expect(manage()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await press(page, 'Rights of orders-api');
  const [user, administrator] = await dialog(page).getByRole('radio').all();
  expect([await user?.isChecked(), await button(dialog(page), 'This is what it may do now').isDisabled()]).toEqual([true, true]);
  await administrator?.check({ force: true });
  await press(dialog(page), 'Change it');
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByText('uses and manages keys and secrets').waitFor();
  await manage();
});

it('shows a request that is refused, and lets nobody in with a key that was replaced', async () => {
  await expect(client.send(new EncryptCommand({ KeyId: 'alias/none', Plaintext: Buffer.from('x') }))).rejects.toThrow();
  await page.getByRole('row', { name: /orders-api Encrypt NotFoundException/ }).waitFor();
  await press(page, 'New key for orders-api');
  await press(dialog(page), 'Make a new key');
  await button(page, 'I have it').waitFor();
  await expect(client.send(new ListKeysCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  await press(page, 'I have it');
  await page.getByRole('row', { name: /not known ListKeys UnrecognizedClientException/ }).waitFor();
});

it('copies a key to another region, makes it primary there, and takes it back', async () => {
  await page.keyboard.press('Control+1');
  await openKey(page, 'shop');
  await press(page, 'Replicate to another region');
  await page.getByLabel('Region', { exact: true }).fill('us-west-2');
  await submit(page);
  await press(page, 'us-west-2 replica');
  await page.getByText('Replica key').waitFor();
  await press(dialog(page), 'Make it primary…');
  await press(dialog(page), 'Make us-west-2 primary');
  await page.getByText('Primary key').waitFor();
  await press(dialog(page), 'Close');
  await button(page, 'us-west-2 primary').waitFor();
  await press(page, 'eu-west-1 replica');
  await press(dialog(page), 'Make it primary…');
  await press(dialog(page), 'Make eu-west-1 primary');
  await page.getByText('Primary key').waitFor();
  await press(dialog(page), 'Close');
  await press(page, 'us-west-2 replica');
  await press(dialog(page), 'Delete…');
  await press(dialog(page), 'Schedule deletion');
  await press(dialog(page), 'Cancel deletion');
  await press(dialog(page), 'Enable');
  await dialog(page).getByText('Enabled').waitFor();
  await press(dialog(page), 'Close');
});

it('encrypts a file and brings it back, byte for byte', async () => {
  const bytes = randomBytes(3 * 2 ** 20 + 17);
  const file = join(home, 'backup.tar');
  writeFileSync(file, bytes);
  const panel = await act(page, 'File');
  await panel.getByRole('textbox', { name: 'File', exact: true }).fill(file);
  await submit(page);
  await page.getByText('The file is encrypted').waitFor();
  const encrypted = await panel.getByRole('textbox', { name: 'New file' }).inputValue();
  expect(readFileSync(encrypted).includes(bytes.subarray(0, 64))).toBe(false);

  await panel.getByRole('radio', { name: 'Decrypt a file' }).check();
  await panel.getByRole('textbox', { name: 'File', exact: true }).fill(encrypted);
  const back = join(home, 'back.tar');
  await panel.getByRole('textbox', { name: 'New file' }).fill(back);
  await submit(page);
  await page.getByText('The file is decrypted').waitFor();
  expect(readFileSync(back).equals(bytes)).toBe(true);

  // One byte of it changed: nothing comes of it.
  const changed = readFileSync(encrypted);
  changed[changed.length - 100]! ^= 1;
  writeFileSync(encrypted, changed);
  const none = join(home, 'none.tar');
  await panel.getByRole('textbox', { name: 'New file' }).fill(none);
  await submit(page);
  await panel.getByRole('alert').waitFor();
  expect(existsSync(none)).toBe(false);
  await page.keyboard.press('Escape');
});

it('said no error and broke no rule of the page', async () => {
  await expect(client.send(new DescribeKeyCommand({ KeyId: 'alias/shop' }))).rejects.toThrow();
  expect(said).toEqual([]);
});
