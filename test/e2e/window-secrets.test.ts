/** Secrets in the real window over a real vault: made by typing and pasting, revealed one field at a time, changed, compared, brought back, deleted and restored. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenWindow } from '../hosts/playwright.ts';
import { base64 } from '../system/support/client.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { button, dialog, press, submit } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { currentValue, wholePage } from './support/page-content.ts';
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

const current = (name: string): Promise<string> => currentValue(window, name);
const html = (): Promise<string> => wholePage(page);
/** The pane that has the focus itself. */
const focusedPane = (): Promise<string | null | undefined> => page.evaluate(() => document.activeElement?.getAttribute('data-pane'));

const focused = (): Promise<string | undefined> => page.evaluate(() => {
  const element = document.activeElement;
  return element?.getAttribute('aria-label') ?? (element as HTMLInputElement | null)?.labels?.[0]?.textContent ?? undefined;
});

it('makes the first secret from fields, some of them pasted', async () => {
  await page.keyboard.press('Control+2');
  await page.getByText('No secrets yet').waitFor();
  // An empty list holds the keyboard as a full one does, and a dialog begins in its first field.
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-pane'))).toBe('list');
  await page.keyboard.press('n');
  await dialog(page).waitFor();
  expect(await focused()).toBe('Name');
  await page.getByLabel('Name', { exact: true }).fill('prod/orders db');
  await submit(page);
  await page.getByText('no spaces').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('prod/orders/db');
  const first = page.getByLabel('Name of field 1');
  await first.evaluate((input) => {
    const data = new DataTransfer();
    data.setData('text/plain', '{"username":"orders","password":"needle-one","port":"5432","totp":"gezd gnbv gy3t qojq gezd gnbv gy3t qojq"}');
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await page.getByLabel('Name of field 3').waitFor();
  await expect.poll(() => page.getByLabel('Name of field 3').inputValue()).toBe('port');
  await press(page, 'Add a field');
  await expect.poll(focused).toBe('Name of field 5');
  await page.getByLabel('Name of field 5').fill('token');
  await page.getByRole('button', { name: 'Generate a value for field 5' }).click();
  await page.getByText('190 bits: strong').waitFor();
  await press(page, 'Put it into the field');
  await expect.poll(async () => (await page.getByLabel('Value of field 5', { exact: true }).inputValue()).length).toBe(32);
  await page.getByLabel('Description').fill('Orders');
  // What was typed goes along from one way to type it to the other.
  await page.getByRole('radio', { name: 'Text', exact: true }).check();
  const typed = await page.getByLabel('Text of the value').inputValue();
  await page.getByLabel('Text of the value').fill('no fields');
  await page.getByRole('radio', { name: 'Fields', exact: true }).click();
  await dialog(page).getByText('It has no fields').waitFor();
  await page.getByLabel('Text of the value').fill('{"port":5432,"tls":true}');
  await page.getByRole('radio', { name: 'Fields', exact: true }).check();
  await expect.poll(() => page.getByLabel('Value of field 2', { exact: true }).inputValue()).toBe('true');
  await page.getByRole('radio', { name: 'Text', exact: true }).check();
  expect(await page.getByLabel('Text of the value').inputValue()).toBe('{"port":5432,"tls":true}');
  // What has several lines keeps them, and is masked as any other.
  const lines = '-----BEGIN-----\nneedle-line\n-----END-----\n';
  await page.getByLabel('Text of the value').fill(JSON.stringify({ ca: lines }));
  await page.getByRole('radio', { name: 'Fields', exact: true }).check();
  const kept = page.getByLabel('Value of field 1', { exact: true });
  await expect.poll(() => kept.inputValue()).toBe(lines);
  expect(await kept.evaluate((field) => getComputedStyle(field).getPropertyValue('-webkit-text-security'))).toBe('disc');
  await page.getByRole('radio', { name: 'Text', exact: true }).check();
  expect(await page.getByLabel('Text of the value').inputValue()).toBe(JSON.stringify({ ca: lines }));
  await page.getByLabel('Text of the value').fill(JSON.stringify({ ca: 'a\r\nb' }));
  await page.getByRole('radio', { name: 'Fields', exact: true }).click();
  await dialog(page).getByText('It has no fields').waitFor();
  await page.getByLabel('Text of the value').fill('{"a":"1"}');
  await page.getByRole('radio', { name: 'Fields', exact: true }).check();
  const one = page.getByLabel('Value of field 1', { exact: true });
  await expect.poll(() => one.inputValue()).toBe('1');
  await one.evaluate((input, text) => {
    (input as HTMLInputElement).setSelectionRange(0, 1);
    const data = new DataTransfer();
    data.setData('text/plain', text);
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, lines);
  await expect.poll(() => one.inputValue()).toBe(lines);
  await page.getByRole('radio', { name: 'Text', exact: true }).check();
  await page.getByLabel('Text of the value').fill(typed);
  await page.getByRole('radio', { name: 'Fields', exact: true }).check();
  await page.getByLabel('Value of field 5', { exact: true }).waitFor();
  expect(await page.getByLabel('Value of field 5', { exact: true }).getAttribute('type')).toBe('password');
  await press(page, 'Show what is typed');
  expect(await page.getByLabel('Value of field 5', { exact: true }).getAttribute('type')).toBe('text');
  await submit(page);
  await page.getByRole('heading', { name: 'prod/orders/db' }).waitFor();
  const value = JSON.parse(await current('prod/orders/db')) as Record<string, string>;
  expect(value).toEqual({ username: 'orders', password: 'needle-one', port: '5432', totp: 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq', token: expect.stringMatching(/^[A-Za-z0-9]{32}$/) as unknown });
});

it('encrypts it with another key of the vault, and tags it', async () => {
  const known = () => window.local.ok('secretsmanager:DescribeSecret', { SecretId: 'prod/orders/db' });
  const { KeyMetadata } = await window.local.ok('kms:CreateKey', {});
  await window.local.ok('kms:CreateAlias', { AliasName: 'alias/orders', TargetKeyId: (KeyMetadata as { readonly KeyId: string }).KeyId });
  const describe = async (key: string): Promise<void> => {
    await press(page, 'More for this secret');
    await page.getByRole('menuitem', { name: 'Describe…' }).click();
    await page.getByLabel('Encryption key').fill(key);
    await submit(page);
  };
  await describe('alias/none');
  await dialog(page).getByRole('alert').getByText('alias/none').waitFor();
  await page.getByLabel('Encryption key').fill('alias/orders');
  await submit(page);
  await page.getByText('Encrypted with alias/orders').waitFor();
  expect(await known()).toMatchObject({ KmsKeyId: 'alias/orders', Description: 'Orders' });
  await describe('');
  await page.getByText('Encrypted with the vault’s key').waitFor();
  await page.getByRole('tab', { name: 'About' }).click();
  await press(page, 'Add a tag');
  await dialog(page).getByLabel('Tag', { exact: true }).fill('team');
  await dialog(page).getByLabel('Value', { exact: true }).fill('web');
  await submit(page);
  await press(page, 'Change the tag team, web');
  expect(await focused()).toBe('Value');
  await dialog(page).getByLabel('Value', { exact: true }).fill('core');
  await submit(page);
  await dialog(page).waitFor({ state: 'detached' });
  await button(page, 'Change the tag team, core').waitFor();
  expect(await known()).toMatchObject({ Tags: [{ Key: 'team', Value: 'core' }] });
  await press(page, 'Remove the tag team');
  await page.getByRole('tabpanel').getByText('None').waitFor();
  expect(await known()).toMatchObject({ Tags: [] });
  await press(page, 'New secret');
  await page.getByLabel('Name', { exact: true }).fill('in/key');
  await page.getByLabel('Encryption key').fill('alias/orders');
  await submit(page);
  await page.getByText('Encrypted with alias/orders').waitFor();
  await window.local.ok('secretsmanager:DeleteSecret', { SecretId: 'in/key', ForceDeleteWithoutRecovery: true });
  await page.getByRole('option', { name: /^db/ }).click();
  await page.getByRole('tab', { name: 'Value' }).click();
});

it('shows the one-time code of now, and no seed for it', async () => {
  await page.getByRole('button', { name: /Show its fields/ }).click();
  await page.getByRole('button', { name: 'Reveal One-time code' }).click();
  const code = page.getByLabel('One-time code', { exact: true });
  await expect.poll(() => code.textContent()).toMatch(/^\d{6}$/);
  await page.getByText('good for').waitFor();
  expect(await html()).not.toContain('gezd');
  await page.getByRole('tab', { name: 'About' }).click();
  await page.getByRole('tab', { name: 'Value' }).click();
});

it('reveals one field, and has no value in the page before and after', async () => {
  expect(await html()).not.toContain('needle-one');
  // The button goes with what it does: the keyboard stays in the secret.
  await page.getByRole('button', { name: /Show its fields/ }).press('Enter');
  await expect.poll(focusedPane).toBe('detail');
  await page.getByRole('button', { name: 'Reveal password' }).waitFor();
  expect(await html()).not.toContain('needle-one');
  await page.getByRole('button', { name: 'Reveal password' }).click();
  await page.getByText('needle-one', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Hide password' }).click();
  await page.getByText('needle-one', { exact: true }).waitFor({ state: 'detached' });
  expect(await html()).not.toContain('needle-one');
  await page.getByRole('button', { name: 'Reveal password' }).click();
  await page.getByText('needle-one', { exact: true }).waitFor();
  await page.evaluate(() => { globalThis.dispatchEvent(new Event('blur')); });
  await page.getByText('needle-one', { exact: true }).waitFor({ state: 'detached' });
});

it('changes one field and keeps the others', async () => {
  await press(page, 'New value');
  await page.getByLabel('Value of field 2').fill('needle-two');
  expect(await page.getByLabel('Name of field 2').inputValue()).toBe('password');
  await submit(page);
  await dialog(page).waitFor({ state: 'detached' });
  expect(JSON.parse(await current('prod/orders/db'))).toMatchObject({ username: 'orders', password: 'needle-two', port: '5432' });
});

it('compares the version before with the current one, masked, and brings it back', async () => {
  await page.getByRole('tab', { name: /Versions/ }).click();
  await press(page, 'Compare with current');
  await page.getByRole('row', { name: /password.*changed since/ }).waitFor();
  await page.getByRole('row', { name: /username.*the same/ }).waitFor();
  expect(await html()).not.toMatch(/needle-(?:one|two)/);
  await press(page, 'Make it current…');
  await page.getByRole('button', { name: 'Leave it' }).press('Enter');
  await expect.poll(focusedPane).toBe('detail');
  await press(page, 'Make it current…');
  await press(page, 'Make it current');
  await page.getByText('It is the current version now').waitFor();
  expect(JSON.parse(await current('prod/orders/db'))).toMatchObject({ password: 'needle-one' });
  await press(page, 'Undo');
  await expect.poll(async () => (JSON.parse(await current('prod/orders/db')) as Record<string, string>)['password']).toBe('needle-two');
});

it('gives the current version a label, moves it to the one before, and takes it off', async () => {
  const labels = async (): Promise<unknown> => {
    const { Versions } = await window.local.ok('secretsmanager:ListSecretVersionIds', { SecretId: 'prod/orders/db' });
    return (Versions as { VersionStages?: string[] }[]).map(({ VersionStages = [] }) => VersionStages.toSorted());
  };
  const before = await labels();
  const row = (at: number) => page.getByRole('listitem').filter({ has: page.getByRole('button', { name: 'Labels…' }) }).nth(at);
  await row(0).getByRole('button', { name: 'Labels…' }).click();
  await page.getByLabel('Label', { exact: true }).fill('AWSMINE');
  await page.getByText('move by themselves').waitFor();
  await page.getByLabel('Label', { exact: true }).fill('before-migration');
  await press(page, 'Give it this label');
  await expect.poll(async () => JSON.stringify(await labels())).toContain('before-migration');
  await press(page, 'Done');
  await row(1).getByRole('button', { name: 'Labels…' }).click();
  await page.getByLabel('Label', { exact: true }).fill('before-migration');
  await page.getByText('It moves from version').waitFor();
  await press(page, 'Move the label here');
  await page.getByRole('button', { name: 'Take before-migration off' }).click();
  await expect.poll(labels).toEqual(before);
  await press(page, 'Done');
});

it('finds secrets as somebody types, also those that others make meanwhile', async () => {
  for (const [Name, Description] of [['prod/web/mail', 'Postman'], ['staging/db', 'Orders of tomorrow']] as const) await window.local.ok('secretsmanager:CreateSecret', { Name, Description, SecretString: base64('plain text') });
  await page.getByRole('option', { name: /^mail/ }).waitFor();
  await page.getByLabel('Search secrets').fill('orders');
  await page.getByRole('option', { name: /^mail/ }).waitFor({ state: 'detached' });
  expect(await page.getByRole('option').count()).toBe(2);
  await page.getByLabel('Search secrets').fill('nothing-like-it');
  await page.getByText('No secrets match').waitFor();
  await press(page, 'Clear the search');
  await page.getByRole('option', { name: /^mail/ }).click();
  await page.getByRole('button', { name: /Show its fields/ }).click();
  await page.getByRole('button', { name: 'Reveal Value' }).click();
  await page.getByText('plain text', { exact: true }).waitFor();
});

it('deletes one, undoes it, deletes it again and restores it', async () => {
  const state = async (): Promise<unknown> => (await window.local.ok('secretsmanager:DescribeSecret', { SecretId: 'prod/web/mail' }))['DeletedDate'];
  const remove = async (): Promise<void> => {
    await press(page, 'More for this secret');
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    await page.getByLabel('Waiting time in days').fill('7');
    await submit(page);
    await page.getByText('mail is deleted in 7 days').waitFor();
  };
  await remove();
  expect(await state()).toBeGreaterThan(0);
  await press(page, 'Undo');
  await expect.poll(state).toBeUndefined();
  await page.getByRole('button', { name: 'New value', exact: true }).waitFor();
  await remove();
  await press(page, 'Restore');
  await expect.poll(state).toBeUndefined();
});

it('keeps nothing on the screen after a lock', async () => {
  await page.getByRole('option', { name: /^db/ }).first().click();
  await page.getByRole('button', { name: /Show its fields/ }).click();
  await page.getByRole('button', { name: 'Reveal password' }).click();
  await page.getByText('needle-two', { exact: true }).waitFor();
  const renewed = window.renewed();
  await page.keyboard.press('Control+l').catch(() => undefined);
  await renewed;
  page = await window.page();
  await page.getByText('is locked').first().waitFor();
  expect(await html()).not.toMatch(/needle|prod\/orders/);
  expect(said).toEqual([]);
});
