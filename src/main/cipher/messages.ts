/**
 * Messages between the vault and the process that encrypts and decrypts files: one frame each (`crypto/json-frame.ts`). The
 * bytes are a data key or its ciphertext; a data key is never in the JSON. Both ends are of one program, yet decoding is strict: a
 * file that took over the child must not get to choose what main reads.
 */
import { z } from 'zod';
import type { Bytes } from '../crypto/bytes.ts';
import { decodeFrame, encodeFrame } from '../crypto/json-frame.ts';

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

/** `unwrap`: the wrapped data key is the bytes. `failed`: errno of the system, or a word of this program's own (`StreamFailure`). */
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

/** The bytes are views into the frame. Undefined for anything that is no message. */
export const decodeToChild = (frame: Uint8Array) => decodeFrame(toChild, frame);
export const decodeToParent = (frame: Uint8Array) => decodeFrame(toParent, frame);

/** A frame of its own, to be handed over; the bytes stay the caller's. */
export const encode = (message: ToChild | ToParent, bytes?: Uint8Array): Bytes => encodeFrame(message, bytes ? [bytes] : []);
