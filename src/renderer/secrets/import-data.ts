/**
 * An import as the window sees it: names, states, and what is to be done with each; never a value. What is dropped or pasted is handed to the vault at
 * once and wiped here; a file that is chosen is read by the vault alone.
 */
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { allRows, writeConfirmed, type NamedRow } from '../../shared/api/import-writing.ts';
import { MOST_CONTENT } from '../../shared/api/secret-import.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { CallFailure, client, outputOf } from '../client.ts';

export type ImportRow = Output<'secretsmanager:PreviewImport'>['Rows'][number];
export type Counts = Output<'secretsmanager:PreviewImport'>['Counts'];
export type Layout = 'one' | 'each';

/** What a person says of a row that clashes. */
export const DECISIONS = ['Keep', 'Replace', 'Skip'] as const;
export type Decision = (typeof DECISIONS)[number];
export const DECISION_WORDS: Readonly<Record<Decision, string>> = { Keep: 'Keep both', Replace: 'Replace', Skip: 'Skip' };

export interface Opened extends Output<'secretsmanager:OpenImport'> {
  /** Of a file that the vault has read: it can be erased. */
  readonly path?: string;
}

export type Opening = { readonly ok: true; readonly opened: Opened } | { readonly ok: false; readonly error: CallError };

const tooLarge: CallError = { code: 'ValidationException', message: `what is dropped or pasted can have ${String(MOST_CONTENT / 1024)} KiB; choose the file with Choose…, or use keystead secret import` };

export async function openPath(path: string): Promise<Opening> {
  const answer = await client.secretsmanager.openImport({ Path: path });
  return answer.ok ? { ok: true, opened: { ...answer.output, path } } : { ok: false, error: answer.error };
}

/** Takes ownership of the bytes, which are wiped once they are sent. */
async function openBytes(bytes: Uint8Array, called?: string): Promise<Opening> {
  const content = SecretBytes.take(bytes);
  if (content.length > MOST_CONTENT) {
    content[Symbol.dispose]();
    return { ok: false, error: tooLarge };
  }
  const answer = await client.secretsmanager.openImport({ Content: content, ...(called === undefined || called === '' ? {} : { FileName: called.slice(0, 255) }) });
  return answer.ok ? { ok: true, opened: answer.output } : { ok: false, error: answer.error };
}

export const openText = (text: string): Promise<Opening> => openBytes(new TextEncoder().encode(text));

export async function openFile(file: File): Promise<Opening> {
  if (file.size > MOST_CONTENT) return { ok: false, error: tooLarge };
  try {
    return await openBytes(new Uint8Array(await file.arrayBuffer()), file.name);
  } catch {
    return { ok: false, error: { code: 'FileNotReadableException', message: 'the file cannot be read; choose it with Choose…' } };
  }
}

export interface Previewed {
  readonly number: number;
  readonly rows: readonly ImportRow[];
  readonly counts: Counts;
}

export interface Choice {
  readonly layout: Layout;
  readonly prefix: string;
  readonly name: string;
}

/** Every row. Throws CallFailure. */
export async function preview({ ImportId }: Opened, { layout, prefix, name }: Choice, signal: AbortSignal): Promise<Previewed> {
  const input = { ImportId, Layout: layout, Prefix: prefix, ...(layout === 'one' ? { Name: name } : {}) };
  const first = outputOf(await client.secretsmanager.previewImport(input, { signal }));
  const rows = await allRows(first, async (page) => outputOf(await client.secretsmanager.previewImport({ ...input, ...page }, { signal })));
  return { number: first.Preview, rows, counts: first.Counts };
}

export const isConflict = ({ State }: ImportRow): boolean => State === 'Different' || State === 'Duplicate';

/**
 * What becomes of a row that clashes unless somebody says otherwise. Nothing of the file is left out: of a .env the last of two counts, and two
 * entries of one name are two secrets. And nothing that the vault had before is replaced.
 */
export function usualDecision(rows: readonly ImportRow[], isEnv: boolean): (row: ImportRow) => Decision {
  const firsts = new Map<string, ImportRow['State']>();
  for (const { Name, State } of rows) if (!firsts.has(Name)) firsts.set(Name, State);
  return ({ Name, State }) => (State !== 'Duplicate' ? 'Skip' : !isEnv ? 'Keep' : firsts.get(Name) === 'New' ? 'Replace' : 'Skip');
}

export function confirmed(rows: readonly ImportRow[], decide: (row: ImportRow) => Decision): readonly NamedRow[] {
  return rows.flatMap((row): NamedRow[] => {
    if (row.State === 'New') return [{ Row: row.Row, Name: row.Name, Action: 'Create' }];
    const decision = isConflict(row) ? decide(row) : 'Skip';
    return decision === 'Skip' ? [] : [{ Row: row.Row, Name: row.Name, Action: decision }];
  });
}

export interface Imported {
  readonly made: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly conflicts: number;
  /** Rows of the preview that are not in the vault. */
  readonly left: number;
  readonly error?: CallError;
  readonly cancelled: boolean;
}

/** Some rows at a time: what was answered is on the disk, whatever happens then. */
export async function importRows({ ImportId }: Opened, { number, rows, counts }: Previewed, wanted: readonly NamedRow[], signal: AbortSignal, progress: (done: number) => void): Promise<Imported> {
  const done = { Created: 0, Replaced: 0, Unchanged: 0, Conflict: 0 };
  let answered = 0;
  let error: CallError | undefined;
  try {
    await writeConfirmed(wanted, async (some) => {
      if (signal.aborted) return;
      const { Results } = outputOf(await client.secretsmanager.importSecrets({ ImportId, Preview: number, Rows: [...some] }));
      for (const { Outcome } of Results) done[Outcome]++;
      answered += some.length;
      progress(answered);
    });
  } catch (failure) {
    if (!(failure instanceof CallFailure)) throw failure;
    ({ error } = failure);
  }
  const there = done.Created + done.Replaced + done.Unchanged + counts.Same;
  return { made: done.Created, replaced: done.Replaced, unchanged: done.Unchanged + counts.Same, conflicts: done.Conflict, left: rows.length - there, cancelled: signal.aborted, ...(error ? { error } : {}) };
}
