/**
 * Seeds of one-time codes as other programs keep them, in the one form that `secretsmanager:GetOneTimeCode` reads for certain: an
 * `otpauth://totp/` address (Key Uri Format of Google Authenticator).
 */
import { textField, type ParsedField } from './parsed.ts';

export const SEED_NAME = 'totp';

interface Settings {
  readonly algorithm?: string;
  readonly digits?: string;
  readonly period?: string;
}

const BASE32 = /^[A-Za-z2-7\s=-]+$/;

/** Undefined: none, or of a kind that goes not by the time alone (`steam://`, `otpauth://hotp/`). */
export function oneTimeAddress(given: string, { algorithm, digits, period }: Settings = {}): string | undefined {
  const text = given.trim();
  if (/^otpauth:\/\/totp\//i.test(text)) return text;
  // KeeOtp, a plug-in of KeePass: `key=…&size=6&step=30`.
  if (/^key=/i.test(text)) {
    const parts = new URLSearchParams(text);
    return oneTimeAddress(parts.get('key') ?? '', { ...(parts.has('size') ? { digits: parts.get('size') ?? '' } : {}), ...(parts.has('step') ? { period: parts.get('step') ?? '' } : {}) });
  }
  if (text === '' || !BASE32.test(text)) return undefined;
  const settings = new URLSearchParams({ secret: text.replace(/[\s=-]/g, '').toUpperCase() });
  if (algorithm !== undefined && algorithm !== '') settings.set('algorithm', algorithm.replace(/^HMAC-?/i, '').replace('-', '').toUpperCase());
  if (digits !== undefined && digits !== '') settings.set('digits', digits);
  if (period !== undefined && period !== '') settings.set('period', period);
  return `otpauth://totp/?${settings.toString()}`;
}

/** A field with the seed; what is none stays as it stands, under its own name, so that nothing is lost. */
export function seedField(given: string, settings?: Settings): ParsedField | undefined {
  if (given.trim() === '') return undefined;
  const address = oneTimeAddress(given, settings);
  return textField(address === undefined ? 'one-time-code' : SEED_NAME, address ?? given);
}
