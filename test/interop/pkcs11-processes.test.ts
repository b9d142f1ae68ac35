/** PINs in the memory of modules' processes: what a security officer does, and a PIN that is changed while nobody is logged in, leave none. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client, Json } from '../system/support/client.ts';
import { openHsmVault, type HsmVault } from '../system/support/hsm-vault.ts';
import { scan } from '../system/support/memory.ts';
import { patternsOf, textNeedle } from '../system/support/needles.ts';
import { argumentsOf } from '../system/support/processes.ts';
import { childrenOf } from '../system/support/served-vault.ts';
import { SOFTHSM, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const OFFICER = 'officer-7c31f09e55ad';
const [FIRST, SECOND, THIRD] = ['user-pin-19b2e4c07f', 'user-pin-8d5a6630be', 'user-pin-f00c27d914'];
const PATTERNS = Object.entries({ OFFICER, FIRST, SECOND, THIRD }).flatMap(([name, text]) => patternsOf(textNeedle(name, text)));

let hsm: SoftHsm;
let client: Client;
let on: HsmVault;
beforeAll(async () => {
  on = await openHsmVault();
  ({ hsm, client } = on);
});
afterAll(() => on.end());

const hosts = (): readonly number[] => childrenOf(on.vault.pid).filter((pid) => argumentsOf(pid).includes('pkcs11.mjs'));
/** Names of the PINs that each module host has in its memory. */
const found = (): readonly (readonly string[])[] => hosts().map((pid) => [...new Set(scan(pid, PATTERNS).hits.map(({ needle }) => needle))].sort());
const tokens = async (): Promise<readonly Json[]> => (await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
const Module = (): string => hsm.run('realpath', SOFTHSM).toString('utf8').trim();

it('are in none that lives on', async () => {
  const [empty] = (await tokens()).filter(({ Initialized }) => Initialized === false);
  const { Serial } = await client.ok('hardware:InitializeToken', { Module: Module(), Slot: empty?.['Slot'], NewLabel: 'one', SecurityOfficerPin: b64(OFFICER), Pin: b64(FIRST) });
  expect(found()).toEqual([[]]);
  await client.ok('hardware:SetPin', { Serial, OldPin: b64(FIRST), NewPin: b64(SECOND) });
  expect(found()).toEqual([[]]);
  expect(await client.code('hardware:UnlockToken', { Serial, Pin: b64(FIRST) })).toBe('IncorrectPinException');
  await client.ok('hardware:UnlockToken', { Serial, Pin: b64(SECOND) });
  // The scan can find: a token's own process has its PIN.
  expect(found()).toEqual([[], expect.arrayContaining(['SECOND'])]);
  await client.ok('hardware:SetPin', { Serial, OldPin: b64(SECOND), NewPin: b64(THIRD) });
  expect(found()).toEqual([[], expect.arrayContaining(['THIRD'])]);
});

it('go with the token’s own process before it is erased, and nobody is logged in afterwards', async () => {
  const before = hosts();
  const [one] = (await tokens()).filter(({ Label }) => Label === 'one');
  expect(one).toMatchObject({ LoggedIn: true });
  const erase = (SecurityOfficerPin: string, more: Json = {}): Promise<string> => client.code('hardware:InitializeToken', { Module: Module(), Slot: one?.['Slot'], NewLabel: 'two', Erase: 'one', SecurityOfficerPin: b64(SecurityOfficerPin), Pin: b64(FIRST), ...more });
  expect(await erase('not-the-officer')).toBe('IncorrectPinException');
  expect(await erase(OFFICER)).toBe('ok');
  expect([hosts(), found()]).toEqual([[before[0]], [[]]]);
  expect((await tokens()).map(({ Label, LoggedIn }) => [Label, LoggedIn])).toEqual([['two', false], ['', false]]);
});
