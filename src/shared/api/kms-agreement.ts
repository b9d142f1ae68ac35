/** `kms:` operations that agree on a shared secret with somebody else. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { arnOfKey, common, keyId, MAX_CIPHERTEXT, recipient, USE_ERRORS } from './kms-common.ts';
import { blob, operation, secret } from './operation.ts';

const sharedSecret = (max: number) => secret({ min: 1, max });
/** A shared secret's longest form: the x coordinate of P-521. */
const ECDH_LONGEST = 66;
const ML_KEM_LENGTH = 32;
const encapsulated = blob({ min: 1, max: MAX_CIPHERTEXT }).describe('768, 1,088 or 1,568 bytes, by the key spec');

export const deriveSharedSecret = operation({
  name: 'kms:DeriveSharedSecret',
  summary: 'Agree on a secret with the holder of another key pair (ECDH)',
  input: () => z.strictObject({
    KeyId: keyId,
    KeyAgreementAlgorithm: f.keyAgreementAlgorithm,
    PublicKey: blob({ min: 1, max: 8192 }).describe('The other side’s SubjectPublicKeyInfo in DER, of the same curve'),
    ...common,
    ...recipient,
  }),
  output: () => z.strictObject({
    KeyId: arnOfKey,
    SharedSecret: sharedSecret(ECDH_LONGEST).describe('The x coordinate (SP 800-56A section 5.7.1.2): derive keys from it, do not use it as one'),
    KeyAgreementAlgorithm: f.keyAgreementAlgorithm,
    KeyOrigin: z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM']),
  }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'KeyAgreementAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const encapsulate = operation({
  name: 'kms:Encapsulate',
  summary: 'Make a secret, and its form that only the holder of an ML-KEM key recovers it from',
  input: () => z.strictObject({ KeyId: keyId, EncapsulationAlgorithm: f.encapsulationAlgorithm, ...common }),
  output: () => z.strictObject({
    KeyId: arnOfKey,
    SharedSecret: sharedSecret(ML_KEM_LENGTH),
    SharedSecretCiphertextBlob: encapsulated,
    EncapsulationAlgorithm: f.encapsulationAlgorithm,
  }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncapsulationAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const decapsulate = operation({
  name: 'kms:Decapsulate',
  summary: 'Recover the secret that Encapsulate made; of anything else of the right length a random one (FIPS 203, implicit rejection)',
  input: () => z.strictObject({ KeyId: keyId, SharedSecretCiphertextBlob: encapsulated, EncapsulationAlgorithm: f.encapsulationAlgorithm, ...common }),
  output: () => z.strictObject({ KeyId: arnOfKey, SharedSecret: sharedSecret(ML_KEM_LENGTH), EncapsulationAlgorithm: f.encapsulationAlgorithm }),
  errors: [...USE_ERRORS, 'InvalidCiphertextException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncapsulationAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});
