/** `kms:` operations that use a key. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { blob, operation, refused, secret } from './operation.ts';

const keyId = f.keyReference.describe('Key id, key ARN, alias name or alias ARN');
const context = f.encryptionContext.default({}).describe('Bound to the ciphertext and recorded in the trail: never a secret');
const MAX_PLAINTEXT = 4096;
const MAX_CIPHERTEXT = 6144;
const ciphertext = blob({ min: 1, max: MAX_CIPHERTEXT });
const notOffered = {
  GrantTokens: refused('leave it out: there are no grants'),
  DryRun: refused('leave it out'),
};
const recipient = { Recipient: refused('leave it out: there are no enclaves') };

const USE_ERRORS = [
  'NotFoundException',
  'InvalidArnException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidKeyUsageException',
  'KeyUnavailableException',
] as const;

export const encrypt = operation({
  name: 'kms:Encrypt',
  summary: 'Encrypt up to 4,096 bytes',
  input: z.strictObject({
    KeyId: keyId,
    Plaintext: secret({ min: 1, max: MAX_PLAINTEXT }).describe('What to encrypt; RSA takes less, by key size and algorithm'),
    EncryptionContext: context,
    EncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
    ...notOffered,
  }),
  output: z.strictObject({ CiphertextBlob: ciphertext, KeyId: z.string().describe('ARN of the key'), EncryptionAlgorithm: f.encryptionAlgorithm }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const decrypt = operation({
  name: 'kms:Decrypt',
  summary: 'Decrypt what Encrypt or GenerateDataKey made',
  input: z
    .strictObject({
      CiphertextBlob: ciphertext.describe('What Encrypt or GenerateDataKey returned'),
      EncryptionContext: context,
      KeyId: keyId.optional().describe('Required for RSA; otherwise the blob names its key, and this only checks it'),
      EncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
      ...notOffered,
      ...recipient,
      DryRunModifiers: refused('leave it out'),
    })
    .superRefine((input, issues) => {
      if (input.EncryptionAlgorithm !== 'SYMMETRIC_DEFAULT' && input.KeyId === undefined) {
        issues.addIssue({ code: 'custom', path: ['KeyId'], message: `must be given for ${input.EncryptionAlgorithm}: the ciphertext does not name its key` });
      }
    }),
  output: z.strictObject({
    KeyId: z.string().describe('ARN of the key'),
    Plaintext: secret({ min: 0, max: MAX_PLAINTEXT }),
    EncryptionAlgorithm: f.encryptionAlgorithm,
  }),
  errors: [...USE_ERRORS, 'InvalidCiphertextException', 'IncorrectKeyException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'EncryptionContext', 'EncryptionAlgorithm'],
  resource: { kind: 'ciphertext', field: 'CiphertextBlob', keyField: 'KeyId' },
});

export const generateDataKey = operation({
  name: 'kms:GenerateDataKey',
  summary: 'Make a data key: once in the clear, once encrypted under a key of the vault',
  input: z
    .strictObject({
      KeyId: keyId,
      EncryptionContext: context,
      NumberOfBytes: z.int().min(1).max(1024).optional().describe('Length; this or KeySpec'),
      KeySpec: z.enum(['AES_256', 'AES_128']).optional().describe('32 or 16 bytes; this or NumberOfBytes'),
      ...notOffered,
      ...recipient,
    })
    .superRefine((input, issues) => {
      if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
        issues.addIssue({ code: 'custom', path: ['KeySpec'], message: 'give either `KeySpec` or `NumberOfBytes`' });
      }
    }),
  output: z.strictObject({
    CiphertextBlob: ciphertext,
    Plaintext: secret({ min: 1, max: 1024 }),
    KeyId: z.string().describe('ARN of the key'),
  }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'EncryptionContext', 'NumberOfBytes', 'KeySpec'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** Bytes of a data key. */
