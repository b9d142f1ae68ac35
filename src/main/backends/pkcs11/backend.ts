/**
 * Keys that a token holds, behind the same port as those of the vault; every other key goes on to the software backend.
 *
 * Defends against: a wrong signature that leaves (each is verified with the public key first), a ciphertext moved to another key (the
 * token's wrapping binds key and material), a padding oracle. Does not: fall back to software. In a cluster a second token may sign where the first did not answer.
 */
import { constants, createHash, createPublicKey, publicEncrypt, timingSafeEqual } from 'node:crypto';
import { algorithmOf, keySpecOf, type Algorithm } from '../../../shared/model/algorithms.ts';
import { invalidCiphertext, VaultError } from '../../../shared/model/errors.ts';
import { SecretBytes } from '../../../shared/model/secret-bytes.ts';
import { allocate, concat, copy, fromHex, hex, lp, utf8, wipe } from '../../crypto/bytes.ts';
import { DIGEST_INFO, readSpki, writeEcdsaSignature } from '../../crypto/der.ts';
import type { Attempt, HardwareRef, KeyBackend, KeyHandle } from '../../keyring/ports.ts';
import type { Random } from '../../platform/ports.ts';
import type { MessageKey, Sealer } from '../../seal/protocol.ts';
import type { Answer } from './client.ts';
import { CKM } from './cryptoki.ts';
import { hasReturned, nameToken, UNOPENED, UNSUPPORTED } from './errors.ts';
import { signingUse, usable, type Offer } from './mechanisms.ts';
import { padded, unpadOaep } from './oaep.ts';
import type { CallName, RequestOf, TokenName, Use } from './protocol.ts';

/** Tokens as this backend needs them. `P`: where a token is. */
export interface TokenAccess<P extends { readonly token: TokenName }> {
  /** Has one of the store's tokens do it, and another where it does not answer. KMSInvalidStateException for a key store that is not connected. */
  use<T>(store: string, work: (place: P) => Promise<T>, attempted?: (attempt: Attempt) => void): Promise<T>;
  ask<C extends CallName>(place: P, name: C, request: RequestOf<C>, parts?: readonly Uint8Array[]): Promise<Answer<C>>;
  offer(place: P): Promise<Offer>;
}

export interface TokenBackendPorts<P extends { readonly token: TokenName }> {
  readonly software: KeyBackend;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly tokens: TokenAccess<P>;
}

type Handle = KeyHandle<never> | Parameters<KeyBackend['sign']>[0] | Parameters<KeyBackend['encrypt']>[0] | Parameters<KeyBackend['mac']>[0] | Parameters<KeyBackend['deriveSharedSecret']>[0];

const IV = 12;
const KEY = 32;
/** Key and tag. */
const WRAPPED = 48;

const WRAP_LABEL = utf8('keystead/token-wrap/v1');

