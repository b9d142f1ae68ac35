/** `secretsmanager:` operations of replication: AWS's three, and Keystead's own beside them. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { operation, timestamp } from './operation.ts';
import * as f from './secret-fields.ts';

export const replicateSecretToRegions = operation({
  name: 'secretsmanager:ReplicateSecretToRegions',
  summary: 'Keep copies of a secret in other regions of this vault or at remotes; one that failed is tried again at once',
  input: () => z.strictObject({ SecretId: f.secretId, AddReplicaRegions: f.replicaRegions, ForceOverwriteReplicaSecret: f.forceOverwrite.default(false) }),
  output: () => z.strictObject({ ARN: z.string(), ReplicationStatus: f.replicationStatus }),
  errors: [...f.CHANGING, 'LimitExceededException'],
  effect: 'write',
  audited: ['SecretId', 'AddReplicaRegions', 'ForceOverwriteReplicaSecret'],
  command: { alias: 'secret replicate' },
  ...f.BY_SECRET,
});

export const removeRegionsFromReplication = operation({
  name: 'secretsmanager:RemoveRegionsFromReplication',
  summary: 'Delete the copies of a secret in these regions; at a remote with a recovery window of 30 days',
  input: () => z.strictObject({ SecretId: f.secretId, RemoveReplicaRegions: z.array(f.replicaRegion).min(1).describe('Regions that it is replicated to') }),
  output: () => z.strictObject({ ARN: z.string(), ReplicationStatus: f.replicationStatus }),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId', 'RemoveReplicaRegions'],
  command: { alias: 'secret remove-regions' },
  ...f.BY_SECRET,
});

export const stopReplicationToReplica = operation({
  name: 'secretsmanager:StopReplicationToReplica',
  summary: 'Make a replica a secret of its own; asked for in the replica’s region',
  input: () => z.strictObject({ SecretId: f.secretId.describe('Name or ARN of the replica') }),
  output: () => z.strictObject({ ARN: z.string() }),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId'],
  command: { alias: 'secret stop-replication' },
  ...f.BY_SECRET,
});

export const CONFLICTS = ['foreign', 'moved', 'exists', 'deleted', 'gone'] as const;

/** Of the owner: not offered at the door for AWS clients. */
const OWN = { needs: 'unlocked', doors: ['ipc', 'cli'], resource: { kind: 'secret', field: 'SecretId' } } as const;

export const describeReplication = operation({
  name: 'secretsmanager:DescribeReplication',
  summary: 'Show where a secret is replicated to, how far each copy is behind, and why',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject({
    ...f.named,
    PrimaryRegion: z.string().optional().describe('Absent: the secret is not replicated'),
    IsReplica: z.boolean(),
    Replicas: z.array(
      z.strictObject({
        Region: z.string(),
        ...f.replicaState,
        LevelDate: timestamp().optional().describe('When it was last brought level'),
        BehindSince: timestamp().optional().describe('Absent: it is level'),
        VersionsBehind: z.int().optional(),
        Attempts: z.int().optional().describe('Tries of the present change that have failed'),
        NextAttemptDate: timestamp().optional(),
        Code: z.string().optional().describe('Of the last failure'),
        Conflict: z
          .strictObject({ Kind: z.enum(CONFLICTS), Since: timestamp(), VersionId: z.string().optional().describe('There'), CanAdopt: z.boolean() })
          .optional()
          .describe('foreign: a version was made there; moved: a label was; exists: a secret of the name is no copy; deleted, gone: the copy is on its way out, or away'),
        Removing: z.boolean().describe('The copy is being deleted'),
      }),
    ),
  }),
  errors: f.FINDING,
  effect: 'read',
  audited: ['SecretId'],
  command: { alias: 'secret describe-replication' },
  ...OWN,
});

