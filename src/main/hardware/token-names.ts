/** What tokens, and keys on them, are called. Pure. */
import { createHash } from 'node:crypto';
import type { TokenName } from '../backends/pkcs11/protocol.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A token's name in the form of a CloudHSM cluster's: the first 55 bits of SHA-256 over serial number and label. */
export function clusterIdOf({ serial, label }: TokenName): string {
  const digest = createHash('sha256').update('keystead/token/v1\0').update(`${serial}\0${label}`, 'utf8').digest();
  return `cluster-${Array.from(digest.subarray(0, 11), (byte) => BASE32[byte & 31]).join('')}`;
}

/** RFC 7512 section 2.3: unreserved characters stand for themselves. */
export const percent = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)).join('');

/** RFC 7512, without a PIN. `id`: CKA_ID in hex. */
export const keyUri = ({ serial, label }: TokenName, id: string, type: 'private' | 'secret-key'): string =>
  `pkcs11:token=${percent(label)};serial=${percent(serial)};id=${id.replace(/../g, (byte) => `%${byte.toUpperCase()}`)};type=${type}`;
