/** Machine values as people say them. Pure: time is an argument, in milliseconds. */
import { keySpecOf, type KeySpec, type KeyUsage } from '../shared/model/algorithms.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const count = new Intl.NumberFormat('en-US');
/** 18204 as `18,204`. */
export const counted = (value: number): string => count.format(value);
export const plural = (value: number, one: string, many = `${one}s`): string => `${counted(value)} ${value === 1 ? one : many}`;

const pad = (value: number): string => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:32:07` in the system's zone. */
export function clockTime(time: number): string {
  const date = new Date(time);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
/** `3 Oct 2026`. */
export function day(time: number): string {
  const date = new Date(time);
  return `${date.getDate()} ${MONTHS[date.getMonth()] ?? ''} ${date.getFullYear()}`;
}
/** `3 Oct 2026, 14:32:07`: what hovering shows. */
export const exact = (time: number): string => `${day(time)}, ${clockTime(time)}`;

/** `just now`, `5 min ago`, `3 h ago`, `12 d ago`, then the date. */
export function ago(time: number, at: number): string {
  const past = at - time;
  if (past < MINUTE) return 'just now';
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  return past < 30 * DAY ? `${Math.floor(past / DAY)} d ago` : day(time);
}

/** How old the time may be that a part of the page last heard of: what was set to seven days just now must not read as eight. */
const TICK = { minutes: 15_000, longer: MINUTE } as const;

/** What is left, rounded up: `12 min`, `3 h`, `12 d`. `at` may be as old as a tick. */
export function left(until: number, at: number): string {
  const rest = Math.max(0, until - at);
  if (rest <= MINUTE) return 'less than a minute';
  if (rest <= 99 * MINUTE) return `${Math.ceil((rest - TICK.minutes) / MINUTE)} min`;
  return rest <= 2 * DAY + TICK.longer ? `${Math.ceil((rest - TICK.longer) / HOUR)} h` : `${Math.ceil((rest - TICK.longer) / DAY)} d`;
}

/** How long a search takes, in words that fit after a colon. */
export function duration(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  const steps: readonly (readonly [number, string])[] = [[60, 'second'], [60, 'minute'], [24, 'hour'], [365, 'day'], [100, 'year']];
  let value = seconds;
  for (const [size, name] of steps) {
    if (value < size) return `about ${plural(Math.round(value), name)}`;
    value /= size;
  }
  return value < 1000 ? `about ${counted(Math.round(value) * 100)} years` : 'longer than anyone will wait';
}

const SPEC_WORDS: Partial<Record<KeySpec, string>> = { SYMMETRIC_DEFAULT: 'AES-256', ECC_SECG_P256K1: 'secp256k1', ECC_NIST_EDWARDS25519: 'Ed25519' };
export function specName(spec: KeySpec): string {
  const { family, bits } = keySpecOf(spec);
  if (family === 'rsa') return `RSA ${bits}`;
  if (family === 'ml-dsa' || family === 'ml-kem') return `${family.toUpperCase()}-${bits}`;
  if (family === 'hmac') return `HMAC SHA-${bits}`;
  return SPEC_WORDS[spec] ?? `ECC P-${bits}`;
}

const USAGE_WORDS: Record<KeyUsage, string> = { ENCRYPT_DECRYPT: 'encrypt and decrypt', SIGN_VERIFY: 'sign and verify', GENERATE_VERIFY_MAC: 'generate MAC', KEY_AGREEMENT: 'agree on secrets', ENCAPSULATE_DECAPSULATE: 'encapsulate secrets' };
export const usageWords = (usage: KeyUsage): string => USAGE_WORDS[usage];
const USAGE_VERBS: Record<KeyUsage, string> = { ENCRYPT_DECRYPT: 'Encrypts with', SIGN_VERIFY: 'Signs with', GENERATE_VERIFY_MAC: 'Makes MACs with', KEY_AGREEMENT: 'Agrees with', ENCAPSULATE_DECAPSULATE: 'Encapsulates with' };
export const usageVerb = (usage: KeyUsage): string => USAGE_VERBS[usage];

const LOSS_WORDS: Record<KeyUsage, string> = {
  ENCRYPT_DECRYPT: 'What it encrypted can never be read afterwards.',
  SIGN_VERIFY: 'Signatures it made stay valid for whoever has the public key; it can make no more.',
  GENERATE_VERIFY_MAC: 'MACs it made can never be checked afterwards.',
  KEY_AGREEMENT: 'Secrets agreed on with it can never be computed again.',
  ENCAPSULATE_DECAPSULATE: 'Secrets encapsulated for it can never be recovered afterwards.',
};
/** What is lost with a key. */
export const lossWords = (usage: KeyUsage): string => LOSS_WORDS[usage];

/** `alias/orders/data` as `orders/data`. */
export const bareAlias = (alias: string): string => alias.replace(/^alias\//, '');
/** `kms:Sign` as `Sign`. */
export const bareOperation = (operation: string): string => operation.slice(operation.indexOf(':') + 1);
/** The last part of an ARN: a key id, an alias, or a secret's name without the six characters behind it. */
export const tailOf = (arn: string): string => arn.replace(/^arn:aws:secretsmanager:[^:]*:[^:]*:secret:(.*)-[A-Za-z0-9]{6}$/, '$1').replace(/^arn:aws:kms:[^:]*:[^:]*:(?:key\/)?/, '');

export function byteCount(bytes: number): string {
  if (bytes < 10_000) return `${counted(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(0)} kB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** A folder with the home directory as `~`, as far as the path itself tells. */
export const shortPath = (path: string): string => path.replace(/^\/(?:home|Users)\/[^/]+(?=\/|$)/, '~');
export const lastPart = (path: string): string => path.split(/[\\/]/).findLast((part) => part !== '') ?? path;

/** A person reads a sentence with a capital letter; codes and messages of the vault start lower case. */
export const sentence = (text: string): string => (text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
