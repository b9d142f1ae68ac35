/** What a module's return values mean to people: one table. Each message names the token and says what to do next. */
import { VaultError, type ErrorCode } from '../../../shared/model/errors.ts';
import { CallFailed } from './client.ts';
import { CKR } from './cryptoki.ts';
import type { TokenName } from './protocol.ts';

type Meaning = readonly [code: ErrorCode, text: string];

const RECONNECT = 'connect its key store again with `keystead kms connect-custom-key-store`';
const GONE: Meaning = ['KeyUnavailableException', `is not there; put it back and ${RECONNECT}`];
const MECHANISMS = 'see `keystead hardware list-mechanisms`';
const KEYS = 'see `keystead hardware list-token-keys`';
const CURVE: Meaning = ['UnsupportedOperationException', `does not know this curve; use another one, ${MECHANISMS}`];
const LOGGED_OUT: Meaning = ['KMSInvalidStateException', `is logged out; ${RECONNECT}`];

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [CKR.PIN_INCORRECT]: ['IncorrectPinException', 'refuses the PIN; try again, and stop before it locks itself'],
  [CKR.PIN_INVALID]: ['IncorrectPinException', 'does not take a PIN of such characters; choose another'],
  [CKR.PIN_LEN_RANGE]: ['IncorrectPinException', 'does not take a PIN of this length; see `keystead hardware list-tokens`'],
  [CKR.PIN_TOO_WEAK]: ['IncorrectPinException', 'takes no PIN as weak as that; choose another'],
  [CKR.PIN_EXPIRED]: ['IncorrectPinException', 'says that the PIN has expired; set a new one with `keystead hardware set-pin`'],
  [CKR.PIN_LOCKED]: ['PinLockedException', 'has locked its PIN; its security officer has to set a new one with the tools of its vendor'],
  [CKR.USER_PIN_NOT_INITIALIZED]: ['PinLockedException', 'has no user PIN yet; initialise it with `keystead hardware initialize-token`'],
  [CKR.USER_NOT_LOGGED_IN]: LOGGED_OUT,
  [CKR.USER_TYPE_INVALID]: LOGGED_OUT,
  [CKR.USER_TOO_MANY_TYPES]: ['KMSInvalidStateException', 'is in use by its security officer; try again later'],
  [CKR.DEVICE_REMOVED]: GONE,
  [CKR.TOKEN_NOT_PRESENT]: GONE,
  [CKR.TOKEN_NOT_RECOGNIZED]: GONE,
  [CKR.SLOT_ID_INVALID]: GONE,
  [CKR.SESSION_HANDLE_INVALID]: GONE,
  [CKR.SESSION_CLOSED]: GONE,
  [CKR.SESSION_COUNT]: ['ThrottlingException', 'has no session left; close other programs that use it, and try again'],
  [CKR.SESSION_EXISTS]: ['KMSInvalidStateException', 'is in use; disconnect its key stores and close other programs that use it'],
  [CKR.TOKEN_WRITE_PROTECTED]: ['UnsupportedOperationException', 'is write-protected; use another token'],
  [CKR.DEVICE_MEMORY]: ['LimitExceededException', 'has no room left; remove what is no longer needed from it'],
  [CKR.DEVICE_ERROR]: ['KMSInternalException', 'reports a fault of the device; see to it, and try again'],
  [CKR.RANDOM_NO_RNG]: ['KMSInternalException', 'has no working generator of random numbers; replace it'],
  [CKR.MECHANISM_INVALID]: ['UnsupportedOperationException', `does not offer this; ${MECHANISMS}`],
  [CKR.MECHANISM_PARAM_INVALID]: ['UnsupportedOperationException', `does not offer this with these parameters; use another algorithm, ${MECHANISMS}`],
  [CKR.FUNCTION_NOT_SUPPORTED]: ['UnsupportedOperationException', `does not offer this; ${MECHANISMS}`],
  [CKR.KEY_SIZE_RANGE]: ['UnsupportedOperationException', `does not take keys of this size; ${MECHANISMS}`],
  [CKR.DOMAIN_PARAMS_INVALID]: CURVE,
  [CKR.CURVE_NOT_SUPPORTED]: CURVE,
  [CKR.KEY_FUNCTION_NOT_PERMITTED]: ['InvalidKeyUsageException', `does not let this key be used so; ${KEYS}`],
  [CKR.KEY_TYPE_INCONSISTENT]: ['InvalidKeyUsageException', `holds a key of another kind under this name; ${KEYS}`],
  [CKR.KEY_HANDLE_INVALID]: ['KeyUnavailableException', 'no longer holds the key; try again, or look at it with `keystead hardware list-token-keys`'],
  [CKR.OBJECT_HANDLE_INVALID]: ['KeyUnavailableException', 'no longer holds the key; try again, or look at it with `keystead hardware list-token-keys`'],
};

