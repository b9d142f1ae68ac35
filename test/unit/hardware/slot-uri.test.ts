import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSlotUri, slotUri, type SlotKeyName } from '../../../src/main/hardware/slot-uri.ts';
import { isTokenUri } from '../../../src/main/seal/header.ts';

const NAME: SlotKeyName = { token: { label: 'my token', serial: '7b1e22c4' }, id: '00ff7e', path: '/usr/lib/softhsm/libsofthsm2.so', sha256: 'ab'.repeat(32) };
const URI = `pkcs11:token=my%20token;serial=7b1e22c4;id=%00%FF%7E;type=secret-key?module-path=%2Fusr%2Flib%2Fsofthsm%2Flibsofthsm2.so&x-keystead-module-sha256=${'ab'.repeat(32)}`;

describe('the URI of a slot\'s key', () => {
  it('is written as RFC 7512 has it, and read back', () => {
    expect(slotUri(NAME)).toBe(URI);
    expect(readSlotUri(URI)).toEqual(NAME);
  });

  it('holds whatever a token and a file may be called', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 32 });
    fc.assert(fc.property(fc.record({ label: text, serial: fc.string({ maxLength: 16 }) }), fc.uint8Array({ minLength: 1, maxLength: 64 }), text, (token, id, path) => {
      const name: SlotKeyName = { token, id: Buffer.from(id).toString('hex'), path: `/${path.replaceAll('\0', '')}`, sha256: 'c0'.repeat(32) };
      const uri = slotUri(name);
      expect(readSlotUri(uri)).toEqual(name);
      if (uri.length <= 1024) expect(isTokenUri(uri)).toBe(true);
    }));
  });

  it.each([
    ['nothing', ''],
    ['a PIN', URI.replace('?', '?pin-value=1234&')],
    ['a module before it', URI.replace('?', '?module-path=%2Fevil.so&')],
    ['a module after it', `${URI}&module-path=%2Fevil.so`],
    ['a relative module', URI.replace('%2Fusr', 'usr')],
    ['a module that is not escaped', URI.replace('%2Fusr', '/usr')],
    ['a zero in the path', URI.replace('softhsm2', 'softhsm%00')],
    ['bytes that are no UTF-8', URI.replace('my%20token', '%FF')],
    ['half an escape', URI.replace('my%20token', 'my%2')],
    ['an escape in small letters', URI.replace('%2Fusr', '%2fusr')],
    ['a letter that is escaped', URI.replace('my%20token', '%6Dy%20token')],
    ['no id', URI.replace('id=%00%FF%7E;', '')],
    ['another type of key', URI.replace('secret-key', 'private')],
    ['a short hash', URI.slice(0, -1)],
    ['a hash in capitals', URI.toUpperCase()],
    ['a line after it', `${URI}\n`],
    ['a label without end', URI.replace('my%20token', 'x'.repeat(300))],
  ])('is refused with %s', (_what, uri) => {
    expect(readSlotUri(uri)).toBeUndefined();
  });

  it('is refused or read as itself, whatever was done to it', () => {
    fc.assert(fc.property(fc.nat(URI.length - 1), fc.integer({ min: 0x21, max: 0x7e }), (at, code) => {
      const changed = URI.slice(0, at) + String.fromCharCode(code) + URI.slice(at + 1);
      const name = readSlotUri(changed);
      if (name) expect(slotUri(name)).toBe(changed);
    }), { numRuns: 2000 });
  });
});
