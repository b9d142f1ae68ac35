/** Which hosts a rotation may connect to: what the secret's current value names, and what the owner allowed besides. Pure. */
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { isHost } from '../../shared/model/host.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';
import type { Engine } from './port.ts';

export const DEFAULT_PORT: Readonly<Record<Engine, number>> = { postgres: 5432, mysql: 3306, mariadb: 3306, redis: 6379 };

/** `host:port` in lower case, an IPv6 address in brackets, without a trailing dot. */
export function hostAndPort(host: string, port: number): string {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/(?<=.)\.$/, '');
  return `${bare.includes(':') ? `[${bare}]` : bare}:${String(port)}`;
}

/** What the owner wrote: `host`, `host:port`, `[address]:port`, or a bare IPv6 address. */
export function ownersEntry(entry: string, defaultPort: number): string {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(entry) ?? [];
  return host === undefined || port === undefined ? hostAndPort(entry, defaultPort) : hostAndPort(host, Number(port));
}

/** AWS's functions take a number or its digits. Undefined for anything that is no port. */
export function portOf(value: unknown, defaultPort: number): number | undefined {
  if (value === undefined || value === null || value === '') return defaultPort;
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

/** Of a secret's whole value. Undefined when it names none, or is not an object of JSON. */
export function hostNamedBy(value: Uint8Array, engine: Engine): string | undefined {
  let parsed: unknown;
  try {
    parsed = decodeJson(value, { secretTexts: new Set(['password']) });
  } catch {
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  disposeSecrets(parsed);
  const { host, port } = parsed;
  const number = portOf(port, DEFAULT_PORT[engine]);
  return typeof host === 'string' && isHost(host) && number !== undefined ? hostAndPort(host, number) : undefined;
}
