/**
 * OAEP (RFC 8017 section 7.1.2, step 3) taken off what raw RSA gave, for tokens whose own OAEP knows SHA-1 only. One pass over every byte,
 * without a branch that depends on the content, as far as JavaScript allows that: one answer, whatever is wrong.
 */
import { createHash } from 'node:crypto';
import { type Bytes, allocate, copy, u32, wipe } from '../../crypto/bytes.ts';

type Hash = 'sha1' | 'sha256';

/** RFC 8017 appendix B.2.1, laid over `target`. */
function mask(hash: Hash, seed: Uint8Array, target: Uint8Array): void {
  for (let at = 0, counter = 0; at < target.byteLength; counter += 1) {
    const block = createHash(hash).update(seed).update(u32(counter)).digest();
    for (let i = 0; i < block.byteLength && at < target.byteLength; i += 1, at += 1) target[at] = (target[at] ?? 0) ^ (block[i] ?? 0);
    block.fill(0);
  }
}

/** 1 where `value` (0 to 255) is 0, else 0. */
const isZero = (value: number): number => ((value - 1) >>> 31) & 1;

/** The message in `encoded`, which is as long as the modulus, with an empty label; undefined when the padding is wrong. `encoded` is wiped. */
export function unpadOaep(hash: Hash, encoded: Uint8Array): Bytes | undefined {
  const labelHash = createHash(hash).digest();
  const size = labelHash.byteLength;
  // Public: the length of the key.
  if (encoded.byteLength < 2 * size + 2) return undefined;
  const seed = encoded.subarray(1, 1 + size);
  const block = encoded.subarray(1 + size);
  mask(hash, block, seed);
  mask(hash, seed, block);
  let wrong = encoded[0] ?? 1;
  for (let i = 0; i < size; i += 1) wrong |= (block[i] ?? 0) ^ (labelHash[i] ?? 0);
  // The first byte that is not 0 has to be 1; `start` is where it is.
  let looking = 1;
  let start = 0;
  for (let i = size; i < block.byteLength; i += 1) {
    const byte = block[i] ?? 0;
    const here = looking & (1 - isZero(byte));
    wrong |= here & (1 - isZero(byte ^ 1));
    start |= i & -here;
    looking &= 1 - here;
  }
  wrong |= looking;
  const message = wrong === 0 ? copy(block.subarray(start + 1)) : undefined;
  wipe(encoded);
  return message;
}

/** As long as the modulus: a token may leave out leading zeros. Undefined when it is longer. */
export function padded(bytes: Uint8Array, length: number): Bytes | undefined {
  if (bytes.byteLength > length) return undefined;
  const whole = allocate(length);
  whole.set(bytes, length - bytes.byteLength);
  return whole;
}
