/**
 * X25519 (RFC 7748) on raw keys of 32 bytes, from node:crypto.
 *
 * node:crypto takes keys as DER; the wrapping is built off-heap and wiped, and the key object's copy is OpenSSL's, cleansed
 * when it is freed. Private keys are any 32 random bytes: the clamping is part of the function.
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { type Bytes, concat, fromHex, take, wipe } from './bytes.ts';

export const X25519_LENGTH = 32;

/** PKCS #8 (RFC 8410 section 7) and SubjectPublicKeyInfo (section 4), up to the key's own bytes. */
const PRIVATE_PREFIX = fromHex('302e020100300506032b656e04220420');
const PUBLIC_PREFIX = fromHex('302a300506032b656e032100');

function checkLength(key: Uint8Array): void {
  if (key.byteLength !== X25519_LENGTH) throw new RangeError('an X25519 key has 32 bytes');
}

function privateObject(privateKey: Uint8Array): KeyObject {
  checkLength(privateKey);
  const der = concat(PRIVATE_PREFIX, privateKey);
  try {
    return createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
  } finally {
    wipe(der);
  }
}

function publicObject(publicKey: Uint8Array): KeyObject {
  checkLength(publicKey);
  return createPublicKey({ key: Buffer.from(concat(PUBLIC_PREFIX, publicKey).buffer), format: 'der', type: 'spki' });
}

/** The public key (32) of a private key (32). Throws RangeError for another length. */
export function x25519PublicKey(privateKey: Uint8Array): Bytes {
  const der = createPublicKey(privateObject(privateKey)).export({ format: 'der', type: 'spki' });
  return take(der.subarray(der.byteLength - X25519_LENGTH));
}

/**
 * The shared secret (32), the caller's to wipe and to run through a KDF; undefined when the public key is of low order, so that
 * the result would be all zeros (RFC 7748 section 6.1). Throws RangeError for another length.
 */
export function x25519SharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Bytes | undefined {
  const ours = privateObject(privateKey);
  const theirs = publicObject(publicKey);
  try {
    const shared = take(diffieHellman({ privateKey: ours, publicKey: theirs }));
    return shared.some((byte) => byte !== 0) ? shared : undefined;
  } catch {
    return undefined;
  }
}
