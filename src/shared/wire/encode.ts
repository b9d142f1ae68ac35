/** The way out: values to JSON bytes, with secrets written from bytes to bytes. */
import { VaultError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { encodeBase64, encodedLength } from './base64.ts';
import { FORBIDDEN_KEYS, MAX_DEPTH } from './json.ts';
import { isUtf8 } from './utf8.ts';

export interface EncodeOptions {
  /** Bytes left free in front, for a frame's length. Default 0. */
  readonly reserve?: number;
  /** Most bytes of JSON. Default 1 MiB. */
  readonly limit?: number;
  /** Fields whose `SecretBytes` are UTF-8 and become a string of JSON instead of base64; named as in `DecodeOptions`. */
  readonly secretTexts?: ReadonlySet<string>;
}

const FIRST_ROOM = 1024;
const DEFAULT_LIMIT = 1024 * 1024;

/**
 * One value as JSON in an off-heap buffer that the caller owns, and wipes where it held a secret.
 * `Uint8Array` and `SecretBytes` become base64 text (a secret without becoming a string, and it stays the caller's to dispose of);
 * fields that are undefined are left out. What `decodeJson` would refuse is refused here too: other classes, functions, bigint,
 * undefined in an array, numbers that are not finite or unsafe integers, lone surrogates, forbidden keys, depth.
 * Throws SerializationException, and RequestTooLargeException above the limit; the partial output is wiped then.
 */
export function encodeJson(value: unknown, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const writer = new JsonWriter(options.reserve ?? 0, options.limit ?? DEFAULT_LIMIT, options.secretTexts);
  try {
    writer.value(value, 0, '');
    return writer.finish();
  } catch (error) {
    writer.wipe();
    throw error;
  }
}

const refused = (reason: string): VaultError => new VaultError('SerializationException', `cannot be written as json: ${reason}`);

const offHeap = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(length));

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** By ASCII character: 0 when it stands for itself, 1 for \u00XX, else the letter after the backslash. */
const ESCAPE_OF = new Uint8Array(128).fill(1, 0, 0x20);
for (const [code, letter] of [[0x22, '"'], [0x5c, '\\'], [8, 'b'], [12, 'f'], [10, 'n'], [13, 'r'], [9, 't']] as const) {
  ESCAPE_OF[code] = letter.charCodeAt(0);
}

class JsonWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private at: number;
  private readonly most: number;
  private readonly texts: ReadonlySet<string> | undefined;

  constructor(reserve: number, limit: number, texts: ReadonlySet<string> | undefined) {
    this.texts = texts;
    this.most = reserve + limit;
    this.bytes = offHeap(Math.min(FIRST_ROOM, this.most));
    this.at = reserve;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  wipe(): void {
    this.bytes.fill(0);
  }

  /** `path`: the fields on the way here, joined by dots. */
  value(value: unknown, depth: number, path: string): void {
    if (typeof value === 'string') this.string(value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'boolean') this.ascii(value ? 'true' : 'false');
    else if (value === null) this.ascii('null');
    else if (value instanceof Uint8Array) this.base64(value);
    else if (value instanceof SecretBytes) value.borrow((bytes) => (this.texts?.has(path) ? this.utf8Text(bytes) : this.base64(bytes)));
    else if (Array.isArray(value)) this.array(value, depth + 1, path);
    else if (typeof value === 'object') this.object(value, depth + 1, path);
    else throw refused(`a value of type ${typeof value}`);
  }

  private room(needed: number): void {
    const total = this.at + needed;
    if (total <= this.bytes.length) return;
    if (total > this.most) throw new VaultError('RequestTooLargeException', 'the message is larger than a frame may be; ask for less at a time');
    const larger = offHeap(Math.min(this.most, Math.max(total, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes.fill(0);
    this.bytes = larger;
  }

  private byte(byte: number): void {
    this.room(1);
    this.bytes[this.at++] = byte;
  }

  private ascii(text: string): void {
    this.room(text.length);
    for (let index = 0; index < text.length; index++) this.bytes[this.at++] = text.charCodeAt(index);
  }

  private number(value: number): void {
    if (!Number.isFinite(value)) throw refused('a number that is not finite');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw refused('an integer beyond 2^53');
    this.ascii(String(value));
  }

  private base64(source: Uint8Array): void {
    const length = encodedLength(source.length);
    this.room(length + 2);
    this.bytes[this.at] = 0x22;
    this.at = encodeBase64(source, this.bytes, this.at + 1);
    this.bytes[this.at++] = 0x22;
  }

  /** UTF-8 to a string of JSON, from bytes to bytes. Throws SerializationException where it is no UTF-8. */
  private utf8Text(source: Uint8Array): void {
    if (!isUtf8(source)) throw refused('text that is not utf-8');
    this.byte(0x22);
    for (const byte of source) {
      this.room(6);
      if (byte < 0x80) this.escaped(byte);
      else this.bytes[this.at++] = byte;
    }
    this.byte(0x22);
  }

  private array(values: readonly unknown[], depth: number, path: string): void {
    if (depth > MAX_DEPTH) throw refused(`nested deeper than ${String(MAX_DEPTH)}`);
    this.byte(0x5b);
    for (let index = 0; index < values.length; index++) {
      if (index > 0) this.byte(0x2c);
      this.value(values[index], depth, path);
    }
    this.byte(0x5d);
  }

  private object(object: object, depth: number, path: string): void {
    if (depth > MAX_DEPTH) throw refused(`nested deeper than ${String(MAX_DEPTH)}`);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) throw refused('an object of a class');
    this.byte(0x7b);
    let first = true;
    for (const [key, value] of Object.entries(object)) {
      if (value === undefined) continue;
      if (FORBIDDEN_KEYS.has(key)) throw refused('a key that is not allowed');
      if (!first) this.byte(0x2c);
      first = false;
      this.string(key);
      this.byte(0x3a);
      this.value(value, depth, this.texts === undefined ? '' : path === '' ? key : `${path}.${key}`);
    }
    this.byte(0x7d);
  }

  private string(text: string): void {
    this.room(text.length + 2);
    const start = this.at;
    const { bytes } = this;
    let at = start;
    bytes[at++] = 0x22;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80 || ESCAPE_OF[code] !== 0) {
        this.at = at;
        this.hardString(text, index);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = 0x22;
    this.at = at;
  }

  /** The rest of a string from the first character that does not stand for itself. */
  private hardString(text: string, from: number): void {
    for (let index = from; index < text.length; index++) {
      const code = text.charCodeAt(index);
      // The longest that one UTF-16 unit becomes, and the closing quote.
      this.room(7);
      if (code < 0x80) this.escaped(code);
      else if (code < 0x800) this.utf8(0xc0 | (code >> 6), code);
      else if (code < 0xd800 || code > 0xdfff) {
        this.bytes[this.at++] = 0xe0 | (code >> 12);
        this.utf8(0x80 | ((code >> 6) & 0x3f), code);
      } else {
        const low = text.charCodeAt(++index);
        if (code > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) throw refused('a lone surrogate');
        const point = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        this.bytes[this.at++] = 0xf0 | (point >> 18);
        this.bytes[this.at++] = 0x80 | ((point >> 12) & 0x3f);
        this.utf8(0x80 | ((point >> 6) & 0x3f), point);
      }
    }
    this.byte(0x22);
  }

  private utf8(lead: number, point: number): void {
    this.bytes[this.at++] = lead;
    this.bytes[this.at++] = 0x80 | (point & 0x3f);
  }

  private escaped(code: number): void {
    const escape = ESCAPE_OF[code] as number;
    if (escape === 0) {
      this.bytes[this.at++] = code;
      return;
    }
    this.bytes[this.at++] = 0x5c;
    if (escape !== 1) {
      this.bytes[this.at++] = escape;
      return;
    }
    this.bytes.set([0x75, 0x30, 0x30, HEX[code >> 4] as number, HEX[code & 15] as number], this.at);
    this.at += 5;
  }
}
