/**
 * Key derivation: HKDF (RFC 5869) over HMAC-SHA-256/512, and Argon2id (RFC 9106).
 *
 * HKDF is built from `hmac` rather than taken from node:crypto's `hkdfSync`, which caps `info` at 1,024 bytes and does
 * not offer extract and expand apart.
 *
 * Argon2id runs in @node-rs/argon2 on a thread of libuv's pool, so the event loop stays free. What stays in memory (2.2.1, Node 20,
 * a scan of the process's own memory, the scan before the wipe as positive control, 6 runs): the result is returned over memory of its
 * own outside V8's heap, and once wiped is found 0 times of 6. The password is copied by the addon at the call; that copy
 * is freed without being cleared, and all but its first 16 bytes, which the allocator overwrites, is found 6 times of 6. So only the
 * death of the process ends a password; the caller may wipe its own as soon as the call has returned its promise.
 */
import { type Algorithm, type Version, hashRaw } from '@node-rs/argon2';
import { type Bytes, allocate, take, u8, wipe } from './bytes.ts';
import { HASH_LENGTH, hmac } from './hmac.ts';

export type HkdfHash = 'sha256' | 'sha512';

/** RFC 5869 section 2.2: PRK = HMAC(salt, ikm); 32 or 64 bytes. An empty salt is the same as HashLen zeros. */
export const hkdfExtract = (hash: HkdfHash, salt: Uint8Array, ikm: Uint8Array): Bytes => hmac(hash, salt, ikm);

/** RFC 5869 section 2.3. Throws RangeError for a length outside 1 to 255 × HashLen. */
export function hkdfExpand(hash: HkdfHash, prk: Uint8Array, info: Uint8Array, length: number): Bytes {
  const size = HASH_LENGTH[hash];
  if (!Number.isInteger(length) || length < 1 || length > 255 * size) throw new RangeError('HKDF gives 1 to 255 hash lengths');
  const out = allocate(length);
  let previous = allocate(0);
  for (let offset = 0, counter = 1; offset < length; offset += size, counter += 1) {
    const block = hmac(hash, prk, previous, info, u8(counter));
    out.set(block.subarray(0, Math.min(size, length - offset)), offset);
    wipe(previous);
    previous = block;
  }
  wipe(previous);
  return out;
}

/** Extract, then expand. */
export function hkdf(hash: HkdfHash, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Bytes {
  const prk = hkdfExtract(hash, salt, ikm);
  try {
    return hkdfExpand(hash, prk, info, length);
  } finally {
    wipe(prk);
  }
}

/** Argon2id's cost: `memory` in KiB. The same shape as the seal's `KdfCost`. */
export interface Argon2Cost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** RFC 9106's type 2, and version 0x13 as the addon numbers it. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the name is an ambient `const enum`, which isolated modules cannot read
const ARGON2ID = 2 as Algorithm;
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- as above
const VERSION_13 = 1 as Version;

/**
 * Argon2id, version 0x13, off-thread; `length` bytes (4 or more), the caller's to wipe. `salt` at least 8 bytes.
 * Rejects with RangeError when the addon refuses the parameters or the memory cannot be had; its message is not passed on.
 * It does not judge the cost: guards against absurd or too small parameters are the caller's (the seal's).
 */
export async function argon2id(password: Uint8Array, salt: Uint8Array, cost: Argon2Cost, length: number): Promise<Bytes> {
  let raw: Uint8Array;
  try {
    raw = await hashRaw(password, {
      algorithm: ARGON2ID,
      version: VERSION_13,
      salt,
      memoryCost: cost.memory,
      timeCost: cost.passes,
      parallelism: cost.lanes,
      outputLen: length,
    });
  } catch {
    throw new RangeError('Argon2id refused its parameters or found too little memory');
  }
  return take(raw);
}
