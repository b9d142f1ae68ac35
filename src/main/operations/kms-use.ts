/** `kms:` handlers that use a key. */
import { algorithmLists } from '../../shared/api/kms-keys.ts';
import { algorithmOf, type Algorithm } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn } from '../../shared/model/ids.ts';
import { assertAllows, assertOffers, openFor } from '../keyring/key.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { encryptionUse, endDryRun, maxPlaintext } from './use-checks.ts';

type Names = 'Encrypt' | 'Decrypt' | 'Sign' | 'Verify' | 'GenerateMac' | 'VerifyMac' | 'GetPublicKey';

/** A digest has the algorithm's length; RAW is refused where only digests are signed. Throws ValidationException. */
function digestFlag(algorithm: Algorithm, type: 'RAW' | 'DIGEST', length: number): boolean {
  const row = algorithmOf(algorithm);
  if (type === 'RAW') {
    if (row.digestOnly) throw new VaultError('ValidationException', `\`${algorithm}\` takes \`MessageType\` DIGEST: give the SHA-512 of the message`);
    return false;
  }
  if (row.digestLength === undefined) throw new VaultError('ValidationException', `\`${algorithm}\` takes \`MessageType\` RAW; for a digest use \`ED25519_PH_SHA_512\``);
  if (length !== row.digestLength) throw new VaultError('ValidationException', `the digest for \`${algorithm}\` must be ${String(row.digestLength)} bytes, not ${String(length)}`);
  return true;
}

export const kmsUseHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:Encrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const algorithm = input.EncryptionAlgorithm;
    const { key: handle, context } = encryptionUse(key, algorithm, input.EncryptionContext);
    const limit = maxPlaintext(key.spec, algorithm);
    if (input.Plaintext.length > limit) return call.fail('ValidationException', `\`Plaintext\` must be at most ${String(limit)} bytes for ${key.spec} with \`${algorithm}\`; encrypt a data key instead`);
    endDryRun(input);
    const ciphertext = await keys.encrypt(handle, { algorithm, plaintext: input.Plaintext, context });
    return { CiphertextBlob: ciphertext, KeyId: keyArn(realm, key.keyId), EncryptionAlgorithm: algorithm };
  },

  'kms:Decrypt': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const algorithm = input.EncryptionAlgorithm;
    const { key: handle, context } = encryptionUse(key, algorithm, input.EncryptionContext);
    endDryRun(input);
    const plaintext = await keys.decrypt(handle, { algorithm, ciphertext: input.CiphertextBlob, context });
    return { KeyId: keyArn(realm, key.keyId), Plaintext: plaintext, EncryptionAlgorithm: algorithm };
  },

  'kms:Sign': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY');
    assertOffers(key, input.SigningAlgorithm);
    const digest = digestFlag(input.SigningAlgorithm, input.MessageType, input.Message.length);
    endDryRun(input);
    const signature = await keys.sign(handle, { algorithm: input.SigningAlgorithm, message: input.Message, digest });
    return { KeyId: keyArn(realm, key.keyId), Signature: signature, SigningAlgorithm: input.SigningAlgorithm };
  },

  'kms:Verify': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY');
    assertOffers(key, input.SigningAlgorithm);
    const digest = digestFlag(input.SigningAlgorithm, input.MessageType, input.Message.length);
    endDryRun(input);
    const valid = await keys.verify(handle, { algorithm: input.SigningAlgorithm, message: input.Message, digest, signature: input.Signature });
    if (!valid) return call.fail('KMSInvalidSignatureException', 'the signature does not fit this message, key and algorithm');
    return { KeyId: keyArn(realm, key.keyId), SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },

  'kms:GenerateMac': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'GENERATE_VERIFY_MAC');
    assertOffers(key, input.MacAlgorithm);
    endDryRun(input);
    return { Mac: await keys.mac(handle, { algorithm: input.MacAlgorithm, message: input.Message }), MacAlgorithm: input.MacAlgorithm, KeyId: keyArn(realm, key.keyId) };
  },

  'kms:VerifyMac': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'GENERATE_VERIFY_MAC');
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
      ...algorithmLists(key.spec, key.usage),
    };
  },
});
