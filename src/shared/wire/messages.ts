/**
 * The messages of a conversation with the vault, both ways, over any door that carries JSON. The server speaks first on a
 * socket (its hello says that the caller's hints have been read); then calls overlap freely and are answered by id.
 */
import type { ErrorBody } from '../model/errors.ts';
import { isErrorCode, VaultError } from '../model/errors.ts';
import { decodeEnvelope, isObject } from './json.ts';

/** Version of this conversation; a peer of another one is told so and left. */
export const PROTOCOL_VERSION = 1;
/** A client numbers its calls itself, 1 to this. An id is free again once it has been answered. */
export const MAX_CALL_ID = 0x7fff_ffff;
const MAX_OPERATION_LENGTH = 128;
const MAX_REGION_LENGTH = 32;

// ---- client to server

/** `input` is an object; on the receiving side it is a view of its bytes. `progress` asks for progress events of this call. */
export interface RequestMessage {
  readonly id: number;
  readonly op: string;
  readonly input: unknown;
  readonly progress?: true;
  /** Region that the request is for; absent: the vault's own. */
  readonly region?: string;
}

/** Aborts the call; it is still answered, once, and usually with CancelledException. Of an id not in flight nothing happens. */
export interface CancelMessage {
  readonly id: number;
  readonly cancel: true;
}

/** Optional, at any time. `events` asks for the vault's events from now on. */
export interface ClientHelloMessage {
  readonly hello: { readonly version: number; readonly events?: boolean };
}

// ---- server to client

/** `id` is null when the message was so broken that it named none. `output` is an object, on the receiving side its bytes. */
export type ReplyMessage =
  | { readonly id: number | null; readonly ok: true; readonly output: unknown; readonly requestId: string }
  | { readonly id: number | null; readonly ok: false; readonly error: ErrorBody; readonly requestId: string };

/** How far a call is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'records' | 'rows' | 'keys' | 'steps';
}

/** Ids only. `call` is the client's own number of the call that a progress event belongs to. */
export interface EventMessage {
  readonly event: string;
  readonly id?: string;
  readonly call?: number;
  readonly progress?: Progress;
}

export interface ServerHello {
  readonly version: number;
  /** 32 lower-case hexadecimal digits; absent while there is no vault in the folder. */
  readonly vaultId?: string;
  readonly pid: number;
  readonly locked: boolean;
  readonly features: readonly string[];
}
export interface ServerHelloMessage {
  readonly hello: ServerHello;
}

// ---- reading them

export type ClientMessage =
  | { readonly kind: 'request'; readonly id: number; readonly op: string; readonly input: Uint8Array; readonly progress: boolean; readonly region?: string }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'hello'; readonly version: number; readonly events: boolean }
  /** Not a message. `id` where it could be read, so that the caller can tell which of its calls is meant. */
  | { readonly kind: 'malformed'; readonly id: number | null; readonly error: ErrorBody };

export type ServerMessage =
  | { readonly kind: 'reply'; readonly id: number | null; readonly ok: true; readonly output: Uint8Array; readonly requestId: string }
  | { readonly kind: 'reply'; readonly id: number | null; readonly ok: false; readonly error: ErrorBody; readonly requestId: string }
  | { readonly kind: 'event'; readonly event: EventMessage }
  | { readonly kind: 'hello'; readonly hello: ServerHello };

type Fields = Readonly<Record<string, unknown>>;

const isCallId = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_CALL_ID;
const only = (fields: Fields, ...allowed: readonly string[]): boolean => Object.keys(fields).every((key) => allowed.includes(key));
const refusal = (message: string): VaultError => new VaultError('SerializationException', message);

/** Reads one message of a client, hostile or not. Never throws; `input` is a view into `bytes`. */
export function readClientMessage(bytes: Uint8Array): ClientMessage {
  let id: number | null = null;
  try {
    const fields = decodeEnvelope(bytes);
    if (isCallId(fields['id'])) id = fields['id'];
    return clientMessageOf(fields);
  } catch (error) {
    const body = error instanceof VaultError ? error.toBody() : refusal('the message cannot be read').toBody();
    return { kind: 'malformed', id, error: body };
  }
}

