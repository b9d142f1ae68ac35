/**
 * The whole story in the real window over a real vault, by mouse and keyboard as people do it: from the first run through every kind of
 * key and every use of it, with the command line that the window gives really run beside it, to the recovery code. In order: each part stands
 * on those before.
 */
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inOrder } from './support/in-order.ts';
import { paste, type XServer } from '../system/support/x-server.ts';
import { act, button, chooseTheme, commandOf, dialog, fromMenu, heading, openKey, opensslVerifies, PASSWORD, press, recoveryCode, resultOf, submit, textOf, typeGroups, unlock } from './support/acts.ts';
import { makeHome, type Home } from './support/home.ts';
import { openDesktop, openWindow, type OpenedWindow } from './support/opened-window.ts';

const CHANGED = 'harbour velvet mosaic lantern';
const RECOVERED = 'orchid thunder paper compass';
const NOTE = 'höllo\nwörld';
const MESSAGE = 'release 1.4.0';
const LARGE = randomBytes(20_000);

describe('the whole story', () => {
  let desktop: XServer;
  let home: Home;
  let window: OpenedWindow;
  let page: Page;
  let groups: readonly string[] = [];
  const said: string[] = [];
  const follow = (fresh: Page): void => {
    page = fresh;
    page.on('pageerror', (error) => said.push(error.message));
  };
  inOrder(() => page);
  const status = (): string => home.output('keystead status');

  beforeAll(async () => {
    desktop = await openDesktop();
    home = makeHome(desktop.env);
    window = await openWindow(home);
    follow(await window.page());
  });
  afterAll(async () => {
    await window.close();
    home.remove();
    await desktop.end();
  });

  it('makes a vault: strength in words, the two passwords alike, the recovery code typed back', async () => {
    await heading(page, 'Make your vault').waitFor();
    const [password, again] = [page.getByLabel('Password', { exact: true }), page.getByLabel('Password again', { exact: true })];
    for (const [text, word] of [['password1', 'Weak'], ['violin glacier', 'Fair'], ['violin glacier tobacco', 'Good'], [PASSWORD, 'Strong']] as const) {
      await password.fill(text);
      await page.getByText(new RegExp(`^${word}: `)).waitFor();
    }
    await password.fill('seven c');
    await press(page, 'Make the vault');
    await page.getByText('at least 8 characters').waitFor();
    await password.fill(PASSWORD);
    await again.fill('violin glacier');
    await press(page, 'Make the vault');
    await page.getByText('The two are not the same').waitFor();
    await again.fill(PASSWORD);
    await press(page, 'Make the vault');

    groups = await recoveryCode(page);
    expect(groups.map((group) => /^[0-9A-HJKMNP-TV-Z]{4}$/.test(group))).toEqual(Array.from({ length: 7 }, () => true));
    await press(page, 'I have it, type two groups back');
    expect(await page.content()).not.toContain(groups[0]);
    await typeGroups(page, groups.map(() => '0000'));
    await page.getByText('These are not the two groups').waitFor();
    await typeGroups(page, groups);
    await page.getByText('No keys yet').waitFor();
    expect(status()).toMatch(/^State +unlocked$/m);
  });

  it('makes a key of each kind that it offers', async () => {
    await press(page, 'Make the first key');
    await dialog(page).waitFor();
    const made: string[] = [];
    for (const purpose of ['Encrypt and decrypt', 'Sign and verify', 'Authenticate messages']) {
      for (let at = 0; ; at++) {
        if ((await dialog(page).count()) === 0) await press(page, 'New key');
        await page.getByRole('radio', { name: new RegExp(`^${purpose}`) }).check();
        const kinds = await page.getByLabel('Kind', { exact: true }).locator('option').evaluateAll((options) => options.map((option) => (option as unknown as { value: string }).value));
        const kind = kinds[at];
        if (kind === undefined) break;
        // The largest pairs take seconds each: once is enough.
        if (kind === 'RSA_4096' && purpose !== 'Encrypt and decrypt') continue;
        const name = `${purpose.split(' ')[0]?.toLowerCase() ?? ''}/${kind.toLowerCase().replaceAll('_', '-')}`;
        await page.getByLabel('Kind', { exact: true }).selectOption(kind);
        await page.getByLabel('Name', { exact: true }).fill(name);
        await submit(page);
        await heading(page, name).waitFor({ timeout: 30_000 });
        made.push(name);
      }
    }
    await page.keyboard.press('Escape');
    expect(made.length).toBeGreaterThanOrEqual(15);
    const { Aliases } = JSON.parse(home.output('keystead kms list-aliases --output json')) as { Aliases: { AliasName: string }[] };
    expect(Aliases.map(({ AliasName }) => AliasName.replace('alias/', '')).sort()).toEqual([...made].sort());
  });

  it('refuses a name that no alias can have, and makes no key for one that is taken', async () => {
    const count = (): number => (JSON.parse(home.output('keystead kms list-keys --output json')) as { Keys: object[] }).Keys.length;
    const before = count();
    await press(page, 'New key');
    await page.getByLabel('Name', { exact: true }).fill('no spaces here');
    await submit(page);
    await page.getByText('A name has letters').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('sign/rsa-3072');
    await submit(page);
    await page.getByText('names another key already').waitFor();
    expect(count()).toBe(before);
    await press(dialog(page), 'Cancel');
    await dialog(page).waitFor({ state: 'detached' });
  });

  it('encrypts and decrypts under a context; the command line does the same', async () => {
    await openKey(page, 'encrypt/symmetric-default');
    const panel = await act(page, 'Encrypt');
    const addContext = async (value: string): Promise<void> => {
      await press(panel, 'Add a context');
      await panel.getByLabel('Name 1', { exact: true }).fill('app');
      await panel.getByLabel('Value 1', { exact: true }).fill(value);
    };
    await panel.getByLabel('Plaintext', { exact: true }).fill(NOTE);
    await addContext('notes, all');
    await submit(page);
    const ciphertext = await resultOf(panel, 'Ciphertext');
    expect(await panel.getByLabel('Plaintext', { exact: true }).inputValue()).toBe('');

    home.write('plaintext', NOTE);
    home.output(`rm -f ciphertext.bin && ${await commandOf(panel)}`);
    const theirs = home.read('ciphertext.bin');
    expect(theirs.length).toBe(ciphertext.length);

    // Each opens what the other made.
    await act(page, 'Decrypt');
    await panel.getByLabel('Ciphertext', { exact: true }).fill(theirs.toString('base64'));
    await addContext('notes');
    await submit(page);
    await panel.getByText('Nothing was decrypted.').waitFor();
    await panel.getByText('InvalidCiphertextException').waitFor();
    await panel.getByLabel('Value 1', { exact: true }).fill('notes, all');
    await submit(page);
    await panel.getByText('Plaintext, hidden').waitFor();
    expect(await page.content()).not.toContain('wörld');
    await press(panel, 'Reveal');
    expect(await textOf(panel.getByLabel('Plaintext', { exact: true }))).toBe(NOTE);
    await press(panel, 'Hide');
    expect(await page.content()).not.toContain('wörld');
    // Into the clipboard without ever being in the page, and out of it again.
    await panel.getByLabel('Ciphertext', { exact: true }).fill(ciphertext.toString('base64'));
    await press(panel, 'Copy without showing');
    await panel.getByText(/clears in \d+ s/).first().waitFor();
    expect(await paste(desktop)).toBe(NOTE);
    expect(await page.content()).not.toContain('wörld');
    await press(panel, 'Clear now');
    await expect.poll(() => paste(desktop)).toBeUndefined();
    home.write('ciphertext.bin', ciphertext);
    home.output(`rm -f plaintext && ${await commandOf(panel)}`);
    expect(home.read('plaintext').toString()).toBe(NOTE);

    await act(page, 'Data key');
    await panel.getByLabel('Length', { exact: true }).selectOption('AES_128');
    await submit(page);
    await press(panel, 'Reveal');
    const dataKey = await resultOf(panel, 'Data key in the clear');
    expect(dataKey).toHaveLength(16);
    home.write('data-key.bin', await resultOf(panel, 'Encrypted data key'));
    expect(JSON.parse(home.output('keystead kms decrypt --ciphertext-blob fileb://data-key.bin --output json'))).toMatchObject({ Plaintext: dataKey.toString('base64') });
    const said = home.output(`rm -f data-key data-key.bin && ${await commandOf(panel)} --output json`);
    const made = home.read('data-key');
    expect(made).toHaveLength(16);
    // Into the files alone: nothing of it on the terminal.
    expect(said).not.toContain(made.toString('base64'));
    expect(JSON.parse(home.output('keystead kms decrypt --ciphertext-blob fileb://data-key.bin --output json'))).toMatchObject({ Plaintext: made.toString('base64') });

    await act(page, 'Encrypt');
    await panel.getByLabel('Plaintext', { exact: true }).fill('x'.repeat(4097));
    await panel.getByText('Too long to encrypt at once').waitFor();
    await submit(page);
    expect(await panel.getByLabel('Ciphertext', { exact: true }).count()).toBe(0);
    await page.keyboard.press('Escape');
  });

  it('signs what openssl then verifies: text, and a file too large to go whole, picked and dropped', async () => {
    await openKey(page, 'sign/ecc-nist-p256');
    const panel = await act(page, 'Public key');
    const pem = await textOf(panel.getByText('-----BEGIN PUBLIC KEY-----'));
    expect(home.output(await commandOf(panel)).trim()).toBe(pem.trim());
    home.write('public.pem', pem);
    await panel.getByText(/^SHA256:/).waitFor();

    await act(page, 'Sign');
    await panel.getByLabel('Message', { exact: true }).fill(MESSAGE);
    await submit(page);
    const signature = await resultOf(panel, 'Signature');
    home.write('message', MESSAGE);
    home.write('ours.sig', signature);
    expect(opensslVerifies(home, 'ours.sig', 'message')).toBe('Verified OK\n');
    home.output(`rm -f signature.bin && ${await commandOf(panel)}`);
    expect(opensslVerifies(home, 'signature.bin', 'message')).toBe('Verified OK\n');

    // Copied, and pasted into another field: the clipboard holds what it says.
    await press(panel, 'Copy base64');
    await button(panel, 'Copied').waitFor();
    await act(page, 'Verify');
    await panel.getByLabel('Signature', { exact: true }).focus();
    await page.keyboard.press('ControlOrMeta+v');
    expect(await panel.getByLabel('Signature', { exact: true }).inputValue()).toBe(signature.toString('base64'));
    await panel.getByLabel('Message', { exact: true }).fill(MESSAGE);
    await submit(page);
    await panel.getByText('The signature fits').waitFor();
    home.write('signature.bin', signature);
    expect(home.output(await commandOf(panel))).toContain('"SignatureValid": true');
    await panel.getByLabel('Message', { exact: true }).fill(`${MESSAGE}!`);
    await expect.poll(() => panel.getByText('The signature fits').count()).toBe(0);
    await submit(page);
    await panel.getByText('KMSInvalidSignatureException').waitFor();

    await act(page, 'Sign');
    const choosing = page.waitForEvent('filechooser');
    await press(panel, 'File');
    await (await choosing).setFiles({ name: 'large.tar', mimeType: 'application/x-tar', buffer: LARGE });
    await panel.getByText('large.tar').waitFor();
    await submit(page);
    home.write('large.tar', LARGE);
    home.write('large.sig', await resultOf(panel, 'Signature of the digest'));
    expect(opensslVerifies(home, 'large.sig', 'large.tar')).toBe('Verified OK\n');
    home.output(`rm signature.bin && ${await commandOf(panel)}`);
    expect(opensslVerifies(home, 'signature.bin', 'large.tar')).toBe('Verified OK\n');

    await act(page, 'Verify');
    const dropped = await page.evaluateHandle((base64) => {
      const files = new DataTransfer();
      files.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], 'dropped.tar'));
      return files;
    }, LARGE.toString('base64'));
    for (const event of ['dragover', 'drop']) await panel.getByLabel('Message', { exact: true }).dispatchEvent(event, { dataTransfer: dropped });
    await panel.getByText('dropped.tar').waitFor();
    await panel.getByLabel('Signature', { exact: true }).fill(home.read('large.sig').toString('base64'));
    await submit(page);
    await panel.getByText('The signature fits').waitFor();
    await press(panel, 'Remove dropped.tar');
    await page.keyboard.press('Escape');
  });

  it.each(['sign/rsa-3072', 'sign/ecc-nist-edwards25519'])('signs with %s as the command line does, byte for byte', async (name) => {
    await openKey(page, name);
    const panel = await act(page, 'Sign');
    await panel.getByLabel('Message', { exact: true }).fill(MESSAGE);
    // Of RSA's schemes the one without a salt.
    const deterministic = name.includes('rsa') ? 'RSASSA_PKCS1_V1_5_SHA_256' : 'ED25519_SHA_512';
    await panel.getByLabel('Algorithm', { exact: true }).selectOption(deterministic);
    await submit(page);
    const signature = await resultOf(panel, 'Signature');
    home.output(`rm -f signature.bin && ${await commandOf(panel)}`);
    expect(home.read('signature.bin').equals(signature)).toBe(true);
    await page.keyboard.press('Escape');
  });

  it('makes a MAC as the command line does, and verifies it', async () => {
    await openKey(page, 'authenticate/hmac-256');
    const panel = await act(page, 'Make a MAC');
    await panel.getByLabel('Message', { exact: true }).fill(MESSAGE);
    await submit(page);
    const mac = await resultOf(panel, 'MAC');
    expect(mac).toHaveLength(32);
    home.output(`rm -f mac.bin && ${await commandOf(panel)}`);
    expect(home.read('mac.bin').equals(mac)).toBe(true);

    await act(page, 'Verify a MAC');
    await panel.getByLabel('Message', { exact: true }).fill(MESSAGE);
    await panel.getByLabel('MAC', { exact: true }).fill('not base64!');
    await panel.getByText('This is not base64.').waitFor();
    await panel.getByLabel('MAC', { exact: true }).fill(mac.toString('base64'));
    await submit(page);
    await panel.getByText('The MAC fits').waitFor();
    expect(home.output(await commandOf(panel))).toContain('"MacValid": true');
    await page.keyboard.press('Escape');
  });

  it('encrypts with RSA up to what fits, and the command line opens it', async () => {
    await openKey(page, 'encrypt/rsa-2048');
    const panel = await act(page, 'Encrypt');
    await panel.getByText('0 bytes of 190 bytes').waitFor();
    await panel.getByLabel('Plaintext', { exact: true }).fill(MESSAGE);
    await submit(page);
    home.write('rsa.bin', await resultOf(panel, 'Ciphertext'));
    await act(page, 'Decrypt');
    await panel.getByLabel('Ciphertext', { exact: true }).fill(home.read('rsa.bin').toString('base64'));
    await submit(page);
    await press(panel, 'Reveal');
    expect(await textOf(panel.getByLabel('Plaintext', { exact: true }))).toBe(MESSAGE);
    home.output(`rm -f plaintext && cp ciphertext.bin kept.bin && cp rsa.bin ciphertext.bin && ${await commandOf(panel)} && cp kept.bin ciphertext.bin`);
    expect(home.read('plaintext').toString()).toBe(MESSAGE);
    await page.keyboard.press('Escape');
  });

  it('gives aliases, moves one, takes one back; describes, disables and enables', async () => {
    await openKey(page, 'sign/ecc-nist-p384');
    await press(page, 'Add an alias');
    await page.getByLabel('Alias', { exact: true }).fill('second');
    await submit(page);
    await page.getByText('alias/second', { exact: true }).waitFor();
    await press(page, 'Add an alias');
    await page.getByLabel('Alias', { exact: true }).fill('sign/ecc-nist-p521');
    await submit(page);
    await page.getByText('names sign/ecc-nist-p521 now').waitFor();
    await submit(page);
    await page.getByText('alias/sign/ecc-nist-p521', { exact: true }).waitFor();
    await press(page, 'Remove alias/second');
    await page.getByText('alias/second no longer names this key').waitFor();
    await press(page, 'Undo');
    await button(page, 'Remove alias/second').waitFor();
    await press(page, 'Remove alias/second');
    await expect.poll(() => button(page, 'Remove alias/second').count()).toBe(0);

    await fromMenu(page, 'Add a description');
    await page.getByLabel('Description', { exact: true }).fill('Signs <b>nothing</b> yet');
    await submit(page);
    await page.getByText('Signs <b>nothing</b> yet').waitFor();
    await fromMenu(page, 'Disable');
    await button(page, 'Enable this key').waitFor();
    expect(await button(page, 'Sign').count()).toBe(0);
    await press(page, 'Enable this key');
    await button(page, 'Sign').waitFor();
    expect(JSON.parse(home.output('keystead kms describe-key --key-id alias/sign/ecc-nist-p384 --output json'))).toMatchObject({ KeyMetadata: { Description: 'Signs <b>nothing</b> yet', KeyState: 'Enabled' } });
  });

  it('schedules a deletion, says what is lost and when, and cancels it', async () => {
    await openKey(page, 'authenticate/hmac-384');
    await fromMenu(page, 'Schedule deletion…');
    await page.getByText('MACs it made can never be checked afterwards.').waitFor();
    const days = page.getByLabel('Days to wait', { exact: true });
    await days.fill('6');
    await page.getByText('From 7 to 30 days.').waitFor();
    expect(await dialog(page).locator('button[type=submit]').isDisabled()).toBe(true);
    await days.fill('7');
    await submit(page);
    await page.getByText('Deletes 7 d').first().waitFor();
    expect(home.shell('keystead kms generate-mac --key-id alias/authenticate/hmac-384 --message fileb://message --mac-algorithm HMAC_SHA_384').stderr).toContain('KMSInvalidStateException');
    await press(page, 'Cancel deletion');
    await button(page, 'Enable this key').waitFor();
    await press(page, 'Enable this key');
    await button(page, 'Make a MAC').waitFor();
  });

  it('finds a key by its name, by what it is, and says when there is none', async () => {
    const filter = page.getByPlaceholder(/^Filter/);
    const count = (): Promise<number> => page.getByRole('listbox', { name: 'Keys' }).getByRole('option').count();
    await filter.fill('hmac');
    await expect.poll(count).toBe(4);
    await filter.fill('kms:decrypt');
    await expect.poll(count).toBe(4);
    await filter.fill('nothing like it');
    await page.getByText('No keys match').waitFor();
    await press(page, 'Clear the filter');
    await expect.poll(count).toBeGreaterThan(5);
  });

  it('shows the trail: filtered, one record inspected, verified from end to end', async () => {
    await page.getByRole('link', { name: 'Trail' }).click();
    const records = page.getByRole('listbox', { name: /^Records/ }).getByRole('option');
    await records.first().waitFor();
    await page.getByLabel('Outcome', { exact: true }).selectOption('failed');
    await page.getByPlaceholder('Operation, resource, door…').fill('Verify');
    await expect.poll(() => records.count()).toBe(1);
    await records.first().click();
    const record = page.getByRole('complementary', { name: 'Record' });
    await record.getByText('KMSInvalidSignatureException', { exact: true }).waitFor();
    for (const text of ['Failed', 'You', 'SigningAlgorithm', 'Values are never recorded.']) await record.getByText(text, { exact: true }).first().waitFor();
    expect(await textOf(record)).not.toContain(MESSAGE);
    await page.getByPlaceholder('Operation, resource, door…').fill('no such thing');
    await page.getByText('No record matches').waitFor();
    await press(page, 'Clear the filters');
    await page.getByPlaceholder('Operation, resource, door…').fill('Encrypt');
    await expect.poll(async () => new Set((await records.allTextContents()).map((text) => /Command line|You/.exec(text)?.[0]))).toEqual(new Set(['Command line', 'You']));
    await page.getByLabel('Time', { exact: true }).selectOption('hour');
    await press(page, 'Verify');
    await page.getByText('Intact', { exact: true }).waitFor();
    const [, shown = ''] = /([\d,]+) records in 1 file/.exec(await textOf(page.locator('section[aria-label="Records"]'))) ?? [];
    const { Records } = JSON.parse(home.output('keystead trail verify --output json')) as { Records: number };
    expect(Records).toBeGreaterThanOrEqual(Number(shown.replaceAll(',', '')));
    expect(Number(shown.replaceAll(',', ''))).toBeGreaterThan(50);
  });

  it('keeps settings: name, auto-lock, theme, clipboard time, single letters', async () => {
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Name of the vault', { exact: true }).fill('Acme');
    await page.keyboard.press('Enter');
    await page.getByLabel('Auto-lock', { exact: true }).selectOption('5');
    await page.getByRole('switch', { name: 'Lock with the screen' }).click();
    const settings = (): unknown => JSON.parse(home.output('keystead vault describe-settings --output json'));
    await expect.poll(settings).toMatchObject({ Name: 'Acme', AutoLockMinutes: 5, LockOnScreenLock: false });
    await page.getByRole('button', { name: /^Acme/ }).waitFor();
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await chooseTheme(page, 'Light');
    const light = await background();
    await chooseTheme(page, 'Dark');
    expect(await background()).not.toBe(light);
    await page.getByLabel('Clear the clipboard', { exact: true }).selectOption('0');
    await page.getByRole('switch', { name: 'Single-letter shortcuts' }).click();
    await page.keyboard.press('ControlOrMeta+1');
    await heading(page, 'Keys').waitFor();
    await page.keyboard.press('n');
    await page.keyboard.press('ControlOrMeta+,');
    await page.getByRole('switch', { name: 'Single-letter shortcuts' }).click();
    expect(await dialog(page).count()).toBe(0);
  });

  it('runs what the palette finds', async () => {
    await page.keyboard.press('ControlOrMeta+k');
    await dialog(page).getByRole('combobox').fill('sign p256');
    await page.getByRole('option', { name: /^Sign with sign\/ecc-nist-p256/ }).waitFor();
    await page.keyboard.press('Enter');
    await dialog(page).getByLabel('Message', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('ControlOrMeta+k');
    await dialog(page).getByRole('combobox').fill('hmac-512');
    await dialog(page).getByRole('option', { name: /^authenticate.hmac-512/ }).click();
    await heading(page, 'authenticate/hmac-512').waitFor();
  });

  it('changes the password in Settings', async () => {
    await page.keyboard.press('ControlOrMeta+,');
    await press(page, 'Change password');
    const fill = async (current: string): Promise<void> => {
      await page.getByLabel('Your password', { exact: true }).fill(current);
      for (const label of ['New password', 'New password again']) await page.getByLabel(label, { exact: true }).fill(CHANGED);
      await submit(page);
    };
    await fill('not the password');
    await dialog(page).getByRole('alert').waitFor({ timeout: 20_000 });
    await fill(PASSWORD);
    await dialog(page).waitFor({ state: 'detached', timeout: 20_000 });
  });

  it('locks: nothing of the vault is left on the page or in the clipboard, and wrong passwords wait longer and longer', async () => {
    await page.keyboard.press('ControlOrMeta+1');
    await openKey(page, 'encrypt/symmetric-default');
    const panel = await act(page, 'Decrypt');
    await panel.getByLabel('Ciphertext', { exact: true }).fill(home.read('ciphertext.bin').toString('base64'));
    await press(panel, 'Add a context');
    await panel.getByLabel('Name 1', { exact: true }).fill('app');
    await panel.getByLabel('Value 1', { exact: true }).fill('notes, all');
    await press(panel, 'Copy without showing');
    await panel.getByText('clears at lock').first().waitFor();
    expect(await paste(desktop)).toBe(NOTE);
    follow(await window.renewed(() => page.keyboard.press('ControlOrMeta+l')));
    await page.getByText('acme-dev is locked').waitFor();
    expect(await paste(desktop)).toBeUndefined();
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
    expect(await page.content()).not.toContain('ecc-nist');
    expect(status()).toMatch(/^State +locked$/m);
    const field = page.getByLabel('Password', { exact: true });
    await field.dispatchEvent('keydown', { key: 'a', modifierCapsLock: true });
    await page.getByText('Caps Lock is on').waitFor();

    await unlock(page, PASSWORD);
    await page.getByText('The password does not open this vault').waitFor({ timeout: 20_000 });
    expect(await field.inputValue()).toBe('');
    for (let time = 0; time < 4 && (await page.getByText(/Wait \d+ second/).count()) === 0; time++) {
      await unlock(page, PASSWORD);
      await expect.poll(() => field.isEnabled(), { timeout: 20_000 }).toBe(true);
    }
    await page.getByText(/Wait \d+ second/).waitFor();
    expect(await button(page, 'Unlock').isDisabled()).toBe(true);
    await expect.poll(() => button(page, 'Unlock').isEnabled(), { timeout: 20_000 }).toBe(true);
    await unlock(page, CHANGED);
    await page.getByRole('listbox', { name: 'Keys' }).waitFor({ timeout: 20_000 });
  });

  it('locks when the command line says so', async () => {
    follow(await window.renewed(async () => home.output('keystead lock')));
    await page.getByText('acme-dev is locked').waitFor();
  });

  it('opens by the recovery code, which then wants to be replaced, and gives a new password', async () => {
    await page.getByText('Use the recovery code').click();
    await page.getByLabel('Recovery code', { exact: true }).fill(groups.join(' ').toLowerCase());
    await press(page, 'Unlock');
    await page.getByText('The recovery code was used.').waitFor({ timeout: 20_000 });
    await press(page, 'New key');
    await submit(page);
    await page.getByText('AccessDeniedException').waitFor();
    await press(page, 'Cancel');

    await page.keyboard.press('ControlOrMeta+,');
    await press(page, 'Change password');
    await press(page, 'Use the recovery code');
    await page.getByLabel('Your recovery code', { exact: true }).fill(groups.join('-'));
    for (const label of ['New password', 'New password again']) await page.getByLabel(label, { exact: true }).fill(RECOVERED);
    await submit(page);
    const fresh = await recoveryCode(page);
    expect(fresh).not.toEqual(groups);
    await press(page, 'I have it, type two groups back');
    await typeGroups(page, fresh);
    await dialog(page).waitFor({ state: 'detached' });
    await expect.poll(() => page.getByText('The recovery code was used.').count()).toBe(0);

    follow(await window.renewed(() => press(page, 'Lock')));
    await unlock(page, RECOVERED);
    await page.getByRole('listbox', { name: 'Keys' }).waitFor({ timeout: 20_000 });
    expect(home.shell(`keystead lock && keystead unlock --recovery-code --password-stdin`, groups.join('-')).stderr).toContain('IncorrectRecoveryCodeException');
  });

  it('has had no error on any page', () => {
    expect(said).toEqual([]);
  });
});
