/**
 * `window:` operations: what the window asks of the desktop that it is shown on. Only the window's own door has them. Values go out to the
 * clipboard from here, past the page, and none is ever read back into it.
 */
import { z } from 'zod';
import { CLIPBOARD_SECONDS, THEMES } from '../model/config.ts';
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import { codecFor, COMMON_ERRORS, operation, secret, timestamp, type Operation } from './operation.ts';

/** Bytes of a value that a clipboard is given, before any encoding: more than any secret has. */
export const MOST_COPIED = 65_536;
/** Bytes of a file that the window writes: in base64 it must fit a message. */
export const MOST_SAVED = 524_288;

const settings = {
  Theme: z.enum(THEMES),
  ClipboardSeconds: z.int().min(CLIPBOARD_SECONDS.least).max(CLIPBOARD_SECONDS.most).describe('Seconds that a copied value stays in the clipboard; 0 until the vault is locked'),
  Notifications: z.boolean().describe('Whether the desktop is told of what happens'),
  SingleLetterKeys: z.boolean().describe('Whether single letters are shortcuts in lists and details'),
};

export const describeSettings = operation({
  name: 'window:DescribeSettings',
  summary: 'Show how the window is, and what the desktop under it can do',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    ...settings,
    Host: z.enum(['electron', 'chromium']).describe('What shows the window'),
    Copies: z.boolean().describe('Whether a value can be copied without the page'),
    Picks: z.boolean().describe('Whether files are chosen in the desktop’s own dialog'),
    Notifies: z.boolean().describe('Whether there is a desktop to tell of what happens'),
    Home: z.string().optional().describe('The folder that a path means by `~`'),
  }),
  errors: [],
  effect: 'read',
  needs: 'any',
  doors: ['ipc'],
  audited: [],
  command: { hidden: true },
  recorded: false,
});

export const updateSettings = operation({
  name: 'window:UpdateSettings',
  summary: 'Change the settings of the window that are given, for every vault',
  input: () => z.strictObject({ Theme: settings.Theme.optional(), ClipboardSeconds: settings.ClipboardSeconds.optional(), Notifications: settings.Notifications.optional(), SingleLetterKeys: settings.SingleLetterKeys.optional() }),
  output: () => z.strictObject(settings),
  errors: [],
  effect: 'control',
  needs: 'any',
  doors: ['ipc'],
  audited: ['Theme', 'ClipboardSeconds', 'Notifications', 'SingleLetterKeys'],
  command: { hidden: true },
});

const encoding = z.enum(['text', 'base64', 'hex']);
const asEncoding = encoding.optional().describe('How bytes are written; as text where they are UTF-8 without control characters, else base64, if left out');
const copied = z.strictObject({
  Encoding: encoding,
  Size: z.int().describe('Bytes of the value'),
  ClearsAt: timestamp().optional().describe('When it is taken out of the clipboard again, if it is still there; absent: when the vault is locked'),
});

export const copyValue = operation({
  name: 'window:CopyValue',
  summary: 'Put a value into the clipboard, for the time that the settings say',
  input: () => z.strictObject({ Value: secret({ min: 1, max: MOST_COPIED }), Encoding: asEncoding }),
  output: () => copied,
  errors: ['UnsupportedOperationException'],
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc'],
  audited: ['Encoding'],
  command: { hidden: true },
});

/** Fields of an answer that can be copied without the window seeing them: none, unless it reads or uses, at the window's door, and gives a value. */
export function copyableFields({ effect, doors, output }: Operation): readonly string[] {
  if (!(effect === 'read' || effect === 'use') || !doors.includes('ipc') || !(output instanceof z.ZodObject)) return [];
  return Object.entries<z.ZodType>(output.shape).flatMap(([name, schema]) => (codecFor(schema) === 'secret' ? [name] : []));
}

const common: ReadonlySet<ErrorCode> = new Set(COMMON_ERRORS);

export const copyOutput = operation({
  name: 'window:CopyOutput',
  summary: 'Ask for something and put one value of the answer into the clipboard, without the window seeing it',
  input: () => z.strictObject({
    Operation: z.string().max(64).describe('Such as kms:Decrypt: one that reads or uses and answers with a value'),
    Input: z.record(z.string(), z.unknown()).describe('As that operation takes it, bytes in base64'),
    Field: z.string().max(64).optional().describe('Of its answer, such as Plaintext; the first value that is in it, if left out'),
    Member: z.string().max(4096).optional().describe('Of an object of JSON in that field: the value of this member alone'),
    Encoding: asEncoding,
  }),
  output: () => copied,
  // Whatever that operation may answer with.
  errors: (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !common.has(code)),
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc'],
  audited: ['Operation', 'Field', 'Encoding'],
  command: { hidden: true },
});

export const clearClipboard = operation({
  name: 'window:ClearClipboard',
  summary: 'Take what was copied out of the clipboard again, if it is still there',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Cleared: z.boolean().describe('False: nothing was copied, or it holds something else by now') }),
  errors: [],
  effect: 'control',
  needs: 'any',
  doors: ['ipc'],
  audited: [],
  command: { hidden: true },
});

export const pickFile = operation({
  name: 'window:PickFile',
  summary: 'Let the person choose a file in the desktop’s own dialog',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    Path: z.string().optional().describe('Absent: the person chose none'),
    Name: z.string().optional(),
    Size: z.int().optional().describe('Bytes'),
  }),
  errors: ['UnsupportedOperationException', 'FileNotReadableException'],
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc'],
  audited: [],
  command: { hidden: true },
});

export const saveFile = operation({
  name: 'window:SaveFile',
  summary: 'Write what the window shows to a file where the person wants it',
  input: () => z.strictObject({
    // A name that a file can have everywhere, and that hides nothing.
    SuggestedName: z.string().min(1).max(120).regex(/^[^\u0000-\u001f\u007f-\u009f/\\:*?"<>|.][^\u0000-\u001f\u007f-\u009f/\\:*?"<>|]*$/, 'must be the plain name of a file'),
    Content: secret({ max: MOST_SAVED }),
    Private: z.boolean().default(false).describe('Whether only this user may read the file'),
  }),
  output: () => z.strictObject({ Path: z.string().optional().describe('Absent: the person chose none, and nothing was written') }),
  errors: ['UnsupportedOperationException'],
  effect: 'control',
  needs: 'unlocked',
  doors: ['ipc'],
  audited: ['SuggestedName', 'Private'],
  command: { hidden: true },
});
