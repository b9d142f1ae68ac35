/** The PostgreSQL rotator, as the process that the vault starts, against a real server over TLS that logs every statement. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action, DatabaseOrder, EgressAnswer, Role, Strategy } from '../../src/main/egress/port.ts';
import { type Authority, makeAuthority } from '../system/support/authority.ts';
import { type Json, closeEgress, egress, run, secret, shortly } from '../system/support/egress.ts';
import { type Postgres, SUPERUSER, startPostgres } from '../system/support/postgres.ts';
import { until } from '../system/support/processes.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';

const folder = temporaryFolder();
let authority: Authority;
let postgres: Postgres;
const listeners: Server[] = [];
/** Every password that there is; none may be in a log or an answer. */
const passwords = new Set<string>([SUPERUSER.password]);
const answers: EgressAnswer[] = [];

beforeAll(async () => {
  chmodSync(folder, 0o711);
  authority = makeAuthority(join(folder, 'ca'));
  postgres = await startPostgres(join(folder, 'pg'), authority);
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  await closeEgress();
  await postgres.kill();
  remove(folder);
});

const order = (action: Action, strategy: Strategy = 'single', more: Partial<DatabaseOrder> = {}): DatabaseOrder => ({
  kind: 'database', action, engine: 'postgres', strategy, allow: [`localhost:${String(postgres.port)}`], ca: authority.ca, timeMs: 20_000, ...more,
});
const value = (username: string, password: string, more: Json = {}): Json => {
  passwords.add(password);
  return { engine: 'postgres', host: 'localhost', port: postgres.port, username, password, dbname: 'postgres', ...more };
};
async function asked(given: DatabaseOrder, values: Readonly<Partial<Record<Role, Json | string>>>): Promise<string> {
  const answer = await run(given, values);
  answers.push(answer);
  return shortly(answer);
}
/** PostgreSQL's statements: a password that is set by SQL is for these tests to make users with. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
async function makeUser(username: string, password: string, ...more: readonly string[]): Promise<void> {
  await postgres.sql("SET log_statement = 'none'", 'SET log_min_error_statement = panic', `CREATE ROLE ${quoted(username)} LOGIN PASSWORD ${literal(password)}`, ...more);
}
const master = (): Json => value(SUPERUSER.username, SUPERUSER.password);

describe('a single user', () => {
  it('gets the new password, and the old one no longer logs in; again changes nothing', async () => {
    await makeUser('single', 'old-Passwort-1');
    const values = { current: value('single', 'old-Passwort-1'), pending: value('single', "nëw 'Passwort' \\ \"2\" ﬁ") };
    expect(await asked(order('probe'), { current: values.current })).toBe('ok');
    expect(await postgres.logsIn('single', 'old-Passwort-1')).toBe(true);
    expect(await asked(order('test'), values)).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok');
    expect(await postgres.logsIn('single', "nëw 'Passwort' \\ \"2\" ﬁ")).toBe(true);
    expect(await postgres.logsIn('single', 'old-Passwort-1')).toBe(false);
    expect(await asked(order('set'), values)).toBe('ok already-set');
    expect(await asked(order('test'), values)).toBe('ok');
    expect(await asked(order('finish'), values)).toBe('ok nothing-to-finish');
  });

  it('can be whatever a name may be', async () => {
    const name = `o'Brien "the" $1; DROP ROLE x --`;
    await makeUser(name, 'odd-Passwort-1');
    const values = { current: value(name, 'odd-Passwort-1'), pending: value(name, 'odd-Passwort-2') };
    expect(await asked(order('set'), values)).toBe('ok');
    expect(await postgres.logsIn(name, 'odd-Passwort-2')).toBe(true);
  });

  it('is reached by the previous password where the current one was lost halfway', async () => {
    await makeUser('half', 'half-Passwort-1');
    const values = { previous: value('half', 'half-Passwort-1'), current: value('half', 'half-Passwort-2'), pending: value('half', 'half-Passwort-3') };
    expect(await asked(order('set'), { current: values.current, pending: values.pending })).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok logged-in-with-previous');
    expect(await postgres.logsIn('half', 'half-Passwort-3')).toBe(true);
  });

  it('that may only read rotates all the same', async () => {
    await makeUser('reader', 'reader-Passwort-1', 'ALTER ROLE reader SET default_transaction_read_only = on');
    const values = { current: value('reader', 'reader-Passwort-1'), pending: value('reader', 'reader-Passwort-2') };
    expect([await asked(order('probe'), values), await asked(order('set'), values)]).toEqual(['ok', 'ok']);
    expect(await postgres.logsIn('reader', 'reader-Passwort-2')).toBe(true);
  });

  it('goes back by the same order with the values exchanged', async () => {
    await makeUser('back', 'back-Passwort-1');
    const [one, two] = [value('back', 'back-Passwort-1'), value('back', 'back-Passwort-2')];
    expect(await asked(order('set'), { current: one, pending: two })).toBe('ok');
    expect(await asked(order('set'), { current: two, pending: one })).toBe('ok');
    expect(await postgres.logsIn('back', 'back-Passwort-1')).toBe(true);
  });
});

it('goes back for good where a change that was cut off is still under way: it comes after that one', async () => {
  await makeUser('late', 'late-Passwort-1');
  const [one, two] = [value('late', 'late-Passwort-1'), value('late', 'late-Passwort-2')];
  const coming = postgres.sql("SET log_statement = 'none'", 'SET log_min_error_statement = panic', 'BEGIN', "ALTER ROLE late PASSWORD 'late-Passwort-2'", 'SELECT pg_sleep(3)', 'COMMIT');
  await until(async () => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0, 'the change is under way', 60_000);
  const back = (): Promise<string> => asked(order('set', 'single', { anew: true }), { current: two, pending: one });
  // The server has it wait, and refuses it for having been overtaken (XX000, "tuple concurrently updated"): the next try is then the last change.
  expect(await back()).toMatch(/^(?:ok|server-error at change)$/);
  await coming;
  expect(await back()).toBe('ok');
  expect([await postgres.logsIn('late', 'late-Passwort-1'), await postgres.logsIn('late', 'late-Passwort-2')]).toEqual([true, false]);
});

describe('two users by turns', () => {
  it('are made, keep each other’s rights, and leave the other’s password alone', async () => {
    await makeUser('app', 'app-Passwort-1', 'CREATE TABLE wares (n int)', 'INSERT INTO wares VALUES (7)', 'GRANT SELECT ON wares TO app');
    const turns = [value('app', 'app-Passwort-1'), value('app_clone', 'app-Passwort-2'), value('app', 'app-Passwort-3')];
    const [first, second, third] = turns as [Json, Json, Json];
    expect(await asked(order('probe', 'alternating'), { current: first, master: master() })).toBe('ok');
    expect(await postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'app_clone'")).toEqual([]);
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok clone-created');
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok already-set');
    expect(await asked(order('test', 'alternating'), { current: first, pending: second })).toBe('ok');
    expect([await postgres.logsIn('app', 'app-Passwort-1'), await postgres.logsIn('app_clone', 'app-Passwort-2')]).toEqual([true, true]);
    expect(await postgres.sql('SET ROLE app_clone', 'SELECT n FROM wares')).toEqual([{ n: 7 }]);
    expect(await asked(order('set', 'alternating'), { current: second, pending: third, previous: first, master: master() })).toBe('ok');
    expect([await postgres.logsIn('app', 'app-Passwort-1'), await postgres.logsIn('app', 'app-Passwort-3'), await postgres.logsIn('app_clone', 'app-Passwort-2')]).toEqual([false, true, true]);
  });

  it('need a master that may make users, and a current password that is right', async () => {
    await makeUser('shop', 'shop-Passwort-1');
    await makeUser('powerless', 'powerless-Passwort-1');
    const values = { current: value('shop', 'shop-Passwort-1'), pending: value('shop_clone', 'shop-Passwort-2') };
    const powerless = value('powerless', 'powerless-Passwort-1');
    expect(await asked(order('probe', 'alternating'), { current: values.current, master: powerless })).toBe('rights-missing at check');
    expect(await asked(order('set', 'alternating'), { ...values, master: powerless })).toBe('rights-missing at change');
    expect(await asked(order('set', 'alternating'), { ...values, current: value('shop', 'wrong-Passwort'), master: master() })).toBe('login-refused at login');
    expect(await asked(order('set', 'alternating'), { ...values, master: value(SUPERUSER.username, 'wrong-Passwort-2') })).toBe('login-refused at login');
    expect(await asked(order('set', 'alternating'), values)).toBe('value-malformed at prepare');
    expect(await postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'shop_clone'")).toEqual([]);
  });
});

describe('a server that lets anybody in', () => {
  it('proves no password: nothing counts as set, and nothing is changed', async () => {
    await makeUser('trusting', 'trusting-Passwort-1');
    const rules = String((await postgres.sql('SHOW hba_file'))[0]?.['hba_file']);
    const before = readFileSync(rules, 'utf8');
    const values = { current: value('trusting', 'trusting-Passwort-1'), pending: value('trusting', 'trusting-Passwort-2') };
    writeFileSync(rules, `hostssl all trusting all trust\n${before}`);
    await postgres.sql('SELECT pg_reload_conf()');
    try {
      await until(async () => (await asked(order('test'), values)) !== 'login-refused at login', 'the rules are read', 60_000);
      for (const action of ['test', 'set', 'probe'] as const) expect([action, await asked(order(action), values)]).toEqual([action, 'method-unsupported at login']);
    } finally {
      writeFileSync(rules, before);
      await postgres.sql('SELECT pg_reload_conf()');
    }
    await until(async () => !(await postgres.logsIn('trusting', 'none-Passwort')), 'the rules are read again', 60_000);
    expect(await postgres.logsIn('trusting', 'trusting-Passwort-1')).toBe(true);
    expect(await asked(order('set'), values)).toBe('ok');
  });
});

describe('is refused before anything is connected to', () => {
  it('a value for another user or server, a host that nobody allowed, an address of the metadata service', async () => {
    const current = value('single', 'x-Passwort-1');
    const pending = (more: Json): Json => ({ ...value('single', 'x-Passwort-2'), ...more });
    for (const more of [{ username: SUPERUSER.username }, { host: 'elsewhere' }, { port: 1 }, { engine: 'mysql' }]) expect(await asked(order('set'), { current, pending: pending(more) })).toBe('value-mismatch at prepare');
    for (const more of [{ password: '' }, { password: 5 }, { host: '/var/run' }, { port: 'x' }, { ssl: 'maybe' }]) expect(await asked(order('set'), { current, pending: pending(more) })).toBe('value-malformed at prepare');
    expect(await asked(order('set'), { current, pending: 'hunter2-is-no-JSON' })).toBe('value-malformed at prepare');
    expect(await asked(order('test', 'single', { allow: ['localhost:1'] }), { current, pending: current })).toBe('host-refused at prepare');
    const metadata = { ...current, host: '169.254.169.254', port: 80 };
    expect(await asked(order('test', 'single', { allow: ['169.254.169.254:80'] }), { current: metadata, pending: metadata })).toBe('address-refused at resolve');
  });
});

describe('TLS', () => {
  it('is verified, by the authority and by the name that the secret gives', async () => {
    const values = { current: value('single', 'y-Passwort-1'), pending: value('single', 'y-Passwort-2') };
    const other = makeAuthority(join(folder, 'other'));
    expect(await asked(order('test', 'single', { ca: other.ca }), values)).toBe('tls-untrusted at tls');
    const { ca: _ca, ...publicly } = order('test');
    expect(await asked(publicly, values)).toBe('tls-untrusted at tls');
    const byAddress = { current: { ...values.current, host: '127.0.0.1' }, pending: { ...values.pending, host: '127.0.0.1' } };
    expect(await asked(order('test', 'single', { allow: [`127.0.0.1:${String(postgres.port)}`] }), byAddress)).toBe('tls-name at tls');
    await makeUser('tls', 'tls-Passwort-1');
    const own = { ...value('tls', 'tls-Passwort-1'), ca: authority.ca };
    const answer = await run(publicly, { current: own, pending: own });
    expect(answer).toMatchObject({ ok: true, connections: [{ host: 'localhost', port: postgres.port, address: expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/), tls: 'TLSv1.3', as: 'pending' }] });
  });

  it('is gone without only where the secret says so, and that is said', async () => {
    await makeUser('plain', 'plain-Passwort-1');
    const open = value('plain', 'plain-Passwort-1', { ssl: false });
    expect(await asked(order('test'), { current: open, pending: open })).toBe('ok no-tls');
  });
});

/** A listener that does with a connection what it is told to. */
async function listen(act: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    act(socket);
  });
  listeners.push(server);
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  return (server.address() as AddressInfo).port;
}

