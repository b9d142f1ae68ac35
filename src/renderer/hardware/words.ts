/** What tokens, modules and key stores are, in words; and what the mechanisms of a token are used for. Pure. */
import type { Output } from '../../shared/api/index.ts';
import type { KeyStore, Mechanism, Module, Stated, Token } from './data.ts';

export type Tone = 'ok' | 'warn' | 'danger' | 'plain';
export type Said = readonly [words: string, tone: Tone];

export function tokenState({ Initialized, PinSet, PinState, LoggedIn }: Pick<Token, 'Initialized' | 'PinSet' | 'PinState' | 'LoggedIn'>): Said {
  if (!Initialized) return ['Empty', 'plain'];
  if (PinState === 'locked') return ['PIN locked', 'danger'];
  if (!PinSet) return ['No PIN yet', 'warn'];
  // Its process may have the PIN still, as after a disconnection.
  return LoggedIn ? ['Ready', 'ok'] : ['Not logged in', 'warn'];
}

export const FAILED: Readonly<Record<NonNullable<KeyStore['ConnectionErrorCode']>, string>> = {
  INVALID_CREDENTIALS: 'PIN needed',
  CLUSTER_NOT_FOUND: 'Token missing',
  USER_LOCKED_OUT: 'PIN locked',
  USER_NOT_FOUND: 'No user PIN on the token',
  INTERNAL_ERROR: 'The module stopped',
};
const CONNECTION: Readonly<Record<Exclude<KeyStore['ConnectionState'], 'FAILED'>, Said>> = {
  CONNECTED: ['Connected', 'ok'],
  CONNECTING: ['Connecting', 'plain'],
  DISCONNECTED: ['Not connected', 'plain'],
  DISCONNECTING: ['Disconnecting', 'plain'],
};
export function storeState({ ConnectionState: state, ConnectionErrorCode: error }: Pick<KeyStore, 'ConnectionState' | 'ConnectionErrorCode'>): Said {
  if (state !== 'FAILED') return CONNECTION[state];
  return [FAILED[error ?? 'INTERNAL_ERROR'], error === 'INVALID_CREDENTIALS' ? 'warn' : 'danger'];
}

/** What a failed connection means, and what comes next; undefined where nothing failed. */
const NEXT: Readonly<Record<NonNullable<KeyStore['ConnectionErrorCode']>, string>> = {
  INVALID_CREDENTIALS: 'The token was not logged in since the vault was unlocked. Connecting asks for its PIN.',
  CLUSTER_NOT_FOUND: 'The token does not answer. Put it back, then connect; its keys are as they were.',
  USER_LOCKED_OUT: 'Too many wrong PINs. The security officer of the token has to set a new one with the tools of its vendor.',
  USER_NOT_FOUND: 'The token has no user PIN. Whoever initialises it sets one, which erases it.',
  INTERNAL_ERROR: 'The module stopped. No signature was retried. Connecting starts it again and asks for the PIN.',
};
export const storeNext = ({ ConnectionState: state, ConnectionErrorCode: error }: Pick<KeyStore, 'ConnectionState' | 'ConnectionErrorCode'>): string | undefined => (state === 'FAILED' ? NEXT[error ?? 'INTERNAL_ERROR'] : undefined);

export function moduleState({ State, Crashes }: Pick<Module, 'State' | 'Crashes'>): Said {
  if (State === 'changed') return ['Changed, not loaded', 'danger'];
  if (State === 'missing') return ['File missing', 'danger'];
  if (State === 'running') return ['Running', 'ok'];
  return Crashes > 0 ? ['Stopped', 'danger'] : ['Not running', 'plain'];
}

/** What is said of a module whose process ended by itself. */
export function crashWords({ State, Crashes }: Pick<Module, 'State' | 'Crashes'>): string | undefined {
  if (Crashes === 0) return undefined;
  const again = Crashes === 1 ? '' : `, ${String(Crashes)} times since the vault was unlocked`;
  return State === 'running' ? `The module stopped and was restarted${again}. No signature was retried.` : `The module stopped${again}. No signature was retried.`;
}

