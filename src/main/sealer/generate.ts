/**
 * New keys, one maker per family. RSA primes and NIST scalars are drawn by OpenSSL's generator in libuv's thread pool (RSA-4096
 * takes seconds); everything else comes from the injected source. Each maker returns `key` in the form of `material-format.ts`,
 * off-heap and the caller's to wipe.
 */
import { generateKeyPair } from 'node:crypto';
import { type Family, type KeySpec, keySpecOf } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Random } from '../platform/ports.ts';
import { type Bytes, adopt, wipe } from '../crypto/bytes.ts';
import { generateSecp256k1 } from './algorithms/ecdsa.ts';
import { openEd25519 } from './algorithms/eddsa.ts';
import { ML_DSA_SEED_LENGTH, isMlDsaSet, openMlDsa } from './algorithms/ml-dsa.ts';
import { ML_KEM_SEED_LENGTH, isMlKemSet, openMlKem } from './algorithms/ml-kem.ts';

export interface Generated {
  readonly key: Bytes;
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey?: Bytes;
}

const ENCODED = { privateKeyEncoding: { type: 'pkcs8', format: 'der' }, publicKeyEncoding: { type: 'spki', format: 'der' } } as const;
const PUBLIC_EXPONENT = 65537;

/** The library's callback, as a promise. */
const made = (start: (done: (error: Error | null, publicKey: Buffer<ArrayBuffer>, privateKey: Buffer<ArrayBuffer>) => void) => void): Promise<Generated> =>
  new Promise((resolve, reject) => {
    start((error, publicKey, privateKey) => {
      if (error) reject(error);
      else resolve({ key: adopt(privateKey), publicKey: adopt(publicKey) });
    });
  });

const raw = (random: Random, bits: number): Generated => ({ key: random.bytes(bits / 8) });

/** The seed is the key; what is computed from it is thrown away but for its public half. */
function seeded(seed: Bytes, open: (seed: Bytes) => { readonly secretKey: Bytes; readonly publicKey: Bytes }): Generated {
  const { secretKey, publicKey } = open(seed);
  wipe(secretKey);
  return { key: seed, publicKey };
}

const unknownSet = (spec: KeySpec): VaultError => new VaultError('InternalException', `\`${spec}\` names no parameter set`);

const MAKERS = {
  symmetric: (random, spec) => raw(random, keySpecOf(spec).bits),
  hmac: (random, spec) => raw(random, keySpecOf(spec).bits),
  rsa: (_, spec) =>
    made((done) => {
      generateKeyPair('rsa', { modulusLength: keySpecOf(spec).bits, publicExponent: PUBLIC_EXPONENT, ...ENCODED }, done);
    }),
  ec: (random, spec) => {
    const { curve } = keySpecOf(spec);
    if (curve === 'secp256k1') {
      const { scalar, publicKey } = generateSecp256k1((length) => random.bytes(length));
      return { key: scalar, publicKey };
    }
    if (curve === undefined) throw new VaultError('InternalException', `\`${spec}\` names no curve`);
    return made((done) => {
      generateKeyPair('ec', { namedCurve: curve, paramEncoding: 'named', ...ENCODED }, done);
    });
  },
  edwards: (random) => {
    const seed = random.bytes(32);
    return { key: seed, publicKey: openEd25519(seed).publicKey };
  },
  'ml-dsa': (random, spec) => {
    if (!isMlDsaSet(spec)) throw unknownSet(spec);
    return seeded(random.bytes(ML_DSA_SEED_LENGTH), (seed) => openMlDsa(spec, seed));
  },
  'ml-kem': (random, spec) => {
    if (!isMlKemSet(spec)) throw unknownSet(spec);
    return seeded(random.bytes(ML_KEM_SEED_LENGTH), (seed) => openMlKem(spec, seed));
  },
} as const satisfies Record<Family, (random: Random, spec: KeySpec) => Generated | Promise<Generated>>;

/** A fresh key of this spec. Rejects with KMSInternalException when the library fails. */
export async function generateKey(random: Random, spec: KeySpec): Promise<Generated> {
  const make: (random: Random, spec: KeySpec) => Generated | Promise<Generated> = MAKERS[keySpecOf(spec).family];
  try {
    return await make(random, spec);
  } catch (error) {
    throw error instanceof VaultError ? error : new VaultError('KMSInternalException', `a \`${spec}\` key could not be made: try again`);
  }
}
