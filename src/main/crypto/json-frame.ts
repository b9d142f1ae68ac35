/**
 * A message between this program's own processes with bytes beside it: u32 length of the JSON ‖ JSON ‖ bytes, in one frame. What is secret is in the bytes,
 * off-heap, and never in the JSON, which becomes strings.
 *
 * Defends against: a process that other people's bytes took over; what it sends is held against a schema, or is no message. Does not: divide the bytes among what the
 * message says of them; whoever decodes it checks that their lengths add up.
 */
import type { z } from 'zod';
import { type Bytes, allocate, readU32, u32, utf8 } from './bytes.ts';

const LENGTH = 4;

/** A frame of its own, to be handed over; the parts are copied into it one behind the other and stay the caller's. */
export function encodeFrame(message: object, parts: readonly Uint8Array[] = []): Bytes {
  const json = utf8(JSON.stringify(message));
  const frame = allocate(LENGTH + json.byteLength + parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  frame.set(u32(json.byteLength), 0);
  frame.set(json, LENGTH);
  let at = LENGTH + json.byteLength;
  // One by one: an import has more parts than a call takes arguments.
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}

/** The bytes are a view into the frame. Undefined for anything that is no such message. */
export function decodeFrame<T>(schema: z.ZodType<T>, frame: Uint8Array): { readonly message: T; readonly bytes: Uint8Array } | undefined {
  try {
    const end = LENGTH + readU32(frame, 0);
    if (end > frame.byteLength) return undefined;
    const parsed = schema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(LENGTH, end))));
    return parsed.success ? { message: parsed.data, bytes: frame.subarray(end) } : undefined;
  } catch {
    return undefined;
  }
}
