/**
 * The two authenticated ciphers, in one shape: seal gives ciphertext ‖ tag16, open gives the plaintext or undefined.
 *
 * AES-256-GCM (NIST SP 800-38D; 96-bit IV, 128-bit tag, nothing else) is node:crypto's. XChaCha20-Poly1305
 * (draft-irtf-cfrg-xchacha-03) is @noble/ciphers': it is for the few header secrets, because its JavaScript leaves the key's
 * words in V8's heap until the process ends, whatever is wiped here. GCM's key schedule is OpenSSL's and cleansed when freed.
 *
 * What this does not do: neither cipher commits to its key (a ciphertext can be made that opens under two). Whoever needs that
 * adds a commitment and checks it first, as `sealer/blob.ts` does. And neither forgives a nonce used twice.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { type Bytes, adopt, allocate, wipe } from './bytes.ts';

export const AEAD_KEY_LENGTH = 32;
export const AEAD_TAG_LENGTH = 16;
export const GCM_IV_LENGTH = 12;
export const XCHACHA_NONCE_LENGTH = 24;

/** `key` 32 bytes, `nonce` as the cipher wants, `aad` of any length. Other sizes throw RangeError: they are a bug, not an attack. */
export type Seal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => Bytes;

/**
 * The plaintext, the caller's to wipe, or undefined when anything at all does not authenticate (shorter than a tag, too).
 * Unauthenticated plaintext is wiped before it returns.
 */
export type Open = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array) => Bytes | undefined;

function checkSizes(key: Uint8Array, nonce: Uint8Array, nonceLength: number): void {
  if (key.byteLength !== AEAD_KEY_LENGTH) throw new RangeError('the cipher takes a key of 32 bytes');
  if (nonce.byteLength !== nonceLength) throw new RangeError(`the cipher takes a nonce of ${String(nonceLength)} bytes`);
}

/** AES-256-GCM: `nonce` 12 bytes. */
export const sealGcm: Seal = (key, nonce, aad, plaintext) => {
  checkSizes(key, nonce, GCM_IV_LENGTH);
  const out = allocate(plaintext.byteLength + AEAD_TAG_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: AEAD_TAG_LENGTH });
  cipher.setAAD(aad);
  out.set(cipher.update(plaintext), 0);
  // GCM is a stream: `final` adds no bytes, it closes the tag.
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.byteLength);
  return out;
};

/**
 * Node decrypts into a byte more than it returns, moves that into memory of the right size, and frees the first unwiped: measured in Node 20, at nearly every
 * length. Whoever asks for as much next, and not for zeros (glibc's `calloc` takes nothing of what a thread has just freed), is given just that memory; the second is for
 * what Node itself may have freed in between. No promise of the allocator's: `test/system/rotation-memory` looks.
 */
function clearFreed(length: number): void {
  // eslint-disable-next-line house/off-heap-bytes -- memory that was not cleared is what is wanted
  for (const freed of [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)]) freed.fill(0);
}

/** AES-256-GCM: `nonce` 12 bytes. */
export const openGcm: Open = (key, nonce, aad, sealed) => {
  checkSizes(key, nonce, GCM_IV_LENGTH);
  const length = sealed.byteLength - AEAD_TAG_LENGTH;
  if (length < 0) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: AEAD_TAG_LENGTH });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(length));
  const unauthenticated = decipher.update(sealed.subarray(0, length));
  clearFreed(length + 1);
  try {
    decipher.final();
    return adopt(unauthenticated);
  } catch {
    wipe(unauthenticated);
    return undefined;
  }
};

/** XChaCha20-Poly1305: `nonce` 24 bytes. */
export const sealXChaCha: Seal = (key, nonce, aad, plaintext) => {
  checkSizes(key, nonce, XCHACHA_NONCE_LENGTH);
  const out = allocate(plaintext.byteLength + AEAD_TAG_LENGTH);
  xchacha20poly1305(key, nonce, aad).encrypt(plaintext, out);
  return out;
};

/** XChaCha20-Poly1305: `nonce` 24 bytes. */
export const openXChaCha: Open = (key, nonce, aad, sealed) => {
  checkSizes(key, nonce, XCHACHA_NONCE_LENGTH);
  const length = sealed.byteLength - AEAD_TAG_LENGTH;
  if (length < 0) return undefined;
  const out = allocate(length);
  try {
    xchacha20poly1305(key, nonce, aad).decrypt(sealed, out);
    return out;
  } catch {
    wipe(out);
    return undefined;
  }
};
