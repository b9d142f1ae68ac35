/** An object of JSON written from names and values in bytes, so that no string of a value is made. RFC 8259. Pure. */
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { utf8 } from '../crypto/bytes.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** RFC 8259 section 7: control characters that have a letter. */
const SHORT: Readonly<Record<number, number>> = { 0x08: 0x62, 0x09: 0x74, 0x0a: 0x6e, 0x0c: 0x66, 0x0d: 0x72 };

/** Bytes of `plain` (UTF-8) between quotes, with what must be escaped. */
export function quotedLength(plain: Uint8Array): number {
  let length = 2;
  for (const byte of plain) length += byte === QUOTE || byte === BACKSLASH || SHORT[byte] !== undefined ? 2 : byte < 0x20 ? 6 : 1;
  return length;
}

/** The index behind what was written. */
export function writeQuoted(plain: Uint8Array, out: Uint8Array, from: number): number {
  let at = from;
  out[at++] = QUOTE;
  for (const byte of plain) {
    const short = SHORT[byte];
    if (short !== undefined) {
      out[at++] = BACKSLASH;
      out[at++] = short;
      continue;
    }
    if (byte < 0x20) {
      for (const one of [BACKSLASH, 0x75, 0x30, 0x30, 0x30 + (byte >> 4), byte % 16 < 10 ? 0x30 + (byte % 16) : 0x57 + (byte % 16)]) out[at++] = one;
      continue;
    }
    if (byte === QUOTE || byte === BACKSLASH) out[at++] = BACKSLASH;
    out[at++] = byte;
  }
  out[at++] = QUOTE;
  return at;
}

/** What stands for itself in JSON and is one byte in UTF-8, as nearly every name. */
const AS_IT_IS = /^[\x20!\x23-\x5b\x5d-\x7e]*$/;
const nameLength = (name: string): number => (AS_IT_IS.test(name) ? name.length + 2 : quotedLength(utf8(name)));

function writeName(name: string, out: Uint8Array, from: number): number {
  if (!AS_IT_IS.test(name)) return writeQuoted(utf8(name), out, from);
  let at = from;
  out[at++] = QUOTE;
  for (let index = 0; index < name.length; index++) out[at++] = name.charCodeAt(index);
  out[at++] = QUOTE;
  return at;
}

/** `json`: the bytes are JSON already. The names are different from one another. */
export interface Member {
  readonly name: string;
  readonly kind: 'text' | 'json';
  readonly value: Uint8Array;
}

export function objectLength(members: readonly Member[]): number {
  let length = 1 + Math.max(1, members.length);
  for (const { name, kind, value } of members) length += nameLength(name) + 1 + (kind === 'text' ? quotedLength(value) : value.byteLength);
  return length;
}

/** The caller's to dispose of. */
export function objectOf(members: readonly Member[]): SecretBytes {
  const object = SecretBytes.allocate(objectLength(members));
  object.borrow((out) => {
    let at = 0;
    out[at++] = 0x7b;
    members.forEach(({ name, kind, value }, index) => {
      if (index > 0) out[at++] = 0x2c;
      at = writeName(name, out, at);
      out[at++] = 0x3a;
      if (kind === 'text') at = writeQuoted(value, out, at);
      else {
        out.set(value, at);
        at += value.byteLength;
      }
    });
    out[at] = 0x7d;
  });
  return object;
}
