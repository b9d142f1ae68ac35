/** Certificate requests of every kind of key that signs, in the vault and in SoftHSM, read and verified by openssl. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from '../system/support/client.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
let on: TokenVault;

beforeAll(async () => { on = await openTokenVault('signer'); });
afterAll(() => on.end());

const newKey = async (KeySpec: string, onToken: boolean): Promise<string> =>
  ((await on.client.ok('kms:CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY', ...(onToken ? { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store } : {}) }))['KeyMetadata'] as { KeyId: string }).KeyId;
/** What openssl makes of it; throws where it does not verify. */
function read(pem: string): string {
  const file = on.at('request.pem');
  writeFileSync(file, pem);
  const ran = spawnSync('openssl', ['req', '-in', file, '-noout', '-text', '-verify', '-nameopt', 'RFC2253,utf8,-esc_msb']);
  if (ran.status !== 0 || !/self-signature verify OK|verify OK/.test(ran.stderr.toString('utf8') + ran.stdout.toString('utf8'))) throw new Error(ran.stderr.toString('utf8'));
  return ran.stdout.toString('utf8');
}
const NAMES = { CommonName: 'build.example.com', Organization: 'Käse & Söhne, GmbH', OrganizationalUnit: 'IT+Ops', Locality: 'Köln', State: 'NRW', Country: 'DE', DnsNames: ['build.example.com', '*.example.com', 'xn--kse-qla.example'], IpAddresses: ['192.0.2.7', '2001:db8::1', '::'], Emails: ['ops+ca@example.com'] };

