/**
 * Rotation in the real window over a real vault: set up, tried, run, watched and stopped by hand, with a new password that is set nowhere else
 * and with a real PostgreSQL. In order.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenWindow } from '../hosts/playwright.ts';
import { makeAuthority } from '../system/support/authority.ts';
import { base64, type Json } from '../system/support/client.ts';
import { type Postgres, startPostgres } from '../system/support/postgres.ts';
import { until } from '../system/support/processes.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { stops } from '../system/support/stops.ts';
import { dialog, press, submit } from './support/acts.ts';
import { inOrder } from './support/in-order.ts';
import { currentValue } from './support/page-content.ts';
import { takeKeyboard } from './support/keyboard.ts';
import { openUnlocked } from './support/unlocked-window.ts';

const home = temporaryFolder();
/** The server runs as another user, who has to get there. */
const servers = temporaryFolder();
/** Of one step of the page; a busy machine may take long. */
const PATIENCE_MS = 120_000;
const FIRST = 'first-Passwort-1';

const started = stops();
let postgres: Postgres;
let window: OpenWindow;
let page: Page;
let said: readonly string[];
inOrder(() => page);

beforeAll(async () => {
  chmodSync(servers, 0o711);
  const authority = makeAuthority(join(servers, 'ca'));
  postgres = started.later(await startPostgres(join(servers, 'pg'), authority), (server) => server.kill());
  await postgres.sql(`CREATE ROLE shop LOGIN PASSWORD '${FIRST}'`);
  ({ window, page, said } = started.later(await openUnlocked(home), (opened) => opened.window.close()));
  page.setDefaultTimeout(PATIENCE_MS);
  const create = (Name: string, value: Json) => window.local.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify(value)) });
  await create('key', { password: FIRST });
  await create('shop', { engine: 'postgres', host: 'localhost', port: postgres.port, username: 'shop', password: FIRST, ca: authority.ca });
});
afterAll(async () => {
  await started.all();
  remove(home);
  remove(servers);
});

const passwordOf = async (SecretId: string): Promise<string> => (JSON.parse(await currentValue(window, SecretId)) as { readonly password: string }).password;
const row = (name: string): Locator => page.getByRole('option', { name: new RegExp(`^${name}`) });
const step = (name: string): Locator => page.getByRole('region', { name: /^(?:Rotation in progress|Going back)/ }).getByRole('listitem').filter({ hasText: name });
const runs = (): Locator => page.getByRole('region', { name: 'Runs before' }).getByRole('group');

it('sets rotation up by keys alone, tries it first, and rotates a password that is set nowhere else', async () => {
  await page.keyboard.press('Control+2');
  await row('key').waitFor();
  const keyboard = await takeKeyboard(page);
  await keyboard.press('Home');
  await page.getByRole('heading', { name: 'key', exact: true }).waitFor();
  await keyboard.tabTo('Value');
  await keyboard.press('ArrowRight');
  await keyboard.enter('Set up rotation…');
  await page.getByText('The next five runs').waitFor();
  expect(await keyboard.at()).toMatchObject({ name: expect.stringContaining('What rotates it') as unknown });
  await keyboard.enter('Dry run');
  await page.getByText('Nothing outside is needed for it').waitFor();
  expect(await keyboard.at()).toMatchObject({ name: 'Dry run' });
  await keyboard.tabTo('Rotate once now', 'Shift+Tab');
  await keyboard.press(' ');
  await keyboard.enter('Save and rotate');
  await dialog(page).waitFor({ state: 'detached' });
  await runs().getByText('Rotated').waitFor();
  // What opened the dialog is gone, and what was pressed now goes too: the keyboard stays in the secret.
  expect(await keyboard.at()).toMatchObject({ role: 'section', name: 'Secret' });
  await keyboard.enter('Rotate now');
  await expect.poll(() => runs().getByText('Rotated').count()).toBe(2);
  await expect.poll(() => keyboard.at()).toMatchObject({ name: expect.stringMatching(/^(?:Secret|Rotate now)$/) as string });
  expect(await passwordOf('key')).not.toBe(FIRST);
  expect([keyboard.unseen, await keyboard.pointed()]).toEqual([[], 0]);
});

