/**
 * One-time codes: TOTP (RFC 6238) over HOTP (RFC 4226 section 5.3). The seed comes as an `otpauth://totp/…` address, as QR codes have it
 * (Key Uri Format of Google Authenticator), or as base32 alone.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { hmac, type HashName } from '../crypto/hmac.ts';

export interface OneTimeSeed {
  /** The caller's to dispose of. */
  readonly key: SecretBytes;
  readonly hash: Extract<HashName, 'sha1' | 'sha256' | 'sha512'>;
  /** 6 to 8. */
  readonly digits: number;
  /** Seconds. */
  readonly period: number;
}

export interface OneTimeCode {
  /** ASCII digits; the caller's to dispose of. */
  readonly code: SecretBytes;
  /** When the next one begins. */
  readonly until: Instant;
}

const HASHES: Readonly<Record<string, OneTimeSeed['hash']>> = { SHA1: 'sha1', SHA256: 'sha256', SHA512: 'sha512' };
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LONGEST_KEY = 1024;
/** Bytes, of base32 alone: many words are base32, too. The shortest that providers give out; RFC 4226 section 4 asks for 16. */
const SHORTEST_ALONE = 10;

const refuse = (why: string): never => {
  throw new VaultError('InvalidParameterException', `the value is no seed of one-time codes: ${why}`);
};

/** RFC 4648 section 6, as people copy it: any case, with spaces or hyphens between, with or without padding. Undefined: something else. */
function fromBase32(text: string, shortest = 1): SecretBytes | undefined {
  const digits = text.replace(/[\s-]/g, '').replace(/=+$/, '').toUpperCase();
  const length = Math.floor((digits.length * 5) / 8);
  if (length < shortest || length > LONGEST_KEY || !/^[A-Z2-7]+$/.test(digits)) return undefined;
  const key = SecretBytes.allocate(length);
  key.borrow((bytes) => {
    let bits = 0;
    let held = 0;
    let at = 0;
    for (const digit of digits) {
      held = ((held << 5) | BASE32.indexOf(digit)) & 0xfff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        bytes[at++] = (held >> bits) & 0xff;
      }
    }
  });
  return key;
}

/** A whole number in decimal from `least` to `most`; `usual` where it is not said. */
function numberIn(text: string | null, usual: number, least: number, most: number): number | undefined {
  if (text === null) return usual;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/** InvalidParameterException, which repeats nothing of the text. */
export function oneTimeSeed(text: string): OneTimeSeed {
  if (!/^otpauth:/i.test(text.trim())) return { key: fromBase32(text, SHORTEST_ALONE) ?? refuse('it is neither base32 of 10 bytes or more nor an `otpauth://totp/` address'), hash: 'sha1', digits: 6, period: 30 };
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (url?.host.toLowerCase() !== 'totp') return refuse('only `otpauth://totp/` addresses go by the time');
  const { searchParams: given } = url;
  const hash = HASHES[(given.get('algorithm') ?? 'SHA1').toUpperCase().replace('-', '')] ?? refuse('`algorithm` must be SHA1, SHA256 or SHA512');
  const digits = numberIn(given.get('digits'), 6, 6, 8) ?? refuse('`digits` must be 6 to 8');
  const period = numberIn(given.get('period'), 30, 5, 3600) ?? refuse('`period` must be 5 to 3600 seconds');
  return { key: fromBase32(given.get('secret') ?? '') ?? refuse('its `secret` is not base32'), hash, digits, period };
}

/** RFC 6238 section 4.2, from T0 = 0. */
export function oneTimeCode({ key, hash, digits, period }: OneTimeSeed, at: Instant): OneTimeCode {
  const step = Math.floor(at / 1000 / period);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = key.borrow((bytes) => hmac(hash, bytes, new Uint8Array(counter.buffer)));
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = (new DataView(mac.buffer, mac.byteOffset).getUint32(offset) & 0x7fffffff) % 10 ** digits;
  mac.fill(0);
  const code = SecretBytes.allocate(digits);
  code.borrow((bytes) => {
    for (let place = digits - 1, rest = number; place >= 0; place--, rest = Math.floor(rest / 10)) bytes[place] = 0x30 + (rest % 10);
  });
  return { code, until: instant((step + 1) * period * 1000) };
}