function clientMessageOf(fields: Fields): ClientMessage {
  const { id, op, input, progress, cancel, hello, region } = fields;
  if (isObject(hello) && only(fields, 'hello')) {
    const { version, events } = hello;
    if (!only(hello, 'version', 'events') || !Number.isInteger(version) || !(events === undefined || typeof events === 'boolean')) {
      throw refusal('a hello has a `version` and may have `events`');
    }
    return { kind: 'hello', version: version as number, events: events === true };
  }
  if (!isCallId(id)) throw refusal(`\`id\` must be a whole number from 1 to ${String(MAX_CALL_ID)}`);
  if (cancel === true && only(fields, 'id', 'cancel')) return { kind: 'cancel', id };
  if (!only(fields, 'id', 'op', 'input', 'progress', 'region')) throw refusal('a request has `id`, `op`, `input` and may have `progress` and `region`, and nothing else');
  if (typeof op !== 'string' || op.length === 0 || op.length > MAX_OPERATION_LENGTH) {
    throw refusal(`\`op\` must be text of 1 to ${String(MAX_OPERATION_LENGTH)} characters`);
  }
  if (!(input instanceof Uint8Array)) throw refusal('`input` must be an object');
  if (progress !== undefined && typeof progress !== 'boolean') throw refusal('`progress` must be true or false');
  if (!(region === undefined || (typeof region === 'string' && region.length <= MAX_REGION_LENGTH))) throw refusal('`region` must be text');
  return { kind: 'request', id, op, input, progress: progress === true, ...(region === undefined ? {} : { region }) };
}

/**
 * Reads one message of the server; `output` is a view into `bytes`, for `decodeJson` with the operation's secret fields.
 * Throws SerializationException. Unknown fields of a hello or an event are ignored, so that a newer server can say more.
 */
export function readServerMessage(bytes: Uint8Array): ServerMessage {
  const fields = decodeEnvelope(bytes);
  if (isObject(fields['hello'])) return { kind: 'hello', hello: serverHelloOf(fields['hello']) };
  if (typeof fields['event'] === 'string') return { kind: 'event', event: eventOf(fields['event'], fields) };
  const { id, ok, output, error, requestId } = fields;
  if (!(id === null || isCallId(id)) || typeof requestId !== 'string') throw refusal('the vault sent a message of an unknown kind');
  if (ok === true && output instanceof Uint8Array) return { kind: 'reply', id, ok, output, requestId };
  if (ok === false && isObject(error)) return { kind: 'reply', id, ok, error: errorOf(error), requestId };
  throw refusal('the vault sent a message of an unknown kind');
}

function serverHelloOf(hello: Fields): ServerHello {
  const { version, vaultId, pid, locked, features } = hello;
  if (!Number.isInteger(version) || !Number.isInteger(pid) || typeof locked !== 'boolean' || !Array.isArray(features)) {
    throw refusal('the vault sent a hello that cannot be read');
  }
  return {
    version: version as number,
    ...(typeof vaultId === 'string' ? { vaultId } : {}),
    pid: pid as number,
    locked,
    features: features.filter((feature) => typeof feature === 'string'),
  };
}

function eventOf(event: string, { id, call, progress }: Fields): EventMessage {
  return {
    event,
    ...(typeof id === 'string' ? { id } : {}),
    ...(isCallId(call) ? { call } : {}),
    ...(isProgress(progress) ? { progress } : {}),
  };
}

const UNITS: ReadonlySet<unknown> = new Set<Progress['unit']>(['bytes', 'records', 'rows', 'keys', 'steps']);

function isProgress(value: unknown): value is Progress {
  if (!isObject(value) || typeof value['done'] !== 'number' || typeof value['total'] !== 'number') return false;
  return UNITS.has(value['unit']);
}

/** A code of a newer vault reads as InternalException, with its own name in the message. */
function errorOf({ code, message, details }: Fields): ErrorBody {
  if (typeof code !== 'string' || typeof message !== 'string') throw refusal('the vault sent an error that cannot be read');
  if (!isErrorCode(code)) return { code: 'InternalException', message: `\`${code}\`: ${message}` };
  if (!isObject(details)) return { code, message };
  const facts = Object.entries(details).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { code, message, details: Object.fromEntries(facts) };
}
