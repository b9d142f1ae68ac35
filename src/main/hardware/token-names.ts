/** What tokens, and keys on them, are called. Pure. */
import { createHash } from 'node:crypto';
import type { TokenName } from '../backends/pkcs11/protocol.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A token's name in the form of a CloudHSM cluster's: the first 55 bits of SHA-256 over serial number and label. */
export function clusterIdOf({ serial, label }: TokenName): string {
  const digest = createHash('sha256').update('keystead/token/v1\0').update(`${serial}\0${label}`, 'utf8').digest();
  return `cluster-${Array.from(digest.subarray(0, 11), (byte) => BASE32[byte & 31]).join('')}`;
}

const OWN = 8;
const mark = (account: string, label: string, random: string): string => createHash('sha256').update('keystead/token-key/v1\0').update(`${account}\0${label}\0${random}`, 'utf8').digest('hex').slice(0, 2 * OWN);

/**
 * CKA_ID, hex, of a key that a vault makes on a token: 8 random bytes, and 8 of a hash over them, the vault's account and the key's label. So a
 * key is known again whose record was never written. `random`: 8 bytes in hex.
 */
export const newTokenKeyId = (account: string, label: string, random: string): string => random + mark(account, label, random);

/** Whether the vault of this account made the key, by its CKA_ID. No proof: whoever writes to the token can make such an id. */
export const isOwnTokenKey = (account: string, { id, label }: { readonly id: string; readonly label: string }): boolean => id.length === 4 * OWN && id.slice(2 * OWN) === mark(account, label, id.slice(0, 2 * OWN));

/** RFC 7512 section 2.3: unreserved characters stand for themselves. */
export const percent = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)).join('');

/** RFC 7512, without a PIN. `id`: CKA_ID in hex. */
export const keyUri = ({ serial, label }: TokenName, id: string, type: 'private' | 'secret-key'): string =>
  `pkcs11:token=${percent(label)};serial=${percent(serial)};id=${id.replace(/../g, (byte) => `%${byte.toUpperCase()}`)};type=${type}`;
