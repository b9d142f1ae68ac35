/**
 * Messages between main and the sealer: JSON, with the bytes beside it, in one frame.
 *
 * Frame, big-endian: call id u32 · kind u8 · method u8 (index in `METHODS` for a request, else 0) · JSON length u32 · JSON in UTF-8 ·
 * part count u32 · length of each part u32 · the parts. In the JSON a byte string is the text U+0000, and takes the next part
 * in document order; every other text that begins with U+0000 is written with one more in front. So no text that a caller chose
 * reads as bytes.
 *
 * Decoding is strict: everything has to be used up exactly, no null, no key `__proto__`, at most 32 levels. What it does not do:
 * know what a call looks like; each call checks its own fields.
 */
import { type ErrorBody, VaultError, isErrorCode } from '../../shared/model/errors.ts';
import { type Bytes, allocate, copy, readU32 } from '../crypto/bytes.ts';
import { Cursor, MalformedError } from './cursor.ts';
import type { RequestOf, SealerMethod } from './protocol.ts';

/** What `Child.send` takes at most. */
export const FRAME_LIMIT = 64 * 1024 * 1024;
const DEPTH_LIMIT = 32;
const PREFIX_LENGTH = 10;
const MARK = '\u0000';

/** Order is the method's number on the wire; both ends are of one program. */
export const METHODS = [
  'readHeader',
  'measureKdf',
  'createHeader',
  'unseal',
  'addSlot',
  'retireSlot',
  'replaceSlot',
  'checkFactors',
  'compromiseSlot',
  'resealRows',
  'resealState',
  'finishTerm',
  'adoptHeader',
  'checkBegin',
  'checkRows',
  'checkFinish',
  'createState',
  'sealUnit',
  'confirmUnit',
  'abandonUnit',
  'openRows',
  'blind',
  'random',
  'generateMaterial',
  'locate',
  'encrypt',
  'decrypt',
  'generateDataKey',
  'generateDataKeyPair',
  'reEncrypt',
  'sign',
  'verify',
  'mac',
  'verifyMac',
  'deriveSharedSecret',
  'encapsulate',
  'decapsulate',
  'forget',
  'trailBegin',
  'trailFeed',
  'trailFinish',
  'signCheckpoint',
  'checkpointKeys',
  'importParameters',
  'importMaterial',
  'newAccessKey',
  'signingKey',
  'newCertificateKey',
  'signCertificate',
  'sealPin',
  'openPin',
  'keepSessionToken',
  'generateDataKeys',
] as const satisfies readonly SealerMethod[];
/** Does not compile while a method is missing from the list. */
export type Complete = [Exclude<SealerMethod, (typeof METHODS)[number]>] extends [never] ? true : never;
const complete: Complete = true;
void complete;
const NUMBERS = new Map<SealerMethod, number>(METHODS.map((method, number) => [method, number]));

/** `wipe` asks the sealer to forget everything and is answered by `wiped`. */
const KINDS = ['request', 'reply', 'error', 'wipe', 'wiped'] as const;
export type FrameKind = (typeof KINDS)[number];

export interface Message {
  readonly id: number;
  readonly kind: FrameKind;
  /** Present for a request. */
  readonly method?: SealerMethod;
  readonly body: unknown;
}

const unsendable = (what: string): VaultError => new VaultError('SerializationException', `a message to or from the sealer cannot hold ${what}; send JSON values and bytes`);

/** A copy of `value` as JSON values, its byte strings moved to `parts`. */
function toJson(value: unknown, parts: Uint8Array[], depth: number): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? MARK + value : value;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw unsendable('a number that is not finite');
    return value;
  }
  if (typeof value !== 'object' || value === null) throw unsendable(value === null ? 'null' : `a ${typeof value}`);
  if (value instanceof Uint8Array) {
    parts.push(value);
    return MARK;
  }
  if (depth === DEPTH_LIMIT) throw unsendable('so many levels');
  if (Array.isArray(value)) return value.map((item: unknown) => toJson(item, parts, depth + 1));
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw unsendable('the key `__proto__`');
    const field = (value as Record<string, unknown>)[key];
    if (field !== undefined) out[key] = toJson(field, parts, depth + 1);
  }
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function encode(id: number, kind: FrameKind, method: number, body: unknown): Bytes {
  const parts: Uint8Array[] = [];
  const json = JSON.stringify(toJson(body, parts, 0));
  const jsonLength = Buffer.byteLength(json);
  let length = PREFIX_LENGTH + jsonLength + 4 + 4 * parts.length;
  for (const part of parts) length += part.byteLength;
  if (length > FRAME_LIMIT) throw new VaultError('RequestTooLargeException', 'a message to or from the sealer is over 64 MiB; send it in smaller parts');
  const frame = allocate(length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, id);
  frame[4] = KINDS.indexOf(kind);
  frame[5] = method;
  view.setUint32(6, jsonLength);
  encoder.encodeInto(json, frame.subarray(PREFIX_LENGTH));
  let offset = PREFIX_LENGTH + jsonLength;
  view.setUint32(offset, parts.length);
  offset += 4;
  for (const part of parts) {
    view.setUint32(offset, part.byteLength);
    offset += 4;
  }
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.byteLength;
  }
  return frame;
}

