/**
 * Frames between the vault and a module host: id u32 ‖ length of the JSON u32 ‖ JSON ‖ for each part: length u32 ‖ bytes. Integers are
 * big-endian. PINs, plaintexts and shared secrets are parts, never in the JSON.
 */
import { z } from 'zod';
import { type Bytes, allocate, readU32, u32, utf8 } from '../../crypto/bytes.ts';
import { CALLS, failure, type CallName } from './protocol.ts';

const MOST_PARTS = 4;
/** Bytes. A token is given and gives messages of at most 4,096 bytes; lists are what is long. */
const MOST_FRAME = 1024 * 1024;
const callNames = Object.keys(CALLS) as [CallName, ...CallName[]];
const toChild = z.strictObject({ call: z.enum(callNames), request: z.unknown() });
const toParent = z.union([z.strictObject({ reply: z.unknown() }), z.strictObject({ failure })]);

export type ToChild = z.output<typeof toChild>;
export type ToParent = z.output<typeof toParent>;

export interface Message<T> {
  readonly id: number;
  readonly message: T;
  /** Views of the frame. */
  readonly parts: readonly Uint8Array[];
}

/** A frame of its own, to be handed over. */
export function encode(id: number, message: ToChild | ToParent, parts: readonly Uint8Array[] = []): Bytes {
  const json = utf8(JSON.stringify(message));
  const frame = allocate(8 + json.byteLength + parts.reduce((sum, part) => sum + 4 + part.byteLength, 0));
  frame.set(u32(id), 0);
  frame.set(u32(json.byteLength), 4);
  frame.set(json, 8);
  let at = 8 + json.byteLength;
  for (const part of parts) {
    frame.set(u32(part.byteLength), at);
    frame.set(part, at + 4);
    at += 4 + part.byteLength;
  }
  return frame;
}

function decode<T>(schema: z.ZodType<T>, frame: Uint8Array): Message<T> | undefined {
  if (frame.byteLength > MOST_FRAME) return undefined;
  try {
    let at = 8 + readU32(frame, 4);
    if (at > frame.byteLength) return undefined;
    const parsed = schema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(8, at))));
    if (!parsed.success) return undefined;
    const parts: Uint8Array[] = [];
    while (at < frame.byteLength) {
      const end = at + 4 + readU32(frame, at);
      if (end > frame.byteLength || parts.length === MOST_PARTS) return undefined;
      parts.push(frame.subarray(at + 4, end));
      at = end;
    }
    return { id: readU32(frame, 0), message: parsed.data, parts };
  } catch {
    return undefined;
  }
}

/** Undefined for anything that is no message. */
export const decodeToChild = (frame: Uint8Array): Message<ToChild> | undefined => decode(toChild, frame);
export const decodeToParent = (frame: Uint8Array): Message<ToParent> | undefined => decode(toParent, frame);
