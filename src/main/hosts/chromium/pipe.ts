/** The DevTools pipe: JSON messages ended by a zero byte, commands to the browser's descriptor 3, its answers and events from 4. */
import type { Writable } from 'node:stream';
import { VaultError } from '../../../shared/model/errors.ts';

/** Longest message that is taken from the browser, in bytes: a page's largest call, escaped, and some room. */
const MAX_MESSAGE = 16 * 1024 * 1024;
const FIRST_ROOM = 64 * 1024;

export type Params = Readonly<Record<string, unknown>>;

export interface DevToolsEvent {
  readonly method: string;
  readonly params: Params;
  readonly sessionId?: string;
}

export interface Pipe {
  /**
   * The command's result. Rejects with InternalException when the browser refuses it or is gone. `at` is called with the result
   * before the next message is looked at, which a promise would be too late for.
   */
  send(method: string, params?: Params, sessionId?: string, at?: (result: Params) => void): Promise<Params>;
  /** A whole message with its zero byte, made for the id that the function gets; wiped once written. Its answer is not waited for. */
  sendBytes(make: (id: number) => Uint8Array): void;
  /** The next bytes of the browser; the caller wipes them. */
  take(chunk: Uint8Array): void;
  /** Rejects whatever still waits. */
  end(): void;
}

export interface PipeEnds {
  readonly out: Writable;
  /** True when the message is dealt with. The bytes are wiped after it returns. */
  readonly raw: (message: Uint8Array) => boolean;
  readonly event: (event: DevToolsEvent) => void;
  /** The browser says what nobody understands: it is to be ended. */
  readonly broken: () => void;
}

interface Waiting {
  readonly resolve: (result: Params) => void;
  readonly reject: (error: VaultError) => void;
  readonly method: string;
  readonly at: ((result: Params) => void) | undefined;
}

interface Answer {
  readonly id?: unknown;
  readonly result?: Params;
  readonly error?: { readonly message?: unknown };
  readonly method?: unknown;
  readonly params?: Params;
  readonly sessionId?: unknown;
}

const gone = (): VaultError => new VaultError('InternalException', 'the browser has gone; open the window again');

export function openPipe({ out, raw, event, broken }: PipeEnds): Pipe {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended = false;
  let room = new Uint8Array(new ArrayBuffer(FIRST_ROOM));
  let filled = 0;

  const handle = (message: Uint8Array): void => {
    if (raw(message)) return;
    let answer: Answer;
    try {
      answer = JSON.parse(new TextDecoder().decode(message)) as Answer;
    } catch {
      broken();
      return;
    }
    if (typeof answer.id === 'number') {
      const call = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.error) call?.reject(new VaultError('InternalException', `the browser refused \`${call.method}\`: ${String(answer.error.message)}`));
      else if (call) {
        call.at?.(answer.result ?? {});
        call.resolve(answer.result ?? {});
      }
    } else if (typeof answer.method === 'string') {
      event({ method: answer.method, params: answer.params ?? {}, ...(typeof answer.sessionId === 'string' ? { sessionId: answer.sessionId } : {}) });
    }
  };

  const keep = (bytes: Uint8Array): void => {
    const needed = filled + bytes.length;
    if (needed > room.length) {
      const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, room.length * 2)));
      larger.set(room.subarray(0, filled));
      room.fill(0);
      room = larger;
    }
    room.set(bytes, filled);
    filled = needed;
  };

  return {
    send: (method, params = {}, sessionId, at) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(gone());
        const id = ++lastId;
        waiting.set(id, { resolve, reject, method, at });
        out.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      }),
    sendBytes(make) {
      const message = make(++lastId);
      if (ended) message.fill(0);
      else out.write(message, () => message.fill(0));
    },
    take(chunk) {
      let from = 0;
      while (!ended) {
        const zero = chunk.indexOf(0, from);
        const part = chunk.subarray(from, zero < 0 ? chunk.length : zero);
        if (filled + part.length > MAX_MESSAGE) return broken();
        if (zero < 0) return keep(part);
        if (filled === 0) handle(part);
        else {
          keep(part);
          const length = filled;
          // What comes in while it is handled begins anew.
          filled = 0;
          handle(room.subarray(0, length));
          room.fill(0, 0, length);
        }
        from = zero + 1;
      }
    },
    end() {
      ended = true;
      room.fill(0);
      filled = 0;
      for (const { reject } of waiting.values()) reject(gone());
      waiting.clear();
    },
  };
}
