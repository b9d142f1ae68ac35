/** How a module host answers, and how it takes the parts of a call. */
import type { CallName, ReplyOf, RequestOf } from './protocol.ts';

export type Answer<C extends CallName> = { readonly reply: ReplyOf<C>; readonly parts?: readonly Uint8Array[] };
export type Calls = { readonly [C in CallName]: (request: RequestOf<C>, parts: readonly Uint8Array[]) => Answer<C> | Promise<Answer<C>> };

export const pinOf = (part: Uint8Array | undefined): string => Buffer.from(part ?? []).toString('utf8');
/** A view, not a copy. */
export const bufferOf = (part: Uint8Array | undefined): Buffer => Buffer.from(part?.buffer ?? new ArrayBuffer(0), part?.byteOffset, part?.byteLength);
