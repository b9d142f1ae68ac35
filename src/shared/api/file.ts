/**
 * `file:` operations: sign and verify a file of any size, read as a stream by the vault. RSA and ECDSA sign the file's
 * digest, so that `openssl dgst -verify` agrees. Ed25519 signs a file of up to 4,096 bytes whole (ED25519_SHA_512) and a
 * larger one prehashed (ED25519_PH_SHA_512, RFC 8032 section 5.1), which most other tools do not verify; one in a token signs no larger one. ML-DSA signs a
 * file of up to 4,096 bytes.
 */
import { z } from 'zod';
import * as f from './fields.ts';
import { blob, operation } from './operation.ts';

/** Above this many bytes Ed25519 signs the digest, and ML-DSA nothing: the most that one request to Sign takes. */
export const WHOLE_FILE = 4096;

const path = f.absolutePath.describe('Absolute path of the file');
const keyId = f.keyReference.describe('Key id, key ARN, alias name or alias ARN');
const algorithm = f.signingAlgorithm.optional().describe('The first one that the key offers, if left out; Ed25519 by the size of the file');
const signature = blob({ min: 1, max: 6144 });

const about = {
  KeyId: z.string().describe('ARN of the key'),
  SigningAlgorithm: f.signingAlgorithm,
  MessageType: z.enum(['RAW', 'DIGEST']).describe('What was signed: the bytes of the file, or their digest'),
  Digest: f.hex.describe('Digest of the file by the hash of SigningAlgorithm'),
  Size: z.int().describe('Bytes of the file'),
};

const ERRORS = [
  'NotFoundException',
  'InvalidArnException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidKeyUsageException',
  'KeyUnavailableException',
  'UnsupportedOperationException',
  'FileNotReadableException',
] as const;

export const signFile = operation({
  name: 'file:Sign',
  summary: 'Sign a file of any size',
  input: () => z.strictObject({ Path: path, KeyId: keyId, SigningAlgorithm: algorithm }),
  output: () => z.strictObject({ Signature: signature, ...about }),
  errors: ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'KeyId', 'SigningAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const verifyFile = operation({
  name: 'file:Verify',
  summary: 'Check the signature of a file; one that does not fit is an error',
  input: () => z.strictObject({ Path: path, KeyId: keyId, Signature: signature, SigningAlgorithm: algorithm }),
  output: () => z.strictObject({ SignatureValid: z.literal(true), ...about }),
  errors: [...ERRORS, 'KMSInvalidSignatureException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Path', 'KeyId', 'SigningAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});
