/**
 * Base64 (RFC 4648 section 4, padded), strict: between bytes and bytes, since a string of a secret cannot be wiped; and, for what
 * is public, between bytes and text.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;
const INVALID = 0xff;

const symbolOf = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const valueOf = new Uint8Array(256).fill(INVALID);
symbolOf.forEach((symbol, value) => (valueOf[symbol] = value));

/** Bytes of base64 text for `length` bytes. */
export const encodedLength = (length: number): number => Math.ceil(length / 3) * 4;

/**
 * Bytes behind the text in `source[start, end)`, judged by its length and padding alone; undefined when no canonical
 * text has that length and padding.
 */
export function decodedLength(source: Uint8Array, start: number, end: number): number | undefined {
  const length = end - start;
  if (length % 4 !== 0) return undefined;
  if (length === 0 || source[end - 1] !== PAD) return (length / 4) * 3;
  return (length / 4) * 3 - (source[end - 2] === PAD ? 2 : 1);
}

/**
 * Decodes `source[start, end)` into `target`, which has exactly `decodedLength` bytes.
 * Returns -1, or the offset in `source` of the first byte that strict canonical base64 does not have there: white space, the
 * URL alphabet, padding in the middle, trailing bits that are not zero. `target` then holds a part, to be wiped by the caller.
 */
export function decodeBase64(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const whole = target.length - (target.length % 3);
  let from = start;
  let to = 0;
  while (to < whole) {
    const a = valueOf[source[from] as number] as number;
    const b = valueOf[source[from + 1] as number] as number;
    const c = valueOf[source[from + 2] as number] as number;
    const d = valueOf[source[from + 3] as number] as number;
    // A valid value has six bits, so the union of four is over 63 only when one of them is INVALID.
    if ((a | b | c | d) > 63) return from + (a > 63 ? 0 : b > 63 ? 1 : c > 63 ? 2 : 3);
    target[to] = (a << 2) | (b >> 4);
    target[to + 1] = (b << 4) | (c >> 2);
    target[to + 2] = (c << 6) | d;
    from += 4;
    to += 3;
  }
  if (from === end) return -1;
  const a = valueOf[source[from] as number] as number;
  const b = valueOf[source[from + 1] as number] as number;
  if (a > 63) return from;
  if (b > 63) return from + 1;
  target[to] = (a << 2) | (b >> 4);
  if (target.length - whole === 1) return (b & 15) === 0 ? -1 : from + 1;
  const c = valueOf[source[from + 2] as number] as number;
  if (c > 63 || (c & 3) !== 0) return from + 2;
  target[to + 1] = (b << 4) | (c >> 2);
  return -1;
}

/** Writes the text of `source` into `target` at `offset`, which has room for `encodedLength`; returns the offset after it. */
export function encodeBase64(source: Uint8Array, target: Uint8Array, offset: number): number {
  const whole = source.length - (source.length % 3);
  let to = offset;
  let from = 0;
  for (; from < whole; from += 3) {
    const a = source[from] as number;
    const b = source[from + 1] as number;
    const c = source[from + 2] as number;
    target[to] = symbolOf[a >> 2] as number;
    target[to + 1] = symbolOf[((a & 3) << 4) | (b >> 4)] as number;
    target[to + 2] = symbolOf[((b & 15) << 2) | (c >> 6)] as number;
    target[to + 3] = symbolOf[c & 63] as number;
    to += 4;
  }
  const rest = source.length - whole;
  if (rest === 0) return to;
  const a = source[from] as number;
  const b = rest === 2 ? (source[from + 1] as number) : 0;
  target[to] = symbolOf[a >> 2] as number;
  target[to + 1] = symbolOf[((a & 3) << 4) | (b >> 4)] as number;
  target[to + 2] = rest === 2 ? (symbolOf[(b & 15) << 2] as number) : PAD;
  target[to + 3] = PAD;
  return to + 4;
}

/** Strict: with padding, no white space, zero trailing bits. Undefined when it is not. */
export function base64ToBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const source = new TextEncoder().encode(text);
  const length = decodedLength(source, 0, source.length);
  if (length === undefined) return undefined;
  const bytes = new Uint8Array(new ArrayBuffer(length));
  return decodeBase64(source, 0, source.length, bytes) === -1 ? bytes : undefined;
}

/** For what is public: a string cannot be wiped. */
export function bytesToBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(encodedLength(bytes.length));
  encodeBase64(bytes, text, 0);
  return new TextDecoder().decode(text);
}