describe('a server that is none', () => {
  const at = (port: number): { readonly current: Json; readonly pending: Json } => ({ current: value('u', 'z-Passwort-1', { port }), pending: value('u', 'z-Passwort-2', { port }) });
  const to = (port: number, timeMs = 20_000): DatabaseOrder => order('set', 'single', { allow: [`localhost:${String(port)}`], timeMs });

  it('hangs, hangs up, has no TLS, or talks nonsense', async () => {
    const silent = await listen(() => undefined);
    expect(await asked(to(silent, 400), at(silent))).toBe('timed-out at run');
    const closing = await listen((socket) => socket.destroy());
    expect(await asked(to(closing), at(closing))).toMatch(/^connection-lost at (?:tls|login)$/);
    const plain = await listen((socket) => void socket.once('data', () => socket.write('N')));
    expect(await asked(to(plain), at(plain))).toBe('tls-missing at tls');
    const stuffing = await listen((socket) => void socket.once('data', () => socket.write(`S${'x'.repeat(100)}`)));
    expect(await asked(to(stuffing), at(stuffing))).toBe('answer-malformed at tls');
    const noise = await listen((socket) => void socket.once('data', () => {
      socket.write('S');
      socket.once('data', () => socket.write(Buffer.alloc(64, 0xa5)));
    }));
    expect(await asked(to(noise), at(noise))).toBe('tls-failed at tls');
  });

  it('gets no password over an open line, though it asks for one', async () => {
    const heard: Buffer[] = [];
    const asking = await listen((socket) => {
      socket.on('data', (piece) => heard.push(piece));
      socket.once('data', () => socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])));
    });
    const values = { current: value('u', 'z-Passwort-1', { port: asking, ssl: false }), pending: value('u', 'z-Passwort-2', { port: asking, ssl: false }) };
    expect(await asked(to(asking), values)).toBe('method-unsupported at login');
    expect(Buffer.concat(heard).toString('latin1')).not.toContain('Passwort');
  });

  it('is not there, or has a name that nobody knows', async () => {
    const gone = await listen(() => undefined);
    await new Promise((done) => listeners.pop()?.close(done));
    expect(await asked(to(gone), at(gone))).toBe('unreachable at connect');
    const nowhere = { current: value('u', 'z-Passwort-1', { host: 'nowhere.invalid' }), pending: value('u', 'z-Passwort-2', { host: 'nowhere.invalid' }) };
    expect(await asked(order('set', 'single', { allow: [`nowhere.invalid:${String(postgres.port)}`] }), nowhere)).toBe('unresolved at resolve');
  });
});

