/** Hardware in words, and what a set-up leaves behind. */
import { describe, expect, it } from 'vitest';
import { mechanismName } from '../../../src/main/backends/pkcs11/mechanisms.ts';
import { CKF, CKM } from '../../../src/main/backends/pkcs11/cryptoki.ts';
import { isCrash, isUndone } from '../../../src/renderer/hardware/connect.ts';
import { offeredModules } from '../../../src/renderer/hardware/module-choice.tsx';
import { setupCommands, staying } from '../../../src/renderer/hardware/setup-run.ts';
import { clockWords, crashWords, mechanismUse, moduleState, statedWords, storeNext, storeState, tokenFlags, tokenState, TRIES, wrapVerdicts } from '../../../src/renderer/hardware/words.ts';

const token = { Initialized: true, PinSet: true, PinPad: false, WriteProtected: false, PinState: 'ok', LoggedIn: false } as const;

describe('a token', () => {
  it('says what it needs next, and what is worst first', () => {
    expect(tokenState(token)).toEqual(['Not logged in', 'warn']);
    expect(tokenState({ ...token, LoggedIn: true })).toEqual(['Ready', 'ok']);
    expect(tokenState({ ...token, PinState: 'locked', LoggedIn: true })).toEqual(['PIN locked', 'danger']);
    expect(tokenState({ ...token, PinSet: false })).toEqual(['No PIN yet', 'warn']);
    expect(tokenState({ ...token, Initialized: false, PinSet: false })).toEqual(['Empty', 'plain']);
  });
  it('has its flags in words', () => {
    expect(tokenFlags({ ...token, PinState: 'last', WriteProtected: true, PinPad: true })).toEqual(['initialised', 'has a user PIN', 'one more wrong PIN locks it', 'write-protected', 'has a PIN pad of its own']);
    expect(tokenFlags({ ...token, Initialized: false, PinSet: false })).toEqual(['not initialised']);
  });
  it('never claims a number of tries that PKCS #11 does not give, but for the last', () => {
    expect(TRIES.ok).toBeUndefined();
    expect(TRIES.low).not.toMatch(/\d|one|two|three/i);
    expect(TRIES.last).toContain('One try is left');
  });
});

describe('a token’s clock', () => {
  it('is spoken of where it is off, or says no time', () => {
    expect(clockWords({})).toBeUndefined();
    expect(clockWords({ ClockState: 'right', ClockTime: 1 })).toBeUndefined();
    expect(clockWords({ ClockState: 'off', ClockTime: 0 })).toContain('it says 1970-01-01 00:00 UTC');
    expect(clockWords({ ClockState: 'unreadable' })).toContain('nothing that is a time');
  });
});

describe('a key store', () => {
  it('has AWS’s states and errors in words, and says what comes next where it failed', () => {
    expect(storeState({ ConnectionState: 'CONNECTED' })).toEqual(['Connected', 'ok']);
    expect(storeNext({ ConnectionState: 'CONNECTED' })).toBeUndefined();
    const errors = ['INVALID_CREDENTIALS', 'CLUSTER_NOT_FOUND', 'INTERNAL_ERROR', 'USER_LOCKED_OUT', 'USER_NOT_FOUND'] as const;
    const words = errors.map((ConnectionErrorCode) => storeState({ ConnectionState: 'FAILED', ConnectionErrorCode })[0]);
    expect(words).toEqual(['PIN needed', 'Token missing', 'The module stopped', 'PIN locked', 'No user PIN on the token']);
    for (const ConnectionErrorCode of errors) expect(storeNext({ ConnectionState: 'FAILED', ConnectionErrorCode })).toMatch(/\.$/);
  });
});

describe('a module', () => {
  it('that stopped says that no signature was retried, and whether it runs again', () => {
    expect(crashWords({ State: 'running', Crashes: 0 })).toBeUndefined();
    expect(crashWords({ State: 'running', Crashes: 1 })).toBe('The module stopped and was restarted. No signature was retried.');
    expect(crashWords({ State: 'stopped', Crashes: 1 })).toBe('The module stopped. No signature was retried.');
    expect(crashWords({ State: 'running', Crashes: 3 })).toContain('3 times');
    expect(moduleState({ State: 'stopped', Crashes: 0 })[1]).toBe('plain');
    expect(moduleState({ State: 'changed', Crashes: 0 })).toEqual(['Changed, not loaded', 'danger']);
  });
  it('that changed or is gone is not offered; SoftHSM stands first', () => {
    const module = (Path: string, State: 'running' | 'changed') => ({ Path, State, Sha256: '', AddedDate: 0, Crashes: 0, Warnings: [], SealedPins: [] });
    expect(offeredModules([module('/a/opensc.so', 'running'), module('/b/changed.so', 'changed')], ['/c/libsofthsm2.so'])).toEqual(['/c/libsofthsm2.so', '/a/opensc.so']);
  });
});

