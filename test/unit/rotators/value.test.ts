/** AWS's JSON of a secret, read strictly, and which value may follow which. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engine, ENGINES } from '../../../src/main/egress/port.ts';
import { RotatorError } from '../../../src/main/rotators/rotator-error.ts';
import { alternateOf, checkValues, credentialsOf } from '../../../src/main/rotators/value.ts';

const VALUE = { engine: 'postgres', host: 'db.example', username: 'app', password: 'needle-1' };
const read = (value: unknown, engine: Engine = 'postgres') => credentialsOf(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), engine, 'current');
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'none';
  } catch (error) {
    if (!(error instanceof RotatorError)) throw error;
    expect(JSON.stringify(error) + error.message + (error.stack ?? '')).not.toContain('needle');
    return error.code;
  }
};

describe('a value', () => {
  it('is read with AWS’s defaults; TLS unless it says no', () => {
    expect(read(VALUE)).toEqual({ engine: 'postgres', host: 'db.example', port: 5432, username: 'app', password: 'needle-1', tls: true });
    expect(read({ ...VALUE, port: '6000', dbname: 'shop', ssl: 'False', ca: 'PEM', masterarn: 'arn', other: [1] })).toMatchObject({ port: 6000, dbname: 'shop', tls: false, ca: 'PEM' });
    expect(read({ host: 'cache', password: 'needle' }, 'redis')).toMatchObject({ engine: 'redis', username: 'default', port: 6379 });
    expect(ENGINES.map((engine) => read({ ...VALUE, engine }, engine).port)).toEqual([5432, 3306, 3306, 6379]);
  });

  it.each([
    '', 'null', '[]', '"x"', 'needle', '{"engine":"postgres"', { ...VALUE, engine: 5 }, { ...VALUE, host: '' }, { ...VALUE, host: '/run/postgresql' }, { ...VALUE, host: 'a\nb' }, { ...VALUE, host: 'x'.repeat(256) }, { ...VALUE, host: '0x7f.1' }, { ...VALUE, host: 'fe80::1%eth0' }, { ...VALUE, host: 'bücher.example' }, { ...VALUE, host: 'db@other' },
    { ...VALUE, username: '' }, { ...VALUE, username: 'a\0b' }, { ...VALUE, password: '' }, { ...VALUE, password: 'a\0b' }, { ...VALUE, password: 'x'.repeat(1025) }, { ...VALUE, password: null }, { ...VALUE, port: 0 }, { ...VALUE, port: 65_536 },
    { ...VALUE, port: '1e3' }, { ...VALUE, ssl: 'prefer' }, { ...VALUE, ssl: 1 }, { ...VALUE, dbname: 5 }, { ...VALUE, dbname: 'a\u0085' }, { ...VALUE, ca: 5 }, '{"engine":"postgres","engine":"postgres"}',
  ])('is malformed: %j', (value) => {
    expect(codeOf(() => read(value))).toBe('value-malformed');
  });

  it('of another engine does not fit, and any bytes are an answer', () => {
    expect(codeOf(() => read({ ...VALUE, engine: 'mysql' }))).toBe('value-mismatch');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => ['value-malformed', 'value-mismatch'].includes(codeOf(() => credentialsOf(bytes, 'mysql', 'pending')))));
  });
});

describe('the values of a rotation', () => {
  const current = read(VALUE);
  const check = (strategy: 'single' | 'alternating', values: Parameters<typeof checkValues>[1]): string => codeOf(() => { checkValues(strategy, values); });

  it('name one server, and the user that is to change', () => {
    expect(check('single', { current, pending: { ...current, password: 'x', host: 'DB.example' }, previous: current, master: { ...current, username: 'root' } })).toBe('none');
    expect(check('alternating', { current, pending: { ...current, username: 'app_clone' } })).toBe('none');
    expect(check('alternating', { current: { ...current, username: 'app_clone' }, pending: current })).toBe('none');
    for (const pending of [{ ...current, username: 'root' }, { ...current, host: 'other' }, { ...current, port: 1 }, { ...current, username: 'app_clone' }]) expect(check('single', { current, pending })).toBe('value-mismatch');
    for (const pending of [current, { ...current, username: 'app_clone_clone' }]) expect(check('alternating', { current, pending })).toBe('value-mismatch');
    for (const other of ['previous', 'master'] as const) expect(check('single', { current, [other]: { ...current, host: 'other' } })).toBe('value-mismatch');
  });

  it('of two users by turns are neither of them the master', () => {
    const pending = { ...current, username: 'app_clone' };
    expect(check('alternating', { current, pending, master: { ...current, username: 'root' } })).toBe('none');
    for (const username of ['app', 'app_clone']) expect(check('alternating', { current, pending, master: { ...current, username } })).toBe('value-mismatch');
    expect(check('single', { current, master: current })).toBe('none');
  });

  it('of Redis have no name or password that is more than one line or rule', () => {
    const cache = { engine: 'redis', host: 'cache', username: 'cache', password: 'needle' };
    expect(read(cache, 'redis')).toMatchObject({ username: 'cache' });
    for (const more of [{ username: 'a b' }, { username: 'a\nuser' }, { username: 'a)' }, { username: '(a' }, { password: 'needle\nuser evil on nopass' }, { password: 'needle\r' }, { password: 'needle\t' }, { password: 'needle\u0085' }]) expect(codeOf(() => read({ ...cache, ...more }, 'redis'))).toBe('value-malformed');
  });

  it('go back and forth between two users', () => {
    expect([alternateOf('app'), alternateOf('app_clone'), alternateOf('_clone')]).toEqual(['app_clone', 'app', '_clone_clone']);
    fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => alternateOf(alternateOf(name)) === name));
  });
});
