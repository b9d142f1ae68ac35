/**
 * Needles, and the forms in which each is looked for: its two halves (so that a copy that was partly overwritten is found, and a
 * whole one twice) as bytes, as hexadecimal in both cases, as base64 at its three alignments, and as UTF-16; of a key for AES
 * also the end of its schedule, which is what a cipher holds when the key itself is wiped.
 */
export const FORMS = ['raw', 'hex', 'HEX', 'base64', 'base64+1', 'base64+2', 'utf16', 'schedule'] as const;
export type Form = (typeof FORMS)[number];

export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The same as text, when it is text: UTF-16 of what V8 would hold. */
  readonly text?: string;
  /** 32 bytes of an AES-256 key. */
  readonly aes?: boolean;
}

export interface Pattern {
  readonly needle: string;
  readonly form: Form;
  readonly bytes: Uint8Array;
}

/** Shorter ones would be found by chance. */
const SHORTEST = 8;

export const textNeedle = (name: string, text: string): Needle => ({ name, bytes: Buffer.from(text, 'utf8'), text });

/** The base64 characters that these bytes alone decide when `shift` other bytes stand before them. */
function base64At(bytes: Uint8Array, shift: number): Uint8Array {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return Buffer.from(text.slice(first, last), 'latin1');
}

export function patternsOf(needle: Needle): readonly Pattern[] {
  const middle = Math.ceil(needle.bytes.length / 2);
  const halves = [needle.bytes.subarray(0, middle), needle.bytes.subarray(middle)];
  const patterns: Pattern[] = halves.flatMap((half) => {
    const hex = Buffer.from(half).toString('hex');
    const forms: readonly (readonly [Form, Uint8Array])[] = [
      ['raw', half],
      ['hex', Buffer.from(hex)],
      ['HEX', Buffer.from(hex.toUpperCase())],
      ['base64', base64At(half, 0)],
      ['base64+1', base64At(half, 1)],
      ['base64+2', base64At(half, 2)],
      // Bytes that became a "binary" string next to wider characters.
      ['utf16', Buffer.from(Buffer.from(half).toString('latin1'), 'utf16le')],
    ];
    return forms.map(([form, bytes]) => ({ needle: needle.name, form, bytes }));
  });
  if (needle.text !== undefined) {
    const { text } = needle;
    const cut = Math.ceil(text.length / 2);
    for (const half of [text.slice(0, cut), text.slice(cut)]) patterns.push({ needle: needle.name, form: 'utf16', bytes: Buffer.from(half, 'utf16le') });
  }
  if (needle.aes === true) patterns.push({ needle: needle.name, form: 'schedule', bytes: scheduleEnd(needle.bytes) });
  const short = patterns.find(({ bytes }) => bytes.length < SHORTEST);
  if (short) throw new RangeError(`the needle ${needle.name} is too short to be looked for as ${short.form}`);
  return patterns;
}

const SBOX = ((): Uint8Array => {
  const box = new Uint8Array(256);
  for (let p = 1, q = 1, first = true; first || p !== 1; first = false) {
    p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 0xff;
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q &= 0xff;
    if (q & 0x80) q ^= 0x09;
    const rotated = (n: number): number => ((q << n) | (q >> (8 - n))) & 0xff;
    box[p] = q ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63;
  }
  box[0] = 0x63;
  return box;
})();

/** The last two of the 15 round keys of AES-256 (FIPS 197 section 5.2): 32 bytes. */
export function scheduleEnd(key: Uint8Array): Uint8Array {
  const words = new Uint8Array(240);
  words.set(key);
  let round = 1;
  for (let at = 32; at < 240; at += 4) {
    let word = [...words.subarray(at - 4, at)];
    if (at % 32 === 0) {
      word = [...word.slice(1), word[0]!].map((byte) => SBOX[byte]!);
      word[0]! ^= round;
      round <<= 1;
    } else if (at % 32 === 16) word = word.map((byte) => SBOX[byte]!);
    for (let i = 0; i < 4; i++) words[at + i] = words[at + i - 32]! ^ word[i]!;
  }
  return words.subarray(208);
}
