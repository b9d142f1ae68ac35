/** A real PostgreSQL on loopback, with TLS, that logs every statement. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Authority } from './authority.ts';
import { type Running, freePort, ownFolder, startServer, unprivileged } from './database.ts';
import { NOBODY } from './served-vault.ts';

/** Debian keeps them out of the way; the newest there is. */
const BIN = ((): string => {
  const base = '/usr/lib/postgresql';
  const newest = readdirSync(base).sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error('the tests need the Debian package postgresql');
  return join(base, newest, 'bin');
})();

export const SUPERUSER = { username: 'master', password: 'master-Passwort-1' };

export interface Postgres {
  readonly port: number;
  /** Kills the server as a power cut would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** As the superuser. */
  sql(...statements: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Whether this password logs in, over TLS, with the driver that is nobody's wrapper. */
  logsIn(username: string, password: string): Promise<boolean>;
  log(): string;
}

export async function startPostgres(base: string, authority: Authority): Promise<Postgres> {
  const folder = ownFolder(base);
  const data = join(folder, 'data');
  const port = await freePort();
  const { key, certificate } = authority.issue('postgres', ['DNS:localhost'], NOBODY);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, SUPERUSER.password, { mode: 0o644 });
  const [program, ...args] = unprivileged(join(BIN, 'initdb'), ['-D', data, '-U', SUPERUSER.username, '--pwfile', passwordFile, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale', 'C.UTF-8', '--no-sync']);
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const settings = { listen_addresses: "'localhost'", port, unix_socket_directories: "''", fsync: 'off', shared_buffers: "'16MB'", max_connections: 20, log_statement: "'all'", log_min_messages: 'debug1', log_connections: 'on', log_min_error_statement: 'debug5', ssl: 'on', ssl_cert_file: `'${certificate}'`, ssl_key_file: `'${key}'` };
  appendFileSync(join(data, 'postgresql.conf'), Object.entries(settings).map(([name, value]) => `${name} = ${String(value)}\n`).join(''));
  let running: Running | undefined;
  let earlier = '';
  const connect = async (username: string, password: string): Promise<Client> => {
    const client = new Client({ host: 'localhost', port, user: username, password, database: 'postgres', ssl: { ca: authority.ca } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const answers = async (): Promise<boolean> => {
    await (await connect(SUPERUSER.username, SUPERUSER.password)).end();
    return true;
  };
  const server: Postgres = {
    port,
    async start() {
      running = await startServer(folder, join(BIN, 'postgres'), ['-D', data], answers);
    },
    async kill() {
      earlier += running?.log() ?? '';
      await running?.kill();
      running = undefined;
    },
    async sql(...statements) {
      const client = await connect(SUPERUSER.username, SUPERUSER.password);
      try {
        let rows: readonly Readonly<Record<string, unknown>>[] = [];
        for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
        return rows;
      } finally {
        await client.end();
      }
    },
    async logsIn(username, password) {
      try {
        await (await connect(username, password)).end();
        return true;
      } catch (error) {
        if ((error as { readonly code?: string }).code === '28P01') return false;
        throw error;
      }
    },
    log: () => earlier + (running?.log() ?? ''),
  };
  await server.start();
  return server;
}
