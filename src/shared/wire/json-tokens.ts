/** The tokens of JSON over bytes: strings, numbers and literals. Objects and arrays, and the contract, are in `json.ts`. */
import { VaultError } from '../model/errors.ts';

/** The one refusal: names the offset, never quotes what is there. */
export function malformed(reason: string, at: number): VaultError {
  return new VaultError('SerializationException', `malformed json at byte ${String(at)}: ${reason}`);
}

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const MINUS = 0x2d;
const ZERO = 0x30;
const LETTER_U = 0x75;

/** Inside a string: 0 plain ASCII, else what the byte is. */
const NON_ASCII = 1;
const STOPS = 2;
const STRING_CLASS = new Uint8Array(256).fill(NON_ASCII, 0x80).fill(STOPS, 0, 0x20);
STRING_CLASS[QUOTE] = STOPS;
STRING_CLASS[BACKSLASH] = STOPS;

const ESCAPES = new Uint8Array(256);
for (const [name, byte] of [['"', 0x22], ['\\', 0x5c], ['/', 0x2f], ['b', 8], ['f', 12], ['n', 10], ['r', 13], ['t', 9]] as const) {
  ESCAPES[name.charCodeAt(0)] = byte;
}

/** Below this many bytes a string is put together by hand: a call into the decoder costs more. */
const SHORT = 24;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= 0x39;

/** A position in one document. Each method reads one token from `at`, or throws SerializationException. */
export class TokenReader {
  protected readonly bytes: Uint8Array;
  protected readonly end: number;
  protected at = 0;

  protected constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** The next byte that is not white space, not consumed; -1 at the end. */
  protected next(): number {
    while (this.at < this.end) {
      const byte = this.bytes[this.at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
    return -1;
  }

  protected literal<T>(text: string, value: T): T {
    for (let index = 0; index < text.length; index++) {
      if (this.bytes[this.at + index] !== text.charCodeAt(index)) throw malformed('a value is expected', this.at);
    }
    this.at += text.length;
    return value;
  }

  protected number(): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    if (bytes[at] === MINUS) at++;
    if (!isDigit(bytes[at])) throw malformed('a digit is expected', at);
    if (bytes[at] === ZERO && isDigit(bytes[at + 1])) throw malformed('a leading zero', at);
    while (isDigit(bytes[at])) at++;
    if (bytes[at] === 0x2e) {
      at++;
      if (!isDigit(bytes[at])) throw malformed('a digit is expected', at);
      while (isDigit(bytes[at])) at++;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === MINUS) at++;
      if (!isDigit(bytes[at])) throw malformed('a digit is expected', at);
      while (isDigit(bytes[at])) at++;
    }
    const value = Number(utf8.decode(bytes.subarray(start, at)));
    if (!Number.isFinite(value)) throw malformed('a number beyond the range of a double', start);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw malformed('an integer beyond 2^53', start);
    this.at = at;
    return value;
  }

  protected string(): string {
    const { bytes, end } = this;
    const start = this.at + 1;
    let at = start;
    let seen = 0;
    while (at < end) {
      const kind = STRING_CLASS[bytes[at] as number] as number;
      if (kind === STOPS) break;
      seen |= kind;
      at++;
    }
    if (at >= end) throw malformed('a string without an end', this.at);
    const stop = bytes[at];
    if (stop === BACKSLASH) return this.text(this.unescaped(start, at), start);
    if (stop !== QUOTE) throw malformed('a control character in a string', at);
    this.at = at + 1;
    if (seen === 0 && at - start < SHORT) {
      let text = '';
      for (let index = start; index < at; index++) text += String.fromCharCode(bytes[index] as number);
      return text;
    }
    return this.text(bytes.subarray(start, at), start);
  }

  /** The bytes that a string stands for, as a copy off-heap that is the caller's to wipe. Not judged to be UTF-8. */
  protected stringBytes(): Uint8Array {
    const { bytes, end } = this;
    const start = this.at + 1;
    let at = start;
    while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) {
      if ((bytes[at] as number) < 0x20) throw malformed('a control character in a string', at);
      at++;
    }
    if (at >= end) throw malformed('a string without an end', this.at);
    if (bytes[at] === BACKSLASH) return this.unescaped(start, at);
    this.at = at + 1;
    const plain = new Uint8Array(new ArrayBuffer(at - start));
    plain.set(bytes.subarray(start, at));
    return plain;
  }

  private text(bytes: Uint8Array, at: number): string {
    try {
      return utf8.decode(bytes);
    } catch {
      throw malformed('invalid utf-8 in the string that begins here', at);
    }
  }

  /** `at` is the first backslash. Unescapes into one buffer first, so that a string of nothing but escapes costs one decoding. */
  private unescaped(start: number, first: number): Uint8Array {
    const { bytes, end } = this;
    let at = first;
    while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    if (at >= end) throw malformed('a string without an end', this.at);
    const close = at;
    // An escape is never shorter than the UTF-8 that it stands for.
    const plain = new Uint8Array(new ArrayBuffer(close - start));
    plain.set(bytes.subarray(start, first));
    let to = first - start;
    at = first;
    while (at < close) {
      const byte = bytes[at] as number;
      if (byte < 0x20) throw malformed('a control character in a string', at);
      if (byte !== BACKSLASH) {
        plain[to++] = byte;
        at++;
        continue;
      }
      const name = bytes[at + 1] as number;
      if (name !== LETTER_U) {
        const meant = ESCAPES[name] as number;
        if (meant === 0) throw malformed('an unknown escape', at);
        plain[to++] = meant;
        at += 2;
        continue;
      }
      let point = this.hex4(at + 2, close);
      let length = 6;
      if (point >= 0xd800 && point <= 0xdfff) {
        const low = bytes[at + 6] === BACKSLASH && bytes[at + 7] === LETTER_U ? this.hex4(at + 8, close) : 0;
        if (point > 0xdbff || low < 0xdc00 || low > 0xdfff) throw malformed('a lone surrogate', at);
        point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        length = 12;
      }
      to = putUtf8(plain, to, point);
      at += length;
    }
    this.at = close + 1;
    return plain.subarray(0, to);
  }

  private hex4(at: number, close: number): number {
    let value = 0;
    for (let index = at; index < at + 4; index++) {
      const byte = index < close ? (this.bytes[index] as number) : 0;
      const lower = byte | 0x20;
      const digit = isDigit(byte) ? byte - ZERO : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
      if (digit === -1) throw malformed('an escape of four hexadecimal digits is expected', at);
      value = value * 16 + digit;
    }
    return value;
  }
}

function putUtf8(target: Uint8Array, offset: number, point: number): number {
  let to = offset;
  if (point < 0x80) target[to++] = point;
  else if (point < 0x800) {
    target[to++] = 0xc0 | (point >> 6);
    target[to++] = 0x80 | (point & 0x3f);
  } else {
    if (point < 0x10000) target[to++] = 0xe0 | (point >> 12);
    else {
      target[to++] = 0xf0 | (point >> 18);
      target[to++] = 0x80 | ((point >> 12) & 0x3f);
    }
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
    target[to++] = 0x80 | (point & 0x3f);
  }
  return to;
}
