/** What tokens, and keys on them, are called. Pure. */
import { createHash } from 'node:crypto';
import { isKeyId } from '../../shared/model/ids.ts';
import { isClusterKey, isGuarded, type KeyFacts, type TokenName } from '../backends/pkcs11/protocol.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A token's name in the form of a CloudHSM cluster's: the first 55 bits of SHA-256 over serial number and label. */
export function clusterIdOf({ serial, label }: TokenName): string {
  const digest = createHash('sha256').update('keystead/token/v1\0').update(`${serial}\0${label}`, 'utf8').digest();
  return `cluster-${Array.from(digest.subarray(0, 11), (byte) => BASE32[byte & 31]).join('')}`;
}

/** CKA_LABEL of what a key store has on a token beside its keys. `storeId`: `cks-…`. */
export const labelOfStore = (storeId: string): string => `keystead ${storeId}`;

/** SHA-256, hex, over each object's facts, in whatever order tokens list them. */
export const digestOfObjects = (objects: readonly (readonly string[])[]): string => createHash('sha256').update(JSON.stringify(objects.map((facts) => JSON.stringify(facts)).sort()), 'utf8').digest('hex');

const OWN = 8;
const mark = (vaultId: string, keyId: string, random: string): string => createHash('sha256').update('keystead/token-key/v2\0').update(`${vaultId}\0${keyId}\0${random}`, 'utf8').digest('hex').slice(0, 2 * OWN);

/**
 * CKA_ID, hex, of a key that a vault makes on a token: 8 random bytes, and 8 of a hash over them, the vault's id and the key's, which is its
 * label. So a key is known again whose record was never written. `random`: 8 bytes in hex.
 */
export const newTokenKeyId = (vaultId: string, keyId: string, random: string): string => random + mark(vaultId, keyId, random);

/**
 * Whether this vault made the key: by its CKA_ID, and by what the token says of it. No proof: who knows the vault's id can write an object of
 * such an id. A token tells that one from a key that it made, where it tells `local` and its kin at all; it cannot tell it from a copy in a cluster.
 */
export const isOwnTokenKey = (vaultId: string, { id, label, stated }: Pick<KeyFacts, 'id' | 'label' | 'stated'>): boolean =>
  isKeyId(label) && id.length === 4 * OWN && id.slice(2 * OWN) === mark(vaultId, label, id.slice(0, 2 * OWN)) && (isClusterKey(stated) || (isGuarded(stated) && stated.local !== false));

/** RFC 7512 section 2.3: unreserved characters stand for themselves. */
export const percent = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)).join('');

const percentId = (id: string): string => id.replace(/../g, (byte) => `%${byte.toUpperCase()}`);

/** RFC 7512: whatever has this CKA_ID (hex) and this label on the token. */
export const objectUri = ({ serial, label }: TokenName, id: string, name: string): string => `pkcs11:token=${percent(label)};serial=${percent(serial)};object=${percent(name)};id=${percentId(id)}`;

/** RFC 7512, without a PIN. `id`: CKA_ID in hex. */
export const keyUri = ({ serial, label }: TokenName, id: string, type: 'private' | 'secret-key'): string =>
  `pkcs11:token=${percent(label)};serial=${percent(serial)};id=${percentId(id)};type=${type}`;
