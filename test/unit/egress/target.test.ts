/** Which host and port a value names: as the allow list spells them, or none. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hostAndPort, hostNamedBy, ownersEntry, portOf } from '../../../src/main/egress/target.ts';

const named = (value: unknown): string | undefined => hostNamedBy(Buffer.from(JSON.stringify(value)), 'postgres');

it('spells hosts and ports in one way', () => {
  expect(hostAndPort('DB.Example.', 5432)).toBe('db.example:5432');
  expect([hostAndPort('::1', 1), hostAndPort('[::1]', 1)]).toEqual(['[::1]:1', '[::1]:1']);
  expect([ownersEntry('db', 5432), ownersEntry('DB:6000', 5432), ownersEntry('::1', 5432), ownersEntry('[::1]:6000', 5432)]).toEqual(['db:5432', 'db:6000', '[::1]:5432', '[::1]:6000']);
});

it('takes a port as a number or as its digits', () => {
  expect([undefined, '', 1, '65535', 0, 65_536, '1e3', -1, 1.5, true, {}].map((port) => portOf(port, 5432))).toEqual([5432, 5432, 1, 65_535, undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
});

it('reads the host of a value, and none of what is no such value', () => {
  expect(named({ host: 'db', password: 'x' })).toBe('db:5432');
  expect(named({ host: 'db', port: '6000' })).toBe('db:6000');
  for (const value of [{}, { host: '' }, { host: 5 }, { host: 'x'.repeat(256) }, { host: 'db', port: 'x' }, [], 'db', null]) expect(named(value)).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => hostNamedBy(bytes, 'redis') === undefined));
});
