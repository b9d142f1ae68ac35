/** What was encrypted before a rotation, an import, a restart and a restored copy decrypts after each of them, and to the same bytes. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import type { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const home = temporaryFolder();
const folder = join(home, 'vault');
let local: LocalProgram;
afterAll(async () => {
  await local.close();
  remove(home);
});

interface Kept {
  readonly when: string;
  readonly keyId: string;
  readonly blob: Uint8Array;
  readonly plaintext: Buffer;
}
const kept: Kept[] = [];

const start = async (): Promise<void> => {
  local = await startLocal(folder);
  await local.ok('vault:Unlock', { Password: b64(PASSWORD) });
};
const newKey = async (input = {}): Promise<string> => ((await local.ok('kms:CreateKey', input))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
const encrypt = async (when: string, keyId: string): Promise<void> => {
  const plaintext = randomBytes(48);
  const { CiphertextBlob } = await local.ok('kms:Encrypt', { KeyId: keyId, Plaintext: b64(plaintext), EncryptionContext: { when } });
  kept.push({ when, keyId, blob: CiphertextBlob as Uint8Array, plaintext });
};
const bring = async (KeyId: string, material: Uint8Array, more = {}): Promise<void> => {
  const { PublicKey, ImportToken } = await local.ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
  const key = createPublicKey({ key: Buffer.from(PublicKey as Uint8Array), format: 'der', type: 'spki' });
  const EncryptedKeyMaterial = b64(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, material));
  await local.ok('kms:ImportKeyMaterial', { KeyId, ImportToken: b64(ImportToken as Uint8Array), EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ...more });
};
/** All of them, and how many there are: an empty list would prove nothing. */
const allDecrypt = async (count: number): Promise<void> => {
  const came: string[] = [];
  for (const { when, keyId, blob, plaintext } of kept) {
    const { Plaintext } = await local.ok('kms:Decrypt', { CiphertextBlob: b64(blob), KeyId: keyId, EncryptionContext: { when } });
    using secret = Plaintext as SecretBytes;
    if (secret.borrow((bytes) => plaintext.equals(bytes))) came.push(when);
  }
  expect(came).toEqual(kept.map(({ when }) => when));
  expect(came).toHaveLength(count);
};

it('decrypts through rotations, imports, restarts and a restored copy', async () => {
  await makeVault(folder);
  await start();
  const own = await newKey();
  const brought = await newKey({ Origin: 'EXTERNAL' });
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await bring(brought, first);
  await encrypt('own, first material', own);
  await encrypt('brought, first material', brought);

  await local.ok('kms:RotateKeyOnDemand', { KeyId: own });
  await encrypt('own, after a rotation', own);
  await allDecrypt(3);

  await bring(brought, second, { ImportType: 'NEW_KEY_MATERIAL' });
  await local.ok('kms:RotateKeyOnDemand', { KeyId: brought });
  await encrypt('brought, second material', brought);
  await allDecrypt(4);

  // Gone, then imported anew: the same material is the same key.
  await local.ok('kms:DeleteImportedKeyMaterial', { KeyId: brought });
  for (const material of [first, second]) await bring(brought, material);
  await allDecrypt(4);

  await local.close();
  await start();
  await encrypt('own, after a restart', own);
  await allDecrypt(5);

  // A copy as docs/copying-a-vault.md makes it; the vault goes on, is lost, and the copy takes its place.
  await local.close();
  const copy = join(home, 'copy');
  cpSync(folder, copy, { recursive: true });
  await start();
  await local.ok('kms:RotateKeyOnDemand', { KeyId: own });
  await allDecrypt(5);
  await local.close();
  renameSync(folder, join(home, 'lost'));
  cpSync(copy, folder, { recursive: true });
  await start();
  await encrypt('own, after a restore', own);
  await allDecrypt(6);
});
