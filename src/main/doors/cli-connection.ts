/** One connection to the command line's door: frames in, frames out, time limits and back-pressure. */
import type { Socket } from 'node:net';
import { VaultError } from '../../shared/model/errors.ts';
import { encodeFrame, FrameReader } from '../../shared/wire/frame.ts';
import type { Evidence } from '../kernel/request.ts';
import type { Peer, PeerHints } from '../platform/ports.ts';
import { adoptAccepted } from '../platform/wiped-reads.ts';
import type { CallLimits, DoorPort, Refusal } from './port.ts';
import { Session } from './session.ts';
import type { TokenBucket } from '../../shared/model/token-bucket.ts';

/** Reading stops for this long when a caller goes on calling after it was told to wait this many times. */
const FLOOD_PAUSE_MS = 100;
const FLOOD_AFTER = 64;
/** Events are dropped for a caller with this many unread bytes. */
const EVENT_BACKLOG_BYTES = 256 * 1024;

export interface CliConnectionOptions {
  /** As it was accepted: paused. Taken over. */
  readonly accepted: Socket;
  readonly port: DoorPort;
  readonly peer: Peer;
  readonly bucket: TokenBucket;
  readonly limits: CallLimits & { readonly frameMs: number; readonly stallMs: number };
  /** Called once, when the connection is no more. */
  readonly closed: (connection: CliConnection) => void;
}

export class CliConnection {
  readonly #options: CliConnectionOptions;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #reader = new FrameReader();
  #evidence: Evidence;
  #frameTimer: NodeJS.Timeout | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #floodTimer: NodeJS.Timeout | undefined;
  #corked = false;
  /** No more is read: the conversation is being ended. */
  #ending = false;

  constructor(options: CliConnectionOptions) {
    this.#options = options;
    this.#socket = adoptAccepted(options.accepted, (chunk) => this.#read(chunk));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.once('close', () => {
      this.gone();
      options.closed(this);
    });
    this.#evidence = { door: 'cli', peer: options.peer, hints: {} };
    this.#session = new Session({
      port: options.port,
      door: 'cli',
      inFlight: options.limits.inFlight,
      bucket: options.bucket,
      peer: options.peer.uid,
      encode: encodeFrame,
      send: (bytes) => this.#write(bytes),
      congested: () => this.#socket.writableLength > EVENT_BACKLOG_BYTES,
      giveUp: () => this.#hangUp(),
    });
  }

  /** Greets and begins to read. */
  start(hints: PeerHints): void {
    if (this.#ending || this.#socket.destroyed) return;
    this.#evidence = { door: 'cli', peer: this.#options.peer, hints };
    // Half an end is an end: nothing else tells that the caller was killed.
    this.#socket.once('end', () => this.gone());
    this.#socket.on('drain', () => this.#drained());
    this.#session.greet();
    this.#socket.resume();
  }

  /** The socket has closed, or its caller has. */
  gone(): void {
    this.#ending = true;
    this.#session.end();
    this.#reader.reset();
    clearTimeout(this.#frameTimer);
    clearTimeout(this.#stallTimer);
    clearTimeout(this.#floodTimer);
  }

  /** Reads no more, waits for what is in flight and for its answers to be taken; resolves when the socket is closed. */
  async finish(): Promise<void> {
    this.#ending = true;
    this.#stopReading();
    await this.#session.settled();
    await this.#closed(() => this.#socket.end());
    this.#socket.destroy();
  }

  /** Closes at once; calls in flight are aborted. */
  drop(): void {
    this.gone();
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    if (this.#ending) return;
    let completed = !this.#reader.pending;
    try {
      this.#reader.push(chunk, (frame) => {
        completed = true;
        this.#session.receive(frame, this.#evidence);
      });
    } catch (error) {
      const refusal = error instanceof VaultError ? error : new VaultError('InternalException', 'the frame cannot be read');
      this.#refuseAndHangUp(refusal.code === 'RequestTooLargeException' ? 'too-large' : 'malformed', refusal);
      return;
    }
    this.#watchFrame(completed);
    if (this.#session.throttled > FLOOD_AFTER) this.#rest();
    if (this.#socket.writableNeedDrain) this.#holdBack();
  }

  /** The time limit runs from a frame's first byte, whatever trickles in after it. */
  #watchFrame(restart: boolean): void {
    if (restart || !this.#reader.pending) {
      clearTimeout(this.#frameTimer);
      this.#frameTimer = undefined;
    }
    if (this.#ending || !this.#reader.pending || this.#frameTimer) return;
    this.#frameTimer = setTimeout(() => {
      this.#refuseAndHangUp('slow', new VaultError('SerializationException', 'the frame was not finished in time; send it in one piece'));
    }, this.#options.limits.frameMs);
  }

  /** A caller that does not read its answers is not read from. */
  #holdBack(): void {
    this.#stopReading();
    this.#stallTimer ??= setTimeout(() => {
      this.#options.port.refused('cli', 'stalled', this.#options.peer.uid);
      this.drop();
    }, this.#options.limits.stallMs);
  }

  #drained(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    this.#readOn();
  }

  #rest(): void {
    this.#stopReading();
    this.#floodTimer ??= setTimeout(() => {
      this.#floodTimer = undefined;
      this.#readOn();
    }, FLOOD_PAUSE_MS);
  }

  #stopReading(): void {
    clearTimeout(this.#frameTimer);
    this.#frameTimer = undefined;
    this.#socket.pause();
  }

  #readOn(): void {
    if (this.#ending || this.#stallTimer || this.#floodTimer) return;
    this.#socket.resume();
    this.#watchFrame(false);
  }

  #refuseAndHangUp(reason: Refusal, error: VaultError): void {
    this.#session.refuse(reason, error);
    this.#hangUp();
  }

  /** Ends the conversation; what was sent before is still delivered, if the caller takes it in time. */
  #hangUp(): void {
    if (this.#ending) return;
    this.gone();
    // Resumed, not paused: unread bytes at close would turn the end into a reset and lose the last answer.
    this.#socket.resume();
    const late = setTimeout(() => this.#socket.destroy(), this.#options.limits.frameMs);
    this.#socket.once('close', () => clearTimeout(late));
    this.#socket.end();
  }

  #closed(begin: () => void): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || this.#socket.writableFinished) {
        resolve();
        return;
      }
      this.#socket.once('close', () => resolve());
      this.#socket.once('finish', () => resolve());
      begin();
    });
  }

  /** Answers of one turn go out in one system call. */
  #write(bytes: Uint8Array): void {
    const wipe = (): void => void bytes.fill(0);
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      wipe();
      return;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes, wipe);
    if (this.#socket.writableNeedDrain) this.#holdBack();
  }
}
