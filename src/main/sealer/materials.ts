/**
 * Opened key materials: a bounded cache by row, so that a key that is used often is unsealed and parsed once.
 *
 * Defends against: use of a material for another key, purpose or spec than it was made for; secrets that pile up with the number of
 * keys. Raw keys, scalars and seeds are off-heap and wiped on eviction, `forget` and lock. RSA and NIST keys live in OpenSSL
 * as KeyObjects: JavaScript cannot wipe those; OpenSSL cleanses them when the garbage collector frees the handle, and the
 * end of the process ends them for certain.
 */
import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';
import { type KeyPurpose, type KeySpec, keySpecOf } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, copy, hex, wipe } from '../crypto/bytes.ts';
import { readEcScalar } from '../crypto/der.ts';
import type { MaterialRef } from '../seal/protocol.ts';
import { bufferOver } from './algorithms/buffer-over.ts';
import { EC_CURVES, type EcPrivate, isEcScalar } from './algorithms/ecdsa.ts';
import { type EdPrivate, openEd25519 } from './algorithms/eddsa.ts';
import { ML_DSA_SEED_LENGTH, type MlDsaPrivate, isMlDsaSet, openMlDsa } from './algorithms/ml-dsa.ts';
import { ML_KEM_SEED_LENGTH, type MlKemPrivate, isMlKemSet, openMlKem } from './algorithms/ml-kem.ts';
import { decodeMaterial } from './material-format.ts';
import type { Session } from './session.ts';

