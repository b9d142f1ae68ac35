/**
 * The sealer's calls that make and use keys (protocol part "keys").
 *
 * Defends against: a key used for what it was not made for (spec, purpose and key id travel inside the material and are checked
 * here, not only in main); oracles (a failed decryption is one error); a wrong signature leaving. What it does not do: decide who
 * may use a key, check a key's state or usage beyond its spec (main does), or apply AWS's size limits for messages.
 *
 * Bytes in a request stay the caller's; bytes in a reply are off-heap and the receiver's to wipe.
 */
import { type Algorithm, type KeyUsage, algorithmOf, offered } from '../../shared/model/algorithms.ts';
import { invalidCiphertext, VaultError } from '../../shared/model/errors.ts';
import { type Bytes, wipe } from '../crypto/bytes.ts';
import { canonicalContext } from '../crypto/context.ts';
import { type HashName, hmac, verifyHmac } from '../crypto/hmac.ts';
import type { EncryptionContext, MaterialRef } from '../seal/protocol.ts';
import { type OaepHash, decryptOaep, encryptOaep, oaepLimit } from './algorithms/rsa.ts';
import { type BlobKey, locateBlob, openBlob, sealBlob } from './blob.ts';
import { checkpointPublicKey, signCheckpoint } from './checkpoint.ts';
import { ROW_ID_LENGTH } from './database.ts';
import { generateKey } from './generate.ts';
import { MATERIAL_ID_LENGTH, encodeMaterial, isPurpose, isSpec } from './material-format.ts';
import { type Material, materialOf, materialsOf } from './materials.ts';
import { signatureScheme } from './schemes.ts';
import type { Handlers, Session } from './session.ts';

/** Above what any caller asks for; a bound, so that one frame cannot take the process's memory. */
const RANDOM_LIMIT = 65_536;
/** AWS's limit for a data key. */
const DATA_KEY_LIMIT = 1024;

const invalid = (message: string): VaultError => new VaultError('ValidationException', message);
const wrongUse = (message: string): VaultError => new VaultError('InvalidKeyUsageException', message);

function checkLength(length: number, limit: number, what: string): void {
  if (!Number.isInteger(length) || length < 1 || length > limit) throw invalid(`${what} is 1 to ${String(limit)} bytes long`);
}

/** The fresh bytes that one operation needs. */
const drawing = (session: Session) => (length: number): Uint8Array => session.random.bytes(length);

/** The material for a KMS operation other than Sign: purpose `kms`, the algorithm offered; undefined when it is missing. */
function kmsMaterial(session: Session, ref: MaterialRef, usage: KeyUsage, algorithm: Algorithm): Material | undefined {
  const material = materialOf(session, ref);
  if (!material) return undefined;
  if (material.purpose !== 'kms') throw wrongUse(`the key is for \`${material.purpose}\` and is not used for anything else`);
  if (!offered(material.spec, usage).includes(algorithm)) throw wrongUse(`a key of \`${material.spec}\` does not offer \`${algorithm}\` here: choose one that it does`);
  return material;
}

/** The same, of a named key. IncorrectKeyException when the material belongs to another. */
function namedMaterial(session: Session, request: { readonly key: MaterialRef; readonly keyId: string; readonly algorithm: Algorithm }): Material | undefined {
  const material = kmsMaterial(session, request.key, 'ENCRYPT_DECRYPT', request.algorithm);
  if (material && material.keyId !== request.keyId) throw new VaultError('IncorrectKeyException', `the key material belongs to another key than \`${request.keyId}\``);
  return material;
}

