/** `kms:` handlers that make data keys and re-encrypt. */
import { dataKeyLength, type DataKeyPairSpec } from '../../shared/api/kms-data-keys.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn } from '../../shared/model/ids.ts';
import type { Hardware } from '../hardware/hardware.ts';
import { randomOfToken } from './hardware-keys.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { encryptionUse, endDryRun, givenCiphertext, symmetricHandle, usedMaterial } from './use-checks.ts';

type Names = 'GenerateDataKey' | 'GenerateDataKeyWithoutPlaintext' | 'GenerateDataKeyPair' | 'GenerateDataKeyPairWithoutPlaintext' | 'GenerateRandom' | 'ReEncrypt';

function pairSpec(spec: DataKeyPairSpec | 'SM2'): DataKeyPairSpec {
  if (spec === 'SM2') throw new VaultError('UnsupportedOperationException', '`SM2` is offered in the Chinese regions of AWS only; choose `ECC_NIST_P256`');
  return spec;
}

export const kmsDataKeyHandlers = (now: () => Hardware): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:GenerateDataKey': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = symmetricHandle(key, call.attempted);
    endDryRun(input);
    const { plaintext, ciphertext } = await keys.generateDataKey(handle, { length: dataKeyLength(input), context: input.EncryptionContext });
    return { CiphertextBlob: ciphertext, Plaintext: plaintext, KeyId: keyArn(realm, key.keyId), KeyMaterialId: usedMaterial(key) };
  },

  'kms:GenerateDataKeyWithoutPlaintext': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = symmetricHandle(key, call.attempted);
    endDryRun(input);
    const ciphertext = await keys.generateDataKeyWithoutPlaintext(handle, { length: dataKeyLength(input), context: input.EncryptionContext });
    return { CiphertextBlob: ciphertext, KeyId: keyArn(realm, key.keyId), KeyMaterialId: usedMaterial(key) };
  },

  'kms:GenerateDataKeyPair': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = symmetricHandle(key, call.attempted);
    const spec = pairSpec(input.KeyPairSpec);
    endDryRun(input);
    const { privateKey, ciphertext, publicKey } = await keys.generateDataKeyPair(handle, { spec, context: input.EncryptionContext, reveal: true });
    if (!privateKey) return call.fail('KMSInternalException', 'the private key was left out; report this as a fault');
    return { PrivateKeyCiphertextBlob: ciphertext, PrivateKeyPlaintext: privateKey, PublicKey: publicKey, KeyId: keyArn(realm, key.keyId), KeyPairSpec: spec, KeyMaterialId: usedMaterial(key) };
  },

  'kms:GenerateDataKeyPairWithoutPlaintext': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = symmetricHandle(key, call.attempted);
    const spec = pairSpec(input.KeyPairSpec);
    endDryRun(input);
    const { ciphertext, publicKey } = await keys.generateDataKeyPair(handle, { spec, context: input.EncryptionContext, reveal: false });
    return { PrivateKeyCiphertextBlob: ciphertext, PublicKey: publicKey, KeyId: keyArn(realm, key.keyId), KeyPairSpec: spec, KeyMaterialId: usedMaterial(key) };
  },

  'kms:GenerateRandom': async (input, _call, { keys, reader }) => ({
    Plaintext: input.CustomKeyStoreId === undefined ? await keys.random(input.NumberOfBytes) : await randomOfToken(now(), reader, input.CustomKeyStoreId, input.NumberOfBytes),
  }),

  'kms:ReEncrypt': async (input, call, { keys, realm }) => {
    const [from, to] = [keyOf(call.resource), keyOf(call.destination)];
    const source = encryptionUse(from, input.SourceEncryptionAlgorithm, input.SourceEncryptionContext, call.attempted);
    const destination = encryptionUse(to, input.DestinationEncryptionAlgorithm, input.DestinationEncryptionContext, call.attempted);
    endDryRun(input);
    const ciphertext = await keys.reEncrypt(source, givenCiphertext(input), destination);
    return {
      CiphertextBlob: ciphertext,
      SourceKeyId: keyArn(realm, from.keyId),
      KeyId: keyArn(realm, to.keyId),
      SourceEncryptionAlgorithm: input.SourceEncryptionAlgorithm,
      DestinationEncryptionAlgorithm: input.DestinationEncryptionAlgorithm,
      SourceKeyMaterialId: usedMaterial(from, call.resource.materialId),
      DestinationKeyMaterialId: usedMaterial(to),
    };
  },
});