const FOUND: Readonly<Record<'load' | 'absent' | 'ambiguous' | 'refused' | 'changed' | 'busy' | 'internal', Meaning>> = {
  load: ['ModuleRefusedException', 'cannot be loaded: it is no library of this system, no PKCS #11 module, or lacks another library; get the one for this system from its vendor'],
  absent: ['KeyUnavailableException', 'or the key in it is not there; put it back, or look for it with `keystead hardware list-tokens`'],
  ambiguous: ['KeyUnavailableException', 'is there more than once, or holds more than one key under one id; nobody can say which is meant: take one away with the tools of its vendor'],
  refused: ['UnsupportedOperationException', 'made a key that could leave it, which was destroyed at once; use another token'],
  changed: ['KeyUnavailableException', 'is not the token that is in this slot now; nothing was erased, look with `keystead hardware list-tokens` and try again'],
  busy: ['KMSInvalidStateException', 'cannot be looked for anew while another token works in the same process; lock the vault and unlock it again'],
  internal: ['KMSInternalException', 'answered with something that is no answer; try again'],
};

export const nameToken = ({ label, serial }: TokenName): string => `token \`${label === '' ? serial : label}\``;

/** `subject`: what the sentence is about, such as "token `x`". What is no CallFailed comes back as it is. */
export function meant(error: unknown, subject: string): Error {
  if (!(error instanceof CallFailed)) return error instanceof Error ? error : new VaultError('KMSInternalException', `${subject} failed`);
  const { what, code, name, function: called } = error.failure;
  if (what !== 'cryptoki') return new VaultError(FOUND[what][0], `${subject} ${FOUND[what][1]}`);
  const [kind, text]: Meaning = MEANINGS[code ?? -1] ?? ['KMSInternalException', `failed${called === undefined ? '' : ` in \`${called}\``} with \`${name ?? `0x${(code ?? 0).toString(16)}`}\`; try again, and see to the token if it goes on`];
  return new VaultError(kind, `${subject} ${text}`, name === undefined ? undefined : { details: { returned: name } });
}

export const codeIn = (error: unknown): number | undefined => (error instanceof CallFailed ? error.failure.code : undefined);

/** What a token says of a ciphertext that does not open: vendors differ, SoftHSM has CKR_GENERAL_ERROR for a wrong GCM tag, NSS CKR_DEVICE_ERROR. */
export const UNOPENED: ReadonlySet<string> = new Set(['CKR_GENERAL_ERROR', 'CKR_FUNCTION_FAILED', 'CKR_DEVICE_ERROR', 'CKR_DATA_INVALID', 'CKR_DATA_LEN_RANGE', 'CKR_ENCRYPTED_DATA_INVALID', 'CKR_ENCRYPTED_DATA_LEN_RANGE', 'CKR_AEAD_DECRYPT_FAILED']);
/** What it says of parameters that it does not know. */
export const UNSUPPORTED: ReadonlySet<string> = new Set(['CKR_ARGUMENTS_BAD', 'CKR_MECHANISM_INVALID', 'CKR_MECHANISM_PARAM_INVALID', 'CKR_FUNCTION_NOT_SUPPORTED']);
/** Of an error that `meant` made. */
export const hasReturned = (error: unknown, names: ReadonlySet<string>): boolean => error instanceof VaultError && names.has(error.details?.['returned'] ?? '');
