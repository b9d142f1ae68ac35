/**
 * What the sealer's calls share that use a material for KMS: the checks of purpose, key id and algorithm, and encryption itself.
 * Bytes given stay the caller's; bytes returned are off-heap and the receiver's to wipe.
 */
import { type Algorithm, type KeyUsage, algorithmOf, offered } from '../../shared/model/algorithms.ts';
import { invalidCiphertext, VaultError } from '../../shared/model/errors.ts';
import { type Bytes, copy } from '../crypto/bytes.ts';
import { canonicalContext } from '../crypto/context.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { EncryptionContext, EncryptionKey, MaterialRef, MessageKey } from '../seal/protocol.ts';
import { type OaepHash, decryptOaep, encryptOaep, oaepLimit } from './algorithms/rsa.ts';
import { AEAD_KEY_LENGTH } from '../crypto/aead.ts';
import { type BlobKey, WRAPPED_LENGTH, locateBlob, openBlob, sealBlob } from './blob.ts';
import { MATERIAL_ID_LENGTH } from './material-format.ts';
import { type Material, materialOf } from './materials.ts';
import type { Session } from './session.ts';

export const invalid = (message: string): VaultError => new VaultError('ValidationException', message);
export const wrongUse = (message: string): VaultError => new VaultError('InvalidKeyUsageException', message);

export const MISSING = { missing: true } as const;

/** Throws ValidationException. */
export function checkLength(length: number, limit: number, what: string): void {
  if (!Number.isInteger(length) || length < 1 || length > limit) throw invalid(`${what} is 1 to ${String(limit)} bytes long`);
}

/** The fresh bytes that one operation needs. */
export const drawing = (session: Session) => (length: number): Uint8Array => session.random.bytes(length);

/** The material for a KMS operation other than Sign: purpose `kms`, the algorithm offered; undefined when it is missing. InvalidKeyUsageException. */
export function kmsMaterial(session: Session, ref: MaterialRef, usage: KeyUsage, algorithm: Algorithm): Material | undefined {
  const material = materialOf(session, ref);
  if (!material) return undefined;
  if (material.purpose !== 'kms') throw wrongUse(`the key is for \`${material.purpose}\` and is not used for anything else`);
  if (!offered(material.spec, usage).includes(algorithm)) throw wrongUse(`a key of \`${material.spec}\` does not offer \`${algorithm}\` here: choose one that it does`);
  return material;
}

/** A token's key as far as the sealer has it: for one message. ValidationException, InvalidKeyUsageException. */
function messageMaterial({ materialId, messageKey, wrapped }: MessageKey, keyId: string, algorithm: Algorithm): Material {
  if (materialId.byteLength !== MATERIAL_ID_LENGTH || messageKey.byteLength !== AEAD_KEY_LENGTH || wrapped.byteLength !== WRAPPED_LENGTH || keyId === '') throw invalid('a message key is 32 bytes long, 60 wrapped, and has a key id');
  if (!isSymmetric(algorithm)) throw wrongUse(`a message key does not encrypt with \`${algorithm}\``);
  return { spec: 'SYMMETRIC_DEFAULT', purpose: 'kms', keyId, materialId: copy(materialId), key: { family: 'symmetric', secret: copy(messageKey) }, wrapped };
}

/** The same, of a named key. IncorrectKeyException when the material belongs to another. */
export function namedMaterial(session: Session, request: { readonly key: EncryptionKey; readonly keyId: string; readonly algorithm: Algorithm }): Material | undefined {
  if ('messageKey' in request.key) return messageMaterial(request.key, request.keyId, request.algorithm);
  const material = kmsMaterial(session, request.key, 'ENCRYPT_DECRYPT', request.algorithm);
  if (material && material.keyId !== request.keyId) throw new VaultError('IncorrectKeyException', `the key material belongs to another key than \`${request.keyId}\``);
  return material;
}

function blobKeyOf(material: Material): BlobKey {
  if (material.key.family !== 'symmetric') throw wrongUse('the key is not symmetric');
  return { keyId: material.keyId, materialId: material.materialId, secret: material.key.secret, ...(material.wrapped ? { wrapped: material.wrapped } : {}) };
}

function rsaKeysOf(material: Material) {
  if (material.key.family !== 'rsa') throw wrongUse('the key is not an RSA key');
  return material.key;
}

function oaepHash(algorithm: Algorithm): OaepHash {
  const { hash } = algorithmOf(algorithm);
  if (hash !== 'sha1' && hash !== 'sha256') throw wrongUse(`\`${algorithm}\` does not encrypt`);
  return hash;
}

const isSymmetric = (algorithm: Algorithm): boolean => algorithmOf(algorithm).scheme === 'aes-gcm';

function checkNoContext(context: EncryptionContext): void {
  if (Object.keys(context).length > 0) throw invalid('an encryption context goes with symmetric keys only: leave it out for this key');
}

/** Throws ValidationException for what RSA cannot take: a context, or more bytes than fit. */
export function encryptWith(session: Session, material: Material, algorithm: Algorithm, context: EncryptionContext, plaintext: Uint8Array): Bytes {
  if (isSymmetric(algorithm)) return sealBlob(session.unsealed.locatorKey, blobKeyOf(material), canonicalContext(context), plaintext, drawing(session));
  checkNoContext(context);
  const { publicKey } = rsaKeysOf(material);
  const hash = oaepHash(algorithm);
  const limit = oaepLimit(publicKey, hash);
  if (plaintext.byteLength > limit) throw invalid(`\`${algorithm}\` with this key encrypts at most ${String(limit)} bytes`);
  return encryptOaep(hash, publicKey, plaintext);
}

/** The material that a ciphertext names where it is not this one. InvalidCiphertextException. */
export function otherMaterial(session: Session, { materialId }: Material, algorithm: Algorithm, ciphertext: Uint8Array): Bytes | undefined {
  if (!isSymmetric(algorithm)) return undefined;
  const named = locateBlob(session.unsealed.locatorKey, ciphertext);
  return constantTimeEqual(named, materialId) ? undefined : named;
}

/** InvalidCiphertextException, nothing finer; ValidationException for a context that RSA cannot bind. */
export function decryptWith(session: Session, material: Material, algorithm: Algorithm, context: EncryptionContext, ciphertext: Uint8Array): Bytes {
  if (isSymmetric(algorithm)) return openBlob(session.unsealed.locatorKey, blobKeyOf(material), canonicalContext(context), ciphertext);
  checkNoContext(context);
  const plaintext = decryptOaep(oaepHash(algorithm), rsaKeysOf(material).privateKey, ciphertext);
  if (!plaintext) throw invalidCiphertext();
  return plaintext;
}