const CASES: readonly (readonly [spec: string, onToken: boolean, algorithms: readonly (string | undefined)[], openssl: RegExp])[] = [
  ['RSA_2048', true, [undefined, 'RSASSA_PKCS1_V1_5_SHA_512', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384'], /sha256WithRSAEncryption|sha512WithRSAEncryption|rsassaPss/],
  ['ECC_NIST_P256', true, [undefined], /ecdsa-with-SHA256/],
  ['ECC_NIST_P384', false, [undefined], /ecdsa-with-SHA384/],
  ['ECC_NIST_P521', false, [undefined], /ecdsa-with-SHA512/],
  ['ECC_SECG_P256K1', false, [undefined], /ecdsa-with-SHA256/],
  ['ECC_NIST_EDWARDS25519', true, [undefined], /ED25519/],
  ['RSA_2048', false, [undefined, 'RSASSA_PSS_SHA_512'], /sha256WithRSAEncryption|rsassaPss/],
];
it.each(CASES)('a key of %s, in a token: %s, makes a request that openssl verifies', async (spec, onToken, algorithms, shown) => {
  const KeyId = await newKey(spec, onToken);
  for (const SigningAlgorithm of algorithms) {
    const { CertificateRequest } = await on.client.ok('file:GenerateCertificateRequest', { KeyId, ...NAMES, ...(SigningAlgorithm === undefined ? {} : { SigningAlgorithm }) });
    const text = read(CertificateRequest as string);
    expect(text).toMatch(shown);
    expect(text).toContain('Subject: CN=build.example.com,OU=IT\\+Ops,O=Käse & Söhne\\, GmbH,L=Köln,ST=NRW,C=DE');
    expect(text).toMatch(/DNS:build\.example\.com, DNS:\*\.example\.com, DNS:xn--kse-qla\.example, IP Address:192\.0\.2\.7, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:0, email:ops\+ca@example\.com/);
    // The public key in it is the key's own.
    const theirs = execFileSync('openssl', ['req', '-noout', '-pubkey'], { input: CertificateRequest as string }).toString('utf8');
    expect(Buffer.from(theirs.replace(/-----[^-]+-----|\n/g, ''), 'base64').toString('base64')).toBe((await on.client.ok('kms:GetPublicKey', { KeyId }))['PublicKey']);
  }
});

it('is signed by an authority of openssl, with the names that were asked for', async () => {
  const KeyId = await newKey('ECC_NIST_P256', true);
  const { CertificateRequest } = await on.client.ok('file:GenerateCertificateRequest', { KeyId, DnsNames: ['only.example.com'] });
  expect(read(CertificateRequest as string)).toMatch(/Subject: *\n[\s\S]*X509v3 Subject Alternative Name: critical/);
  const at = (name: string): string => on.at(name);
  writeFileSync(at('r.csr'), CertificateRequest as string);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=Test authority', '-days', '1'], { stdio: 'ignore' });
  execFileSync('openssl', ['x509', '-req', '-in', at('r.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copyall', '-days', '1', '-out', at('r.pem')], { stdio: 'ignore' });
  expect(execFileSync('openssl', ['verify', '-CAfile', at('ca.pem'), at('r.pem')]).toString('utf8')).toContain(': OK');
  expect(execFileSync('openssl', ['x509', '-in', at('r.pem'), '-noout', '-ext', 'subjectAltName']).toString('utf8')).toContain('DNS:only.example.com');
});

it('refuses keys that sign no certificates, and names that are none', async () => {
  const KeyId = await newKey('ECC_NIST_P256', false);
  const code = (input: Json): Promise<string> => on.client.code('file:GenerateCertificateRequest', { KeyId, ...input });
  expect(await code({})).toBe('ValidationException');
  for (const DnsNames of [['a b'], ['-a.example'], ['a..b'], ['a.'], ['*'], ['*.*.example'], ['käse.example'], ['192.0.2.7'], ['a\u0000b'], ['a/b'], [`${'a'.repeat(64)}.example`], [`${'a.'.repeat(126)}ab`]]) expect([DnsNames, await code({ DnsNames })]).toEqual([DnsNames, 'ValidationException']);
  for (const IpAddresses of [['256.1.1.1'], ['1.2.3'], ['01.2.3.4'], ['1.2.3.4/8'], [':::'], ['1::2::3'], ['12345::'], ['fe80::1%eth0'], ['1:2:3:4:5:6:7']]) expect([IpAddresses, await code({ IpAddresses })]).toEqual([IpAddresses, 'ValidationException']);
  for (const Emails of [['a'], ['a@b'], ['a b@example.com'], ['"a"@example.com'], ['a@example.com\r\n']]) expect([Emails, await code({ Emails })]).toEqual([Emails, 'ValidationException']);
  for (const CommonName of ['', ' a', 'a\n', 'a\u202eb', 'a'.repeat(65), 'a\u0000']) expect([CommonName, await code({ CommonName })]).toEqual([CommonName, 'ValidationException']);
  for (const Country of ['de', 'DEU', 'D', 'Ä']) expect([Country, await code({ CommonName: 'a', Country })]).toEqual([Country, 'ValidationException']);
  expect(await on.client.code('file:GenerateCertificateRequest', { KeyId: await newKey('ML_DSA_44', false), CommonName: 'a' })).toBe('UnsupportedOperationException');
  expect(await on.client.code('file:GenerateCertificateRequest', { KeyId: await newKey('ECC_NIST_EDWARDS25519', false), CommonName: 'a', SigningAlgorithm: 'ED25519_PH_SHA_512' })).toBe('UnsupportedOperationException');
  const symmetric = ((await on.client.ok('kms:CreateKey', {}))['KeyMetadata'] as { KeyId: string }).KeyId;
  expect(await on.client.code('file:GenerateCertificateRequest', { KeyId: symmetric, CommonName: 'a' })).toBe('InvalidKeyUsageException');
});

it('is written to a new file by the command line', async () => {
  const KeyId = await newKey('ECC_NIST_P256', true);
  const run = (...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', on.folder, 'certificate', 'request', '--key-id', KeyId, '--common-name', 'cli.example.com', '--dns-names', 'a.example', '--dns-names', 'b.example', ...args], { env: { ...process.env, HOME: on.home, XDG_RUNTIME_DIR: on.at('run'), XDG_STATE_HOME: on.at('state') }, input: '' });
  const out = on.at('cli.csr');
  const ran = run('--out', out);
  expect([ran.status, ran.stderr.toString('utf8')]).toEqual([0, '']);
  expect(read(readFileSync(out, 'utf8'))).toContain('DNS:a.example, DNS:b.example');
  expect(run('--out', out).status).not.toBe(0);
  expect(run().stdout.toString('utf8')).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
});
