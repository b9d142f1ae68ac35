/** `kms:` operations on the tags of a key. AWS KMS API Reference, version 2014-11-01; AWS's limits on tags. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';

const ownKeyId = f.keyReference.describe('Key id or key ARN');
const tagKey = z.string().min(1).max(128);

/** Their characters, `aws:`, repetitions and number are judged by the keyring (TagException, LimitExceededException). */
export const tags = z.array(z.strictObject({ TagKey: tagKey, TagValue: z.string().max(256) })).describe('[{"TagKey": …, "TagValue": …}]; not secret, at most 50 on a key');

const ERRORS = ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException', 'TagException'] as const;

export const tagResource = operation({
  name: 'kms:TagResource',
  summary: 'Give a key tags, or other values to those that it has',
  input: () => z.strictObject({ KeyId: ownKeyId, Tags: tags }),
  output: () => z.strictObject({}),
  errors: [...ERRORS, 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const untagResource = operation({
  name: 'kms:UntagResource',
  summary: 'Take tags off a key; those that it has not are passed over',
  input: () => z.strictObject({ KeyId: ownKeyId, TagKeys: z.array(tagKey) }),
  output: () => z.strictObject({}),
  errors: ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'TagKeys'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const listResourceTags = operation({
  name: 'kms:ListResourceTags',
  summary: 'List the tags of a key, a page at a time',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    Limit: f.pageLimit.default(50).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('NextMarker of the page before'),
  }),
  output: () => z.strictObject({
    Tags: z.array(z.strictObject({ TagKey: z.string(), TagValue: z.string() })),
    NextMarker: z.string().optional().describe('Present when Truncated'),
    Truncated: z.boolean(),
  }),
  errors: ['NotFoundException', 'InvalidArnException', 'InvalidMarkerException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'Limit'],
  resource: { kind: 'key', field: 'KeyId' },
});
