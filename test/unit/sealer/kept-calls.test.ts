/** What main keeps sealed for the sealer: access keys, and the key of the vault's certificates. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeAuthority, makeDoorCertificate, type SignCertificate } from '../../../src/main/access/certificate.ts';
import { utf8 } from '../../../src/main/crypto/bytes.ts';
import { signingKey } from '../../../src/main/crypto/sigv4.ts';
import { keptCalls } from '../../../src/main/sealer/kept-calls.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { codeOf, fakeSession, lockedSession } from './fake-session.ts';

const SCOPE = { date: '20261125', region: 'us-east-1', service: 'kms' };
const NOW = Date.UTC(2026, 10, 25);

describe('a secret access key', () => {
  it('is 40 characters of base64 where it is drawn, and gives the day’s signing key', async () => {
    const session = fakeSession();
    const { sealed, secret } = await keptCalls.newAccessKey(session, { accessKeyId: 'AKIAX' });
    expect(Buffer.from(secret).toString()).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect((await keptCalls.signingKey(session, { accessKeyId: 'AKIAX', sealed, scope: SCOPE })).key).toEqual(signingKey(secret, SCOPE));
    expect(Buffer.from(sealed).includes(Buffer.from(secret))).toBe(false);
  });

  it('is the given one where there is one', async () => {
    const session = fakeSession();
    const { sealed } = await keptCalls.newAccessKey(session, { accessKeyId: 'test', secret: utf8('s3cr3t') });
    expect((await keptCalls.signingKey(session, { accessKeyId: 'test', sealed, scope: SCOPE })).key).toEqual(signingKey(utf8('s3cr3t'), SCOPE));
    expect(await codeOf(() => keptCalls.newAccessKey(session, { accessKeyId: 'test', secret: new Uint8Array(129) }))).toBe('ValidationException');
  });

  it('opens for its own access key, kind, vault and bytes only', async () => {
    const session = fakeSession();
    const { sealed } = await keptCalls.newAccessKey(session, { accessKeyId: 'AKIAX' });
    const code = (bytes: Uint8Array, accessKeyId = 'AKIAX', by = session) => codeOf(() => keptCalls.signingKey(by, { accessKeyId, sealed: bytes, scope: SCOPE }));
    expect(await code(sealed)).toBe('none');
    expect(await code(sealed, 'AKIAY')).toBe('VaultTamperedException');
    expect(await code(sealed, 'AKIAX', fakeSession(systemRandom, '11'.repeat(16)))).toBe('VaultTamperedException');
    expect(await codeOf(() => keptCalls.signCertificate(session, { name: 'AKIAX', sealed, publicKey: new Uint8Array(91), certificate: new Uint8Array(1) }))).toBe('VaultTamperedException');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const bent = Uint8Array.from(sealed);
      bent[bit >> 3]! ^= 1 << (bit & 7);
      expect(['VaultTamperedException', 'VaultTooNewException']).toContain(await code(bent));
    }
    for (let length = 0; length < sealed.length; length += 1) expect(await code(sealed.subarray(0, length))).toBe('VaultTamperedException');
    expect(await codeOf(() => keptCalls.newAccessKey(lockedSession, { accessKeyId: 'AKIAX' }))).toBe('VaultLockedException');
  });
});

describe('a session token', () => {
  it('comes with the signing key of its own access key, and by itself never', async () => {
    const session = fakeSession();
    const { sealed, secret } = await keptCalls.newAccessKey(session, { accessKeyId: 'ASIAX' });
    const { sealed: token } = await keptCalls.keepSessionToken(session, { accessKeyId: 'ASIAX', sessionToken: utf8('IQoJb3JpZ2luX2Vj') });
    const reply = await keptCalls.signingKey(session, { accessKeyId: 'ASIAX', sealed, sessionToken: token, scope: SCOPE });
    expect([Buffer.from(reply.sessionToken ?? []).toString(), reply.key]).toEqual(['IQoJb3JpZ2luX2Vj', signingKey(secret, SCOPE)]);
    expect(await keptCalls.signingKey(session, { accessKeyId: 'ASIAX', sealed, scope: SCOPE })).not.toHaveProperty('sessionToken');
    const { sealed: other } = await keptCalls.keepSessionToken(session, { accessKeyId: 'ASIAY', sessionToken: utf8('x') });
    for (const wrong of [other, sealed, token.subarray(0, -1)]) expect(await codeOf(() => keptCalls.signingKey(session, { accessKeyId: 'ASIAX', sealed, sessionToken: wrong, scope: SCOPE }))).toBe('VaultTamperedException');
    expect(await codeOf(() => keptCalls.signingKey(session, { accessKeyId: 'ASIAX', sealed: token, scope: SCOPE }))).toBe('VaultTamperedException');
    expect(await codeOf(() => keptCalls.keepSessionToken(session, { accessKeyId: 'ASIAX', sessionToken: new Uint8Array(8193) }))).toBe('ValidationException');
  });
});

describe('a token’s PIN', () => {
  it('opens for its own token, kind and vault only', async () => {
    const session = fakeSession();
    const { sealed } = await keptCalls.sealPin(session, { token: 'one', pin: utf8('1234567') });
    expect(Buffer.from((await keptCalls.openPin(session, { token: 'one', sealed })).pin).toString()).toBe('1234567');
    const code = (token: string, by = session, bytes = sealed) => codeOf(() => keptCalls.openPin(by, { token, sealed: bytes }));
    expect([await code('two'), await code('one', fakeSession(systemRandom, '11'.repeat(16))), await code('')]).toEqual(['VaultTamperedException', 'VaultTamperedException', 'ValidationException']);
    const { sealed: other } = await keptCalls.newAccessKey(session, { accessKeyId: 'one' });
    expect(await code('one', session, other)).toBe('VaultTamperedException');
    expect([await codeOf(() => keptCalls.sealPin(session, { token: 'one', pin: new Uint8Array(256) })), await codeOf(() => keptCalls.openPin(lockedSession, { token: 'one', sealed }))]).toEqual(['ValidationException', 'VaultLockedException']);
  });
});

describe('the vault’s own authority', () => {
  it('vouches for this machine’s loopback, and says itself that it does for nothing else', async () => {
    const session = fakeSession();
    const { sealed, publicKey } = await keptCalls.newCertificateKey(session, { name: 'aws-door' });
    const sign: SignCertificate = async (certificate) => (await keptCalls.signCertificate(session, { name: 'aws-door', sealed, publicKey, certificate })).signature;
    const authority = new X509Certificate(await makeAuthority({ publicKey, serial: systemRandom.bytes(16), now: NOW }, 'Keystead test', sign));
    const own = await keptCalls.newCertificateKey(session, { name: 'door' });
    const door = new X509Certificate(await makeDoorCertificate({ publicKey: own.publicKey, serial: systemRandom.bytes(16), now: NOW }, { name: 'Keystead test', publicKey }, sign));
    expect([authority.ca, authority.verify(authority.publicKey), authority.checkIssued(authority)]).toEqual([true, true, true]);
    expect([door.ca, door.verify(authority.publicKey), door.checkIssued(authority)]).toEqual([false, true, true]);
    expect([door.checkHost('localhost'), door.checkIP('127.0.0.1'), door.checkIP('::1'), door.checkHost('example.com'), door.checkIP('10.0.0.1')]).toEqual(['localhost', '127.0.0.1', '::1', undefined, undefined]);
    expect([new Date(door.validTo).getTime() - NOW, new Date(authority.validTo).getUTCFullYear()]).toEqual([397 * 86_400_000, 2036]);
    // Critical name constraints (2.5.29.30): localhost, 127.0.0.0/8, ::1.
    expect(authority.raw.toString('hex')).toContain('0603551d1e0101ff');
    expect(await codeOf(() => keptCalls.signCertificate(session, { name: 'aws-door', sealed, publicKey: own.publicKey, certificate: new Uint8Array(10) }))).toBe('KMSInternalException');
  });
});
