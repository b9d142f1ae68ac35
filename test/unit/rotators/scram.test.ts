/** The verifier that PostgreSQL is given: RFC 7677's example, and RFC 4013's of what a password becomes first. */
import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { saslprep } from '../../../src/main/rotators/saslprep.ts';
import { scramKeys, scramVerifier } from '../../../src/main/rotators/scram.ts';

describe('SCRAM-SHA-256', () => {
  // RFC 7677, section 3.
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');

  it('makes the keys of RFC 7677’s example', () => {
    const { storedKey, serverKey } = scramKeys('pencil', salt, 4096);
    expect(createHmac('sha256', serverKey).update(message).digest('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    const signature = createHmac('sha256', storedKey).update(message).digest();
    const clientKey = Buffer.from(proof.map((byte, i) => byte ^ signature[i]!));
    expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
  });

  it('writes them as PostgreSQL keeps them, with nothing that could end the SQL literal', () => {
    const { storedKey, serverKey } = scramKeys('pencil', salt, 4096);
    expect(scramVerifier('pencil', salt)).toBe(`SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$${storedKey.toString('base64')}:${serverKey.toString('base64')}`);
    expect(scramVerifier('\u0007', salt)).toBeUndefined();
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (password, any) => /^SCRAM-SHA-256\$1:[\w+/=]+\$[\w+/=]+:[\w+/=]+$/.test(scramVerifier(password, any, 1) ?? 'SCRAM-SHA-256$1:A$B:C')));
  });
});

describe('SASLprep', () => {
  it.each([
    // RFC 4013, section 3.
    ['I\u00adX', 'IX'], ['user', 'user'], ['USER', 'USER'], ['\u00aa', 'a'], ['\u2168', 'IX'], ['\u0007', undefined], ['\u06271', undefined],
    ['a\u00a0b', 'a b'], ['\u200b', undefined], ['', undefined], ['\u0627\u0628', '\u0627\u0628'], ['\u06271\u0628', '\u06271\u0628'], ['\u0627a\u0628', undefined],
    ['\ue000', undefined], ['\ufffd', undefined], ['\u{e0041}', undefined], ['\ud800', undefined], ['pässwörd 🔑', 'pässwörd 🔑'],
  ])('of %j is %j', (given, prepared) => {
    expect(saslprep(given)).toBe(prepared);
  });

  it('leaves printable ASCII alone, and what it made itself', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (text) => saslprep(text) === text));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = saslprep(text);
      return once === undefined || saslprep(once) === once;
    }));
  });
});
