/**
 * The sealer's calls that make data keys, and that move a ciphertext from one key to another without letting its plaintext out.
 *
 * Defends against: the plaintext of a data key, of a private key or of a re-encrypted ciphertext in a process that did not need it.
 * What it does not do: keep a data key, or know it again.
 */
import type { KeySpec } from '../../shared/model/algorithms.ts';
import { type Bytes, wipe } from '../crypto/bytes.ts';
import { writeEcPkcs8, writeEd25519Pkcs8 } from '../crypto/der.ts';
import { writeMlKemPkcs8 } from '../crypto/lattice-der.ts';
import { DATA_KEYS_MOST } from '../seal/protocol.ts';
import { MISSING, checkLength, decryptWith, encryptWith, invalid, namedMaterial } from './encryption.ts';
import { listOf } from './checks.ts';
import { type Generated, generateKey } from './generate.ts';
import { isSpec } from './material-format.ts';
import type { Handlers } from './session.ts';

/** AWS's limit for a data key. */
const DATA_KEY_LIMIT = 1024;
const SYMMETRIC = 'SYMMETRIC_DEFAULT';

/** The private half as others read it: PKCS #8 (RFC 5958). Makers that give that already need nothing. */
const PKCS8: Readonly<Partial<Record<KeySpec, (made: Generated, publicKey: Bytes) => Bytes>>> = {
  ECC_SECG_P256K1: ({ key }, publicKey) => writeEcPkcs8('secp256k1', key, publicKey),
  ECC_NIST_EDWARDS25519: ({ key }) => writeEd25519Pkcs8(key),
  ML_KEM_512: ({ key }) => writeMlKemPkcs8('ML_KEM_512', key),
  ML_KEM_768: ({ key }) => writeMlKemPkcs8('ML_KEM_768', key),
  ML_KEM_1024: ({ key }) => writeMlKemPkcs8('ML_KEM_1024', key),
};

export const dataKeyCalls: Handlers<'generateDataKey' | 'generateDataKeys' | 'generateDataKeyPair' | 'reEncrypt'> = {
  generateDataKey(session, { key, keyId, length, context, reveal }) {
    checkLength(length, DATA_KEY_LIMIT, 'a data key');
    const material = namedMaterial(session, { key, keyId, algorithm: SYMMETRIC });
    if (!material) return MISSING;
    const plaintext = session.random.bytes(length);
    const ciphertext = encryptWith(session, material, SYMMETRIC, context, plaintext);
    if (reveal) return { plaintext, ciphertext };
    wipe(plaintext);
    return { ciphertext };
  },

  generateDataKeys(session, { key, keyId, length, contexts }) {
    checkLength(length, DATA_KEY_LIMIT, 'a data key');
    if ('messageKey' in key) throw invalid('a message key is for one message');
    if (listOf(contexts, 'list of contexts').length > DATA_KEYS_MOST) throw invalid(`at most ${String(DATA_KEYS_MOST)} data keys are made at once`);
    const material = namedMaterial(session, { key, keyId, algorithm: SYMMETRIC });
    if (!material) return MISSING;
    const drawn = contexts.map((context) => ({ context, plaintext: session.random.bytes(length) }));
    try {
      return { keys: drawn.map(({ context, plaintext }) => ({ plaintext, ciphertext: encryptWith(session, material, SYMMETRIC, context, plaintext) })) };
    } catch (error) {
      wipe(...drawn.map(({ plaintext }) => plaintext));
      throw error;
    }
  },

  async generateDataKeyPair(session, { key, keyId, spec, context, reveal }) {
    if (!isSpec(spec)) throw invalid('unknown key spec');
    const named = { key, keyId, algorithm: SYMMETRIC } as const;
    if (!namedMaterial(session, named)) return MISSING;
    const made = await generateKey(session.random, spec);
    const { publicKey } = made;
    if (!publicKey) throw invalid(`a key of \`${spec}\` is no pair: choose an RSA, elliptic curve or ML-KEM spec`);
    const privateKey = PKCS8[spec]?.(made, publicKey) ?? made.key;
    if (privateKey !== made.key) wipe(made.key);
    // Asked for again: it may have been evicted meanwhile.
    const material = namedMaterial(session, named);
    const ciphertext = material && encryptWith(session, material, SYMMETRIC, context, privateKey);
    if (ciphertext && reveal) return { privateKey, ciphertext, publicKey };
    wipe(privateKey);
    return ciphertext ? { ciphertext, publicKey } : MISSING;
  },

  reEncrypt(session, { source, ciphertext, destination }) {
    const from = namedMaterial(session, source);
    const to = namedMaterial(session, destination);
    if (!from || !to) return MISSING;
    const plaintext = decryptWith(session, from, source.algorithm, source.context, ciphertext);
    try {
      return { ciphertext: encryptWith(session, to, destination.algorithm, destination.context, plaintext) };
    } finally {
      wipe(plaintext);
    }
  },
};
