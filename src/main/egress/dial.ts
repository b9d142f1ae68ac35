/** The one place that opens a connection: to an allowed host, by an address that its name was resolved to once. */
import { lookup } from 'node:dns/promises';
import { Socket, isIP } from 'node:net';
import { RotatorError } from '../rotators/rotator-error.ts';
import type { TlsOptions } from '../rotators/rotator.ts';
import { codeOf } from '../rotators/transport-errors.ts';
import { isRefused } from './addresses.ts';
import type { Connection, Role } from './port.ts';
import { hostAndPort } from './target.ts';

export type Resolve = (host: string) => Promise<readonly string[]>;

export interface Dialler {
  /** RotatorError `host-refused`, `address-refused`, `unresolved` or `unreachable`. */
  dial(host: string, port: number, role?: Role): Promise<Opened>;
  readonly connections: Connection[];
  /** Closes every connection. */
  destroy(): void;
}

export interface Opened {
  readonly socket: Socket;
  readonly address: string;
  secured(version: string | null): void;
}

/** The system's own, all addresses in its order. No name of a proxy, no search for another record. */
const systemResolve: Resolve = async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

const VERSIONS = ['none', 'TLSv1.2', 'TLSv1.3'] as const;
const MOST_ADDRESSES = 8;
const bareHost = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

export function createDialler(allow: readonly string[], { resolve = systemResolve, now }: { readonly resolve?: Resolve; readonly now: () => number }): Dialler {
  const connections: Connection[] = [];
  const sockets = new Set<Socket>();
  /** A name is asked for once in an order, so that it cannot be another one's address at the second connection. */
  const known = new Map<string, Promise<readonly string[]>>();
  let over = false;

  const addressesOf = (host: string): Promise<readonly string[]> => {
    const bare = bareHost(host);
    const asked = known.get(bare) ?? (isIP(bare) === 0 ? resolve(bare) : Promise.resolve([bare]));
    known.set(bare, asked);
    return asked;
  };

  return {
    connections,
    async dial(host, port, role) {
      // What nobody allowed is no host that is said again: it may be anything that stood in a value.
      if (!allow.includes(hostAndPort(host, port))) throw new RotatorError('host-refused', 'prepare', { role });
      const started = now();
      const index = connections.push({ host, port, ...(role ? { as: role } : {}), ms: 0 }) - 1;
      const record = (facts: Partial<Connection>): void => { connections[index] = { ...connections[index], host, port, ...facts, ms: Math.max(0, Math.round(now() - started)) }; };
      const addresses = await addressesOf(host).catch((error: unknown) => {
        record({});
        throw new RotatorError('unresolved', 'resolve', { detail: codeOf(error), role });
      });
      // One bad address among good ones is a name that somebody plays with.
      if (addresses.length === 0 || addresses.some(isRefused)) throw new RotatorError(addresses.length === 0 ? 'unresolved' : 'address-refused', 'resolve', { role });
      let last: unknown;
      for (const address of addresses.slice(0, MOST_ADDRESSES)) {
        if (over) break;
        record({ address });
        const socket = new Socket();
        sockets.add(socket);
        try {
          await connect(socket, port, address);
          record({ address });
          boundAnswers(socket);
          return { socket, address, secured: (version) => { record(VERSIONS.filter((known) => known === version).map((tls) => ({ tls }))[0] ?? {}); } };
        } catch (error) {
          socket.destroy();
          last = error;
        }
      }
      record({});
      throw new RotatorError('unreachable', 'connect', { detail: codeOf(last), role });
    },
    destroy() {
      over = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Bytes that a server may send in one connection: a rotation reads a few rows. */
const MOST_ANSWERED = 8 * 1024 * 1024;
const LOOK_MS = 50;
/** Looked at from outside, since whoever listens for data first makes it flow. */
function boundAnswers(socket: Socket): void {
  const timer = setInterval(() => { if (socket.bytesRead > MOST_ANSWERED) socket.destroy(new Error('the server sends too much')); }, LOOK_MS);
  timer.unref();
  socket.once('close', () => { clearInterval(timer); });
}

const connect = (socket: Socket, port: number, host: string): Promise<void> =>
  new Promise((done, fail) => {
    socket.once('connect', done);
    socket.once('error', fail);
    socket.once('close', () => { fail(new Error('closed')); });
    // Later errors are the driver's to see; without any listener one would end the process.
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    socket.connect({ port, host });
  });

/** For the name that was asked for, not for the address that it was found at. */
export function tlsFor(host: string, ca: string | undefined): TlsOptions {
  const bare = bareHost(host).replace(/(?<=.)\.$/, '');
  return { host: bare, ...(isIP(bare) === 0 ? { servername: bare } : {}), ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2', rejectUnauthorized: true };
}
