/**
 * What crosses a door: JSON, read strictly and from the bytes.
 *
 * Does: reads one JSON document (RFC 8259) from hostile UTF-8, with values of declared fields taken straight into
 * `SecretBytes`; `encode.ts` is the way back, `frame.ts` cuts a stream into documents, `messages.ts` names the documents.
 * Defends against: two readers seeing two documents (duplicate keys, lone surrogates, invalid UTF-8, a byte order mark,
 * trailing bytes, numbers that lose digits), prototype pollution, stack and memory exhaustion (depth, frame size), and secrets
 * left behind as strings, which V8 cannot wipe.
 * Does not: know any schema. That a field is missing, unknown or too long is found by the operation's own schema later.
 */
import { SecretBytes } from '../model/secret-bytes.ts';
import { decodeBase64, decodedLength } from './base64.ts';
import { isUtf8 } from './utf8.ts';
import { BACKSLASH, isDigit, malformed, MINUS, QUOTE, TokenReader } from './json-tokens.ts';

/** Objects and arrays inside one another, the outermost counted. */
export const MAX_DEPTH = 32;

export interface DecodeOptions {
  /**
   * Fields whose value must be a string of strict canonical base64, without escapes: it becomes `SecretBytes` without
   * ever being a JavaScript string. The caller disposes of them; after a refusal there are none left to dispose of.
   * A field of an object in a field, or in its list, is written with a dot: `SecretValues.SecretBinary`.
   */
  readonly secretFields?: ReadonlySet<string>;
  /** The same for fields whose value is a string of JSON: its UTF-8 becomes the `SecretBytes`. */
  readonly secretTexts?: ReadonlySet<string>;
  /** Top-level fields whose value must be an object: it becomes a view of its bytes, not parsed, only bracketed (to MAX_DEPTH). */
  readonly rawFields?: ReadonlySet<string>;
}

/**
 * Reads exactly one JSON document. Objects are plain, with own keys only: `__proto__`, `constructor` and `prototype` are refused.
 * An integer beyond ±(2^53 - 1) and a number beyond the range of a double are refused.
 * Throws SerializationException, which names the offset of the byte and never quotes what is there.
 */
export function decodeJson(bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  const reader = new JsonReader(bytes, options);
  try {
    return reader.document();
  } catch (error) {
    reader.disposeSecrets();
    throw error;
  }
}

/** An object of JSON: no array, no null. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const NONE: ReadonlySet<string> = new Set();

const ENVELOPE: DecodeOptions = { rawFields: new Set(['input', 'output']) };

/**
 * Reads a message's outer object strictly and leaves `input` and `output` as views of their bytes, for `decodeJson` later: a
 * door does not parse what no rule has looked at yet. Throws SerializationException.
 */
export function decodeEnvelope(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value = decodeJson(bytes, ENVELOPE);
  if (!isObject(value)) throw malformed('an object is expected', 0);
  return value;
}

