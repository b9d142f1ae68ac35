/** `kms:` operations about when a key was last used. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import { KEY_USES } from '../model/key-uses.ts';
import * as f from './fields.ts';
import { operation, timestamp } from './operation.ts';

export const getKeyLastUsage = operation({
  name: 'kms:GetKeyLastUsage',
  summary: 'Show when a key was last used, and for what',
  input: () => z.strictObject({ KeyId: f.keyReference.describe('Key id or key ARN') }),
  output: () => z.strictObject({
    KeyId: z.string().describe('ARN of the key'),
    KeyLastUsage: z
      .strictObject({
        Operation: z.enum(KEY_USES).optional(),
        Timestamp: timestamp().optional(),
        CloudTrailEventId: z.string().optional(),
        KmsRequestId: z.string().optional(),
      })
      .describe('Operation, Timestamp, CloudTrailEventId (index of the record in this vault’s trail) and KmsRequestId; empty: never since TrackingStartDate'),
    TrackingStartDate: timestamp().describe('Since when uses are kept, or when the key was made, whichever is later'),
    KeyCreationDate: timestamp(),
  }),
  errors: ['NotFoundException', 'InvalidArnException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** The clock's own: uses are kept in memory and written a few seconds later, many at once. */
export const recordKeyUsage = operation({
  name: 'kms:RecordKeyUsage',
  summary: 'Write down when keys were last used',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Keys: z.int() }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});
