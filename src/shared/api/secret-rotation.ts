/** `secretsmanager:` operations of rotation: AWS's two, and what Keystead has beside them. AWS Secrets Manager API Reference, version 2017-10-17. */
import { z } from 'zod';
import { operation, refused, timestamp } from './operation.ts';
import * as f from './secret-fields.ts';

const ROTATORS = ['generic', 'postgres', 'mysql', 'mariadb', 'redis', 'command', 'lambda'] as const;
const ENGINES = ['postgres', 'mysql', 'mariadb', 'redis'] as const;
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret', 'restoreSecret', 'retireSecret'] as const;
const NOTES = ['already-set', 'no-tls', 'acl-not-saved', 'log-may-show-password', 'old-still-valid', 'logged-in-with-previous', 'clone-created', 'nothing-to-finish'] as const;
const notes = z.array(z.enum(NOTES)).max(NOTES.length).optional().describe('Of what went well: what is worth knowing about it');

export const rotateSecret = operation({
  name: 'secretsmanager:RotateSecret',
  summary: 'Rotate a secret, and say how and when from now on',
  input: () => z.strictObject({
    SecretId: f.secretId,
    ClientRequestToken: f.requestToken.optional(),
    RotationLambdaARN: z.string().max(2048).optional().describe('A rotator by its ARN, as DescribeSecret shows it; that of `secret set-rotator` if left out'),
    RotationRules: f.rotationRules.optional(),
    RotateImmediately: z.boolean().default(true).describe('False: only in the next window'),
    ExternalSecretRotationMetadata: refused('leave it out: there are no partners'),
    ExternalSecretRotationRoleArn: refused('leave it out: there are no partners'),
  }),
  output: () => z.strictObject({ ...f.named, VersionId: f.versionId.optional().describe('The version that is being made') }),
  errors: [...f.READING, 'LimitExceededException'],
  effect: 'write',
  audited: ['SecretId', 'ClientRequestToken', 'RotationLambdaARN', 'RotationRules', 'RotateImmediately'],
  command: { alias: 'secret rotate' },
  ...f.BY_SECRET,
});

export const cancelRotateSecret = operation({
  name: 'secretsmanager:CancelRotateSecret',
  summary: 'Turn scheduled rotation off and leave one that is under way where it is',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject({ ...f.named, VersionId: f.versionId.optional().describe('The version under AWSPENDING, which may not be complete') }),
  errors: f.CHANGING,
  effect: 'write',
  audited: ['SecretId'],
  command: { alias: 'secret cancel-rotation' },
  ...f.BY_SECRET,
});

const OWN = { needs: 'unlocked', doors: ['ipc', 'cli'], resource: { kind: 'secret', field: 'SecretId' } } as const;

const rotator = {
  Rotator: z.enum(ROTATORS).describe('What changes the password where it is used; generic: a new random value, nothing set outside'),
  Strategy: z.enum(['single', 'alternating']).default('single').describe('alternating: two users take turns, so that the one before goes on working'),
  PasswordLength: z.int().min(8).max(4096).default(32),
  ExcludeCharacters: z.string().max(128).optional().describe('Left out of new passwords; for databases `/@"\'\\` and the space if not given'),
  ExcludePunctuation: z.boolean().default(false),
  Member: z.string().min(1).max(256).default('password').describe('Which member of a JSON value is the password'),
  Command: z.string().min(1).max(64).optional().describe('With `command`: the name of an allowed command'),
  Url: z.string().min(1).max(2048).optional().describe('With `lambda`: where the rotation event is posted'),
  CertificateAuthority: f.authority.optional().describe('With `lambda`: PEM of the authorities to trust there in place of the usual ones'),
  Hosts: z.array(z.string().min(1).max(255)).max(16).optional().describe('Hosts that may be connected to besides the one that the value names'),
  OverlapHours: z.int().min(0).max(8784).default(0).describe('How long the next rotation waits while somebody still uses the previous version'),
};

export const setRotator = operation({
  name: 'secretsmanager:SetRotator',
  summary: 'Say what rotates a secret',
  input: () => z.strictObject({ SecretId: f.secretId, ...rotator }),
  output: () => z.strictObject({ ...f.named, RotationLambdaARN: z.string().describe('Names the rotator for RotateSecret') }),
  errors: f.READING,
  effect: 'write',
  audited: ['SecretId', 'Rotator', 'Strategy', 'Member', 'Command', 'Url', 'Hosts', 'OverlapHours'],
  command: { alias: 'secret set-rotator' },
  ...OWN,
});

