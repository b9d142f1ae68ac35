/**
 * `secretsmanager:` operations, Keystead's own, that make secrets of other programs' files. A file is read once (`OpenImport`), looked at as often as
 * wanted (`PreviewImport`, which answers with no value), and written as it was confirmed, some rows at a time (`ImportSecrets`): what was answered
 * is on the disk. What is read waits in memory, and is wiped when it is closed, after a quarter of an hour, and at lock.
 */
import { z } from 'zod';
import { FORMATS, NOTES } from '../model/import-formats.ts';
import * as common from './fields.ts';
import { operation, secret } from './operation.ts';
import * as f from './secret-fields.ts';

/** Bytes that a request can carry; a larger file is given by its path. */
export const MOST_CONTENT = 655_360;
/** Rows of one ImportSecrets. */
export const MOST_IMPORTED = 100;
/** Bytes that the rows of one ImportSecrets may need in its record of the trail, which names each secret: a record has 16,384 (`trail/segment.ts`), the rest are of its other fields. */
export const MOST_RECORDED = 15_360;
const LONGEST_RECORDED = 512;
/** Bytes of a row of that name in the record, at the most: the ARN has 62 besides name and region (up to 34 characters), and a name that is kept beside another up to 4 more. */
export const recordedBytes = (name: string): number => Math.min(name.length, LONGEST_RECORDED) + 100;
/** Of one answer. */
export const MOST_SHOWN = 500;

/** With `needs` and `doors`. */
const OWN = { needs: 'unlocked', doors: ['ipc', 'cli'], command: { hidden: true } } as const;
const importId = z.uuid().describe('From OpenImport');
const GONE = ['ResourceNotFoundException'] as const;

export const openImport = operation({
  name: 'secretsmanager:OpenImport',
  summary: 'Read a file of secrets, for a preview',
  input: () => z.strictObject({
    Path: common.absolutePath.optional().describe('The file, which the vault reads; this or Content'),
    Content: secret({ min: 1, max: MOST_CONTENT }).optional().describe('Its bytes; this or Path'),
    FileName: z.string().min(1).max(255).optional().describe('With Content: what the file was called, for SuggestedName'),
  }),
  output: () => z.strictObject({
    ImportId: z.string(),
    Format: z.enum(FORMATS),
    Layouts: z.array(z.enum(['one', 'each'])).describe('What can become of it: one secret with all fields, or one secret each. The first is the usual one'),
    Entries: z.int(),
    Fields: z.int(),
    SuggestedName: z.string().describe('For one secret: after the file’s name'),
    Notes: z.array(z.enum(NOTES)).describe('What is left behind, or taken as it stands'),
  }),
  errors: ['FileNotReadableException'],
  effect: 'use',
  audited: ['Path'],
  ...OWN,
});

export const ROW_STATES = ['New', 'Same', 'Different', 'Duplicate', 'Deleting', 'Refused'] as const;
export const REFUSALS = ['Empty', 'TooLarge', 'NameTooLong'] as const;

export const previewImport = operation({
  name: 'secretsmanager:PreviewImport',
  summary: 'Show what would become of a file of secrets, without its values',
  input: () => z.strictObject({
    ImportId: importId,
    Layout: z.enum(['one', 'each']),
    Name: z.string().max(512).optional().describe('Of the one secret; after the prefix'),
    Prefix: z.string().max(256).default('').describe('In front of every name, such as `prod/`'),
    From: z.int().nonnegative().default(0).describe('First row to show; above 0 with Preview'),
    Preview: z.int().optional().describe('With From above 0: the number that the first page answered; one that is not the last is refused'),
    MaxResults: z.int().min(1).max(MOST_SHOWN).default(MOST_SHOWN),
  }),
  output: () => z.strictObject({
    Preview: z.int().describe('Number of this preview, for ImportSecrets'),
    Total: z.int(),
    Counts: z.record(z.enum(ROW_STATES), z.int()),
    Rows: z.array(
      z.strictObject({
        Row: z.int(),
        Name: z.string().describe('Of the secret'),
        Source: z.string().describe('What it is called in the file'),
        Line: z.int().optional(),
        State: z.enum(ROW_STATES).describe('New: there is no such secret. Same: there is, with this value. Different: with another. Duplicate: an earlier row has this name. Deleting: its deletion is planned. Refused: see Refusal'),
        Refusal: z.enum(REFUSALS).optional(),
        Fields: z.array(z.string()).describe('Names of its fields, the first 64; none of a secret that is one text'),
        FieldCount: z.int(),
        Repeated: z.array(z.string()).describe('Names that are in it more than once: the last one counts'),
      }),
    ),
  }),
  errors: [...GONE, 'InvalidParameterException', 'DecryptionFailure'],
  effect: 'use',
  audited: ['ImportId', 'Layout', 'Prefix'],
  ...OWN,
});

export const IMPORT_ACTIONS = ['Create', 'Replace', 'Keep'] as const;
export const IMPORT_OUTCOMES = ['Created', 'Replaced', 'Unchanged', 'Conflict'] as const;

export const importSecrets = operation({
  name: 'secretsmanager:ImportSecrets',
  summary: 'Make secrets of rows of a preview; the same request again changes nothing',
  input: () => z.strictObject({
    ImportId: importId,
    Preview: z.int().describe('The preview that was confirmed'),
    Rows: z
      .array(z.strictObject({ Row: z.int().nonnegative(), Action: z.enum(IMPORT_ACTIONS) }))
      .min(1)
      .max(MOST_IMPORTED)
      .describe('Create: only where there is no such secret. Replace: a new version where there is one. Keep: beside it, under a name with a number. Names have 15,360 bytes together, 100 for each row included'),
  }),
  output: () => z.strictObject({ Results: z.array(z.strictObject({ ...f.named, Row: z.int(), VersionId: f.versionId.optional(), Outcome: z.enum(IMPORT_OUTCOMES).describe('Conflict: nothing was written, since it is another state than was confirmed') })) }),
  errors: f.SEALING,
  effect: 'write',
  audited: ['ImportId', 'Preview'],
  ...OWN,
});

export const closeImport = operation({
  name: 'secretsmanager:CloseImport',
  summary: 'Wipe what was read of a file of secrets',
  input: () => z.strictObject({ ImportId: importId }),
  output: () => z.strictObject({}),
  errors: [],
  effect: 'use',
  audited: ['ImportId'],
  ...OWN,
});

export const eraseImportedFile = operation({
  name: 'secretsmanager:EraseImportedFile',
  summary: 'Overwrite and delete the file that was imported, if it is still the same',
  input: () => z.strictObject({
    ImportId: importId,
    Path: common.absolutePath.describe('As it was given to OpenImport'),
    NotImported: z.int().nonnegative().describe('Rows of the preview that are not in the vault, as the person was told: another number is refused'),
  }),
  output: () => z.strictObject({ Path: z.string(), Size: z.int().describe('Bytes that were overwritten'), Certain: z.literal(false).describe('SSDs, copy-on-write file systems, snapshots and backups may keep what was there') }),
  errors: [...GONE, 'InvalidRequestException', 'FileNotReadableException'],
  effect: 'use',
  audited: ['ImportId', 'Path', 'NotImported'],
  ...OWN,
});
