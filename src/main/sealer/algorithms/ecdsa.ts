/**
 * ECDSA (FIPS 186-5), signatures in DER as AWS gives them. High s is accepted and made, as by AWS and openssl: low s is a rule of
 * some block chains, not of ECDSA.
 *
 * P-256, P-384 and P-521 messages go through node:crypto. A digest goes through @noble/curves, since node:crypto has no ECDSA
 * without its own hash; and secp256k1 always does, since Electron's BoringSSL has no such curve. @noble is slower (a P-256
 * signature takes 0.5 ms, not 0.03; verifying one on P-521 13 ms), is not constant-time in the strict sense (JavaScript's BigInt
 * is not), and leaves the scalar in V8's heap until the sealer ends: the reason why only the sealer does this, and why lock
 * kills it. Its nonces are RFC 6979's with 32 fresh bytes mixed in (section 3.6), so that neither a weak generator nor a
 * fault alone gives the key away.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type Bytes, adopt, copy, wipe } from '../../crypto/bytes.ts';
import { type CurveName, readEcdsaSignature, readSpki, writeEcdsaSignature, writeSpki } from '../../crypto/der.ts';
import { digest } from '../../crypto/hmac.ts';
import { publicKeyFrom } from './public-key.ts';

export type EcCurve = Exclude<CurveName, 'ed25519'>;

/** `size`: bytes of a scalar. `hash`: the one hash that AWS offers with the curve. */
export const EC_CURVES = {
  'P-256': { noble: p256, size: 32, hash: 'sha256' },
  'P-384': { noble: p384, size: 48, hash: 'sha384' },
  'P-521': { noble: p521, size: 66, hash: 'sha512' },
  secp256k1: { noble: secp256k1, size: 32, hash: 'sha256' },
} as const;

export interface EcPrivate {
  readonly curve: EcCurve;
  /** Big-endian, the curve's size; off-heap. */
  readonly scalar: Uint8Array;
  /** Absent for secp256k1. */
  readonly privateKey: KeyObject | undefined;
}

export const isEcScalar = (curve: EcCurve, scalar: Uint8Array): boolean => EC_CURVES[curve].noble.utils.isValidSecretKey(scalar);

/** A fresh secp256k1 key: scalar (32, to be wiped) and SPKI. Scalars outside 1 to n-1 are drawn again (chance 2^-128). */
export function generateSecp256k1(random: (length: number) => Bytes): { readonly scalar: Bytes; readonly publicKey: Bytes } {
  for (;;) {
    const scalar = random(32);
    if (isEcScalar('secp256k1', scalar)) return { scalar, publicKey: writeSpki('secp256k1', secp256k1.getPublicKey(scalar, false)) };
  }
}

/** DER. `entropy` gives 32 fresh bytes. */
export function signEcdsa(key: EcPrivate, message: Uint8Array, isDigest: boolean, entropy: () => Uint8Array): Bytes {
  const { noble, hash } = EC_CURVES[key.curve];
  if (key.privateKey && !isDigest) return adopt(sign(hash, message, { key: key.privateKey, dsaEncoding: 'der' }));
  const extraEntropy = entropy();
  const digested = isDigest ? message : digest(hash, message);
  const rs = noble.sign(digested, key.scalar, { prehash: false, lowS: false, format: 'compact', extraEntropy });
  wipe(extraEntropy);
  return writeEcdsaSignature(rs);
}

/** Never throws. `publicKey`: SPKI DER in the one form of `readSpki`; any other is false. */
export function verifyEcdsa(curve: EcCurve, publicKey: Uint8Array, message: Uint8Array, isDigest: boolean, signature: Uint8Array): boolean {
  const { noble, size, hash } = EC_CURVES[curve];
  const point = readSpki(curve, publicKey);
  const rs = readEcdsaSignature(signature, size);
  if (!point || !rs) return false;
  try {
    if (curve !== 'secp256k1' && !isDigest) return verify(hash, message, { key: publicKeyFrom(publicKey), dsaEncoding: 'der' }, signature);
    const digested = isDigest ? message : digest(hash, message);
    return noble.verify(rs, digested, copy(point), { prehash: false, lowS: false, format: 'compact' });
  } catch {
    return false;
  }
}
