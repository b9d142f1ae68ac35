/** The screens of hardware, and of keys that a token holds. */
import type { Page } from 'playwright-core';
import type { Screen } from './screens.ts';

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click();
const hardware = async (page: Page): Promise<void> => {
  await page.getByRole('link', { name: 'Hardware' }).click();
  await page.getByRole('heading', { name: 'Tokens', exact: true }).or(page.getByText('No token yet')).waitFor();
};
const tab = (name: string) => async (page: Page): Promise<void> => {
  await hardware(page);
  await page.getByRole('tab', { name }).first().click();
};
const key = async (page: Page, name = 'codesign-hsm'): Promise<void> => page.getByRole('option', { name: new RegExp(`^${name}`) }).first().click();
const submit = (page: Page): Promise<void> => page.getByRole('dialog').locator('button[type=submit]').click();
const more = async (page: Page, of: string, item: string): Promise<void> => {
  await hardware(page);
  await page.getByRole('button', { name: new RegExp(`^More for (?:token|key store) ${of}$`) }).click();
  await page.getByRole('menuitem', { name: item }).click();
};
const picture = async (page: Page): Promise<void> => {
  await hardware(page);
  await page.getByRole('list', { name: 'Tokens of release' }).scrollIntoViewIfNeeded();
};
const span = async (page: Page): Promise<void> => {
  await more(page, 'release', 'Span another token…');
  await page.getByLabel('User PIN of mira-card', { exact: true }).waitFor();
};
const leave = async (page: Page): Promise<void> => {
  await picture(page);
  await page.getByRole('button', { name: 'Let backup-hsm leave…' }).click();
  await page.getByLabel('Type backup-hsm to let it leave').fill('backup-hsm');
};
const pins = async (page: Page, officer: string): Promise<void> => {
  for (const label of ['User PIN of mira-card', 'Security officer’s PIN of release-hsm']) await page.getByLabel(label, { exact: true }).fill('1234567');
  await page.getByLabel('Security officer’s PIN of mira-card', { exact: true }).fill(officer);
  await submit(page);
};
const loaded = async (page: Page): Promise<void> => {
  await hardware(page);
  await press(page, 'Set up the first token');
  await page.getByText('SoftHSM 2').waitFor();
  await submit(page);
  await page.getByText('Its SHA-256').waitFor();
};
const initialise = async (page: Page): Promise<void> => {
  await loaded(page);
  await submit(page);
  await page.getByText('Which token?').waitFor();
  await submit(page);
  await page.getByLabel('Label', { exact: true }).fill('build-hsm');
  await page.getByLabel('New PIN for the security officer', { exact: true }).fill('87654321');
  for (const label of ['New user PIN', 'New user PIN again']) await page.getByLabel(label, { exact: true }).fill('1234567');
};
const keyStep = async (page: Page): Promise<void> => {
  await initialise(page);
  await submit(page);
  await page.getByLabel('Name of the first key').waitFor();
};

