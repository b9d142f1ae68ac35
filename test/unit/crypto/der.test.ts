import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '../../../src/main/crypto/bytes.ts';
import { readEcScalar, readEcdsaSignature, readSpki, writeEcdsaSignature, writeElement, writeSpki } from '../../../src/main/crypto/der.ts';

describe('ECDSA signatures', () => {
  test.each([
    ['01'.repeat(32) + '02'.repeat(32), `30440220${'01'.repeat(32)}0220${'02'.repeat(32)}`],
    ['80'.repeat(32) + '7f'.repeat(32), `3045022100${'80'.repeat(32)}0220${'7f'.repeat(32)}`],
    [`${'00'.repeat(31)}05${'00'.repeat(30)}0080`, '300702010502020080'],
    ['00'.repeat(64), '3006020100020100'],
    ['ff'.repeat(66) + 'ff'.repeat(66), `30818a024300${'ff'.repeat(66)}024300${'ff'.repeat(66)}`],
  ])('%s', (rs, der) => {
    const size = rs.length / 4;
    expect(hex(writeEcdsaSignature(fromHex(rs)))).toBe(der);
    expect(hex(readEcdsaSignature(fromHex(der), size)!)).toBe(rs);
  });

  test.each([
    ['nothing', ''],
    ['trailing byte after the sequence', '300602010102010100'],
    ['trailing byte in the sequence', '300702010102010100'],
    ['length in the long form without need', '308106020101020101'],
    ['length with a leading zero', '30820006020101020101'],
    ['indefinite length', '30800201010201010000'],
    ['negative r', '3006020181020101'],
    ['r padded without need', '300702020001020101'],
    ['empty r', '30050200020101'],
    ['another tag', '3106020101020101'],
    ['cut short', '30060201010201'],
    ['r longer than the curve', `302702220001${'00'.repeat(32)}020101`],
    ['length over what is there', '30ff'],
    ['length of four bytes', '3084000000060201010201'],
  ])('%s is refused', (_, der) => {
    expect(readEcdsaSignature(fromHex(der), 32)).toBeUndefined();
  });

  test('element lengths are the shortest', () => {
    for (const [length, start] of [[0, '0400'], [127, '047f'], [128, '048180'], [255, '0481ff'], [256, '04820100']] as const) {
      expect(hex(writeElement(4, new Uint8Array(length))).slice(0, start.length)).toBe(start);
    }
    expect(() => writeElement(4, new Uint8Array(65_536))).toThrow(RangeError);
  });
});

const NODE_CURVES = [
  ['P-256', 'prime256v1', 32],
  ['P-384', 'secp384r1', 48],
  ['P-521', 'secp521r1', 66],
  ['secp256k1', 'secp256k1', 32],
] as const;

describe.each(NODE_CURVES)('%s', (curve, namedCurve, size) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const jwk = privateKey.export({ format: 'jwk' });

  test('the public key is read, written again and refused in any other form', () => {
    const raw = readSpki(curve, spki)!;
    expect(hex(raw)).toBe(`04${Buffer.from(jwk.x!, 'base64url').toString('hex')}${Buffer.from(jwk.y!, 'base64url').toString('hex')}`);
    expect(hex(writeSpki(curve, raw))).toBe(spki.toString('hex'));
    expect(readSpki(curve, spki.subarray(1))).toBeUndefined();
    expect(readSpki(curve === 'P-256' ? 'secp256k1' : 'P-256', spki)).toBeUndefined();
    expect(() => writeSpki(curve, raw.subarray(1))).toThrow(RangeError);
  });

  test('the private scalar is read; any change of the structure is refused', () => {
    expect(hex(readEcScalar(curve, size, pkcs8)!)).toBe(Buffer.from(jwk.d!, 'base64url').toString('hex'));
    expect(readEcScalar(curve === 'P-256' ? 'P-384' : 'P-256', size, pkcs8)).toBeUndefined();
    expect(readEcScalar(curve, size, pkcs8.subarray(0, pkcs8.length - 1))).toBeUndefined();
    for (let at = 0; at < 26; at += 1) {
      const changed = Uint8Array.from(pkcs8);
      changed[at]! ^= 0x40;
      expect(readEcScalar(curve, size, changed), `byte ${at}`).toBeUndefined();
    }
  });
});
