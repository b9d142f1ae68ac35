/** The Redis rotator, as the process that the vault starts, against a real server over TLS with an access control list in a file. */
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action, DatabaseOrder, EgressAnswer, Role, Strategy } from '../../src/main/egress/port.ts';
import { type Authority, makeAuthority } from '../system/support/authority.ts';
import { type Json, closeEgress, run, shortly } from '../system/support/egress.ts';
import { ADMIN, type Redis, startRedis } from '../system/support/redis.ts';
import { remove, temporaryFolder } from '../system/support/served-vault.ts';

const folder = temporaryFolder();
let authority: Authority;
let redis: Redis;
/** Every password that was set; none may be in a log or an answer. The administrator's is in the file that it was started with. */
const passwords = new Set<string>([ADMIN.password]);
const answers: EgressAnswer[] = [];
const listeners: Server[] = [];

beforeAll(async () => {
  chmodSync(folder, 0o711);
  authority = makeAuthority(join(folder, 'ca'));
  redis = await startRedis(join(folder, 'redis'), authority);
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  await closeEgress();
  await redis.kill();
  remove(folder);
});

const order = (action: Action, strategy: Strategy = 'single', more: Partial<DatabaseOrder> = {}): DatabaseOrder => ({
  kind: 'database', action, engine: 'redis', strategy, allow: [`localhost:${String(redis.port)}`], ca: authority.ca, timeMs: 20_000, ...more,
});
const value = (username: string, password: string, more: Json = {}): Json => {
  passwords.add(password);
  return { host: 'localhost', port: redis.port, username, password, ...more };
};
async function asked(given: DatabaseOrder, values: Readonly<Partial<Record<Role, Json | string>>>): Promise<string> {
  const answer = await run(given, values);
  answers.push(answer);
  return shortly(answer);
}
/** By its hash, so that the tests themselves put no password into a log. */
const hash = async (password: string): Promise<string> => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(password))).toString('hex');
const makeUser = async (username: string, password: string, ...rules: readonly string[]): Promise<void> => void (await redis.command('ACL', 'SETUSER', username, 'on', `#${await hash(password)}`, ...rules));
const master = (): Json => value(ADMIN.username, ADMIN.password);
const logins = async (username: string, ...all: readonly string[]): Promise<readonly boolean[]> => Promise.all(all.map((password) => redis.logsIn(username, password)));