it('every mechanism that the backend names but plain digests has a use in words, and no other', () => {
  const digests = new Set<number>([CKM.SHA_1, CKM.SHA224, CKM.SHA256, CKM.SHA384, CKM.SHA512]);
  const use = (Mechanism: string, Flags: number = CKF.WRAP): string | undefined => mechanismUse({ Mechanism, Flags });
  for (const type of Object.values(CKM)) expect([mechanismName(type), use(mechanismName(type)) === undefined]).toEqual([mechanismName(type), digests.has(type)]);
  expect(use('constructor')).toBeUndefined();
  // SoftHSM 2.6 encrypts with CBC and padding, and wraps nothing with it: nothing is tried.
  expect([use('CKM_AES_CBC_PAD', 0), use('CKM_AES_GCM', 0)]).toEqual([undefined, expect.any(String)]);
});

it('what a token states is judged as one wants it of a key that stays, and silence is neither good nor bad', () => {
  const good = statedWords({ Sensitive: true, Extractable: false, AlwaysSensitive: true, NeverExtractable: true, Local: true });
  expect(good.every((one) => one.good === true)).toBe(true);
  expect(statedWords({ Sensitive: false, Extractable: true, AlwaysSensitive: false, NeverExtractable: false, Local: false }).every((one) => one.good === false)).toBe(true);
  expect(statedWords({}).map(({ good: is }) => is)).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

it('says of a key of a cluster that it leaves under a trusted wrapping key only, and warns of one that leaves under any', () => {
  const extractable = (TrustedOnly?: true) => statedWords({ Extractable: true, ...(TrustedOnly ? { TrustedOnly } : {}) }).find(({ name }) => name === 'Extractable');
  expect(extractable(true)).toEqual({ name: 'Extractable', words: 'Extractable under a wrapping key that the token trusts, and under no other (CKA_WRAP_WITH_TRUSTED)', good: true });
  expect(extractable()).toMatchObject({ words: 'Extractable: it can be wrapped out', good: false });
  // Sealed.
  expect(statedWords({ Extractable: false, TrustedOnly: true }).find(({ name }) => name === 'Extractable')).toMatchObject({ words: 'Not extractable', good: true });
});

it('takes no refusal for the whole answer where something else was left open', () => {
  const verdicts = (WrapAllowed: string[], WrapUnknown: string[], WrapRefused: string[]) => wrapVerdicts({ WrapAllowed, WrapUnknown, WrapRefused }).map(({ good, mechanisms }) => [good, ...mechanisms]);
  expect(verdicts([], [], ['a', 'b'])).toEqual([[true, 'a', 'b']]);
  expect(verdicts([], ['b'], ['a'])).toEqual([[undefined, 'b'], [undefined, 'a']]);
  expect(verdicts(['c'], ['b'], ['a'])).toEqual([[false, 'c'], [undefined, 'b'], [undefined, 'a']]);
  expect(verdicts(['c'], [], ['a'])).toEqual([[false, 'c'], [undefined, 'a']]);
  expect(verdicts([], [], [])).toEqual([[undefined]]);
  expect(wrapVerdicts({ WrapAllowed: [], WrapUnknown: ['b'], WrapRefused: ['a'] })[0]?.words).toContain('is not known');
});

it('goes on after an error of a token that is not connected, and not after a module that stopped in the middle', () => {
  const error = (code: string) => ({ code, message: '' }) as Parameters<typeof isUndone>[0];
  expect(['KMSInvalidStateException', 'KeyUnavailableException', 'KMSInternalException', 'IncorrectPinException'].map((code) => [isUndone(error(code)), isCrash(error(code))])).toEqual([[true, false], [true, false], [false, true], [false, false]]);
});

describe('a set-up that is left', () => {
  it('leaves nothing behind before something was made', () => {
    expect(staying({ module: 'm.so', token: undefined, made: {}, storeName: '' })).toEqual([]);
    expect(staying({ module: undefined, token: undefined, made: { storeId: 'cks-1' }, storeName: 'theirs' })).toEqual([]);
  });
  it('names what stays', () => {
    const stays = staying({ module: 'm.so', token: 'bench', made: { storeId: 'cks-1', isOwnStore: true, keyId: 'k' }, storeName: 'own' }).join('\n');
    for (const name of ['bench', 'own', 'k', 'm.so']) expect(stays).toContain(name);
  });
});

it('the commands sign in the vault and check with openssl, where openssl can', () => {
  expect(setupCommands('alias/x', 'ECDSA_SHA_384')).toEqual([
    'keystead kms sign --key-id alias/x --message fileb://message --signing-algorithm ECDSA_SHA_384 --output-file Signature=signature.bin',
    'keystead kms get-public-key --key-id alias/x --format pem > public.pem',
    'openssl dgst -sha384 -verify public.pem -signature signature.bin message',
  ]);
  expect(setupCommands('alias/x', 'ED25519_SHA_512')).toHaveLength(1);
});
