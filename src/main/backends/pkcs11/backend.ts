/**
 * Keys that a token holds, behind the same port as those of the vault; every other key goes on to the software backend.
 *
 * Defends against: a wrong signature that leaves (each is verified with the public key first), a padding oracle; for messages under a symmetric
 * key see `message-keys.ts`. Does not: fall back to software. In a cluster a second token may sign where the first did not answer.
 */
import { constants, createHash, createPublicKey, publicEncrypt, timingSafeEqual } from 'node:crypto';
import { algorithmOf, keySpecOf, type Algorithm } from '../../../shared/model/algorithms.ts';
import { invalidCiphertext, VaultError } from '../../../shared/model/errors.ts';
import { SecretBytes } from '../../../shared/model/secret-bytes.ts';
import { allocate, concat, copy, wipe } from '../../crypto/bytes.ts';
import { DIGEST_INFO, readSpki, writeEcdsaSignature } from '../../crypto/der.ts';
import type { HardwareRef, KeyBackend } from '../../keyring/ports.ts';
import type { Random } from '../../platform/ports.ts';
import type { Sealer } from '../../seal/protocol.ts';
import { CKF, CKM } from './cryptoki.ts';
import { hasReturned, nameToken, UNOPENED, UNSUPPORTED } from './errors.ts';
import { does, signingUse } from './mechanisms.ts';
import { createMessageKeys } from './message-keys.ts';
import { padded, unpadOaep } from './oaep.ts';
import { keyOf, type TokenName, type Use } from './protocol.ts';
import { faulty, only, onTokens, type At, type Handle, type TokenAccess, type TokenHandle } from './token-access.ts';

export interface TokenBackendPorts<P extends { readonly token: TokenName }> {
  readonly software: KeyBackend;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly tokens: TokenAccess<P>;
}

const bytesOf = <T>(message: SecretBytes | Uint8Array, use: (bytes: Uint8Array) => T): T => (message instanceof SecretBytes ? message.borrow(use) : use(message));

/** What the token gets to sign: a digest, a DigestInfo (RFC 8017 section 9.2), or the message itself. The caller's to wipe. */
function toSign(algorithm: Algorithm, message: SecretBytes | Uint8Array, isDigest: boolean): Uint8Array {
  const { scheme, hash } = algorithmOf(algorithm);
  return bytesOf(message, (bytes) => {
    if (scheme === 'ed25519' || hash === undefined) return copy(bytes);
    const digest = isDigest ? bytes : createHash(hash).update(bytes).digest();
    return scheme === 'pkcs1' && (hash === 'sha256' || hash === 'sha384' || hash === 'sha512') ? concat(DIGEST_INFO[hash], digest) : copy(digest);
  });
}