const step = z.strictObject({
  Step: z.enum(STEPS).describe('restoreSecret: the current value was set again where it is used; retireSecret: the old one was taken away there'),
  Attempt: z.int(),
  Started: timestamp(),
  Ended: timestamp(),
  Code: z.string().optional().describe('Why it failed, as the other side names it'),
  Reason: z.string().optional(),
  Connections: z.array(z.string()).optional(),
  Notes: notes,
});
const window = z.strictObject({ Opens: timestamp(), Closes: timestamp() });

export const describeRotation = operation({
  name: 'secretsmanager:DescribeRotation',
  summary: 'Show how a secret is rotated, the rotation that is under way, those before, and who uses which version',
  input: () => z.strictObject({ SecretId: f.secretId }),
  output: () => z.strictObject({
    ...f.named,
    RotationEnabled: z.boolean(),
    Rotator: z.enum(ROTATORS).optional().describe('Absent: none is set'),
    Engine: z.enum(ENGINES).optional().describe('The database that the current value names as its `engine`, where there is a rotator for it'),
    Strategy: z.enum(['single', 'alternating']).optional(),
    PasswordLength: z.int().optional(),
    ExcludeCharacters: z.string().optional(),
    ExcludePunctuation: z.boolean().optional(),
    Member: z.string().optional(),
    Command: z.string().optional(),
    Url: z.string().optional(),
    CertificateAuthority: z.string().optional().describe('Trusted at `Url` in place of the usual ones'),
    Hosts: z.array(z.string()).optional(),
    OverlapHours: z.int().optional(),
    RotationRules: f.rotationRules.optional(),
    LastRotatedDate: timestamp().optional(),
    Paused: timestamp().optional().describe('Since when nothing begins by itself'),
    Due: timestamp().optional().describe('When the next rotation begins'),
    HeldUntil: timestamp().optional().describe('Until when at most the next rotation waits for those who still use the previous version'),
    Windows: z.array(window).describe('The next five'),
    Run: z
      .strictObject({
        VersionId: f.versionId,
        Cause: z.enum(['schedule', 'asked']),
        Started: timestamp(),
        Attempt: z.int(),
        Step: z.enum(STEPS),
        Until: timestamp().optional().describe('The step is tried again then'),
        Ending: z.enum(['failed', 'stopped']).optional(),
        Steps: z.array(step),
      })
      .optional(),
    Ended: z.array(
      z.strictObject({
        VersionId: f.versionId,
        Cause: z.enum(['schedule', 'asked']),
        Started: timestamp(),
        Ended: timestamp(),
        Attempts: z.int(),
        Result: z.enum(['rotated', 'failed', 'stopped']),
        Left: z.enum(['nothing', 'pending']).describe('pending: the version is still there under AWSPENDING'),
        Restored: z.boolean().describe('The current value was set again where it is used'),
        Steps: z.array(step),
      }),
    ).describe('Most recent first, at most 20'),
    Pending: f.versionId.optional().describe('A version under AWSPENDING that no rotation is working on'),
    Consumers: z.array(z.strictObject({ Principal: z.string(), Door: z.string(), VersionId: f.versionId, Stage: f.stage.optional(), At: timestamp() })).describe('Who read which version last, most recent first; not the window'),
  }),
  errors: f.FINDING,
  effect: 'read',
  audited: ['SecretId'],
  command: { alias: 'secret describe-rotation' },
  ...OWN,
});

/** What a list of secrets says of their rotation. */
export const listRotations = operation({
  name: 'secretsmanager:ListRotations',
  summary: 'List the secrets whose rotation is under way, has failed, or should have been done',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Rotations: z.array(z.strictObject({ ...f.named, State: z.enum(['rotating', 'retrying', 'failed', 'overdue']).describe('overdue: its window is past, and it was not rotated'), Since: timestamp() })).describe('By name, at most 1,000'),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'secret list-rotations' },
});

