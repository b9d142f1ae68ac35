import { readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

import { libc } from './libc.ts';
import type { Peer, PeerHints } from './ports.ts';

/** socket(7) on Linux. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid as native 32-bit words. */
const UCRED = 12;

/**
 * Who is at the other end of a connected Unix socket, by the kernel's word at the time of connect (of listen, seen from
 * the client). Works on both sides. Undefined when it cannot be told: the socket is closed or not a Unix socket, or the
 * system is not Linux. The caller must take undefined for a refusal.
 */
export function peerOf(socket: Socket): Peer | undefined {
  if (process.platform !== 'linux') return undefined;
  // Node has no public way to a socket's descriptor.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd;
  if (fd === undefined || fd < 0) return undefined;
  const words = new Int32Array(3);
  const length = Uint32Array.of(UCRED);
  if (libc()?.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, new Uint8Array(words.buffer), length) !== 0 || length[0] !== UCRED) return undefined;
  const [pid = 0, uid = -1, gid = -1] = words;
  // A TCP socket answers too, with pid 0 and ids of -1.
  return pid <= 0 || uid < 0 || gid < 0 ? undefined : { pid, uid, gid };
}

/**
 * What `/proc` says of a process now, for people and rules: the peer may have replaced itself since it connected, may
 * hide it (an undumpable process of the same user does), and can make it say anything.
 */
export function describePeer(pid: number): PeerHints {
  const executable = link(`/proc/${String(pid)}/exe`);
  const cwd = link(`/proc/${String(pid)}/cwd`);
  return { ...(executable === undefined ? {} : { executable }), ...(cwd === undefined ? {} : { cwd }) };
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
