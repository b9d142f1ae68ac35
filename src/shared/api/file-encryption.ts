/**
 * `file:` operations that encrypt files of any size under a data key of their own, in the AWS Encryption SDK's message format: what is
 * written here, that SDK reads with a KMS keyring pointed at this vault, and the other way round.
 */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';

const keyId = f.keyReference.describe('Symmetric key: id, ARN, alias name or alias ARN');
const output = f.absolutePath.describe('Absolute path of the file to be written; it must not exist');
const size = z.int().describe('Bytes of the file that was read');
const outputSize = z.int().describe('Bytes of the file that was written');
const arn = z.string().describe('ARN of the key');

const ERRORS = [
  'NotFoundException',
  'InvalidArnException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidKeyUsageException',
  'KeyUnavailableException',
  'UnsupportedOperationException',
  'FileNotReadableException',
  'FileExistsException',
] as const;

export const encryptFile = operation({
  name: 'file:Encrypt',
  summary: 'Encrypt a file of any size',
  input: () => z.strictObject({
    Path: f.absolutePath.describe('Absolute path of the file'),
    OutputPath: output,
    KeyId: keyId,
    EncryptionContext: f.encryptionContext.default({}).describe('Bound to the file, readable in it and recorded in the trail: never a secret'),
  }),
  output: () => z.strictObject({ OutputPath: z.string(), KeyId: arn, Size: size, OutputSize: outputSize }),
  errors: ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'OutputPath', 'KeyId', 'EncryptionContext'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const decryptFile = operation({
  name: 'file:Decrypt',
  summary: 'Decrypt a file that Encrypt or the AWS Encryption SDK wrote',
  input: () => z.strictObject({
    Path: f.absolutePath.describe('Absolute path of the encrypted file'),
    OutputPath: output,
    KeyId: keyId.describe('Key under which the file must have been encrypted: id, ARN, alias name or alias ARN. The file names one, too; its word alone is not taken for it'),
    EncryptionContext: f.encryptionContext.default({}).describe('Pairs that the file must have been encrypted with; it may have more'),
  }),
  output: () => z.strictObject({
    OutputPath: z.string(),
    KeyId: arn,
    EncryptionContext: z.record(z.string(), z.string()).describe('All that is bound to the file'),
    Size: size,
    OutputSize: outputSize,
  }),
  errors: [...ERRORS, 'InvalidCiphertextException', 'IncorrectKeyException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'OutputPath', 'KeyId', 'EncryptionContext'],
  resource: { kind: 'key', field: 'KeyId' },
});
