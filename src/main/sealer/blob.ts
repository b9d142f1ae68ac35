/**
 * The ciphertext blob of symmetric keys (docs/architecture.md, "KMS ciphertext"), format 1, suite 1:
 *
 *   "KB" ‖ format u8 ‖ suite u8 ‖ locator16 ‖ salt32 ‖ commitment32 ‖ AES-256-GCM ciphertext ‖ tag16
 *
 *   locator     = AES-256(k_loc, materialId8 ‖ random8), one block: names the material without showing it, differently each time
 *   PRK         = HKDF-SHA512-Extract(salt, material)
 *   key32 ‖ commitment32 ‖ iv12 = HKDF-SHA512-Expand(PRK, label ‖ header ‖ LP(keyId) ‖ materialId8 ‖ SHA-512(context))
 *   AAD         = every byte before the ciphertext ‖ SHA-512(context)
 *
 * `header` is what stands before the salt (20 bytes); `context` its canonical form (`crypto/context.ts`).
 *
 * Suite 2, of a key that a token holds: the material's place is taken by a key of this one message, which the token wraps with its own
 * AES-256-GCM; IV12 ‖ ciphertext32 ‖ tag16 of that stand between the commitment and the ciphertext.
 *
 * Defends against: a ciphertext made to open under two keys or two contexts (the commitment, 128-bit collision resistance, is
 * compared before GCM runs); IV reuse (key and IV are fresh with each 32-byte salt); blobs moved between keys or contexts; an
 * oracle: every failure is one error with one message.
 * What it does not hide: the plaintext's length, and which vault could open it to one who has the vault.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { invalidCiphertext } from '../../shared/model/errors.ts';
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, GCM_IV_LENGTH, openGcm, sealGcm } from '../crypto/aead.ts';
import { type Bytes, adopt, allocate, concat, copy, lp, utf8, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { digest } from '../crypto/hmac.ts';
import { hkdf } from '../crypto/kdf.ts';
import { MATERIAL_ID_LENGTH } from './material-format.ts';

/** "KB", format 1, and the suite, which is fixed by where the key is; the bytes only have to agree. */
const PREFIX = Uint8Array.of(0x4b, 0x42, 1);
const SUITE_AT = PREFIX.byteLength;
const SOFTWARE = 1;
const TOKEN = 2;
const LOCATOR_LENGTH = 16;
const SALT_LENGTH = 32;
const COMMITMENT_LENGTH = 32;

const LOCATOR_AT = SUITE_AT + 1;
const SALT_AT = LOCATOR_AT + LOCATOR_LENGTH;
const COMMITMENT_AT = SALT_AT + SALT_LENGTH;
const WRAPPED_AT = COMMITMENT_AT + COMMITMENT_LENGTH;
/** Of a message key: IV, ciphertext, tag. */
export const WRAPPED_LENGTH = GCM_IV_LENGTH + AEAD_KEY_LENGTH + AEAD_TAG_LENGTH;

/** Bytes that a blob is longer than its plaintext. */
export const BLOB_OVERHEAD = WRAPPED_AT + AEAD_TAG_LENGTH;

const NOTHING = allocate(0);
const LABEL = utf8('keystead/kms-blob/v1');

export interface BlobKey {
  readonly keyId: string;
  /** 8 bytes. */
  readonly materialId: Uint8Array;
  /** 32 bytes: the AES material, or the key of one message. */
  readonly secret: Uint8Array;
  /** Of a message key, 60 bytes. */
  readonly wrapped?: Uint8Array;
}

/** One AES-256 block, no mode: a pseudo-random permutation of a value that never repeats (8 of its bytes are random). */
function locatorBlock(make: typeof createCipheriv | typeof createDecipheriv, locatorKey: Uint8Array, block: Uint8Array): Bytes {
  const cipher = make('aes-256-ecb', locatorKey, null);
  cipher.setAutoPadding(false);
  const out = adopt(cipher.update(block));
  cipher.final();
  return out;
}

