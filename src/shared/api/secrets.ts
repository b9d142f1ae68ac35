/** `secretsmanager:` operations that make, show and change secrets. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { operation, refused, timestamp } from './operation.ts';
import * as f from './secret-fields.ts';

export const createSecret = operation({
  name: 'secretsmanager:CreateSecret',
  summary: 'Make a secret, with its first version if a value is given',
  input: () => z.strictObject({
    Name: z.string().min(1).max(512).describe('Up to 512 of a-z, A-Z, 0-9 and / _ + = . @ -'),
    ClientRequestToken: f.requestToken.optional(),
    Description: f.about.optional(),
    KmsKeyId: f.kmsKeyId.optional(),
    SecretBinary: f.secretBinary,
    SecretString: f.secretString,
    Tags: f.tags.optional(),
    AddReplicaRegions: f.replicaRegions.optional(),
    ForceOverwriteReplicaSecret: f.forceOverwrite.default(false),
    Type: refused('leave it out: there are no partners'),
  }),
  output: () => z.strictObject({ ...f.named, VersionId: f.versionId.optional().describe('Absent when no value was given'), ReplicationStatus: f.replicationStatus.optional() }),
  errors: f.SEALING,
  effect: 'write',
  needs: 'unlocked',
  doors: f.DOORS,
  audited: ['Name', 'ClientRequestToken', 'KmsKeyId', 'AddReplicaRegions', 'ForceOverwriteReplicaSecret'],
  command: { alias: 'secret create' },
});

export const updateSecret = operation({
  name: 'secretsmanager:UpdateSecret',
  summary: 'Change description or key of a secret, or give it a new version',
  input: () => z.strictObject({
    SecretId: f.secretId,
    ClientRequestToken: f.requestToken.optional(),
    Description: f.about.optional(),
    KmsKeyId: f.kmsKeyId.optional(),
    SecretBinary: f.secretBinary,
    SecretString: f.secretString,
    Type: refused('leave it out: there are no partners'),
  }),
  output: () => z.strictObject({ ...f.named, VersionId: f.versionId.optional().describe('Absent when no value was given') }),
  errors: f.SEALING,
  effect: 'write',
  audited: ['SecretId', 'ClientRequestToken', 'KmsKeyId'],
  command: { alias: 'secret update' },
  ...f.BY_SECRET,
});

export const describeSecret = operation({
  name: 'secretsmanager:DescribeSecret',
  summary: 'Show what is known about a secret, without its values',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject({ ...f.known, VersionIdsToStages: f.versionsToStages, ReplicationStatus: f.replicationStatus.optional() }),
  errors: f.FINDING,
  effect: 'read',
  audited: ['SecretId'],
  command: { alias: 'secret describe' },
  ...f.BY_SECRET,
});

export const listSecrets = operation({
  name: 'secretsmanager:ListSecrets',
  summary: 'List secrets, filtered and sorted, a page at a time',
  input: () => z.strictObject({
    IncludePlannedDeletion: z.boolean().default(false),
    MaxResults: z.int().min(1).max(100).default(100).describe('At most this many'),
    NextToken: f.pageToken.optional().describe('NextToken of the page before'),
    Filters: f.filters.optional(),
    SortOrder: z.enum(['asc', 'desc']).default('desc'),
    SortBy: z.enum(['created-date', 'last-accessed-date', 'last-changed-date', 'name']).default('created-date'),
  }),
  output: () => z.strictObject({ SecretList: z.array(z.strictObject({ ...f.known, SecretVersionsToStages: f.versionsToStages })), NextToken: f.pageToken.optional() }),
  errors: ['InvalidNextTokenException'],
  effect: 'read',
  needs: 'unlocked',
  doors: f.DOORS,
  audited: ['MaxResults'],
  command: { alias: 'secret list' },
});

export const deleteSecret = operation({
  name: 'secretsmanager:DeleteSecret',
  summary: 'Destroy a secret after a waiting time, or at once',
  input: () => z.strictObject({
    SecretId: f.secretId,
    RecoveryWindowInDays: z.int().optional().describe('7 to 30; 30 if left out'),
    ForceDeleteWithoutRecovery: z.boolean().optional().describe('At once and for ever; also where there is no such secret'),
  }),
  output: () => z.strictObject({ ...f.named, DeletionDate: timestamp() }),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId', 'RecoveryWindowInDays', 'ForceDeleteWithoutRecovery'],
  command: { alias: 'secret delete' },
  needs: 'unlocked',
  doors: f.DOORS,
  resource: { kind: 'secret', field: 'SecretId', mayBeMissing: 'ForceDeleteWithoutRecovery' },
});

export const restoreSecret = operation({
  name: 'secretsmanager:RestoreSecret',
  summary: 'Take a secret back from its planned deletion',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject(f.named),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId'],
  command: { alias: 'secret restore' },
  ...f.BY_SECRET,
});

export const tagResource = operation({
  name: 'secretsmanager:TagResource',
  summary: 'Give a secret tags, or other values to those that it has',
  input: () => z.strictObject({ SecretId: f.secretId, Tags: f.tags }),
  output: () => z.strictObject({}),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId'],
  command: { alias: 'secret tag' },
  ...f.BY_SECRET,
});

export const untagResource = operation({
  name: 'secretsmanager:UntagResource',
  summary: 'Take tags off a secret; those that it has not are passed over',
  input: () => z.strictObject({ SecretId: f.secretId, TagKeys: z.array(z.string().min(1).max(128)) }),
  output: () => z.strictObject({}),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId', 'TagKeys'],
  command: { alias: 'secret untag' },
  ...f.BY_SECRET,
});

/** The clock's own: secrets whose waiting time is over go, with every value of theirs. */
export const deleteDueSecrets = operation({
  name: 'secretsmanager:DeleteDueSecrets',
  summary: 'Destroy the secrets whose waiting time is over',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ ARNs: z.array(z.string()) }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});
