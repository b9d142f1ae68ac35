/** `kms:` operations that use a key. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { arnOfKey, ciphertext, ciphertextOrModifier, common, context, dryRunModifiers, keyId, keyMaterialId, MAX_CIPHERTEXT, MAX_PLAINTEXT, recipient, USE_ERRORS } from './kms-common.ts';
import { blob, operation, refused, secret } from './operation.ts';

export const encrypt = operation({
  name: 'kms:Encrypt',
  summary: 'Encrypt up to 4,096 bytes',
  input: () => z.strictObject({
    KeyId: keyId,
    Plaintext: secret({ min: 1, max: MAX_PLAINTEXT }).describe('What to encrypt; RSA takes less, by key size and algorithm'),
    EncryptionContext: context,
    EncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
    ...common,
  }),
  output: () => z.strictObject({ CiphertextBlob: ciphertext, KeyId: arnOfKey, EncryptionAlgorithm: f.encryptionAlgorithm }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const decrypt = operation({
  name: 'kms:Decrypt',
  summary: 'Decrypt what Encrypt or GenerateDataKey made',
  input: () => z
    .strictObject({
      CiphertextBlob: ciphertext.optional().describe('What Encrypt or GenerateDataKey returned; required but for a dry run that ignores it'),
      EncryptionContext: context,
      KeyId: keyId.optional().describe('Required for RSA; otherwise the blob names its key, and this only checks it'),
      EncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
      ...common,
      ...recipient,
      DryRunModifiers: dryRunModifiers,
    })
    .superRefine((input, issues) => { ciphertextOrModifier(input, issues, 'KeyId', input.KeyId, input.EncryptionAlgorithm); }),
  output: () => z.strictObject({
    KeyId: arnOfKey,
    Plaintext: secret({ min: 0, max: MAX_PLAINTEXT }),
    EncryptionAlgorithm: f.encryptionAlgorithm,
    KeyMaterialId: keyMaterialId,
  }),
  errors: [...USE_ERRORS, 'InvalidCiphertextException', 'IncorrectKeyException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm', 'DryRun', 'DryRunModifiers'],
  resource: { kind: 'ciphertext', field: 'CiphertextBlob', keyField: 'KeyId' },
});

const message = secret({ min: 1, max: MAX_PLAINTEXT }).describe('The message; its digest with MessageType DIGEST; ML-DSA’s μ with EXTERNAL_MU');
const messageType = z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU']).default('RAW').describe('Whether Message is already hashed; ED25519_PH_SHA_512 hashes the digest once more, as AWS does');
const signature = blob({ min: 1, max: MAX_CIPHERTEXT });

export const sign = operation({
  name: 'kms:Sign',
  summary: 'Sign a message of up to 4,096 bytes, or a digest of any message',
  input: () => z.strictObject({ KeyId: keyId, Message: message, MessageType: messageType, SigningAlgorithm: f.signingAlgorithm, ...common }),
  output: () => z.strictObject({ KeyId: arnOfKey, Signature: signature, SigningAlgorithm: f.signingAlgorithm }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'MessageType', 'SigningAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const verify = operation({
  name: 'kms:Verify',
  summary: 'Check a signature; one that does not fit is an error',
  input: () => z.strictObject({
    KeyId: keyId,
    Message: message,
    MessageType: messageType,
    Signature: signature,
    SigningAlgorithm: f.signingAlgorithm,
    ...common,
  }),
  output: () => z.strictObject({ KeyId: arnOfKey, SignatureValid: z.literal(true), SigningAlgorithm: f.signingAlgorithm }),
  errors: [...USE_ERRORS, 'KMSInvalidSignatureException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'MessageType', 'SigningAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

const macMessage = secret({ min: 1, max: MAX_PLAINTEXT }).describe('The message');

export const generateMac = operation({
  name: 'kms:GenerateMac',
  summary: 'Make an HMAC of a message of up to 4,096 bytes',
  input: () => z.strictObject({ Message: macMessage, KeyId: keyId, MacAlgorithm: f.macAlgorithm, ...common }),
  output: () => z.strictObject({ Mac: signature, MacAlgorithm: f.macAlgorithm, KeyId: arnOfKey }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'MacAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const verifyMac = operation({
  name: 'kms:VerifyMac',
  summary: 'Check an HMAC; one that does not fit is an error',
  input: () => z.strictObject({ Message: macMessage, KeyId: keyId, MacAlgorithm: f.macAlgorithm, Mac: signature, ...common }),
  output: () => z.strictObject({ KeyId: arnOfKey, MacValid: z.literal(true), MacAlgorithm: f.macAlgorithm }),
  errors: [...USE_ERRORS, 'KMSInvalidMacException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'MacAlgorithm', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const getPublicKey = operation({
  name: 'kms:GetPublicKey',
  summary: 'Return the public half of a key pair',
  input: () => z.strictObject({ KeyId: keyId, GrantTokens: refused('leave it out: there are no grants') }),
  output: () => z.strictObject({
    KeyId: arnOfKey,
    PublicKey: blob({ min: 1, max: 8192 }).describe('SubjectPublicKeyInfo in DER (RFC 5280)'),
    CustomerMasterKeySpec: f.keySpec.describe('The old name of KeySpec, with the same value'),
    KeySpec: f.keySpec,
    KeyUsage: f.keyUsage,
    EncryptionAlgorithms: z.array(f.encryptionAlgorithm).optional(),
    SigningAlgorithms: z.array(f.signingAlgorithm).optional(),
    KeyAgreementAlgorithms: z.array(f.keyAgreementAlgorithm).optional(),
    EncapsulationAlgorithms: z.array(f.encapsulationAlgorithm).optional(),
  }),
  errors: USE_ERRORS.filter((code) => code !== 'DryRunOperationException'),
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});
