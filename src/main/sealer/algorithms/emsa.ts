/**
 * The two encodings that RSA signs (RFC 8017 section 9), over a digest: node:crypto signs only messages that it hashes
 * itself. The encoding holds nothing secret but, until the signature is out, PSS's salt.
 */
import { type Bytes, allocate, concat, u32, wipe } from '../../crypto/bytes.ts';
import { DIGEST_INFO } from '../../crypto/der.ts';
import { constantTimeEqual } from '../../crypto/equal.ts';
import { HASH_LENGTH, digest } from '../../crypto/hmac.ts';

/** The hashes that RSA signatures are offered with. */
export type SignatureHash = keyof typeof DIGEST_INFO;

/** EMSA-PKCS1-v1_5 (section 9.2): 00 01 FF… 00 DigestInfo, `length` bytes. */
export function encodePkcs1(hash: SignatureHash, digested: Uint8Array, length: number): Bytes {
  const info = concat(DIGEST_INFO[hash], digested);
  if (length < info.byteLength + 11) throw new RangeError('modulus too short for this digest');
  const out = allocate(length).fill(0xff);
  out[0] = 0;
  out[1] = 1;
  out[length - info.byteLength - 1] = 0;
  out.set(info, length - info.byteLength);
  return out;
}

/** XORs MGF1 (appendix B.2.1) of `seed` into `target`. */
function mask(hash: SignatureHash, seed: Uint8Array, target: Uint8Array): void {
  const size = HASH_LENGTH[hash];
  for (let offset = 0, counter = 0; offset < target.byteLength; offset += size, counter += 1) {
    const block = digest(hash, seed, u32(counter));
    for (let i = 0; i < size && offset + i < target.byteLength; i += 1) target[offset + i] = (target[offset + i] ?? 0) ^ (block[i] ?? 0);
  }
}

const ZEROS8 = allocate(8);

/**
 * EMSA-PSS-ENCODE (section 9.1.1) for a modulus of 8 × `length` bits: `length` bytes of which the top bit is clear. The salt
 * is as long as the digest, as AWS has it.
 */
export function encodePss(hash: SignatureHash, digested: Uint8Array, salt: Uint8Array, length: number): Bytes {
  const size = HASH_LENGTH[hash];
  if (salt.byteLength !== size || length < 2 * size + 2) throw new RangeError('salt or modulus of the wrong length');
  const h = digest(hash, ZEROS8, digested, salt);
  const out = allocate(length);
  const db = out.subarray(0, length - size - 1);
  db[db.byteLength - size - 1] = 1;
  db.set(salt, db.byteLength - size);
  mask(hash, h, db);
  db[0] = (db[0] ?? 0) & 0x7f;
  out.set(h, db.byteLength);
  out[length - 1] = 0xbc;
  return out;
}

/** EMSA-PSS-VERIFY (section 9.1.2) with a salt as long as the digest, for a modulus of 8 × `encoded` length bits. */
export function verifyPss(hash: SignatureHash, digested: Uint8Array, encoded: Uint8Array): boolean {
  const size = HASH_LENGTH[hash];
  const length = encoded.byteLength;
  if (length < 2 * size + 2 || encoded[length - 1] !== 0xbc || (encoded[0] ?? 0x80) >= 0x80) return false;
  const h = encoded.subarray(length - size - 1, length - 1);
  const db = concat(encoded.subarray(0, length - size - 1));
  mask(hash, h, db);
  db[0] = (db[0] ?? 0) & 0x7f;
  const saltStart = db.byteLength - size;
  const padded = db.subarray(0, saltStart - 1).every((byte) => byte === 0) && db[saltStart - 1] === 1;
  const valid = padded && constantTimeEqual(h, digest(hash, ZEROS8, digested, db.subarray(saltStart)));
  wipe(db);
  return valid;
}
