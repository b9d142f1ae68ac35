/** A checkpoint that a token's key signs besides the vault: verified by openssl from the envelope alone, and by the vault. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from '../system/support/client.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';
import { PASSWORD } from '../system/support/make-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const unb64 = (value: unknown): Buffer => Buffer.from(value as string, 'base64');
let on: TokenVault;

beforeAll(async () => { on = await openTokenVault('notary'); });
afterAll(() => on.end());

const newKey = async (KeySpec: string, more: Json = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store }): Promise<string> => ((await on.client.ok('kms:CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY', ...more }))['KeyMetadata'] as { KeyId: string }).KeyId;
const exported = async (): Promise<string> => (await on.client.ok('trail:ExportCheckpoint'))['Checkpoint'] as string;

/** DSSE v1 done anew: whether openssl takes the envelope's last signature by this key. */
function opensslTakes(envelope: Buffer, publicKey: Buffer, hash: string | undefined): boolean {
  const { payloadType, payload, signatures } = JSON.parse(envelope.toString('utf8')) as { payloadType: string; payload: string; signatures: { sig: string }[] };
  const body = Buffer.from(payload, 'base64');
  const at = (name: string): string => on.at(name);
  writeFileSync(at('pae'), Buffer.concat([Buffer.from(`DSSEv1 ${String(payloadType.length)} ${payloadType} ${String(body.length)} `), body]));
  writeFileSync(at('sig'), Buffer.from(signatures.at(-1)?.sig ?? '', 'base64'));
  writeFileSync(at('pub'), publicKey);
  execFileSync('openssl', ['pkey', '-pubin', '-inform', 'DER', '-in', at('pub'), '-out', at('pub.pem')]);
  const by = hash === undefined ? ['pkeyutl', '-verify', '-pubin', '-inkey', at('pub.pem'), '-rawin', '-in', at('pae'), '-sigfile', at('sig')] : ['dgst', `-${hash}`, '-verify', at('pub.pem'), '-signature', at('sig'), at('pae')];
  return spawnSync('openssl', by).status === 0;
}

it.each([['ECC_NIST_P256', 'sha256'], ['RSA_2048', 'sha256'], ['ECC_NIST_P384', 'sha384'], ['ECC_NIST_EDWARDS25519', undefined]])('is signed by a key of %s in a token, and verified by openssl and the vault', async (spec, hash) => {
  const KeyId = await newKey(spec);
  const checkpoint = await exported();
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: checkpoint, KeyId })).toMatchObject({ Relation: 'contained', SignatureValid: true, SecondSignatureValid: false });
  const signed = await on.client.ok('trail:SignCheckpoint', { Checkpoint: checkpoint, KeyId });
  expect(opensslTakes(unb64(signed['Checkpoint']), unb64(signed['PublicKey']), hash)).toBe(true);
  expect(opensslTakes(unb64(checkpoint), unb64(signed['PublicKey']), hash)).toBe(false);
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: signed['Checkpoint'], KeyId })).toMatchObject({ Relation: 'contained', SignatureValid: true, SecondSignatureValid: true });
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: signed['Checkpoint'] })).not.toHaveProperty('SecondSignatureValid');
  // Signed already: the same again.
  expect((await on.client.ok('trail:SignCheckpoint', { Checkpoint: signed['Checkpoint'], KeyId }))['Checkpoint']).toBe(signed['Checkpoint']);
  // Another key's signature, a changed one, and a changed statement.
  const other = await newKey('ECC_NIST_P256');
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: signed['Checkpoint'], KeyId: other })).toMatchObject({ SecondSignatureValid: false });
  const parsed = JSON.parse(unb64(signed['Checkpoint']).toString('utf8')) as { payload: string; signatures: { keyid: string; sig: string }[] };
  const broken = unb64(parsed.signatures[1]?.sig ?? '');
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  const changed = { ...parsed, signatures: [parsed.signatures[0], { ...parsed.signatures[1], sig: broken.toString('base64') }] };
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: b64(JSON.stringify(changed)), KeyId })).toMatchObject({ SignatureValid: true, SecondSignatureValid: false });
});

it('is signed by no key of the vault unless the vault has signed it', async () => {
  const KeyId = await newKey('ECC_NIST_P256', {});
  const parsed = JSON.parse(unb64(await exported()).toString('utf8')) as { payload: string; signatures: unknown[] };
  expect(await on.client.code('trail:SignCheckpoint', { Checkpoint: b64(JSON.stringify({ ...parsed, signatures: [] })), KeyId })).toBe('KMSInvalidSignatureException');
  const statement = { ...(JSON.parse(Buffer.from(parsed.payload, 'base64').toString('utf8')) as Json), index: 0 };
  expect(await on.client.code('trail:SignCheckpoint', { Checkpoint: b64(JSON.stringify({ ...parsed, payload: b64(JSON.stringify(statement)) })), KeyId })).toBe('KMSInvalidSignatureException');
  expect(await on.client.code('trail:SignCheckpoint', { Checkpoint: b64('{}'), KeyId })).toBe('ValidationException');
  for (const more of [{ KeySpec: 'ECC_SECG_P256K1' }, { KeySpec: 'ML_DSA_44' }]) expect(await on.client.code('trail:SignCheckpoint', { Checkpoint: await exported(), KeyId: await newKey(more.KeySpec, {}) })).toBe('UnsupportedOperationException');
  const mac = ((await on.client.ok('kms:CreateKey', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }))['KeyMetadata'] as { KeyId: string }).KeyId;
  expect(await on.client.code('trail:SignCheckpoint', { Checkpoint: await exported(), KeyId: mac })).toBe('InvalidKeyUsageException');
});

