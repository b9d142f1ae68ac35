/**
 * RSA (RFC 8017) on node:crypto: OAEP, PKCS #1 v1.5 and PSS signatures, of messages and of digests.
 *
 * A signature is verified with the public key before it leaves: one computed wrongly (a flipped bit in memory is enough, with
 * the Chinese remainder theorem) gives the private key away. Measured cost for RSA-2048/3072/4096: 0.02/0.05/0.06 ms on top of
 * 0.26/1.9/3.5 ms of signing (8, 2.5 and 1.6 %); twice that for PSS over a digest.
 *
 * Messages are signed on a thread of libuv's pool; a digest is signed in the calling thread, because node:crypto has its raw private
 * operation (blinded by OpenSSL and BoringSSL) only there: up to 4 ms that the sealer's other callers wait.
 */
import { type KeyObject, constants, privateDecrypt, privateEncrypt, publicDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import { VaultError } from '../../../shared/model/errors.ts';
import { type Bytes, adopt, wipe } from '../../crypto/bytes.ts';
import { constantTimeEqual } from '../../crypto/equal.ts';
import { HASH_LENGTH } from '../../crypto/hmac.ts';
import { type SignatureHash, encodePkcs1, encodePss, verifyPss } from './emsa.ts';
import { publicKeyFrom } from './public-key.ts';

export type RsaPadding = 'pkcs1' | 'pss';

export interface RsaScheme {
  readonly padding: RsaPadding;
  readonly hash: SignatureHash;
}

const NATIVE = {
  pkcs1: () => ({ padding: constants.RSA_PKCS1_PADDING }),
  pss: (hash: SignatureHash) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: HASH_LENGTH[hash] }),
} as const satisfies Record<RsaPadding, (hash: SignatureHash) => object>;

/** Modulus length in bytes. */
export const modulusBytes = (key: KeyObject): number => (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;

/** A public RSA key of exactly `bits` from SubjectPublicKeyInfo DER; undefined for any other key. */
export function rsaPublicKey(spki: Uint8Array, bits: number): KeyObject | undefined {
  try {
    const key = publicKeyFrom(spki);
    return key.asymmetricKeyType === 'rsa' && key.asymmetricKeyDetails?.modulusLength === bits ? key : undefined;
  } catch {
    return undefined;
  }
}

const signNative = (scheme: RsaScheme, key: KeyObject, message: Uint8Array): Promise<Buffer<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    sign(scheme.hash, message, { key, ...NATIVE[scheme.padding](scheme.hash) }, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });

function signDigest(scheme: RsaScheme, key: KeyObject, digested: Uint8Array, salt: () => Uint8Array): Buffer<ArrayBuffer> {
  const length = modulusBytes(key);
  const encoded = scheme.padding === 'pkcs1' ? encodePkcs1(scheme.hash, digested, length) : encodePss(scheme.hash, digested, salt(), length);
  try {
    return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
  } finally {
    wipe(encoded);
  }
}

/** A signature as long as the modulus. `salt` gives fresh bytes of the hash's length. KMSInternalException when it came out wrong. */
export async function signRsa(
  scheme: RsaScheme,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  message: Uint8Array,
  isDigest: boolean,
  salt: () => Uint8Array,
): Promise<Bytes> {
  const signature = isDigest ? signDigest(scheme, keys.privateKey, message, salt) : await signNative(scheme, keys.privateKey, message);
  if (!verifyRsa(scheme, keys.publicKey, message, isDigest, signature)) {
    wipe(signature);
    throw new VaultError('KMSInternalException', 'the signature came out wrong and was withheld: try again, and check this machine\'s memory if it recurs');
  }
  return adopt(signature);
}

/** Never throws: a signature of another length, a value over the modulus and any other malformation are false. */
export function verifyRsa(scheme: RsaScheme, key: KeyObject, message: Uint8Array, isDigest: boolean, signature: Uint8Array): boolean {
  const length = modulusBytes(key);
  if (signature.byteLength !== length) return false;
  try {
    if (!isDigest) return verify(scheme.hash, message, { key, ...NATIVE[scheme.padding](scheme.hash) }, signature);
    const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    // PKCS #1 v1.5 by encoding again and comparing (section 8.2.2): a parser of DigestInfo is what past forgeries went through.
    if (scheme.padding === 'pkcs1') return constantTimeEqual(encoded, encodePkcs1(scheme.hash, message, length));
    return verifyPss(scheme.hash, message, encoded);
  } catch {
    return false;
  }
}

export type OaepHash = 'sha1' | 'sha256';

/** Longest plaintext, bytes (section 7.1.1). */
export const oaepLimit = (key: KeyObject, hash: OaepHash): number => modulusBytes(key) - 2 * HASH_LENGTH[hash] - 2;

/** RSAES-OAEP, MGF1 with the same hash, empty label. The plaintext is at most `oaepLimit`. */
export const encryptOaep = (hash: OaepHash, key: KeyObject, plaintext: Uint8Array): Bytes =>
  adopt(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, plaintext));

/** Undefined for every failure alike; the library compares the padding in constant time (Manger's attack). */
export function decryptOaep(hash: OaepHash, key: KeyObject, ciphertext: Uint8Array): Bytes | undefined {
  if (ciphertext.byteLength !== modulusBytes(key)) return undefined;
  try {
    return adopt(privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, ciphertext));
  } catch {
    return undefined;
  }
}