const bytesOf = <T>(message: SecretBytes | Uint8Array, use: (bytes: Uint8Array) => T): T => (message instanceof SecretBytes ? message.borrow(use) : use(message));
const faulty = (token: TokenName, what: string): VaultError => new VaultError('KMSInternalException', `${nameToken(token)} ${what}; see to the token, and do not trust it until you know why`);

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
  /** Ids of keys that opened what they had wrapped, by connection. */
  const opened = new WeakMap<P, Set<string>>();

  interface At {
    readonly place: P;
    readonly offer: Offer;
    readonly request: { readonly token: TokenName; readonly id: string };
  }

  const on = <T>(key: Handle & { readonly hardware: HardwareRef }, algorithm: Algorithm, work: (at: At) => Promise<T>): Promise<T> =>
    tokens.use(
      key.hardware.store,
      async (place) => {
        const offer = await tokens.offer(place);
        if (!usable(offer, key.spec, algorithmOf(algorithm).usage).includes(algorithm)) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} does not offer \`${algorithm}\`; see \`keystead hardware list-mechanisms\``);
        return work({ place, offer, request: { token: place.token, id: key.hardware.id } });
      },
      key.attempted,
    );

  const only = (parts: readonly Uint8Array[], token: TokenName): Uint8Array => {
    const [part] = parts;
    if (!part || parts.length !== 1) throw faulty(token, 'left out what was asked for');
    return part;
  };

  const isOnToken = <H extends Handle>(key: H): key is H & { readonly hardware: HardwareRef } => key.hardware !== undefined;

  const publicKeyOf = (key: Handle): Uint8Array => {
    if (!key.publicKey) throw new VaultError('KMSInternalException', 'the key has no public key');
    return key.publicKey;
  };

  /** What the token binds to a message key that it wraps. */
  const wrapAad = (keyId: string, materialId: string): string => hex(concat(WRAP_LABEL, lp(utf8(keyId)), fromHex(materialId)));

  /**
   * Has the token unwrap what it has wrapped, the first time that a key wraps after its store was connected: a ciphertext that nobody could
   * open must not leave. Throws KMSInternalException.
   */
  async function assertOpens(place: P, request: { readonly token: TokenName; readonly id: string }, use: Use, { messageKey, wrapped }: Pick<MessageKey, 'messageKey'> & { readonly wrapped: Uint8Array }): Promise<void> {
    const known = opened.get(place) ?? new Set<string>();
    opened.set(place, known);
    if (known.has(request.id)) return;
    const wrong = (): VaultError => faulty(place.token, 'does not open what it has wrapped, which was withheld');
    const { parts } = await tokens.ask(place, 'decrypt', { ...request, use }, [wrapped]).catch((error: unknown) => { throw hasReturned(error, UNOPENED) ? wrong() : error; });
    const same = only(parts, place.token);
    const isRight = same.byteLength === messageKey.byteLength && timingSafeEqual(same, messageKey);
    wipe(same);
    if (!isRight) throw wrong();
    known.add(request.id);
  }

  /** A fresh message key, wrapped; the caller wipes `messageKey`. The IV is ours: a token's own may repeat. */
  async function newMessageKey(key: Handle & { readonly hardware: HardwareRef }): Promise<MessageKey> {
    return on(key, 'SYMMETRIC_DEFAULT', async ({ place, request }) => {
      const [materialId = ''] = key.materials;
      const messageKey = random.bytes(KEY);
      const iv = random.bytes(IV);
      const use: Use = { mechanism: CKM.AES_GCM, kind: 'gcm', iv: hex(iv), aad: wrapAad(key.keyId, materialId) };
      const { parts } = await tokens.ask(place, 'encrypt', { ...request, use }, [messageKey]);
      const wrapped = only(parts, place.token);
      if (wrapped.byteLength !== WRAPPED) throw faulty(place.token, 'wrapped a key to another length');
      await assertOpens(place, request, use, { messageKey, wrapped });
      return { materialId: fromHex(materialId), messageKey, wrapped: concat(iv, wrapped) };
    });
  }

  /** The message key in a ciphertext. InvalidCiphertextException, nothing finer; IncorrectKeyException. */
  async function messageKeyIn(key: Handle & { readonly hardware: HardwareRef }, ciphertext: Uint8Array): Promise<MessageKey> {
    const { materialId, wrapped } = await sealer.call('locate', { ciphertext });
    if (!key.materials.includes(hex(materialId))) throw new VaultError('IncorrectKeyException', `the ciphertext was not made by key \`${key.keyId}\``);
    if (!wrapped) throw invalidCiphertext();
    return on(key, 'SYMMETRIC_DEFAULT', async ({ place, request }) => {
      const use: Use = { mechanism: CKM.AES_GCM, kind: 'gcm', iv: hex(wrapped.subarray(0, IV)), aad: wrapAad(key.keyId, hex(materialId)) };
      const { parts } = await tokens.ask(place, 'decrypt', { ...request, use }, [wrapped.subarray(IV)]).catch((error: unknown) => { throw hasReturned(error, UNOPENED) ? invalidCiphertext() : error; });
      const messageKey = only(parts, place.token);
      if (messageKey.byteLength !== KEY) throw invalidCiphertext();
      return { materialId, messageKey, wrapped };
    });
  }

  async function withMessageKey<T>(made: Promise<MessageKey>, run: (key: MessageKey) => Promise<T>): Promise<T> {
    const key = await made;
    try {
      return await run(key);
    } finally {
      wipe(key.messageKey);
    }
  }

  /** RSA with OAEP. SHA-256 from raw RSA where the token's own knows SHA-1 only; the padding is then checked here. */
  const decryptRsa = (key: Handle & { readonly hardware: HardwareRef }, algorithm: Algorithm, ciphertext: Uint8Array): Promise<SecretBytes> => on(key, algorithm, (at) => decryptRsaAt(at, key, algorithm, ciphertext));

  async function decryptRsaAt({ place, offer, request }: At, key: Handle, algorithm: Algorithm, ciphertext: Uint8Array): Promise<SecretBytes> {
    const hash = algorithmOf(algorithm).hash === 'sha256' ? 'sha256' : 'sha1';
    const size = keySpecOf(key.spec).bits / 8;
    if (ciphertext.byteLength !== size) throw invalidCiphertext();
    const token = `${place.token.serial}\n${place.token.label}`;
    const ask = async (use: Use): Promise<Uint8Array> => only((await tokens.ask(place, 'decrypt', { ...request, use }, [ciphertext])).parts, place.token);
    try {
      if (offer.has(CKM.RSA_PKCS_OAEP) && !(hash === 'sha256' && sha1Only.has(token))) {
        try {
          return SecretBytes.take(await ask({ mechanism: CKM.RSA_PKCS_OAEP, kind: 'oaep', hash }));
        } catch (error) {
          if (hash === 'sha1' || !hasReturned(error, UNSUPPORTED)) throw error;
          sha1Only.add(token);
        }
      }
      if (!offer.has(CKM.RSA_X_509)) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} does not offer \`${algorithm}\`: it has OAEP with SHA-1 only, and no raw RSA`);
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

  const macOf = async (key: Handle & { readonly hardware: HardwareRef }, algorithm: Algorithm, message: SecretBytes | Uint8Array): Promise<Uint8Array> => {
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
      return withMessageKey(newMessageKey(key), async (messageKey) => {
        const answer = await plaintext.borrow((bytes) => sealer.call('encrypt', { key: messageKey, keyId: key.keyId, algorithm, plaintext: bytes, context }));
        if (answer.missing) throw missing();
        return answer.ciphertext;
      });
    },

    async decrypt(key, request) {
      if (!isOnToken(key)) return software.decrypt(key, request);
      const { algorithm, ciphertext, context } = request;
      if (algorithm !== 'SYMMETRIC_DEFAULT') return decryptRsa(key, algorithm, ciphertext);
      return withMessageKey(messageKeyIn(key, ciphertext), async (messageKey) => {
        const answer = await sealer.call('decrypt', { key: messageKey, keyId: key.keyId, algorithm, ciphertext, context });
        if (answer.missing) throw missing();
        return SecretBytes.take(answer.plaintext);
      });
    },

    async generateDataKey(key, request) {
      if (!isOnToken(key)) return software.generateDataKey(key, request);
      return withMessageKey(newMessageKey(key), async (messageKey) => {
        const answer = await sealer.call('generateDataKey', { key: messageKey, keyId: key.keyId, ...request, reveal: true });
        if (answer.missing || !answer.plaintext) throw missing();
        return { plaintext: SecretBytes.take(answer.plaintext), ciphertext: answer.ciphertext };
      });
    },

    async generateDataKeyWithoutPlaintext(key, request) {
      if (!isOnToken(key)) return software.generateDataKeyWithoutPlaintext(key, request);
      return withMessageKey(newMessageKey(key), async (messageKey) => {
        const answer = await sealer.call('generateDataKey', { key: messageKey, keyId: key.keyId, ...request, reveal: false });
        if (answer.missing) throw missing();
        return answer.ciphertext;
      });
    },

    async generateDataKeyPair(key, request) {
      if (!isOnToken(key)) return software.generateDataKeyPair(key, request);
      return withMessageKey(newMessageKey(key), async (messageKey) => {
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
