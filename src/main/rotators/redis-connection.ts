/** A connection to Redis, logged in as a user of its access control list. */
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { FailureCode, Place, Role } from '../egress/port.ts';
import { RotatorError } from './rotator-error.ts';
import { type Reply, RespError, createResp } from './resp.ts';
import type { Context, Dialled } from './rotator.ts';
import { transportError } from './transport-errors.ts';

/** The word that an error begins with. */
const WORDS: Readonly<Record<string, FailureCode>> = {
  WRONGPASS: 'login-refused', NOAUTH: 'login-refused', NOPERM: 'rights-missing', READONLY: 'read-only', LOADING: 'busy', BUSY: 'busy', MASTERDOWN: 'busy', OOM: 'busy', CLUSTERDOWN: 'busy', TRYAGAIN: 'busy', MISCONF: 'server-error',
};

export interface RedisConnection {
  /** The answer; an error is RotatorError, with the server's word alone. */
  send(place: Place, ...words: readonly string[]): Promise<Exclude<Reply, { readonly error: string }>>;
  /** The same, and an error of the server's is undefined. */
  attempt(place: Place, ...words: readonly string[]): Promise<Reply | undefined>;
  close(): Promise<void>;
}

export const isError = (reply: Reply): reply is { readonly error: string } => typeof reply === 'object' && reply !== null && 'error' in reply;

async function secured({ socket, tls, secured: tell }: Dialled, role: Role): Promise<Socket> {
  if (!tls) {
    tell('none');
    return socket;
  }
  return new Promise((done, fail) => {
    const over = connect({ ...tls, socket }, () => {
      tell(over.getProtocol());
      done(over);
    });
    over.once('error', (error) => {
      socket.destroy();
      fail(transportError(error, 'tls', role) ?? new RotatorError('tls-failed', 'tls', { role }));
    });
    over.once('close', () => { fail(new RotatorError('connection-lost', 'tls', { role })); });
  });
}

/** Logs in with the value of `role`. RotatorError. */
export async function openRedis(context: Context, role: Role): Promise<RedisConnection> {
  const { username, password } = context.value(role);
  const socket = await secured(await context.dial(role), role);
  const resp = createResp(socket);
  const ask = async (place: Place, words: readonly string[]): Promise<Reply> => {
    try {
      return await resp.send(words);
    } catch (error) {
      throw error instanceof RespError ? new RotatorError('answer-malformed', place, { role }) : (transportError(error, place, role) ?? new RotatorError('answer-malformed', place, { role }));
    }
  };
  const made: RedisConnection = {
    async send(place, ...words) {
      const reply = await ask(place, words);
      if (isError(reply)) throw new RotatorError(WORDS[reply.error] ?? 'server-error', place, { detail: reply.error, role });
      return reply;
    },
    async attempt(place, ...words) {
      const reply = await ask(place, words);
      return isError(reply) ? undefined : reply;
    },
    async close() {
      socket.destroy();
    },
  };
  try {
    const welcome = await made.send('login', 'AUTH', username, password);
    if (welcome !== 'OK') throw new RotatorError('answer-malformed', 'login', { role });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return made;
}
