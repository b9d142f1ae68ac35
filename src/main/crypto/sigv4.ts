/**
 * AWS Signature Version 4: what is signed beyond the request itself, and with which key.
 * Source: AWS General Reference, "Create a signed AWS API request"; held by AWS's own test suite (test/vectors/sigv4).
 *
 * The canonical request is `canonical.ts`: whoever holds a key needs no HTTP, and whoever reads HTTP needs no key.
 */
import { type Bytes, concat, hex, utf8, wipe } from './bytes.ts';
import { digest, hmac } from './hmac.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Last part of every scope. */
export const TERMINATOR = 'aws4_request';
export const SIGNATURE_LENGTH = 32;

/** What a day's signing key is good for. */
export interface Scope {
  /** `YYYYMMDD`, UTC. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export const scopeText = ({ date, region, service }: Scope): string => `${date}/${region}/${service}/${TERMINATOR}`;

/** `time`: `YYYYMMDDTHHMMSSZ`. */
export const stringToSign = (time: string, scope: Scope, canonicalRequest: string): string =>
  `${ALGORITHM}\n${time}\n${scopeText(scope)}\n${hex(digest('sha256', utf8(canonicalRequest)))}`;

/** The day's key for one region and service: 32 bytes, off-heap, the caller's to wipe. `secret`: the secret access key in ASCII, stays the caller's. */
export function signingKey(secret: Uint8Array, { date, region, service }: Scope): Bytes {
  let key = concat(utf8('AWS4'), secret);
  for (const part of [date, region, service, TERMINATOR]) {
    const next = hmac('sha256', key, utf8(part));
    wipe(key);
    key = next;
  }
  return key;
}

/** 32 bytes. */
export const signatureOf = (key: Uint8Array, text: string): Bytes => hmac('sha256', key, utf8(text));
