/** `kms:` handlers that use a key. */
import { createHash } from 'node:crypto';
import { algorithmLists } from '../../shared/api/kms-keys.ts';
import { algorithmOf, type Algorithm } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { assertAllows, assertOffers, openFor } from '../keyring/key.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { encryptionUse, endDryRun, givenCiphertext, maxPlaintext, usedMaterial } from './use-checks.ts';

type Names = 'Encrypt' | 'Decrypt' | 'Sign' | 'Verify' | 'GenerateMac' | 'VerifyMac' | 'GetPublicKey';

type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU';
interface Signing {
  readonly SigningAlgorithm: Algorithm;
  readonly MessageType: MessageType;
  readonly Message: SecretBytes;
}

/** A message that is already hashed has the algorithm's length and form; RAW is refused where only digests are signed. Throws ValidationException. */
function isHashed({ SigningAlgorithm: algorithm, MessageType: type, Message: { length } }: Signing): boolean {
  const row = algorithmOf(algorithm);
  const form = row.digestForm ?? 'DIGEST';
  if (type === 'RAW') {
    if (row.digestOnly) throw new VaultError('ValidationException', `\`${algorithm}\` takes \`MessageType\` DIGEST: give the SHA-512 of the message`);
    return false;
  }
  if (row.digestLength === undefined) throw new VaultError('ValidationException', `\`${algorithm}\` takes \`MessageType\` RAW; for a digest use \`ED25519_PH_SHA_512\``);
  if (type !== form) throw new VaultError('ValidationException', `\`${algorithm}\` takes \`MessageType\` RAW or ${form}`);
  if (length !== row.digestLength) throw new VaultError('ValidationException', `with \`MessageType\` ${form} the message for \`${algorithm}\` must be ${String(row.digestLength)} bytes, not ${String(length)}`);
  return true;
}

/**
 * What the keyring signs. Ed25519ph has a hash of its own (RFC 8032 section 5.1), which AWS takes over the digest that it is given, so that
 * a message is hashed twice: once by the caller and once here.
 */
function signable(input: Signing): { readonly message: SecretBytes | Uint8Array; readonly digest: boolean } {
  const digest = isHashed(input);
  const { scheme } = algorithmOf(input.SigningAlgorithm);
  if (scheme !== 'ed25519ph') return { message: input.Message, digest };
  return { message: input.Message.borrow((bytes) => createHash('sha512').update(bytes).digest()), digest };
}

export const kmsUseHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:Encrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const algorithm = input.EncryptionAlgorithm;
    const { key: handle, context } = encryptionUse(key, algorithm, input.EncryptionContext, call.attempted);
    const limit = maxPlaintext(key.spec, algorithm);
    if (input.Plaintext.length > limit) return call.fail('ValidationException', `\`Plaintext\` must be at most ${String(limit)} bytes for ${key.spec} with \`${algorithm}\`; encrypt a data key instead`);
    endDryRun(input);
    const ciphertext = await keys.encrypt(handle, { algorithm, plaintext: input.Plaintext, context });
    return { CiphertextBlob: ciphertext, KeyId: keyArn(realm, key.keyId), EncryptionAlgorithm: algorithm };
  },

  'kms:Decrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const algorithm = input.EncryptionAlgorithm;
    const { key: handle, context } = encryptionUse(key, algorithm, input.EncryptionContext, call.attempted);
    endDryRun(input);
    const plaintext = await keys.decrypt(handle, { algorithm, ciphertext: givenCiphertext(input), context });
    return { KeyId: keyArn(realm, key.keyId), Plaintext: plaintext, EncryptionAlgorithm: algorithm, KeyMaterialId: usedMaterial(key, call.resource.materialId) };
  },

  'kms:Sign': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY', call.attempted);
    assertOffers(key, input.SigningAlgorithm);
    const signed = signable(input);
    endDryRun(input);
    const signature = await keys.sign(handle, { algorithm: input.SigningAlgorithm, ...signed });
    return { KeyId: keyArn(realm, key.keyId), Signature: signature, SigningAlgorithm: input.SigningAlgorithm };
  },

  'kms:Verify': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY', call.attempted);
    assertOffers(key, input.SigningAlgorithm);
    const signed = signable(input);
    endDryRun(input);
    const valid = await keys.verify(handle, { algorithm: input.SigningAlgorithm, ...signed, signature: input.Signature });
    if (!valid) return call.fail('KMSInvalidSignatureException', 'the signature does not fit this message, key and algorithm');
    return { KeyId: keyArn(realm, key.keyId), SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },

  'kms:GenerateMac': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'GENERATE_VERIFY_MAC', call.attempted);
    assertOffers(key, input.MacAlgorithm);
    endDryRun(input);
    return { Mac: await keys.mac(handle, { algorithm: input.MacAlgorithm, message: input.Message }), MacAlgorithm: input.MacAlgorithm, KeyId: keyArn(realm, key.keyId) };
  },

  'kms:VerifyMac': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'GENERATE_VERIFY_MAC', call.attempted);
    assertOffers(key, input.MacAlgorithm);
    endDryRun(input);
    const valid = await keys.verifyMac(handle, { algorithm: input.MacAlgorithm, message: input.Message, mac: input.Mac });
    if (!valid) return call.fail('KMSInvalidMacException', 'the MAC does not fit this message and key');
    return { KeyId: keyArn(realm, key.keyId), MacValid: true, MacAlgorithm: input.MacAlgorithm };
  },

  'kms:GetPublicKey': (_input, call, { realm }) => {
    const key = keyOf(call.resource);
    assertAllows(key, 'use');
    if (key.publicKey === undefined) return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` is symmetric: it has no public key`);
    return {
      KeyId: keyArn(realm, key.keyId),
      PublicKey: Buffer.from(key.publicKey, 'base64'),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      ...algorithmLists(key.spec, key.usage, key.hardware !== undefined),
    };
  },
});
