/** Files signed by keys in SoftHSM with `keystead file sign`, one for each scheme, and keys that Keystead made used by `pkcs11-tool`; OpenSSL verifies. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');

let on: TokenVault;

beforeAll(async () => {
  on = await openTokenVault('files');
});
afterAll(() => on.end());

const keystead = (...args: readonly string[]) => spawnSync(process.execPath, [CLI, '--vault', on.folder, ...args], { env: { ...process.env, HOME: on.home, XDG_RUNTIME_DIR: on.at('run'), XDG_STATE_HOME: on.at('state') }, input: '', encoding: 'utf8' });
const newKey = async (KeySpec: string, KeyUsage = 'SIGN_VERIFY'): Promise<string> => ((await on.client.ok('kms:CreateKey', { KeySpec, KeyUsage, Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
/** Path of its public key, PEM. */
function publicKeyFile(KeyId: string): string {
  const path = on.at(`${KeyId}.pem`);
  const { stdout, status } = keystead('kms', 'get-public-key', '--key-id', KeyId, '--format', 'pem');
  expect(status).toBe(0);
  writeFileSync(path, stdout);
  return path;
}
function file(name: string, bytes: number): string {
  writeFileSync(on.at(name), randomBytes(bytes));
  return on.at(name);
}
/** SoftHSM's ECDSA takes a digest, and nothing longer. */
function digestOf(path: string): string {
  writeFileSync(`${path}.digest`, createHash('sha256').update(readFileSync(path)).digest());
  return `${path}.digest`;
}
const verifies = (...args: readonly string[]): boolean => spawnSync('openssl', args).status === 0;
const PSS = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'] as const;
const dgst = (hash: string, more: readonly string[] = []) => (pem: string, signature: string, path: string): boolean => verifies('dgst', `-${hash}`, ...more, '-verify', pem, '-signature', signature, path);
const whole = (pem: string, signature: string, path: string): boolean => verifies('pkeyutl', '-verify', '-pubin', '-inkey', pem, '-rawin', '-in', path, '-sigfile', signature);

describe('a file signed by a key in a token', () => {
  it.each([
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', dgst('sha256'), 3_000_000],
    ['RSA_2048', 'RSASSA_PSS_SHA_384', dgst('sha384', PSS), 3_000_000],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', dgst('sha256'), 3_000_000],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', dgst('sha512'), 3_000_000],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', whole, 4096],
  ] as const)('%s %s is verified by OpenSSL, and no other file with it', async (spec, algorithm, check, size) => {
    const key = await newKey(spec);
    const [path, other, signature] = [file('data', size), file('other', size), on.at(`${algorithm}.sig`)];
    const signed = keystead('file', 'sign', path, '--key-id', key, '--signing-algorithm', algorithm, '--out', signature);
    expect([signed.status, signed.stderr]).toEqual([0, '']);
    const pem = publicKeyFile(key);
    expect([check(pem, signature, path), check(pem, signature, other)]).toEqual([true, false]);
    expect(keystead('file', 'verify', path, '--key-id', key, '--signing-algorithm', algorithm, '--signature', `fileb://${signature}`).status).toBe(0);
  });

  it('is of at most 4,096 bytes for Ed25519, asked for or not, and the error says what to use instead', async () => {
    const key = await newKey('ECC_NIST_EDWARDS25519');
    for (const answer of [(await on.client.ok('kms:DescribeKey', { KeyId: key }))['KeyMetadata'] as object, await on.client.ok('kms:GetPublicKey', { KeyId: key })]) expect(answer).toMatchObject({ SigningAlgorithms: ['ED25519_SHA_512'] });
    expect(String((await on.client.ok('hardware:DescribeTokenKey', { KeyId: key }))['Notes'])).not.toContain('hashed');
    const large = file('large', 4097);
    for (const [asked, words] of [[[], /an Ed25519 key in a token signs whole files of up to 4096 bytes, and this one has 4097; use an RSA or ECDSA key/], [['--signing-algorithm', 'ED25519_PH_SHA_512'], /use an RSA or ECDSA key of the token/], [['--signing-algorithm', 'ED25519_SHA_512'], /signs files of up to 4096 bytes; for larger ones use an RSA or ECDSA key of the token/]] as const) {
      const { status, stderr } = keystead('file', 'sign', large, '--key-id', key, ...asked, '--out', on.at('large.sig'));
      expect([status === 0, stderr, existsSync(on.at('large.sig'))]).toEqual([false, expect.stringMatching(words), false]);
    }
  });
});

describe('a key that Keystead made', () => {
  it.each([
    ['ECC_NIST_P256', ['--mechanism', 'ECDSA', '--signature-format', 'openssl'], dgst('sha256')],
    ['RSA_2048', ['--mechanism', 'SHA256-RSA-PKCS'], dgst('sha256')],
    ['RSA_2048', ['--mechanism', 'SHA256-RSA-PKCS-PSS'], dgst('sha256', PSS)],
    ['ECC_NIST_EDWARDS25519', ['--mechanism', 'EDDSA'], whole],
  ] as [string, string[], typeof whole][])('%s signs with pkcs11-tool %s, and OpenSSL verifies under its public key', async (spec, how, check) => {
    const key = await newKey(spec);
    const uri = (await on.client.ok('hardware:DescribeTokenKey', { KeyId: key }))['Uri'] as string;
    const id = (/;id=((?:%[0-9A-F]{2})+)/.exec(uri)?.[1] ?? '').replaceAll('%', '').toLowerCase();
    const [path, other, signature] = [file('theirs', 100), file('other', 100), on.at('theirs.sig')];
    execFileSync('pkcs11-tool', ['--module', SOFTHSM, '--token-label', 'files', '--login', '--pin', PIN, '--sign', '--id', id, ...how, '--input-file', how.includes('ECDSA') ? digestOf(path) : path, '--output-file', signature], { env: { ...process.env, ...on.hsm.env }, stdio: 'pipe' });
    const pem = publicKeyFile(key);
    expect([check(pem, signature, path), check(pem, signature, other)]).toEqual([true, false]);
  });
});
