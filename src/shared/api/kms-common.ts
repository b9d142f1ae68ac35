/** What `kms:` operations that use a key share. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { blob, refused } from './operation.ts';

export const keyId = f.keyReference.describe('Key id, key ARN, alias name or alias ARN');
export const arnOfKey = z.string().describe('ARN of the key');
export const context = f.encryptionContext.default({}).describe('Bound to the ciphertext and recorded in the trail: never a secret');

/** Bytes. */
export const MAX_PLAINTEXT = 4096;
export const MAX_CIPHERTEXT = 6144;
export const ciphertext = blob({ min: 1, max: MAX_CIPHERTEXT });

/** What every operation that uses a key takes beside its own fields. */
export const common = {
  GrantTokens: refused('leave it out: there are no grants'),
  DryRun: z.boolean().optional().describe('Check whether it would be allowed and stop there: success is the answer `DryRunOperationException`'),
};
export const recipient = { Recipient: refused('leave it out: there are no enclaves') };

export const USE_ERRORS = [
  'NotFoundException',
  'InvalidArnException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidKeyUsageException',
  'KeyUnavailableException',
  'DryRunOperationException',
  /** A token does not do everything that its keys could. */
  'UnsupportedOperationException',
] as const;
