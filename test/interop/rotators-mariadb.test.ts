/** The MySQL/MariaDB rotator, as the process that the vault starts, against a real MariaDB over TLS that logs every statement. */
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action, DatabaseOrder, EgressAnswer, Role, Strategy } from '../../src/main/egress/port.ts';
import { type Authority, makeAuthority } from '../system/support/authority.ts';
import { type Json, closeEgress, run, shortly } from '../system/support/egress.ts';
import { type Mariadb, ROOT, startMariadb } from '../system/support/mariadb.ts';
import { until } from '../system/support/processes.ts';
import { NOBODY, remove, temporaryFolder } from '../system/support/served-vault.ts';

const folder = temporaryFolder();
let authority: Authority;
let mariadb: Mariadb;
/** Every password that there is; none may be in a log or an answer. */
const passwords = new Set<string>([ROOT.password]);
const answers: EgressAnswer[] = [];

beforeAll(async () => {
  chmodSync(folder, 0o711);
  authority = makeAuthority(join(folder, 'ca'));
  mariadb = await startMariadb(join(folder, 'db'), authority);
});
afterAll(async () => {
  await closeEgress();
  await mariadb.kill();
  remove(folder);
});

const order = (action: Action, strategy: Strategy = 'single', more: Partial<DatabaseOrder> = {}): DatabaseOrder => ({
  kind: 'database', action, engine: 'mariadb', strategy, allow: [`localhost:${String(mariadb.port)}`], ca: authority.ca, timeMs: 20_000, ...more,
});
const value = (username: string, password: string, more: Json = {}): Json => {
  passwords.add(password);
  return { engine: 'mariadb', host: 'localhost', port: mariadb.port, username, password, ...more };
};
async function asked(given: DatabaseOrder, values: Readonly<Partial<Record<Role, Json | string>>>): Promise<string> {
  const answer = await run(given, values);
  answers.push(answer);
  return shortly(answer);
}
const text = (given: string): string => `'${given.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const makeUser = async (username: string, password: string, ...more: readonly string[]): Promise<void> => void (await mariadb.sql(`CREATE USER ${text(username)}@'%' IDENTIFIED BY ${text(password)}`, ...more));
const master = (): Json => value(ROOT.username, ROOT.password);

describe('a single user', () => {
  it('gets the new password, and the old one no longer logs in; again changes nothing', async () => {
    await makeUser('single', 'old-Passwort-1');
    const values = { current: value('single', 'old-Passwort-1'), pending: value('single', "nëw 'Passwort' \\ \"2\" 🔑") };
    expect(await asked(order('probe'), { current: values.current })).toBe('ok');
    expect(await asked(order('test'), values)).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok');
    expect([mariadb.logsIn('single', "nëw 'Passwort' \\ \"2\" 🔑"), mariadb.logsIn('single', 'old-Passwort-1')]).toEqual([true, false]);
    expect(await asked(order('set'), values)).toBe('ok already-set');
    expect(await asked(order('test'), values)).toBe('ok');
    expect(answers.at(-1)?.connections).toMatchObject([{ host: 'localhost', address: '127.0.0.1', tls: 'TLSv1.3', as: 'pending' }, { host: 'localhost', address: '127.0.0.1', as: 'pending' }]);
  });

  it('keeps logging in by ed25519 where it did', async () => {
    passwords.add('ed-Passwort-1');
    await mariadb.sql("CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-Passwort-1')");
    const values = { current: value('ed', 'ed-Passwort-1'), pending: value('ed', 'ed-Pässwort-2') };
    expect([await asked(order('probe'), values), await asked(order('set'), values), await asked(order('test'), values)]).toEqual(['ok', 'ok', 'ok']);
    expect([mariadb.logsIn('ed', 'ed-Pässwort-2'), mariadb.logsIn('ed', 'ed-Passwort-1')]).toEqual([true, false]);
    expect(await mariadb.sql("SHOW CREATE USER ed@'%'")).toEqual([[expect.stringContaining('IDENTIFIED VIA ed25519 USING')]]);
  });

  it('is reached by the previous password where the current one was lost halfway, and goes back by the values exchanged', async () => {
    const name = "o'Brien \\ `the`";
    await makeUser(name, 'half-Passwort-1');
    const values = { previous: value(name, 'half-Passwort-1'), current: value(name, 'half-Passwort-2'), pending: value(name, 'half-Passwort-3') };
    expect(await asked(order('set'), { current: values.current, pending: values.pending })).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok logged-in-with-previous');
    expect(mariadb.logsIn(name, 'half-Passwort-3')).toBe(true);
    expect(await asked(order('set'), { current: values.pending, pending: values.current })).toBe('ok');
    expect(mariadb.logsIn(name, 'half-Passwort-2')).toBe(true);
  });

  it('of a server that is read-only stays as it is', async () => {
    await makeUser('reader', 'reader-Passwort-1');
    const values = { current: value('reader', 'reader-Passwort-1'), pending: value('reader', 'reader-Passwort-2') };
    await mariadb.sql('SET GLOBAL read_only = 1');
    expect([await asked(order('probe'), values), await asked(order('set'), values)]).toEqual(['read-only at check', 'read-only at check']);
    await mariadb.sql('SET GLOBAL read_only = 0');
    expect(await asked(order('set'), values)).toBe('ok');
  });
});

describe('a login that proves no password', () => {
  it('as an anonymous account is the user’s not', async () => {
    await mariadb.sql("CREATE USER ''@'%' IDENTIFIED BY 'anybody-Passwort-2'");
    const values = { current: value('ghost', 'anybody-Passwort-1'), pending: value('ghost', 'anybody-Passwort-2') };
    expect([await asked(order('test'), values), await asked(order('set'), values)]).toEqual(['value-mismatch at check', 'value-mismatch at check']);
    await mariadb.sql("DROP USER ''@'%'");
  });
});

describe('two users by turns', () => {
  it('are made with the same rights, roles and TLS rules, and leave the other’s password alone', async () => {
    await makeUser('app', 'app-Passwort-1', 'CREATE DATABASE shop', 'CREATE TABLE shop.wares (n INT)', 'INSERT INTO shop.wares VALUES (7)', 'CREATE ROLE reading', 'GRANT SELECT ON shop.wares TO reading', "GRANT reading TO app@'%'", "GRANT reading TO root@'127.0.0.1' WITH ADMIN OPTION", "SET DEFAULT ROLE reading FOR app@'%'", "GRANT INSERT ON shop.* TO app@'%' REQUIRE SSL");
    const [first, second, third] = [value('app', 'app-Passwort-1'), value('app_clone', 'app-Passwort-2'), value('app', 'app-Passwort-3')];
    expect(await asked(order('probe', 'alternating'), { current: first, master: master() })).toBe('ok');
    expect(await mariadb.sql("SELECT 1 FROM mysql.user WHERE User = 'app_clone'")).toEqual([]);
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok clone-created');
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok already-set');
    expect(await asked(order('test', 'alternating'), { current: first, pending: second })).toBe('ok');
    expect([mariadb.logsIn('app', 'app-Passwort-1'), mariadb.logsIn('app_clone', 'app-Passwort-2')]).toEqual([true, true]);
    expect(mariadb.asks('app_clone', 'app-Passwort-2', 'INSERT INTO shop.wares VALUES (8); SELECT SUM(n) FROM shop.wares').trim()).toBe('15');
    expect(await mariadb.sql("SHOW CREATE USER app_clone@'%'")).toEqual([[expect.stringContaining('REQUIRE SSL')]]);
    // A right that came meanwhile is passed on with the next turn.
    await mariadb.sql("GRANT UPDATE ON shop.* TO app_clone@'%'");
    expect(await asked(order('set', 'alternating'), { current: second, pending: third, previous: first, master: master() })).toBe('ok');
    expect([mariadb.logsIn('app', 'app-Passwort-1'), mariadb.logsIn('app', 'app-Passwort-3'), mariadb.logsIn('app_clone', 'app-Passwort-2')]).toEqual([false, true, true]);
    expect(mariadb.asks('app', 'app-Passwort-3', 'UPDATE shop.wares SET n = 1; SELECT COUNT(*) FROM shop.wares').trim()).toBe('2');
  });

  it('need a master that may make users, and a current password that is right', async () => {
    await makeUser('cart', 'cart-Passwort-1');
    await makeUser('powerless', 'powerless-Passwort-1', "GRANT SELECT ON mysql.* TO powerless@'%'");
    const values = { current: value('cart', 'cart-Passwort-1'), pending: value('cart_clone', 'cart-Passwort-2') };
    const powerless = value('powerless', 'powerless-Passwort-1');
    expect(await asked(order('probe', 'alternating'), { current: values.current, master: powerless })).toBe('rights-missing at check');
    expect(await asked(order('set', 'alternating'), { ...values, master: powerless })).toBe('rights-missing at change');
    expect(await asked(order('set', 'alternating'), { ...values, current: value('cart', 'wrong-Passwort'), master: master() })).toBe('login-refused at login');
    expect(await asked(order('set', 'alternating'), { ...values, master: value('root', 'wrong-Passwort-2') })).toBe('login-refused at login');
    expect(await mariadb.sql("SELECT 1 FROM mysql.user WHERE User = 'cart_clone'")).toEqual([]);
  });
});

describe('TLS', () => {
  it('is verified, by the authority and by the name that the secret gives', async () => {
    await makeUser('tls', 'tls-Passwort-1');
    const own = value('tls', 'tls-Passwort-1');
    expect(await asked(order('test', 'single', { ca: makeAuthority(join(folder, 'other')).ca }), { current: own, pending: own })).toBe('tls-untrusted at tls');
    // The driver cannot check a certificate for an address: that is said before anything is sent.
    const byAddress = { ...own, host: '127.0.0.1' };
    expect(await asked(order('test', 'single', { allow: [`127.0.0.1:${String(mariadb.port)}`] }), { current: byAddress, pending: byAddress })).toBe('tls-name at prepare');
    const { certificate, key } = authority.issue('wrong', ['DNS:db.example'], NOBODY);
    await mariadb.kill();
    await mariadb.start(`--ssl-cert=${certificate}`, `--ssl-key=${key}`);
    expect(await asked(order('test'), { current: own, pending: own })).toBe('tls-name at tls');
    await mariadb.kill();
    await mariadb.start();
    expect(await asked(order('test'), { current: own, pending: own })).toBe('ok');
  });

  it('is gone without only where the secret says so; a server without it, with another method, or that hangs is refused', async () => {
    const open = value('tls', 'tls-Passwort-1', { ssl: false });
    expect(await asked(order('test'), { current: open, pending: open })).toBe('ok no-tls');
    const greeting = (capabilities: number, plugin: string): Buffer => {
      const body = Buffer.concat([Buffer.from([10]), Buffer.from('8.0.0\0'), Buffer.alloc(4), Buffer.from('abcdefgh\0'), Buffer.from([capabilities & 0xff, (capabilities >> 8) & 0xff, 45, 2, 0, (capabilities >> 16) & 0xff, (capabilities >>> 24) & 0xff, 21]), Buffer.alloc(10), Buffer.from('ijklmnopqrst\0'), Buffer.from(`${plugin}\0`)]);
      return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, 0]), body]);
    };
    const answersOf: Record<string, (write: (bytes: Buffer) => void) => void> = {
      plain: (write) => { write(greeting(0x0008_a200, 'mysql_native_password')); },
      noise: (write) => { write(Buffer.from([5, 0, 0, 0, 99, 1, 2, 3, 4])); },
      silent: () => undefined,
    };
    const outcomes: Record<string, string> = {};
    for (const [name, act] of Object.entries(answersOf)) {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        act((bytes) => socket.write(bytes));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      const there = value('u', 'z-Passwort-1', { port });
      outcomes[name] = await asked(order('test', 'single', { allow: [`localhost:${String(port)}`], timeMs: name === 'silent' ? 400 : 20_000 }), { current: there, pending: there });
      server.close();
    }
    expect(outcomes).toEqual({ plain: 'tls-missing at tls', noise: expect.stringMatching(/^(?:answer-malformed|server-error|connection-lost) at login$/), silent: 'timed-out at run' });
  });
});

describe('cut off by the death of the server', () => {
  it('while it changes the password: the old one holds, and the next try ends with the new one', async () => {
    await makeUser('killed', 'killed-Passwort-0');
    let current = value('killed', 'killed-Passwort-0');
    for (let round = 1; round <= 2; round += 1) {
      const pending = value('killed', `killed-Passwort-${String(round)}`);
      const seen = (): number => mariadb.log().split('SET PASSWORD = ').length;
      const before = seen();
      // Changes of accounts wait for a lock on their tables.
      const locking = mariadb.sql('LOCK TABLES mysql.global_priv WRITE, mysql.user WRITE', 'SELECT SLEEP(60)').catch(() => undefined);
      await until(async () => (await mariadb.sql("SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'")).length > 0, 'the lock is held', 60_000);
      const setting = asked(order('set'), { current, pending });
      await until(() => seen() > before, 'the change has arrived', 60_000);
      await mariadb.kill();
      expect(await setting).toBe('connection-lost at change, uncertain');
      await locking;
      await mariadb.start();
      expect(mariadb.logsIn('killed', String(current['password'])) || mariadb.logsIn('killed', String(pending['password']))).toBe(true);
      expect(await asked(order('set'), { current, pending })).toMatch(/^ok/);
      expect(mariadb.logsIn('killed', String(pending['password']))).toBe(true);
      current = pending;
    }
  });
});

it('puts no password into the server’s logs, an answer or an error', () => {
  const log = mariadb.log();
  // The logs do see the statements.
  expect(log).toMatch(/SET PASSWORD = '\*[0-9A-F]{40}'/);
  expect(log).toMatch(/ALTER USER 'app_clone'@'%' IDENTIFIED VIA mysql_native_password USING '\*[0-9A-F]{40}'/);
  const said = JSON.stringify(answers);
  expect(answers.length).toBeGreaterThan(25);
  for (const password of passwords) expect([password, log.includes(password), said.includes(password)]).toEqual([password, false, false]);
});