/** CK_TOKEN_INFO's flags as sentences; PKCS #11 v2.40 section 3.2. */
export function tokenFlags({ Initialized, PinSet, PinPad, WriteProtected, PinState }: Pick<Token, 'Initialized' | 'PinSet' | 'PinPad' | 'WriteProtected' | 'PinState'>): readonly string[] {
  return [
    Initialized ? 'initialised' : 'not initialised',
    ...(Initialized ? [PinSet ? 'has a user PIN' : 'has no user PIN'] : []),
    ...(PinState === 'low' ? ['a wrong PIN was given'] : []),
    ...(PinState === 'last' ? ['one more wrong PIN locks it'] : []),
    ...(PinState === 'locked' ? ['user PIN locked'] : []),
    ...(WriteProtected ? ['write-protected'] : []),
    ...(PinPad ? ['has a PIN pad of its own'] : []),
  ];
}

/** Characters of a PIN that is new. */
export const leastPin = ({ MinPinLength }: Pick<Token, 'MinPinLength'>): number => Math.max(4, MinPinLength);

/** PKCS #11 counts no tries: a token only says that it is getting late. */
export const TRIES: Readonly<Record<Token['PinState'], string | undefined>> = {
  ok: undefined,
  low: 'A wrong PIN was given before. The token says that tries are running out.',
  last: 'One try is left. One more wrong PIN locks the token.',
  locked: 'The PIN is locked. The token’s security officer can set a new one.',
};

/** What is wrong with a token's own clock; undefined: nothing, or it has none. */
export function clockWords({ ClockState: state, ClockTime: at }: Pick<Token, 'ClockState' | 'ClockTime'>): string | undefined {
  if (state === 'unreadable') return 'Its own clock says nothing that is a time. Nothing here goes by it; see to the token.';
  return state === 'off' && at !== undefined ? `Its own clock is off: it says ${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC. Nothing here goes by it; set it with the tools of its vendor.` : undefined;
}

const USES: Readonly<Record<string, string>> = {
  CKM_AES_KEY_GEN: 'Makes AES-256 keys',
  CKM_AES_GCM: 'Encrypt and Decrypt: wraps the key of each message',
  CKM_GENERIC_SECRET_KEY_GEN: 'Makes HMAC keys',
  CKM_SHA224_HMAC: 'GenerateMac with HMAC_SHA_224',
  CKM_SHA256_HMAC: 'GenerateMac with HMAC_SHA_256',
  CKM_SHA384_HMAC: 'GenerateMac with HMAC_SHA_384',
  CKM_SHA512_HMAC: 'GenerateMac with HMAC_SHA_512',
  CKM_RSA_PKCS_KEY_PAIR_GEN: 'Makes RSA keys',
  CKM_RSA_PKCS: 'Sign with RSASSA_PKCS1_V1_5',
  CKM_RSA_PKCS_PSS: 'Sign with RSASSA_PSS',
  CKM_RSA_PKCS_OAEP: 'Decrypt with RSAES_OAEP, for the hashes that it knows',
  CKM_RSA_X_509: 'Decrypt with RSAES_OAEP where the token knows no SHA-256: the padding is checked by Keystead',
  CKM_EC_KEY_PAIR_GEN: 'Makes keys on the NIST curves and secp256k1',
  CKM_ECDSA: 'Sign with ECDSA, over a digest made by Keystead',
  CKM_ECDH1_DERIVE: 'DeriveSharedSecret',
  CKM_EC_EDWARDS_KEY_PAIR_GEN: 'Makes Ed25519 keys',
  CKM_EDDSA: 'Sign with ED25519',
};
const WRAPS: ReadonlySet<string> = new Set(['CKM_AES_KEY_WRAP', 'CKM_AES_KEY_WRAP_PAD', 'CKM_AES_KEY_WRAP_KWP', 'CKM_AES_CBC_PAD']);
/** CKF_WRAP: the token wraps keys with the mechanism. */
const WRAP = 0x20000;
/** What a mechanism is used for here; undefined: for nothing. */
export function mechanismUse({ Mechanism: name, Flags: flags }: Pick<Mechanism, 'Mechanism' | 'Flags'>): string | undefined {
  if (WRAPS.has(name)) return (flags & WRAP) === 0 ? undefined : 'Tried on each key that is looked at: it must refuse';
  return Object.hasOwn(USES, name) ? USES[name] : undefined;
}

