/** Which certificate goes with which key, and what is read of one, whatever bytes it is. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { readCertificate } from '../../../src/main/backends/pkcs11/certificates.ts';
import { CALLS } from '../../../src/main/backends/pkcs11/protocol.ts';
import { textIn } from '../../../src/main/backends/pkcs11/templates.ts';
import { belongingOf } from '../../../src/main/hardware/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });
const certificate = (name: string, ...key: readonly string[]): Buffer => execFileSync('openssl', ['req', '-x509', ...key, '-nodes', '-keyout', join(folder, 'key'), '-subj', `/CN=${name}`, '-days', '1', '-outform', 'DER'], { stdio: ['ignore', 'pipe', 'ignore'] });
const P256 = certificate('p256', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256');

it.each([
  ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], true],
  ['secp256k1', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], true],
  ['RSA', ['-newkey', 'rsa:2048'], true],
  ['Ed25519', ['-newkey', 'ed25519'], true],
  // Of kinds that no key here is of: read, and never compared.
  ['brainpool', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:brainpoolP256r1'], false],
  ['Ed448', ['-newkey', 'ed448'], false],
])('a certificate of %s is read, and its key compared: %s', (name, key, compared) => {
  const facts = readCertificate(certificate(name, ...key));
  expect(facts).toMatchObject({ subject: `CN=${name}`, issuer: `CN=${name}` });
  expect(facts?.publicKey !== undefined).toBe(compared);
});

it('certifies the same key where the point in it is compressed', () => {
  const run = (...args: readonly string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const at = (name: string): string => join(folder, name);
  run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('plain.key'));
  run('ec', '-in', at('plain.key'), '-conv_form', 'compressed', '-out', at('compressed.key'));
  const of = (key: string): string | undefined => readCertificate(run('req', '-x509', '-new', '-key', at(key), '-subj', '/CN=x', '-days', '1', '-outform', 'DER'))?.publicKey;
  expect(of('plain.key')).toBeDefined();
  expect(of('compressed.key')).toBe(of('plain.key'));
});

it('what is changed anywhere is garbled, or read as something that the protocol takes', () => {
  fc.assert(fc.property(fc.nat(P256.byteLength - 1), fc.nat(255), fc.nat(P256.byteLength), (at, byte, length) => {
    const changed = Buffer.from(P256);
    changed[at] = byte;
    const whole = readCertificate(changed);
    const reply = { certificates: [{ id: '', label: '', state: 'readable', ...(whole ? { read: whole } : {}) }], keys: [] };
    expect(CALLS.certificates.reply.safeParse(reply).success).toBe(true);
    if (length < P256.byteLength) expect(readCertificate(P256.subarray(0, length))).toBeUndefined();
  }), { numRuns: 2000 });
});

it('a text is cut to its limit, and never inside of a character', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 1, max: 300 }), (text, most) => {
    const cut = textIn(Buffer.from(text, 'utf8'), most);
    expect(cut.length).toBeLessThanOrEqual(most);
    expect(cut.isWellFormed()).toBe(true);
    expect(text.startsWith(cut)).toBe(true);
    expect(text.length - cut.length === 0 || most - cut.length <= 1).toBe(true);
  }));
});

const key = fc.constantFrom('k1', 'k2', 'k3');
const id = fc.constantFrom('', '01', '02', '03');
it('the public key decides, and an id only where there is nothing to compare', () => {
  const read = (publicKey: string | undefined) => ({ subject: '', issuer: '', serial: '1', from: 0, until: 1, ...(publicKey === undefined ? {} : { publicKey }) });
  fc.assert(fc.property(id, fc.option(key, { nil: undefined }), fc.array(fc.record({ id, publicKey: key }, { requiredKeys: ['id'] }), { maxLength: 4 }), (own, publicKey, keys) => {
    const goes = belongingOf({ id: own, read: read(publicKey) }, keys);
    const certified = keys.filter((one) => publicKey !== undefined && one.publicKey === publicKey);
    const named = keys.filter((one) => own !== '' && one.id === own);
    expect(goes === undefined).toBe(certified.length + named.length === 0);
    expect(goes?.match === 'publicKey').toBe(certified.length > 0);
    if (goes?.match === 'otherKey') expect(named[0]?.publicKey !== undefined && named[0].publicKey !== publicKey).toBe(true);
    if (goes) expect(keys.some((one) => one.id === goes.id)).toBe(true);
    // Of two that are certified, the one that bears the certificate's id.
    if (certified.some((one) => one.id === own && own !== '')) expect(goes?.id).toBe(own);
  }));
});
