/**
 * A secret's value in AWS's JSON shape ("JSON structure of AWS Secrets Manager secrets"), and which values may replace which. Pure.
 *
 * `ssl`: AWS's functions try without TLS when it is absent; here TLS is meant then, and only `false` goes without. `ca` (PEM) is this
 * vault's own, for an authority that is not publicly trusted.
 */
import { isHost } from '../../shared/model/host.ts';
import { decodeJson, isObject } from '../../shared/wire/json.ts';
import type { Engine, Role, Strategy } from '../egress/port.ts';
import { RotatorError } from './rotator-error.ts';

export interface Credentials {
  readonly engine: Engine;
  /** As it was written. */
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly dbname?: string;
  readonly tls: boolean;
  readonly ca?: string;
}

export const DEFAULT_PORT: Readonly<Record<Engine, number>> = { postgres: 5432, mysql: 3306, mariadb: 3306, redis: 6379 };
const LONGEST_HOST = 255;
/** Redis keeps its users in lines of text, of which these would be more, or parts. */
const REDIS_NAME = /^[^\s()\p{Cc}]+$/u;
const LONGEST_NAME = 256;
const LONGEST_PASSWORD = 1024;
const CONTROL = /\p{Cc}/u;
const SSL: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([[undefined, true], [null, true], [true, true], ['true', true], [false, false], ['false', false]]);

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = decodeJson(bytes);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown, longest: number): string | undefined => (typeof value === 'string' && value !== '' && value.length <= longest && !CONTROL.test(value) ? value : undefined);

/** AWS's functions take a number or its digits. */
function portOf(value: unknown, usual: number): number | undefined {
  if (value === undefined || value === null || value === '') return usual;
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

/** Throws RotatorError `value-malformed` or `value-mismatch`, which say whose value it is and nothing of what is in it. */
export function credentialsOf(bytes: Uint8Array, engine: Engine, role: Role): Credentials {
  const malformed = (): RotatorError => new RotatorError('value-malformed', 'prepare', { role });
  const value = parse(bytes);
  // AWS has no shape for Redis: its engine and its user may be left out.
  const [usualEngine, usualUser] = engine === 'redis' ? [engine, 'default'] : [];
  const given = value?.['engine'] ?? usualEngine;
  if (!value || typeof given !== 'string') throw malformed();
  if (given !== engine) throw new RotatorError('value-mismatch', 'prepare', { role });
  const { password } = value;
  const host = text(value['host'], LONGEST_HOST);
  const username = text(value['username'] ?? usualUser, LONGEST_NAME);
  const port = portOf(value['port'], DEFAULT_PORT[engine]);
  const tls = SSL.get(typeof value['ssl'] === 'string' ? value['ssl'].toLowerCase() : value['ssl']);
  const dbname = value['dbname'] ?? '';
  const ca = value['ca'] ?? '';
  if (host === undefined || !isHost(host) || username === undefined || port === undefined || tls === undefined) throw malformed();
  if (typeof password !== 'string' || password === '' || password.length > LONGEST_PASSWORD || password.includes('\0')) throw malformed();
  if (engine === 'redis' && (!REDIS_NAME.test(username) || CONTROL.test(password))) throw malformed();
  if (typeof dbname !== 'string' || dbname.length > LONGEST_NAME || CONTROL.test(dbname) || typeof ca !== 'string') throw malformed();
  return { engine, host, port, username, password, tls, ...(dbname === '' ? {} : { dbname }), ...(ca === '' ? {} : { ca }) };
}

const CLONE = '_clone';
const isClone = (username: string): boolean => username.endsWith(CLONE) && username.length > CLONE.length;
/** The other of the two users by turns, as AWS's functions name them. */
export const alternateOf = (username: string): string => (isClone(username) ? username.slice(0, -CLONE.length) : `${username}${CLONE}`);

const sameServer = (a: Credentials, b: Credentials): boolean => a.host.toLowerCase() === b.host.toLowerCase() && a.port === b.port;

/**
 * Against a confused deputy: a value that was put under AWSPENDING must not have another user's password set, or another server
 * called. AWS's functions check the same. Throws RotatorError `value-mismatch`.
 */
export function checkValues(strategy: Strategy, { current, pending, previous, master }: Readonly<Partial<Record<Role, Credentials>>>): void {
  if (!current) return;
  const wanted = strategy === 'single' ? current.username : alternateOf(current.username);
  const mismatch = (role: Role): RotatorError => new RotatorError('value-mismatch', 'prepare', { role });
  if (pending && (!sameServer(current, pending) || pending.username !== wanted)) throw mismatch('pending');
  if (previous && !sameServer(current, previous)) throw mismatch('previous');
  // The master's own password is changed by a rotation of its own, never by one that it acts for.
  if (master && (!sameServer(current, master) || (strategy === 'alternating' && [current.username, wanted].includes(master.username)))) throw mismatch('master');
}
