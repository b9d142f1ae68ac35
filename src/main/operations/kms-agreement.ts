/** `kms:` handlers that agree on a shared secret. */
import { keyArn } from '../../shared/model/ids.ts';
import { assertOffers, openFor } from '../keyring/key.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { endDryRun } from './use-checks.ts';

type Names = 'DeriveSharedSecret' | 'Encapsulate' | 'Decapsulate';

export const kmsAgreementHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:DeriveSharedSecret': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'KEY_AGREEMENT', call.attempted);
    assertOffers(key, input.KeyAgreementAlgorithm);
    endDryRun(input);
    const secret = await keys.deriveSharedSecret(handle, input.PublicKey);
    return { KeyId: keyArn(realm, key.keyId), SharedSecret: secret, KeyAgreementAlgorithm: input.KeyAgreementAlgorithm, KeyOrigin: key.origin ?? 'AWS_KMS' };
  },

  'kms:Encapsulate': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'ENCAPSULATE_DECAPSULATE', call.attempted);
    assertOffers(key, input.EncapsulationAlgorithm);
    endDryRun(input);
    const { secret, ciphertext } = await keys.encapsulate(handle);
    return { KeyId: keyArn(realm, key.keyId), SharedSecret: secret, SharedSecretCiphertextBlob: ciphertext, EncapsulationAlgorithm: input.EncapsulationAlgorithm };
  },

  'kms:Decapsulate': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'ENCAPSULATE_DECAPSULATE', call.attempted);
    assertOffers(key, input.EncapsulationAlgorithm);
    endDryRun(input);
    const secret = await keys.decapsulate(handle, input.SharedSecretCiphertextBlob);
    return { KeyId: keyArn(realm, key.keyId), SharedSecret: secret, EncapsulationAlgorithm: input.EncapsulationAlgorithm };
  },
});
