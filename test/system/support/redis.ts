/** A real Redis on loopback, with TLS, an access control list in a file, and its most talkative log. */
import { writeFileSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import type { Authority } from './authority.ts';
import { type Running, freePort, ownFolder, startServer } from './database.ts';
import { NOBODY } from './served-vault.ts';

export const ADMIN = { username: 'admin', password: 'admin-Passwort-1' };

export interface Redis {
  readonly port: number;
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  start(): Promise<void>;
  /** As the administrator, with the client that Redis itself names first. */
  command(...words: readonly string[]): Promise<unknown>;
  logsIn(username: string, password: string): Promise<boolean>;
  /** The log, and everything that MONITOR showed. */
  log(): string;
  readonly aclFile: () => string;
}

export async function startRedis(base: string, authority: Authority, more: readonly string[] = []): Promise<Redis> {
  const folder = ownFolder(base);
  const port = await freePort();
  const { key, certificate } = authority.issue('redis', ['DNS:localhost'], NOBODY);
  const aclFile = join(folder, 'users.acl');
  writeFileSync(aclFile, `user default off\nuser ${ADMIN.username} on >${ADMIN.password} ~* &* +@all\n`);
  chownSync(aclFile, NOBODY, NOBODY);
  let running: Running | undefined;
  let monitored = '';
  const open = async (username: string, password: string) => {
    const client = createClient({ username, password, socket: { host: 'localhost', port, tls: true, ca: authority.ca, reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const settings = [
    '--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', authority.caFile, '--tls-auth-clients', 'no', '--dir', folder, '--save', '', '--aclfile', aclFile, '--loglevel', 'debug',
    '--slowlog-log-slower-than', '0', ...more,
  ];
  const server: Redis = {
    port,
    async start() {
      running = await startServer(folder, 'redis-server', settings, async () => {
        (await open(ADMIN.username, ADMIN.password)).destroy();
        return true;
      });
      const watcher = await open(ADMIN.username, ADMIN.password);
      await watcher.monitor((line) => { monitored += `${line}\n`; });
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    pause: () => { if (running) process.kill(running.pid, 'SIGSTOP'); },
    resume: () => { if (running) process.kill(running.pid, 'SIGCONT'); },
    async command(...words) {
      const client = await open(ADMIN.username, ADMIN.password);
      try {
        return await client.sendCommand([...words]);
      } finally {
        client.destroy();
      }
    },
    async logsIn(username, password) {
      try {
        (await open(username, password)).destroy();
        return true;
      } catch (error) {
        if (String(error).includes('WRONGPASS')) return false;
        throw error;
      }
    },
    log: () => (running?.log() ?? '') + monitored,
    aclFile: () => readFileSync(aclFile, 'utf8'),
  };
  await server.start();
  return server;
}
