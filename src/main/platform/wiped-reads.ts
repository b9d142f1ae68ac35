/**
 * Sockets that read into one buffer of their own, wiped after each read.
 *
 * Why: a socket of Node's own making takes 64 KiB from malloc for every read and has V8 shrink it to what came, which may move it.
 * The first copy is then freed as it is, and nobody can wipe it: of about 550 calls with secrets, some were found in main's memory
 * afterwards in 4 runs of 4, up to six of them (Node 20.20, test/system/memory-scan.test.ts). Only a socket that is made from a
 * descriptor takes a buffer from us; with it, none in 18 runs.
 */
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';

import { libc } from './libc.ts';

const READ_BUFFER = 128 * 1024;

/** fcntl(2) on Linux: a second descriptor that no child inherits. */
const F_DUPFD_CLOEXEC = 1030;

/** Gets each chunk before it is wiped; must copy what it keeps. */
export type Take = (chunk: Uint8Array) => void;

/** A socket over a descriptor that it owns from now on. There are no 'data' events; `pause` and `resume` work. */
export function openDescriptor(fd: number, take: Take): Socket {
  const onread: OnReadOpts = {
    buffer: new Uint8Array(new ArrayBuffer(READ_BUFFER)),
    callback(length, buffer) {
      takeAndWipe(buffer.subarray(0, length), take);
      return true;
    },
  };
  // `onread` is an option of the constructor too; the type package only has it for `connect`.
  const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { fd, readable: true, writable: true, onread };
  return new Socket(options);
}

/** The same for a socket that nobody has read from. Its chunks are wiped too, but not the copies that they were made from. */
export function watchSocket(socket: Socket, take: Take): Socket {
  return socket.on('data', (chunk: Buffer) => takeAndWipe(chunk, take));
}

/**
 * Takes over a connection that a server has accepted and that nobody has read from (`pauseOnConnect`): the same connection on a
 * descriptor of its own; the server's socket is closed. Where that is not to be had, the server's own socket.
 */
export function adoptAccepted(accepted: Socket, take: Take): Socket {
  // Node has no public way to a socket's descriptor.
  const { _handle: handle } = accepted as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd ?? -1;
  const own = process.platform === 'linux' && fd >= 0 ? (libc()?.fcntl(fd, F_DUPFD_CLOEXEC, 0) ?? -1) : -1;
  if (own < 0) return watchSocket(accepted, take);
  accepted.destroy();
  return openDescriptor(own, take);
}

function takeAndWipe(chunk: Uint8Array, take: Take): void {
  try {
    take(chunk);
  } finally {
    chunk.fill(0);
  }
}