export function createTokenBackend<P extends { readonly token: TokenName }>({ software, sealer, random, tokens }: TokenBackendPorts<P>): KeyBackend {
  /** Tokens whose own OAEP knows SHA-1 only, found out by asking. */
  const sha1Only = new Set<string>();
  const on = onTokens(tokens);
  const messageKeys = createMessageKeys({ sealer, random, tokens, on });

  const isOnToken = <H extends Handle>(key: H): key is H & { readonly hardware: HardwareRef } => key.hardware !== undefined;

  const publicKeyOf = (key: Handle): Uint8Array => {
    if (!key.publicKey) throw new VaultError('KMSInternalException', 'the key has no public key');
    return key.publicKey;
  };

  /** RSA with OAEP. SHA-256 from raw RSA where the token's own knows SHA-1 only; the padding is then checked here. */
  const decryptRsa = (key: TokenHandle, algorithm: Algorithm, ciphertext: Uint8Array): Promise<SecretBytes> => on(key, algorithm, (at) => decryptRsaAt(at, key, algorithm, ciphertext));

  async function decryptRsaAt({ place, offer, request }: At<P>, key: Handle, algorithm: Algorithm, ciphertext: Uint8Array): Promise<SecretBytes> {
    const hash = algorithmOf(algorithm).hash === 'sha256' ? 'sha256' : 'sha1';
    const size = keySpecOf(key.spec).bits / 8;
    if (ciphertext.byteLength !== size) throw invalidCiphertext();
    const token = keyOf(place.token);
    const own = does(offer, CKM.RSA_PKCS_OAEP, CKF.DECRYPT);
    const ask = async (use: Use): Promise<Uint8Array> => only((await tokens.ask(place, 'decrypt', { ...request, use }, [ciphertext])).parts, place.token);
    try {
      if (own && !(hash === 'sha256' && sha1Only.has(token))) {
        try {
          return SecretBytes.take(await ask({ mechanism: CKM.RSA_PKCS_OAEP, kind: 'oaep', hash }));
        } catch (error) {
          if (hash === 'sha1' || !hasReturned(error, UNSUPPORTED)) throw error;
          sha1Only.add(token);
        }
      }
      if (!does(offer, CKM.RSA_X_509, CKF.DECRYPT)) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} does not offer \`${algorithm}\`: ${own ? 'it has OAEP with SHA-1 only, and no raw RSA; use `RSAES_OAEP_SHA_1`, or' : 'it decrypts with neither OAEP nor raw RSA; use'} a key in another token`);
      const block = await ask({ mechanism: CKM.RSA_X_509, kind: 'plain' });
      const raw = padded(block, size);
      wipe(block);
      const plaintext = raw && unpadOaep(hash, raw);
      if (!plaintext) throw invalidCiphertext();
      return SecretBytes.take(plaintext);
    } catch (error) {
      throw hasReturned(error, UNOPENED) ? invalidCiphertext() : error;
    }
  }

  const publicOaep = (key: Handle, algorithm: Algorithm, plaintext: Uint8Array): Uint8Array => {
    const publicKey = createPublicKey({ key: Buffer.from(publicKeyOf(key)), format: 'der', type: 'spki' });
    return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: algorithmOf(algorithm).hash ?? 'sha1' }, plaintext);
  };

  const macOf = async (key: TokenHandle, algorithm: Algorithm, message: SecretBytes | Uint8Array): Promise<Uint8Array> => {
    const data = bytesOf(message, copy);
    try {
      return await on(key, algorithm, async ({ place, request }) => only((await tokens.ask(place, 'sign', { ...request, use: signingUse(algorithm) }, [data])).parts, place.token));
    } finally {
      wipe(data);
    }
  };

  const missing = (): VaultError => new VaultError('KMSInternalException', 'the sealer left out what was asked for; report this as a fault');

  const backend: KeyBackend = {
    ...software,

    async sign(key, request) {
      if (!isOnToken(key)) return software.sign(key, request);
      const { algorithm, message, digest } = request;
      const data = toSign(algorithm, message, digest);
      try {
        return await on(key, algorithm, async ({ place, request: target }) => {
          const raw = only((await tokens.ask(place, 'sign', { ...target, use: signingUse(algorithm) }, [data])).parts, place.token);
          const signature = algorithmOf(algorithm).scheme === 'ecdsa' ? writeEcdsaSignature(raw) : copy(raw);
          // INVARIANT: before it leaves. A token's fault, or a lie, may give the private key away.
          if (!(await software.verify(key, { algorithm, message, digest, signature }))) throw faulty(place.token, 'made a signature that is wrong, which was withheld');
          return signature;
        });
      } finally {
        wipe(data);
      }
    },

    async encrypt(key, request) {
      if (!isOnToken(key)) return software.encrypt(key, request);
      const { algorithm, plaintext, context } = request;
      if (algorithm !== 'SYMMETRIC_DEFAULT') return plaintext.borrow((bytes) => publicOaep(key, algorithm, bytes));
      return messageKeys.use(messageKeys.fresh(key), async (messageKey) => {
        const answer = await plaintext.borrow((bytes) => sealer.call('encrypt', { key: messageKey, keyId: key.keyId, algorithm, plaintext: bytes, context }));
        if (answer.missing) throw missing();
        return answer.ciphertext;
      });
    },

    async decrypt(key, request) {
      if (!isOnToken(key)) return software.decrypt(key, request);
      const { algorithm, ciphertext, context } = request;
      if (algorithm !== 'SYMMETRIC_DEFAULT') return decryptRsa(key, algorithm, ciphertext);
      return messageKeys.use(messageKeys.within(key, ciphertext), async (messageKey) => {
        const answer = await sealer.call('decrypt', { key: messageKey, keyId: key.keyId, algorithm, ciphertext, context });
        if (answer.missing || !answer.plaintext) throw missing();
        return SecretBytes.take(answer.plaintext);
      });
    },

    async generateDataKey(key, request) {
      if (!isOnToken(key)) return software.generateDataKey(key, request);
      return messageKeys.use(messageKeys.fresh(key), async (messageKey) => {
        const answer = await sealer.call('generateDataKey', { key: messageKey, keyId: key.keyId, ...request, reveal: true });
        if (answer.missing || !answer.plaintext) throw missing();
        return { plaintext: SecretBytes.take(answer.plaintext), ciphertext: answer.ciphertext };
      });
    },

    async generateDataKeyWithoutPlaintext(key, request) {
      if (!isOnToken(key)) return software.generateDataKeyWithoutPlaintext(key, request);
      return messageKeys.use(messageKeys.fresh(key), async (messageKey) => {
        const answer = await sealer.call('generateDataKey', { key: messageKey, keyId: key.keyId, ...request, reveal: false });
        if (answer.missing) throw missing();
        return answer.ciphertext;
      });
    },

    async generateDataKeyPair(key, request) {
      if (!isOnToken(key)) return software.generateDataKeyPair(key, request);
      return messageKeys.use(messageKeys.fresh(key), async (messageKey) => {
        const answer = await sealer.call('generateDataKeyPair', { key: messageKey, keyId: key.keyId, ...request });
        if (answer.missing) throw missing();
        const { privateKey, ciphertext, publicKey } = answer;
        return { ...(privateKey ? { privateKey: SecretBytes.take(privateKey) } : {}), ciphertext, publicKey };
      });
    },

    async reEncrypt(source, ciphertext, destination) {
      if (!isOnToken(source.key) && !isOnToken(destination.key)) return software.reEncrypt(source, ciphertext, destination);
      using plaintext = await backend.decrypt(source.key, { algorithm: source.algorithm, ciphertext, context: source.context });
      return await backend.encrypt(destination.key, { algorithm: destination.algorithm, plaintext, context: destination.context });
    },

    async deriveSharedSecret(key, publicKey) {
      if (!isOnToken(key)) return software.deriveSharedSecret(key, publicKey);
      const { curve, bits } = keySpecOf(key.spec);
      const point = curve && isOnCurve(publicKey) ? readSpki(curve, publicKey) : undefined;
      if (!point) throw new VaultError('ValidationException', `\`PublicKey\` must be a public key of \`${key.spec}\` in DER (SubjectPublicKeyInfo)`);
      return on(key, 'ECDH', async ({ place, request }) => SecretBytes.take(copyOut(only((await tokens.ask(place, 'derive', { ...request, length: Math.ceil(bits / 8) }, [point])).parts, place.token))));
    },

    async mac(key, { algorithm, message }) {
      return isOnToken(key) ? copy(await macOf(key, algorithm, message)) : software.mac(key, { algorithm, message });
    },

    async verifyMac(key, { algorithm, message, mac }) {
      if (!isOnToken(key)) return software.verifyMac(key, { algorithm, message, mac });
      const right = await macOf(key, algorithm, message);
      return right.byteLength === mac.byteLength && timingSafeEqual(right, mac);
    },
  };
  return backend;
}

/** Copied out of the frame that it came in, which is wiped. */
function copyOut(part: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = allocate(part.byteLength);
  own.set(part);
  part.fill(0);
  return own;
}

/** OpenSSL and BoringSSL take no point that is not on the curve that its key names. */
function isOnCurve(spki: Uint8Array): boolean {
  try {
    createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return true;
  } catch {
    return false;
  }
}