export const previewRotation = operation({
  name: 'secretsmanager:PreviewRotation',
  summary: 'Show when a schedule would rotate: the next five windows',
  input: () => z.strictObject({ RotationRules: f.rotationRules }),
  output: () => z.strictObject({ Windows: z.array(window) }),
  errors: ['InvalidParameterException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'secret preview-rotation' },
});

const bySecret = <const N extends `secretsmanager:${string}`, const A extends string>(name: N, summary: string, alias: A) =>
  operation({ name, summary, input: () => z.strictObject({ SecretId: f.secretId }), output: () => z.strictObject(f.named), errors: f.CHANGING, effect: 'write', audited: ['SecretId'], command: { alias }, ...OWN });

export const pauseRotation = bySecret('secretsmanager:PauseRotation', 'Let no rotation begin by itself until it is resumed', 'secret pause-rotation');
export const resumeRotation = bySecret('secretsmanager:ResumeRotation', 'Let rotations begin by themselves again', 'secret resume-rotation');
export const stopRotation = bySecret('secretsmanager:StopRotation', 'End the rotation that is under way, or let go of what one has left, and keep the current version', 'secret stop-rotation');

const outcome = {
  Ok: z.boolean(),
  Code: z.string().optional(),
  Reason: z.string().optional(),
  Connections: z.array(z.string()).describe('Each one that was tried: host, port, TLS and how long it took'),
  Notes: notes,
};

export const testRotator = operation({
  name: 'secretsmanager:TestRotator',
  summary: 'Connect with the current value and look whether it could be rotated; changes nothing',
  input: () => z.strictObject({ SecretId: f.secretId, ...rotator, Rotator: rotator.Rotator.optional().describe('To try one before it is set; the one that is set if left out') }),
  output: () => z.strictObject(outcome),
  errors: f.READING,
  effect: 'use',
  audited: ['SecretId', 'Rotator', 'Strategy', 'Command', 'Url', 'Hosts'],
  command: { alias: 'secret test-rotator' },
  ...OWN,
});

const CLOCK = { needs: 'unlocked', doors: ['schedule'], command: { hidden: true } } as const;
const ofStep = { SecretId: f.secretId, ClientRequestToken: f.versionId, Step: z.enum(STEPS), Attempt: z.int().min(1) };

/** The clock's own: rotations whose time has come begin, retries go on. */
export const rotateDueSecrets = operation({
  name: 'secretsmanager:RotateDueSecrets',
  summary: 'Begin the rotations whose time has come',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ ARNs: z.array(z.string()) }),
  errors: [],
  effect: 'write',
  audited: [],
  ...CLOCK,
});

/** The clock's own: one step outside of the vault. No transaction is open meanwhile. */
export const runRotationStep = operation({
  name: 'secretsmanager:RunRotationStep',
  summary: 'Do one step of a rotation outside of the vault',
  input: () => z.strictObject(ofStep),
  output: () => z.strictObject({ ...outcome, Uncertain: z.boolean().optional().describe('It failed, and what it changes may still come') }),
  errors: f.READING,
  effect: 'use',
  audited: ['ClientRequestToken', 'Step', 'Attempt'],
  ...CLOCK,
  resource: OWN.resource,
});

/** The clock's own: how a step ended. A step that is the vault's own work is done here, in the same transaction. */
export const recordRotationStep = operation({
  name: 'secretsmanager:RecordRotationStep',
  summary: 'Write down how a step of a rotation ended',
  input: () => z.strictObject({ ...ofStep, Started: timestamp(), Code: z.string().max(64).optional(), Reason: z.string().max(1024).optional(), Uncertain: z.boolean().optional(), Connections: z.array(z.string()).max(8).optional(), Notes: notes }),
  output: () => z.strictObject({
    Result: z.enum(['rotated', 'failed', 'stopped']).optional().describe('Absent: the rotation goes on'),
    Left: z.enum(['nothing', 'pending']).optional(),
    Cause: z.enum(['schedule', 'asked']).optional(),
    Next: z.enum(STEPS).optional(),
  }),
  errors: f.SEALING,
  effect: 'write',
  audited: ['ClientRequestToken', 'Step', 'Attempt', 'Code', 'Reason', 'Uncertain', 'Connections', 'Notes'],
  ...CLOCK,
  resource: OWN.resource,
});