export const HARDWARE_SCREENS: Readonly<Record<string, Screen>> = {
  'hardware': { act: hardware },
  'hardware-empty': { query: '?hardware=none', act: hardware },
  'hardware-modules': { query: '?hardware=changed,writable', act: async (page) => { await hardware(page); await page.getByRole('region', { name: 'Modules', exact: true }).getByText('The file is another one').scrollIntoViewIfNeeded(); await page.locator('summary').first().click(); } },
  'hardware-sealed': { query: '?hardware=sealed,doubtful', act: async (page) => { await hardware(page); await page.getByRole('button', { name: 'Forget the PIN of release-hsm' }).scrollIntoViewIfNeeded(); } },
  'hardware-pin-seal': { over: 'dialog', query: '?hardware=pin', act: async (page) => { await hardware(page); await page.getByRole('region', { name: 'Token release-hsm' }).getByRole('button', { name: 'Give the PIN…' }).click(); await page.getByLabel('Seal the PIN in the vault').check(); } },
  'hardware-crashed': { query: '?hardware=crashed', act: async (page) => { await hardware(page); await page.getByText('was restarted').scrollIntoViewIfNeeded(); } },
  'hardware-missing': { query: '?hardware=missing', act: hardware },
  'hardware-locked': { query: '?hardware=locked', act: hardware },
  'hardware-keys': { act: async (page) => { await tab('Keys on it')(page); await page.getByText('from-pkcs11-tool', { exact: true }).waitFor(); } },
  'hardware-adopt-refused': { act: async (page) => { await tab('Keys on it')(page); await page.getByRole('button', { name: 'Adopt, to sign and verify: from-pkcs11-tool' }).click(); await page.getByRole('alert').waitFor(); } },
  'hardware-unrecorded': { query: '?hardware=unrecorded', act: async (page) => { await tab('Keys on it')(page); await page.getByText('not recorded', { exact: true }).waitFor(); } },
  'hardware-unrecorded-delete': { over: 'dialog', query: '?hardware=unrecorded', act: async (page) => { await tab('Keys on it')(page); await page.getByRole('button', { name: /^Delete 5f1d/ }).click(); await page.getByLabel('Type its label to delete it').fill('5f1d'); } },
  'hardware-certificates': { act: async (page) => { await tab('Keys on it')(page); await page.getByText('backup.p7b').scrollIntoViewIfNeeded(); } },
  'hardware-certificate': { over: 'dialog', act: async (page) => { await tab('Keys on it')(page); await page.getByRole('button', { name: 'Show Release signing as PEM' }).click(); await page.getByText('BEGIN CERTIFICATE').waitFor(); } },
  'hardware-mechanisms': { act: async (page) => { await tab('Mechanisms')(page); await page.getByText('CKM_ECDSA').waitFor(); } },
  'hardware-agree': { over: 'dialog', query: '?hardware=changed', act: async (page) => { await hardware(page); await press(page, 'See what changed…'); await page.getByText('An update of the system').waitFor(); } },
  'hardware-restart': { over: 'dialog', act: async (page) => { await hardware(page); await page.getByRole('button', { name: 'Restart libsofthsm2.so' }).click(); } },
  'hardware-pin': { over: 'dialog', query: '?hardware=pin', act: async (page) => { await hardware(page); await page.getByRole('region', { name: 'Token release-hsm' }).getByRole('button', { name: 'Give the PIN…' }).click(); await page.getByLabel('PIN', { exact: true }).waitFor(); } },
  'hardware-pin-last': { over: 'dialog', query: '?hardware=pin', act: async (page) => { await hardware(page); await page.getByRole('button', { name: 'Connect…' }).click(); await page.getByLabel('PIN', { exact: true }).fill('0000'); await page.keyboard.press('Enter'); await page.getByLabel('The same PIN again', { exact: true }).waitFor(); } },
  'hardware-change-pin': { over: 'dialog', act: async (page) => { await more(page, 'release-hsm', 'Change the PIN…'); await page.getByLabel('PIN as it is', { exact: true }).fill('1234567'); for (const label of ['New PIN', 'New PIN again']) await page.getByLabel(label, { exact: true }).fill('7654321'); await submit(page); await page.getByRole('alert').waitFor(); } },
  'hardware-reset-pin': { over: 'dialog', query: '?hardware=locked', act: async (page) => { await hardware(page); await press(page, 'Set a new PIN…'); await page.getByLabel('PIN of its security officer', { exact: true }).fill('0000'); for (const label of ['New PIN', 'New PIN again']) await page.getByLabel(label, { exact: true }).fill('7654321'); await submit(page); await page.getByText('refuses the PIN').waitFor(); } },
  'hardware-erase': { over: 'dialog', act: async (page) => { await more(page, 'release-hsm', 'Erase and initialise…'); await page.getByLabel('Type release-hsm to erase it').fill('release'); } },
  'hardware-erase-store': { over: 'dialog', query: '?hardware=emptied,cluster', act: async (page) => { await more(page, 'release', 'Delete…'); await page.getByRole('checkbox').check(); await page.getByLabel('Type release to delete it with these objects').fill('relea'); } },
  'hardware-delete-store': { over: 'dialog', act: async (page) => { await more(page, 'release', 'Delete…'); await page.getByText('It has 2 keys').waitFor(); } },
  'hardware-cluster': { query: '?hardware=cluster', act: picture },
  'hardware-cluster-behind': { query: '?hardware=cluster,behind', act: picture },
  'hardware-cluster-gone': { query: '?hardware=cluster,gone', act: picture },
  'hardware-cluster-pin': { query: '?hardware=cluster,needs-pin', act: picture },
  'hardware-cluster-sealed': { query: '?hardware=sealed-cluster', act: picture },
  'hardware-cluster-zoom': { query: '?hardware=cluster,behind', act: picture, size: { width: 640, height: 400 } },
  'hardware-cluster-level': { over: 'dialog', query: '?hardware=cluster,behind&slow', act: async (page) => { await picture(page); await press(page, 'Bring level…'); await press(page, 'Bring it level'); await page.getByText('2 of 4 keys').waitFor(); } },
  'hardware-cluster-levelled': { over: 'dialog', query: '?hardware=cluster,behind,stuck', act: async (page) => { await picture(page); await press(page, 'Bring level…'); await press(page, 'Bring it level'); await page.getByText('Not every token is level').waitFor(); } },
  'hardware-cluster-span': { over: 'dialog', query: '?hardware=cluster', act: span },
  'hardware-cluster-span-none': { over: 'dialog', act: async (page) => { await more(page, 'release', 'Span another token…'); await page.getByText('Make another key store').waitFor(); } },
  'hardware-cluster-span-work': { over: 'dialog', query: '?hardware=cluster&slow', act: async (page) => { await span(page); await pins(page, '87654321'); await page.getByText('Making and trying').waitFor(); } },
  'hardware-cluster-span-wrong': { over: 'dialog', query: '?hardware=cluster', act: async (page) => { await span(page); await pins(page, '0000'); await page.getByText('is not that of').waitFor(); } },
  'hardware-cluster-span-done': { over: 'dialog', query: '?hardware=cluster', act: async (page) => { await span(page); await pins(page, '87654321'); await page.getByText('could not travel').waitFor(); } },
  'hardware-cluster-seal': { over: 'dialog', query: '?hardware=cluster', act: async (page) => { await more(page, 'release', 'Seal the cluster…'); await page.getByLabel('Type release to seal it').fill('release'); } },
  'hardware-cluster-seal-failed': { over: 'dialog', query: '?hardware=cluster', act: async (page) => { await more(page, 'release', 'Seal the cluster…'); await page.getByLabel('Type release to seal it').fill('release'); await submit(page); await page.getByText('does not count as sealed').waitFor(); } },
  'hardware-cluster-seal-behind': { over: 'dialog', query: '?hardware=cluster,behind', act: async (page) => { await more(page, 'release', 'Seal the cluster…'); await page.getByText('is behind').waitFor(); } },
  'hardware-cluster-leave': { over: 'dialog', query: '?hardware=cluster', act: leave },
  'hardware-cluster-leave-refused': { over: 'dialog', query: '?hardware=cluster', act: async (page) => { await leave(page); await submit(page); await page.getByRole('alert').waitFor(); } },
  'hardware-cluster-leave-left': { over: 'dialog', query: '?hardware=cluster,stays', act: async (page) => { await leave(page); await submit(page); await page.getByText('Not everything was removed.').waitFor(); } },
  'hardware-cluster-leave-narrow': { over: 'dialog', query: '?hardware=sealed-cluster', act: leave, size: { width: 640, height: 400 } },
  'hardware-cluster-span-narrow': { over: 'dialog', query: '?hardware=cluster&slow', act: async (page) => { await span(page); await pins(page, '87654321'); await page.getByText('Making and trying').waitFor(); }, size: { width: 640, height: 400 } },
  'hardware-connect-through': { over: 'dialog', query: '?hardware=cluster,missing,needs-pin', act: async (page) => { await hardware(page); await page.getByRole('button', { name: 'Connect…' }).first().click(); await page.getByRole('button', { name: 'Connect through backup-hsm' }).waitFor(); } },
  'hardware-cluster-copies': { query: '?hardware=cluster', act: async (page) => { await key(page); await page.getByRole('tab', { name: 'Token' }).click(); await page.getByText('cloned, not local').scrollIntoViewIfNeeded(); } },
  'hardware-narrow': { act: hardware, size: { width: 900, height: 640 } },
  'hardware-zoom': { act: hardware, size: { width: 640, height: 400 } },
  'setup-module': { over: 'dialog', query: '?hardware=none', act: async (page) => { await hardware(page); await press(page, 'Set up the first token'); await page.getByText('SoftHSM 2').waitFor(); } },
  'setup-look': { over: 'dialog', query: '?hardware=none,writable', act: loaded },
  'setup-token': { over: 'dialog', query: '?hardware=none', act: async (page) => { await loaded(page); await submit(page); await page.getByText('Which token?').waitFor(); } },
  'setup-initialise': { over: 'dialog', query: '?hardware=none', act: initialise },
  'setup-key': { over: 'dialog', query: '?hardware=none', act: keyStep },
  'setup-work': { over: 'dialog', query: '?hardware=none&slow', act: async (page) => { await keyStep(page); await submit(page); await page.getByText('under way').first().waitFor({ state: 'attached' }); } },
  'setup-left': { over: 'dialog', query: '?hardware=none', act: async (page) => { await keyStep(page); await press(page, 'Cancel'); await page.getByText('What stays').waitFor(); } },
  'setup-done': { over: 'dialog', query: '?hardware=none', act: async (page) => { await keyStep(page); await submit(page); await page.getByText('A key in hardware has signed').waitFor(); } },
  'keys-hardware': { act: (page) => key(page) },
  'keys-hardware-token': { act: async (page) => { await key(page); await page.getByRole('tab', { name: 'Token' }).click(); await page.getByText('Asked to wrap it out').waitFor(); } },
  'keys-hardware-certificates': { act: async (page) => { await key(page); await page.getByRole('tab', { name: 'Token' }).click(); await page.getByText('Certifies this key').scrollIntoViewIfNeeded(); } },
  'keys-hardware-wraps': { query: '?hardware=wraps', act: async (page) => { await key(page); await page.getByRole('tab', { name: 'Token' }).click(); await page.getByText('whatever it says').waitFor(); } },
  'keys-hardware-away': { query: '?hardware=missing', act: async (page) => { await key(page); await page.getByRole('article').getByText('Token missing').waitFor(); } },
  'create-hardware': { over: 'dialog', act: async (page) => { await press(page, 'New key'); await page.getByRole('radio', { name: /In hardware: release/ }).check(); await page.getByText('Whoever loses the token').scrollIntoViewIfNeeded(); } },
  'use-hardware': { over: 'dialog', query: '?gone&hardware=ready', act: async (page) => { await key(page); await press(page, 'Sign'); await page.getByRole('textbox', { name: 'Message' }).fill('release 1.4.0'); await page.getByRole('dialog').locator('button[type=submit]').first().click(); await page.getByLabel('PIN', { exact: true }).waitFor(); } },
  'palette-hardware': { over: 'dialog', act: async (page) => { await page.keyboard.press('Control+k'); await page.getByRole('combobox').fill('codesign'); await page.getByRole('option', { name: /Hardware$/ }).waitFor(); } },
};
