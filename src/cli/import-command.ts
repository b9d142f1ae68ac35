/**
 * `keystead secret import FILE`: the vault reads the file, this shows what would become of it, asks, and has it written some rows at a time. What
 * was answered is on the disk: cut off in the middle, the same command finishes the rest. No value comes here.
 */
import { allRows, writeConfirmed, type ConfirmedRow, type NamedRow } from '../shared/api/import-writing.ts';
import { MOST_CONTENT } from '../shared/api/secret-import.ts';
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { counted } from '../shared/model/counted.ts';
import { EXIT } from '../shared/model/errors.ts';
import { FORMAT_WORDS, NOTE_WORDS } from '../shared/model/import-formats.ts';
import { callFor, flagSwitch, flagText, withVault, type Command, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { absolute, readStdin } from './files.ts';
import { printAnswer } from './output.ts';
import { withProgress } from './progress.ts';
import { ask, onTerminal } from './prompt.ts';
import { cancelled, CliError, usage } from './world.ts';

type Opened = Output<'secretsmanager:OpenImport'>;
type Preview = Output<'secretsmanager:PreviewImport'>;
type Row = Preview['Rows'][number];

const CONFLICTS = ['skip', 'replace', 'keep'] as const;
type OnConflict = (typeof CONFLICTS)[number];
const MOST_LISTED = 40;

async function open(run: Run, connection: Connection, file: string): Promise<{ readonly opened: Opened; readonly path: string | undefined }> {
  if (file !== '-') {
    const path = absolute(run.world, file);
    return { opened: await callFor(run, connection, 'secretsmanager:OpenImport', { Path: path }), path };
  }
  using content = await readStdin(run.world, 'file');
  if (content.length > MOST_CONTENT) throw usage(`standard input is longer than ${String(MOST_CONTENT / 1024)} KiB; name the file instead`);
  return { opened: await callFor(run, connection, 'secretsmanager:OpenImport', { Content: content }), path: undefined };
}

async function preview(run: Run, connection: Connection, opened: Opened): Promise<Preview> {
  const one = flagSwitch(run, 'one') === true;
  if (one && flagSwitch(run, 'each') === true) throw usage('give one of --one and --each');
  const layout = one ? 'one' : flagSwitch(run, 'each') === true ? 'each' : opened.Layouts[0];
  const name = flagText(run, 'name');
  const input = { ImportId: opened.ImportId, Layout: layout, Prefix: flagText(run, 'prefix') ?? '', ...(name === undefined ? {} : { Name: name }) };
  const first = await withProgress(run, 'Comparing', (progress) => callFor(run, connection, 'secretsmanager:PreviewImport', input, { progress }));
  const rows = await allRows(first, (page) => callFor(run, connection, 'secretsmanager:PreviewImport', { ...input, ...page }));
  return { ...first, Rows: [...rows] };
}

const WORDS: Readonly<Record<Row['State'], string>> = { New: 'new', Same: 'is there already', Different: 'EXISTS with another value', Duplicate: 'NAME is there twice', Deleting: 'NOT TAKEN: its deletion is planned', Refused: 'NOT TAKEN' };
const REFUSALS: Readonly<Record<NonNullable<Row['Refusal']>, string>> = { Empty: 'it is empty', TooLarge: 'it is larger than 65,536 bytes', NameTooLong: 'its name is longer than 512 characters' };

/** Of a file's own names only what a terminal shows and does not obey. */
const harmless = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');

function lineOf({ Name: name, Source: source, Line: line, State: state, Refusal: refusal, Fields: fields, FieldCount: count, Repeated: repeated }: Row): string {
  const from = source === '' || source === name ? '' : `  from ${harmless(source)}${line === undefined ? '' : `, line ${String(line)}`}`;
  const inside = fields.length === 0 ? '' : `\n      ${harmless(fields.slice(0, 12).join(', '))}${count > 12 ? `, and ${String(count - 12)} more` : ''}`;
  const twice = repeated.length === 0 ? '' : `\n      in it twice, the last one counts: ${harmless(repeated.join(', '))}`;
  return `  ${name}  ${WORDS[state]}${refusal === undefined ? '' : `, ${REFUSALS[refusal]}`}${from}${inside}${twice}\n`;
}

function summary({ Format: format, Notes: notes }: Opened, { Rows: rows, Total: total }: Preview): string {
  const listed = [...rows].sort((a, b) => Number(a.State === 'New') - Number(b.State === 'New')).slice(0, MOST_LISTED);
  return [
    `${FORMAT_WORDS[format]}, ${counted(total, 'secret')}:\n`,
    ...listed.map(lineOf),
    ...(total > listed.length ? [`  … and ${String(total - listed.length)} more\n`] : []),
    ...notes.map((note) => `Note: ${NOTE_WORDS[note]}.\n`),
  ].join('');
}

const isConflict = ({ State: state }: Row): boolean => state === 'Different' || state === 'Duplicate';

function actionsFor(rows: readonly Row[], onConflict: OnConflict | undefined): readonly NamedRow[] {
  const conflicts = rows.filter(isConflict);
  if (conflicts.length > 0 && onConflict === undefined) {
    throw new CliError('ImportConflict', EXIT.conflict, `${counted(conflicts.length, 'row')} would clash with what is there; nothing was written. Say what is to be done with them: --on-conflict skip, replace (a new version), or keep (beside it, under a name with a number)`);
  }
  return rows.flatMap((row): NamedRow[] => {
    if (row.State === 'New') return [{ Row: row.Row, Name: row.Name, Action: 'Create' }];
    if (!isConflict(row) || onConflict === 'skip') return [];
    return [{ Row: row.Row, Name: row.Name, Action: onConflict === 'replace' ? 'Replace' : 'Keep' }];
  });
}

interface Done {
  Created: number;
  Replaced: number;
  Unchanged: number;
  Conflict: number;
}

const isCancelled = (error: unknown): error is CliError => error instanceof CliError && error.code === 'CancelledException';

async function write(run: Run, connection: Connection, ImportId: string, Preview: number, actions: readonly NamedRow[], done: Done): Promise<void> {
  let unanswered: CliError | undefined;
  const asked = async (Rows: readonly ConfirmedRow[]): Promise<Output<'secretsmanager:ImportSecrets'>> => {
    try {
      return await callFor(run, connection, 'secretsmanager:ImportSecrets', { ImportId, Preview, Rows });
    } catch (error) {
      // What the vault has answered, or was never asked, has no line to type.
      if (isCancelled(error) && error.next !== undefined) unanswered = error;
      throw error;
    }
  };
  await withProgress(run, 'Importing', async (progress) => {
    let answered = 0;
    await writeConfirmed(actions, async (rows) => {
      const { Results: results } = await asked(rows);
      for (const { Outcome: outcome } of results) done[outcome]++;
      answered += rows.length;
      progress({ done: answered, total: actions.length, unit: 'records' });
    });
  }).catch((error: unknown) => {
    if (!isCancelled(error)) throw error;
    const imported = `${counted(done.Created + done.Replaced, 'secret')} of ${String(actions.length)} were imported`;
    if (!unanswered) throw new CliError(error.code, error.exit, `cancelled; ${imported}, the same command imports the rest`);
    throw new CliError(error.code, error.exit, `cancelled; at least ${imported}, and the vault did not say of others whether they were; the same command imports the rest`, { next: unanswered.next });
  });
}

/** Whether it is gone. Without a question only where all of it is in the vault. */
async function eraseFile(run: Run, connection: Connection, ImportId: string, path: string, left: number): Promise<boolean> {
  const { world } = run;
  if (flagSwitch(run, 'yes') === true) {
    if (left > 0) return false;
  } else {
    if (!onTerminal(world)) throw usage('there is no terminal to ask on: the file stays; give --yes with --erase');
    await world.stderr.write(`The file is overwritten and deleted${left > 0 ? `, and ${counted(left, 'row')} of it ${left === 1 ? 'is' : 'are'} nowhere else` : ''}. An SSD, a copy-on-write file system (Btrfs, ZFS, APFS), a snapshot or a backup may keep what was in it: change what matters most.\n`);
    if ((await ask(world, 'To go on, type `erase`: ')) !== 'erase') throw cancelled();
  }
  await callFor(run, connection, 'secretsmanager:EraseImportedFile', { ImportId, Path: path, NotImported: left });
  return true;
}

export const secretImportCommand: Command = {
  names: ['secret import'],
  summary: 'Import secrets from a .env, JSON, YAML, 1Password, Bitwarden or KeePass file',
  details: [
    'Formats are known by their content: .env; JSON and YAML objects; `op item get --format json` and CSV of 1Password; JSON (not encrypted) and CSV of Bitwarden; XML and CSV of KeePass.',
    'Nothing is written until you confirm it. Cut off in the middle, the same command writes the rest.',
  ],
  flags: [
    { name: 'file', takes: 'value', placeholder: 'FILE|-', required: true, about: 'The file, or - for standard input' },
    { name: 'prefix', takes: 'value', about: 'In front of every name, such as prod/' },
    { name: 'one', takes: 'switch', about: 'One secret with all fields; usual for .env, JSON and YAML' },
    { name: 'each', takes: 'switch', about: 'One secret for each name' },
    { name: 'name', takes: 'value', about: 'Name of the one secret; after the file’s name if left out' },
    { name: 'on-conflict', takes: 'value', choices: [...CONFLICTS], about: 'What to do with names that have another value: skip them, replace (a new version), or keep both' },
    { name: 'dry-run', takes: 'switch', about: 'Only show what would become of it' },
    { name: 'yes', takes: 'switch', about: 'Do not ask' },
    { name: 'erase', takes: 'switch', about: 'Overwrite and delete the file afterwards; with --yes only where all of it is in the vault' },
  ],
  positionals: ['file'],
  examples: ['keystead secret import .env --prefix shop/ --dry-run', 'op item list --format json | op item get - --format json | keystead secret import - --yes'],
  async run(run) {
    const { world } = run;
    const file = flagText(run, 'file');
    if (file === undefined) throw usage('these must be given: --file');
    const [dry, yes, erase] = [flagSwitch(run, 'dry-run') === true, flagSwitch(run, 'yes') === true, flagSwitch(run, 'erase') === true];
    if (erase && file === '-') throw usage('--erase is for a file; what came from standard input is not the vault’s to erase');
    if (!dry && !yes && (file === '-' || !onTerminal(world))) throw usage('there is no terminal to ask on; see --dry-run, then give --yes');
    return withVault(run, async (connection) => {
      const { opened, path } = await open(run, connection, file);
      const { ImportId } = opened;
      try {
        const shown = await preview(run, connection, opened);
        if (dry && run.output === 'json') await printAnswer(world, 'json', OPERATIONS['secretsmanager:PreviewImport'].output, shown);
        else await (dry ? world.stdout : world.stderr).write(summary(opened, shown));
        if (dry) return EXIT.ok;
        const actions = actionsFor(shown.Rows, flagText(run, 'on-conflict') as OnConflict | undefined);
        if (actions.length > 0 && !yes && !/^y(?:es)?$/i.test(await ask(world, `Import ${counted(actions.length, 'secret')}? [y/N] `))) throw cancelled();
        const done: Done = { Created: 0, Replaced: 0, Unchanged: 0, Conflict: 0 };
        await write(run, connection, ImportId, shown.Preview, actions, done);
        const there = done.Created + done.Replaced + done.Unchanged + shown.Counts.Same;
        const left = shown.Total - there;
        const Erased = erase && path !== undefined && there > 0 && done.Conflict === 0 && (await eraseFile(run, connection, ImportId, path, left));
        const report = { ...done, Same: shown.Counts.Same, NotImported: left, Erased };
        if (run.output === 'json') await world.stdout.write(`${JSON.stringify(report, null, 4)}\n`);
        else await world.stdout.write(said(report, path, erase));
        return done.Conflict > 0 || (erase && !Erased) ? EXIT.conflict : EXIT.ok;
      } finally {
        // A cancelled run may not ask any more: then it is wiped after a quarter of an hour, or at lock.
        if (!run.signal.aborted) await callFor(run, connection, 'secretsmanager:CloseImport', { ImportId }).catch(() => undefined);
      }
    });
  },
};

function said({ Created, Replaced, Same, Unchanged, Conflict, NotImported, Erased }: Done & { readonly Same: number; readonly NotImported: number; readonly Erased: boolean }, path: string | undefined, erase: boolean): string {
  const parts = [`${counted(Created, 'secret')} made`, ...(Replaced > 0 ? [counted(Replaced, 'new version')] : []), ...(Same + Unchanged > 0 ? [`${String(Same + Unchanged)} there already`] : []), ...(NotImported > 0 ? [`${String(NotImported)} not imported`] : [])];
  return [
    `${parts.join(', ')}.\n`,
    ...(Conflict > 0 ? [`${counted(Conflict, 'row')} changed meanwhile and ${Conflict === 1 ? 'was' : 'were'} left alone: run it again.\n`] : []),
    ...(Erased ? ['The file was overwritten and deleted. An SSD, a copy-on-write file system, a snapshot or a backup may still have what was in it.\n'] : path === undefined ? [] : [`${path} still holds every value in the clear; ${erase ? 'it stays, for not all of it is in the vault: import the rest, or erase it on a terminal, without --yes' : 'with --erase it is overwritten and deleted'}.\n`]),
  ].join('');
}
