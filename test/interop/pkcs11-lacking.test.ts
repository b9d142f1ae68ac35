/** What a token does not offer: said before it is tried, refused in words that name the token and the way on. SoftHSM behind a module that hides mechanisms. */
import { constants, createPublicKey, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import type { Json } from '../system/support/client.ts';
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
