/**
 * Messages between the vault and the process that reads a file: one frame each. To the child: the file. From it: u32 length of the JSON ‖
 * JSON ‖ the values, one behind the other; their lengths are in the JSON, they never are. Both ends are of one program, yet decoding is strict: a
 * file that took over the child gets to say one plain line of why it is not taken, and nothing else.
 */
import { z } from 'zod';
import { FORMATS, NOTES } from '../../shared/model/import-formats.ts';
import type { ReadFile } from './port.ts';
import { type Bytes, allocate, readU32, u32, utf8 } from '../crypto/bytes.ts';
import { ImportFailure, MOST_BYTES, MOST_ENTRIES, MOST_FIELDS, MOST_NAME, type Parsed } from './parsed.ts';

const text = (most: number) => z.string().max(most);
const field = z.tuple([text(MOST_NAME).min(1), z.enum(['text', 'json']), z.int().min(0).max(MOST_BYTES * 2)]);
const entry = z.strictObject({ path: z.array(text(4096)).max(128), line: z.int().positive().optional(), fields: z.array(field).max(MOST_FIELDS) });
const answer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('parsed'), format: z.enum(FORMATS), shape: z.enum(['fields', 'entries']), entries: z.array(entry).min(1).max(MOST_ENTRIES), notes: z.array(z.enum(NOTES)).max(NOTES.length) }),
  z.strictObject({ kind: z.literal('failed'), why: text(256).regex(/^[\p{L}\p{N}\p{P}\p{S} ]+$/u), line: z.int().positive().optional() }),
]);

function framed(message: z.output<typeof answer>, values: readonly Uint8Array[]): Bytes {
  const json = utf8(JSON.stringify(message));
  const frame = allocate(4 + json.byteLength + values.reduce((sum, { byteLength }) => sum + byteLength, 0));
  frame.set(u32(json.byteLength), 0);
  frame.set(json, 4);
  let at = 4 + json.byteLength;
  for (const value of values) {
    frame.set(value, at);
    at += value.byteLength;
  }
  return frame;
}

export function encodeParsed({ format, shape, entries, notes }: Parsed): Bytes {
  const values: Uint8Array[] = [];
  const listed = entries.map(({ path, line, fields }) => ({
    path: path.slice(0, 128).map((part) => part.slice(0, 4096)),
    ...(line === undefined ? {} : { line }),
    fields: fields.map(({ name, kind, value }): [string, 'text' | 'json', number] => {
      const bytes = utf8(value);
      values.push(bytes);
      return [name, kind, bytes.byteLength];
    }),
  }));
  return framed({ kind: 'parsed', format, shape, entries: listed, notes: [...notes] }, values);
}

export const encodeFailure = ({ why, line }: Pick<ImportFailure, 'why' | 'line'>): Bytes => framed({ kind: 'failed', why, ...(line === undefined ? {} : { line }) }, []);

/** The values are a view into the frame. Undefined for anything that is no answer; throws the ImportFailure that the child answered with. */
export function decodeAnswer(frame: Uint8Array): { readonly file: ReadFile; readonly values: Uint8Array } | undefined {
  const message = read(frame);
  if (!message) return undefined;
  if (message.parsed.kind === 'failed') throw new ImportFailure(message.parsed.why, message.parsed.line);
  const { kind: _kind, entries, ...rest } = message.parsed;
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
  return at === message.values.byteLength ? { file: { ...rest, entries: placed }, values: message.values } : undefined;
}

function read(frame: Uint8Array): { readonly parsed: z.output<typeof answer>; readonly values: Uint8Array } | undefined {
  try {
    const end = 4 + readU32(frame, 0);
    if (end > frame.byteLength) return undefined;
    const parsed = answer.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, end))));
    return parsed.success ? { parsed: parsed.data, values: frame.subarray(end) } : undefined;
  } catch {
    return undefined;
  }
}
