/** `kms:` operations that make data keys and move ciphertexts between keys. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import { KEY_SPECS, type KeySpec } from '../model/algorithms.ts';
import * as f from './fields.ts';
import { arnOfKey, ciphertext, ciphertextOrModifier, common, context, dryRunModifiers, keyId, keyMaterialId, recipient, USE_ERRORS } from './kms-common.ts';
import { blob, operation, secret } from './operation.ts';

const length = {
  NumberOfBytes: z.int().min(1).max(1024).optional().describe('Length; this or KeySpec'),
  KeySpec: z.enum(['AES_256', 'AES_128']).optional().describe('32 or 16 bytes; this or NumberOfBytes'),
};
type Length = { readonly [K in keyof typeof length]?: z.output<(typeof length)[K]> };

function oneLength(input: Length, issues: z.core.$RefinementCtx): void {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    issues.addIssue({ code: 'custom', path: ['KeySpec'], message: 'give either `KeySpec` or `NumberOfBytes`' });
  }
}

/** Bytes of a data key. */
export const dataKeyLength = (input: Length): number => input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32);

export const generateDataKey = operation({
  name: 'kms:GenerateDataKey',
  summary: 'Make a data key: once in the clear, once encrypted under a key of the vault',
  input: () => z.strictObject({ KeyId: keyId, EncryptionContext: context, ...length, ...common, ...recipient }).superRefine(oneLength),
  output: () => z.strictObject({
    CiphertextBlob: ciphertext,
    Plaintext: secret({ min: 1, max: 1024 }),
    KeyId: arnOfKey,
    KeyMaterialId: keyMaterialId,
  }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncryptionContext', 'NumberOfBytes', 'KeySpec', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const generateDataKeyWithoutPlaintext = operation({
  name: 'kms:GenerateDataKeyWithoutPlaintext',
  summary: 'Make a data key that nobody sees until it is decrypted: encrypted under a key of the vault only',
  input: () => z.strictObject({ KeyId: keyId, EncryptionContext: context, ...length, ...common }).superRefine(oneLength),
  output: () => z.strictObject({ CiphertextBlob: ciphertext, KeyId: arnOfKey, KeyMaterialId: keyMaterialId }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'EncryptionContext', 'NumberOfBytes', 'KeySpec', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** Every spec of a key pair that may be a data key, as AWS has them; SM2 is known and not offered. */
const pairSpecs = (Object.keys(KEY_SPECS) as KeySpec[]).filter(isPairSpec);
type PairFamily = 'rsa' | 'ec' | 'edwards' | 'ml-kem';
export type DataKeyPairSpec = { [S in KeySpec]: (typeof KEY_SPECS)[S]['family'] extends PairFamily ? S : never }[KeySpec];

function isPairSpec(spec: KeySpec): spec is DataKeyPairSpec {
  const families: readonly string[] = ['rsa', 'ec', 'edwards', 'ml-kem'] satisfies PairFamily[];
  return families.includes(KEY_SPECS[spec].family);
}

const dataKeyPairSpec = z.enum(pairSpecs as [DataKeyPairSpec, ...DataKeyPairSpec[]]);
const pairInput = {
  KeyId: keyId.describe('Symmetric key that encrypts the private half: id, ARN, alias name or alias ARN'),
  KeyPairSpec: z.enum([...dataKeyPairSpec.options, 'SM2']).describe('Kind and size of the key pair; SM2 is not offered'),
  EncryptionContext: context,
  ...common,
};
const pairOutput = {
  PrivateKeyCiphertextBlob: ciphertext.describe('The private half, as Encrypt would give it'),
  PublicKey: blob({ min: 1, max: 8192 }).describe('SubjectPublicKeyInfo in DER (RFC 5280)'),
  KeyId: arnOfKey,
  KeyPairSpec: dataKeyPairSpec,
  KeyMaterialId: keyMaterialId,
};

export const generateDataKeyPair = operation({
  name: 'kms:GenerateDataKeyPair',
  summary: 'Make a key pair for use outside: its private half once in the clear, once encrypted under a key of the vault',
  input: () => z.strictObject({ ...pairInput, ...recipient }),
  output: () => z.strictObject({ ...pairOutput, PrivateKeyPlaintext: secret({ min: 1, max: 4096 }).describe('PKCS #8 in DER (RFC 5958)') }),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'KeyPairSpec', 'EncryptionContext', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const generateDataKeyPairWithoutPlaintext = operation({
  name: 'kms:GenerateDataKeyPairWithoutPlaintext',
  summary: 'Make a key pair for use outside: its private half encrypted under a key of the vault only',
  input: () => z.strictObject(pairInput),
  output: () => z.strictObject(pairOutput),
  errors: USE_ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'KeyPairSpec', 'EncryptionContext', 'DryRun'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const reEncrypt = operation({
  name: 'kms:ReEncrypt',
  summary: 'Encrypt a ciphertext under another key or context; the plaintext does not come out',
  input: () => z
    .strictObject({
      CiphertextBlob: ciphertext.optional().describe('What Encrypt or GenerateDataKey returned; required but for a dry run that ignores it'),
      SourceEncryptionContext: context,
      SourceKeyId: keyId.optional().describe('Required for RSA; otherwise the blob names its key, and this only checks it'),
      SourceEncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
      DestinationKeyId: keyId,
      DestinationEncryptionContext: context,
      DestinationEncryptionAlgorithm: f.encryptionAlgorithm.default('SYMMETRIC_DEFAULT'),
      ...common,
      DryRunModifiers: dryRunModifiers,
    })
    .superRefine((input, issues) => { ciphertextOrModifier(input, issues, 'SourceKeyId', input.SourceKeyId, input.SourceEncryptionAlgorithm); }),
  output: () => z.strictObject({
    CiphertextBlob: ciphertext,
    SourceKeyId: z.string().describe('ARN of the key that it was encrypted under'),
    KeyId: z.string().describe('ARN of the key that it is encrypted under now'),
    SourceEncryptionAlgorithm: f.encryptionAlgorithm,
    DestinationEncryptionAlgorithm: f.encryptionAlgorithm,
    SourceKeyMaterialId: keyMaterialId,
    DestinationKeyMaterialId: keyMaterialId,
  }),
  errors: [...USE_ERRORS, 'InvalidCiphertextException', 'IncorrectKeyException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['SourceKeyId', 'SourceEncryptionContext', 'SourceEncryptionAlgorithm', 'DestinationKeyId', 'DestinationEncryptionContext', 'DestinationEncryptionAlgorithm', 'DryRun', 'DryRunModifiers'],
  resource: { kind: 'ciphertext', field: 'CiphertextBlob', keyField: 'SourceKeyId', algorithmField: 'SourceEncryptionAlgorithm', action: 'kms:ReEncryptFrom' },
  destination: { kind: 'key', field: 'DestinationKeyId', action: 'kms:ReEncryptTo' },
});

export const generateRandom = operation({
  name: 'kms:GenerateRandom',
  summary: 'Return random bytes, of this computer or of a token',
  input: () => z.strictObject({
    NumberOfBytes: z.int().min(1).max(1024),
    CustomKeyStoreId: z.string().min(1).max(64).optional().describe('The connected key store whose token makes them'),
    ...recipient,
  }),
  output: () => z.strictObject({ Plaintext: secret({ min: 1, max: 1024 }) }),
  errors: ['UnsupportedOperationException', 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException', 'KeyUnavailableException', 'KMSInvalidStateException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['NumberOfBytes', 'CustomKeyStoreId'],
});
