/** `trail:` operations: prove that the record of what happened is whole, anchor it outside, and read it. */
import { z } from 'zod';
import * as f from './fields.ts';
import { blob, operation, timestamp } from './operation.ts';
import { proof, PROOF_ERRORS } from './slots.ts';
import { oneFactor } from './token-factor.ts';
import { vaultPhase } from './vault.ts';

const index = z.int().min(0);

const broken = z.strictObject({
  Segment: z.int(),
  Index: z.int().describe('The first bad record'),
  Offset: z.int().describe('In bytes, inside the segment file'),
  What: z.enum(['header', 'hash', 'mac', 'index', 'torn', 'decrypt', 'next-key', 'behind-state', 'fork', 'missing-segment']),
});

export const verifyTrail = operation({
  name: 'trail:VerifyTrail',
  summary: 'Check every record of the trail and name the first bad one',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Intact: z.boolean(),
    Records: z.int(),
    Segments: z.int(),
    LastIndex: z.int().describe('-1 in an empty trail'),
    LastHash: f.hex,
    FirstIndex: z.int().optional().describe('Of the first record, once a new chain was started'),
    Broken: broken.optional(),
    Timeline: z
      .strictObject({ Start: timestamp(), BinSeconds: z.number().positive(), Requests: z.array(z.int()), Checkpoints: z.array(z.int()) })
      .optional()
      .describe('Ended requests and signed checkpoints in at most 96 bins of equal length from Start on'),
    Unfinished: z
      .array(z.strictObject({ Index: z.int(), RequestId: z.string(), Operation: z.string(), Time: timestamp() }))
      .describe('Intents without an outcome, at most 1,000: begun, and never known to have ended'),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'schedule'],
  audited: [],
  command: { alias: 'trail verify' },
});

const envelope = blob({ min: 1, max: 65_536 });

export const exportCheckpoint = operation({
  name: 'trail:ExportCheckpoint',
  summary: 'Sign how far the trail has come, to be kept outside of the vault',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Checkpoint: envelope.describe('DSSE envelope in JSON'),
    PublicKey: blob({ min: 1, max: 8192 }).describe('SubjectPublicKeyInfo in DER, Ed25519'),
    Index: index,
    Hash: f.hex,
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'trail checkpoint' },
});

