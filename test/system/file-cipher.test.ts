/** Files of any size: what is written, what is refused, what is left behind, and that the AWS Encryption SDK agrees. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildClient, CommitmentPolicy, KmsKeyringNode, type KeyringNode } from '@aws-crypto/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoor, sdkClient, type OpenDoor } from './support/aws.ts';
import type { Client, Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const MiB = 1024 * 1024;

let home = '';
let vault: VaultProcess;
let client: Client;
let KeyId = '';
let KeyArn = '';
let count = 0;

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
  const { KeyMetadata } = await client.ok('kms:CreateKey', {});
  ({ KeyId, Arn: KeyArn } = KeyMetadata as { KeyId: string; Arn: string });
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

/** A folder of its own, so that what is left in it can be counted. */
function place(): string {
  const folder = join(home, `f${String(++count)}`);
  mkdirSync(folder);
  return folder;
}
const left = (folder: string): string[] => readdirSync(folder).sort();

async function encrypted(folder: string, plaintext: Uint8Array, more: Json = {}): Promise<{ Path: string; answer: Json }> {
  const Path = join(folder, 'plain');
  writeFileSync(Path, plaintext);
  const answer = await client.ok('file:Encrypt', { Path, OutputPath: `${Path}.encrypted`, KeyId, ...more });
  return { Path: `${Path}.encrypted`, answer };
}

