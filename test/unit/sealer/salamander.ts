/**
 * A ciphertext with one tag that AES-256-GCM accepts under two keys ("Fast Message Franking", Dodis et al. 2018, section 3.2).
 *
 * GHASH is a polynomial in H = AES(K, 0), so for two keys the condition "same tag" is one linear equation over GF(2^128): all blocks
 * but the last are free, and the last is solved for. Fields follow SP 800-38D section 6.3 (bit 0 is the leftmost).
 */
import { createCipheriv } from 'node:crypto';

const R = 0xe1n << 120n;
const ONE = 1n << 127n;

function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let v = y;
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if ((x >> bit) & 1n) product ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return product;
}

function power(base: bigint, exponent: bigint): bigint {
  let out = ONE;
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = multiply(square, square)) if (left & 1n) out = multiply(out, square);
  return out;
}

const inverse = (x: bigint): bigint => power(x, (1n << 128n) - 2n);
const toBig = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex').padStart(2, '0')}`);
const block = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');

function aes(key: Uint8Array, input: Buffer): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return toBig(cipher.update(input));
}

const blocksOf = (bytes: Uint8Array): bigint[] => {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  return Array.from({ length: padded.length / 16 }, (_, i) => toBig(padded.subarray(16 * i, 16 * i + 16)));
};

export interface GcmKey {
  readonly key: Uint8Array;
  /** 12 bytes; may differ between the two. */
  readonly iv: Uint8Array;
}

/** ciphertext ‖ tag16, as long as `free` and one block. `free` is a whole number of blocks. */
export function salamander(one: GcmKey, other: GcmKey, aad: Uint8Array, free: Uint8Array): Buffer {
  const length = free.length + 16;
  const lengths = (BigInt(aad.length * 8) << 64n) | BigInt(length * 8);
  const known = [...blocksOf(aad), ...blocksOf(free)];
  /** What the tag is but for the unknown block, whose factor is H². */
  const half = ({ key, iv }: GcmKey) => {
    const h = aes(key, Buffer.alloc(16));
    let hash = 0n;
    for (const part of known) hash = multiply(hash ^ part, h);
    // The unknown block enters here, and the lengths after it.
    hash = multiply(multiply(hash, h) ^ lengths, h);
    return { rest: hash ^ aes(key, Buffer.concat([iv, Buffer.from([0, 0, 0, 1])])), factor: multiply(h, h) };
  };
  const a = half(one);
  const b = half(other);
  const unknown = multiply(a.rest ^ b.rest, inverse(a.factor ^ b.factor));
  const tag = a.rest ^ multiply(unknown, a.factor);
  return Buffer.concat([free, block(unknown), block(tag)]);
}
