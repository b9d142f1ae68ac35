/**
 * Messages between the vault and the process that encrypts and decrypts files: one frame each, u32 length of the JSON ‖ JSON ‖ bytes. The
 * bytes are a data key or its ciphertext; a data key is never in the JSON. Both ends are of one program, yet decoding is strict: a
 * file that took over the child must not get to choose what main reads.
 */
import { z } from 'zod';
import { type Bytes, allocate, readU32, u32, utf8 } from '../crypto/bytes.ts';

const context = z.record(z.string(), z.string());
const size = z.int().nonnegative();

const order = z.strictObject({
  kind: z.literal('order'),
  work: z.enum(['encrypt', 'decrypt']),
  source: z.string(),
  /** The name until the file is whole, where there cannot be a file without one; removed by the parent whatever happens. */
  temporary: z.string(),
  target: z.string(),
  /** ARN: the wrapping key, by the name that the file's header has of it. */
  keyArn: z.string(),
  context,
});
/** `key`: the data key is the bytes. `wrapped`: the same encrypted, base64, when it was made. */
const key = z.strictObject({ kind: z.literal('key'), wrapped: z.base64().optional() });
const toChild = z.discriminatedUnion('kind', [order, key]);

/** `unwrap`: the wrapped data key is the bytes. `failed`: errno of the system, or a word of `FAILURES`. */
const toParent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('make'), context }),
  z.strictObject({ kind: z.literal('unwrap'), context }),
  z.strictObject({ kind: z.literal('progress'), done: size, total: size }),
  z.strictObject({ kind: z.literal('done'), size, written: size, context }),
  z.strictObject({ kind: z.literal('failed'), where: z.enum(['source', 'target', 'message']), code: z.string().max(64) }),
]);

export type Order = z.output<typeof order>;
export type ToChild = z.output<typeof toChild>;
export type ToParent = z.output<typeof toParent>;

const NOTHING = allocate(0);

/** A frame of its own, to be handed over. */
export function encode(message: ToChild | ToParent, bytes: Uint8Array = NOTHING): Bytes {
  const json = utf8(JSON.stringify(message));
  const frame = allocate(4 + json.byteLength + bytes.byteLength);
  frame.set(u32(json.byteLength), 0);
  frame.set(json, 4);
  frame.set(bytes, 4 + json.byteLength);
  return frame;
}

function decode<T>(schema: z.ZodType<T>, frame: Uint8Array): { readonly message: T; readonly bytes: Uint8Array } | undefined {
  try {
    const end = 4 + readU32(frame, 0);
    if (end > frame.byteLength) return undefined;
    const parsed = schema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, end))));
    return parsed.success ? { message: parsed.data, bytes: frame.subarray(end) } : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes are views into the frame. Undefined for anything that is no message. */
export const decodeToChild = (frame: Uint8Array) => decode(toChild, frame);
export const decodeToParent = (frame: Uint8Array) => decode(toParent, frame);
