/** A token's PIN as what opens the vault, on the unlock screen and as a proof in Settings: which token, its last try, and a module to vouch for. Over the fake bridge. */
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStage, type Stage } from '../renderer/stage.ts';

let stage: Stage;
beforeAll(async () => { stage = await openStage(resolve(import.meta.dirname, '../..')); });
afterAll(() => stage.close());

const WAYS = 'slots=password,recovery,token';
const give = async (page: Page, token: string): Promise<void> => {
  await page.getByLabel(`PIN of token ${token}`, { exact: true }).fill('1234567');
  await page.keyboard.press('Enter');
};
const proof = async (page: Page): Promise<void> => {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Remove the recovery code' }).click();
  await page.getByRole('button', { name: 'Use the token' }).click();
};
const LAST = /uses the last try that the token says is left/;

it('unlocks with the last try once that was said, and says it of no other token', async () => {
  const { page, said, leave } = await stage.show({ query: `?state=locked&${WAYS}&last=office` }, {});
  await page.getByText('Use a hardware token').click();
  await give(page, 'office');
  await page.getByText(LAST).waitFor();
  await page.getByLabel('Token', { exact: true }).selectOption({ index: 1 });
  expect(await page.getByText(LAST).count()).toBe(0);
  await page.getByLabel('Token', { exact: true }).selectOption({ index: 0 });
  expect(await page.getByText(LAST).count()).toBe(0);
  await give(page, 'office');
  await page.getByText(LAST).waitFor();
  await give(page, 'office');
  await page.getByRole('link', { name: 'Settings' }).waitFor();
  expect(said).toEqual([]);
  await leave();
});

it('proves by the token that was chosen, whose module somebody vouches for', async () => {
  const { page, said, leave } = await stage.show({ query: `?${WAYS}&module=writable`, act: proof }, {});
  await page.getByLabel('Token', { exact: true }).selectOption({ label: 'safe, serial number 0a55e1f29c3b7d18' });
  await give(page, 'safe');
  await page.getByText('SHA-256 of the file').waitFor();
  await page.getByLabel('This is my module: load it').check();
  await give(page, 'safe');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect([await page.getByRole('button', { name: 'Remove the recovery code' }).count(), said]).toEqual([0, []]);
  await leave();
});

it('proves with the last try once that was said', async () => {
  const { page, leave } = await stage.show({ query: `?${WAYS}&last=office`, act: proof }, {});
  await give(page, 'office');
  await page.getByText(LAST).waitFor();
  await give(page, 'office');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await leave();
});

it('says of no other token what was said of one, whatever way in is looked at meanwhile', async () => {
  const { page, leave } = await stage.show({ query: `?${WAYS}&last=office`, act: proof }, {});
  await give(page, 'office');
  await page.getByText(LAST).waitFor();
  await page.getByLabel('Token', { exact: true }).selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Use the password' }).click();
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByLabel('PIN of token safe', { exact: true }).waitFor();
  expect(await page.getByText(LAST).count()).toBe(0);
  await leave();
});
