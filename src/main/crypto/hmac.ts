/**
 * HMAC (RFC 2104) and SHA-2 digests, from node:crypto, with off-heap output.
 *
 * Inside OpenSSL the key's inner and outer state is freed with cleansing.
 */
import { createHmac, createHash, hash as hashOnce } from 'node:crypto';
import { type Bytes, adopt } from './bytes.ts';
import { constantTimeEqual } from './equal.ts';

export type HashName = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** Output length in bytes. */
export const HASH_LENGTH = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const satisfies Record<HashName, number>;

/** HMAC over the parts as if concatenated; `HASH_LENGTH[hash]` bytes, the caller's to wipe. Key of any length, off-heap. */
export function hmac(hash: HashName, key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const state = createHmac(hash, key);
  for (const part of parts) state.update(part);
  return adopt(state.digest());
}

/** Whether `mac` is the whole HMAC of the message, in constant time. A truncated one is not. */
export function verifyHmac(hash: HashName, key: Uint8Array, mac: Uint8Array, ...parts: readonly Uint8Array[]): boolean {
  const expected = hmac(hash, key, ...parts);
  const equal = constantTimeEqual(expected, mac);
  // A valid tag of a message that somebody else chose must not stay behind.
  expected.fill(0);
  return equal;
}

/** Digest of the parts as if concatenated. Of one part in one call, which costs a third of a hash that is kept between calls. */
export function digest(hash: HashName, ...parts: readonly Uint8Array[]): Bytes {
  const [only] = parts;
  if (only && parts.length === 1) return adopt(hashOnce(hash, only, 'buffer'));
  const state = createHash(hash);
  for (const part of parts) state.update(part);
  return adopt(state.digest());
}
