/** What a token does not offer: said before it is tried, refused in words that name the token and the way on. SoftHSM behind a module that hides mechanisms. */
import { constants, createPublicKey, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import { base64, type Json } from '../system/support/client.ts';
import { addInput, clusterIds } from '../system/support/cluster.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

let on: TokenVault;
let bad: BadModule;
let KeyId = '';
let publicKey: KeyObject;

/** What a token offers is asked once for each process of its module. */
async function reconnect(mode: string): Promise<void> {
  await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
  bad.mode(mode);
  await on.client.ok('hardware:RestartModule', { Path: bad.path });
  await on.connect();
}
const oaepNotes = async (): Promise<readonly string[]> => ((await on.client.ok('hardware:DescribeTokenKey', { KeyId }))['Notes'] as readonly string[]).filter((note) => note.includes('OAEP'));
const blob = (oaepHash: 'sha1' | 'sha256', message: Buffer): Json => ({
  KeyId,
  EncryptionAlgorithm: oaepHash === 'sha1' ? 'RSAES_OAEP_SHA_1' : 'RSAES_OAEP_SHA_256',
  CiphertextBlob: publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, message).toString('base64'),
});
const opened = async (input: Json): Promise<Buffer> => Buffer.from((await on.client.ok('kms:Decrypt', input))['Plaintext'] as string, 'base64');

beforeAll(async () => {
  on = await openTokenVault('lacking', { module: (home) => (bad = buildBadModule(home)).path });
  KeyId = ((await on.client.ok('kms:CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
  publicKey = createPublicKey({ key: Buffer.from((await on.client.ok('kms:GetPublicKey', { KeyId }))['PublicKey'] as string, 'base64'), format: 'der', type: 'spki' });
});
afterAll(() => on.end());

describe('OAEP with SHA-256', () => {
  it('is refused by a token that has neither it nor raw RSA, on the page and in use; SHA-1 goes on', async () => {
    await reconnect('list:no-raw-rsa');
    expect(await oaepNotes()).toEqual(['token `lacking` knows OAEP with SHA-1 only, as it said when it was tried, and does no raw RSA: `RSAES_OAEP_SHA_256` is refused']);
    const answer = await on.client.call('kms:Decrypt', blob('sha256', randomBytes(32)));
    expect(answer).toMatchObject({ ok: false, error: { code: 'UnsupportedOperationException', message: 'token `lacking` does not offer `RSAES_OAEP_SHA_256`: it has OAEP with SHA-1 only, and no raw RSA; use `RSAES_OAEP_SHA_1`, or a key in another token' } });
    const message = randomBytes(32);
    expect(await opened(blob('sha1', message))).toEqual(message);
  });

  it('is done from raw RSA, SHA-1 too, where a token has no OAEP at all', async () => {
    await reconnect('list:no-oaep');
    expect(await oaepNotes()).toEqual(['token `lacking` has no OAEP: it does raw RSA, and the padding is checked here in constant time']);
    for (const hash of ['sha1', 'sha256'] as const) {
      const message = randomBytes(32);
      expect(await opened(blob(hash, message))).toEqual(message);
    }
  });
});

it('opens no vault where one way of wrapping its key out failed and another was refused', async () => {
  await reconnect('wrap:half');
  const add = { Type: 'token', Serial: on.serial, Pin: base64(PIN), Password: base64(PASSWORD) };
  expect(await on.client.call('vault:AddSlot', add)).toMatchObject({ ok: false, error: { code: 'UnsupportedOperationException', message: expect.stringContaining('nobody knows whether a copy could open the vault without it') as string } });
  bad.mode('');
  await on.client.ok('vault:AddSlot', add);
});

describe('a key store that is to span two tokens', () => {
  it.each([
    ['list:no-oaep', 'token `one` wraps no keys under RSA with OAEP, so a key store cannot span it'],
    ['list:no-wrap', 'token `two` and token `one` have no way to wrap a key in common, so a key store cannot span it'],
    ['wrap:half', expect.stringMatching(/^token `(?:one|two)` failed when it was asked to wrap a key out, and did not refuse to, so nobody knows what it would do: a key store cannot span it$/)],
  ])('says which token cannot (%s), with nothing put on either', async (mode, message) => {
    const { client, hsm } = on;
    bad.mode('');
    for (const label of ['one', 'two']) if (!(await clusterIds(client)).has(label)) hsm.makeToken(label);
    await client.ok('hardware:RestartModule', { Path: bad.path });
    bad.mode(mode);
    await client.ok('hardware:RestartModule', { Path: bad.path });
    const ids = await clusterIds(client);
    const CustomKeyStoreId = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: mode.slice(5), CloudHsmClusterId: ids.get('one'), KeyStorePassword: base64(PIN) }))['CustomKeyStoreId'] as string;
    await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await client.call('hardware:AddTokenToKeyStore', addInput(CustomKeyStoreId, ids.get('two')))).toMatchObject({ ok: false, error: { code: 'UnsupportedOperationException', message } });
    expect(await client.ok('hardware:DescribeCluster', { CustomKeyStoreId })).toMatchObject({ State: 'single' });
    for (const label of ['one', 'two']) expect(hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, '--list-objects').toString()).not.toContain('keystead');
    await client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId });
    await client.ok('kms:DeleteCustomKeyStore', { CustomKeyStoreId });
  });
});