/** Throws SerializationException for what is neither JSON nor bytes, RequestTooLargeException above 64 MiB. */
export const encodeRequest = <M extends SealerMethod>(id: number, method: M, request: RequestOf<M>): Bytes =>
  encode(id, 'request', NUMBERS.get(method) ?? 0, request);
export const encodeReply = (id: number, reply: object): Bytes => encode(id, 'reply', 0, reply);
export const encodeError = (id: number, error: ErrorBody): Bytes => encode(id, 'error', 0, error);
export const encodeWipe = (): Bytes => encode(0, 'wipe', 0, {});
export const encodeWiped = (): Bytes => encode(0, 'wiped', 0, {});

/** Puts the parts where the marks are, in place; `value` is fresh from JSON.parse. */
function fromJson(value: unknown, nextPart: () => Uint8Array, depth: number): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith(MARK)) return value;
    if (value === MARK) return nextPart();
    if (value.startsWith(MARK + MARK)) return value.slice(1);
    throw new MalformedError('text has a wrong mark');
  }
  if (typeof value !== 'object') return value;
  if (value === null) throw new MalformedError('null');
  if (depth === DEPTH_LIMIT) throw new MalformedError('too many levels');
  if (Array.isArray(value)) {
    value.forEach((item: unknown, i) => {
      value[i] = fromJson(item, nextPart, depth + 1);
    });
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    if (key === '__proto__') throw new MalformedError('a key is `__proto__`');
    object[key] = fromJson(object[key], nextPart, depth + 1);
  }
  return object;
}

function readParts(cursor: Cursor): readonly Uint8Array[] {
  const count = cursor.u32('part count');
  // The lengths have to be there before memory is taken for their number.
  const lengths = cursor.view(4 * count, 'part lengths');
  const view = new DataView(lengths.buffer, lengths.byteOffset, lengths.byteLength);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) parts.push(cursor.view(view.getUint32(4 * i), 'part'));
  cursor.end('message');
  return parts;
}

/** Whether byte strings are views of the frame or off-heap copies of their own. */
export type Ownership = 'views' | 'copies';

function decode(frame: Uint8Array, ownership: (method: SealerMethod | undefined) => Ownership): Message {
  const cursor = new Cursor(frame);
  const id = cursor.u32('call id');
  const kind = KINDS[cursor.u8('kind')];
  if (kind === undefined) throw new MalformedError('kind is unknown');
  const number = cursor.u8('method');
  const method = kind === 'request' ? METHODS[number] : undefined;
  if (kind === 'request' ? method === undefined : number !== 0) throw new MalformedError('method is unknown');
  const json = decoder.decode(cursor.view(cursor.u32('JSON'), 'JSON'));
  const parts = readParts(cursor);
  const copies = ownership(method) === 'copies';
  let used = 0;
  const body = fromJson(
    JSON.parse(json),
    () => {
      const part = parts[used];
      if (part === undefined) throw new MalformedError('a part is missing');
      used += 1;
      return copies ? copy(part) : part;
    },
    0,
  );
  if (used !== parts.length) throw new MalformedError('a part is not used');
  if (typeof body !== 'object' || Array.isArray(body) || body instanceof Uint8Array) throw new MalformedError('a message is an object');
  return { id, kind, ...(method === undefined ? {} : { method }), body };
}

/**
 * The frame stays the caller's. Throws SerializationException for any frame that is not exactly a message; its text holds
 * nothing of the frame.
 */
export function decodeMessage(frame: Uint8Array, ownership: (method: SealerMethod | undefined) => Ownership): Message {
  try {
    return decode(frame, ownership);
  } catch {
    throw new VaultError('SerializationException', 'a message between main and the sealer is malformed; restart Keystead');
  }
}

/** The call id of a frame that may be malformed, so that its sender hears of it; undefined when there is none. */
export const frameId = (frame: Uint8Array): number | undefined => (frame.byteLength < 4 ? undefined : readU32(frame, 0));

/** The error that an `error` frame carries; InternalException when it is not one of the table. */
export function errorOf(body: unknown): VaultError {
  const { code, message, details } = body as Partial<Record<'code' | 'message' | 'details', unknown>>;
  const known = typeof code === 'string' && isErrorCode(code) && typeof message === 'string';
  if (!known) return new VaultError('InternalException', 'the sealer answered with an unknown error; restart Keystead');
  const entries = typeof details === 'object' && details !== null ? Object.entries(details) : [];
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return new VaultError(code, message, texts.length > 0 ? { details: Object.fromEntries(texts) } : undefined);
}
