import fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isHost } from '../../../src/shared/model/host.ts';

describe('a host', () => {
  it.each(['db', 'db.example', 'db-1.acme.internal.', 'my_service', 'xn--mnchen-3ya.example', '127.0.0.1', '255.255.255.255', '::1', '[::1]', 'fd00:1::5', '::ffff:10.0.0.1', '1.db', 'a1', `${'a'.repeat(63)}.example`])('is %s', (text) => {
    expect(isHost(text)).toBe(true);
  });

  it.each([
    '', '.', 'db..example', '..', '-db', 'db-', 'db example', 'db\n', 'db/x', 'user@db', 'db:5432', 'db#x', 'db?x', 'http://db', '/run/postgresql', '@abstract', 'db%00', 'db\\x', 'münchen.example', 'ｄｂ', 'db。example', '\u202edb',
    '127.1', '0x7f.1', '0x7f000001', '2130706433', '0177.0.0.1', '127.0.0.01', '1.2.3.4.5', '256.1.1.1', '1.2.3.4.', 'db.0x1', 'db.1', 'db.0x', 'fe80::1%eth0', '[fe80::1%25eth0]', '[::1', '::1]', '[db]', '[127.0.0.1]', '[]', ':', `${'a'.repeat(64)}.example`, Array.from({ length: 64 }, () => 'abc').join('.'),
  ])('is not %j', (text) => {
    expect(isHost(text)).toBe(false);
  });

  it('is every address in the usual form, and of other texts none that a resolver takes for one', () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => isIP(address) === 0 || isHost(address)));
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefx.:%[]')) }), (text) => {
      const bare = text.replace(/^\[(.*)\]$/, '$1');
      return !isHost(text) || isIP(bare) !== 0 || bare.includes(':') || !/^(?:\d+|0x[0-9a-f]*)$/.test(bare.replace(/\.$/, '').split('.').at(-1) ?? '');
    }), { numRuns: 2000 });
  });
});