describe('a single user', () => {
  it('has the old password beside the new one until it is finished, and no older one; again changes nothing', async () => {
    await makeUser('single', 'one-Passwort-0', '~*', '+ping');
    await redis.command('ACL', 'SETUSER', 'single', `#${await hash('one-Passwort-1')}`);
    const values = { current: value('single', 'one-Passwort-1'), pending: value('single', 'öne "Passwort" 2'), master: master() };
    expect(await asked(order('probe'), values)).toBe('ok');
    expect(await asked(order('test'), values)).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok old-still-valid');
    expect(await logins('single', 'one-Passwort-0', 'one-Passwort-1', 'öne "Passwort" 2')).toEqual([false, true, true]);
    expect(redis.aclFile()).toContain(await hash('öne "Passwort" 2'));
    expect(await asked(order('set'), values)).toBe('ok already-set old-still-valid');
    expect(await asked(order('test'), values)).toBe('ok');
    expect(answers.at(-1)?.connections).toMatchObject([{ host: 'localhost', address: '127.0.0.1', tls: 'TLSv1.3', as: 'pending' }]);
    expect(await asked(order('finish'), values)).toBe('ok');
    expect(await logins('single', 'one-Passwort-1', 'öne "Passwort" 2')).toEqual([false, true]);
    expect(await asked(order('finish'), values)).toBe('ok already-set');
  });

  it('may do it itself where it may change the list, and is reached by the previous password', async () => {
    await makeUser('self', 'self-Passwort-1', '~*', '+@all');
    const values = { previous: value('self', 'self-Passwort-1'), current: value('self', 'self-Passwort-2'), pending: value('self', 'self-Passwort-3') };
    expect(await asked(order('set'), { current: values.current, pending: values.pending })).toBe('login-refused at login');
    expect(await asked(order('set'), values)).toBe('ok old-still-valid logged-in-with-previous');
    expect(await logins('self', 'self-Passwort-1', 'self-Passwort-3')).toEqual([true, true]);
    expect(await asked(order('finish'), values)).toBe('ok');
    expect(await logins('self', 'self-Passwort-1', 'self-Passwort-2', 'self-Passwort-3')).toEqual([false, false, true]);
  });

  it('that may not change the list needs a master that may', async () => {
    await makeUser('reader', 'reader-Passwort-1', '~*', '+get');
    const values = { current: value('reader', 'reader-Passwort-1'), pending: value('reader', 'reader-Passwort-2') };
    expect([await asked(order('probe'), values), await asked(order('set'), values)]).toEqual(['rights-missing at check', 'rights-missing at check']);
    expect(await asked(order('set'), { ...values, master: value('reader', 'reader-Passwort-1') })).toBe('rights-missing at check');
    expect(await asked(order('set'), { ...values, master: value(ADMIN.username, 'wrong-Passwort') })).toBe('login-refused at login');
    // Neither PING nor anything else is its right: logging in is what is tested.
    expect([await asked(order('set'), { ...values, master: master() }), await asked(order('test'), values)]).toEqual(['ok old-still-valid', 'ok']);
  });

  it('without a password lets any in, which is not taken for the new one', async () => {
    await redis.command('ACL', 'SETUSER', 'open', 'on', 'nopass', '~*', '+ping');
    const values = { current: value('open', 'open-Passwort-1'), pending: value('open', 'open-Passwort-2'), master: master() };
    expect(await asked(order('set'), values)).toBe('ok old-still-valid');
    expect(await asked(order('finish'), values)).toBe('ok');
    expect(await logins('open', 'anything', 'open-Passwort-1', 'open-Passwort-2')).toEqual([false, false, true]);
  });
});

