/** Certificates on a SoftHSM token, put there by pkcs11-tool and p11tool and signed by openssl; and ones that are none. Judged by openssl. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, type Json } from '../system/support/client.ts';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const PUT = resolve(import.meta.dirname, '../fixtures/pkcs11/put-certificates.cjs');
const LABEL = 'certified';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

let on: TokenVault;
const ok = (operation: string, input?: Json): Promise<Json> => on.client.ok(operation, input);
const openssl = (...args: readonly string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const tool = (...args: readonly string[]): string => on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', LABEL, '--login', '--pin', PIN, ...args).toString('utf8');
const listed = async (): Promise<readonly Json[]> => (await ok('hardware:ListTokenKeys', { Serial: on.serial }))['Certificates'] as readonly Json[];
const bySha = async (der: Uint8Array): Promise<Json | undefined> => (await listed()).find(({ Sha256 }) => Sha256 === sha256(der));
const newKey = async (KeySpec = 'ECC_NIST_P256'): Promise<string> => ((await ok('kms:CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
const idOf = async (KeyId: string): Promise<string> => ((await ok('hardware:ListTokenKeys', { Serial: on.serial }))['Keys'] as readonly Json[]).find((one) => (one['KeyId'] as string | undefined)?.endsWith(KeyId))?.['Id'] as string;

let made = 0;
/** A certificate of the test's authority for a public key that no private key is at hand of; its DER. */
function issue(publicPem: string, name: string, ...more: readonly string[]): Buffer {
  const [pub, out] = [on.at(`pub${String((made += 1))}.pem`), on.at(`c${String(made)}.der`)];
  writeFileSync(pub, publicPem);
  // The request's own key is replaced by the one that is certified.
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', on.at('any.key'), '-out', on.at('any.csr'), '-subj', `/O=Acme/CN=${name}`, '-utf8', ...more);
  openssl('x509', '-req', '-in', on.at('any.csr'), '-force_pubkey', pub, '-CA', on.at('ca.pem'), '-CAkey', on.at('ca.key'), '-CAcreateserial', '-days', '30', '-outform', 'DER', '-out', out);
  return readFileSync(out);
}
const pemOfKey = async (KeyId: string): Promise<string> => createPublicKey({ key: Buffer.from((await ok('kms:GetPublicKey', { KeyId }))['PublicKey'] as string, 'base64'), format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' }) as string;
const strangersPem = (): string => {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', on.at('stranger.key'));
  return openssl('ec', '-in', on.at('stranger.key'), '-pubout').toString('utf8');
};
/** Writes DER to the token by pkcs11-tool. */
function put(der: Uint8Array, id: string, label: string): void {
  writeFileSync(on.at('put.der'), der);
  tool('--write-object', on.at('put.der'), '--type', 'cert', '--id', id, '--label', label);
}
const putRaw = (all: readonly Json[]): void => void execFileSync(process.execPath, [PUT, SOFTHSM, LABEL, PIN], { input: JSON.stringify(all), env: { ...process.env, ...on.hsm.env } });
const opensslTakes = (pem: string): string => {
  writeFileSync(on.at('exported.pem'), pem);
  return openssl('verify', '-CAfile', on.at('ca.pem'), on.at('exported.pem')).toString('utf8');
};

beforeAll(async () => {
  on = await openTokenVault(LABEL);
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', on.at('ca.key'), '-out', on.at('ca.pem'), '-subj', '/CN=Test authority', '-days', '60');
});
afterAll(() => on.end());

describe('a certificate', () => {
  it('of a key that pkcs11-tool made is listed with it, adopted with it, and given as PEM that openssl verifies', async () => {
    tool('--keypairgen', '--key-type', 'rsa:2048', '--id', 'a1', '--label', 'theirs', '--usage-sign');
    tool('--read-object', '--type', 'pubkey', '--id', 'a1', '--output-file', on.at('theirs.der'));
    const der = issue(openssl('pkey', '-pubin', '-inform', 'DER', '-in', on.at('theirs.der')).toString('utf8'), 'theirs');
    put(der, 'a1', 'their certificate');
    const facts = new X509Certificate(der);
    expect(await bySha(der)).toEqual({
      Id: 'a1', Label: 'their certificate', State: 'readable', Sha256: sha256(der), Subject: 'O=Acme, CN=theirs', Issuer: 'CN=Test authority', SerialNumber: facts.serialNumber,
      NotBefore: Date.parse(facts.validFrom) / 1000, NotAfter: Date.parse(facts.validTo) / 1000, Of: { Id: 'a1', Match: 'publicKey' },
    });
    const adopted = await ok('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id: 'a1', KeyUsage: 'SIGN_VERIFY' });
    const { KeyId, Arn } = adopted['KeyMetadata'] as { KeyId: string; Arn: string };
    const own = { Subject: 'O=Acme, CN=theirs', Of: { Id: 'a1', Match: 'publicKey', KeyId: Arn } };
    expect(adopted['Certificates']).toMatchObject([own]);
    expect((await ok('hardware:DescribeTokenKey', { KeyId }))['Certificates']).toMatchObject([own]);
    const { Certificate, Sha256 } = await ok('hardware:ExportCertificate', { KeyId });
    expect(Sha256).toBe(sha256(der));
    expect(opensslTakes(Certificate as string)).toContain(': OK');
    expect(openssl('x509', '-in', on.at('exported.pem'), '-outform', 'DER').equals(der)).toBe(true);
    expect(await ok('hardware:ExportCertificate', { Serial: on.serial, Sha256 })).toEqual({ Certificate, Sha256 });
  });

  it('for a key that Keystead made is known by its public key, whatever id p11tool gave it', async () => {
    const KeyId = await newKey();
    const der = issue(await pemOfKey(KeyId), 'by-key');
    openssl('x509', '-inform', 'DER', '-in', on.at(`c${String(made)}.der`), '-out', on.at('by-key.pem'));
    on.hsm.run('p11tool', `--provider=${SOFTHSM}`, '--login', `--set-pin=${PIN}`, '--batch', '--write', `--load-certificate=${on.at('by-key.pem')}`, '--label=elsewhere', '--id=77', `pkcs11:token=${LABEL}`);
    expect(await bySha(der)).toMatchObject({ Label: 'elsewhere', Id: '77', Of: { Match: 'publicKey', Id: await idOf(KeyId) } });
    expect((await ok('hardware:ExportCertificate', { KeyId }))['Sha256']).toBe(sha256(der));
    // A second one, as after a renewal: which is meant has to be said.
    const renewed = issue(await pemOfKey(KeyId), 'by-key');
    put(renewed, await idOf(KeyId), 'renewed');
    expect(await on.client.code('hardware:ExportCertificate', { KeyId })).toBe('ValidationException');
    expect((await ok('hardware:ExportCertificate', { KeyId, Sha256: sha256(renewed) }))['Sha256']).toBe(sha256(renewed));
  });

  it('that has a key’s id and certifies another key is said to, and is not the key’s to export unless it is named', async () => {
    const KeyId = await newKey();
    const der = issue(strangersPem(), 'impostor');
    put(der, await idOf(KeyId), 'impostor');
    expect(await bySha(der)).toMatchObject({ Of: { Match: 'otherKey', Id: await idOf(KeyId) } });
    expect((await ok('hardware:DescribeTokenKey', { KeyId }))['Certificates']).toMatchObject([{ Label: 'impostor', Of: { Match: 'otherKey' } }]);
    expect(await on.client.code('hardware:ExportCertificate', { KeyId })).toBe('NotFoundException');
  });

  it('stands in for the public key that a card does not keep beside its private key, once that has proven it', async () => {
    const pair = (id: string): string => {
      tool('--keypairgen', '--key-type', 'EC:prime256v1', '--id', id, '--label', `card-${id}`, '--usage-sign');
      tool('--read-object', '--type', 'pubkey', '--id', id, '--output-file', on.at('card.der'));
      tool('--delete-object', '--type', 'pubkey', '--id', id);
      return openssl('pkey', '-pubin', '-inform', 'DER', '-in', on.at('card.der')).toString('utf8');
    };
    const adopt = (Id: string): Promise<string> => on.client.code('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id, KeyUsage: 'SIGN_VERIFY' });
    const pem = pair('c1');
    expect(await adopt('c1')).toBe('UnsupportedOperationException');
    put(issue(pem, 'card'), 'c1', 'card');
    // Until the key is asked, only the id says so.
    expect((await listed()).find(({ Label }) => Label === 'card')).toMatchObject({ Of: { Id: 'c1', Match: 'id' } });
    expect(await adopt('c1')).toBe('ok');
    expect((await listed()).find(({ Label }) => Label === 'card')).toMatchObject({ Of: { Id: 'c1', Match: 'publicKey' } });
    pair('c2');
    put(issue(strangersPem(), 'wrong'), 'c2', 'wrong');
    expect(await adopt('c2')).toBe('UnsupportedOperationException');
  });

  it('is written to a new file by the command line', async () => {
    const KeyId = await newKey();
    put(issue(await pemOfKey(KeyId), 'cli'), await idOf(KeyId), 'cli');
    const run = (...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', on.folder, 'certificate', 'export', '--key-id', KeyId, ...args], { env: { ...process.env, HOME: on.home, XDG_RUNTIME_DIR: on.at('run'), XDG_STATE_HOME: on.at('state') }, input: '' });
    const ran = run('--out', on.at('cli.pem'));
    expect([ran.status, ran.stderr.toString('utf8'), ran.stdout.toString('utf8')]).toEqual([0, '', '']);
    expect(opensslTakes(readFileSync(on.at('cli.pem'), 'utf8'))).toContain(': OK');
    expect(run('--out', on.at('cli.pem')).status).not.toBe(0);
    expect(run().stdout.toString('utf8')).toBe(readFileSync(on.at('cli.pem'), 'utf8'));
    expect(existsSync(on.at('cli.pem'))).toBe(true);
  });
});

describe('what is no certificate', () => {
  it('hides no other, is listed as what it is, and is never given as PEM', async () => {
    const sound = issue(strangersPem(), 'sound');
    const before = (await listed()).length;
    const values: readonly (readonly [label: string, value: Buffer, state: string])[] = [
      ['noise', Buffer.from('6b65797374656164', 'hex'), 'garbled'],
      ['cut', sound.subarray(0, sound.byteLength - 7), 'garbled'],
      ['followed', Buffer.concat([sound, Buffer.from('and more')]), 'garbled'],
      ['pem', Buffer.from(`-----BEGIN CERTIFICATE-----\n${sound.toString('base64')}\n-----END CERTIFICATE-----\n`), 'garbled'],
      ['bomb', Buffer.from(`30847fffffff${'30'.repeat(2000)}`, 'hex'), 'garbled'],
      ['nested', Buffer.from('3080'.repeat(20_000), 'hex'), 'garbled'],
      ['large', Buffer.alloc(70_000, 0x30), 'tooLarge'],
      ['sound', sound, 'readable'],
    ];
    putRaw([...values.map(([label, value]) => ({ id: '99', label: hex(label), value: value.toString('hex') })), { id: '', label: hex(`${'x'.repeat(255)}🔑`), value: '30' }, { id: '98', label: 'fffe00', value: '3000' }]);
    const all = await listed();
    for (const [label, value, state] of values) {
      expect([label, all.find((one) => one['Label'] === label)?.['State']]).toEqual([label, state]);
      if (state !== 'readable') expect([label, await on.client.code('hardware:ExportCertificate', { Serial: on.serial, Sha256: sha256(value) })]).toEqual([label, 'NotFoundException']);
    }
    expect(all.length).toBe(before + values.length + 2);
    expect(all.every(({ Label }) => (Label as string).isWellFormed())).toBe(true);
    // The keys that were there are there, and sign.
    const KeyId = await newKey();
    const { Signature } = await ok('kms:Sign', { KeyId, Message: base64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
    expect(verify('sha256', Buffer.from('m'), createPublicKey(await pemOfKey(KeyId)), Buffer.from(Signature as string, 'base64'))).toBe(true);
  });

  it('rewrites nothing by the names that it bears', async () => {
    const der = issue(strangersPem(), 'evil\nO=Bank, CN=real\u202egpj');
    put(der, '97', 'names');
    const { Subject } = (await bySha(der)) ?? {};
    expect(Subject).toMatch(/^O=Acme, CN=evil\\0AO=Bank\\, CN=real/);
    expect(Subject).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
