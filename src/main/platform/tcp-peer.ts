/**
 * Which user is at the other end of a TCP connection over IPv4's loopback: the kernel's own table (proc(5), /proc/net/tcp), since a TCP
 * socket has no SO_PEERCRED. Linux only; read once for each connection.
 */
import { readFileSync } from 'node:fs';

/** `127.0.0.1` and a port as the table writes it: the address in the machine's order, little-endian on all that Node runs on. */
function inTable(address: string, port: number): string | undefined {
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)) return undefined;
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  return `${bytes.reverse().map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`;
}

export interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** User id of the socket that `ends` is the other end of, in a table as the kernel writes it; undefined when it is not there. */
export function uidIn(table: string, { localAddress, localPort, remoteAddress, remotePort }: Ends): number | undefined {
  const peer = inTable(remoteAddress ?? '', remotePort ?? 0);
  const own = inTable(localAddress ?? '', localPort ?? 0);
  if (peer === undefined || own === undefined) return undefined;
  for (const line of table.split('\n')) {
    const [, local, remote, , , , , uid] = line.trim().split(/\s+/);
    if (local === peer && remote === own && uid !== undefined) return Number(uid);
  }
  return undefined;
}

/** Undefined when the other end is gone already. Throws when the table cannot be read. */
export const uidOfTcpPeer = (ends: Ends): number | undefined => uidIn(readFileSync('/proc/net/tcp', 'latin1'), ends);
