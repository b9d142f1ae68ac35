/** Certificates and checkpoints by a key in SoftHSM, in the real window over a real vault: asked for, put on the token, taken along; judged by openssl. In order. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { act, dialog, openKey, press, submit, textOf } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { openTokenWindow, type TokenWindow } from './support/token-window.ts';

let on: TokenWindow;
let page: Page;
let id = '';
inOrder(() => page);

beforeAll(async () => {
  on = await openTokenWindow(['bench']);
  ({ page } = on);
  const store = await on.addStore('bench', 'bench');
  const { KeyMetadata } = await on.window.local.ok('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
  const { KeyId } = KeyMetadata as { readonly KeyId: string };
  await on.window.local.ok('kms:CreateAlias', { AliasName: 'alias/build', TargetKeyId: KeyId });
  const { Keys } = await on.window.local.ok('hardware:ListTokenKeys', { Serial: on.serials.get('bench') });
  id = (Keys as readonly { readonly Id: string }[])[0]?.Id ?? '';
});
afterAll(() => on.end());

const at = (name: string): string => join(on.home, name);
const openssl = (...args: readonly string[]): string => execFileSync('openssl', args, { cwd: on.home, stdio: ['ignore', 'pipe', 'pipe'] }).toString('utf8');

const made = () => dialog(page).getByRole('region', { name: 'A new checkpoint' }).locator('pre');

it('makes a request of the names that were typed, which openssl verifies', async () => {
  await openKey(page, 'build');
  const panel = await act(page, 'Certificate request');
  await submit(page);
  await panel.getByText('A request needs a part of the subject').waitFor();
  await panel.getByLabel('Common name', { exact: true }).fill('build.example.com');
  await panel.getByLabel('Country', { exact: true }).fill('de');
  await panel.getByLabel('Other names', { exact: true }).fill('build.example.com, *.example.com\n192.0.2.7 2001:db8::1\nops@example.com');
  await panel.getByText('CN=build.example.com, C=DE').waitFor();
  await submit(page);
  writeFileSync(at('build.csr'), await textOf(panel.getByRole('region', { name: 'Result' }).locator('pre')));
  const text = openssl('req', '-in', 'build.csr', '-noout', '-text', '-verify');
  expect(text).toMatch(/CN ?= ?build\.example\.com/);
  expect(text).toContain('DNS:build.example.com, DNS:*.example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1, email:ops@example.com');
  // What is no name is refused in place, and nothing is shown.
  await panel.getByLabel('Other names', { exact: true }).fill('a..b');
  await submit(page);
  await panel.getByText('is no DNS name').waitFor();
  expect(await panel.getByLabel('Result').count()).toBe(0);
  await page.keyboard.press('Escape');
});

it('names the certificate on the key’s page and in the token’s list, and gives it as PEM', async () => {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority', '-days', '9');
  openssl('x509', '-req', '-in', 'build.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '9', '-outform', 'DER', '-out', 'build.der');
  on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'bench', '--login', '--pin', PIN, '--write-object', at('build.der'), '--type', 'cert', '--id', id, '--label', 'build');
  await page.getByRole('tab', { name: 'Token' }).click();
  await page.getByText('Certifies this key').waitFor();
  await page.getByText('Issued by CN=Test authority').waitFor();
  await page.getByRole('button', { name: 'Show build.example.com as PEM' }).focus();
  await page.keyboard.press('Enter');
  const pem = await textOf(dialog(page).locator('pre'));
  writeFileSync(at('shown.pem'), pem);
  expect(openssl('verify', '-CAfile', 'ca.pem', 'shown.pem')).toContain('OK');
  expect(execFileSync('openssl', ['x509', '-in', at('shown.pem'), '-outform', 'DER']).equals(readFileSync(at('build.der')))).toBe(true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+5');
  await page.getByRole('region', { name: 'Token bench' }).getByRole('tab', { name: 'Keys on it' }).click();
  await page.getByText('Certifies build').waitFor();
});

it('has the token’s key sign every checkpoint, and holds one that was kept against the trail', async () => {
  await page.keyboard.press('Control+9');
  await page.getByText('Checkpoints are signed by this vault alone').waitFor();
  await press(page, 'Checkpoints…');
  await press(page, 'Have a key sign, too…');
  await page.getByLabel('Signs besides the vault').waitFor();
  await press(page, 'Let it sign');
  await dialog(page).getByText('build', { exact: true }).waitFor();
  await press(page, 'Sign a checkpoint');
  await dialog(page).getByText('by this vault and').last().waitFor();
  const shown = made();
  await expect.poll(async () => ((await shown.textContent()) ?? '').match(/"sig"/g)?.length).toBe(2);
  const kept = await textOf(shown);
  await page.keyboard.press('Escape');
  await page.getByText(/Checkpoints are signed by this vault and/).waitFor();
  await press(page, 'Checkpoints…');
  await dialog(page).getByRole('textbox', { name: 'Checkpoint' }).fill(kept);
  await press(page, 'Hold it against the trail');
  await dialog(page).getByText('The trail still holds what was signed').waitFor();
  await dialog(page).getByText('build has signed it, too').waitFor();
  await dialog(page).getByRole('textbox', { name: 'Checkpoint' }).fill(kept.replace(/"sig":"..../, '"sig":"AAAA'));
  await press(page, 'Hold it against the trail');
  await dialog(page).getByText('Not signed by this vault').waitFor();
  await page.keyboard.press('Escape');
});

it('asks for the token where it is away, and signs then', async () => {
  // Its process goes, and the PIN with it.
  const [module] = (await on.window.local.ok('hardware:ListModules', {}))['Modules'] as readonly { readonly Path: string }[];
  await on.window.local.ok('hardware:RestartModule', { Path: module?.Path });
  await press(page, 'Checkpoints…');
  await press(page, 'Sign a checkpoint');
  const pin = dialog(page).getByLabel('PIN', { exact: true });
  await pin.waitFor();
  await pin.fill(PIN);
  await page.keyboard.press('Enter');
  await expect.poll(async () => ((await made().textContent()) ?? '').match(/"sig"/g)?.length).toBe(2);
  expect(on.said).toEqual([]);
});
