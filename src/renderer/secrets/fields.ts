/** A value as fields: text that is one object of JSON. Pure; what goes in and out are bytes that their owner wipes. */
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';

/** More are shown as text: nobody reads them one by one. */
const MOST_FIELDS = 200;

type Members = Readonly<Record<string, unknown>>;

/** Undefined where it is no object of JSON, or has a name twice: then it is text, which nothing is lost of. */
function membersOf(bytes: Uint8Array): Members | undefined {
  try {
    const value = decodeJson(bytes);
    const count = isObject(value) ? Object.keys(value).length : 0;
    return isObject(value) && count > 0 && count <= MOST_FIELDS ? value : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const secretOf = (text: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(text));

/** The names in their order; undefined: not fields. */
export const namesIn = (value: SecretBytes): readonly string[] | undefined => value.borrow((bytes) => { const members = membersOf(bytes); return members && Object.keys(members); });

const SEED_NAME = /^(?:totp|otp|otpauth|one.?time.?(?:code|password))(?:[-_ ]?(?:secret|seed|key|uri|url))?$/i;
const SEED = /^\s*otpauth:\/\/totp\/|^[A-Za-z2-7\s=-]{16,}$/;
/** Names of fields that hold the seed of one-time codes. */
export const seedsIn = (value: SecretBytes): ReadonlySet<string> =>
  new Set(value.borrow((bytes) => Object.entries(membersOf(bytes) ?? {}).flatMap(([name, one]) => (typeof one === 'string' && (/^\s*otpauth:\/\/totp\//.test(one) || (SEED_NAME.test(name) && SEED.test(one))) ? [name] : []))));

/** One field, the caller's to wipe; undefined where there is none. What is no string is its JSON. */
export function fieldOf(value: SecretBytes, name: string): SecretBytes | undefined {
  const members = value.borrow(membersOf);
  return members && Object.hasOwn(members, name) ? secretOf(textOf(members[name])) : undefined;
}

/** A field as it was typed; `undefined` text: as it is in the value before. */
export interface Typed {
  readonly name: string;
  readonly text: string | undefined;
  /** The text is JSON, as long as it can be read as such. */
  readonly json?: boolean;
}

/** Fields in the order given. What was no string and is typed as JSON of another kind stays no string. */
export function fieldsToValue(typed: readonly Typed[], before?: SecretBytes): SecretBytes {
  const known = before?.borrow(membersOf) ?? {};
  const members = typed.map(({ name, text, json = false }): [string, unknown] => {
    const old = Object.hasOwn(known, name) ? known[name] : undefined;
    return [name, text === undefined ? old : json || (typeof old !== 'string' && old !== undefined) ? parsed(text) : text];
  });
  return secretOf(JSON.stringify(Object.fromEntries(members)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** `json`: it is no text, and `text` is its JSON. */
export type Pasted = readonly [name: string, text: string, json: boolean];

/** What was pasted into a field's name: an object of JSON, or lines like `NAME=value`. Undefined: neither, or fields would not keep it as it is. */
export function pastedFields(text: string): readonly Pasted[] | undefined {
  const members = membersOf(new TextEncoder().encode(text.trim()));
  if (members && (!areKept(text) || Object.values(members).some((value) => textOf(value).includes('\r')))) return undefined;
  if (members) return Object.entries(members).map(([name, value]) => [name, textOf(value), typeof value !== 'string']);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
  const pairs = lines.map((line) => /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*?)\s*$/.exec(line));
  if (pairs.length === 0 || pairs.some((pair) => pair === null)) return undefined;
  return pairs.map((pair): Pasted => [pair?.[1] ?? '', unquoted(pair?.[2] ?? ''), false]);
}

/** Whether every number of a JSON text is written again as it was: not `1.10`, nor more digits than a number has. */
const areKept = (text: string): boolean => (text.replace(/"(?:[^"\\]|\\.)*"/gs, '""').match(/-?\d[\d.eE+-]*/g) ?? []).every((number) => String(Number(number)) === number);

const unquoted = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;

export type Change = 'same' | 'changed' | 'added' | 'removed';

/** Field by field, in the order of `to`, then what is gone; undefined where one of the two is no fields. */
export function compareFields(from: SecretBytes, to: SecretBytes): readonly (readonly [name: string, change: Change])[] | undefined {
  const [before, after] = [from.borrow(membersOf), to.borrow(membersOf)];
  if (!before || !after) return undefined;
  const now = Object.keys(after).map((name): [string, Change] => [name, !Object.hasOwn(before, name) ? 'added' : textOf(before[name]) === textOf(after[name]) ? 'same' : 'changed']);
  return [...now, ...Object.keys(before).filter((name) => !Object.hasOwn(after, name)).map((name): [string, Change] => [name, 'removed'])];
}

export const sameBytes = (a: SecretBytes, b: SecretBytes): boolean => a.borrow((one) => b.borrow((other) => one.length === other.length && one.every((byte, at) => byte === other[at])));
