/** The `Authorization` header of Signature Version 4, read strictly. Pure. */
import type { Signed } from './evidence.ts';
import { ALGORITHM, TERMINATOR } from '../../crypto/sigv4.ts';

export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: Signed['scope'];
  /** Lower case, sorted, each once. */
  readonly signedHeaders: readonly string[];
  /** 32 bytes. */
  readonly signature: Uint8Array;
}

/** As AWS documents it, with or without a space behind each comma. */
const FORM = new RegExp(`^${ALGORITHM} +Credential=([^\\s,]+), *SignedHeaders=([^\\s,]+), *Signature=([0-9a-f]{64})$`);
const CREDENTIAL = new RegExp(`^(\\w{1,128})/(\\d{8})/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/${TERMINATOR}$`);
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const MOST_SIGNED = 64;

/** Undefined for anything else. */
export function readAuthorization(value: string): Authorization | undefined {
  const [, credential = '', names = '', signature = ''] = FORM.exec(value) ?? [];
  const [, accessKeyId, date, region, service] = CREDENTIAL.exec(credential) ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined || service === undefined) return undefined;
  const signedHeaders = names.split(';');
  const inOrder = signedHeaders.every((name, at) => HEADER_NAME.test(name) && (at === 0 || name > (signedHeaders[at - 1] ?? '')));
  if (!inOrder || signedHeaders.length > MOST_SIGNED) return undefined;
  return { accessKeyId, scope: { date, region, service }, signedHeaders, signature: Buffer.from(signature, 'hex') };
}

const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** `YYYYMMDDTHHMMSSZ` to milliseconds since the epoch; undefined for anything else, and for a date that there is not. */
export function readTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const exists =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour && date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  return exists ? date.getTime() : undefined;
}