describe('two users by turns', () => {
  it('have the same rules, and leave the other’s password alone', async () => {
    await makeUser('app', 'app-Passwort-1', '~wares:*', '&news', '-@all', '+get', '+set|get', '+@read', '(~other:* +set)');
    const [first, second, third] = [value('app', 'app-Passwort-1'), value('app_clone', 'app-Passwort-2'), value('app', 'app-Passwort-3')];
    expect(await asked(order('probe', 'alternating'), { current: first, master: master() })).toBe('ok');
    expect(await redis.command('ACL', 'GETUSER', 'app_clone')).toBeNull();
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok clone-created');
    expect(await asked(order('set', 'alternating'), { current: first, pending: second, master: master() })).toBe('ok already-set');
    expect(await asked(order('test', 'alternating'), { current: first, pending: second })).toBe('ok');
    expect([await redis.logsIn('app', 'app-Passwort-1'), await redis.logsIn('app_clone', 'app-Passwort-2')]).toEqual([true, true]);
    const line = async (name: string): Promise<string | undefined> => ((await redis.command('ACL', 'LIST')) as string[]).find((one) => one.startsWith(`user ${name} `))?.replace(/#\w+ |sanitize-payload /g, '').slice(`user ${name}`.length);
    expect(await line('app_clone')).toBe(await line('app'));
    expect(await asked(order('set', 'alternating'), { current: second, pending: third, previous: first, master: master() })).toBe('ok');
    expect(await asked(order('finish', 'alternating'), { current: second, pending: third })).toBe('ok nothing-to-finish');
    expect([...(await logins('app', 'app-Passwort-1', 'app-Passwort-3')), ...(await logins('app_clone', 'app-Passwort-2'))]).toEqual([false, true, true]);
  });

  it('need a current password that is right', async () => {
    await makeUser('cart', 'cart-Passwort-1', '+get');
    expect(await asked(order('set', 'alternating'), { current: value('cart', 'wrong-Passwort-1'), pending: value('cart_clone', 'cart-Passwort-2'), master: master() })).toBe('login-refused at login');
    expect(await redis.command('ACL', 'GETUSER', 'cart_clone')).toBeNull();
  });
});

it('says that a restart forgets it where the server has no file for it', async () => {
  // A user that may change the list and not write it down.
  await makeUser('forgetful', 'forget-Passwort-1', '+acl|getuser', '+acl|setuser');
  const values = { current: value('forgetful', 'forget-Passwort-1'), pending: value('forgetful', 'forget-Passwort-2') };
  expect(await asked(order('set'), values)).toBe('ok acl-not-saved old-still-valid');
});

it('leaves a replica alone', async () => {
  await makeUser('replicated', 'replica-Passwort-1', '+@all');
  const values = { current: value('replicated', 'replica-Passwort-1'), pending: value('replicated', 'replica-Passwort-2') };
  await redis.command('REPLICAOF', '127.0.0.1', '1');
  expect([await asked(order('probe'), values), await asked(order('set'), values)]).toEqual(['read-only at check', 'read-only at check']);
  await redis.command('REPLICAOF', 'NO', 'ONE');
  expect(await asked(order('set'), values)).toBe('ok old-still-valid');
});

describe('TLS and servers that are none', () => {
  const listen = async (greeting: string | undefined): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => { if (greeting !== undefined) socket.write(greeting); });
    });
    listeners.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  };

  it('verify the authority and the name, and nothing is sent before', async () => {
    await makeUser('tls', 'tls-Passwort-1', '+ping');
    const own = value('tls', 'tls-Passwort-1');
    expect(await asked(order('test', 'single', { ca: makeAuthority(join(folder, 'other')).ca }), { current: own, pending: own })).toBe('tls-untrusted at tls');
    const byAddress = { ...own, host: '127.0.0.1' };
    expect(await asked(order('test', 'single', { allow: [`127.0.0.1:${String(redis.port)}`] }), { current: byAddress, pending: byAddress })).toBe('tls-name at tls');
  });

  it('hang, talk nonsense, or have no TLS', async () => {
    const outcomes: string[] = [];
    for (const [greeting, ssl, timeMs] of [['+OK\r\n', true, 20_000], [undefined, false, 400], ['*1\r\n'.repeat(50), false, 20_000], ['+OK\r\n+OK\r\n', false, 20_000], ['-WRONGPASS hunter2\r\n', false, 20_000], ['-hunter2\r\n', false, 20_000]] as const) {
      const port = await listen(greeting);
      const there = value('u', 'z-Passwort-1', { port, ssl });
      outcomes.push(await asked(order('test', 'single', { allow: [`localhost:${String(port)}`], timeMs }), { current: there, pending: there }));
    }
    expect(outcomes).toEqual(['tls-failed at tls', 'timed-out at run', 'answer-malformed at login', 'answer-malformed at login', 'login-refused at login', 'server-error at login']);
  });
});

it('finds out after the server’s death in the middle of a step: whichever holds, the next try ends with the new one', async () => {
  await makeUser('killed', 'killed-Passwort-0', '+@all');
  await redis.command('ACL', 'SAVE');
  const values = { current: value('killed', 'killed-Passwort-0'), pending: value('killed', 'killed-Passwort-1') };
  // It stands still with the connection taken, and dies so.
  redis.pause();
  const setting = asked(order('set'), values);
  await new Promise((later) => setTimeout(later, 300));
  await redis.kill();
  expect(await setting).toMatch(/^(?:connection-lost at (?:tls|login|check|change)|unreachable at connect)/);
  await redis.start();
  expect(await redis.logsIn('killed', 'killed-Passwort-0')).toBe(true);
  expect(await asked(order('set'), values)).toBe('ok old-still-valid');
  expect(await asked(order('finish'), values)).toBe('ok');
  expect(await logins('killed', 'killed-Passwort-0', 'killed-Passwort-1')).toEqual([false, true]);
});

it('puts no password into the server’s log, its monitor, its slow log, its list, an answer or an error', async () => {
  const slow = JSON.stringify(await redis.command('SLOWLOG', 'GET', '-1'));
  const log = redis.log() + slow + redis.aclFile();
  expect(redis.log()).toContain('"AUTH"');
  expect(slow).toContain('ACL');
  const said = JSON.stringify(answers);
  expect(answers.length).toBeGreaterThan(30);
  for (const password of passwords) expect([password, log.includes(password), said.includes(password)]).toEqual([password, false, false]);
});
