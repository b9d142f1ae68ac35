/** What a rotation never does at a real server: take over a user who rules, leave a value that was let go valid, or wait for ever. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action, DatabaseOrder, Engine, Strategy } from '../../src/main/egress/port.ts';
import { type Authority, makeAuthority } from '../system/support/authority.ts';
import { type Json, closeEgress, run, shortly } from '../system/support/egress.ts';
import { type Mariadb, ROOT, startMariadb } from '../system/support/mariadb.ts';
import { type Postgres, SUPERUSER, startPostgres } from '../system/support/postgres.ts';
import { until } from '../system/support/processes.ts';
import { ADMIN, type Redis, startRedis } from '../system/support/redis.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';
import { stops } from '../system/support/stops.ts';

const folder = temporaryFolder();
const started = stops();
let authority: Authority;
let postgres: Postgres;
let mariadb: Mariadb;
let redis: Redis;
/** Of an order; a busy machine may take long. */
const TIME_MS = 120_000;

beforeAll(async () => {
  chmodSync(folder, 0o711);
  authority = makeAuthority(join(folder, 'ca'));
  postgres = started.later(await startPostgres(join(folder, 'pg'), authority), (server) => server.kill());
  mariadb = started.later(await startMariadb(join(folder, 'maria'), authority), (server) => server.kill());
  redis = started.later(await startRedis(join(folder, 'redis'), authority), (server) => server.kill());
});
afterAll(async () => {
  await closeEgress();
  await started.all();
  remove(folder);
});

const portOf = (engine: Engine): number => ({ postgres, mysql: mariadb, mariadb, redis })[engine].port;
const value = (engine: Engine, username: string, password: string): Json => ({ engine, host: 'localhost', port: portOf(engine), username, password });
const ask = async (engine: Engine, action: Action, strategy: Strategy, values: Parameters<typeof run>[1], more: Partial<DatabaseOrder> = {}): Promise<string> =>
  shortly(await run({ kind: 'database', action, engine, strategy, allow: [`localhost:${String(portOf(engine))}`], ca: authority.ca, timeMs: TIME_MS, ...more }, values));
const turns = (engine: Engine, master: { readonly username: string; readonly password: string }) => ({ current: value(engine, 'app', 'app-Passwort-1'), pending: value(engine, 'app_clone', 'app-Passwort-2'), master: value(engine, master.username, master.password) });

describe('the second of two users is never one who rules', () => {
  it('at PostgreSQL', async () => {
    for (const right of ['SUPERUSER', 'CREATEROLE', 'REPLICATION']) {
      await postgres.sql('DROP ROLE IF EXISTS app, app_clone', "CREATE ROLE app LOGIN PASSWORD 'app-Passwort-1'", `CREATE ROLE app_clone LOGIN ${right} PASSWORD 'ruler-Passwort-1'`);
      expect([right, await ask('postgres', 'set', 'alternating', turns('postgres', SUPERUSER))]).toEqual([right, 'value-mismatch at check']);
      expect(await postgres.logsIn('app_clone', 'ruler-Passwort-1')).toBe(true);
    }
  });

  it('at MariaDB', async () => {
    await mariadb.sql("CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app-Passwort-1'", "CREATE USER app_clone@'127.0.0.1' IDENTIFIED BY 'ruler-Passwort-1'", "GRANT ALL PRIVILEGES ON *.* TO app_clone@'127.0.0.1' WITH GRANT OPTION");
    expect(await ask('mariadb', 'set', 'alternating', turns('mariadb', ROOT))).toBe('value-mismatch at check');
    expect(mariadb.logsIn('app_clone', 'ruler-Passwort-1')).toBe(true);
  });

  it('at Redis', async () => {
    await redis.command('ACL', 'SETUSER', 'app', 'on', '>app-Passwort-1', '~*', '+@read');
    await redis.command('ACL', 'SETUSER', 'app_clone', 'on', '>ruler-Passwort-1', '~*', '+@all');
    expect(await ask('redis', 'set', 'alternating', turns('redis', ADMIN))).toBe('value-mismatch at check');
    expect(await redis.logsIn('app_clone', 'ruler-Passwort-1')).toBe(true);
  });
});