it('waits for a token that is away, while the trail and its checkpoints go on', async () => {
  const KeyId = await newKey('ECC_NIST_P256');
  await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
  const run = (...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', on.folder, 'trail', ...args], { env: { ...process.env, HOME: on.home, XDG_RUNTIME_DIR: on.at('run'), XDG_STATE_HOME: on.at('state') }, input: '' });
  const [out, later] = [on.at('checkpoint.json'), on.at('signed.json')];
  const ran = run('checkpoint', '--key-id', KeyId, '--out', out);
  expect([ran.status, ran.stderr.toString('utf8')]).toEqual([8, expect.stringMatching(/^Signed up to record \d+:[\s\S]*The vault has signed it, key `.*` has not: .*connect[\s\S]*trail sign-checkpoint/)]);
  expect(await on.client.ok('trail:VerifyCheckpoint', { Checkpoint: readFileSync(out).toString('base64') })).toMatchObject({ Relation: 'contained', SignatureValid: true });
  await on.connect();
  expect(run('sign-checkpoint', '--checkpoint', `fileb://${out}`, '--key-id', KeyId, '--output-file', `Checkpoint=${later}`).status).toBe(0);
  expect(run('verify-checkpoint', '--checkpoint', `fileb://${later}`, '--key-id', KeyId).status).toBe(0);
  expect(run('verify-checkpoint', '--checkpoint', `fileb://${out}`, '--key-id', KeyId).status).toBe(9);
});

it('is signed by the key that was chosen for all of them, until none is', async () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', on.folder, 'trail', ...args], { env: { ...process.env, HOME: on.home, XDG_RUNTIME_DIR: on.at('run'), XDG_STATE_HOME: on.at('state') }, input: '' });
  const signers = (name: string): number => (JSON.parse(readFileSync(on.at(name), 'utf8')) as { signatures: unknown[] }).signatures.length;
  expect(await on.client.ok('trail:DescribeCheckpointKey')).toEqual({});
  for (const KeySpec of ['ECC_SECG_P256K1', 'ML_DSA_44']) expect(await on.client.code('trail:SetCheckpointKey', { KeyId: await newKey(KeySpec, {}) })).toBe('UnsupportedOperationException');
  const leaving = await newKey('ECC_NIST_P256', {});
  await on.client.ok('kms:ScheduleKeyDeletion', { KeyId: leaving, PendingWindowInDays: 7 });
  expect(await on.client.code('trail:SetCheckpointKey', { KeyId: leaving })).toBe('KMSInvalidStateException');
  const KeyId = await newKey('ECC_NIST_P256');
  expect(run('set-checkpoint-key', '--key-id', KeyId).status).toBe(0);
  const arn = (await on.client.ok('trail:DescribeCheckpointKey'))['KeyId'];
  expect([arn, (await on.client.ok('trail:DescribeCheckpointKey'))['Exists']]).toEqual([expect.stringMatching(new RegExp(`key/${KeyId}$`)), true]);
  const both = run('checkpoint', '--out', on.at('both.json'));
  expect([both.status, both.stderr.toString('utf8')]).toEqual([0, expect.stringContaining(`by key \`${String(arn)}\` too`)]);
  expect(signers('both.json')).toBe(2);
  const { PublicKey } = await on.client.ok('kms:GetPublicKey', { KeyId });
  expect(opensslTakes(readFileSync(on.at('both.json')), unb64(PublicKey), 'sha256')).toBe(true);
  expect(run('checkpoint', '--vault-only', '--out', on.at('alone.json')).status).toBe(0);
  expect(signers('alone.json')).toBe(1);
  expect(run('checkpoint', '--vault-only', '--key-id', KeyId).status).toBe(2);
  // It outlives a lock; where its token is away then, the checkpoint stands with the vault's signature.
  await on.client.ok('vault:Lock');
  await on.client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  expect(run('checkpoint', '--out', on.at('away.json')).status).toBe(8);
  expect([signers('away.json'), (await on.client.ok('trail:DescribeCheckpointKey'))['Exists']]).toEqual([1, true]);
  expect(run('set-checkpoint-key').status).toBe(0);
  expect(await on.client.ok('trail:DescribeCheckpointKey')).toEqual({});
  expect(run('checkpoint', '--out', on.at('none.json')).status).toBe(0);
});