describe('cut off', () => {
  it('by a cancel: the process ends, nothing is changed, and the next order has another process', async () => {
    const silent = await listen(() => undefined);
    const session = egress.open();
    const cancel = new AbortController();
    const port = { port: silent };
    const values = { current: secret(value('u', 'z-Passwort-1', port)), pending: secret(value('u', 'z-Passwort-2', port)) };
    const running = session.run(order('set', 'single', { allow: [`localhost:${String(silent)}`] }), values, { signal: cancel.signal });
    setTimeout(() => { cancel.abort(); }, 200);
    // `uncertain` where the process was too busy to say so itself.
    expect(shortly(await running)).toMatch(/^cancelled at run(?:, uncertain)?$/);
    await makeUser('after', 'after-Passwort-1');
    const own = secret(value('after', 'after-Passwort-1'));
    expect(shortly(await session.run(order('test'), { current: own, pending: own }, { signal: new AbortController().signal }))).toBe('ok');
    await session.close();
  });

  it('by the death of the server while it changes the password: whichever holds, the next try ends with the new one', async () => {
    await makeUser('killed', 'killed-Passwort-0');
    let current = value('killed', 'killed-Passwort-0');
    for (let round = 1; round <= 3; round += 1) {
      const pending = value('killed', `killed-Passwort-${String(round)}`);
      const seen = (): number => postgres.log().split('ALTER ROLE "killed" WITH PASSWORD').length;
      const before = seen();
      // A lock on the row of the user lets the change wait, so that the server dies in the middle of the step.
      const locking = postgres.sql('BEGIN', `ALTER ROLE killed CONNECTION LIMIT ${String(round)}`, 'SELECT pg_sleep(30)').catch(() => undefined);
      await until(async () => (await postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0, 'the lock is held', 60_000);
      const setting = asked(order('set'), { current, pending });
      await until(() => seen() > before, 'the change has arrived', 60_000);
      await postgres.kill();
      expect(await setting).toMatch(/^connection-lost at change/);
      await locking;
      await postgres.start();
      expect(await postgres.logsIn('killed', String(current['password']))).toBe(true);
      expect(await asked(order('set'), { current, pending })).toBe('ok');
      expect(await postgres.logsIn('killed', String(pending['password']))).toBe(true);
      current = pending;
    }
  });
});

it('puts no password into the server’s log, an answer or an error', () => {
  const log = postgres.log();
  // The log does see the statements.
  expect(log).toContain('ALTER ROLE "single" WITH PASSWORD \'SCRAM-SHA-256$4096:');
  expect(log).toContain('CREATE ROLE "app_clone" WITH LOGIN PASSWORD \'SCRAM-SHA-256$4096:');
  const said = JSON.stringify(answers);
  expect(answers.length).toBeGreaterThan(40);
  for (const password of passwords) expect([password, log.includes(password), said.includes(password)]).toEqual([password, false, false]);
});
