/**
 * Which user is at the other end of a TCP connection over loopback: the kernel's own tables (proc(5), /proc/net/tcp and tcp6), since a TCP
 * socket has no SO_PEERCRED. Linux only; asked once for each connection.
 *
 * Defends against: a connection of another user; the leftovers of a closed one (only an established socket that somebody holds counts); and
 * another user who makes the tables long and asks often: they are read one reading at a time, for all who wait, and at most half of the time.
 */
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** TCP_ESTABLISHED of the kernel's net/tcp_states.h. */
const ESTABLISHED = '01';
/** Both tables together, bytes: some 100,000 connections. A longer one is not read. */
const MOST_BYTES = 16 * 1024 * 1024;
const CHUNK = 64 * 1024;
/** The longest rest between two readings, milliseconds. */
const LONGEST_REST = 1000;

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** An address of IPv4 and a port as the tables write it: in the machine's order, little-endian on all that Node runs on. */
function inTable(address: string, port: number): string | undefined {
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) return undefined;
  return `${bytes.reverse().map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`;
}

/** As the table of IPv6 writes a socket that speaks IPv4 (RFC 4291, section 2.5.5.2), which Java's are. */
const mapped = (entry: string): string => `0000000000000000FFFF0000${entry}`;

export interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** User id of the socket that `ends` is the other end of, in tables as the kernel writes them; undefined when it is not there. */
export function uidIn(tables: string, { localAddress, localPort, remoteAddress, remotePort }: Ends): number | undefined {
  const peer = inTable(remoteAddress ?? '', remotePort ?? 0);
  const own = inTable(localAddress ?? '', localPort ?? 0);
  if (peer === undefined || own === undefined) return undefined;
  // Found as text: a table is as long as the machine's connections are many, and most of it is nobody's business here.
  return uidOfLine(tables, ` ${peer} ${own} ${ESTABLISHED} `) ?? uidOfLine(tables, ` ${mapped(peer)} ${mapped(own)} ${ESTABLISHED} `);
}

function uidOfLine(tables: string, ends: string): number | undefined {
  for (let at = tables.indexOf(ends); at !== -1; at = tables.indexOf(ends, at + 1)) {
    const line = tables.slice(at + ends.length, (tables.indexOf('\n', at) + 1 || tables.length + 1) - 1);
    const [, , , uid, , inode] = line.trim().split(/\s+/);
    // Without an inode nobody holds it any more, and its user is written as 0.
    if (uid !== undefined && inode !== undefined && inode !== '0') return Number(uid);
  }
  return undefined;
}

export interface TcpPeers {
  /** Undefined when the other end is gone already. Rejects when the tables cannot be read. */
  uidOf(ends: Ends): Promise<number | undefined>;
}

/** `monotonic`: milliseconds. `read`: both tables, one after the other. */
export function createTcpPeers(monotonic: () => number, read: () => Promise<string> = readTables): TcpPeers {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<string> | undefined;
  let rest = 0;

  /** Read after it was asked for, together with all others who ask before it begins. */
  const look = (): Promise<string> => {
    if (next) return next;
    const mine = last.then(async () => {
      if (rest > 0) await sleep(rest);
      next = undefined;
      const begun = monotonic();
      try {
        return await read();
      } finally {
        rest = Math.min(LONGEST_REST, monotonic() - begun);
      }
    });
    last = mine.catch(() => undefined);
    next = mine;
    return mine;
  };

  return {
    async uidOf(ends) {
      // The kernel writes its table in pieces, and may leave out what moves between two of them.
      return uidIn(await look(), ends) ?? uidIn(await look(), ends);
    },
  };
}

async function readTables(): Promise<string> {
  const parts: string[] = [];
  let left = MOST_BYTES;
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    // Without IPv6 in the kernel there is no such table.
    const file = await open(path, 'r').catch((error: unknown) => (path.endsWith('6') ? undefined : Promise.reject(error as Error)));
    if (!file) continue;
    try {
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
        if (bytesRead === 0) break;
        left -= bytesRead;
        if (left < 0) throw new Error('the table of connections is too long');
        parts.push(buffer.toString('latin1', 0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
  return parts.join('');
}
