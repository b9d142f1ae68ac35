/**
 * Messages between the vault and the process that opens outward connections: one frame each (`crypto/json-frame.ts`). The
 * bytes are the values of an order, one after the other in the order of `ROLES`; their lengths are in the JSON, they never are. An
 * answer has bytes only where a remote was asked for a value. Both ends are of one program, yet decoding is strict, and an answer can hold nothing but words of closed sets,
 * codes of a narrow shape, and addresses: a server that took over the child must not get to choose what the vault says.
 */
import { z } from 'zod';
import type { Bytes } from '../crypto/bytes.ts';
import { decodeFrame, encodeFrame } from '../crypto/json-frame.ts';
import { STEPS } from '../secrets/rotator-port.ts';
import { ACTIONS, type EgressOrder, ENGINES, FAILURES, type FailureCode, MOST_LABELS, NOTES, PLACES, ROLES, type Role, STAGE, STRATEGIES, VERSION_ID } from './port.ts';

/** A secret's limit is 65,536 bytes. */
const length = z.int().min(0).max(65_536);
const timeMs = z.int().min(1).max(3_600_000);
const place = z.string().min(3).max(300);
const allow = z.array(place).max(64);
const pem = z.string().max(262_144);
const event = z.strictObject({ Step: z.enum(STEPS), SecretId: z.string().max(2048), ClientRequestToken: z.string().max(64) });

const name = z.string().min(1).max(512);
const token = z.string().min(32).max(64);
const stage = z.string().min(1).max(256);
const tags = z.array(z.strictObject({ key: z.string().max(128), value: z.string().max(256) })).max(50);
const about = z.string().max(2048);
const act = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('probe') }),
  z.strictObject({ kind: z.literal('look'), name }),
  z.strictObject({ kind: z.literal('create'), name, token, description: about, tags, kmsKeyId: z.string().max(2048).exactOptional() }),
  z.strictObject({ kind: z.literal('put'), name, token, stage }),
  z.strictObject({ kind: z.literal('move'), name, stage, from: token.exactOptional(), to: token.exactOptional() }),
  z.strictObject({ kind: z.literal('metadata'), name, description: about, tags, untag: z.array(z.string().max(128)).max(200) }),
  z.strictObject({ kind: z.literal('read'), name, versionId: token }),
  z.strictObject({ kind: z.literal('delete'), name, days: z.int().min(7).max(30) }),
  z.strictObject({ kind: z.literal('restore'), name }),
]);
const valueKind = z.enum(['string', 'binary']);

const order = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('database'), action: z.enum(ACTIONS), engine: z.enum(ENGINES), strategy: z.enum(STRATEGIES), anew: z.literal(true).exactOptional(), allow, ca: pem.exactOptional(), timeMs }),
  z.strictObject({
    kind: z.literal('command'), path: z.string().max(4096), args: z.array(z.string().max(4096)).max(64), sha256: z.string().regex(/^[0-9a-f]{64}$/).exactOptional(), endpoint: z.string().max(2048).exactOptional(), event, timeMs,
  }),
  z.strictObject({ kind: z.literal('lambda'), url: z.string().max(2048), event, allow, ca: pem.exactOptional(), timeMs }),
  z.strictObject({ kind: z.literal('remote'), act, url: z.string().max(2048), region: z.string().max(32), accessKeyId: z.string().max(128), time: z.string().regex(/^\d{8}T\d{6}Z$/), valueKind: valueKind.exactOptional(), allow, ca: pem.exactOptional(), timeMs }),
]);
const lengths = z.strictObject({ current: length.exactOptional(), previous: length.exactOptional(), pending: length.exactOptional(), master: length.exactOptional(), signer: length.exactOptional(), token: length.exactOptional(), value: length.exactOptional() });

const toChild = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('order'), order, lengths }), z.strictObject({ kind: z.literal('cancel') })]);

const count = z.int().min(0).max(2 ** 31);
const connection = z.strictObject({
  /** As it was named, escaped by who shows it. */
  host: z.string().max(255),
  port: z.int().min(0).max(65_535),
  address: z.union([z.ipv4(), z.ipv6()]).exactOptional(),
  tls: z.enum(['none', 'TLSv1.2', 'TLSv1.3']).exactOptional(),
  as: z.enum(ROLES).exactOptional(),
  ms: count,
});
const connections = z.array(connection).max(64);
const codes = Object.keys(FAILURES) as [FailureCode, ...FailureCode[]];
/** SQLSTATE, MySQL's number, errno, a word of Redis, exit code, signal, HTTP status. */
export const DETAIL = /^[A-Z0-9_]{1,40}$/;

const label = z.strictObject({ stage: z.string().regex(STAGE), versionId: z.string().regex(VERSION_ID) });
const theirs = z.discriminatedUnion('exists', [z.strictObject({ exists: z.literal(false) }), z.strictObject({ exists: z.literal(true), deleted: z.boolean(), labels: z.array(label).max(MOST_LABELS) })]);

const toParent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('done'), notes: z.array(z.enum(NOTES)).max(NOTES.length), connections, theirs: theirs.exactOptional(), value: z.strictObject({ kind: valueKind, length }).exactOptional() }),
  z.strictObject({ kind: z.literal('failed'), code: z.enum(codes), place: z.enum(PLACES), detail: z.string().regex(DETAIL).exactOptional(), role: z.enum(ROLES).exactOptional(), uncertain: z.boolean(), connections }),
]);

export type ToChild = z.output<typeof toChild>;
export type ToParent = z.output<typeof toParent>;
export type SaidTheirs = z.output<typeof theirs>;
export type Given = Readonly<Partial<Record<Role, Uint8Array>>>;

/** A frame of its own, to be handed over; the values are copied into it and stay the caller's. */
export function encodeOrder(given: EgressOrder, values: Given): Bytes {
  const parts = ROLES.flatMap((role) => (values[role] ? [[role, values[role]] as const] : []));
  return encodeFrame({ kind: 'order', order: given, lengths: Object.fromEntries(parts.map(([role, bytes]) => [role, bytes.byteLength])) }, parts.map(([, bytes]) => bytes));
}

/** `value`: as long as the message says, copied. */
export const encode = (message: ToParent | { readonly kind: 'cancel' }, value?: Uint8Array): Bytes => encodeFrame(message, value ? [value] : []);

/** The values are views into the frame. Undefined for anything that is no message. */
export function decodeToChild(frame: Uint8Array): { readonly message: ToChild; readonly values: Given } | undefined {
  const given = decodeFrame(toChild, frame);
  if (!given) return undefined;
  const { message, bytes } = given;
  const sizes = message.kind === 'order' ? message.lengths : {};
  const values: Partial<Record<Role, Uint8Array>> = {};
  let at = 0;
  for (const role of ROLES) {
    const size = sizes[role];
    if (size === undefined) continue;
    if (at + size > bytes.byteLength) return undefined;
    values[role] = bytes.subarray(at, at + size);
    at += size;
  }
  return at === bytes.byteLength ? { message, values } : undefined;
}

/** The value is a view into the frame. Undefined for anything that is no answer. */
export function decodeToParent(frame: Uint8Array): { readonly message: ToParent; readonly value: Uint8Array } | undefined {
  const given = decodeFrame(toParent, frame);
  if (!given) return undefined;
  const { message, bytes } = given;
  return bytes.byteLength === (message.kind === 'done' ? (message.value?.length ?? 0) : 0) ? { message, value: bytes } : undefined;
}