/** Keys that would reach an object's prototype; refused both ways. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

class JsonReader extends TokenReader {
  private readonly raws: ReadonlySet<string>;
  private readonly encoded: ReadonlySet<string>;
  private readonly texts: ReadonlySet<string>;
  /** Fields that hold objects with secrets in them. */
  private readonly holders: ReadonlySet<string>;
  private readonly secrets: SecretBytes[] = [];

  constructor(bytes: Uint8Array, { rawFields = NONE, secretFields = NONE, secretTexts = NONE }: DecodeOptions) {
    super(bytes);
    this.raws = rawFields;
    this.encoded = secretFields;
    this.texts = secretTexts;
    this.holders = holdersOf(secretFields, secretTexts);
  }

  disposeSecrets(): void {
    for (const secret of this.secrets) secret[Symbol.dispose]();
  }

  document(): unknown {
    if (this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) throw malformed('a byte order mark', 0);
    const value = this.value(0, '');
    if (this.next() !== -1) throw malformed('bytes after the document', this.at);
    return value;
  }

  /** `path`: what stands before a field's name in the sets of secrets; undefined where there are none. */
  private value(depth: number, path: string | undefined): unknown {
    const byte = this.next();
    switch (byte) {
      case QUOTE:
        return this.string();
      case OPEN_OBJECT:
        return this.object(depth + 1, path);
      case OPEN_ARRAY:
        return this.array(depth + 1, depth === 0 ? undefined : path);
      case 0x74:
        return this.literal('true', true);
      case 0x66:
        return this.literal('false', false);
      case 0x6e:
        return this.literal('null', null);
      default:
        if (byte === MINUS || isDigit(byte)) return this.number();
        throw malformed(byte === -1 ? 'unexpected end' : 'a value is expected', this.at);
    }
  }

  private object(depth: number, path: string | undefined): Record<string, unknown> {
    if (depth > MAX_DEPTH) throw malformed(`nested deeper than ${String(MAX_DEPTH)}`, this.at);
    const object: Record<string, unknown> = {};
    this.at++;
    if (this.next() === CLOSE_OBJECT) {
      this.at++;
      return object;
    }
    for (;;) {
      if (this.next() !== QUOTE) throw malformed('a key is expected', this.at);
      const keyAt = this.at;
      const key = this.string();
      if (FORBIDDEN_KEYS.has(key)) throw malformed('a key that is not allowed', keyAt);
      if (Object.hasOwn(object, key)) throw malformed('a key for the second time', keyAt);
      if (this.next() !== COLON) throw malformed('a colon is expected', this.at);
      this.at++;
      object[key] = path === undefined ? this.value(depth, undefined) : this.field(depth, path + key);
      const after = this.next();
      if (after !== COMMA && after !== CLOSE_OBJECT) throw malformed('a comma or the end of the object is expected', this.at);
      this.at++;
      if (after === CLOSE_OBJECT) return object;
    }
  }

  private field(depth: number, name: string): unknown {
    if (this.encoded.has(name)) return this.secret();
    if (this.texts.has(name)) return this.secretText();
    if (depth === 1 && this.raws.has(name)) return this.raw();
    return this.value(depth, this.holders.has(name) ? `${name}.` : undefined);
  }

  private array(depth: number, path: string | undefined): unknown[] {
    if (depth > MAX_DEPTH) throw malformed(`nested deeper than ${String(MAX_DEPTH)}`, this.at);
    const array: unknown[] = [];
    this.at++;
    if (this.next() === CLOSE_ARRAY) {
      this.at++;
      return array;
    }
    for (;;) {
      array.push(this.value(depth, path));
      const after = this.next();
      if (after !== COMMA && after !== CLOSE_ARRAY) throw malformed('a comma or the end of the array is expected', this.at);
      this.at++;
      if (after === CLOSE_ARRAY) return array;
    }
  }

  // INVARIANT: no path through here makes a string of the value, on success or on refusal.
  private secret(): SecretBytes {
    if (this.next() !== QUOTE) throw malformed('a secret is base64 text', this.at);
    const start = this.at + 1;
    const close = this.bytes.indexOf(QUOTE, start);
    if (close === -1) throw malformed('a string without an end', this.at);
    const length = decodedLength(this.bytes, start, close);
    if (length === undefined) throw malformed('a secret is canonical base64 text, with padding', start);
    const secret = SecretBytes.allocate(length);
    this.secrets.push(secret);
    const bad = secret.borrow((target) => decodeBase64(this.bytes, start, close, target));
    if (bad !== -1) throw malformed('a secret is canonical base64 text, with padding', bad);
    this.at = close + 1;
    return secret;
  }

  // INVARIANT: as above.
  private secretText(): SecretBytes {
    if (this.next() !== QUOTE) throw malformed('a secret is text', this.at);
    const start = this.at + 1;
    const secret = SecretBytes.take(this.stringBytes());
    this.secrets.push(secret);
    if (!secret.borrow(isUtf8)) throw malformed('invalid utf-8 in the string that begins here', start);
    return secret;
  }

  /** A view of one object's bytes. Brackets match and strings end; whether the rest is JSON is for `decodeJson` to say. */
  private raw(): Uint8Array {
    if (this.next() !== OPEN_OBJECT) throw malformed('an object is expected', this.at);
    const { bytes, end } = this;
    const start = this.at;
    let depth = 0;
    // One bit for each open bracket, 1 for an object: MAX_DEPTH is not above 32.
    let open = 0;
    let at = start;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        at++;
        while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (++depth > MAX_DEPTH) throw malformed(`nested deeper than ${String(MAX_DEPTH)}`, at);
        open = (open << 1) | (byte === OPEN_OBJECT ? 1 : 0);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if ((open & 1) !== (byte === CLOSE_OBJECT ? 1 : 0)) throw malformed('brackets do not match', at);
        open >>>= 1;
        if (--depth === 0) {
          this.at = at + 1;
          return bytes.subarray(start, this.at);
        }
      }
      at++;
    }
    throw malformed('unexpected end', end);
  }
}

const holderCache = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

/** `a.b` and `a.c.d`: `a` and `a.c` hold secrets. */
function holdersOf(...sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const found = sets.map((set) => {
    const known = holderCache.get(set) ?? new Set([...set].flatMap((name) => name.split('.').slice(0, -1).map((_, at, parts) => parts.slice(0, at + 1).join('.'))));
    holderCache.set(set, known);
    return known;
  });
  const filled = found.filter(({ size }) => size > 0);
  return filled.length > 1 ? new Set(filled.flatMap((set) => [...set])) : (filled[0] ?? NONE);
}
