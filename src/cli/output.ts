/** Answers to text: AWS's JSON, AWS's tab-separated text, and single binary fields to files. */
import { z } from 'zod';
import { codecFor, innerSchema, isSecretText, isTimestamp } from '../shared/api/operation.ts';
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { bytesToBase64, encodeBase64, encodedLength } from '../shared/wire/base64.ts';
import { encodeJson } from '../shared/wire/encode.ts';
import type { NewFile } from './files.ts';
import { createNew } from './files.ts';
import { usage, type Output, type World } from './world.ts';

export type Answered = Readonly<Record<string, unknown>>;

/** A secret that is text: a string of JSON, or in AWS's `text` as it is. */
export class SecretText {
  readonly secret: SecretBytes;
  readonly quoted: boolean;
  constructor(secret: SecretBytes, quoted = false) {
    this.secret = secret;
    this.quoted = quoted;
  }
}

/** What is printed, in pieces: text, and secrets as bytes, in base64 or as text, that are wiped once they are written. */
export type Piece = string | SecretBytes | SecretText;

/** Seconds since the epoch as the AWS CLI (version 2) prints them. */
export function isoTime(seconds: number): string {
  return `${new Date(Math.round(seconds * 1000)).toISOString().slice(0, -1)}000+00:00`;
}

/** Values of an output made printable, by its schema: blobs to base64, timestamps to ISO 8601. Secrets stay what they are, those that are text marked as such. */
export function printable(schema: z.ZodType | undefined, value: unknown): unknown {
  const inner = schema === undefined ? undefined : innerSchema(schema);
  if (value instanceof SecretBytes) return inner && isSecretText(inner) ? new SecretText(value) : value;
  if (value instanceof Uint8Array) return bytesToBase64(value);
  if (typeof value === 'number' && inner && isTimestamp(inner)) return isoTime(value);
  if (Array.isArray(value)) return value.map((item) => printable(inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined, item));
  if (typeof value !== 'object' || value === null) return value;
  const shape = inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : {};
  return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, printable(shape[name], item)]])));
}

/** JSON with four spaces, as the AWS CLI prints it. */
export function jsonPieces(value: unknown, indent = ''): Piece[] {
  if (value instanceof SecretBytes) return ['"', value, '"'];
  if (value instanceof SecretText) return [new SecretText(value.secret, true)];
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
  const inside = `${indent}    `;
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((item: unknown) => ['', item]) : Object.entries(value).map(([name, item]) => [`${JSON.stringify(name)}: `, item]);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return [open + close];
  const pieces: Piece[] = [open];
  entries.forEach(([name, item], at) => pieces.push(`${at === 0 ? '' : ','}\n${inside}${name}`, ...jsonPieces(item, inside)));
  return [...pieces, `\n${indent}${close}`];
}

/** The AWS CLI's `text`: scalars of an object sorted by name and tab-separated, then each nested one on lines of its own. */
export function textPieces(value: unknown, label = ''): Piece[] {
  if (Array.isArray(value)) {
    const scalars = value.every((item) => typeof item !== 'object' || item === null);
    if (scalars) return value.flatMap((item): Piece[] => [label === '' ? '' : `${label}\t`, scalar(item), '\n']);
    return value.flatMap((item) => textPieces(item, label));
  }
  if (typeof value !== 'object' || value === null || isSecret(value)) return [scalar(value), '\n'];
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const nested = entries.filter(([, item]) => typeof item === 'object' && item !== null && !isSecret(item));
  const flat = entries.filter((entry) => !nested.includes(entry)).map(([, item]) => scalar(item));
  const line: Piece[] = flat.flatMap((item, at) => (at === 0 ? [item] : ['\t', item]));
  const head: Piece[] = flat.length === 0 ? [] : [label === '' ? '' : `${label}\t`, ...line, '\n'];
  return [...head, ...nested.flatMap(([name, item]) => textPieces(item, name.toUpperCase()))];
}

