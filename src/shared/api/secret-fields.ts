/** Fields and errors that several `secretsmanager:` operations share, with AWS's limits. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { secret, secretText, timestamp } from './operation.ts';

/** Bytes of the longest value. */
export const MAX_SECRET_VALUE = 65_536;
/** PEM of the authorities that are trusted at an address: characters, enough for a whole system's. */
export const authority = z.string().max(262_144).describe('PEM of the authorities to trust there in place of the usual ones');
/** In one BatchGetSecretValue. */
export const MAX_BATCH = 20;

/** Its form is judged where it is resolved. */
export const secretId = z.string().min(1).max(2048).describe('Name or ARN of the secret; the ARN also without its last seven characters');
export const requestToken = z.string().min(32).max(64).describe('Names the new version, so that the same request again changes nothing; made up if left out');
export const versionId = z.string().min(32).max(64);
export const stage = z.string().min(1).max(256);
export const pageToken = z.string().min(1).max(4096);
export const about = z.string().max(2048);
export const kmsKeyId = z.string().max(2048).describe('Key that encrypts the values: id, ARN, alias or alias ARN; `alias/aws/secretsmanager` if empty or left out');
export const secretString = secretText({ min: 1, max: MAX_SECRET_VALUE }).optional().describe('The value as text; this or SecretBinary');
export const secretBinary = secret({ min: 1, max: MAX_SECRET_VALUE }).optional().describe('The value as bytes; this or SecretString');
/** Their characters, `aws:`, repetitions and number are judged by the domain (InvalidParameterException). */
export const tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).describe('[{"Key": …, "Value": …}]; not secret, at most 50 on a secret');
export const FILTER_KEYS = ['description', 'name', 'tag-key', 'tag-value', 'primary-region', 'owning-service', 'all'] as const;
export const filters = z
  .array(z.strictObject({ Key: z.enum(FILTER_KEYS), Values: z.array(z.string().regex(/^!?[a-zA-Z0-9 :_@/+=.!-]*$/).max(512)).min(1).max(10) }))
  .max(10)
  .describe('[{"Key": "name", "Values": ["prod/"]}]; every filter must fit, and of its values one; `!` in front of a value: what it does not fit');

/** Its grammar is judged by the domain (InvalidParameterException). */
export const rotationRules = z
  .strictObject({ AutomaticallyAfterDays: z.int().min(1).max(1000).optional(), Duration: z.string().min(2).max(3).optional(), ScheduleExpression: z.string().min(1).max(256).optional() })
  .describe('{"ScheduleExpression": "rate(10 days)", "Duration": "3h"}, or {"AutomaticallyAfterDays": 30}; times in UTC');

/** What every answer about one secret names it by. */
export const named = { ARN: z.string(), Name: z.string() };
export const stages = z.array(stage);
/** A revealed value. */
export const value = { ...named, VersionId: versionId, SecretBinary: secretBinary, SecretString: secretString, VersionStages: stages, CreatedDate: timestamp() };

/** A name space of this vault, or the name of a remote. Its form is judged by the domain (InvalidParameterException). */
export const replicaRegion = z.string().min(1).max(128);
export const replicaRegions = z
  .array(z.strictObject({ Region: replicaRegion, KmsKeyId: z.string().min(1).max(2048).optional() }))
  .min(1)
  .describe('[{"Region": "eu-west-1", "KmsKeyId": …}]; the key is one of that region, `alias/aws/secretsmanager` if left out; a remote of `keystead secret list-remotes` is named like a region');
export const forceOverwrite = z.boolean().describe('Also where a secret of the name exists there already, which is lost then; at a remote its current version gives way and is kept as long as the remote keeps it');
export const replicaState = {
  KmsKeyId: z.string(),
  Status: z.enum(['InSync', 'Failed', 'InProgress']),
  StatusMessage: z.string().optional(),
  LastAccessedDate: timestamp().optional(),
};
export const replicationStatus = z.array(z.strictObject({ Region: z.string(), ...replicaState }));

/** What is known of a secret, without its values. */
export const known = {
  ...named,
  Description: about.optional(),
  KmsKeyId: z.string().optional().describe('Absent: `alias/aws/secretsmanager`'),
  LastChangedDate: timestamp(),
  LastAccessedDate: timestamp().optional().describe('Midnight UTC of the day on which a value was last read'),
  DeletedDate: timestamp().optional().describe('When it is destroyed, while its deletion is planned'),
  Tags: tags,
  CreatedDate: timestamp(),
  PrimaryRegion: z.string().optional().describe('Absent: it is not replicated'),
  RotationEnabled: z.boolean().optional().describe('Absent: it was never set up'),
  RotationLambdaARN: z.string().optional(),
  RotationRules: rotationRules.optional(),
  LastRotatedDate: timestamp().optional(),
  NextRotationDate: timestamp().optional().describe('The end of the next window; past where a rotation could not be done'),
};
/** Each version that has a stage, and its stages. */
export const versionsToStages = z.record(z.string(), stages);

export const FINDING = ['ResourceNotFoundException', 'InvalidParameterException'] as const;
export const CHANGING = [...FINDING, 'InvalidRequestException'] as const;
export const READING = [...CHANGING, 'DecryptionFailure'] as const;
export const SEALING = [...READING, 'EncryptionFailure', 'ResourceExistsException', 'LimitExceededException'] as const;

/** With `needs`, `doors` and the resource of an operation on one secret. */
export const DOORS = ['ipc', 'cli', 'aws'] as const;
export const BY_SECRET = { needs: 'unlocked', doors: DOORS, resource: { kind: 'secret', field: 'SecretId' } } as const;
