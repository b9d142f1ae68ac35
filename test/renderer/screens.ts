/** The table of screens: how each is come to from the fake bridge's answers. Looked at by `look.ts`, held to the rules by `test/e2e/screens`. */
import type { Page } from 'playwright-core';
import { HARDWARE_SCREENS } from './screens-hardware.ts';

export interface Screen {
  readonly query?: string;
  readonly act?: (page: Page) => Promise<void>;
  /** It ends with a dialog or a menu over the page; the rest cannot be used then. */
  readonly over?: 'dialog' | 'menu';
  /** What the page is looked at in; a person's whole window unless it says otherwise. */
  readonly size?: { readonly width: number; readonly height: number };
}
const key = (name: string) => (page: Page): Promise<void> => page.getByRole('option', { name: new RegExp(`^${name}`) }).first().click();
const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click();

const secrets = async (page: Page, name = 'postgres'): Promise<void> => {
  await page.getByRole('link', { name: 'Secrets' }).click();
  await page.getByRole('option', { name: new RegExp(`^${name}`) }).first().click();
};
const fields = async (page: Page): Promise<void> => {
  await secrets(page);
  await page.getByRole('button', { name: /Show its fields/ }).click();
  await page.getByRole('button', { name: 'Reveal password' }).waitFor();
};

const rotation = async (page: Page): Promise<void> => {
  await secrets(page);
  await page.getByRole('tab', { name: 'Rotation' }).click();
  await page.getByText(/Next runs|Nothing rotates/).waitFor();
};
const regions = async (page: Page): Promise<void> => {
  await secrets(page);
  await page.getByRole('tab', { name: 'Regions' }).click();
  await page.getByText(/It is in this region only|cannot be deleted/).waitFor();
};
const setUp = async (page: Page): Promise<void> => {
  await rotation(page);
  await press(page, 'Set up rotation…');
  await page.getByText('The next five runs').waitFor();
};

const refused = async (page: Page): Promise<void> => {
  await page.getByText('Use a hardware token').click();
  await page.getByLabel('PIN of token office', { exact: true }).fill('1234567');
  await page.keyboard.press('Enter');
  await page.getByText('SHA-256 of the file').scrollIntoViewIfNeeded();
};
const checkpoints = async (page: Page): Promise<void> => {
  await page.getByRole('link', { name: 'Trail' }).click();
  await press(page, 'Checkpoints…');
  await page.getByText('Last signed').waitFor();
};
const request = async (page: Page): Promise<void> => {
  await key('codesign-hsm')(page);
  await press(page, 'Certificate request');
  await page.getByLabel('Common name', { exact: true }).fill('build.acme.example');
  await page.getByLabel('Organization', { exact: true }).fill('Acme GmbH');
  await page.getByLabel('Country', { exact: true }).fill('de');
  await page.getByLabel('Other names', { exact: true }).fill('build.acme.example\n*.build.acme.example\n192.0.2.7');
};
/** One that was kept, held against the trail. */
const kept = async (page: Page): Promise<void> => {
  await checkpoints(page);
  await page.getByRole('textbox', { name: 'Checkpoint' }).fill('{"payload":"…"}');
  await press(page, 'Hold it against the trail');
  await page.getByText('up to record 17,950').scrollIntoViewIfNeeded();
};

const importing = async (page: Page, file?: string): Promise<void> => {
  await page.getByRole('link', { name: 'Secrets' }).click();
  await press(page, 'Import');
  await page.getByText('Drop a file here').waitFor();
  if (file === undefined) return;
  await page.getByLabel('File', { exact: true }).fill(file);
  await page.getByRole('dialog').locator('button[type=submit]').click();
  await page.getByRole('button', { name: /^Import \d/ }).waitFor();
};

/** The buttons stay under the pointer, whatever comes beside them. */
async function shownAndCopied(page: Page): Promise<void> {
  await fields(page);
  const place = async (name: string): Promise<unknown> => page.getByRole('button', { name }).evaluate((button) => [button.getBoundingClientRect().x, button.getBoundingClientRect().y]);
  const before = await place('Reveal password');
  await press(page, 'Reveal password');
  await press(page, 'Copy password');
  await page.getByText(/clears in/).first().waitFor();
  const after = await place('Hide password');
  if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error(`the buttons of the field went from ${String(before)} to ${String(after)}`);
}