const isSecret = (value: unknown): value is SecretBytes | SecretText => value instanceof SecretBytes || value instanceof SecretText;

function scalar(value: unknown): Piece {
  if (isSecret(value)) return value;
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Writes pieces; a secret goes from bytes to bytes and is wiped from the buffer afterwards. */
export async function writePieces(output: Output, pieces: readonly Piece[]): Promise<void> {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    await output.write(text);
    text = '';
    const encoded = piece instanceof SecretText ? textOf(piece) : base64Of(piece);
    await output.write(encoded);
    encoded.fill(0);
  }
  if (text !== '') await output.write(text);
}

function base64Of(secret: SecretBytes): Uint8Array {
  const encoded = new Uint8Array(new ArrayBuffer(encodedLength(secret.length)));
  secret.borrow((bytes) => encodeBase64(bytes, encoded, 0));
  return encoded;
}

const WHOLE: ReadonlySet<string> = new Set(['']);

/** Off-heap, the caller's to wipe. */
const textOf = ({ secret, quoted }: SecretText): Uint8Array => (quoted ? encodeJson(secret, { secretTexts: WHOLE }) : secret.borrow((bytes) => new Uint8Array(bytes)));

export async function printAnswer(world: World, form: 'json' | 'text', schema: z.ZodType, answer: Answered): Promise<void> {
  const value = printable(schema, answer) as object;
  if (Object.keys(value).length === 0) return;
  await writePieces(world.stdout, form === 'text' ? textPieces(value) : [...jsonPieces(value), '\n']);
}

/** Where the binary fields of an answer go instead of into the JSON. */
export interface Outlets {
  /** Writes the fields and returns the answer without them; undefined when one went to standard output, which is then all. */
  deliver(answer: Answered): Promise<Answered | undefined>;
  abandon(): Promise<void>;
}

/**
 * `--output-file PATH` for an output's one binary field, or `--output-file Field=PATH` for each. `-` is standard output.
 * The files are made before the call: a result is never without a place.
 */
export async function openOutlets(world: World, schema: z.ZodType, given: readonly string[]): Promise<Outlets> {
  const shape = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {};
  const binary = Object.keys(shape).filter((name) => codecFor(shape[name] ?? z.never()) !== undefined);
  const places = given.map((text): [string, string] => {
    const named = binary.find((name) => text.startsWith(`${name}=`));
    if (named !== undefined) return [named, text.slice(named.length + 1)];
    const [only] = binary;
    if (only === undefined) throw usage('--output-file: this command returns no binary field');
    if (binary.length > 1) throw usage(`--output-file must say which field: ${binary.map((name) => `${name}=PATH`).join(' or ')}`);
    return [only, text];
  });
  if (new Set(places.map(([name]) => name)).size < places.length) throw usage('--output-file names a field twice');
  const open = new Map<string, NewFile | 'stdout'>();
  const abandon = async (): Promise<void> => {
    for (const file of open.values()) if (file !== 'stdout') await file.abandon();
  };
  try {
    for (const [name, path] of places) open.set(name, path === '-' ? 'stdout' : await createNew(world, path, codecFor(shape[name] ?? z.never()) === 'secret'));
  } catch (error) {
    await abandon();
    throw error;
  }
  return {
    abandon,
    async deliver(answer) {
      for (const [name, place] of open) {
        const bytes = answer[name];
        const write = (value: Uint8Array): Promise<void> => (place === 'stdout' ? world.stdout.write(value) : place.write(value));
        if (bytes instanceof SecretBytes) await bytes.borrow(write);
        else if (bytes instanceof Uint8Array) await write(bytes);
        else if (place !== 'stdout') await place.abandon();
      }
      if ([...open.values()].includes('stdout')) return undefined;
      return Object.fromEntries(Object.entries(answer).filter(([name]) => !open.has(name)));
    },
  };
}

/** RFC 7468. */
export function pem(label: string, der: Uint8Array): string {
  const text = bytesToBase64(der);
  return `-----BEGIN ${label}-----\n${(text.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;
}
