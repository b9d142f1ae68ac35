/**
 * CSV as 1Password 8, Bitwarden, KeePass (1.x format of KeePass 2) and KeePassXC write it: known by the names of its columns alone.
 * Sources: support.1password.com "Export your data"; bitwarden.com "Condition a Bitwarden CSV"; keepass.info "Import / Export"; KeePassXC's CsvExporter.
 */
import type { ImportFormat, ImportNote } from '../../shared/model/import-formats.ts';
import { readCsv } from './csv.ts';
import { distinct, ImportFailure, textField, type Parsed, type ParsedField } from './parsed.ts';
import { seedField } from './one-time-seed.ts';

/** What a column is; a text: the name of a field. */
type Column = 'title' | 'folder' | 'seed' | 'custom' | 'left' | { readonly field: string };

interface Dialect {
  readonly format: ImportFormat;
  readonly columns: Readonly<Record<string, Column>>;
  /** These must be there for the file to be of this dialect. */
  readonly signs: readonly string[];
  readonly backslashes?: true;
}

const field = (name: string): Column => ({ field: name });
const [USERNAME, PASSWORD, URL, NOTES] = [field('username'), field('password'), field('url'), field('notes')];

const DIALECTS: readonly Dialect[] = [
  {
    format: '1password-csv',
    signs: ['title', 'password', 'otpauth'],
    columns: { title: 'title', url: URL, username: USERNAME, password: PASSWORD, otpauth: 'seed', favorite: 'left', archived: 'left', tags: 'left', notes: NOTES },
  },
  {
    format: 'bitwarden-csv',
    signs: ['name', 'login_username', 'login_password'],
    columns: { folder: 'folder', collections: 'folder', favorite: 'left', type: 'left', name: 'title', notes: NOTES, fields: 'custom', reprompt: 'left', login_uri: URL, login_username: USERNAME, login_password: PASSWORD, login_totp: 'seed' },
  },
  {
    format: 'keepass-csv',
    signs: ['account', 'login name', 'password', 'web site', 'comments'],
    columns: { account: 'title', 'login name': USERNAME, password: PASSWORD, 'web site': URL, comments: NOTES },
    backslashes: true,
  },
  {
    format: 'keepass-csv',
    signs: ['group', 'title', 'username', 'password'],
    columns: { group: 'folder', title: 'title', username: USERNAME, password: PASSWORD, url: URL, notes: NOTES, totp: 'seed', icon: 'left', 'last modified': 'left', created: 'left' },
  },
];

function headOf(text: string): { readonly names: readonly string[]; readonly dialect: Dialect | undefined } {
  try {
    const [head] = readCsv(text, { most: 1 });
    const names = (head?.cells ?? []).map((name) => name.trim().toLowerCase());
    return { names, dialect: DIALECTS.find(({ signs }) => signs.every((sign) => names.includes(sign))) };
  } catch {
    return { names: [], dialect: undefined };
  }
}

/** Undefined: no CSV of one of these. */
export const csvFormat = (text: string): ImportFormat | undefined => headOf(text).dialect?.format;

/** Bitwarden's own fields: `name: value` lines; a line without a colon goes on with the value before. */
function customFields(cell: string): readonly ParsedField[] {
  const fields: ParsedField[] = [];
  for (const line of cell.split(/\r?\n/)) {
    const colon = line.indexOf(': ');
    const last = fields.at(-1);
    if (colon > 0) fields.push(textField(line.slice(0, colon), line.slice(colon + 2)));
    else if (last && line !== '') fields[fields.length - 1] = textField(last.name, `${last.value}\n${line}`);
    else if (line !== '') fields.push(textField('fields', line));
  }
  return fields;
}

export function parseCsv(text: string): Parsed {
  const { names, dialect } = headOf(text);
  if (!dialect) throw new ImportFailure('columns-unknown', 1);
  if (new Set(names).size < names.length) throw new ImportFailure('column-twice', 1);
  const columns = names.map((name): Column => (Object.hasOwn(dialect.columns, name) ? dialect.columns[name] : undefined) ?? field(name === '' ? 'unnamed' : name));
  const [, ...rows] = readCsv(text, { backslashes: dialect.backslashes ?? false });
  const notes = new Set<ImportNote>();
  const entries = rows.flatMap(({ line, cells }) => {
    if (cells.length > columns.length) throw new ImportFailure('values-beyond-columns', line);
    const fields: ParsedField[] = [];
    let title = '';
    let folders: readonly string[] = [];
    cells.forEach((cell, at) => {
      const column = columns[at] ?? 'left';
      if (cell === '' || column === 'left') return;
      if (column === 'title') title = cell;
      else if (column === 'folder') folders = cell.split('/').filter((part) => part !== '');
      else if (column === 'custom') fields.push(...customFields(cell));
      else if (column === 'seed') {
        const seed = seedField(cell);
        if (seed) fields.push(seed);
        if (seed?.name === 'one-time-code') notes.add('unusual-one-time-codes');
      } else fields.push(textField(column.field, cell));
    });
    if (fields.length > 0) return [{ path: [...folders, title], line, fields: distinct(fields) }];
    notes.add('empty-left');
    return [];
  });
  return { format: dialect.format, shape: 'entries', entries, notes: [...notes] };
}
