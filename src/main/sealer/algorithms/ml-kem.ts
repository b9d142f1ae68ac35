/**
 * ML-KEM (FIPS 203) by @noble/post-quantum everywhere: neither Node 20 nor Electron's BoringSSL has it.
 *
 * A ciphertext that was made for another key or was changed gives a pseudo-random secret and no error (section 6.3, implicit
 * rejection): telling would be an oracle. Public keys are checked as section 7.2 wants it, ciphertexts for their length.
 */
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, copy, take, wipe } from '../../crypto/bytes.ts';
import { readLatticeSpki, writeLatticeSpki } from '../../crypto/lattice-der.ts';

const SETS = { ML_KEM_512: ml_kem512, ML_KEM_768: ml_kem768, ML_KEM_1024: ml_kem1024 } as const;
export type MlKemSet = keyof typeof SETS;
export const isMlKemSet = (name: string): name is MlKemSet => Object.hasOwn(SETS, name);

/** d ‖ z. */
export const ML_KEM_SEED_LENGTH = 64;

export interface MlKemPrivate {
  readonly set: MlKemSet;
  /** Expanded (1,632, 2,400 or 3,168 bytes), off-heap. */
  readonly secretKey: Bytes;
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Bytes;
}

/** Opens a seed (64); the seed stays the caller's. */
export function openMlKem(set: MlKemSet, seed: Uint8Array): MlKemPrivate {
  const { secretKey, publicKey } = SETS[set].keygen(seed);
  return { set, secretKey: take(secretKey), publicKey: writeLatticeSpki(set, publicKey) };
}

/** A fresh secret (32) and what carries it; undefined for a public key that is not of this set. `entropy` gives 32 fresh bytes. */
export function encapsulateMlKem(set: MlKemSet, publicKey: Uint8Array, entropy: () => Uint8Array): { readonly secret: Bytes; readonly ciphertext: Bytes } | undefined {
  const raw = readLatticeSpki(set, publicKey);
  if (!raw) return undefined;
  const message = entropy();
  try {
    const { cipherText, sharedSecret } = SETS[set].encapsulate(copy(raw), message);
    return { secret: take(sharedSecret), ciphertext: take(cipherText) };
  } catch {
    return undefined;
  } finally {
    wipe(message);
  }
}

/** 32 bytes; undefined for a ciphertext of another length. */
export function decapsulateMlKem(key: MlKemPrivate, ciphertext: Uint8Array): Bytes | undefined {
  const library = SETS[key.set];
  return ciphertext.byteLength === library.lengths.cipherText ? take(library.decapsulate(ciphertext, key.secretKey)) : undefined;
}