describe('going back', () => {
  it('at Redis leaves the current password alone: that which was let go does not log in', async () => {
    await redis.command('ACL', 'SETUSER', 'back', 'on', '>back-Passwort-1', '~*', '+@all');
    const [one, two] = [value('redis', 'back', 'back-Passwort-1'), value('redis', 'back', 'back-Passwort-2')];
    expect(await ask('redis', 'set', 'single', { current: one, pending: two })).toBe('ok old-still-valid');
    expect(await ask('redis', 'set', 'single', { current: two, pending: one })).toBe('ok already-set old-still-valid');
    expect(await ask('redis', 'finish', 'single', { current: two, pending: one })).toBe('ok');
    expect([await redis.logsIn('back', 'back-Passwort-1'), await redis.logsIn('back', 'back-Passwort-2')]).toEqual([true, false]);
  });

  it('after a change that may still come is a change of its own, though the current password logs in', async () => {
    await mariadb.sql("CREATE USER late@'127.0.0.1' IDENTIFIED BY 'late-Passwort-1'");
    const maria = { current: value('mariadb', 'late', 'late-Passwort-2'), pending: value('mariadb', 'late', 'late-Passwort-1') };
    const statements = (): number => mariadb.log().split('SET PASSWORD').length;
    const before = statements();
    expect(await ask('mariadb', 'set', 'single', maria)).toBe('ok already-set');
    expect(statements()).toBe(before);
    expect(await ask('mariadb', 'set', 'single', maria, { anew: true })).toBe('ok');
    expect(statements()).toBeGreaterThan(before);
    expect(mariadb.logsIn('late', 'late-Passwort-1')).toBe(true);

    await redis.command('ACL', 'SETUSER', 'late', 'on', '>late-Passwort-1', '~*', '+@all');
    const cache = { current: value('redis', 'late', 'late-Passwort-2'), pending: value('redis', 'late', 'late-Passwort-1') };
    expect(await ask('redis', 'set', 'single', cache)).toBe('ok already-set old-still-valid');
    expect(await ask('redis', 'set', 'single', cache, { anew: true })).toBe('ok old-still-valid');
    expect(await redis.logsIn('late', 'late-Passwort-1')).toBe(true);
  });
});