export const signCheckpoint = operation({
  name: 'trail:SignCheckpoint',
  summary: 'Have a key of yours, such as one in a token, sign a checkpoint besides the vault; also later, where the token was away',
  input: () => z.strictObject({ Checkpoint: envelope.describe('What ExportCheckpoint returned'), KeyId: f.keyReference.describe('Key id, key ARN, alias name or alias ARN') }),
  output: () => z.strictObject({
    Checkpoint: envelope.describe('The same with one more signature'),
    KeyId: z.string().describe('ARN of the key'),
    SigningAlgorithm: f.signingAlgorithm,
    PublicKey: blob({ min: 1, max: 8192 }).describe('SubjectPublicKeyInfo in DER'),
  }),
  errors: ['NotFoundException', 'InvalidArnException', 'DisabledException', 'InvalidKeyUsageException', 'UnsupportedOperationException', 'KMSInvalidStateException', 'KMSInvalidSignatureException', 'KeyUnavailableException', 'LimitExceededException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const setCheckpointKey = operation({
  name: 'trail:SetCheckpointKey',
  summary: 'Choose the key that signs checkpoints besides the vault where no other is asked for, such as one in a token; without a key, none does',
  input: () => z.strictObject({ KeyId: f.keyReference.optional().describe('Key id, key ARN, alias name or alias ARN; it stands for the key that it names now') }),
  output: () => z.strictObject({ KeyId: z.string().optional().describe('ARN of the key') }),
  errors: ['NotFoundException', 'InvalidArnException', 'InvalidKeyUsageException', 'UnsupportedOperationException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const describeCheckpointKey = operation({
  name: 'trail:DescribeCheckpointKey',
  summary: 'Show which key signs checkpoints besides the vault',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    KeyId: z.string().optional().describe('ARN of the key; absent: the vault signs alone'),
    Exists: z.boolean().optional().describe('false: it was deleted since; choose another'),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
});

export const verifyCheckpoint = operation({
  name: 'trail:VerifyCheckpoint',
  summary: 'Check that the trail still contains what a checkpoint signed',
  input: () => z.strictObject({ Checkpoint: envelope.describe('What ExportCheckpoint or SignCheckpoint returned'), KeyId: f.keyReference.optional().describe('A key of this vault that has to have signed it, too') }),
  output: () => z.strictObject({
    Relation: z
      .enum(['contained', 'contradicted', 'ahead', 'foreign', 'setAside'])
      .describe('contained: fits. contradicted: the trail was rewritten. ahead: the trail was cut or put back. foreign: of another vault. setAside: of a chain that was broken and set aside'),
    SignatureValid: z.boolean(),
    SecondSignatureValid: z.boolean().optional().describe('With KeyId: whether that key has signed it'),
    Index: index,
    Hash: f.hex,
    Created: timestamp(),
  }),
  errors: ['NotFoundException', 'InvalidArnException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const lookupEvents = operation({
  name: 'trail:LookupEvents',
  summary: 'Read the trail, newest first, a page at a time',
  input: () => z
    .strictObject({
      Before: index.optional().describe('Only records with a smaller index; NextBefore of the page before'),
      After: index.optional().describe('Only records with a larger index'),
      Limit: z.int().min(1).max(500).default(50).describe('At most this many'),
      Operation: z.string().min(1).max(128).optional().describe('For example `kms:Sign`'),
      Principal: z.string().min(1).max(256).optional(),
      Result: z.enum(['ok', 'denied', 'failed']).optional(),
      RequestId: f.uuid.optional(),
    })
    .superRefine((input, issues) => {
      if (input.Before !== undefined && input.After !== undefined && input.Before <= input.After) {
        issues.addIssue({ code: 'custom', path: ['Before'], message: 'must be greater than `After`' });
      }
    }),
  output: () => z.strictObject({
    Events: z.array(
      z.strictObject({
        Index: z.int(),
        Time: timestamp(),
        Kind: z.string().describe('intent, outcome, or what the vault notes of itself'),
        Operation: z.string().optional(),
        RequestId: z.string().optional(),
        Door: z.string().optional(),
        Principal: z.string().optional(),
        Resource: z.string().optional(),
        Result: z.enum(['ok', 'denied', 'failed']).optional(),
        Error: z.string().optional().describe('Error code'),
        Input: z.record(z.string(), z.unknown()).optional().describe('The audited fields only'),
        Note: z.string().optional().describe('Reasons and counts'),
      }),
    ),
    NextBefore: z.int().optional().describe('Absent at the end'),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Before', 'After', 'Limit', 'Operation', 'Principal', 'Result', 'RequestId'],
  command: { alias: 'trail events' },
});

export const startNewChain = operation({
  name: 'trail:StartNewChain',
  summary: 'Set a broken trail aside as evidence and begin a new one',
  input: () => z
    .strictObject({
      DryRun: z.boolean().default(false).describe('Only say what would be set aside'),
      AcceptBreak: z.literal(true).optional().describe('Required unless DryRun: what the old trail held can then be proved by its own files only'),
      ...proof,
    })
    .superRefine((input, issues) => {
      oneFactor(input, issues);
      if (!input.DryRun && input.AcceptBreak !== true) issues.addIssue({ code: 'custom', path: ['AcceptBreak'], message: 'must be true to set the trail aside; see first what `DryRun` says' });
    }),
  output: () => z.strictObject({
    State: vaultPhase,
    Broken: broken.describe('The first thing that is wrong with the old trail'),
    Records: z.int().describe('Of the old trail that fit, before that'),
    Segments: z.int().describe('Files of the old trail'),
    SetAside: z.string().optional().describe('Folder that the old trail was moved to; absent with DryRun, and where there was nothing left to move'),
    FirstIndex: z.int().optional().describe('Of the first record of the new chain; absent with DryRun'),
  }),
  errors: [...PROOF_ERRORS, 'TrailIntactException', 'VaultTooNewException', 'VaultInUseException'],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: ['DryRun', 'AcceptBreak'],
  command: { alias: 'trail start-new-chain', hidden: true },
});

export const exportEvidence = operation({
  name: 'trail:ExportEvidence',
  summary: 'Copy the trail as it is into a new folder, with a report and the hash of each file',
  input: () => z.strictObject({ Folder: f.absolutePath.describe('A new folder; its parent must exist') }),
  output: () => z.strictObject({
    Folder: z.string(),
    Files: z.int().describe('Segment files copied, those of chains that were set aside among them'),
    Records: z.int().optional().describe('Records that fit and are written out readable; only while the vault is unlocked'),
    Broken: broken.optional(),
  }),
  errors: ['FileExistsException', 'FileNotReadableException'],
  effect: 'control',
  needs: 'any',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'trail export-evidence' },
});
