/** Which sockets the processes of a tree have: from /proc, so that nothing has to be trusted but the kernel. Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { descendantsOf } from '../system/support/processes.ts';

export interface InternetSocket {
  readonly protocol: string;
  readonly local: string;
  readonly remote: string;
  readonly listening: boolean;
}

const PROTOCOLS = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6', 'icmp'];
const LISTEN = '0A';

function inodesOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${String(pid)}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${String(pid)}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** TCP, UDP and raw sockets of a process and everything below it. */
export function internetSockets(pid: number): readonly InternetSocket[] {
  const inodes = new Set([pid, ...descendantsOf(pid)].flatMap(inodesOf));
  return PROTOCOLS.flatMap((protocol) => {
    let table: string;
    try {
      table = readFileSync(`/proc/net/${protocol}`, 'latin1');
    } catch {
      return [];
    }
    return table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? ''))
      .map(([, local = '', remote = '', state]) => ({ protocol, local, remote, listening: protocol.startsWith('tcp') && state === LISTEN }));
  });
}

/** The proxy at 0.0.0.0:1, where nobody can listen: what the browser is told to send everything to. */
export const isDeadProxy = ({ protocol, remote }: InternetSocket): boolean => protocol.startsWith('tcp') && /^(?:0{8}|0100007F|0{32}|0{24}0100007F|0{16}FFFF00000100007F):0001$/.test(remote);

/** Looks again and again; `stop` gives every socket that was ever seen. */
export function watchSockets(pid: number): { stop(): readonly InternetSocket[] } {
  const seen = new Map<string, InternetSocket>();
  const look = (): void => {
    for (const socket of internetSockets(pid)) seen.set(JSON.stringify(socket), socket);
  };
  const timer = setInterval(look, 20);
  look();
  return {
    stop() {
      clearInterval(timer);
      look();
      return [...seen.values()];
    },
  };
}
