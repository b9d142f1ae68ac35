/**
 * Messages between the vault and the process that reads a file: one frame each. To the child: the file. From it: `crypto/json-frame.ts`, the bytes being
 * the values, one behind the other; their lengths are in the JSON, they never are. Both ends are of one program, yet decoding is strict: a
 * file that took over the child gets to choose a reason of the table and a line, and to say nothing else.
 */
import { z } from 'zod';
import { FORMATS, NOTES } from '../../shared/model/import-formats.ts';
import { isObject } from '../../shared/wire/json.ts';
import type { ReadFile } from './port.ts';
import { type Bytes, allocate } from '../crypto/bytes.ts';
import { decodeFrame, encodeFrame } from '../crypto/json-frame.ts';
import { MOST_BYTES, MOST_ENTRIES, MOST_FIELDS, MOST_NAME } from './limits.ts';
import { ImportFailure, type Parsed } from './parsed.ts';
import { REASON_NAMES } from './reasons.ts';

type Field = readonly [name: string, kind: 'text' | 'json', length: number];
interface Entry {
  readonly path: readonly string[];
  readonly line?: number;
  readonly fields: readonly Field[];
}

const isText = (value: unknown, most: number): value is string => typeof value === 'string' && value.length <= most;
const isWhole = (value: unknown, least: number, most: number): value is number => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
const isListOf = <T>(value: unknown, most: number, is: (one: unknown) => one is T): value is T[] => Array.isArray(value) && value.length <= most && value.every(is);
const isPart = (value: unknown): value is string => isText(value, 4096);
const isField = (value: unknown): value is Field =>
  Array.isArray(value) && value.length === 3 && isText(value[0], MOST_NAME) && value[0] !== '' && (value[1] === 'text' || value[1] === 'json') && isWhole(value[2], 0, MOST_BYTES * 2);
function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const { path, line, fields, ...others } = value;
  return Object.keys(others).length === 0 && isListOf(path, 128, isPart) && (line === undefined || isWhole(line, 1, MOST_LINE)) && isListOf(fields, MOST_FIELDS, isField);
}

const MOST_LINE = MOST_BYTES + 1;
const answer = z.discriminatedUnion('kind', [
  // By hand: a schema for each of so many fields takes as long as reading the file.
  z.strictObject({ kind: z.literal('parsed'), format: z.enum(FORMATS), shape: z.enum(['fields', 'entries']), entries: z.array(z.custom<Entry>(isEntry)).min(1).max(MOST_ENTRIES), notes: z.array(z.enum(NOTES)).max(NOTES.length) }),
  z.strictObject({ kind: z.literal('failed'), reason: z.enum(REASON_NAMES), line: z.int().positive().max(MOST_LINE).optional() }),
]);

export function encodeParsed({ format, shape, entries, notes }: Parsed): Bytes {
  // Of UTF-16 no unit takes more than three bytes. One piece for all: memory of its own for each value costs more than the rest.
  const values = allocate(3 * entries.reduce((sum, { fields }) => sum + fields.reduce((length, { value }) => length + value.length, 0), 0));
  const encoder = new TextEncoder();
  let filled = 0;
  const listed = entries.map(({ path, line, fields }) => ({
    path: path.slice(0, 128).map((part) => part.slice(0, 4096)),
    ...(line === undefined ? {} : { line }),
    fields: fields.map(({ name, kind, value }): [string, 'text' | 'json', number] => {
      const { written } = encoder.encodeInto(value, values.subarray(filled));
      filled += written;
      return [name, kind, written];
    }),
  }));
  const message: z.output<typeof answer> = { kind: 'parsed', format, shape, entries: listed, notes: [...notes] };
  return encodeFrame(message, [values.subarray(0, filled)]);
}

export function encodeFailure({ reason, line }: Pick<ImportFailure, 'reason' | 'line'>): Bytes {
  const message: z.output<typeof answer> = { kind: 'failed', reason, ...(line === undefined ? {} : { line }) };
  return encodeFrame(message);
}

/** The values are a view into the frame. Undefined for anything that is no answer; throws the ImportFailure that the child answered with. */
export function decodeAnswer(frame: Uint8Array): { readonly file: ReadFile; readonly values: Uint8Array } | undefined {
  const given = decodeFrame(answer, frame);
  if (!given) return undefined;
  const { message, bytes: values } = given;
  if (message.kind === 'failed') throw new ImportFailure(message.reason, message.line);
  const { kind: _kind, entries, ...rest } = message;
  let at = 0;
  const placed = entries.map(({ path, line, fields }) => ({
    path,
    ...(line === undefined ? {} : { line }),
    fields: fields.map(([name, kind, length]) => {
      const start = at;
      at += length;
      return { name, kind, start, length };
    }),
  }));
  return at === values.byteLength ? { file: { ...rest, entries: placed }, values } : undefined;
}
