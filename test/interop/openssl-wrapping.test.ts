/** What the window gives for wrapping key material, run as it is pasted, with openssl: the vault takes what comes of it, and only that. */
import { execFileSync } from 'node:child_process';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wrappingLines } from '../../src/renderer/keys/wrapping-lines.ts';
import { fitsWrapping, WRAPPING_ALGORITHM_NAMES } from '../../src/shared/model/wrapping.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';

const home = temporaryFolder();
let vault: VaultProcess;
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

beforeAll(async () => {
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await vault.client.ok('vault:Unlock', { Password: b64(Buffer.from(PASSWORD)) });
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

const MESSAGE = Buffer.from('release 1.4.0');
const hmac = randomBytes(32);
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** The material, and the same done with it elsewhere. */
const KINDS = [
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', material: hmac, operation: 'kms:VerifyMac', input: { MacAlgorithm: 'HMAC_SHA_256', Mac: b64(createHmac('sha256', hmac).update(MESSAGE).digest()) } },
  { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', material: pair.privateKey.export({ type: 'pkcs8', format: 'der' }), operation: 'kms:Verify', input: { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', Signature: b64(sign('sha256', MESSAGE, pair.privateKey)) } },
] as const;
const CASES = KINDS.flatMap((kind) => WRAPPING_ALGORITHM_NAMES.filter((algorithm) => fitsWrapping(kind.KeySpec, algorithm, 'RSA_4096')).map((algorithm) => ({ ...kind, algorithm })));

it.each(CASES)('$algorithm brings $KeySpec', async ({ KeySpec, KeyUsage, algorithm, material, operation, input }) => {
  const { KeyMetadata } = await vault.client.ok('kms:CreateKey', { KeySpec, KeyUsage, Origin: 'EXTERNAL' });
  const { KeyId } = KeyMetadata as { readonly KeyId: string };
  const taken = await vault.client.ok('kms:GetParametersForImport', { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: 'RSA_4096' });
  const folder = join(home, KeyId);
  mkdirSync(folder);
  writeFileSync(join(folder, 'wrapping-key.der'), Buffer.from(taken['PublicKey'] as string, 'base64'));
  writeFileSync(join(folder, 'material.bin'), material);
  execFileSync('/bin/sh', ['-c', wrappingLines(algorithm)], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  // Nothing that would open it stays behind.
  expect(readdirSync(folder).sort()).toEqual(['material.bin', 'wrapped.bin', 'wrapping-key.der']);
  await vault.client.ok('kms:ImportKeyMaterial', { KeyId, ImportToken: taken['ImportToken'], EncryptedKeyMaterial: b64(readFileSync(join(folder, 'wrapped.bin'))), ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' });
  await vault.client.ok(operation, { KeyId, Message: b64(MESSAGE), ...input });
});
