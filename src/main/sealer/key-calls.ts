/**
 * The sealer's calls that make and use keys (protocol part "keys").
 *
 * Defends against: a key used for what it was not made for (spec, purpose and key id travel inside the material and are checked
 * here, not only in main); oracles (a failed decryption is one error); a wrong signature leaving. What it does not do: decide who
 * may use a key, check a key's state or usage beyond its spec (main does), or apply AWS's size limits for messages.
 *
 * Bytes in a request stay the caller's; bytes in a reply are off-heap and the receiver's to wipe.
 */
import { type Algorithm, algorithmOf } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, copy, wipe } from '../crypto/bytes.ts';
import { type HashName, hmac, verifyHmac } from '../crypto/hmac.ts';
import type { MaterialRef } from '../seal/protocol.ts';
import { agreementCalls } from './agreement-calls.ts';
import { locateBlob, wrappedIn } from './blob.ts';
import { checkpointPublicKey, signCheckpoint } from './checkpoint.ts';
import { dataKeyCalls } from './data-key-calls.ts';
import { ROW_ID_LENGTH } from './database.ts';
import { MISSING, checkLength, decryptWith, drawing, encryptWith, invalid, kmsMaterial, namedMaterial, otherMaterial, wrongUse } from './encryption.ts';
import { generateKey } from './generate.ts';
import { MATERIAL_ID_LENGTH, encodeMaterial, isPurpose, isSpec } from './material-format.ts';
import { materialOf, materialsOf } from './materials.ts';
import { signatureScheme } from './schemes.ts';
import type { Handlers, Session } from './session.ts';

/** Above what any caller asks for; a bound, so that one frame cannot take the process's memory. */
const RANDOM_LIMIT = 65_536;
/** The HMAC key of a material, and the hash; undefined when it is missing. */
function macKey(session: Session, request: { readonly key: MaterialRef; readonly algorithm: Algorithm }): { readonly hash: HashName; readonly secret: Bytes } | undefined {
  const material = kmsMaterial(session, request.key, 'GENERATE_VERIFY_MAC', request.algorithm);
  if (!material) return undefined;
  const { hash } = algorithmOf(request.algorithm);
  if (material.key.family !== 'hmac' || hash === undefined) throw wrongUse('the key is not an HMAC key');
  return { hash, secret: material.key.secret };
}

export const keyCalls: Handlers<
  | 'random'
  | 'generateMaterial'
  | 'locate'
  | 'encrypt'
  | 'decrypt'
  | 'generateDataKey'
  | 'generateDataKeys'
  | 'generateDataKeyPair'
  | 'reEncrypt'
  | 'sign'
  | 'verify'
  | 'mac'
  | 'verifyMac'
  | 'deriveSharedSecret'
  | 'encapsulate'
  | 'decapsulate'
  | 'forget'
  | 'signCheckpoint'
  | 'checkpointKeys'
> = {
  ...dataKeyCalls,
  ...agreementCalls,

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

  locate(session, { ciphertext }) {
    const materialId = locateBlob(session.unsealed.locatorKey, ciphertext);
    const wrapped = wrappedIn(ciphertext);
    return { materialId, ...(wrapped ? { wrapped: copy(wrapped) } : {}) };
  },

  encrypt(session, request) {
    const material = namedMaterial(session, request);
    return material ? { ciphertext: encryptWith(session, material, request.algorithm, request.context, request.plaintext) } : MISSING;
  },

  decrypt(session, request) {
    const material = namedMaterial(session, request);
    const other = material && !('messageKey' in request.key) ? otherMaterial(session, material, request.algorithm, request.ciphertext) : undefined;
    if (other) return { other };
    return material ? { plaintext: decryptWith(session, material, request.algorithm, request.context, request.ciphertext) } : MISSING;
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
