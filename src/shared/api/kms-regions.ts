/** `kms:` operations on multi-Region keys. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { keyMetadata } from './kms-keys.ts';
import { tags } from './kms-tags.ts';
import { operation, refused } from './operation.ts';

const ownKeyId = f.keyReference.describe('Key id or key ARN of a multi-Region primary key');
/** Its form is judged by the handler (ValidationException). */
const region = z.string().min(1).max(32);

const ERRORS = ['NotFoundException', 'InvalidArnException', 'DisabledException', 'KMSInvalidStateException', 'UnsupportedOperationException'] as const;

export const replicateKey = operation({
  name: 'kms:ReplicateKey',
  summary: 'Put a multi-Region key into another region too: the same key material, a life of its own; ready when it is answered',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    ReplicaRegion: region.describe('Name space inside this vault'),
    Description: f.description.default('').describe('For people; not secret'),
    Tags: tags.default([]),
    Policy: refused('every key belongs to the owner of the vault'),
    BypassPolicyLockoutSafetyCheck: refused('there are no key policies'),
  }),
  output: () => z.strictObject({ ReplicaKeyMetadata: keyMetadata, ReplicaTags: z.array(z.strictObject({ TagKey: z.string(), TagValue: z.string() })) }),
  errors: [...ERRORS, 'AlreadyExistsException', 'LimitExceededException', 'TagException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'ReplicaRegion'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const updatePrimaryRegion = operation({
  name: 'kms:UpdatePrimaryRegion',
  summary: 'Make a replica the primary of a multi-Region key; the former primary is a replica then',
  input: () => z.strictObject({ KeyId: ownKeyId, PrimaryRegion: region.describe('Where a replica is') }),
  output: () => z.strictObject({}),
  errors: ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'PrimaryRegion'],
  resource: { kind: 'key', field: 'KeyId' },
});
