/**
 * The sealer's calls that take key material in (protocol part "import").
 *
 * Defends against: an oracle (a material that does not unwrap is one error, whatever the reason); a wrapping key or a material in
 * the clear outside of this process. Does not: decide whether the key wants this material; main does, by its identity.
 */
import { createPrivateKey, generateKeyPair } from 'node:crypto';
import { keySpecOf } from '../../shared/model/algorithms.ts';
import { WRAPPING_ALGORITHM_NAMES, WRAPPING_KEY_SPECS, wrappingOf } from '../../shared/model/wrapping.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, adopt, lp, utf8, wipe } from '../crypto/bytes.ts';
import { hmac } from '../crypto/hmac.ts';
import { hkdf } from '../crypto/kdf.ts';
import { unwrapKwp } from '../crypto/key-wrap.ts';
import { LABELS } from '../seal/labels.ts';
import { bufferOver } from './algorithms/buffer-over.ts';
import { decryptOaep, modulusBytes } from './algorithms/rsa.ts';
import { bytesOf, bytesUpTo, oneOf, wholeNumber } from './checks.ts';
import { ROW_ID_LENGTH } from './database.ts';
import { type ImportToken, openImportToken, sealImportToken } from './import-token.ts';
import { hasPrimes, notMaterial, readImported } from './import-material.ts';
import { encodeMaterial, isPurpose, isSpec, MATERIAL_ID_LENGTH } from './material-format.ts';
import type { Handlers, Session } from './session.ts';

const TOKEN_LIMIT = 6144;
const WRAPPED_LIMIT = 6144;
const NO_SALT = utf8('');

interface WrappingKey {
  readonly publicKey: Bytes;
  /** PKCS #8 DER, off-heap. */
  readonly privateKey: Bytes;
}

const newWrappingKey = (bits: number): Promise<WrappingKey> =>
  new Promise((resolve, reject) => {
    generateKeyPair('rsa', { modulusLength: bits, publicExponent: 65537, privateKeyEncoding: { type: 'pkcs8', format: 'der' }, publicKeyEncoding: { type: 'spki', format: 'der' } }, (error, publicKey, privateKey) => {
      if (error) reject(new VaultError('KMSInternalException', 'a wrapping key could not be made: try again'));
      else resolve({ publicKey: adopt(publicKey), privateKey: adopt(privateKey) });
    });
  });

/** The material, the caller's to wipe. InvalidCiphertextException for every failure alike. */
function unwrap({ algorithm, privateKey }: ImportToken, wrapped: Uint8Array): Bytes {
  const { hash, aes } = wrappingOf(algorithm);
  const key = createPrivateKey({ key: bufferOver(privateKey), format: 'der', type: 'pkcs8' });
  const inner = decryptOaep(hash, key, aes ? wrapped.subarray(0, modulusBytes(key)) : wrapped);
  const material = inner && aes ? unwrapKwp(inner, wrapped.subarray(modulusBytes(key))) : inner;
  if (aes) wipe(inner);
  if (!material) throw new VaultError('InvalidCiphertextException', 'the key material does not unwrap: check that it is whole, and wrapped by the algorithm and key that came with this token');
  return material;
}

/** 32 bytes: which material this is, for this key. Keyed, so that a guess at a material cannot be checked against what main keeps. */
function identityOf(session: Session, keyId: string, spec: string, key: Uint8Array): Bytes {
  const identityKey = hkdf('sha512', session.unsealed.locatorKey, NO_SALT, LABELS.importedMaterial, 32);
  const part = lp(key);
  try {
    return hmac('sha256', identityKey, lp(utf8(keyId)), lp(utf8(spec)), part);
  } finally {
    wipe(identityKey, part);
  }
}

export const importCalls: Handlers<'importParameters' | 'importMaterial'> = {
  async importParameters(session, request) {
    const algorithm = oneOf(request.algorithm, WRAPPING_ALGORITHM_NAMES, 'wrapping algorithm');
    const { bits } = keySpecOf(oneOf(request.spec, WRAPPING_KEY_SPECS, 'wrapping key spec'));
    const validTo = wholeNumber(request.validTo, 0, 'time');
    const { binding } = request;
    const { publicKey, privateKey } = await newWrappingKey(bits);
    try {
      return { publicKey, token: sealImportToken(session, { validTo, binding, algorithm, privateKey }) };
    } finally {
      wipe(privateKey);
    }
  },

  async importMaterial(session, request) {
    const { spec, purpose, keyId, binding } = request;
    const rowId = bytesOf(request.rowId, ROW_ID_LENGTH, 'row id');
    if (!isSpec(spec) || !isPurpose(purpose) || keyId === '') throw new VaultError('ValidationException', 'a key material has a key id, a known spec and a known purpose');
    const token = openImportToken(session, bytesUpTo(request.token, TOKEN_LIMIT, 'import token'), binding, wholeNumber(request.now, 0, 'time'));
    let given: Bytes | undefined;
    let key: Bytes | undefined;
    let plain: Bytes | undefined;
    try {
      given = unwrap(token, bytesUpTo(request.wrapped, WRAPPED_LIMIT, 'wrapped material'));
      const read = readImported(spec, given);
      key = read.key;
      if (keySpecOf(spec).family === 'rsa' && !(await hasPrimes(given))) throw notMaterial(spec);
      const identity = identityOf(session, keyId, spec, key);
      plain = encodeMaterial({ spec, purpose, keyId, materialId: identity.subarray(0, MATERIAL_ID_LENGTH), key });
      return { identity, ...session.unsealed.sealMaterial(rowId, plain), ...(read.publicKey ? { publicKey: read.publicKey } : {}) };
    } finally {
      wipe(token.privateKey, given, key, plain);
    }
  },
};