/** Of a key of a cluster: that it leaves is what it is for, and under what. */
const UNDER_TRUSTED = 'Extractable under a wrapping key that the token trusts, and under no other (CKA_WRAP_WITH_TRUSTED)';
const STATED: readonly (readonly [keyof Stated, yes: string, no: string, good: boolean])[] = [
  ['Sensitive', 'Sensitive: its value is not shown', 'Not sensitive: its value can be read', true],
  ['Extractable', 'Extractable: it can be wrapped out', 'Not extractable', false],
  ['AlwaysSensitive', 'Always was sensitive', 'Was not always sensitive', true],
  ['NeverExtractable', 'Never was extractable', 'Was extractable once', true],
  ['Local', 'Made on the token', 'Not made on the token: imported or cloned', true],
];
/** `good`: as one wants it of a key that is to stay where it is. */
export const statedWords = (stated: Stated): readonly { readonly name: keyof Stated; readonly words: string; readonly good: boolean | undefined }[] =>
  STATED.map(([name, yes, no, wanted]) => {
    const value = stated[name];
    if (name === 'Extractable' && value === true && stated.TrustedOnly === true) return { name, words: UNDER_TRUSTED, good: true };
    return { name, words: value === undefined ? `${name}: the token does not say` : value ? yes : no, good: value === undefined ? undefined : value === wanted };
  });

type Tested = Output<'hardware:DescribeTokenKey'>['Tested'];
export interface Verdict {
  /** undefined: not known. */
  readonly good: boolean | undefined;
  readonly words: string;
  /** Those that it was tried with. */
  readonly mechanisms: readonly string[];
}

/** What came of asking the token to wrap a key out, worst first. What it refused shows that it keeps the key only where nothing is left open. */
export function wrapVerdicts({ WrapAllowed: allowed, WrapRefused: refused, WrapUnknown: unknown }: Tested): readonly Verdict[] {
  if (allowed.length + refused.length + unknown.length === 0) return [{ good: undefined, words: 'The token offers no mechanism that could wrap it out, so there was nothing to try.', mechanisms: [] }];
  const isSettled = allowed.length + unknown.length === 0;
  return [
    ...(allowed.length > 0 ? [{ good: false, words: 'The token wrapped this key out, whatever it says of it. Whoever has the PIN can take the key. What came out was wiped unseen:', mechanisms: allowed }] : []),
    ...(unknown.length > 0 ? [{ good: undefined, words: 'Asked to wrap it out, the token failed without refusing. Whether it would is not known:', mechanisms: unknown }] : []),
    ...(refused.length > 0 ? [{ good: isSettled ? true : undefined, words: isSettled ? 'Asked to wrap it out, the token refused:' : 'It refused these alone:', mechanisms: refused }] : []),
  ];
}

/** Where a library is, without the folders that all of them are in. */
export const moduleName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
/** A module that is known under a better name than its file's. */
export const KNOWN_MODULES: readonly (readonly [file: RegExp, name: string])[] = [
  [/libsofthsm2\.so$/, 'SoftHSM 2, a token in software for development'],
  [/opensc-pkcs11\.so$/, 'OpenSC, smart cards and YubiKeys'],
  [/libykcs11\.so/, 'YubiKey, its own module'],
  [/libsoftokn3\.so$/, 'NSS softokn'],
  [/cloudhsm/, 'AWS CloudHSM'],
  [/gnome-keyring-pkcs11\.so$/, 'GNOME’s keyring'],
];
export const moduleAbout = (path: string): string | undefined => KNOWN_MODULES.find(([file]) => file.test(path))?.[1];
