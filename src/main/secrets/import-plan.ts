/** Which secrets become of a file: their names by AWS's rules, and what is in each. Pure; whether they exist is asked elsewhere. */
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { ReadEntry, ReadField, ReadFile } from '../imports/port.ts';
import { MAX_VALUE } from './values.ts';
import { objectLength, objectOf, type Member } from './json-object.ts';

export type Layout = 'one' | 'each';

export interface ImportChoice {
  readonly layout: Layout;
  /** In front of every name. */
  readonly prefix: string;
  /** Of the one secret. */
  readonly name: string;
}

export interface ImportRow {
  readonly name: string;
  /** What it is called in the file. */
  readonly source: string;
  readonly line?: number;
  /** `text`: the one field's value. `object`: JSON of all fields. */
  readonly shape: 'text' | 'object';
  readonly fields: readonly ReadField[];
  /** Names that are in the file more than once: the last one is among the fields. */
  readonly repeated: readonly string[];
  readonly refusal?: 'Empty' | 'TooLarge' | 'NameTooLong';
  /** The first row of the same name. */
  readonly earlier?: number;
  /** ClientRequestToken of the version that it would make. */
  readonly token: string;
}

export const LONGEST_NAME = 512;
const PLAIN = /^[A-Za-z0-9/_+=.@-]*$/;
const MOST_SOURCE = 256;

export const isPrefix = (text: string): boolean => PLAIN.test(text);

/** A part of a path in the characters that a secret's name has: letters without their accents, `-` for anything else. */
export function namePart(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss');
  const part = plain.replace(/[^A-Za-z0-9_+=.@-]+/g, '-').replace(/^-+|-+$/g, '');
  return part === '' ? 'unnamed' : part;
}

/** `.env` of `shop` is `shop`, `.env.production` is `shop/production`, `export.json` is `export`. */
export function suggestedName(path: string | undefined): string {
  const parts = (path ?? '').split(/[\\/]/).filter((part) => part !== '');
  const file = parts.at(-1) ?? '';
  const folder = parts.at(-2);
  const [, variant] = /^\.env(?:\.(.+))?$/.exec(file) ?? [];
  if (/^\.env(?:\.|$)/.test(file)) return [...(folder === undefined ? ['env'] : [namePart(folder)]), ...(variant === undefined ? [] : [namePart(variant)])].join('/');
  const stem = file.replace(/^\.+/, '').replace(/\.[A-Za-z0-9]{1,5}$/, '');
  return stem === '' ? 'imported' : namePart(stem);
}

/** What can become of a file, the usual one first. */
export const layoutsOf = ({ shape }: Pick<ReadFile, 'shape'>): Layout[] => (shape === 'fields' ? ['one', 'each'] : ['each']);

export const membersOf = (fields: readonly ReadField[], values: Uint8Array): readonly Member[] => fields.map(({ name, kind, start, length }) => ({ name, kind, value: values.subarray(start, start + length) }));

/** The value of the secret; the caller's to dispose of. */
export function rowValue({ shape, fields }: Pick<ImportRow, 'shape' | 'fields'>, values: Uint8Array): SecretBytes {
  const members = membersOf(fields, values);
  return shape === 'object' ? objectOf(members) : SecretBytes.copy(members[0]?.value ?? new Uint8Array());
}

function refusalOf(row: Pick<ImportRow, 'name' | 'shape' | 'fields'>, values: Uint8Array): ImportRow['refusal'] {
  if (row.name.length > LONGEST_NAME) return 'NameTooLong';
  const length = row.shape === 'object' ? objectLength(membersOf(row.fields, values)) : (row.fields[0]?.length ?? 0);
  return length === 0 ? 'Empty' : length > MAX_VALUE ? 'TooLarge' : undefined;
}

/** The last of each name, and which there were several of. */
function lastOfEach(fields: readonly ReadField[]): Pick<ImportRow, 'fields' | 'repeated'> {
  const last = new Map<string, ReadField>();
  const repeated = new Set<string>();
  for (const field of fields) {
    if (last.has(field.name)) repeated.add(field.name);
    last.set(field.name, field);
  }
  return { fields: [...last.values()], repeated: [...repeated] };
}

type Draft = Pick<ImportRow, 'name' | 'source' | 'line' | 'shape' | 'fields' | 'repeated'>;

const ofEntry = ({ path, line, fields }: ReadEntry, prefix: string): Draft => ({
  name: prefix + (path.length === 0 ? 'unnamed' : path.map(namePart).join('/')),
  source: path.join(' / ').slice(0, MOST_SOURCE),
  ...(line === undefined ? {} : { line }),
  shape: 'object',
  ...lastOfEach(fields),
});

function drafts({ shape, entries }: ReadFile, { layout, prefix, name }: ImportChoice): readonly Draft[] {
  if (shape === 'entries') return entries.map((entry) => ofEntry(entry, prefix));
  const fields = entries.flatMap((entry) => entry.fields);
  if (layout === 'one') return [{ name: prefix + (name === '' ? 'imported' : name), source: '', shape: 'object', ...lastOfEach(fields) }];
  return fields.map((field) => ({ name: prefix + namePart(field.name), source: field.name.slice(0, MOST_SOURCE), shape: 'text', fields: [field], repeated: [] }));
}

/** `draw`: an id for each version that may be made. */
export function planImport(file: ReadFile, values: Uint8Array, choice: ImportChoice, draw: () => string): readonly ImportRow[] {
  const first = new Map<string, number>();
  return drafts(file, choice).map((draft, row) => {
    const earlier = first.get(draft.name);
    if (earlier === undefined) first.set(draft.name, row);
    const refusal = refusalOf(draft, values);
    return { ...draft, ...(refusal === undefined ? {} : { refusal }), ...(earlier === undefined ? {} : { earlier }), token: draw() };
  });
}

/** `NAME-2`, `NAME-3` and so on: where a secret is kept beside another one. */
export const besideName = (name: string, count: number): string => {
  const ending = `-${String(count)}`;
  return name.slice(0, LONGEST_NAME - ending.length) + ending;
};
