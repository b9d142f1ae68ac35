/**
 * ML-DSA (FIPS 204), pure, with an empty context string, by @noble/post-quantum everywhere: neither Node 20 nor Electron's BoringSSL has it.
 *
 * Hedged: 32 fresh bytes go into each signature (section 3.4), so that neither a weak generator nor one wrong computation of a
 * signature that was made before gives the key away; each is verified before it leaves all the same. JavaScript is not
 * constant-time in the strict sense, and rejection sampling takes a varying number of rounds, by the message and the fresh bytes.
 *
 * μ in place of a message (section 6.2, `internal.sign` of the library): SHAKE256(SHAKE256(public key, 64) ‖ 0 ‖ 0 ‖ message, 64).
 */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { VaultError } from '../../../shared/model/errors.ts';
import { type Bytes, take, wipe } from '../../crypto/bytes.ts';
import { readLatticeSpki, writeLatticeSpki } from '../../crypto/lattice-der.ts';

const SETS = { ML_DSA_44: ml_dsa44, ML_DSA_65: ml_dsa65, ML_DSA_87: ml_dsa87 } as const;
export type MlDsaSet = keyof typeof SETS;
export const isMlDsaSet = (name: string): name is MlDsaSet => Object.hasOwn(SETS, name);

export const ML_DSA_SEED_LENGTH = 32;

export interface MlDsaPrivate {
  readonly set: MlDsaSet;
  /** Expanded (2,560, 4,032 or 4,896 bytes), off-heap. */
  readonly secretKey: Bytes;
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Bytes;
}

/** Opens a seed (ξ, 32); the seed stays the caller's. About 2 to 5 ms. */
export function openMlDsa(set: MlDsaSet, seed: Uint8Array): MlDsaPrivate {
  const { secretKey, publicKey } = SETS[set].keygen(seed);
  return { set, secretKey: take(secretKey), publicKey: writeLatticeSpki(set, publicKey) };
}

/** `entropy` gives 32 fresh bytes. `isMu`: the message is μ, 64 bytes. KMSInternalException when the signature came out wrong. */
export function signMlDsa(key: MlDsaPrivate, message: Uint8Array, isMu: boolean, entropy: () => Uint8Array): Bytes {
  const library = SETS[key.set];
  const extraEntropy = entropy();
  const signature = take(isMu ? library.internal.sign(message, key.secretKey, { externalMu: true, extraEntropy }) : library.sign(message, key.secretKey, { extraEntropy }));
  wipe(extraEntropy);
  if (!verifyMlDsa(key.set, key.publicKey, message, isMu, signature)) {
    wipe(signature);
    throw new VaultError('KMSInternalException', 'the signature came out wrong and was withheld: try again, and check this machine\'s memory if it recurs');
  }
  return signature;
}

/** Never throws. `publicKey`: SPKI DER in its one form; any other is false. */
export function verifyMlDsa(set: MlDsaSet, publicKey: Uint8Array, message: Uint8Array, isMu: boolean, signature: Uint8Array): boolean {
  const library = SETS[set];
  const raw = readLatticeSpki(set, publicKey);
  if (!raw || signature.byteLength !== library.lengths.signature) return false;
  try {
    return isMu ? library.internal.verify(signature, message, raw, { externalMu: true }) : library.verify(signature, message, raw);
  } catch {
    return false;
  }
}
