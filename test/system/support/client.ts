/** A client of a running vault's socket: frames and ids, nothing decoded that a test does not look at. */
import { connect, type Socket } from 'node:net';

import type { ErrorBody } from '../../../src/shared/model/errors.ts';
import { encodeFrame, FrameReader } from '../../../src/shared/wire/frame.ts';
import { readServerMessage, type Progress, type ServerHello } from '../../../src/shared/wire/messages.ts';

/** Output as JSON has it: bytes and secrets are base64 text, times are seconds. */
export type Json = Readonly<Record<string, unknown>>;

export type Answer = { readonly ok: true; readonly output: Json; readonly requestId: string } | { readonly ok: false; readonly error: ErrorBody; readonly requestId: string };

/** The vault went away before it answered: nothing is known of the call. */
export class Gone extends Error {
  constructor() {
    super('the vault went away before it answered');
  }
}

/** An answer that a test did not expect. */
export class Refused extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, string>>;
  constructor(operation: string, { code, message, details = {} }: ErrorBody) {
    super(`${operation}: ${code}: ${message}`);
    this.code = code;
    this.details = details;
  }
}

export interface Client {
  readonly hello: ServerHello;
  readonly closed: Promise<void>;
  /** Rejects with Gone only. */
  call(operation: string, input?: Json, region?: string): Promise<Answer>;
  /** A call that is cancelled once it has come so far. */
  cancelled(operation: string, input: Json, at: (progress: Progress) => boolean): Promise<Answer>;
  /** The output; rejects with Refused or Gone. */
  ok(operation: string, input?: Json, region?: string): Promise<Json>;
  /** The error's code, or `ok`. */
  code(operation: string, input?: Json, region?: string): Promise<string>;
  close(): void;
}

/** One after the other in 32 lanes: the vault takes 64 calls of one caller at a time. Results in the order of `items`. */
export async function inLanes<T, R>(items: readonly T[], work: (item: T, at: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of queue) results[at] = await work(item, at);
  };
  await Promise.all(Array.from({ length: 32 }, lane));
  return results;
}

export const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/**
 * Rejects when nobody listens or no hello comes. `uid`: whose peer this is, other than the one who runs the tests: the kernel
 * notes it at connect(2), which happens inside this call.
 */
export async function connectTo(path: string, uid = 0): Promise<Client> {
  const before = process.geteuid?.() ?? 0;
  if (uid !== before) process.seteuid?.(uid);
  let socket: Socket;
  try {
    socket = connect(path);
  } finally {
    if (uid !== before) process.seteuid?.(before);
  }
  return converse(socket);
}

async function converse(socket: Socket): Promise<Client> {
  const waiting = new Map<number, { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }>();
  const watching = new Map<number, (progress: Progress) => void>();
  const reader = new FrameReader();
  let lastId = 0;
  let greet: (hello: ServerHello) => void = () => undefined;
  let failure: Error = new Gone();
  const greeted = new Promise<ServerHello>((resolve) => (greet = resolve));
  socket.on('error', (error) => (failure = error));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => {
    for (const { reject } of waiting.values()) reject(new Gone());
    waiting.clear();
  });
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk, (frame) => {
      const message = readServerMessage(frame);
      if (message.kind === 'hello') greet(message.hello);
      if (message.kind === 'event' && message.event.progress) watching.get(message.event.call ?? 0)?.(message.event.progress);
      if (message.kind !== 'reply') return;
      if (message.id === null) throw new Error('the vault could not read a call of this test');
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      const { requestId } = message;
      call?.resolve(message.ok ? { ok: true, output: JSON.parse(Buffer.from(message.output).toString('utf8')) as Json, requestId } : { ok: false, error: message.error, requestId });
    });
  });
  const hello = await Promise.race([greeted, closed.then(() => Promise.reject(failure))]);

  const call = (operation: string, input: Json = {}, region?: string, progress = false): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (socket.destroyed) return reject(new Gone());
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      socket.write(encodeFrame({ id: lastId, op: operation, input, ...(region === undefined ? {} : { region }), ...(progress ? { progress } : {}) }));
    });
  return {
    hello,
    closed,
    call,
    async cancelled(operation, input, at) {
      const answer = call(operation, input, undefined, true);
      const id = lastId;
      watching.set(id, (progress) => { if (at(progress)) socket.write(encodeFrame({ id, cancel: true })); });
      return answer.finally(() => watching.delete(id));
    },
    async ok(operation, input, region) {
      const answer = await call(operation, input, region);
      if (!answer.ok) throw new Refused(operation, answer.error);
      return answer.output;
    },
    async code(operation, input, region) {
      const answer = await call(operation, input, region);
      return answer.ok ? 'ok' : answer.error.code;
    },
    close: () => socket.destroy(),
  };
}