describe('a server that lets a change wait', () => {
  it('is left at the time limit, which says so, and the password is as it was: a locked table at PostgreSQL', async () => {
    await postgres.sql("CREATE ROLE waiting LOGIN PASSWORD 'waiting-Passwort-1'");
    const values = { current: value('postgres', 'waiting', 'waiting-Passwort-1'), pending: value('postgres', 'waiting', 'waiting-Passwort-2') };
    const locking = postgres.sql('BEGIN', 'LOCK TABLE pg_catalog.pg_authid IN SHARE MODE', 'SELECT pg_sleep(60)').catch(() => undefined);
    const sleeps = async (): Promise<boolean> => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0;
    await until(sleeps, 'the lock is held', 60_000);
    expect(await ask('postgres', 'set', 'single', values, { timeMs: 8000 })).toMatch(/^timed-out at run/);
    await postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    await locking;
    // Its connection was closed: the server takes back what was never committed.
    await until(async () => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'waiting'")).length === 0, 'it has let go', 60_000);
    expect([await postgres.logsIn('waiting', 'waiting-Passwort-1'), await postgres.logsIn('waiting', 'waiting-Passwort-2')]).toEqual([true, false]);
    expect(await ask('postgres', 'set', 'single', values)).toBe('ok');
  });

  it('at MariaDB, too', async () => {
    await mariadb.sql("CREATE USER waiting@'127.0.0.1' IDENTIFIED BY 'waiting-Passwort-1'");
    const values = { current: value('mariadb', 'waiting', 'waiting-Passwort-1'), pending: value('mariadb', 'waiting', 'waiting-Passwort-2') };
    const locking = mariadb.sql('LOCK TABLES mysql.global_priv WRITE', 'SELECT SLEEP(120)').catch(() => undefined);
    const of = (what: string): Promise<readonly (readonly unknown[])[]> => mariadb.sql(`SELECT id FROM information_schema.processlist WHERE ${what}`);
    const sleeps = "state = 'User sleep'";
    await until(async () => (await of(sleeps)).length > 0, 'the lock is held', 60_000);
    expect(await ask('mariadb', 'set', 'single', values, { timeMs: 8000 })).toMatch(/^timed-out at run/);
    for (const [id] of await of(sleeps)) await mariadb.sql(`KILL ${String(id)}`);
    await locking;
    // What waits there does not notice that nobody does any more, and may still change it: the rotation says so, and either value is one that it knows.
    await until(async () => (await of("user = 'waiting'")).length === 0, 'it has let go', 60_000);
    const holds = [mariadb.logsIn('waiting', 'waiting-Passwort-1'), mariadb.logsIn('waiting', 'waiting-Passwort-2')];
    expect(holds.filter(Boolean)).toHaveLength(1);
    expect(await ask('mariadb', 'set', 'single', values)).toBe(holds[1] === true ? 'ok already-set' : 'ok');
    expect([mariadb.logsIn('waiting', 'waiting-Passwort-1'), mariadb.logsIn('waiting', 'waiting-Passwort-2')]).toEqual([false, true]);
  });
});

/** As much of a MySQL server as its login is (MySQL Internals, "Connection Phase"): asks by `plugin`, and sends a key of its own for the password. */
async function fakeMysql(plugin: string, heard: Buffer[]): Promise<{ readonly port: number; readonly close: () => void }> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const packet = (sequence: number, ...parts: readonly (string | Uint8Array | readonly number[])[]): Buffer => {
    const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part))));
    return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, sequence]), body]);
  };
  const nonce = 'x'.repeat(20);
  // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, LONG_PASSWORD.
  const greeting = packet(0, [10], '8.0.36\0', [1, 0, 0, 0], nonce.slice(0, 8), [0], [0x01, 0x82], [45], [2, 0], [0x08, 0], [21], new Uint8Array(10), `${nonce.slice(8)}\0`, `${plugin}\0`);
  const answers: Readonly<Record<string, readonly Buffer[]>> = {
    caching_sha2_password: [packet(2, [0xfe], `${plugin}\0${nonce}\0`), packet(4, [1, 4]), packet(6, [1], publicKey)],
    sha256_password: [packet(2, [0xfe], `${plugin}\0${nonce}\0`), packet(4, [1], publicKey)],
  };
  const server = createServer((socket) => {
    const left = [...(answers[plugin] ?? [])];
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      heard.push(piece);
      const next = left.shift();
      if (next) socket.write(next);
      else socket.destroy();
    });
    socket.write(greeting);
  });
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

it.each(['caching_sha2_password', 'sha256_password'])('gives no MySQL server the password under a key that came over an open line: %s', async (plugin) => {
  const heard: Buffer[] = [];
  const { port, close } = await fakeMysql(plugin, heard);
  const there = { ...value('mysql', 'app', 'app-Passwort-1'), port, ssl: false };
  expect(await ask('mysql', 'test', 'single', { current: there, pending: there }, { allow: [`localhost:${String(port)}`] })).toBe('method-unsupported at login');
  // It did ask for the key: what it would have sent under it has 256 bytes.
  expect([heard.some((piece) => piece.length === 5), heard.some((piece) => piece.length >= 256), Buffer.concat(heard).includes('Passwort')]).toEqual([true, false, false]);
  close();
});
