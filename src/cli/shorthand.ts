/** Text of the command line to values, following the AWS CLI (version 2): pure. */
import type { Field } from '../shared/api/describe.ts';
import { base64ToBytes } from '../shared/wire/base64.ts';
import { FORBIDDEN_KEYS, isObject } from '../shared/wire/json.ts';
import { usage } from './world.ts';

/**
 * `k=v,k2=v2` or a JSON object of texts. A value with a comma, an equals sign is fine as it is, is put into quotes: `k="a,b"`, where
 * `\"` and `\\` stand for themselves, or `k='a,b'`. Throws a usage error that names the flag only.
 */
export function parseMap(flag: string, text: string): Readonly<Record<string, string>> {
  if (text.trimStart().startsWith('{')) return parseJsonMap(flag, text);
  const pairs = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals <= at) throw usage(`--${flag} must be pairs as \`k=v,k2=v2\`, or a JSON object`);
    const key = text.slice(at, equals);
    if (key.includes(',')) throw usage(`--${flag} must be pairs as \`k=v,k2=v2\`, or a JSON object`);
    const [value, end] = readValue(flag, text, equals + 1);
    if (pairs.has(key)) throw usage(`--${flag} names a key twice`);
    pairs.set(key, value);
    if (end < text.length && text[end] !== ',') throw usage(`--${flag}: a comma is expected after a quoted value`);
    at = end + 1;
    if (at === text.length && end < text.length) throw usage(`--${flag} ends with a comma`);
  }
  if (pairs.size === 0) throw usage(`--${flag} must be pairs as \`k=v,k2=v2\`, or a JSON object`);
  return record(flag, pairs);
}

/** Returns the value that begins at `from` and the offset after it. */
function readValue(flag: string, text: string, from: number): [string, number] {
  const quote = text[from];
  if (quote !== '"' && quote !== "'") {
    const comma = text.indexOf(',', from);
    const end = comma < 0 ? text.length : comma;
    return [text.slice(from, end), end];
  }
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === quote) return [value, at + 1];
    if (character === '\\' && (text[at + 1] === quote || text[at + 1] === '\\')) value += text[++at] ?? '';
    else value += character;
  }
  throw usage(`--${flag}: a quote is not closed`);
}

/**
 * A word of the AWS CLI's shorthand for a structure: `Key=team,Value=web`, `Key=name,Values=a,b` or `Values=[a,b]`, quoted as in a map.
 * Which of its members there are and of what type is the vault's to say, but for a list, a number and a truth value, which are read as such.
 * Throws a usage error that names the flag only.
 */
export function parseStructure(flag: string, text: string, members: readonly Field[]): Readonly<Record<string, unknown>> {
  const wrong = (): Error => usage(`--${flag} must be as \`${members.map(({ name }) => `${name}=…`).join(',')}\`, or JSON`);
  const object: Record<string, unknown> = {};
  let open: string[] | undefined;
  for (let at = 0; at < text.length; ) {
    const [, name] = /^([A-Za-z][A-Za-z0-9]*)=/.exec(text.slice(at)) ?? [];
    if (name === undefined && !open) throw wrong();
    if (name !== undefined && FORBIDDEN_KEYS.has(name)) throw usage(`--${flag} may not have a key \`${name}\``);
    if (name !== undefined && Object.hasOwn(object, name)) throw usage(`--${flag} names \`${name}\` twice`);
    const from = name === undefined ? at : at + name.length + 1;
    const bracket = name !== undefined && text[from] === '[' ? text.indexOf(']', from) : -1;
    const [value, end] = bracket < 0 ? readValue(flag, text, from) : [text.slice(from + 1, bracket), bracket + 1];
    if (name === undefined) open?.push(value);
    else {
      const kind = members.find((member) => member.name === name)?.kind;
      open = kind === 'list' && bracket < 0 ? [value] : undefined;
      object[name] = open ?? (bracket >= 0 ? value.split(',') : typed(flag, kind, value));
    }
    if (end < text.length && text[end] !== ',') throw usage(`--${flag}: a comma is expected after a quoted value`);
    at = end + 1;
    if (at === text.length) throw usage(`--${flag} ends with a comma`);
  }
  if (Object.keys(object).length === 0) throw wrong();
  return object;
}

function typed(flag: string, kind: Field['kind'] | undefined, value: string): unknown {
  if (kind === 'integer') return parseInteger(flag, value);
  if (kind === 'number' || kind === 'timestamp') return parseNumber(flag, value);
  return kind === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value;
}

function parseJsonMap(flag: string, text: string): Readonly<Record<string, string>> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw usage(`--${flag} begins like JSON and is not`);
  }
  if (!isObject(raw)) throw usage(`--${flag} must be a JSON object`);
  const pairs = Object.entries(raw).map(([key, value]): [string, string] => {
    if (typeof value !== 'string') throw usage(`--${flag}: every value must be text`);
    return [key, value];
  });
  return record(flag, pairs);
}

function record(flag: string, pairs: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  const object: Record<string, string> = {};
  for (const [key, value] of pairs) {
    if (FORBIDDEN_KEYS.has(key)) throw usage(`--${flag} may not have a key \`${key}\``);
    object[key] = value;
  }
  return object;
}

export function parseInteger(flag: string, text: string): number {
  const value = /^-?(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw usage(`--${flag} must be a whole number`);
  return value;
}

export function parseNumber(flag: string, text: string): number {
  const value = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw usage(`--${flag} must be a number`);
  return value;
}

/** Base64, as the AWS CLI takes binary values; white space around it is not counted. */
export function parseBase64(flag: string, text: string): Uint8Array {
  const bytes = base64ToBytes(text.trim());
  if (!bytes) throw usage(`--${flag} must be base64; for a file of raw bytes write \`--${flag} fileb://PATH\``);
  return bytes;
}
