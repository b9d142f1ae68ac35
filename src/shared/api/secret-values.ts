/** `secretsmanager:` operations on values, their versions and staging labels. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { operation, refused, secretText, timestamp } from './operation.ts';
import * as f from './secret-fields.ts';

export const getSecretValue = operation({
  name: 'secretsmanager:GetSecretValue',
  summary: 'Reveal the value of a secret',
  input: () => z.strictObject({
    SecretId: f.secretId,
    VersionId: f.versionId.optional(),
    VersionStage: f.stage.optional().describe('AWSCURRENT if neither this nor VersionId is given'),
  }),
  output: () => z.strictObject(f.value),
  errors: f.READING,
  effect: 'use',
  audited: ['SecretId', 'VersionId', 'VersionStage'],
  command: { alias: 'secret get-value' },
  ...f.BY_SECRET,
});

export const batchGetSecretValue = operation({
  name: 'secretsmanager:BatchGetSecretValue',
  summary: 'Reveal the current values of up to 20 secrets',
  input: () => z.strictObject({
    SecretIdList: z.array(f.secretId).min(1).max(f.MAX_BATCH).optional().describe('This or Filters'),
    Filters: f.filters.optional(),
    MaxResults: z.int().min(1).max(f.MAX_BATCH).optional().describe('At most this many; with Filters only'),
    NextToken: f.pageToken.optional().describe('NextToken of the page before'),
  }),
  output: () => z.strictObject({
    SecretValues: z.array(z.strictObject(f.value)),
    NextToken: f.pageToken.optional(),
    Errors: z.array(z.strictObject({ SecretId: z.string(), ErrorCode: z.string(), Message: z.string() })).describe('One for each secret that could not be read'),
  }),
  errors: [...f.READING, 'InvalidNextTokenException'],
  effect: 'use',
  needs: 'unlocked',
  doors: f.DOORS,
  audited: ['SecretIdList', 'MaxResults'],
  command: { alias: 'secret batch-get-value' },
});

export const putSecretValue = operation({
  name: 'secretsmanager:PutSecretValue',
  summary: 'Give a secret a new version',
  input: () => z.strictObject({
    SecretId: f.secretId,
    ClientRequestToken: f.requestToken.optional(),
    SecretBinary: f.secretBinary,
    SecretString: f.secretString,
    VersionStages: f.stages.min(1).max(20).optional().describe('Staging labels of the new version; AWSCURRENT if left out'),
    RotationToken: refused('leave it out: callers are known by their door'),
  }),
  output: () => z.strictObject({ ...f.named, VersionId: f.versionId, VersionStages: f.stages }),
  errors: f.SEALING,
  effect: 'write',
  audited: ['SecretId', 'ClientRequestToken', 'VersionStages'],
  command: { alias: 'secret put-value' },
  ...f.BY_SECRET,
});

export const listSecretVersionIds = operation({
  name: 'secretsmanager:ListSecretVersionIds',
  summary: 'List the versions of a secret and their staging labels, a page at a time',
  input: () => z.strictObject({
    SecretId: f.secretId,
    MaxResults: z.int().min(1).max(100).default(100).describe('At most this many'),
    NextToken: f.pageToken.optional().describe('NextToken of the page before'),
    IncludeDeprecated: z.boolean().default(false).describe('Also versions without a staging label'),
  }),
  output: () => z.strictObject({
    Versions: z.array(
      z.strictObject({
        VersionId: f.versionId,
        VersionStages: f.stages.optional(),
        LastAccessedDate: timestamp().optional(),
        CreatedDate: timestamp(),
        KmsKeyIds: z.array(z.string()).optional().describe('The key that it is encrypted under; `DefaultEncryptionKey` for `alias/aws/secretsmanager`'),
      }),
    ),
    NextToken: f.pageToken.optional(),
    ...f.named,
  }),
  errors: [...f.FINDING, 'InvalidNextTokenException'],
  effect: 'read',
  audited: ['SecretId', 'MaxResults'],
  command: { alias: 'secret list-versions' },
  ...f.BY_SECRET,
});

export const updateSecretVersionStage = operation({
  name: 'secretsmanager:UpdateSecretVersionStage',
  summary: 'Move, add or remove a staging label; AWSPREVIOUS follows AWSCURRENT',
  input: () => z.strictObject({ SecretId: f.secretId, VersionStage: f.stage, RemoveFromVersionId: f.versionId.optional(), MoveToVersionId: f.versionId.optional() }),
  output: () => z.strictObject(f.named),
  errors: [...f.CHANGING, 'LimitExceededException'],
  effect: 'write',
  audited: ['SecretId', 'VersionStage', 'RemoveFromVersionId', 'MoveToVersionId'],
  command: { alias: 'secret move-stage' },
  ...f.BY_SECRET,
});

export const getRandomPassword = operation({
  name: 'secretsmanager:GetRandomPassword',
  summary: 'Make a random password',
  input: () => z.strictObject({
    PasswordLength: z.int().min(1).max(4096).default(32),
    ExcludeCharacters: z.string().max(4096).default(''),
    ExcludeNumbers: z.boolean().default(false),
    ExcludePunctuation: z.boolean().default(false),
    ExcludeUppercase: z.boolean().default(false),
    ExcludeLowercase: z.boolean().default(false),
    IncludeSpace: z.boolean().default(false),
    RequireEachIncludedType: z.boolean().default(true),
  }),
  output: () => z.strictObject({ RandomPassword: secretText({ min: 1, max: 4096 }) }),
  errors: ['InvalidParameterException'],
  effect: 'use',
  needs: 'unlocked',
  doors: f.DOORS,
  audited: ['PasswordLength'],
  command: { alias: 'secret random-password' },
});

const OWN = { ...f.BY_SECRET, doors: ['ipc', 'cli'] } as const;

export const getOneTimeCode = operation({
  name: 'secretsmanager:GetOneTimeCode',
  summary: 'Make the one-time code of now from a seed that a secret holds',
  input: () => z.strictObject({
    SecretId: f.secretId,
    VersionId: f.versionId.optional(),
    VersionStage: f.stage.optional().describe('AWSCURRENT if neither this nor VersionId is given'),
    Member: z.string().min(1).max(256).optional().describe('Of a value that is an object of JSON: which one holds the seed; the whole value if left out'),
  }),
  output: () => z.strictObject({ Code: secretText({ min: 6, max: 8 }), Digits: z.int(), Period: z.int().describe('Seconds'), ExpirationDate: timestamp() }),
  errors: f.READING,
  effect: 'use',
  audited: ['SecretId', 'VersionId', 'VersionStage', 'Member'],
  command: { alias: 'secret one-time-code' },
  ...OWN,
});

export const getRandomPassphrase = operation({
  name: 'secretsmanager:GetRandomPassphrase',
  summary: 'Make a random passphrase of English words',
  input: () => z.strictObject({
    Words: z.int().min(3).max(20).default(6).describe('11 bits each'),
    Separator: z.string().max(4).default('-'),
    Capitalize: z.boolean().default(false),
    IncludeNumber: z.boolean().default(false).describe('A digit after one of the words'),
  }),
  output: () => z.strictObject({ RandomPassphrase: secretText({ min: 1, max: 4096 }) }),
  errors: [],
  effect: 'use',
  needs: 'unlocked',
  doors: OWN.doors,
  audited: ['Words'],
  command: { alias: 'secret random-passphrase' },
});

/** The clock's own: reads are kept in memory and written a few seconds later, many at once. */
export const recordSecretAccess = operation({
  name: 'secretsmanager:RecordSecretAccess',
  summary: 'Write down on which day secrets were last read',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Versions: z.int() }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});
