import type { Socket } from 'node:net';

import { createFrameReader, createFrameWriter, MAX_FRAME } from './framing.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { openDescriptor, watchSocket } from './wiped-reads.ts';

/** How the other side went: `broken` after a frame over the limit or one cut off. */
export type Closed = 'ended' | 'broken';

/** Frames both ways over one local stream. */
export interface Channel {
  /** Takes ownership of `frame` and wipes it, also when it throws. RequestTooLargeException; InternalException when closed. */
  send(frame: Uint8Array): void;
  /** One receiver; frames that came earlier are handed to it at once. The receiver wipes what it gets. */
  onFrame(receive: (frame: Uint8Array) => void): void;
  /** Resolves when nothing more will come; never rejects. */
  readonly closed: Promise<Closed>;
  /** Closes at once and drops what is not yet written. */
  destroy(): void;
}

/**
 * A channel over a descriptor that the channel owns from now on, or over a socket that nobody has read from.
 * For a descriptor, libuv reads into one buffer, which is wiped after each read. A socket of somebody else's making
 * allocates 64 KiB for every read; those chunks are wiped too. `limit`: bytes of a frame that comes in.
 */
export function openChannel(source: number | Socket, limit: number = MAX_FRAME): Channel {
  let receiver: ((frame: Uint8Array) => void) | undefined;
  let early: Uint8Array[] = [];
  let ended = false;
  let close: (how: Closed) => void = () => undefined;
  const closed = new Promise<Closed>((resolve) => {
    close = resolve;
  });

  const reader = createFrameReader((frame) => {
    if (receiver) receiver(frame);
    else early.push(frame);
  }, limit);
  const take = (chunk: Uint8Array): void => {
    if (!reader.push(chunk)) finish(false);
  };

  const socket = typeof source === 'number' ? openDescriptor(source, take) : watchSocket(source, take);
  const writer = createFrameWriter((bytes, done) => {
    if (socket.writable) socket.write(bytes, done);
    else done();
  });
  const finish = (clean: boolean): void => {
    if (ended) return;
    ended = true;
    const whole = reader.end();
    writer.end();
    for (const frame of early) frame.fill(0);
    early = [];
    socket.destroy();
    close(clean && whole ? 'ended' : 'broken');
  };
  socket.on('end', () => finish(true));
  // ECONNRESET and EPIPE are how the death of the other side looks from here.
  socket.on('error', () => finish(true));
  socket.on('close', () => finish(true));
  socket.resume();

  return {
    send(frame) {
      if (ended || frame.length > MAX_FRAME) {
        const length = frame.length;
        frame.fill(0);
        if (ended) throw new VaultError('InternalException', 'the process at the other end has gone, try again');
        throw new VaultError('RequestTooLargeException', `a message of ${String(length)} bytes is over the limit of ${String(MAX_FRAME)}, send it in parts`);
      }
      writer.send(frame);
    },
    onFrame(receive) {
      receiver = receive;
      const frames = early;
      early = [];
      for (const frame of frames) receive(frame);
    },
    closed,
    destroy: () => finish(true),
  };
}
