/** DER (X.690 section 10) written, for certificates and requests: the few types that they are made of. */
import { type Bytes, concat, fromHex, u8 } from './bytes.ts';
import { writeElement } from './der.ts';

export const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, nothing: 0x05, oid: 0x06, utf8: 0x0c, printable: 0x13, ia5: 0x16, utcTime: 0x17, time: 0x18, sequence: 0x30, set: 0x31 } as const;

/** Context-specific: primitive, and constructed. */
export const implicit = (number: number, content: Uint8Array): Bytes => writeElement(0x80 | number, content);
export const explicit = (number: number, content: Uint8Array): Bytes => writeElement(0xa0 | number, content);
export const sequence = (...parts: readonly Uint8Array[]): Bytes => writeElement(TAG.sequence, concat(...parts));
/** `encoded`: its content in hex. */
export const oid = (encoded: string): Bytes => writeElement(TAG.oid, fromHex(encoded));
export const octets = (content: Uint8Array): Bytes => writeElement(TAG.octets, content);
export const bits = (content: Uint8Array, unused = 0): Bytes => writeElement(TAG.bits, concat(u8(unused), content));
export const TRUE = writeElement(TAG.boolean, u8(0xff));
export const NULL = writeElement(TAG.nothing, new Uint8Array());
