/**
 * The page's one way to the vault: the typed client over `window.keystead`, and its events.
 *
 * Does: encode bytes and secrets on the way out (a secret is wiped once it is encoded), decode them on the way in, and turn a
 * bridge that rejects into "the vault's process is gone". Does not: keep any answer, or repeat any call.
 */
// Here too, and not only first in `main.tsx`: what several chunks share runs before that.
import './no-eval.ts';
import { createClient, type Answer, type CallError, type CallOptions } from '../shared/api/client.ts';
import { declarationOf, type Name } from '../shared/api/index.ts';
import { codecFor, innerSchema } from '../shared/api/operation.ts';
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { base64ToBytes, bytesToBase64 } from '../shared/wire/base64.ts';
import { readEvent, type PushedEvent } from './events.ts';

export interface Bridge {
  invoke(operation: string, input: Readonly<Record<string, unknown>>, region?: string): Promise<unknown>;
  on(listener: (event: unknown) => void): unknown;
}

declare global {
  interface Window {
    readonly keystead?: Bridge;
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An answer that says no, as something a query can throw. It holds no input. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly error: CallError;
  readonly requestId: string;
  constructor(error: CallError, requestId: string) {
    super(error.message);
    this.error = error;
    this.requestId = requestId;
  }
}

/** The output, or a throw for whoever waits with a query. */
export function outputOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new CallFailure(answer.error, answer.requestId);
  return answer.output;
}

const LOST: CallError = { code: 'InternalException', message: 'the vault\'s process does not answer' };

const lostListeners = new Set<() => void>();
/** Told when the bridge itself breaks: what is on screen can no longer be trusted to be so. */
export function onLost(listener: () => void): () => void {
  lostListeners.add(listener);
  return () => { lostListeners.delete(listener); };
}

const eventListeners = new Set<(event: PushedEvent) => void>();
export function onEvent(listener: (event: PushedEvent) => void): () => void {
  eventListeners.add(listener);
  return () => { eventListeners.delete(listener); };
}

/** Once, before the first screen. */
export function listenToVault(): void {
  window.keystead?.on((raw) => {
    const event = readEvent(raw);
    if (event) for (const listener of eventListeners) listener(event);
  });
}

function encodeInput(input: Fields): Fields {
  const encoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (value instanceof SecretBytes) {
      using secret = value;
      encoded[name] = secret.borrow(bytesToBase64);
    } else if (value instanceof Uint8Array) encoded[name] = bytesToBase64(value);
    else if (value !== undefined) encoded[name] = value;
  }
  return encoded;
}

type Schema = Parameters<typeof codecFor>[0];

const decodeOutput = (name: Name, output: Fields): Fields => decodeFields(declarationOf(name).output, output);

function decodeFields(schema: Schema, output: Fields): Fields {
  const shape = 'shape' in schema ? (schema.shape as Readonly<Record<string, Schema>>) : {};
  return Object.fromEntries(Object.entries(output).map(([field, value]) => [field, Object.hasOwn(shape, field) && shape[field] ? decodeField(shape[field], value) : value]));
}

function decodeField(declared: Schema, value: unknown): unknown {
  const inner = innerSchema(declared);
  if (Array.isArray(value)) return 'element' in inner ? value.map((item: unknown) => decodeField(inner.element as Schema, item)) : value;
  if (typeof value === 'object' && value !== null) return decodeFields(inner, value as Fields);
  const codec = typeof value === 'string' ? codecFor(inner) : undefined;
  const bytes = codec === undefined ? undefined : base64ToBytes(value as string);
  if (!bytes) return value;
  return codec === 'secret' ? SecretBytes.take(bytes) : bytes;
}

/** The bridge numbers what is invoked, from 1: progress and cancel name a call by its number. */
let invoked = 0;
function invoke(operation: string, input: Fields, region?: string): { readonly number: number; readonly answer: Promise<unknown> } {
  invoked += 1;
  return { number: invoked, answer: window.keystead?.invoke(operation, input, region) ?? Promise.resolve(undefined) };
}

async function call(name: Name, input: Fields, { signal, progress, region }: CallOptions): Promise<Answer<Fields>> {
  const { number, answer } = invoke(name, encodeInput(input), region);
  const stop = progress && onEvent((event) => { if (event.call === number && event.progress) progress(event.progress); });
  const cancel = (): void => { void invoke('call:Cancel', { Call: number }).answer; };
  signal?.addEventListener('abort', cancel, { once: true });
  let raw: unknown;
  try {
    raw = await answer;
  } catch {
    raw = undefined;
  } finally {
    stop?.();
    signal?.removeEventListener('abort', cancel);
  }
  if (isFields(raw) && typeof raw['requestId'] === 'string') {
    const { requestId } = raw;
    if (raw['ok'] === true && isFields(raw['output'])) return { ok: true, requestId, output: decodeOutput(name, raw['output']) };
    // Main that cannot be reached has no request id to give.
    if (raw['ok'] === false && isFields(raw['error']) && !(requestId === '' && raw['error']['code'] === 'InternalException')) {
      return { ok: false, requestId, error: raw['error'] as unknown as CallError };
    }
  }
  for (const listener of lostListeners) listener();
  return { ok: false, requestId: '', error: LOST };
}

export const client = createClient({ call });