function blobKeyOf(material: Material): BlobKey {
  if (material.key.family !== 'symmetric') throw wrongUse('the key is not symmetric');
  return { keyId: material.keyId, materialId: material.materialId, secret: material.key.secret };
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

/** The HMAC key of a material, and the hash; undefined when it is missing. */
function macKey(session: Session, request: { readonly key: MaterialRef; readonly algorithm: Algorithm }): { readonly hash: HashName; readonly secret: Bytes } | undefined {
  const material = kmsMaterial(session, request.key, 'GENERATE_VERIFY_MAC', request.algorithm);
  if (!material) return undefined;
  const { hash } = algorithmOf(request.algorithm);
  if (material.key.family !== 'hmac' || hash === undefined) throw wrongUse('the key is not an HMAC key');
  return { hash, secret: material.key.secret };
}

const MISSING = { missing: true } as const;

export const keyCalls: Handlers<
  'random' | 'generateMaterial' | 'locate' | 'encrypt' | 'decrypt' | 'generateDataKey' | 'sign' | 'verify' | 'mac' | 'verifyMac' | 'forget' | 'signCheckpoint' | 'checkpointKeys'
> = {
  random(session, { length }) {
    checkLength(length, RANDOM_LIMIT, 'a random value');
    return { bytes: session.random.bytes(length) };
  },

  async generateMaterial(session, { rowId, spec, keyId, materialId, purpose }) {
    if (rowId.byteLength !== ROW_ID_LENGTH || materialId.byteLength !== MATERIAL_ID_LENGTH) throw invalid('a row id is 16 bytes long, a material id 8');
    if (!isSpec(spec) || !isPurpose(purpose) || keyId === '') throw invalid('a key material has a key id, a known spec and a known purpose');
    const { unsealed } = session;
    const { key, publicKey } = await generateKey(session.random, spec);
    const plain = encodeMaterial({ spec, purpose, keyId, materialId, key });
    try {
      const { body, tag } = unsealed.sealMaterial(rowId, plain);
      return { body, tag, ...(publicKey ? { publicKey } : {}) };
    } finally {
      wipe(plain, key);
    }
  },

  locate: (session, { ciphertext }) => ({ materialId: locateBlob(session.unsealed.locatorKey, ciphertext) }),

  encrypt(session, request) {
    const material = namedMaterial(session, request);
    if (!material) return MISSING;
    if (isSymmetric(request.algorithm)) {
      const { locatorKey } = session.unsealed;
      return { ciphertext: sealBlob(locatorKey, blobKeyOf(material), canonicalContext(request.context), request.plaintext, drawing(session)) };
    }
    checkNoContext(request.context);
    const { publicKey } = rsaKeysOf(material);
    const hash = oaepHash(request.algorithm);
    const limit = oaepLimit(publicKey, hash);
    if (request.plaintext.byteLength > limit) throw invalid(`\`${request.algorithm}\` with this key encrypts at most ${String(limit)} bytes`);
    return { ciphertext: encryptOaep(hash, publicKey, request.plaintext) };
  },

  decrypt(session, request) {
    const material = namedMaterial(session, request);
    if (!material) return MISSING;
    if (isSymmetric(request.algorithm)) {
      return { plaintext: openBlob(session.unsealed.locatorKey, blobKeyOf(material), canonicalContext(request.context), request.ciphertext) };
    }
    checkNoContext(request.context);
    const plaintext = decryptOaep(oaepHash(request.algorithm), rsaKeysOf(material).privateKey, request.ciphertext);
    if (!plaintext) throw invalidCiphertext();
    return { plaintext };
  },

  generateDataKey(session, { key, keyId, length, context }) {
    checkLength(length, DATA_KEY_LIMIT, 'a data key');
    const material = namedMaterial(session, { key, keyId, algorithm: 'SYMMETRIC_DEFAULT' });
    if (!material) return MISSING;
    const blobKey = blobKeyOf(material);
    const canonical = canonicalContext(context);
    const plaintext = session.random.bytes(length);
    return { plaintext, ciphertext: sealBlob(session.unsealed.locatorKey, blobKey, canonical, plaintext, drawing(session)) };
  },

  async sign(session, { key, purpose, algorithm, message, digest }) {
    const material = materialOf(session, key);
    if (!material) return MISSING;
    if (material.purpose !== purpose) throw wrongUse(`the key is for \`${material.purpose}\`, not for \`${purpose}\``);
    const input = { message, digest };
    const scheme = signatureScheme(material.spec, algorithm, input);
    try {
      return { signature: await scheme.sign(material.key, algorithm, input, drawing(session)) };
    } catch (error) {
      throw error instanceof VaultError ? error : new VaultError('KMSInternalException', `\`${algorithm}\` failed with this key: try again`);
    }
  },

  verify(_session, { publicKey, spec, algorithm, message, digest, signature }) {
    if (!isSpec(spec)) throw invalid('unknown key spec');
    const input = { message, digest };
    return { valid: signatureScheme(spec, algorithm, input).verify(spec, publicKey, algorithm, input, signature) };
  },

  mac(session, request) {
    const found = macKey(session, request);
    return found ? { mac: hmac(found.hash, found.secret, request.message) } : MISSING;
  },

  verifyMac(session, request) {
    const found = macKey(session, request);
    return found ? { valid: verifyHmac(found.hash, found.secret, request.mac, request.message) } : MISSING;
  },

  forget(session, { rowId }) {
    materialsOf(session).forget(rowId);
    return {};
  },

  signCheckpoint: (session, { payload }) => signCheckpoint(session.unsealed.checkpointSeed, payload),

  checkpointKeys: (session) => ({ publicKeys: session.unsealed.checkpointSeeds.map(checkpointPublicKey) }),
};
