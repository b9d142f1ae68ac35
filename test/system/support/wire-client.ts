/**
 * The smallest client of the command line's socket: u32 big-endian length, then JSON. Its own, so that a test of the running
 * program does not lean on the program's code. Secrets are base64 text here: this side's memory is not what is looked at.
 */
import { connect } from 'node:net';

export type Fields = Readonly<Record<string, unknown>>;

/** An answer that says no. */
export class Refusal extends Error {
  readonly code: string;
  readonly details: Fields;

  constructor(operation: string, body: Fields) {
    super(`${operation}: ${String(body['code'])}: ${String(body['message'])}`);
    this.name = 'Refusal';
    this.code = String(body['code']);
    this.details = (body['details'] ?? {}) as Fields;
  }
}

export interface WireClient {
  readonly hello: Fields;
  /** Rejects with Refusal, or with Error when the conversation breaks off. */
  call(operation: string, input?: Fields): Promise<Fields>;
  /** The vault's events so far; asked for by `listen`. */
  readonly events: readonly string[];
  listen(): void;
  /** Bytes as they are, for what is no message. */
  raw(bytes: Uint8Array): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly operation: string;
  readonly resolve: (output: Fields) => void;
  readonly reject: (error: Error) => void;
}

export const base64 = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('base64');
export const bytesIn = (output: Fields, field: string): Buffer => Buffer.from(output[field] as string, 'base64');

/** Resolves once the vault has said hello; rejects as `connect` does when nobody answers. */
export async function connectWire(path: string): Promise<WireClient> {
  const socket = connect(path);
  const waiting = new Map<number, Waiting>();
  const events: string[] = [];
  let lastId = 0;
  let rest = Buffer.alloc(0);
  let greeted: (hello: Fields) => void = () => undefined;
  const hello = new Promise<Fields>((resolve, reject) => {
    greeted = resolve;
    socket.once('error', reject);
    socket.once('close', () => { reject(new Error('the vault hung up before its hello')); });
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => { resolve(); }));
  void closed.then(() => {
    for (const { operation, reject } of waiting.values()) reject(new Error(`${operation}: the vault hung up`));
  });

  const receive = (message: Fields): void => {
    if (message['hello']) greeted(message['hello'] as Fields);
    else if (typeof message['event'] === 'string') events.push(message['event']);
    else {
      const call = waiting.get(message['id'] as number);
      waiting.delete(message['id'] as number);
      if (message['ok'] === true) call?.resolve(message['output'] as Fields);
      else call?.reject(new Refusal(call.operation, message['error'] as Fields));
    }
  };
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      receive(JSON.parse(rest.toString('utf8', 4, end)) as Fields);
      rest = rest.subarray(end);
    }
  });
  const send = (message: Fields): void => {
    const body = Buffer.from(JSON.stringify(message));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    socket.write(Buffer.concat([length, body]));
  };

  return {
    hello: await hello,
    call: (operation, input = {}) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { operation, resolve, reject });
        send({ id: lastId, op: operation, input });
      }),
    events,
    listen: () => { send({ hello: { version: 1, events: true } }); },
    raw: (bytes) => { socket.write(bytes); },
    async close() {
      socket.destroy();
      await closed;
    },
  };
}
