/** Public keys that are kept: whatever was used before, each signature is verified with the key that is given with it. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyEcdsa } from '../../../src/main/sealer/algorithms/ecdsa.ts';
import { verifyEd25519 } from '../../../src/main/sealer/algorithms/eddsa.ts';
import { publicKeyFrom } from '../../../src/main/sealer/algorithms/public-key.ts';

const message = Buffer.from('message');
const ec = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })), signature: new Uint8Array(sign('sha256', message, privateKey)) };
};

describe('a public key', () => {
  it('verifies its own signatures and no other’s, also after more keys than are kept', () => {
    const keys = Array.from({ length: 70 }, ec);
    for (const turn of [1, 2]) for (const [at, { spki, signature }] of keys.entries()) expect([turn, at, verifyEcdsa('P-256', spki, message, false, signature), verifyEcdsa('P-256', spki, message, false, keys[(at + 1) % keys.length]?.signature ?? signature)]).toEqual([turn, at, true, false]);
  });

  it('is one object while it is kept, is not the caller’s bytes, and is read anew once it was pushed out', () => {
    const { spki } = ec();
    const given = Uint8Array.from(spki);
    const first = publicKeyFrom(given);
    given.fill(0);
    expect(publicKeyFrom(spki)).toBe(first);
    for (let i = 0; i < 64; i += 1) publicKeyFrom(ec().spki);
    expect(publicKeyFrom(spki)).not.toBe(first);
    expect(publicKeyFrom(spki).equals(first)).toBe(true);
  });

  it('that is none, or of another kind, verifies nothing, whatever was kept', () => {
    const { spki, signature } = ec();
    expect(verifyEcdsa('P-256', spki, message, false, signature)).toBe(true);
    for (const [curve, bytes] of [['P-384', spki], ['P-256', spki.subarray(1)], ['P-256', Uint8Array.from([...spki, 0])]] as const) expect(verifyEcdsa(curve, bytes, message, false, signature)).toBe(false);
    expect(verifyEd25519(spki, message, false, signature.subarray(0, 64))).toBe(false);
    for (const _ of [1, 2]) expect(() => publicKeyFrom(spki.subarray(1))).toThrow();
  });
});
