/**
 * Public and private keys of ML-DSA (RFC 9881) and ML-KEM (RFC 9935) in DER: SubjectPublicKeyInfo with the parameter set's object
 * identifier and no parameters, and PKCS #8 with the seed. Each key has one form only, as in `der.ts`.
 */
import { type Bytes, concat, fromHex, u8, wipe } from './bytes.ts';
import { writeElement } from './der.ts';
import { constantTimeEqual } from './equal.ts';

/** Content of the AlgorithmIdentifier (id-ml-dsa-*, id-alg-ml-kem-*), and bytes of the raw public key. */
const SETS = {
  ML_DSA_44: ['0609608648016503040311', 1312],
  ML_DSA_65: ['0609608648016503040312', 1952],
  ML_DSA_87: ['0609608648016503040313', 2592],
  ML_KEM_512: ['0609608648016503040401', 800],
  ML_KEM_768: ['0609608648016503040402', 1184],
  ML_KEM_1024: ['0609608648016503040403', 1568],
} as const satisfies Record<string, readonly [identifier: string, publicLength: number]>;

export type LatticeSet = keyof typeof SETS;
export const isLatticeSet = (name: string): name is LatticeSet => Object.hasOwn(SETS, name);

const [INTEGER, BIT_STRING, OCTET_STRING, SEQUENCE, CONTEXT_0] = [0x02, 0x03, 0x04, 0x30, 0x80] as const;

/** Raw public key to SubjectPublicKeyInfo DER. Throws RangeError for another size. */
export function writeLatticeSpki(set: LatticeSet, raw: Uint8Array): Bytes {
  const [identifier, length] = SETS[set];
  if (raw.byteLength !== length) throw new RangeError('public key of another size');
  return writeElement(SEQUENCE, concat(writeElement(SEQUENCE, fromHex(identifier)), writeElement(BIT_STRING, concat(u8(0), raw))));
}

/** The raw public key in an SPKI of exactly this set and form; undefined for any other. What it encodes is not checked. */
export function readLatticeSpki(set: LatticeSet, der: Uint8Array): Uint8Array | undefined {
  const [, length] = SETS[set];
  if (der.byteLength <= length) return undefined;
  const raw = der.subarray(der.byteLength - length);
  const whole = writeLatticeSpki(set, raw);
  return whole.byteLength === der.byteLength && constantTimeEqual(whole, der) ? raw : undefined;
}

/** PKCS #8 of an ML-KEM seed (d ‖ z, 64 bytes), the seed alone (RFC 9935 section 6), as AWS gives it. Off-heap, the caller's to wipe. */
export function writeMlKemPkcs8(set: Extract<LatticeSet, `ML_KEM_${string}`>, seed: Uint8Array): Bytes {
  if (seed.byteLength !== 64) throw new RangeError('an ML-KEM seed is 64 bytes');
  const inner = writeElement(CONTEXT_0, seed);
  const key = writeElement(OCTET_STRING, inner);
  try {
    return writeElement(SEQUENCE, concat(writeElement(INTEGER, u8(0)), writeElement(SEQUENCE, fromHex(SETS[set][0])), key));
  } finally {
    wipe(inner, key);
  }
}
