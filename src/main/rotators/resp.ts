/**
 * Redis's protocol, version 2 (RESP2), as much of it as setting a password needs: one command at a time, one answer to it. No client
 * library: those reconnect, announce themselves and read version 3 with its pushes, all of which a rotation must not.
 *
 * Defends against: an answer of any size, depth or shape from a server that is none.
 */
import type { Socket } from 'node:net';

/** `error`: the word that an error begins with; its text is left behind. */
export type Reply = string | number | null | { readonly error: string } | readonly Reply[];

/** An answer is a few users' rules at most. */
const LARGEST = 1024 * 1024;
const DEEPEST = 8;
const MOST_ELEMENTS = 100_000;
const LINE_END = Buffer.from('\r\n');

/** The bytes are none of the protocol's. */
export class RespError extends Error {
  override readonly name = 'RespError';
}

/** An array of bulk strings. */
export const encodeCommand = (words: readonly string[]): Buffer => Buffer.concat([Buffer.from(`*${String(words.length)}\r\n`), ...words.flatMap((word) => [Buffer.from(`$${String(Buffer.byteLength(word))}\r\n`), Buffer.from(word), LINE_END])]);

type Parsed = { readonly reply: Reply; readonly end: number } | undefined;

function numberIn(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new RespError('a number is expected');
  return Number(text);
}

/** One reply from `at` on; undefined while it is not whole. Throws RespError. */
export function parseReply(bytes: Buffer, at = 0, depth = 0): Parsed {
  if (depth > DEEPEST) throw new RespError('too deep');
  const line = bytes.indexOf(LINE_END, at);
  if (line === -1) {
    if (bytes.length > LARGEST) throw new RespError('too long');
    return undefined;
  }
  const text = bytes.toString('utf8', at + 1, line);
  const next = line + 2;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  if (kind === '+') return { reply: text, end: next };
  if (kind === '-') return { reply: { error: /^[A-Z]{1,20}(?= |$)/.exec(text)?.[0] ?? 'ERR' }, end: next };
  if (kind === ':') return { reply: numberIn(text), end: next };
  const count = kind === '$' || kind === '*' ? numberIn(text) : Number.NaN;
  if (count === -1) return { reply: null, end: next };
  if (!(count >= 0) || count > (kind === '$' ? LARGEST : MOST_ELEMENTS)) throw new RespError('not a reply');
  return kind === '$' ? bulk(bytes, next, count) : list(bytes, next, count, depth);
}

function bulk(bytes: Buffer, at: number, length: number): Parsed {
  if (bytes.length < at + length + 2) return undefined;
  if (bytes[at + length] !== LINE_END[0] || bytes[at + length + 1] !== LINE_END[1]) throw new RespError('a line end is expected');
  return { reply: bytes.toString('utf8', at, at + length), end: at + length + 2 };
}

function list(bytes: Buffer, from: number, count: number, depth: number): Parsed {
  const replies: Reply[] = [];
  let at = from;
  for (let i = 0; i < count; i += 1) {
    const one = parseReply(bytes, at, depth + 1);
    if (!one) return undefined;
    replies.push(one.reply);
    at = one.end;
  }
  return { reply: replies, end: at };
}

export interface Resp {
  /** Rejects with RespError, or the socket's error. */
  send(words: readonly string[]): Promise<Reply>;
}

/** Over a connected socket, which stays the caller's. */
export function createResp(socket: Socket): Resp {
  let held = Buffer.alloc(0);
  let waiting: { readonly settle: (reply: Reply) => void; readonly fail: (error: Error) => void } | undefined;
  let failure: Error | undefined;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error : new RespError('broken');
    waiting?.fail(failure);
    waiting = undefined;
  };
  socket.on('data', (piece: Buffer) => {
    held = Buffer.concat([held, piece]);
    try {
      if (!waiting || held.length > 2 * LARGEST) throw new RespError('bytes that nobody asked for');
      const parsed = parseReply(held);
      if (!parsed) return;
      if (parsed.end !== held.length) throw new RespError('bytes that nobody asked for');
      held = Buffer.alloc(0);
      const { settle } = waiting;
      waiting = undefined;
      settle(parsed.reply);
    } catch (error) {
      fail(error);
      socket.destroy();
    }
  });
  socket.on('error', fail);
  socket.on('close', () => { fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' })); });
  return {
    send: (words) =>
      new Promise<Reply>((settle, reject) => {
        if (failure) reject(failure);
        else if (waiting) reject(new RespError('one command at a time'));
        else {
          waiting = { settle, fail: reject };
          socket.write(encodeCommand(words));
        }
      }),
  };
}
