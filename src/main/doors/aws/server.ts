/**
 * The door for AWS clients: HTTP or HTTPS on 127.0.0.1, and nothing else.
 *
 * Defends against: other users of the machine (the kernel is asked whose socket it is), pages in a browser (`head.ts`), slow, endless and
 * crowding callers (bounded sizes, counts and times). Does not: decide who may do what, or speak on any other address.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { EventEmitter } from 'node:events';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errnoOf } from '../../../shared/model/errno.ts';
import { VaultError } from '../../../shared/model/errors.ts';
import type { Clock } from '../../platform/ports.ts';
import { createTcpPeers, type Ends } from '../../platform/tcp-peer.ts';
import { settledWithin } from '../settled-within.ts';
import type { DoorPort } from '../port.ts';
import { exchange } from './exchange.ts';
import { Recent, type Seen } from './recent.ts';

export const LOOPBACK = '127.0.0.1';

export interface AwsLimits {
  readonly connections: number;
  /** Connections whose user is being asked for: they are nobody's yet, and take no place of the others. */
  readonly unknown: number;
  /** Requests under way, of all connections. */
  readonly inFlight: number;
  /** From the first byte of a request to its last, milliseconds. */
  readonly requestMs: number;
  /** A connection on which nothing happens, milliseconds. */
  readonly idleMs: number;
}
const DEFAULT_LIMITS: AwsLimits = { connections: 64, unknown: 128, inFlight: 256, requestMs: 5000, idleMs: 65_000 };
const MAX_HEADER_BYTES = 16 * 1024;

/** PEM, of the door's own certificate. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
}

export interface AwsDoorOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Absent: plain HTTP. */
  readonly identity?: Identity;
  readonly door: DoorPort;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** The only user who may come in; undefined where the system does not tell. */
  readonly uid: number | undefined;
  /** Whose connection it is. Default: the kernel's tables. */
  readonly uidOf?: (ends: Ends) => Promise<number | undefined>;
  readonly limits?: Partial<AwsLimits>;
  /** What `POST /_keystead/reset` does, in `--ephemeral` only. Rejects for a fault of ours. */
  readonly reset?: () => Promise<void>;
}

export interface AwsDoor {
  readonly port: number;
  /** Newest first. */
  recent(limit: number): Seen[];
  /** Takes nothing more, waits for the requests under way and at most `graceMs`, then closes. */
  close(graceMs?: number): Promise<void>;
}

/** Rejects with PortUnavailableException. */
export async function openAwsDoor(options: AwsDoorOptions): Promise<AwsDoor> {
  const { door, clock, uid, identity, reset, uidOf = createTcpPeers(() => clock.monotonic()).uidOf } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const recent = new Recent();
  /** The requests under way, and what ends each. */
  const running = new Map<Promise<void>, AbortController>();
  /** What was asked on a connection and is not answered yet. */
  const answering = new WeakMap<Duplex, ServerResponse>();
  const sockets = new Set<Socket>();
  const unknown = new Set<Socket>();
  let hosts: ReadonlySet<string> = new Set();

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const gone = new AbortController();
    // Every answer closes: an abort of what is over costs an exception that nobody looks at.
    response.once('close', () => { if (!response.writableFinished) gone.abort(); });
    answering.set(request.socket, response);
    const done = exchange(request, response, { port: door, clock, hosts, ...(reset ? { reset } : {}), recent, peer: uid, crowded: () => running.size >= limits.inFlight, gone }).finally(() => { running.delete(done); });
    running.set(done, gone);
  };

  const server = httpServer(identity, limits, serve);
  const unreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    door.refused('aws', error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'slow' : error.code === 'HPE_HEADER_OVERFLOW' ? 'too-large' : 'malformed', uid);
    // What came whole before it is carried out, so it is answered first.
    const before = answering.get(socket);
    if (before && !before.writableFinished && !before.destroyed && before.req.complete) before.once('close', () => { end(socket); });
    else end(socket);
  };
  // What cannot be read is answered with nothing of ours: there may be no HTTP at the other end.
  const end = (socket: Duplex): void => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
    else socket.destroy();
  };
  server.on('clientError', unreadable);

  // Not a byte is read of a connection that has not been looked at; so TLS begins behind this, too.
  const listener = createTcpServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    if (unknown.size >= limits.unknown) {
      refuse(socket, 'connections');
      return;
    }
    unknown.add(socket);
    socket.once('close', () => unknown.delete(socket));
    void isOwn(socket).then((own) => {
      unknown.delete(socket);
      if (socket.destroyed) return;
      if (!own) refuse(socket, 'peer');
      else if (sockets.size >= limits.connections) refuse(socket, 'connections');
      else admit(socket);
    });
  });
  const refuse = (socket: Socket, reason: 'connections' | 'peer'): void => {
    door.refused('aws', reason);
    socket.destroy();
  };
  const isOwn = async (socket: Socket): Promise<boolean> => {
    if (uid === undefined) return true;
    return (await uidOf(socket).catch(() => undefined)) === uid;
  };
  const admit = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.emit('connection', socket);
    socket.resume();
  };
  // Without TLS it is the listener's socket that HTTP's parser complains about, and to its own server.
  (listener as EventEmitter).on('clientError', unreadable);
  const port = await listen(listener, options.port);
  // HTTP's own server never listens, and would not watch the times of its connections otherwise.
  server.emit('listening');
  listener.on('error', () => door.refused('aws', 'connections'));
  hosts = new Set([`${LOOPBACK}:${String(port)}`, `localhost:${String(port)}`]);

  return {
    port,
    recent: (limit) => recent.last(limit),
    async close(graceMs = 10_000) {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      server.closeIdleConnections();
      await settledWithin(Promise.all(running.keys()), graceMs, () => { for (const gone of running.values()) gone.abort(); });
      for (const socket of [...sockets, ...unknown]) socket.destroy();
      server.close();
      await closed;
    },
  };
}

function httpServer(identity: Identity | undefined, { requestMs, idleMs }: AwsLimits, serve: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(requestMs, 1000),
    keepAliveTimeout: idleMs,
    insecureHTTPParser: false,
    // Judged with the rest of the head, and answered like it.
    requireHostHeader: false,
  };
  const server = identity ? createHttpsServer({ ...options, key: identity.key, cert: identity.certificate, minVersion: 'TLSv1.2', handshakeTimeout: requestMs }, serve) : createHttpServer(options, serve);
  server.setTimeout(idleMs);
  // Judged with the rest of the head, too: refused.
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
  server.on('upgrade', (_request, socket) => socket.destroy());
  server.on('connect', (_request, socket) => socket.destroy());
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  return server;
}

function listen(listener: ReturnType<typeof createTcpServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', (error) => {
      const why = errnoOf(error) === 'EADDRINUSE' ? 'another program has it' : `the system says ${errnoOf(error) ?? 'no'}`;
      reject(new VaultError('PortUnavailableException', `port \`${String(port)}\` cannot be listened on: ${why}; choose another port`));
    });
    listener.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = listener.address();
      listener.removeAllListeners('error');
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
