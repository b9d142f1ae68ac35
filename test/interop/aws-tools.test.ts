/** Debian's AWS command line (botocore 1.29) and boto3, unchanged, pointed at a really running vault: over TLS with its own authority, and without. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeFor, operationsFor } from '../../src/renderer/keys/code.ts';
import { openDoor, toolEnvironment, type OpenDoor } from '../system/support/aws.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';

const run = promisify(execFile);
const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
let home = '';
let vault: VaultProcess;
let door: OpenDoor;
let folder = '';

const environment = (): NodeJS.ProcessEnv => toolEnvironment(door, home);

async function aws(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run('aws', ['--endpoint-url', door.endpoint, '--output', 'json', ...args], { env: environment() });
  return (stdout.trim() === '' ? {} : JSON.parse(stdout)) as Record<string, unknown>;
}

beforeAll(async () => {
  home = temporaryFolder();
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
  door = await openDoor(vault.client);
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

describe('the AWS command line', () => {
  it('makes a key, encrypts and decrypts with it, over TLS', async () => {
    const { KeyMetadata } = await aws('kms', 'create-key', '--description', 'by the CLI');
    const { KeyId } = KeyMetadata as { KeyId: string };
    await aws('kms', 'create-alias', '--alias-name', 'alias/cli', '--target-key-id', KeyId);
    const plain = join(home, 'plain');
    writeFileSync(plain, randomBytes(300));
    const { CiphertextBlob } = await aws('kms', 'encrypt', '--key-id', 'alias/cli', '--plaintext', `fileb://${plain}`, '--encryption-context', 'a=b');
    const blob = join(home, 'blob');
    writeFileSync(blob, Buffer.from(CiphertextBlob as string, 'base64'));
    await expect(aws('kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`)).rejects.toThrow('InvalidCiphertextException');
    const { Plaintext, KeyId: arn } = await aws('kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`, '--encryption-context', 'a=b');
    expect([Buffer.from(Plaintext as string, 'base64').length, arn]).toEqual([300, `arn:aws:kms:${door.region}:${door.account}:key/${KeyId}`]);
    expect((await aws('kms', 'list-aliases'))['Aliases']).toMatchObject([{ AliasName: 'alias/cli' }]);
  });

  it('is refused without the vault’s authority, and with a wrong key', async () => {
    const call = (env: NodeJS.ProcessEnv) => run('aws', ['--endpoint-url', door.endpoint, 'kms', 'list-keys'], { env: { ...environment(), ...env } });
    await expect(call({ AWS_CA_BUNDLE: undefined })).rejects.toThrow(/CERTIFICATE_VERIFY_FAILED|SSL validation failed/);
    await expect(call({ AWS_SECRET_ACCESS_KEY: 'wrong' })).rejects.toThrow('UnrecognizedClientException');
  });

  it('keeps a secret', async () => {
    await aws('secretsmanager', 'create-secret', '--name', 'cli/secret', '--secret-string', 'größer "als"\\ gedacht');
    expect((await aws('secretsmanager', 'get-secret-value', '--secret-id', 'cli/secret'))['SecretString']).toBe('größer "als"\\ gedacht');
  });

  it('needs nothing but what `keystead aws env` prints', async () => {
    const { stdout } = await run(process.execPath, [CLI, 'aws', 'env', '--vault', folder], { env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: join(home, 'run') } });
    expect(stdout).toContain(`export AWS_ENDPOINT_URL_KMS='${door.endpoint}'\n`);
    const script = `${stdout}\naws --endpoint-url "$AWS_ENDPOINT_URL_KMS" kms list-keys`;
    const { stdout: keys } = await run('sh', ['-c', script], { env: { ...environment(), AWS_CA_BUNDLE: undefined, AWS_DEFAULT_REGION: undefined } });
    expect(keys).toContain('"Keys"');
    const { stdout: profile } = await run(process.execPath, [CLI, 'aws', 'profile', '--vault', folder], { env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: join(home, 'run') } });
    expect(profile).toMatch(/^\[profile keystead\]\nregion = \S+\nservices = keystead\nca_bundle = \S+\n\n\[services keystead\]\nkms =\n {2}endpoint_url = https:/);
  });
});

describe('the lines that the window gives for a key', () => {
  it.each([
    { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', input: 'plaintext', output: 'ciphertext.bin', field: 'CiphertextBlob' },
    { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', input: 'message', output: 'signature.bin', field: 'Signature' },
    { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', input: 'message', output: 'mac.bin', field: 'Mac' },
  ] as const)('use a key of $spec from the CLI, JavaScript and curl', async ({ spec, usage, input, output, field }) => {
    const { KeyMetadata } = await vault.client.ok('kms:CreateKey', { KeySpec: spec, KeyUsage: usage });
    const key = (KeyMetadata as { readonly KeyId: string }).KeyId;
    const facts = { spec, usage, key, tls: true };
    writeFileSync(join(home, input), randomBytes(64));
    const env = { ...environment(), AWS_REGION: door.region, AWS_ENDPOINT_URL_KMS: door.endpoint, NODE_EXTRA_CA_CERTS: door.authorityFile };
    const good = async (bytes: Buffer): Promise<void> => {
      const given = readFileSync(join(home, input)).toString('base64');
      const answer = bytes.toString('base64');
      if (field === 'CiphertextBlob') expect((await vault.client.ok('kms:Decrypt', { CiphertextBlob: answer }))['Plaintext']).toBe(given);
      else if (field === 'Signature') await vault.client.ok('kms:Verify', { KeyId: key, Message: given, Signature: answer, SigningAlgorithm: 'ECDSA_SHA_256' });
      else await vault.client.ok('kms:VerifyMac', { KeyId: key, Message: given, Mac: answer, MacAlgorithm: 'HMAC_SHA_256' });
    };
    // An older CLI does not read the endpoint from the environment.
    const said = await run('sh', ['-c', codeFor('cli', facts).replace('aws kms', 'aws --endpoint-url "$AWS_ENDPOINT_URL_KMS" kms')], { cwd: home, env });
    expect(said.stderr).toBe('');
    await good(readFileSync(join(home, output)));
    const { stdout } = await run('sh', ['-c', codeFor('curl', facts)], { cwd: home, env });
    await good(Buffer.from((JSON.parse(stdout) as Record<string, string>)[field] ?? '', 'base64'));
    // From where the SDK is installed.
    const script = codeFor('sdk', facts).replaceAll(/'(plaintext|message|\w+\.bin)'/g, (_, name: string) => `'${join(home, name)}'`);
    await run(process.execPath, ['--input-type=module', '-e', script], { cwd: resolve(import.meta.dirname, '../..'), env });
    await good(readFileSync(join(home, output)));
  });

  // Debian's CLI is older than ML-KEM.
  it.each([
    { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', files: ['plaintext', 'decrypted'], by: 'cli' },
    { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT', files: ['plaintext', 'decrypted'], by: 'sdk' },
    { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', says: /^true$/i, by: 'cli' },
    { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', says: /^true$/i, by: 'sdk' },
    { spec: 'ML_KEM_768', usage: 'ENCAPSULATE_DECAPSULATE', files: ['shared-secret', 'recovered-secret'], by: 'sdk' },
  ] as const)('go there and back with a key of $spec ($by)', async ({ spec, usage, by, ...came }) => {
    const { KeyMetadata } = await vault.client.ok('kms:CreateKey', { KeySpec: spec, KeyUsage: usage });
    const facts = { spec, usage, key: (KeyMetadata as { readonly KeyId: string }).KeyId, tls: true };
    for (const name of ['plaintext', 'message']) writeFileSync(join(home, name), randomBytes(64));
    const env = { ...environment(), AWS_REGION: door.region, AWS_ENDPOINT_URL_KMS: door.endpoint, NODE_EXTRA_CA_CERTS: door.authorityFile };
    let said = '';
    for (const operation of operationsFor(facts)) {
      const lines = codeFor(by, facts, operation);
      const script = lines.replaceAll(/'(plaintext|message|decrypted|[\w-]+\.bin|[\w-]+-secret)'/g, (_, name: string) => `'${join(home, name)}'`);
      said = by === 'cli' ? (await run('sh', ['-c', lines.replace('aws kms', 'aws --endpoint-url "$AWS_ENDPOINT_URL_KMS" kms')], { cwd: home, env })).stdout : (await run(process.execPath, ['--input-type=module', '-e', script], { cwd: resolve(import.meta.dirname, '../..'), env })).stdout;
    }
    if ('says' in came) expect(said.trim()).toMatch(came.says);
    else expect(readFileSync(join(home, came.files[1])).equals(readFileSync(join(home, came.files[0])))).toBe(true);
  });

  it('take both halves of an answer from what the CLI prints', async () => {
    const lines = codeFor('cli', { spec: 'ML_KEM_768', usage: 'ENCAPSULATE_DECAPSULATE', key: 'alias/k', tls: true }, 'Encapsulate');
    await run('sh', ['-c', `aws() { printf 'c2VjcmV0\\tZm9yIHRoZSBob2xkZXI=\\n'; }\n${lines}`], { cwd: home, env: environment() });
    expect([readFileSync(join(home, 'shared-secret'), 'utf8'), readFileSync(join(home, 'encapsulated.bin'), 'utf8')]).toEqual(['secret', 'for the holder']);
  });
});

const BOTO = `
import boto3, concurrent.futures, os
from botocore.exceptions import ClientError
kms = boto3.client('kms', endpoint_url=os.environ['ENDPOINT'])
key = kms.create_key()['KeyMetadata']['KeyId']
blob = kms.encrypt(KeyId=key, Plaintext=b'boto')['CiphertextBlob']
assert kms.decrypt(CiphertextBlob=blob)['Plaintext'] == b'boto'
# boto3 signs nothing unique: equal requests of one second have one signature.
for _ in range(30): kms.describe_key(KeyId=key)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert len(set(pool.map(lambda _: kms.describe_key(KeyId=key)['KeyMetadata']['Arn'], range(80)))) == 1
pages = [k['KeyId'] for page in kms.get_paginator('list_keys').paginate(PaginationConfig={'PageSize': 1}) for k in page['Keys']]
assert key in pages
data = kms.generate_data_key(KeyId=key, KeySpec='AES_256')
assert kms.decrypt(CiphertextBlob=data['CiphertextBlob'])['Plaintext'] == data['Plaintext']
sign = kms.create_key(KeySpec='ECC_NIST_P256', KeyUsage='SIGN_VERIFY')['KeyMetadata']['KeyId']
signature = kms.sign(KeyId=sign, Message=b'm', SigningAlgorithm='ECDSA_SHA_256')['Signature']
assert kms.verify(KeyId=sign, Message=b'm', Signature=signature, SigningAlgorithm='ECDSA_SHA_256')['SignatureValid']
kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
try: kms.decrypt(CiphertextBlob=blob)
except ClientError as error: assert error.response['Error']['Code'] == 'KMSInvalidStateException', error
else: raise AssertionError('a key that is pending deletion decrypted')
try: kms.describe_key(KeyId='alias/none')
except kms.exceptions.NotFoundException as error: assert error.response['ResponseMetadata']['RequestId']
print('done')
`;

describe('boto3', () => {
  it.each([true, false])('uses keys, with equal requests in one second (TLS: %s)', async (tls) => {
    const own = await openDoor(vault.client, { tls, name: `boto-${String(tls)}` });
    const { stdout } = await run('python3', ['-c', BOTO], {
      env: { ...environment(), ENDPOINT: own.endpoint, AWS_ACCESS_KEY_ID: own.accessKeyId, AWS_SECRET_ACCESS_KEY: own.secretAccessKey, ...(tls ? {} : { AWS_CA_BUNDLE: undefined }) },
    });
    expect(stdout.trim()).toBe('done');
  });
});
