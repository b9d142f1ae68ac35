/** Bytes of a file as text, once, strictly. */
import { MOST_BYTES } from './limits.ts';
import { ImportFailure } from './parsed.ts';

const lineOfByte = (bytes: Uint8Array, at: number): number => {
  let line = 1;
  for (let index = 0; index < at; index++) if (bytes[index] === 0x0a) line++;
  return line;
};

/** From 1: the line in which the character at `at` is. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < at; index = text.indexOf('\n', index + 1)) line++;
  return line;
}

const startsWith = (bytes: Uint8Array, ...prefix: readonly number[]): boolean => prefix.every((byte, at) => bytes[at] === byte);

/** Files that are something else altogether, and what to give instead. */
function refuseBinary(bytes: Uint8Array): void {
  if (startsWith(bytes, 0x50, 0x4b)) throw new ImportFailure('zip');
  if (startsWith(bytes, 0x03, 0xd9, 0xa2, 0x9a)) throw new ImportFailure('keepass-database');
  if (startsWith(bytes, 0xff, 0xfe) || startsWith(bytes, 0xfe, 0xff)) throw new ImportFailure('utf-16');
}

/** UTF-8, without its byte order mark. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.byteLength > MOST_BYTES) throw new ImportFailure('too-large');
  refuseBinary(bytes);
  const nul = bytes.indexOf(0);
  if (nul !== -1) throw new ImportFailure('nul-byte', lineOfByte(bytes, nul));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ImportFailure('not-utf-8', lineOfBroken(bytes));
  }
}

/** The first line that is not UTF-8 by itself: a character never crosses a line's end. */
function lineOfBroken(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start <= bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end === -1 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end === -1) break;
    start = end + 1;
  }
  return line;
}