/** key ‖ commitment ‖ iv, 76 bytes, the caller's to wipe. */
const expand = (key: BlobKey, header: Uint8Array, salt: Uint8Array, contextHash: Uint8Array): Bytes =>
  hkdf('sha512', key.secret, salt, concat(LABEL, header, lp(utf8(key.keyId)), key.materialId, contextHash), AEAD_KEY_LENGTH + COMMITMENT_LENGTH + GCM_IV_LENGTH);

const parts = (derived: Bytes) => ({
  key: derived.subarray(0, AEAD_KEY_LENGTH),
  commitment: derived.subarray(AEAD_KEY_LENGTH, AEAD_KEY_LENGTH + COMMITMENT_LENGTH),
  iv: derived.subarray(AEAD_KEY_LENGTH + COMMITMENT_LENGTH),
});

/** `context` is canonical. `random` gives fresh bytes: 8 for the locator, then 32 of salt. */
export function sealBlob(locatorKey: Uint8Array, key: BlobKey, context: Uint8Array, plaintext: Uint8Array, random: (length: number) => Uint8Array): Bytes {
  const locator = locatorBlock(createCipheriv, locatorKey, concat(key.materialId, random(LOCATOR_LENGTH - MATERIAL_ID_LENGTH)));
  const salt = random(SALT_LENGTH);
  const wrapped = key.wrapped ?? NOTHING;
  const header = concat(PREFIX, Uint8Array.of(key.wrapped ? TOKEN : SOFTWARE), locator);
  const contextHash = digest('sha512', context);
  const derived = expand(key, header, salt, contextHash);
  try {
    const { key: messageKey, commitment, iv } = parts(derived);
    const before = concat(header, salt, commitment, wrapped);
    return concat(before, sealGcm(messageKey, iv, concat(before, contextHash), plaintext));
  } finally {
    wipe(derived);
  }
}

/** The message key of a blob of suite 2, as the token wrapped it; undefined for suite 1. A view. InvalidCiphertextException. */
export function wrappedIn(blob: Uint8Array): Uint8Array | undefined {
  const suite = blob[SUITE_AT];
  if (suite === SOFTWARE) return undefined;
  if (suite !== TOKEN || blob.byteLength < BLOB_OVERHEAD + WRAPPED_LENGTH) throw invalidCiphertext();
  return blob.subarray(WRAPPED_AT, WRAPPED_AT + WRAPPED_LENGTH);
}

/** The material id (8) that a blob names. InvalidCiphertextException; says nothing about authenticity. */
export function locateBlob(locatorKey: Uint8Array, blob: Uint8Array): Bytes {
  if (blob.byteLength < BLOB_OVERHEAD || !constantTimeEqual(blob.subarray(0, PREFIX.byteLength), PREFIX)) throw invalidCiphertext();
  wrappedIn(blob);
  return copy(locatorBlock(createDecipheriv, locatorKey, blob.subarray(LOCATOR_AT, SALT_AT)).subarray(0, MATERIAL_ID_LENGTH));
}

/** The plaintext, the caller's to wipe. InvalidCiphertextException, nothing finer. */
export function openBlob(locatorKey: Uint8Array, key: BlobKey, context: Uint8Array, blob: Uint8Array): Bytes {
  if (!constantTimeEqual(locateBlob(locatorKey, blob), key.materialId)) throw invalidCiphertext();
  const wrapped = wrappedIn(blob);
  if (!constantTimeEqual(wrapped ?? NOTHING, key.wrapped ?? NOTHING)) throw invalidCiphertext();
  const ciphertextAt = WRAPPED_AT + (wrapped?.byteLength ?? 0);
  const contextHash = digest('sha512', context);
  const derived = expand(key, blob.subarray(0, SALT_AT), blob.subarray(SALT_AT, COMMITMENT_AT), contextHash);
  try {
    const { key: messageKey, commitment, iv } = parts(derived);
    // INVARIANT: before GCM. GCM alone accepts ciphertexts made for two keys.
    if (!constantTimeEqual(blob.subarray(COMMITMENT_AT, WRAPPED_AT), commitment)) throw invalidCiphertext();
    const plaintext = openGcm(messageKey, iv, concat(blob.subarray(0, ciphertextAt), contextHash), blob.subarray(ciphertextAt));
    if (!plaintext) throw invalidCiphertext();
    return plaintext;
  } finally {
    wipe(derived);
  }
}
