/** Which process is given which PIN, and how a security officer's tries are counted. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallFailed } from '../../../src/main/backends/pkcs11/client.ts';
import type { CallName, TokenFacts } from '../../../src/main/backends/pkcs11/protocol.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { fakeTokens, type FakeTokens } from '../../fakes/tokens.ts';

const pins = (): readonly [Uint8Array, Uint8Array] => [Buffer.from('officer'), Buffer.from('user')];
const pin = (): SecretBytes => SecretBytes.copy(Buffer.from('1234567'));
const once = { lastTry: false, insist: 'keystead it --last-try' };
const wrongPin = (): CallFailed => new CallFailed({ what: 'cryptoki', function: 'C_Login', code: 0xa0, name: 'CKR_PIN_INCORRECT' });

let tokens: FakeTokens;
beforeEach(() => { tokens = fakeTokens(['one', 'two']); });
afterEach(async () => {
  await tokens.hardware.end();
  tokens.remove();
});

const place = () => tokens.token('one').place;
const found = async (): Promise<TokenFacts> => {
  const [facts] = await tokens.hardware.tokens(place().module);
  if (!facts) throw new Error('no token');
  return facts;
};
const erase = async (lastTry = false): Promise<unknown> => tokens.hardware.initToken(place().module, await found(), 'new', pins(), { ...once, lastTry });
const processesOf = (...calls: readonly CallName[]): Set<number> => new Set(tokens.seen.filter(({ call }) => calls.includes(call)).map(({ process }) => process));
const callsOf = (process: number): CallName[] => tokens.seen.filter((one) => one.process === process).map(({ call }) => call);

describe('a PIN that is not for staying logged in', () => {
  it('goes to a process that nobody else uses and that is gone afterwards', async () => {
    await erase();
    await tokens.hardware.setPin(place(), pins());
    for (const call of ['initToken', 'setPin'] as const) {
      const [process, another] = processesOf(call);
      expect([callsOf(process ?? 0), another]).toEqual([['load', call], undefined]);
      expect(tokens.alive()).not.toContain(process);
    }
    // The process that looks was given nothing.
    for (const process of processesOf('tokens')) expect(tokens.seen.filter((one) => one.process === process && one.parts > 0)).toEqual([]);
  });

  it('is changed in the token’s own process where somebody is logged in, which keeps the new one', async () => {
    await tokens.hardware.login(place(), pin());
    await tokens.hardware.setPin(place(), pins());
    expect(processesOf('setPin')).toEqual(processesOf('login'));
  });
});

describe('a token that is erased', () => {
  it('has no process of its own any more by then, and nobody logs in until it is done', async () => {
    await tokens.hardware.login(place(), pin());
    const [own = 0] = processesOf('login');
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => { go = resolve; });
    let aliveThen: readonly number[] = [];
    tokens.before(({ call }) => {
      if (call !== 'initToken') return undefined;
      aliveThen = tokens.alive();
      return held;
    });
    const erasing = erase();
    await expect.poll(() => processesOf('initToken').size).toBe(1);
    expect(aliveThen).not.toContain(own);
    await expect(tokens.hardware.login(place(), pin())).rejects.toMatchObject({ code: 'KMSInvalidStateException', message: expect.stringContaining('is being initialised, or given a new PIN') as string });
    await expect(erase()).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
    // Another token is.
    await tokens.hardware.login(tokens.token('two').place, pin());
    go();
    await erasing;
    await tokens.hardware.login(place(), pin());
  });

  it('is seen by the process that looks, which begins its module anew', async () => {
    await found();
    const looked = processesOf('tokens');
    await erase();
    const [looking = 0] = looked;
    expect(callsOf(looking).slice(callsOf(looking).lastIndexOf('tokens') + 1)).toEqual(['rescan']);
  });
});

describe('a security officer’s tries', () => {
  it('are said at each wrong PIN, as far as the token reports them', async () => {
    for (const [officerPin, words] of [['ok', 'does not say'], ['low', 'running out'], ['last', 'one try is left'], ['locked', 'locked now']] as const) {
      tokens.token('one').facts = {};
      tokens.before(({ call }) => {
        if (call !== 'initToken') return undefined;
        tokens.token('one').facts = { officerPin };
        return Promise.reject(wrongPin());
      });
      await expect(erase()).rejects.toMatchObject({ code: 'IncorrectPinException', message: expect.stringMatching(new RegExp(`token \`one\`, asked as its security officer,.*${words}`)) as string });
    }
  });

  it('are not used up without insisting: neither the last nor one that is too many', async () => {
    await tokens.hardware.login(place(), pin());
    tokens.token('one').facts = { officerPin: 'last' };
    await expect(erase()).rejects.toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('`keystead it --last-try`') as string });
    await expect(tokens.hardware.asOfficer(place(), 'trust', { token: place().token, label: 'x', peers: [] }, [Buffer.from('officer')], once)).rejects.toMatchObject({ code: 'PinLockedException' });
    // Whoever is logged in stays so.
    expect([processesOf('initToken', 'trust').size, await tokens.hardware.isLoggedIn(place())]).toEqual([0, true]);
    await erase(true);
    tokens.token('one').facts = { officerPin: 'locked' };
    for (const lastTry of [false, true]) await expect(erase(lastTry)).rejects.toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('security officer’s PIN') as string });
    expect(processesOf('initToken').size).toBe(1);
  });

  it('are none of a token that was never initialised: its first PIN is set, not tried', async () => {
    tokens.token('one').facts = { officerPin: 'last', initialized: false };
    await erase();
  });

  it('are not what a user’s PIN is counted by', async () => {
    tokens.token('one').facts = { officerPin: 'locked' };
    await tokens.hardware.login(place(), pin());
  });
});
