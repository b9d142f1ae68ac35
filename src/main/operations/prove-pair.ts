/**
 * Whether a public key is that of the key in the token: a token's CKA_ID is only a name that both objects carry.
 *
 * Defends against: a public object under the same id that somebody else put there, to read what is encrypted for it, or sign for it.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { keySpecOf, type Algorithm } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { openFor } from '../keyring/key.ts';
import type { KeyBackend, KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';

type Keys = Pick<KeyBackend, 'sign' | 'encrypt' | 'decrypt' | 'deriveSharedSecret'>;

const isSame = (a: SecretBytes, b: Uint8Array): boolean => a.borrow((bytes) => bytes.byteLength === b.byteLength && timingSafeEqual(bytes, b));

/** Refused or wrong is the same: it is not proven. What says that the token is gone, or does not offer it, stays what it is. */
const DISPROVEN: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'KMSInternalException']);

/**
 * Has the token use the private half of `record` with `algorithm`, and compares with its public half: a signature, a nonce, or a shared secret
 * with a fresh key. Throws UnsupportedOperationException where they are no pair.
 */
export async function provePair(keys: Keys, record: KeyRecord, publicKey: Uint8Array, algorithm: Algorithm, random: Random): Promise<void> {
  const proven = await PROOFS[record.usage as keyof typeof PROOFS](keys, record, publicKey, algorithm, random).catch((error: unknown) => {
    if (error instanceof VaultError && DISPROVEN.has(error.code)) return false;
    throw error;
  });
  if (!proven) throw new VaultError('UnsupportedOperationException', `the public key beside the key \`${record.hardware?.id ?? ''}\` is not its own; put the right one there with the tools of the token's vendor`);
}

type Proof = (keys: Keys, record: KeyRecord, publicKey: Uint8Array, algorithm: Algorithm, random: Random) => Promise<boolean>;

const PROOFS: Readonly<Record<'SIGN_VERIFY' | 'ENCRYPT_DECRYPT' | 'KEY_AGREEMENT', Proof>> = {
  // It is verified with the public key before it is given out.
  SIGN_VERIFY: async (keys, record, _publicKey, algorithm, random) => (await keys.sign(openFor(record, 'SIGN_VERIFY'), { algorithm, message: random.bytes(32), digest: false })).byteLength > 0,
  async ENCRYPT_DECRYPT(keys, record, _publicKey, algorithm, random) {
    const key = openFor(record, 'ENCRYPT_DECRYPT');
    const nonce = random.bytes(32);
    using plaintext = SecretBytes.copy(nonce);
    using opened = await keys.decrypt(key, { algorithm, ciphertext: await keys.encrypt(key, { algorithm, plaintext, context: {} }), context: {} });
    return isSame(opened, nonce);
  },
  async KEY_AGREEMENT(keys, record, publicKey) {
    const own = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    const fresh = generateKeyPairSync('ec', { namedCurve: own.asymmetricKeyDetails?.namedCurve ?? keySpecOf(record.spec).curve ?? '' });
    using secret = await keys.deriveSharedSecret(openFor(record, 'KEY_AGREEMENT'), fresh.publicKey.export({ format: 'der', type: 'spki' }));
    return isSame(secret, diffieHellman({ privateKey: fresh.privateKey, publicKey: own }));
  },
};
