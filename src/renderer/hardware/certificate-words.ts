/** What certificates on a token are, in words. Pure. */
import { day } from '../format.ts';
import type { TokenCertificate } from './data.ts';
import type { Said } from './words.ts';

const DAY = 86_400_000;
/** Within these days it is high time for another. */
const SOON = 30;

/** The last part of the subject that is a common name, else the whole; without a subject its label. */
export function certificateName({ Subject = '', Label }: TokenCertificate): string {
  // A comma within a part has a backslash before it.
  const parts = (Subject.match(/(?:\\.|[^,\\])+/g) ?? []).map((part) => part.trimStart());
  const common = parts.findLast((part) => part.startsWith('CN='))?.slice(3);
  return common ?? (Subject !== '' ? Subject : Label !== '' ? Label : 'No name');
}

/** A name that every system lets a file have. */
export const fileName = (of: TokenCertificate): string => `${certificateName(of).replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|-+$/g, '').slice(0, 80) || 'certificate'}.pem`;

/** `at`: milliseconds. Undefined where it says no times. */
export function spanOf({ NotBefore: from, NotAfter: until }: TokenCertificate, at: number): Said | undefined {
  if (from === undefined || until === undefined) return undefined;
  if (until * 1000 < at) return [`Expired ${day(until * 1000)}`, 'danger'];
  if (from * 1000 > at) return [`Not valid before ${day(from * 1000)}`, 'warn'];
  return [`Expires ${day(until * 1000)}`, until * 1000 - at < SOON * DAY ? 'warn' : 'plain'];
}

/** `key`: what its key is called; absent where that is plain from the page. */
export function goesWith({ Of }: TokenCertificate, key: string | undefined): readonly [words: string, isGood: boolean] {
  if (!Of) return ['Goes with no key on this token', true];
  if (Of.Match === 'publicKey') return [key === undefined ? 'Certifies this key; the public keys were compared' : `Certifies ${key}; the public keys were compared`, true];
  const named = key ?? 'this key';
  return Of.Match === 'id' ? [`Has the id of ${named}; the token shows no public key to compare`, true] : [`Has the id of ${named}, and certifies another key`, false];
}

export const UNREADABLE: Readonly<Record<Exclude<TokenCertificate['State'], 'readable'>, string>> = {
  notX509: 'Of another kind than X.509; left alone',
  empty: 'The token gives no value for it',
  tooLarge: 'Larger than a certificate is; it was not read',
  garbled: 'No certificate, or one with something behind it; it cannot be read',
};