/** Every screen and every state of one that a person can come to. */
export const SCREENS: Readonly<Record<string, Screen>> = {
  'unlock': { query: '?state=locked' },
  'unlock-wrong': { query: '?state=locked&slots=password,recovery,keychain', act: async (page) => { await page.getByLabel('Password', { exact: true }).fill('wrong password'); await page.keyboard.press('Enter'); await page.getByText('The password does not open this vault').waitFor(); } },
  'unlock-recovery': { query: '?state=locked', act: (page) => page.getByText('Use the recovery code').click() },
  'unlock-token': { query: '?state=locked&slots=password,recovery,token', act: async (page) => { await page.getByText('Use a hardware token').click(); await page.getByLabel('PIN of token office', { exact: true }).fill('1234567'); } },
  'unlock-token-module': { query: '?state=locked&slots=password,recovery,token&module=writable', act: refused },
  'unlock-token-changed': { query: '?state=locked&slots=password,recovery,token&module=changed', act: refused },
  'unlock-token-narrow': { query: '?state=locked&slots=password,recovery,token&module=writable', act: refused, size: { width: 640, height: 400 } },
  'first-run': { query: '?state=absent', act: (page) => page.getByLabel('Password', { exact: true }).fill('correct horse battery staple') },
  'first-run-code': { query: '?state=absent', act: async (page) => { for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill('correct horse battery staple'); await press(page, 'Make the vault'); await page.getByText('Keep the recovery code').waitFor(); } },
  'first-run-retype': { query: '?state=absent', act: async (page) => { for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill('correct horse battery staple'); await press(page, 'Make the vault'); await press(page, 'I have it, type two groups back'); } },
  'keys': { act: key('release-signing') },
  'keys-empty': { query: '?empty' },
  'keys-nomatch': { act: (page) => page.getByPlaceholder(/Filter/).fill('nothing like it') },
  'keys-disabled': { act: key('legacy-tokens') },
  'keys-deleting': { act: key('import-2023') },
  'keys-menu': { over: 'menu', act: async (page) => { await key('orders-data')(page); await page.getByRole('button', { name: 'More for this key' }).click(); } },
  'keys-trail': { act: async (page) => { await key('release-signing')(page); await page.getByRole('tab', { name: 'Trail' }).click(); } },
  'keys-code': { act: async (page) => { await key('release-signing')(page); await page.getByRole('tab', { name: 'Code' }).click(); await page.getByText('aws kms sign').waitFor(); } },
  'keys-code-closed': { query: '?closed', act: async (page) => { await key('orders-data')(page); await page.getByRole('tab', { name: 'Code' }).click(); await page.getByRole('radio', { name: 'curl' }).check(); await page.getByText('TrentService.Encrypt').waitFor(); } },
  'keys-rotation': { act: async (page) => { await key('orders-data')(page); await page.getByRole('tab', { name: 'Rotation' }).click(); await page.getByText('Key materials').waitFor(); } },
  'keys-import': { act: key('partner-hsm') },
  'keys-import-take': { over: 'dialog', act: async (page) => { await key('partner-hsm')(page); await press(page, 'Import key material…'); await page.getByRole('button', { name: 'Get a wrapping key' }).waitFor(); } },
  'keys-import-bring': { over: 'dialog', act: async (page) => { await key('partner-hsm')(page); await press(page, 'Import key material…'); await press(page, 'Get a wrapping key'); await page.getByRole('textbox', { name: 'Wrapped material' }).fill('AAAA'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByRole('alert').first().waitFor(); } },
  'keys-delete-material': { over: 'dialog', act: async (page) => { await press(page, 'New key'); await page.getByText('I import the key material myself').click(); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByRole('button', { name: 'More for this key' }).click(); await page.getByRole('menuitem', { name: 'Delete its key material…' }).click(); await page.getByText('keeps no other copy').waitFor(); } },
  'keys-regions': { act: key('global-tokens') },
  'keys-replicate': { over: 'dialog', act: async (page) => { await key('global-tokens')(page); await page.getByRole('button', { name: 'Replicate to another region' }).click(); await page.getByLabel('Region').waitFor(); } },
  'keys-region': { over: 'dialog', act: async (page) => { await key('global-tokens')(page); await press(page, 'eu-west-1 replica'); await page.getByText('Replica key').waitFor(); } },
  'keys-region-primary': { over: 'dialog', act: async (page) => { await key('global-tokens')(page); await press(page, 'eu-west-1 replica'); await press(page, 'Make it primary…'); } },
  'keys-tag': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await page.getByRole('button', { name: 'Add a tag' }).click(); await page.getByLabel('Tag', { exact: true }).waitFor(); } },
  'keys-narrow': { act: key('release-signing'), size: { width: 900, height: 640 } },
  'keys-zoom': { act: key('release-signing'), size: { width: 640, height: 400 } },
  'create': { over: 'dialog', act: (page) => press(page, 'New key') },
  'delete': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await page.getByRole('button', { name: 'More for this key' }).click(); await page.getByRole('menuitem', { name: 'Schedule deletion…' }).click(); } },
  'use-sign': { over: 'dialog', act: async (page) => { await key('release-signing')(page); await press(page, 'Sign'); await page.getByRole('textbox', { name: 'Message' }).fill('release 1.4.0'); await page.keyboard.press('Tab'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('Signature', { exact: false }).first().waitFor(); } },
  'use-sign-file': { over: 'dialog', act: async (page) => { await key('release-signing')(page); await press(page, 'Sign'); await page.getByRole('dialog').getByRole('button', { name: 'File' }).click(); await page.getByText('release-1.4.0.tar.gz').waitFor(); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('Signature of the digest').waitFor(); } },
  'use-decrypt': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await press(page, 'Decrypt'); await page.getByRole('textbox', { name: 'Ciphertext' }).fill('AAAA'); await page.getByRole('dialog').locator('button[type=submit]').click(); await press(page, 'Reveal'); await press(page, 'Copy'); await page.getByText('clears in').waitFor(); } },
  'use-copy': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await press(page, 'Decrypt'); await page.getByRole('textbox', { name: 'Ciphertext' }).fill('AAAA'); await press(page, 'Copy without showing'); await page.getByText('clears in').waitFor(); } },
  'use-encrypt': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await press(page, 'Encrypt'); await press(page, 'Add a context'); } },
  'use-encrypt-excess': { over: 'dialog', act: async (page) => { await key('dev-envelope')(page); await press(page, 'Encrypt'); await page.getByRole('textbox', { name: 'Plaintext' }).fill('x'.repeat(319)); await page.keyboard.press('Tab'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('Too long: at most').waitFor(); await page.locator('textarea:focus').waitFor(); } },
  'use-verify': { over: 'dialog', act: async (page) => { await key('release-signing')(page); await press(page, 'Verify'); await page.getByRole('textbox', { name: 'Message' }).fill('release 1.4.0'); await page.getByRole('textbox', { name: 'Signature' }).fill('AAAA'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByRole('alert').first().waitFor(); } },
  'use-file': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await press(page, 'File'); await press(page, 'Choose…'); await page.getByText('734.0 MB').waitFor(); } },
  'use-file-running': { over: 'dialog', query: '?slow', act: async (page) => { await key('orders-data')(page); await press(page, 'File'); await press(page, 'Choose…'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText(/^1\d %$/).waitFor(); } },
  'use-file-done': { over: 'dialog', act: async (page) => { await key('orders-data')(page); await press(page, 'File'); await press(page, 'Choose…'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('The file is encrypted').waitFor(); } },
  'use-file-failed': { over: 'dialog', query: '?bare', act: async (page) => { await key('orders-data')(page); await press(page, 'File'); await page.getByRole('radio', { name: 'Decrypt a file' }).check(); await page.getByRole('textbox', { name: 'File', exact: true }).fill('/home/ada/backup.tar.encrypted'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByRole('alert').waitFor(); } },
  'use-request': { over: 'dialog', act: request },
  'use-request-made': { over: 'dialog', act: async (page) => { await request(page); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('BEGIN CERTIFICATE REQUEST').scrollIntoViewIfNeeded(); } },
  'use-request-refused': { over: 'dialog', act: async (page) => { await request(page); await page.getByLabel('Other names', { exact: true }).fill('a..b'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('is no DNS name').scrollIntoViewIfNeeded(); } },
  'use-request-narrow': { over: 'dialog', act: request, size: { width: 640, height: 400 } },
  'use-public': { over: 'dialog', act: async (page) => { await key('release-signing')(page); await press(page, 'Public key'); } },
  'secrets': { act: (page) => secrets(page) },
  'secrets-empty': { query: '?empty', act: (page) => page.getByRole('link', { name: 'Secrets' }).click() },
  'secrets-fields': { act: async (page) => { await fields(page); await page.getByRole('button', { name: 'Reveal password' }).click(); await page.getByText('hides in').waitFor(); } },
  'secrets-copied': { act: async (page) => { await fields(page); await press(page, 'Copy password'); await page.getByText(/clears in/).first().waitFor(); } },
  'secrets-shown-copied': { act: shownAndCopied },
  'secrets-json': { act: async (page) => { await fields(page); await press(page, 'JSON'); await page.getByRole('button', { name: 'Reveal JSON' }).click(); } },
  'secrets-deleting': { act: (page) => secrets(page, 'recaptcha') },
  'secrets-versions': { act: async (page) => { await secrets(page); await page.getByRole('tab', { name: /Versions/ }).click(); await press(page, 'Compare with current'); await page.getByText('changed since').waitFor(); } },
  'secrets-promote': { act: async (page) => { await secrets(page); await page.getByRole('tab', { name: /Versions/ }).click(); await press(page, 'Make it current…'); } },
  'secrets-labels': { act: async (page) => { await secrets(page); await page.getByRole('tab', { name: /Versions/ }).click(); await press(page, 'Labels…'); await page.getByLabel('Label', { exact: true }).fill('before-migration'); await page.getByText('It moves from version').waitFor(); } },
  'secrets-about': { act: async (page) => { await secrets(page); await page.getByRole('tab', { name: 'About' }).click(); } },
  'secrets-tag': { over: 'dialog', act: async (page) => { await secrets(page); await page.getByRole('tab', { name: 'About' }).click(); await press(page, 'Add a tag'); } },
  'secrets-marks': { query: '?marks', act: (page) => secrets(page, 'github-token') },
  'secrets-describe': { over: 'dialog', query: '?marks', act: async (page) => { await secrets(page, 'github-token'); await page.getByRole('button', { name: 'More for this secret' }).click(); await page.getByRole('menuitem', { name: 'Describe…' }).click(); await page.getByLabel('Expires').fill('next year'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('A date like').waitFor(); } },
  'rotation-value': { query: '?rotation=running', act: async (page) => { await secrets(page); await page.getByText('Rotation in progress').waitFor(); } },
  'rotation-waiting': { query: '?rotation=waiting', act: rotation },
  'rotation-failed': { query: '?rotation=failed', act: rotation },
  'rotation-idle': { query: '?rotation=idle', act: async (page) => { await rotation(page); await page.getByRole('group').first().click(); } },
  'rotation-set-up-database': { over: 'dialog', act: async (page) => { await setUp(page); await page.getByLabel('What rotates it').selectOption('postgres'); await page.getByLabel('When', { exact: true }).selectOption('own'); await page.getByLabel('Expression').fill('rate(often)'); await press(page, 'Test the connection'); await page.getByText('nobody answers', { exact: false }).waitFor(); } },
  'rotation-set-up-command': { over: 'dialog', act: async (page) => { await setUp(page); await page.getByLabel('What rotates it').selectOption('command'); await page.getByText('No program is allowed').waitFor(); } },
  'rotation-set-up-program': { over: 'dialog', query: '?marks', act: async (page) => { await setUp(page); await page.getByLabel('What rotates it').selectOption('command'); await page.getByLabel('Program', { exact: true }).waitFor(); } },
  'regions-none': { act: regions },
  'regions-level': { query: '?replication=level', act: regions },
  'regions-wrong': { query: '?replication=wrong', act: regions },
  'regions-wrong-zoom': { query: '?replication=wrong', act: regions, size: { width: 640, height: 400 } },
  'regions-add': { over: 'dialog', act: async (page) => { await regions(page); await press(page, 'Replicate…'); await page.getByLabel('Region', { exact: true }).fill('us-east-1'); await page.getByText('Overwrite a secret').click(); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByRole('alert').waitFor(); } },
  'regions-add-remote': { over: 'dialog', act: async (page) => { await regions(page); await press(page, 'Replicate…'); await page.getByRole('radio', { name: 'A remote' }).check(); await page.getByLabel('Remote', { exact: true }).waitFor(); } },
  'regions-stop': { over: 'dialog', query: '?replication=level', act: async (page) => { await regions(page); await page.getByRole('button', { name: 'Stop replicating…' }).last().click(); await page.getByRole('radio', { name: 'Delete the copy' }).check(); } },
  'remotes': { act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByRole('button', { name: 'Test team-vault' }).click(); await page.getByRole('button', { name: 'Test aws-production' }).click(); await page.getByText('accepts the access key').waitFor(); await page.getByRole('region', { name: 'Remotes' }).scrollIntoViewIfNeeded(); } },
  'remotes-add': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await press(page, 'Add a remote…'); await page.getByLabel('Name', { exact: true }).fill('eu-west-1'); } },
  'remotes-change': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByRole('button', { name: 'Change team-vault' }).click(); await page.getByRole('textbox', { name: 'Endpoint' }).waitFor(); } },
  'remotes-delete': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByRole('button', { name: 'Delete team-vault' }).click(); await page.getByRole('dialog').getByRole('button', { name: 'Delete team-vault' }).click(); await page.getByRole('alert').waitFor(); } },
  'secrets-create': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Secrets' }).click(); await press(page, 'New secret'); await page.getByLabel('Name', { exact: true }).fill('prod/web/api'); await page.getByLabel('Name of field 1').fill('key'); await press(page, 'Add a field'); } },
  'secrets-generate': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Secrets' }).click(); await press(page, 'New secret'); await page.getByLabel('Name', { exact: true }).fill('prod/web/api'); await page.getByLabel('Name of field 1').fill('key'); await press(page, 'Add a field'); await page.getByRole('button', { name: 'Generate a value for field 1' }).click(); await page.getByText('190 bits').waitFor(); } },
  'secrets-phrase': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Secrets' }).click(); await press(page, 'New secret'); await page.getByLabel('Name', { exact: true }).fill('prod/web/api'); await page.getByLabel('Name of field 1').fill('key'); await press(page, 'Add a field'); await page.getByRole('button', { name: 'Generate a value for field 1' }).click(); await page.getByText('190 bits').waitFor(); await page.getByRole('radio', { name: 'Passphrase' }).click(); await page.getByText('66 bits').waitFor(); } },
  'secrets-code': { act: async (page) => { await secrets(page); await page.getByRole('option').filter({ hasText: 'Staging database' }).click(); await page.getByText('staging/', { exact: false }).first().waitFor(); await page.getByRole('button', { name: /Show its fields/ }).click(); await page.getByRole('button', { name: 'Reveal One-time code' }).click(); await page.getByText('good for').waitFor(); } },
  'secrets-change': { over: 'dialog', act: async (page) => { await secrets(page); await press(page, 'New value'); await page.getByLabel('Name of field 5').waitFor(); } },
  'secrets-import': { over: 'dialog', act: (page) => importing(page) },
  'secrets-import-env': { over: 'dialog', act: (page) => importing(page, '/home/ada/shop/.env') },
  'secrets-import-each': { over: 'dialog', act: async (page) => { await importing(page, '/home/ada/export.json'); await page.getByLabel('What to do with Work/Stripe').selectOption('Replace'); } },
  'secrets-import-running': { over: 'dialog', query: '?slow', act: async (page) => { await importing(page, '/home/ada/export.json'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('0 of 6').waitFor(); } },
  'secrets-import-done': { over: 'dialog', act: async (page) => { await importing(page, '/home/ada/export.json'); await page.getByRole('dialog').locator('button[type=submit]').click(); await press(page, 'Overwrite and delete the file…'); await page.getByText('This cannot be undone').waitFor(); } },
  'secrets-delete': { over: 'dialog', act: async (page) => { await secrets(page); await page.getByRole('button', { name: 'More for this secret' }).click(); await page.getByRole('menuitem', { name: 'Delete…' }).click(); } },
  'secrets-narrow': { act: (page) => fields(page), size: { width: 900, height: 640 } },
  'secrets-zoom': { act: (page) => fields(page), size: { width: 640, height: 400 } },
  'access': { act: (page) => page.getByRole('link', { name: 'AWS access' }).click() },
  'access-closed': { query: '?closed&empty', act: (page) => page.getByRole('link', { name: 'AWS access' }).click() },
  'access-new': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await press(page, 'New client'); await page.getByLabel('Name', { exact: true }).fill('ci'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('The secret is shown this once').waitFor(); } },
  'access-create': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await press(page, 'New client'); await page.getByLabel('Name', { exact: true }).fill('not a name'); } },
  'access-delete': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByRole('button', { name: 'Delete terraform' }).click(); } },
  'access-rights': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByRole('button', { name: 'Rights of terraform' }).click(); await page.getByRole('dialog').getByRole('radio').first().click(); } },
  'access-port': { act: async (page) => { await page.getByRole('link', { name: 'AWS access' }).click(); await page.getByLabel('Port', { exact: true }).fill('6000'); await page.keyboard.press('Enter'); await page.getByRole('alert').waitFor(); } },
  'access-narrow': { act: (page) => page.getByRole('link', { name: 'AWS access' }).click(), size: { width: 900, height: 640 } },
  ...HARDWARE_SCREENS,
  'trail': { act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await press(page, 'Verify'); await page.getByText('Intact').waitFor(); await page.getByRole('listbox').getByRole('option', { name: /denied/i }).first().click(); } },
  'trail-narrow': { act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await press(page, 'Verify'); await page.getByText('Intact').waitFor(); await page.getByRole('listbox').getByRole('option', { name: /denied/i }).first().click(); }, size: { width: 880, height: 600 } },
  'trail-verifying': { query: '?slow', act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await press(page, 'Verify'); await page.waitForTimeout(900); } },
  'trail-broken': { query: '?broken', act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await press(page, 'Verify'); await page.getByText('Broken at record').waitFor(); } },
  'trail-signer': { query: '?notary', act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await page.getByText('Checkpoints are signed by').waitFor(); } },
  'trail-checkpoints': { over: 'dialog', act: checkpoints },
  'trail-checkpoint-choose': { over: 'dialog', act: async (page) => { await checkpoints(page); await press(page, 'Have a key sign, too…'); await page.getByLabel('Signs besides the vault').waitFor(); } },
  'trail-checkpoint-made': { over: 'dialog', query: '?notary', act: async (page) => { await checkpoints(page); await press(page, 'Sign a checkpoint'); await page.getByText('Keep it on another machine').waitFor(); await page.getByRole('button', { name: 'Copy the checkpoint' }).waitFor(); } },
  'trail-checkpoint-away': { over: 'dialog', query: '?notary&hardware=pin', act: async (page) => { await checkpoints(page); await press(page, 'Sign a checkpoint'); await page.getByLabel('PIN', { exact: true }).waitFor(); } },
  'trail-checkpoint-checked': { over: 'dialog', query: '?notary', act: kept },
  'trail-checkpoint-rewritten': { over: 'dialog', query: '?notary&relation=contradicted', act: kept },
  'trail-checkpoint-narrow': { over: 'dialog', query: '?notary=gone', act: checkpoints, size: { width: 640, height: 400 } },
  'trail-gate': { query: '?state=trailBroken' },
  'trail-gate-chain': { over: 'dialog', query: '?state=trailBroken', act: async (page) => { await press(page, 'See what is broken…'); await page.getByLabel('Your password', { exact: true }).fill('correct horse'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('in doubt for ever').waitFor(); } },
  'trail-begun': { over: 'dialog', query: '?state=trailBroken', act: async (page) => { const submit = page.getByRole('dialog').locator('button[type=submit]'); await press(page, 'See what is broken…'); await page.getByLabel('Your password', { exact: true }).fill('correct horse'); await submit.click(); await page.getByLabel('Type acme-dev to go on').fill('acme-dev'); await page.getByLabel('Your password', { exact: true }).fill('correct horse'); await submit.click(); await page.getByText('A new chain has begun').waitFor(); } },
  'trail-export': { over: 'dialog', query: '?broken', act: async (page) => { await page.getByRole('link', { name: 'Trail' }).click(); await press(page, 'Verify'); await press(page, 'Export evidence…'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('readable records').waitFor(); } },
  'settings': { act: (page) => page.getByRole('link', { name: 'Settings' }).click() },
  'settings-window': { act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('region', { name: 'About', exact: true }).scrollIntoViewIfNeeded(); } },
  'settings-bare': { query: '?bare', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('region', { name: 'About', exact: true }).scrollIntoViewIfNeeded(); } },
  'settings-licences': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('region', { name: 'About', exact: true }).getByRole('button', { name: 'Show' }).click(); await page.getByText('radix-ui', { exact: true }).waitFor(); await page.getByText('cmdk', { exact: true }).click(); } },
  'settings-programs': { query: '?marks', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByText('rotate-app', { exact: true }).waitFor(); } },
  'settings-allow': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await press(page, 'Allow a program'); await page.getByLabel('Name', { exact: true }).fill('rotate-app'); await page.getByLabel('Path').fill('/usr/local/bin/rotate-app'); await page.getByRole('textbox', { name: 'Your password' }).fill('wrong password'); await page.getByRole('dialog').locator('button[type=submit]').click(); await page.getByText('does not open this vault').waitFor(); } },
  'settings-disallow': { over: 'dialog', query: '?marks', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('button', { name: 'Take off rotate-app' }).click(); } },
  'settings-password': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await press(page, 'Change password'); } },
  'settings-token': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await press(page, 'Add a hardware token'); await page.getByLabel('PIN of the token', { exact: true }).fill('1234567'); } },
  'settings-remove-token': { over: 'dialog', query: '?slots=password,recovery,token&module=writable', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('button', { name: 'Remove the recovery code' }).click(); await press(page, 'Use the token'); await page.getByLabel('PIN of token office', { exact: true }).fill('1234567'); await page.keyboard.press('Enter'); await page.getByText('SHA-256 of the file').scrollIntoViewIfNeeded(); } },
  'settings-remove': { over: 'dialog', act: async (page) => { await page.getByRole('link', { name: 'Settings' }).click(); await page.getByRole('button', { name: 'Remove the recovery code' }).click(); } },
  'palette': { over: 'dialog', act: async (page) => { await page.keyboard.press('Control+k'); await page.getByRole('combobox').fill('sign rel'); } },
  'palette-empty': { over: 'dialog', act: async (page) => { await page.keyboard.press('Control+k'); await page.getByRole('combobox').waitFor(); } },
  'shortcuts': { over: 'dialog', act: async (page) => { await page.keyboard.press('?'); await page.getByRole('dialog').waitFor(); } },
  'vaults': { over: 'dialog', act: async (page) => { await page.getByRole('button', { name: /acme-dev/ }).click(); await page.getByRole('menuitem', { name: 'Other vaults…' }).click(); await page.getByRole('button', { name: 'Open personal' }).click(); await page.getByText('Nothing was changed').waitFor(); } },
  'vaults-gate': { over: 'dialog', query: '?state=locked', act: async (page) => { await press(page, 'Other vaults'); await page.getByText('acme-staging', { exact: true }).waitFor(); } },
  'vault-menu': { over: 'menu', act: (page) => page.getByRole('button', { name: /acme-dev/ }).click() },
  'read-only': { query: '?state=readOnly' },
  'lost': { query: '?lost' },
  'loading': { query: '?hang=kms:ListKeys' },
};
