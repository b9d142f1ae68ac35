/** The command line's door: a Unix socket of the vault's own user. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { VaultError } from '../../shared/model/errors.ts';
import { describePeer, peerOf as peerOfSocket } from '../platform/peer.ts';
import type { Peer, PeerHints } from '../platform/ports.ts';
import { CliConnection } from './cli-connection.ts';
import { DEFAULT_CALL_LIMITS } from './port.ts';
import type { CallLimits, DoorPort } from './port.ts';
import { listenPrivately, prepareSocketFolder, removeStaleSocket } from './socket-file.ts';
import { settledWithin } from './settled-within.ts';
import { TokenBucket } from '../../shared/model/token-bucket.ts';

export interface CliLimits extends CallLimits {
  readonly connections: number;
  /** From the first byte of a frame to its last, milliseconds. */
  readonly frameMs: number;
  /** How long answers may wait unread, milliseconds. */
  readonly stallMs: number;
}

const DEFAULT_CLI_LIMITS: CliLimits = { ...DEFAULT_CALL_LIMITS, connections: 64, frameMs: 5000, stallMs: 30_000 };

export interface CliSocketOptions {
  /** Where the socket is made, in a folder of its own that is made with it. */
  readonly path: string;
  readonly port: DoorPort;
  /** SO_PEERCRED of a connected socket. Undefined, or a throw: the connection is refused. Default: the platform's. */
  readonly peerOf?: (socket: Socket) => Peer | undefined;
  /** What a process looks like, read before the server's hello is sent. Default: the platform's. Never throws. */
  readonly describe?: (pid: number) => PeerHints;
  /** The only user who may come in. Default: the effective user of this process. */
  readonly uid?: number;
  readonly limits?: Partial<CliLimits>;
}

export interface CliDoor {
  readonly path: string;
  /**
   * Accepts and reads nothing more, waits for the calls in flight and for their answers to be read, then closes and removes the socket.
   * What is not done after `graceMs` (default 10,000) is aborted and not waited for. An operation that ends the vault must not wait for this: it is in flight.
   */
  close(graceMs?: number): Promise<void>;
}

/** Opens the door. Throws ValidationException, StorageException, FileExistsException or VaultInUseException, see `socket-file.ts`. */
export async function openCliSocket(options: CliSocketOptions): Promise<CliDoor> {
  const uid = options.uid ?? process.geteuid?.();
  if (uid === undefined) throw new VaultError('UnsupportedOperationException', 'this system has no user ids; use the window');
  prepareSocketFolder(options.path, uid);
  await removeStaleSocket(options.path, uid);
  const reception = new Reception(options, uid);
  // `pauseOnConnect`: not a byte is read of a peer that has not been looked at.
  const server = createServer({ pauseOnConnect: true }, (socket) => reception.welcome(socket));
  await listenPrivately(server, options.path);
  // After listening, an error is one failed accept (too many open files): the callers that are in go on.
  server.on('error', () => options.port.refused('cli', 'connections'));
  return { path: options.path, close: (graceMs = 10_000) => closeAll(server, reception, graceMs) };
}

async function closeAll(server: Server, reception: Reception, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await settledWithin(reception.finishAll(), graceMs, () => reception.dropAll());
  await closed;
}

/** Decides who comes in, and knows who is. */
class Reception {
  readonly #options: CliSocketOptions;
  readonly #limits: CliLimits;
  readonly #uid: number;
  readonly #connections = new Set<CliConnection>();
  readonly #buckets = new Map<number, TokenBucket>();
  #closing = false;

  constructor(options: CliSocketOptions, uid: number) {
    this.#options = options;
    this.#limits = { ...DEFAULT_CLI_LIMITS, ...options.limits };
    this.#uid = uid;
  }

  welcome(socket: Socket): void {
    const { port, peerOf = peerOfSocket, describe = describePeer } = this.#options;
    socket.on('error', () => socket.destroy());
    let peer: Peer | undefined;
    try {
      peer = peerOf(socket);
    } catch {
      peer = undefined;
    }
    if (peer?.uid !== this.#uid) {
      port.refused('cli', 'peer', peer?.uid);
      socket.destroy();
      return;
    }
    if (this.#closing || this.#connections.size >= this.#limits.connections) {
      port.refused('cli', 'connections', peer.uid);
      socket.destroy();
      return;
    }
    const connection = new CliConnection({
      accepted: socket,
      port,
      peer,
      limits: this.#limits,
      bucket: this.#bucketOf(peer.pid),
      closed: (gone) => this.#connections.delete(gone),
    });
    this.#connections.add(connection);
    connection.start(describe(peer.pid));
  }

  async finishAll(): Promise<void> {
    this.#closing = true;
    await Promise.all(Array.from(this.#connections, (connection) => connection.finish()));
  }

  dropAll(): void {
    for (const connection of this.#connections) connection.drop();
  }

  /** One bucket for one process, so that connecting anew does not fill it; other processes (one that says `lock`) keep theirs. */
  #bucketOf(pid: number): TokenBucket {
    const now = this.#options.port.clock.monotonic();
    const known = this.#buckets.get(pid);
    if (known) return known;
    for (const [other, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(other);
    const bucket = new TokenBucket(this.#limits.callsPerSecond, this.#limits.burst, now);
    this.#buckets.set(pid, bucket);
    return bucket;
  }
}
