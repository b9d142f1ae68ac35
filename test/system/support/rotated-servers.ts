/** Real servers with a user whose password is rotated, and each way of rotating it: one user, or two by turns. */
import type { Authority } from './authority.ts';
import { ROOT, startMariadb } from './mariadb.ts';
import { SUPERUSER, startPostgres } from './postgres.ts';
import { ADMIN, startRedis } from './redis.ts';

/** The user as it is before the first rotation. */
export const FIRST = { username: 'app', password: 'first-Passwort-1' };
export type Credentials = typeof FIRST;

export interface RotatedServer {
  readonly port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Throws where the server cannot be asked. */
  logsIn(username: string, password: string): boolean | Promise<boolean>;
}

export interface Way {
  readonly what: string;
  readonly rotator: 'postgres' | 'mariadb' | 'redis';
  readonly strategy: 'single' | 'alternating';
  readonly master: Credentials;
  start(folder: string, authority: Authority): Promise<RotatedServer>;
}

const postgres = {
  rotator: 'postgres',
  master: SUPERUSER,
  async start(folder: string, authority: Authority) {
    const server = await startPostgres(folder, authority);
    await server.sql(`CREATE ROLE ${FIRST.username} LOGIN PASSWORD '${FIRST.password}'`);
    return server;
  },
} as const;

const mariadb = {
  rotator: 'mariadb',
  master: ROOT,
  async start(folder: string, authority: Authority) {
    const server = await startMariadb(folder, authority);
    await server.sql(`CREATE USER ${FIRST.username}@'127.0.0.1' IDENTIFIED BY '${FIRST.password}'`);
    return server;
  },
} as const;

const redis = {
  rotator: 'redis',
  master: ADMIN,
  async start(folder: string, authority: Authority) {
    const server = await startRedis(folder, authority);
    await server.command('ACL', 'SETUSER', FIRST.username, 'on', `>${FIRST.password}`, '~*', '+@read');
    await server.command('ACL', 'SAVE');
    return server;
  },
} as const;

export const WAYS: readonly Way[] = [
  { what: 'one PostgreSQL user', strategy: 'single', ...postgres },
  { what: 'two PostgreSQL users by turns', strategy: 'alternating', ...postgres },
  { what: 'one MariaDB user', strategy: 'single', ...mariadb },
  { what: 'two MariaDB users by turns', strategy: 'alternating', ...mariadb },
  { what: 'one Redis user', strategy: 'single', ...redis },
];
