/** What was encrypted before a rotation, an import, a restart and a restored copy decrypts after each of them, and to the same bytes: whatever kind of key, file or value it is. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import type { Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';
import { PIN, SOFTHSM, softHsm } from './support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const home = temporaryFolder();
const folder = join(home, 'vault');
const hsm = softHsm(home);
const serial = hsm.makeToken('old');
Object.assign(process.env, hsm.env);
let local: LocalProgram;
afterAll(async () => {
  await local.close();
  remove(home);
});

interface Kept {
  readonly when: string;
  /** As it comes back now. */
  readonly read: () => Promise<Buffer>;
  readonly plaintext: Buffer;
}
const kept: Kept[] = [];

let store: string | undefined;
const start = async (): Promise<void> => {
  local = await startLocal(folder);
  await local.ok('vault:Unlock', { Password: b64(PASSWORD) });
  if (store === undefined) return;
  await local.ok('hardware:UnlockToken', { Serial: serial, Pin: b64(PIN) });
  await local.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
};
const newKey = async (input = {}): Promise<string> => ((await local.ok('kms:CreateKey', input))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
const bytesOf = (value: unknown): Buffer => {
  if (!(value instanceof SecretBytes)) throw new TypeError('not a secret');
  using secret = value;
  return secret.borrow((bytes) => Buffer.from(bytes));
};

interface How {
  readonly algorithm?: string;
  readonly region?: string;
  /** Where it is decrypted. */
  readonly readIn?: string;
}
const encrypt = async (when: string, KeyId: string, { algorithm, region, readIn }: How = {}): Promise<void> => {
  const plaintext = randomBytes(48);
  const more = algorithm === undefined ? { EncryptionContext: { when } } : { EncryptionAlgorithm: algorithm };
  const { CiphertextBlob } = await local.ok('kms:Encrypt', { KeyId, Plaintext: b64(plaintext), ...more }, region);
  const blob = b64(CiphertextBlob as Uint8Array);
  kept.push({ when, plaintext, read: async () => bytesOf((await local.ok('kms:Decrypt', { CiphertextBlob: blob, KeyId, ...more }, readIn))['Plaintext']) });
};
const encryptFile = async (when: string, KeyId: string): Promise<void> => {
  const plaintext = randomBytes(1_500_000);
  const [Path, OutputPath, back] = ['plain', 'encrypted', 'back'].map((name) => join(home, `${name} ${when}`)) as [string, string, string];
  writeFileSync(Path, plaintext);
  await local.ok('file:Encrypt', { Path, OutputPath, KeyId, EncryptionContext: { when } });
  let times = 0;
  kept.push({
    when,
    plaintext,
    read: async () => {
      const to = `${back} ${String((times += 1))}`;
      await local.ok('file:Decrypt', { Path: OutputPath, OutputPath: to, KeyId, EncryptionContext: { when } });
      return readFileSync(to);
    },
  });
};
const keepSecret = async (when: string, KmsKeyId: string): Promise<void> => {
  const plaintext = randomBytes(64);
  await local.ok('secretsmanager:CreateSecret', { Name: when, KmsKeyId, SecretBinary: b64(plaintext) });
  kept.push({ when, plaintext, read: async () => bytesOf((await local.ok('secretsmanager:GetSecretValue', { SecretId: when }))['SecretBinary']) });
};
const bring = async (KeyId: string, material: Uint8Array, more: Json = {}): Promise<void> => {
  const { PublicKey, ImportToken } = await local.ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
  const key = createPublicKey({ key: Buffer.from(PublicKey as Uint8Array), format: 'der', type: 'spki' });
  const EncryptedKeyMaterial = b64(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, material));
  await local.ok('kms:ImportKeyMaterial', { KeyId, ImportToken: b64(ImportToken as Uint8Array), EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ...more });
};
/** All of them, and how many there are: an empty list would prove nothing. */
const allDecrypt = async (count: number): Promise<void> => {
  const came: string[] = [];
  for (const { when, read, plaintext } of kept) if (plaintext.equals(await read())) came.push(when);
  expect(came).toEqual(kept.map(({ when }) => when));
  expect(came).toHaveLength(count);
};

it('decrypts through rotations, imports, restarts and a restored copy', { timeout: 600_000 }, async () => {
  await makeVault(folder);
  await start();
  const own = await newKey();
  const brought = await newKey({ Origin: 'EXTERNAL' });
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await bring(brought, first);
  await encrypt('own, first material', own);
  await encrypt('brought, first material', brought);
  const rsa = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
  await encrypt('rsa', rsa, { algorithm: 'RSAES_OAEP_SHA_256' });
  const there = 'ap-south-1';
  const multi = await newKey({ MultiRegion: true });
  await encrypt('multi, before its replica', multi, { readIn: there });
  await local.ok('kms:ReplicateKey', { KeyId: multi, ReplicaRegion: there });
  await encrypt('multi, here for there', multi, { readIn: there });
  await encrypt('multi, there for here', multi, { region: there });
  await encryptFile('file', own);
  await keepSecret('secret', own);
  await local.ok('hardware:AddModule', { Path: SOFTHSM });
  const tokens = (await local.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
  const made = await local.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'old', CloudHsmClusterId: tokens.find(({ Serial }) => Serial === serial)?.['CloudHsmClusterId'], KeyStorePassword: b64(PIN) });
  store = made['CustomKeyStoreId'] as string;
  await local.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  const inToken = await newKey({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store });
  await encrypt('in a token', inToken);
  await keepSecret('secret under a token’s key'.replace(/[^a-z]+/g, '-'), inToken);

  for (const KeyId of [own, multi]) await local.ok('kms:RotateKeyOnDemand', { KeyId });
  await encrypt('own, after a rotation', own);
  await encrypt('multi, after a rotation', multi, { readIn: there });
  await encryptFile('file after a rotation', own);
  await allDecrypt(13);

  await bring(brought, second, { ImportType: 'NEW_KEY_MATERIAL' });
  await local.ok('kms:RotateKeyOnDemand', { KeyId: brought });
  await encrypt('brought, second material', brought);
  await allDecrypt(14);

  // Gone, then imported anew: the same material is the same key.
  await local.ok('kms:DeleteImportedKeyMaterial', { KeyId: brought });
  for (const material of [first, second]) await bring(brought, material);
  await local.ok('kms:UpdatePrimaryRegion', { KeyId: multi, PrimaryRegion: there });
  await allDecrypt(14);

  await local.close();
  await start();
  await encrypt('own, after a restart', own);
  await allDecrypt(15);

  // A copy as docs/copying-a-vault.md makes it; the vault goes on, is lost, and the copy takes its place.
  await local.close();
  const copy = join(home, 'copy');
  cpSync(folder, copy, { recursive: true });
  await start();
  await local.ok('kms:RotateKeyOnDemand', { KeyId: own });
  await local.ok('kms:RotateKeyOnDemand', { KeyId: multi }, there);
  await allDecrypt(15);
  await local.close();
  renameSync(folder, join(home, 'lost'));
  cpSync(copy, folder, { recursive: true });
  await start();
  await encrypt('own, after a restore', own);
  await allDecrypt(16);
});