describe('a file', () => {
  it.each([0, 1, MiB - 1, MiB, MiB + 1, 5 * MiB + 7])('of %i bytes comes back the same, with its context', async (size) => {
    const folder = place();
    const plaintext = randomBytes(size);
    const EncryptionContext = { host: 'nas', ünïcode: '🔑' };
    const { Path, answer } = await encrypted(folder, plaintext, { EncryptionContext });
    expect(answer).toMatchObject({ KeyId: KeyArn, Size: size, OutputSize: readFileSync(Path).byteLength });
    const back = await client.ok('file:Decrypt', { Path, OutputPath: join(folder, 'back'), KeyId, EncryptionContext: { host: 'nas' } });
    expect(readFileSync(join(folder, 'back')).equals(plaintext)).toBe(true);
    expect(back).toMatchObject({ EncryptionContext, OutputSize: size });
    expect(left(folder)).toEqual(['back', 'plain', 'plain.encrypted']);
  });

  it('is refused when a byte of it is changed, cut or added, and nothing is left', async () => {
    const folder = place();
    const { Path } = await encrypted(folder, randomBytes(2 * MiB + 100));
    const whole = readFileSync(Path);
    const codes = new Map<string, string>();
    const header = 400;
    const places = [...Array.from({ length: header }, (_, at) => at), header + 50, MiB, MiB + header + 40, whole.length - 17, whole.length - 1];
    const bent = join(folder, 'bent');
    const attempt = async (what: string, bytes: Uint8Array): Promise<void> => {
      writeFileSync(bent, bytes);
      codes.set(what, await client.code('file:Decrypt', { Path: bent, OutputPath: join(folder, what), KeyId }));
    };
    for (const at of places.filter((_, n) => n % 9 === 0 || n >= header)) {
      const changed = Buffer.from(whole);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      await attempt(`bit at ${String(at)}`, changed);
    }
    for (const length of [0, 1, 100, header, MiB + header, whole.length - 1]) await attempt(`cut to ${String(length)}`, whole.subarray(0, length));
    await attempt('one more byte', Buffer.concat([whole, Buffer.from([0])]));
    await attempt('noise', randomBytes(1000));
    // A wrapped data key that was changed may name the material of no key, or of another.
    expect([...codes].filter(([, code]) => code !== 'InvalidCiphertextException' && code !== 'IncorrectKeyException')).toEqual([]);
    expect([...codes.values()].filter((code) => code === 'InvalidCiphertextException').length).toBeGreaterThan(40);
    expect(left(folder)).toEqual(['bent', 'plain', 'plain.encrypted']);
  });

  it('is refused under another key, without a pair of its context, and where the output is taken', async () => {
    const folder = place();
    const { Path } = await encrypted(folder, randomBytes(10), { EncryptionContext: { a: 'b' } });
    const other = ((await client.ok('kms:CreateKey', {}))['KeyMetadata'] as { KeyId: string }).KeyId;
    const out = { Path, OutputPath: join(folder, 'out') };
    expect(await client.code('file:Decrypt', { ...out, KeyId: other })).toBe('IncorrectKeyException');
    expect(await client.code('file:Decrypt', { ...out, KeyId, EncryptionContext: { a: 'c' } })).toBe('InvalidCiphertextException');
    expect(await client.code('file:Decrypt', { ...out, KeyId, EncryptionContext: { toString: 'c' } })).toBe('InvalidCiphertextException');
    expect(await client.code('file:Decrypt', { Path, OutputPath: Path, KeyId })).toBe('FileExistsException');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    expect(await client.code('file:Decrypt', { Path, OutputPath: join(folder, 'link'), KeyId })).toBe('FileExistsException');
    expect(await client.code('file:Decrypt', { Path, OutputPath: join(folder, 'no', 'such'), KeyId })).toBe('StorageException');
    expect(await client.code('file:Decrypt', { Path: join(folder, 'missing'), OutputPath: join(folder, 'out'), KeyId })).toBe('FileNotReadableException');
    expect(await client.code('file:Encrypt', { Path: folder, OutputPath: join(folder, 'out'), KeyId })).toBe('FileNotReadableException');
    const rsa = ((await client.ok('kms:CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }))['KeyMetadata'] as { KeyId: string }).KeyId;
    expect(await client.code('file:Encrypt', { Path, OutputPath: join(folder, 'out'), KeyId: rsa })).toBe('InvalidKeyUsageException');
    expect(left(folder)).toEqual(['link', 'plain', 'plain.encrypted']);
    await client.ok('kms:DisableKey', { KeyId: other });
    expect(await client.code('file:Encrypt', { Path, OutputPath: join(folder, 'out'), KeyId: other })).toBe('DisabledException');
  });
});

describe('the AWS Encryption SDK', () => {
  // AWS's own keyring and AWS's own KMS client, which know nothing of this vault but where it is. (`never`: their types disagree about
  // properties that may be undefined.)
  let door: OpenDoor;
  let keyring: KeyringNode;
  beforeAll(async () => {
    door = await openDoor(client);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- AWS's builder makes the class from KeyringNode
    keyring = new KmsKeyringNode({ generatorKeyId: KeyArn, clientProvider: (region) => sdkClient({ ...door, region }) as never });
  });
  const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

  it('reads what is written here', async () => {
    const plaintext = randomBytes(3 * MiB + 5);
    const { Path } = await encrypted(place(), plaintext, { EncryptionContext: { a: 'b' } });
    const { plaintext: back, messageHeader } = await sdk.decrypt(keyring, readFileSync(Path));
    expect(createHash('sha256').update(back).digest('hex')).toBe(createHash('sha256').update(plaintext).digest('hex'));
    expect(messageHeader.encryptionContext).toEqual({ a: 'b' });
  });

  it('writes what is read here: its default suite, with a signature and frames of 4 KiB', async () => {
    const folder = place();
    const plaintext = randomBytes(100_000);
    const { result } = await sdk.encrypt(keyring, plaintext, { encryptionContext: { a: 'b' } });
    writeFileSync(join(folder, 'theirs'), result);
    const answer = await client.ok('file:Decrypt', { Path: join(folder, 'theirs'), OutputPath: join(folder, 'back'), KeyId, EncryptionContext: { a: 'b' } });
    expect(readFileSync(join(folder, 'back')).equals(plaintext)).toBe(true);
    expect(Object.keys(answer['EncryptionContext'] as Json).sort()).toEqual(['a', 'aws-crypto-public-key']);
    // The signature comes last: without it nothing of the file is believed.
    const bent = Buffer.from(result);
    bent.writeUInt8((bent[bent.length - 1] ?? 0) ^ 1, bent.length - 1);
    writeFileSync(join(folder, 'bent'), bent);
    expect(await client.code('file:Decrypt', { Path: join(folder, 'bent'), OutputPath: join(folder, 'out'), KeyId })).toBe('InvalidCiphertextException');
    expect(left(folder)).toEqual(['back', 'bent', 'theirs']);
  });

  it('may write without a commitment, which is refused here', async () => {
    const folder = place();
    const { result } = await buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT).encrypt(keyring, randomBytes(10));
    writeFileSync(join(folder, 'old'), result);
    expect(await client.code('file:Decrypt', { Path: join(folder, 'old'), OutputPath: join(folder, 'out'), KeyId })).toBe('InvalidCiphertextException');
  });
});