/** `secret`: off-heap; AES or HMAC key. */
export type OpenKey =
  | { readonly family: 'symmetric' | 'hmac'; readonly secret: Bytes }
  | { readonly family: 'rsa'; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  | ({ readonly family: 'ec' } & EcPrivate)
  | ({ readonly family: 'edwards' } & EdPrivate)
  | ({ readonly family: 'ml-dsa' } & MlDsaPrivate)
  | ({ readonly family: 'ml-kem' } & MlKemPrivate);

export interface Material {
  readonly spec: KeySpec;
  readonly purpose: KeyPurpose;
  readonly keyId: string;
  /** 8 bytes. */
  readonly materialId: Bytes;
  readonly key: OpenKey;
  /** Of a message key: as the token wrapped it, 60 bytes. */
  readonly wrapped?: Uint8Array;
}

const unusable = (): VaultError => new VaultError('VaultTamperedException', 'a key material does not hold a key of its own spec: restore the vault from a copy');

const privateKeyFrom = (pkcs8: Uint8Array): KeyObject => createPrivateKey({ key: bufferOver(pkcs8), format: 'der', type: 'pkcs8' });

function openKey(spec: KeySpec, bytes: Uint8Array): OpenKey {
  const row = keySpecOf(spec);
  switch (row.family) {
    case 'symmetric':
    case 'hmac':
      if (bytes.byteLength !== row.bits / 8) throw unusable();
      return { family: row.family, secret: copy(bytes) };
    case 'rsa': {
      const privateKey = privateKeyFrom(bytes);
      if (privateKey.asymmetricKeyType !== 'rsa' || privateKey.asymmetricKeyDetails?.modulusLength !== row.bits) throw unusable();
      return { family: 'rsa', privateKey, publicKey: createPublicKey(privateKey) };
    }
    case 'ec': {
      const curve = row.curve;
      if (curve === undefined || curve === 'ed25519') throw unusable();
      const { size } = EC_CURVES[curve];
      const scalar = curve === 'secp256k1' ? copy(bytes) : readEcScalar(curve, size, bytes);
      if (scalar?.byteLength !== size || !isEcScalar(curve, scalar)) throw unusable();
      return { family: 'ec', curve, scalar, privateKey: curve === 'secp256k1' ? undefined : privateKeyFrom(bytes) };
    }
    case 'edwards':
      if (bytes.byteLength !== 32) throw unusable();
      return { family: 'edwards', ...openEd25519(copy(bytes)) };
    case 'ml-dsa':
      if (!isMlDsaSet(spec) || bytes.byteLength !== ML_DSA_SEED_LENGTH) throw unusable();
      return { family: 'ml-dsa', ...openMlDsa(spec, bytes) };
    case 'ml-kem':
      if (!isMlKemSet(spec) || bytes.byteLength !== ML_KEM_SEED_LENGTH) throw unusable();
      return { family: 'ml-kem', ...openMlKem(spec, bytes) };
  }
}

/** Parses an opened row and wipes it. VaultTamperedException, VaultTooNewException. */
export function materialFrom(plain: Uint8Array): Material {
  try {
    const { spec, purpose, keyId, materialId, key } = decodeMaterial(plain);
    return { spec, purpose, keyId, materialId: copy(materialId), key: openKey(spec, key) };
  } catch (error) {
    // A parser's own words may describe key bytes; ours do not.
    throw error instanceof VaultError ? error : unusable();
  } finally {
    wipe(plain);
  }
}

function wipeMaterial({ key }: Material): void {
  if (key.family === 'symmetric' || key.family === 'hmac') wipe(key.secret);
  if (key.family === 'ec') wipe(key.scalar);
  if (key.family === 'edwards') wipe(key.seed);
  if (key.family === 'ml-dsa' || key.family === 'ml-kem') wipe(key.secretKey);
}

/** A few kilobytes each at most; a vault of more busy keys opens some of them again, at well under a millisecond. */
const CACHED_MATERIALS = 1024;

interface Entry {
  readonly version: number;
  readonly material: Material;
}

/** Least recently used goes first. One per session. */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(rowId: Uint8Array, version: number): Material | undefined {
    const name = hex(rowId);
    const entry = this.#entries.get(name);
    if (entry?.version !== version) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.material;
  }

  put(rowId: Uint8Array, version: number, material: Material): void {
    this.forget(rowId);
    this.#entries.set(hex(rowId), { version, material });
    for (const [name, { material: oldest }] of this.#entries) {
      if (this.#entries.size <= this.#limit) break;
      this.#entries.delete(name);
      wipeMaterial(oldest);
    }
  }

  /** Every version of the row. */
  forget(rowId: Uint8Array): void {
    const name = hex(rowId);
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    wipeMaterial(entry.material);
  }

  clear(): void {
    for (const { material } of this.#entries.values()) wipeMaterial(material);
    this.#entries.clear();
  }
}

interface Owned {
  readonly vaultId: Bytes;
  readonly cache: MaterialCache;
}
const caches = new WeakMap<Session, Owned>();

/** The session's cache. VaultLockedException before unseal; another vault in the same session starts empty. */
export function materialsOf(session: Session): MaterialCache {
  const { vaultId } = session.unsealed;
  const known = caches.get(session);
  if (known && compareBytes(known.vaultId, vaultId) === 0) return known.cache;
  known?.cache.clear();
  const cache = new MaterialCache(CACHED_MATERIALS);
  caches.set(session, { vaultId: copy(vaultId), cache });
  return cache;
}

/** Wipes everything that was opened for this session; for lock. Needs no unsealed session. */
export function forgetMaterials(session: Session): void {
  caches.get(session)?.cache.clear();
  caches.delete(session);
}

/**
 * The material of this row; undefined when it is not in memory and no body came with it. VaultTamperedException when the
 * body does not open or does not hold a key.
 *
 * INVARIANT: use it before the next `await`, or keep only its KeyObjects across: another call may evict it meanwhile, which
 * zeroes its raw bytes.
 */
export function materialOf(session: Session, ref: MaterialRef): Material | undefined {
  const cache = materialsOf(session);
  const cached = cache.get(ref.rowId, ref.version);
  if (cached) return cached;
  if (!ref.body) return undefined;
  const material = materialFrom(session.unsealed.openMaterial({ rowId: ref.rowId, version: ref.version, body: ref.body }));
  cache.put(ref.rowId, ref.version, material);
  return material;
}
