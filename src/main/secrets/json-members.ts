/**
 * Members of a JSON object read and replaced in its bytes, so that no string of a whole secret value is made. RFC 8259.
 * Defends against: a value that is changed anywhere but in the one member; a member that is there twice.
 */
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { quotedLength, writeQuoted } from './json-object.ts';

/** Where a member's value is: from the first byte to the one after the last. */
interface Range {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const MAX_DEPTH = 32;
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown inside this file only. */
class NotJson extends Error {}

function skip(bytes: Uint8Array, from: number): number {
  let at = from;
  while (SPACES.has(bytes[at])) at++;
  return at;
}

/** `from` is at the opening quote; the index after the closing one. */
function pastString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  throw new NotJson();
}

/** The index after the value that begins at `from`: brackets are counted, what is between them is not judged. */
function pastValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) at = pastString(bytes, at);
    else if (byte === OPEN || byte === 0x5b) {
      depth++;
      if (depth > MAX_DEPTH) throw new NotJson();
      at++;
    } else if (byte === CLOSE || byte === 0x5d) {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (depth === 0 && (byte === 0x2c || SPACES.has(byte))) return at;
    else at++;
    if (depth === 0 && (byte === QUOTE || byte === CLOSE || byte === 0x5d)) return at;
  }
  throw new NotJson();
}

const textOf = (bytes: Uint8Array, { start, end }: Range): unknown => JSON.parse(decoder.decode(bytes.subarray(start, end)));

/** Ranges of every member of the object that `bytes` are. Throws where they are none. */
function members(bytes: Uint8Array): readonly (readonly [name: string, value: Range])[] {
  const found: (readonly [string, Range])[] = [];
  let at = skip(bytes, 0);
  if (bytes[at] !== OPEN) throw new NotJson();
  at = skip(bytes, at + 1);
  if (bytes[at] === CLOSE) return found;
  for (;;) {
    if (bytes[at] !== QUOTE) throw new NotJson();
    const nameEnd = pastString(bytes, at);
    const name = textOf(bytes, { start: at, end: nameEnd });
    at = skip(bytes, nameEnd);
    if (bytes[at] !== 0x3a || typeof name !== 'string') throw new NotJson();
    const start = skip(bytes, at + 1);
    const end = pastValue(bytes, start);
    if (end === start) throw new NotJson();
    found.push([name, { start, end }]);
    at = skip(bytes, end);
    if (bytes[at] === CLOSE) return found;
    if (bytes[at] !== 0x2c) throw new NotJson();
    at = skip(bytes, at + 1);
  }
}

function rangeOf(bytes: Uint8Array, name: string): Range | undefined {
  try {
    const ranges = members(bytes).filter(([one]) => one === name);
    return ranges.length === 1 ? ranges[0]?.[1] : undefined;
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: SecretBytes): boolean {
  return value.borrow((bytes) => {
    try {
      members(bytes);
      return true;
    } catch {
      return false;
    }
  });
}

/** A member that is text and nothing secret (`username`, `masterarn`). Undefined: no such member, twice, or no text. */
export function textMember(value: SecretBytes, name: string): string | undefined {
  return value.borrow((bytes) => {
    const range = rangeOf(bytes, name);
    if (!range || bytes[range.start] !== QUOTE) return undefined;
    try {
      const text = textOf(bytes, range);
      return typeof text === 'string' ? text : undefined;
    } catch {
      return undefined;
    }
  });
}

/** `text` in UTF-8 between quotes, with what must be escaped. */
function quoted(text: SecretBytes): SecretBytes {
  return text.borrow((plain) => {
    const out = SecretBytes.allocate(quotedLength(plain));
    out.borrow((bytes) => { writeQuoted(plain, bytes, 0); });
    return out;
  });
}

/** The same value with the one member's value being `text`; the caller's to dispose of. Undefined: no such member, or twice. */
export function withMember(value: SecretBytes, name: string, text: SecretBytes): SecretBytes | undefined {
  const range = value.borrow((bytes) => rangeOf(bytes, name));
  if (!range) return undefined;
  using member = quoted(text);
  const changed = SecretBytes.allocate(value.length - (range.end - range.start) + member.length);
  changed.borrow((out) => {
    value.borrow((bytes) => {
      out.set(bytes.subarray(0, range.start));
      out.set(bytes.subarray(range.end), range.start + member.length);
    });
    member.borrow((bytes) => { out.set(bytes, range.start); });
  });
  return changed;
}
