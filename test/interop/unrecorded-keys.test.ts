/** The vault is killed between a token's making a key and the record of it: the key is found, and adopted or deleted as its owner says. */
import { createPublicKey, verify } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newTokenKeyId } from '../../src/main/hardware/token-names.ts';
import { buildBadModule, type BadModule } from '../system/support/bad-module.ts';
import type { Json } from '../system/support/client.ts';
import { PIN, SOFTHSM } from '../system/support/softhsm.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let on: TokenVault;
let bad: BadModule;
const keysOn = async (): Promise<readonly Json[]> => (await on.client.ok('hardware:ListTokenKeys', { Serial: on.serial }))['Keys'] as readonly Json[];
const create = (): Json => ({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
/** Killed where the token has made the pair, and nobody has written it down. */
async function killBetween(): Promise<Json> {
  bad.forgetMade();
  bad.mode('generate:then-hang');
  void on.client.call('kms:CreateKey', create()).catch(() => undefined);
  while (!bad.hasMade()) await sleep(20);
  await on.vault.kill();
  bad.mode('');
  await on.start();
  await on.connect();
  const found = (await keysOn()).filter(({ State }) => State === 'notRecorded');
  expect(found).toHaveLength(1);
  return found[0] ?? {};
}

beforeAll(async () => {
  on = await openTokenVault('unrecorded', { module: (home) => (bad = buildBadModule(home)).path });
});
afterAll(() => on.end());

it('is deleted with its key store when that one’s name is typed, and is listed first', async () => {
  const found = await killBetween();
  const { Objects, Digest, Keys } = await on.client.ok('hardware:ListKeyStoreObjects', { CustomKeyStoreId: on.store });
  expect([Objects, Keys]).toEqual([[expect.objectContaining({ Token: 'unrecorded', Id: found['Id'], Label: found['Label'], Kind: 'key' })], 0]);
  expect(await on.client.code('hardware:EraseKeyStore', { CustomKeyStoreId: on.store, Digest, Confirm: found['Label'] })).toBe('KMSInvalidStateException');
  expect((await keysOn()).length).toBe(1);
  expect(await on.client.ok('hardware:EraseKeyStore', { CustomKeyStoreId: on.store, Digest, Confirm: 'unrecorded' })).toEqual({ Deleted: Objects, Left: [] });
  await on.makeStore();
  expect(await keysOn()).toEqual([]);
});

it('is found when the key store is connected, and adopted under the id that it was made with', async () => {
  const found = await killBetween();
  expect(found).toMatchObject({ Label: expect.stringMatching(UUID) as string, KeySpec: 'ECC_NIST_P256' });
  expect(await on.tokenNow()).toMatchObject({ NotRecorded: 1 });
  const { KeyMetadata } = await on.client.ok('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id: found['Id'] });
  const KeyId = (KeyMetadata as Json)['KeyId'];
  expect(KeyId).toBe(found['Label']);
  const { PublicKey } = await on.client.ok('kms:GetPublicKey', { KeyId });
  const { Signature } = await on.client.ok('kms:Sign', { KeyId, Message: b64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
  expect(verify('sha256', Buffer.from('m'), createPublicKey({ key: Buffer.from(PublicKey as string, 'base64'), format: 'der', type: 'spki' }), Buffer.from(Signature as string, 'base64'))).toBe(true);
  expect([(await keysOn()).map(({ State }) => State), (await on.tokenNow())['NotRecorded']]).toEqual([['recorded'], undefined]);
  expect(await on.client.ok('hardware:DescribeTokenKey', { KeyId })).toMatchObject({ Adopted: false });
});

it('is deleted when its label is typed, and nothing else is', async () => {
  const found = await killBetween();
  const deletion = (Confirm: unknown, Id = found['Id']): Promise<string> => on.client.code('hardware:DeleteTokenKey', { CustomKeyStoreId: on.store, Id, Confirm });
  expect(await deletion('yes')).toBe('KMSInvalidStateException');
  const recorded = (await keysOn()).find(({ State }) => State === 'recorded');
  expect(await deletion(recorded?.['Label'], recorded?.['Id'])).toBe('KMSInvalidStateException');
  on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'unrecorded', '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', 'ab'.repeat(16), '--label', 'theirs', '--usage-sign');
  expect((await keysOn()).find(({ Label }) => Label === 'theirs')).toMatchObject({ State: 'foreign' });
  expect(await deletion('theirs', 'ab'.repeat(16))).toBe('UnsupportedOperationException');
  expect((await keysOn()).length).toBe(3);
  expect(await deletion(found['Label'])).toBe('ok');
  expect((await keysOn()).map(({ State }) => State).sort()).toEqual(['foreign', 'recorded']);
  expect((await on.tokenNow())['NotRecorded']).toBeUndefined();
  expect(on.hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'unrecorded', '--login', '--pin', PIN, '--list-objects').toString('utf8')).not.toContain(found['Label'] as string);
});

it('is not one that somebody planted who knows the vault’s id: outside a cluster the vault makes none that may travel, so it is adopted as theirs', async () => {
  const vaultId = (await on.client.ok('vault:Status'))['VaultId'] as string;
  const label = '56be93d0-af98-4fc4-8ba7-fd636e45000a';
  const id = newTokenKeyId(vaultId, label, '0123456789abcdef');
  on.hsm.run(process.execPath, resolve(import.meta.dirname, '../fixtures/pkcs11/put-travelling-key.cjs'), SOFTHSM, 'unrecorded', PIN, id, label);
  expect((await keysOn()).find(({ Label }) => Label === label)).toMatchObject({ Id: id, Stated: { Sensitive: true, Extractable: true, TrustedOnly: true } });
  const { KeyMetadata } = await on.client.ok('hardware:AdoptKey', { CustomKeyStoreId: on.store, Id: id });
  const { KeyId } = KeyMetadata as { readonly KeyId: string };
  // Under an id of its own, and it stays on the token when it is deleted here.
  expect(KeyId).not.toBe(label);
  expect(await on.client.ok('hardware:DescribeTokenKey', { KeyId })).toMatchObject({ Adopted: true, Stated: { Extractable: true } });
});