it('says for whom the next rotation waits, while it waits', async () => {
  await window.local.ok('secretsmanager:SetRotator', { SecretId: 'key', Rotator: 'generic', OverlapHours: 1000 });
  await window.local.ok('secretsmanager:RotateSecret', { SecretId: 'key' });
  await page.getByText('The next one waits for owner, which still uses the previous version, until').waitFor();
  await passwordOf('key');
  await page.getByText('The next one waits up to 1,000 hours while').waitFor();
});

it('tries the connection to a real server, and says what it would need', async () => {
  await row('shop').click();
  await page.getByRole('tab', { name: 'Rotation' }).click();
  await press(page, 'Set up rotation…');
  expect(await page.getByLabel('What rotates it').inputValue()).toBe('postgres');
  await page.getByLabel('When', { exact: true }).selectOption('');
  await press(page, 'Test the connection');
  await page.getByText(/It could be rotated\. Tried: localhost:\d+ tls/).waitFor();
  await submit(page);
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByText('It is rotated when you ask for it').waitFor();
  // Which database it is for is known without its value: none has come to the window.
  const { Events } = (await window.local.ok('trail:LookupEvents', { Operation: 'secretsmanager:GetSecretValue', Limit: 500 })) as { readonly Events: readonly { readonly Door?: string }[] };
  expect(Events.filter(({ Door }) => Door === 'ipc')).toEqual([]);
  expect(await postgres.logsIn('shop', FIRST)).toBe(true);
});

it('shows the four steps live while the server lets one wait, and the list says so', async () => {
  // A lock on the row of the user: the change waits at the server.
  const locking = postgres.sql('BEGIN', 'ALTER ROLE shop CONNECTION LIMIT 7', 'SELECT pg_sleep(12)', 'ROLLBACK');
  await until(async () => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0, 'the lock is held', PATIENCE_MS);
  await press(page, 'Rotate now');
  await step('setSecret').getByText('Setting it…').waitFor();
  await step('createSecret').getByText('New value made').waitFor();
  await step('finishSecret').getByText('Programs switch here').waitFor();
  await row('shop').getByText('Rotating').waitFor();
  await locking;
  await runs().getByText('Rotated').waitFor();
  await row('shop').getByText('Rotating').waitFor({ state: 'detached' });
  const made = await passwordOf('shop');
  expect([await postgres.logsIn('shop', made), await postgres.logsIn('shop', FIRST)]).toEqual([true, false]);
});

it('shows a failure in full, and does the attempt that waits when it is told to', async () => {
  const made = await passwordOf('shop');
  await postgres.sql("ALTER ROLE shop PASSWORD 'somebody-Passwort-2'");
  await press(page, 'Rotate now');
  const failure = page.getByRole('alert').filter({ hasText: 'login-refused' });
  await failure.waitFor();
  expect(await failure.textContent()).toMatch(/None of the secret's passwords logs in.*That was setSecret, at attempt 1\. Tried: localhost:\d+ (?!plain)/s);
  await step('setSecret').getByText(/^Failed/).waitFor();
  await page.getByText('Attempt 2 of 5 is in').waitFor();
  await row('shop').getByText('Tried again soon').waitFor();
  expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(made);
  await postgres.sql(`ALTER ROLE shop PASSWORD '${made}'`);
  await press(page, 'Try again now');
  await runs().getByText('2 attempts').waitFor();
  expect(await postgres.logsIn('shop', await passwordOf('shop'))).toBe(true);
});

it('stops one that waits, and keeps the current value', async () => {
  const made = await passwordOf('shop');
  await postgres.sql("ALTER ROLE shop PASSWORD 'somebody-Passwort-3'");
  await press(page, 'Rotate now');
  await page.getByText('Attempt 2 of 5 is in').waitFor();
  await postgres.sql(`ALTER ROLE shop PASSWORD '${made}'`);
  await press(page, 'Stop and keep the current one');
  await runs().getByText('Stopped').waitFor();
  expect(await passwordOf('shop')).toBe(made);
  expect(await postgres.logsIn('shop', made)).toBe(true);
});

it('said nothing that no part of the page has caught', () => {
  expect(said).toEqual([]);
});
