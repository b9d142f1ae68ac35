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
/** 64 hexadecimal digits. */
export const keyMaterialId = z.string().optional().describe('Key material that it was made with; symmetric keys only');
/** Of operations that take a ciphertext, which a dry run may then go without. */
export const dryRunModifiers = z.array(z.enum(['IGNORE_CIPHERTEXT'])).min(1).max(1).optional().describe('With DryRun: IGNORE_CIPHERTEXT checks without a ciphertext, of the key that is named');
export const ignoresCiphertext = (input: { readonly DryRunModifiers?: readonly string[] | undefined }): boolean => input.DryRunModifiers?.includes('IGNORE_CIPHERTEXT') ?? false;

interface Ciphered {
  readonly CiphertextBlob?: Uint8Array | undefined;
  readonly DryRun?: boolean | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}

/** `field`: which names the key. A ciphertext must be given, and its key where it does not name it: with RSA, or where there is none. */
export function ciphertextOrModifier(input: Ciphered, issues: z.core.$RefinementCtx, field: string, keyId: string | undefined, algorithm: string): void {
  const ignored = ignoresCiphertext(input);
  if (ignored && input.DryRun !== true) issues.addIssue({ code: 'custom', path: ['DryRunModifiers'], message: 'goes with `DryRun`: leave it out, or check only' });
  if (!ignored && input.CiphertextBlob === undefined) issues.addIssue({ code: 'custom', path: ['CiphertextBlob'], message: 'must be given' });
  if (keyId !== undefined) return;
  if (ignored) issues.addIssue({ code: 'custom', path: [field], message: 'must be given where there is no ciphertext' });
  else if (algorithm !== 'SYMMETRIC_DEFAULT') issues.addIssue({ code: 'custom', path: [field], message: `must be given for ${algorithm}: the ciphertext does not name its key` });
}

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
