/** The story once more, by keyboard alone: no call of a mouse in this file, and the page says that it saw none. In order. */
import { chmodSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialog, heading, opensslVerifies, PASSWORD, recoveryCode, resultOf, textOf } from './support/acts.ts';
import { makeHome, type Home } from './support/home.ts';
import { inOrder } from './support/in-order.ts';
import { takeKeyboard, type Keyboard } from './support/keyboard.ts';
import { openWindow, type OpenedWindow } from './support/opened-window.ts';

const MESSAGE = 'release 1.4.0';

describe('the story by keyboard alone', () => {
  let home: Home;
  let window: OpenedWindow;
  let keys: Keyboard;
  const unseen: string[] = [];
  inOrder(() => keys.page);

  const take = async (page: Page): Promise<void> => {
    keys = await takeKeyboard(page);
  };
  /** Before a page is gone: it had no mouse, and every stop showed itself. */
  const leave = async (): Promise<void> => {
    expect(await keys.pointed()).toBe(0);
    unseen.push(...keys.unseen);
  };

  beforeAll(async () => {
    home = makeHome();
    window = await openWindow(home);
    await take(await window.page());
  });
  afterAll(async () => {
    await window.close();
    home.remove();
  });

  it('makes a vault', async () => {
    await heading(keys.page, 'Make your vault').waitFor();
    // Where it cannot be made, the keyboard is where it is tried again.
    chmodSync(home.folder, 0o711);
    for (const name of ['Password', 'Password again']) {
      await keys.tabTo(name);
      await keys.type(PASSWORD);
    }
    await keys.press('Enter');
    await keys.page.getByText('is open to other users').waitFor({ timeout: 20_000 });
    await expect.poll(() => keys.at()).toMatchObject({ name: 'Password' });
    chmodSync(home.folder, 0o700);
    await keys.tabTo('Password');
    await keys.type(PASSWORD);
    await keys.tabTo('Password again');
    await keys.type(PASSWORD);
    await keys.press('Enter');
    const groups = await recoveryCode(keys.page);
    expect(await keys.at()).toMatchObject({ role: 'ol', shown: true });
    await keys.enter('I have it, type two groups back');
    for (let left = 2; left > 0; left--) {
      await keys.tabTo(/^Group \d$/);
      const { name } = await keys.at();
      await keys.type((groups[Number(name.replace('Group ', '')) - 1] ?? '').toLowerCase());
      await keys.press('Tab');
    }
    await keys.enter('Check and finish');
    await keys.page.getByText('No keys yet').waitFor();
    await keys.press('n');
    await dialog(keys.page).waitFor();
    await keys.press('Escape');
    await dialog(keys.page).waitFor({ state: 'detached' });
  });

  it('makes a key to sign with, and one to encrypt with', async () => {
    await keys.enter('Make the first key');
    await dialog(keys.page).waitFor();
    await keys.press('ArrowDown');
    await keys.tabTo(/^Name/);
    await keys.type('release-signing');
    await keys.press('Enter');
    await heading(keys.page, 'release-signing').waitFor();
    await dialog(keys.page).waitFor({ state: 'detached' });

    // The list has the focus now: single letters act.
    expect(await keys.at()).toMatchObject({ role: 'listbox' });
    await keys.press('n');
    await dialog(keys.page).waitFor();
    await keys.tabTo(/^Name/);
    await keys.type('orders-data');
    await keys.press('Enter');
    await heading(keys.page, 'orders-data').waitFor();
    await dialog(keys.page).waitFor({ state: 'detached' });
    expect(await keys.at()).toMatchObject({ role: 'listbox' });
  });

  it('moves through the list and signs; openssl verifies', async () => {
    await keys.press('j');
    await heading(keys.page, 'release-signing').waitFor();
    await keys.press('s');
    const panel = dialog(keys.page);
    await panel.getByLabel('Message', { exact: true }).waitFor();
    await keys.type(MESSAGE);
    await keys.enter('Sign');
    home.write('signature', await resultOf(panel, 'Signature'));
    home.write('message', MESSAGE);
    // What was pressed keeps the focus while it works and afterwards.
    expect(await keys.at()).toMatchObject({ role: 'button', name: 'Sign' });
    await keys.enter('Copy base64');

    // To the other actions, as to any choice: back to the group, then with the arrows.
    await keys.tabTo('Message', 'Shift+Tab');
    await keys.tabTo('Sign', 'Shift+Tab');
    await keys.press('ArrowRight');
    await keys.tabTo('Message');
    await keys.type(MESSAGE);
    await keys.tabTo('Signature');
    await keys.press('ControlOrMeta+v');
    await keys.enter('Verify');
    await panel.getByText('The signature fits').waitFor();
    expect(await keys.at()).toMatchObject({ role: 'button', name: 'Verify' });
    await keys.tabTo('Message', 'Shift+Tab');
    await keys.tabTo('Verify', 'Shift+Tab');
    await keys.press('ArrowRight');
    const pem = panel.getByText('-----BEGIN PUBLIC KEY-----');
    await pem.waitFor();
    home.write('public.pem', await textOf(pem));
    expect(opensslVerifies(home, 'signature', 'message')).toBe('Verified OK\n');
    await keys.press('Escape');
    await panel.waitFor({ state: 'detached' });
    expect(await keys.at()).toMatchObject({ role: 'listbox' });
  });

  it('encrypts a picked file under a context, decrypts, reveals and hides', async () => {
    await keys.press('k');
    await heading(keys.page, 'orders-data').waitFor();
    await keys.press('e');
    const panel = dialog(keys.page);
    await panel.getByLabel('Plaintext', { exact: true }).waitFor();
    const choosing = keys.page.waitForEvent('filechooser');
    await keys.enter('File', 'Shift+Tab');
    await (await choosing).setFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('the note') });
    await panel.getByText('note.txt').waitFor();
    await keys.enter('Add a context');
    await keys.tabTo('Name 1');
    await keys.type('app');
    await keys.press('Tab');
    await keys.type('notes');
    await keys.enter('Encrypt');
    const ciphertext = await resultOf(panel, 'Ciphertext');
    await keys.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await keys.press('d');
    await keys.tabTo('Ciphertext');
    await keys.type(ciphertext.toString('base64'));
    await keys.enter('Add a context');
    await keys.tabTo('Name 1');
    await keys.type('app');
    await keys.press('Tab');
    await keys.type('notes');
    await keys.enter('Decrypt');
    await keys.enter('Reveal');
    await panel.getByText('the note', { exact: true }).waitFor();
    await keys.enter('Hide');
    expect(await keys.page.content()).not.toContain('the note');
    await keys.press('Escape');
    await panel.waitFor({ state: 'detached' });
  });

  it('goes into the key: an alias, the menu, a deletion scheduled and cancelled', async () => {
    await keys.press('Enter');
    await keys.enter('Add an alias');
    await keys.tabTo(/^Alias/);
    await keys.type('second');
    await keys.press('Enter');
    await keys.page.getByText('alias/second', { exact: true }).waitFor();
    await dialog(keys.page).waitFor({ state: 'detached' });
    await keys.enter('Remove alias/second');
    await keys.page.getByText('alias/second no longer names this key').waitFor();

    await keys.enter('More for this key', 'Shift+Tab');
    await keys.page.getByRole('menuitem').first().waitFor();
    await keys.press('End');
    await expect.poll(() => keys.at()).toMatchObject({ role: 'menuitem', name: 'Schedule deletion…' });
    await keys.press('Enter');
    await heading(keys.page, 'Schedule deletion of orders-data').waitFor();
    await keys.tabTo(/^Days to wait/);
    await keys.press('ControlOrMeta+a');
    await keys.type('7');
    await keys.press('Enter');
    await keys.page.getByText('Deletes 7 d').first().waitFor();
    await keys.enter('Cancel deletion');
    await keys.enter('Enable this key');
    await keys.page.getByRole('button', { name: /^Encrypt/ }).waitFor();
    // A dialog of the menu gives the focus back to the menu's button.
    await keys.enter('More for this key', 'Shift+Tab');
    await keys.page.getByRole('menuitem').first().waitFor();
    await keys.press('Enter');
    await dialog(keys.page).waitFor();
    await keys.press('Escape');
    await dialog(keys.page).waitFor({ state: 'detached' });
    await expect.poll(() => keys.at()).toMatchObject({ name: 'More for this key' });
    // Back in the list, on the key that was shown.
    await keys.press('Escape');
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
    await heading(keys.page, 'orders-data').waitFor();
    await keys.press('j');
    await heading(keys.page, 'release-signing').waitFor();
    await keys.press('Enter');
    await keys.press('Escape');
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
    await heading(keys.page, 'release-signing').waitFor();
  });

  it('imports key material, and has the focus at each step', async () => {
    await keys.press('n');
    await keys.tabTo(/^Name/);
    await keys.type('brought');
    await keys.tabTo(/I import the key material/);
    await keys.press('Space');
    await keys.press('Enter');
    await heading(keys.page, 'brought').waitFor();
    await dialog(keys.page).waitFor({ state: 'detached' });
    await keys.press('Enter');
    await keys.enter(/^Import key material/);
    await dialog(keys.page).waitFor();
    await keys.tabTo('Wrapping key');
    await keys.press('End');
    await keys.enter('Get a wrapping key');
    await dialog(keys.page).getByText('A wrapping key and its token').waitFor({ timeout: 30_000 });
    await expect.poll(() => keys.at()).toMatchObject({ role: 'button', name: expect.stringMatching(/^(?:Save wrapping-key|Copy what openssl)/) as string });
    await keys.press('Escape');
    await dialog(keys.page).waitFor({ state: 'detached' });
    await expect.poll(() => keys.at()).toMatchObject({ name: expect.stringMatching(/^Import key material/) as string });
    await keys.press('Escape');
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
  });

  it('filters, and goes from pane to pane', async () => {
    await keys.press('/');
    await keys.type('release');
    await expect.poll(() => keys.page.getByRole('listbox', { name: 'Keys' }).getByRole('option').count()).toBe(1);
    await keys.press('Escape');
    await keys.press('ArrowDown');
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
    // By its name, whatever else has the word in what is said of it; one key goes to it.
    await keys.press('/');
    await keys.type('orders');
    await keys.press('Enter');
    await heading(keys.page, 'orders-data').waitFor();
    await keys.press('/');
    await keys.press('Escape', 2);
    const panes: string[] = [];
    for (let left = 3; left > 0; left--) {
      await keys.press('F6');
      panes.push((await keys.at()).role);
    }
    expect(panes).toEqual(['section', 'nav', 'listbox']);
  });

  it('reads the trail, inspects a record, verifies', async () => {
    await keys.press('ControlOrMeta+9');
    const records = keys.page.getByRole('listbox', { name: /^Records/ });
    await records.getByRole('option').first().waitFor();
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
    await keys.press('j', 2);
    await keys.page.getByRole('complementary', { name: 'Record' }).waitFor();
    await keys.press('F6');
    await keys.enter('Close');
    await keys.page.getByRole('complementary', { name: 'Record' }).waitFor({ state: 'detached' });
    await keys.press('F6');
    await keys.tabTo(/^Records/);
    await keys.press('v');
    await keys.page.getByText('Intact', { exact: true }).waitFor();
    await keys.tabTo('Outcome', 'Shift+Tab');
    await keys.type('Denied');
    await keys.page.getByText('No record matches').waitFor();
    await keys.enter('Clear the filters');
    await records.getByRole('option').first().waitFor();
  });

  it('changes settings', async () => {
    await keys.press('ControlOrMeta+,');
    await keys.tabTo('Auto-lock');
    await keys.type('After 30');
    await expect.poll(() => JSON.parse(home.output('keystead vault describe-settings --output json')) as unknown).toMatchObject({ AutoLockMinutes: 30 });
    await keys.tabTo('System');
    await keys.press('ArrowRight', 2);
    await expect.poll(() => keys.page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light');
    await keys.tabTo('Lock with the screen', 'Shift+Tab');
    await keys.press('Space');
    await expect.poll(() => JSON.parse(home.output('keystead vault describe-settings --output json')) as unknown).toMatchObject({ LockOnScreenLock: false });
  });

  it('asks the palette, and the list of shortcuts', async () => {
    await keys.press('ControlOrMeta+k');
    await dialog(keys.page).getByRole('combobox').waitFor();
    await keys.type('release');
    await keys.page.getByRole('option', { name: /release-signing/ }).first().waitFor();
    // The key in hand, then what can be done with it.
    while (((await keys.page.locator('[cmdk-item][data-selected=true]').textContent()) ?? '').includes('Sign with')) await keys.press('ArrowDown');
    await keys.press('Escape');
    await dialog(keys.page).waitFor({ state: 'detached' });
    await keys.press('ControlOrMeta+1');
    await keys.page.getByRole('listbox', { name: 'Keys' }).waitFor();
    await keys.press('?');
    await heading(keys.page, 'Keyboard shortcuts').waitFor();
    await keys.press('Escape');
    await dialog(keys.page).waitFor({ state: 'detached' });
  });

  it('locks and unlocks', async () => {
    await leave();
    await take(await window.renewed(() => keys.press('ControlOrMeta+l')));
    await keys.tabTo('Password');
    await keys.type('not the password');
    await keys.press('Enter');
    await keys.page.getByText('The password does not open this vault').waitFor({ timeout: 20_000 });
    await expect.poll(() => keys.at()).toMatchObject({ name: 'Password' });
    await keys.type(PASSWORD);
    await keys.press('Enter');
    await keys.page.getByRole('listbox', { name: 'Keys' }).waitFor({ timeout: 20_000 });
    await expect.poll(() => keys.at()).toMatchObject({ role: 'listbox' });
    await leave();
  });

  it('has shown the focus at every stop', () => {
    expect(unseen).toEqual([]);
  });
});
