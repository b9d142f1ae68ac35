/**
 * The ratchet: K(0), K(1), … one key per record, each made from the one before by a function that cannot be run backwards.
 * Whoever has K(i) can read, check and write record i and all later ones of its segment, and nothing earlier.
 *
 * Every key is HMAC-SHA-256 of one key under a label of its own, so no two uses ever share a key. All keys are 32 bytes,
 * off-heap, and the caller's to wipe.
 */
import { type Bytes, utf8, wipe } from '../crypto/bytes.ts';
import { hmac } from '../crypto/hmac.ts';

export const RATCHET_KEY_LENGTH = 32;

const ENCRYPT = utf8('keystead/trail/v1/record-encryption');
const AUTHENTICATE = utf8('keystead/trail/v1/record-mac');
const NEXT = utf8('keystead/trail/v1/next-key');
const START = utf8('keystead/trail/v1/segment-start');
const HEADER = utf8('keystead/trail/v1/segment-header-mac');
const BLOCK = utf8('keystead/trail/v1/key-block-mac');

/** Kenc(i): the record's AES-256-GCM key. */
export const encryptionKey = (key: Uint8Array): Bytes => hmac('sha256', key, ENCRYPT);
/** Kmac(i): the record's HMAC-SHA-256 key. */
export const recordMacKey = (key: Uint8Array): Bytes => hmac('sha256', key, AUTHENTICATE);
/** K(i+1). */
export const nextKey = (key: Uint8Array): Bytes => hmac('sha256', key, NEXT);
/**
 * The first key of a new segment: from the key that the segment before ended with, and 32 fresh bytes. Fresh, so that a
 * thief of an earlier key or of an earlier vault key pair loses the thread here; from the old key too, so that a weak random
 * generator makes nothing worse.
 */
export const startKey = (last: Uint8Array, fresh: Uint8Array): Bytes => hmac('sha256', last, START, fresh);
/** Authenticates a segment's header. `last`: the key that the segment before ended with; for segment 1 its own first key. */
export const headerMacKey = (last: Uint8Array): Bytes => hmac('sha256', last, HEADER);
/** Authenticates the `trail.key` block that holds `key`. */
export const blockMacKey = (key: Uint8Array): Bytes => hmac('sha256', key, BLOCK);

/** Lends a derived key for the length of the callback, then wipes it. */
export function withKey<T>(key: Bytes, use: (key: Bytes) => T): T {
  try {
    return use(key);
  } finally {
    wipe(key);
  }
}