export function dataKeyLength(input: { readonly KeySpec?: 'AES_256' | 'AES_128' | undefined; readonly NumberOfBytes?: number | undefined }): number {
  return input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32);
}

export const generateRandom = operation({
  name: 'kms:GenerateRandom',
  summary: 'Return random bytes',
  input: z.strictObject({
    NumberOfBytes: z.int().min(1).max(1024),
    CustomKeyStoreId: refused('leave it out'),
    ...recipient,
  }),
  output: z.strictObject({ Plaintext: secret({ min: 1, max: 1024 }) }),
  errors: ['UnsupportedOperationException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['NumberOfBytes'],
});

const message = secret({ min: 1, max: MAX_PLAINTEXT }).describe('The message, or its digest with MessageType DIGEST');
const messageType = z.enum(['RAW', 'DIGEST']).default('RAW').describe('Whether Message is already hashed');
const signature = blob({ min: 1, max: MAX_CIPHERTEXT });

export const sign = operation({
  name: 'kms:Sign',
  summary: 'Sign a message of up to 4,096 bytes, or a digest of any message',
  input: z.strictObject({ KeyId: keyId, Message: message, MessageType: messageType, SigningAlgorithm: f.signingAlgorithm, ...notOffered }),
  output: z.strictObject({ KeyId: z.string().describe('ARN of the key'), Signature: signature, SigningAlgorithm: f.signingAlgorithm }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'MessageType', 'SigningAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const verify = operation({
  name: 'kms:Verify',
  summary: 'Check a signature; one that does not fit is an error',
  input: z.strictObject({
    KeyId: keyId,
    Message: message,
    MessageType: messageType,
    Signature: signature,
    SigningAlgorithm: f.signingAlgorithm,
    ...notOffered,
  }),
  output: z.strictObject({ KeyId: z.string().describe('ARN of the key'), SignatureValid: z.literal(true), SigningAlgorithm: f.signingAlgorithm }),
  errors: [...USE_ERRORS, 'KMSInvalidSignatureException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'MessageType', 'SigningAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

const macMessage = secret({ min: 1, max: MAX_PLAINTEXT }).describe('The message');

export const generateMac = operation({
  name: 'kms:GenerateMac',
  summary: 'Make an HMAC of a message of up to 4,096 bytes',
  input: z.strictObject({ Message: macMessage, KeyId: keyId, MacAlgorithm: f.macAlgorithm, ...notOffered }),
  output: z.strictObject({ Mac: signature, MacAlgorithm: f.macAlgorithm, KeyId: z.string().describe('ARN of the key') }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'MacAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const verifyMac = operation({
  name: 'kms:VerifyMac',
  summary: 'Check an HMAC; one that does not fit is an error',
  input: z.strictObject({ Message: macMessage, KeyId: keyId, MacAlgorithm: f.macAlgorithm, Mac: signature, ...notOffered }),
  output: z.strictObject({ KeyId: z.string().describe('ARN of the key'), MacValid: z.literal(true), MacAlgorithm: f.macAlgorithm }),
  errors: [...USE_ERRORS, 'KMSInvalidMacException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'MacAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const getPublicKey = operation({
  name: 'kms:GetPublicKey',
  summary: 'Return the public half of a key pair',
  input: z.strictObject({ KeyId: keyId, GrantTokens: refused('leave it out: there are no grants') }),
  output: z.strictObject({
    KeyId: z.string().describe('ARN of the key'),
    PublicKey: blob({ min: 1, max: 8192 }).describe('SubjectPublicKeyInfo in DER (RFC 5280)'),
    CustomerMasterKeySpec: f.keySpec.describe('The old name of KeySpec, with the same value'),
    KeySpec: f.keySpec,
    KeyUsage: f.keyUsage,
    EncryptionAlgorithms: z.array(f.encryptionAlgorithm).optional(),
    SigningAlgorithms: z.array(f.signingAlgorithm).optional(),
  }),
  errors: [...USE_ERRORS, 'UnsupportedOperationException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});
