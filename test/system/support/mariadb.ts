/** A real MariaDB on loopback, with TLS, that logs every statement. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { Authority } from './authority.ts';
import { type Running, freePort, ownFolder, startServer, unprivileged } from './database.ts';
import { NOBODY } from './served-vault.ts';

export const ROOT = { username: 'root', password: 'root-Passwort-1' };

export interface Mariadb {
  readonly port: number;
  kill(): Promise<void>;
  start(...more: readonly string[]): Promise<void>;
  /** As root, without being logged. */
  sql(...statements: readonly string[]): Promise<readonly (readonly unknown[])[]>;
  /** Whether this password logs in, over TLS, with MariaDB's own command-line client. */
  logsIn(username: string, password: string): boolean;
  /** What this user sees of a statement, with the same client. */
  asks(username: string, password: string, statement: string): string;
  log(): string;
}

export async function startMariadb(base: string, authority: Authority): Promise<Mariadb> {
  const folder = ownFolder(base);
  const data = join(folder, 'data');
  const port = await freePort();
  const { key, certificate } = authority.issue('mariadb', ['DNS:localhost'], NOBODY);
  const [program, ...args] = unprivileged('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', '--basedir=/usr', '--innodb-log-file-size=4M']);
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let running: Running | undefined;
  const socket = join(folder, 's');
  const connect = async (password: string) => createConnection({ user: ROOT.username, password, socketPath: socket, multipleStatements: false });
  const settings = [
    '--no-defaults', `--datadir=${data}`, `--port=${String(port)}`, '--bind-address=127.0.0.1', `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`, `--ssl-cert=${certificate}`, `--ssl-key=${key}`, `--ssl-ca=${authority.caFile}`,
    '--general-log=1', `--general-log-file=${join(folder, 'general.log')}`, '--log-warnings=9', '--slow-query-log=1', '--long-query-time=0', `--slow-query-log-file=${join(folder, 'slow.log')}`, `--log-bin=${join(folder, 'bin')}`, '--server-id=1', '--plugin-load-add=auth_ed25519',
    '--innodb-buffer-pool-size=8M', '--innodb-log-file-size=4M', '--innodb-flush-log-at-trx-commit=2', '--aria-pagecache-buffer-size=1M', '--performance-schema=off', '--skip-name-resolve', '--character-set-server=utf8mb4', '--max-connections=20',
  ];
  const client = (username: string, password: string, statement: string): string =>
    execFileSync('mariadb', ['--no-defaults', '--host=127.0.0.1', `--port=${String(port)}`, `--user=${username}`, '--ssl', `--ssl-ca=${authority.caFile}`, '--skip-column-names', '--batch', '--execute', statement], { env: { PATH: '/usr/bin:/bin', MYSQL_PWD: password, LANG: 'C.UTF-8' }, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  let rootPassword = '';
  const server: Mariadb = {
    port,
    async start(...more) {
      running = await startServer(folder, 'mariadbd', [...settings, ...more], async () => {
        await (await connect(rootPassword)).end();
        return true;
      });
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async sql(...statements) {
      const connection = await connect(rootPassword);
      try {
        await connection.query('SET SESSION sql_log_off = 1, sql_log_bin = 0, slow_query_log = 0');
        let rows: unknown = [];
        for (const statement of statements) [rows] = await connection.query({ sql: statement, rowsAsArray: true });
        return Array.isArray(rows) ? (rows as unknown[][]) : [];
      } finally {
        await connection.end();
      }
    },
    logsIn(username, password) {
      try {
        return client(username, password, 'SELECT 1').trim() === '1';
      } catch (error) {
        if (String((error as { readonly stderr?: string }).stderr).includes('ERROR 1045')) return false;
        throw error;
      }
    },
    asks: client,
    log: () => (running?.log() ?? '') + ['slow.log', 'general.log', 'bin.000001', 'bin.000002', 'bin.000003'].map((name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'latin1') : '')).join(''),
  };
  await server.start();
  await server.sql(`ALTER USER root@localhost IDENTIFIED BY '${ROOT.password}'`);
  rootPassword = ROOT.password;
  await server.sql(`CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '${ROOT.password}'`, "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION");
  return server;
}
