/** What the real window says is so when it says it, and what it shows once stays until a person has it. In order. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import type { OpenWindow } from '../hosts/playwright.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { act, button, dialog, fromMenu, heading, openKey, press, recoveryCode, resultOf, submit, typeGroups } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { openUnlocked } from './support/unlocked-window.ts';

const home = temporaryFolder();
let window: OpenWindow;
let page: Page;
let said: readonly string[];
inOrder(() => page);

beforeAll(async () => { ({ window, page, said } = await openUnlocked(home)); });
afterAll(async () => {
  await window.close();
  remove(home);
});

/** Rows that are drawn, those beyond the edge of the list with them, are half as many. */
const MORE_THAN_SHOWN = 50;

/** What goes elsewhere from anywhere else. */
const ELSEWHERE = ['Control+1', 'Control+2', 'Control+7', 'Control+9', 'Control+,', 'Control+k', 'F6', '?'];
async function tryToLeave(): Promise<void> {
  for (const key of ELSEWHERE) await page.keyboard.press(key);
  // What would show another dialog has had its time once this has been drawn.
  await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => { requestAnimationFrame(drawn); }); }));
  expect(await dialog(page).count()).toBe(1);
}

it('keeps a new recovery code until it is written down, whatever key is pressed', async () => {
  await page.keyboard.press('Control+,');
  await press(page, 'Make a new one');
  await page.getByLabel('Your password', { exact: true }).focus();
  await tryToLeave();
  await page.getByLabel('Your password', { exact: true }).fill(PASSWORD);
  await submit(page);
  const groups = await recoveryCode(page);
  await heading(page, 'Keep the recovery code').waitFor();
  await tryToLeave();
  expect(await recoveryCode(page)).toEqual(groups);
  await press(page, 'I have it, type two groups back');
  await typeGroups(page, groups);
  await dialog(page).waitFor({ state: 'detached' });
});

it('keeps a new secret access key until it is taken, and gives the keys back afterwards', async () => {
  await page.keyboard.press('Control+7');
  await press(page, 'New client');
  await page.getByLabel('Name', { exact: true }).fill('orders-api');
  await submit(page);
  await heading(page, 'Access key of orders-api').waitFor();
  await button(page, 'I have it').focus();
  await tryToLeave();
  await press(page, 'I have it');
  await dialog(page).waitFor({ state: 'detached' });
  // The palette holds nothing, so it goes when a section is asked for.
  await page.keyboard.press('Control+k');
  await dialog(page).getByRole('combobox').waitFor();
  await page.keyboard.press('Control+1');
  await page.getByText('No keys yet').waitFor();
  expect(await dialog(page).count()).toBe(0);
});

it('counts and lists a request as soon as it is answered', async () => {
  const { KeyMetadata } = (await window.local.ok('kms:CreateKey')) as { readonly KeyMetadata: { readonly KeyId: string } };
  await window.local.ok('kms:CreateAlias', { AliasName: 'alias/orders/data', TargetKeyId: KeyMetadata.KeyId });
  await openKey(page, 'orders/data');
  await page.getByText('0 requests', { exact: true }).waitFor();
  await page.getByText('Never', { exact: true }).waitFor();
  const panel = await act(page, 'Encrypt');
  await panel.getByLabel('Plaintext', { exact: true }).fill('note');
  await submit(page);
  await resultOf(panel, 'Ciphertext');
  await page.keyboard.press('Escape');
  await page.getByText('1 request', { exact: true }).waitFor();
  await page.getByText(/(just now|min ago), Encrypt$/).waitFor();
  await page.getByRole('tab', { name: 'Trail' }).click();
  await page.getByRole('cell', { name: 'Encrypt', exact: true }).waitFor();
  await page.getByRole('tab', { name: 'Overview' }).click();
});

it('says in the deletion of a key when it was used last, wherever that was', async () => {
  await window.local.ok('kms:GenerateDataKeyPairWithoutPlaintext', { KeyId: 'alias/orders/data', KeyPairSpec: 'ECC_NIST_P256' });
  await fromMenu(page, 'Schedule deletion…');
  await dialog(page).getByText(/(just now|min ago), GenerateDataKeyPairWithoutPlaintext$/).waitFor();
  await press(page, 'Keep the key');
});

it('keeps the result of the last check of the trail while somebody looks elsewhere', async () => {
  await page.keyboard.press('Control+9');
  await page.getByText('Not checked here since the vault was unlocked.').waitFor();
  await press(page, 'Verify');
  await page.getByText('Intact', { exact: true }).waitFor();
  await page.keyboard.press('Control+1');
  await heading(page, 'Keys').waitFor();
  await page.keyboard.press('Control+9');
  await heading(page, 'Trail').waitFor();
  await page.getByText('Intact', { exact: true }).waitFor();
});

it('says when a secret was read last, and never that it was not', async () => {
  await window.local.ok('secretsmanager:CreateSecret', { Name: 'orders/db', SecretString: SecretBytes.take(new TextEncoder().encode('{"password":"p"}')) });
  await page.keyboard.press('Control+2');
  await page.getByRole('option', { name: /^db\b/ }).click();
  await page.getByRole('button', { name: /Show its fields/ }).click();
  await button(page, 'Reveal password').click();
  await page.getByRole('tab', { name: 'About' }).click();
  await page.getByText('Not recorded yet', { exact: true }).waitFor();
  // Readings are written down together, ten seconds after the first.
  await page.locator('dl div', { hasText: /^Last read/ }).getByText(/^\d+ [A-Z][a-z]{2} \d{4}$/).waitFor({ timeout: 60_000 });
});

it('finds and offers a key that was never on the screen', async () => {
  const make = async (alias: string, input: object): Promise<void> => {
    const { KeyMetadata } = (await window.local.ok('kms:CreateKey', { ...input })) as { readonly KeyMetadata: { readonly KeyId: string } };
    await window.local.ok('kms:CreateAlias', { AliasName: alias, TargetKeyId: KeyMetadata.KeyId });
  };
  for (let i = 0; i < MORE_THAN_SHOWN; i++) await make(`alias/shown/${String(i)}`, {});
  await make('alias/unseen/mac', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  await page.keyboard.press('Control+1');
  const { Keys } = (await window.local.ok('kms:ListKeys', { Limit: 1000 })) as { readonly Keys: readonly unknown[] };
  await page.getByPlaceholder(`Filter ${String(Keys.length)} keys`).waitFor();
  await page.keyboard.press('Control+k');
  await dialog(page).getByRole('combobox').fill('unseen');
  await dialog(page).getByRole('option', { name: /^unseen.mac/ }).waitFor();
  while (!((await page.locator('[cmdk-item][data-selected=true]').textContent()) ?? '').startsWith('unseen/mac')) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await dialog(page).getByRole('option', { name: /^Make a MAC with unseen.mac/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByPlaceholder(/^Filter/).fill('hmac');
  await expect.poll(() => page.getByRole('listbox', { name: 'Keys' }).getByRole('option').allTextContents()).toEqual([expect.stringContaining('unseen/mac')]);
  await page.getByPlaceholder(/^Filter/).fill('rsa');
  await page.getByText('No keys match').waitFor();
});

it('has had no error on any page', () => {
  expect(said).toEqual([]);
});