export const releaseReplica = operation({
  name: 'secretsmanager:ReleaseReplica',
  summary: 'Keep a copy of a secret where it is, and replicate to it no more',
  input: () => z.strictObject({ SecretId: f.secretId.describe('Name or ARN of the primary'), Region: f.replicaRegion }),
  output: () => z.strictObject(f.named),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId', 'Region'],
  command: { alias: 'secret release-replica' },
  ...OWN,
});

export const adoptReplicaVersion = operation({
  name: 'secretsmanager:AdoptReplicaVersion',
  summary: 'End a conflict by keeping the remote’s version: it becomes the current one here',
  input: () => z.strictObject({ SecretId: f.secretId, Region: f.replicaRegion }),
  output: () => z.strictObject(f.named),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId', 'Region'],
  command: { alias: 'secret adopt-replica-version' },
  ...OWN,
});

const CLOCK = { needs: 'unlocked', doors: ['schedule'], command: { hidden: true }, resource: OWN.resource } as const;
const ofReplica = { SecretId: f.secretId, Region: f.replicaRegion };

/** The clock's own: brings a replica in this vault level, in one transaction. */
export const replicateToRegion = operation({
  name: 'secretsmanager:ReplicateToRegion',
  summary: 'Bring a replica inside of the vault level',
  input: () => z.strictObject(ofReplica),
  output: () => z.strictObject({}),
  errors: f.SEALING,
  effect: 'write',
  audited: ['Region'],
  ...CLOCK,
});

/** The clock's own: that a replica could not be brought level, and why. */
export const recordReplicationFailure = operation({
  name: 'secretsmanager:RecordReplicationFailure',
  summary: 'Write down why a replica could not be brought level',
  input: () => z.strictObject({ ...ofReplica, Code: z.string().max(64), Reason: z.string().max(1024), Connections: z.array(z.string()).max(8).optional() }),
  output: () => z.strictObject({}),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['Region', 'Code', 'Reason', 'Connections'],
  ...CLOCK,
});

/** The clock's own: which labels a try may put at a remote, written down before it does. */
export const beginReplication = operation({
  name: 'secretsmanager:BeginReplication',
  summary: 'Write down what a try may put at a remote',
  input: () => z.strictObject(ofReplica),
  output: () => z.strictObject({}),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['Region'],
  ...CLOCK,
});

const labels = z.array(z.strictObject({ Stage: f.stage, VersionId: f.versionId })).max(64);
const found = {
  /** level: it is what the secret was. conflict: nothing was touched. adopt: the remote's current version, to come in. gone: the copy is deleted. */
  Result: z.enum(['level', 'conflict', 'adopt', 'gone']).optional(),
  Shape: z.string().max(64).optional(),
  Labels: labels.optional(),
  Tags: z.array(z.string()).max(50).optional().describe('Keys of the secret’s tags when the try began'),
  Conflict: z.enum(CONFLICTS).optional(),
  VersionId: f.versionId.optional(),
  SecretString: f.secretString,
  SecretBinary: f.secretBinary,
  Connections: z.array(z.string()).max(8),
};

/** The clock's own: one try at a remote. No transaction is open meanwhile. */
export const runReplication = operation({
  name: 'secretsmanager:RunReplication',
  summary: 'Bring a replica at a remote level',
  input: () => z.strictObject(ofReplica),
  output: () => z.strictObject({ ...found, Code: z.string().optional(), Reason: z.string().optional() }),
  errors: f.READING,
  effect: 'use',
  audited: ['Region'],
  ...CLOCK,
});

/** The clock's own: what a try at a remote has come to. */
export const recordReplication = operation({
  name: 'secretsmanager:RecordReplication',
  summary: 'Write down what a try at a remote has come to',
  input: () => z.strictObject({ ...ofReplica, ...found }),
  output: () => z.strictObject({}),
  errors: f.SEALING,
  effect: 'write',
  audited: ['Region', 'Result', 'Conflict', 'VersionId', 'Connections'],
  ...CLOCK,
});
