/** `kms:` operations that show a key's policy. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';

const ownKeyId = f.keyReference.describe('Key id or key ARN');

export const getKeyPolicy = operation({
  name: 'kms:GetKeyPolicy',
  summary: 'Show the policy of a key: that the policies of its callers decide',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    PolicyName: z.string().min(1).max(128).default('default').describe('`default` is the only one'),
  }),
  output: () => z.strictObject({ Policy: z.string().describe('JSON'), PolicyName: z.string() }),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const listKeyPolicies = operation({
  name: 'kms:ListKeyPolicies',
  summary: 'List the policies of a key, which has one',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    Limit: f.pageLimit.default(100).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('There is one page'),
  }),
  output: () => z.strictObject({ PolicyNames: z.array(z.string()), NextMarker: z.string().optional(), Truncated: z.boolean() }),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException', 'InvalidMarkerException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});
