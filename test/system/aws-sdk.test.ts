/** Every `kms:` operation that AWS clients are offered, asked by the real `@aws-sdk/client-kms` of a really running vault, over TLS. */
import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declarationOf, NAMES } from '../../src/shared/api/index.ts';
import { codeOf, makeClient, openDoor, sdkClient, type OpenDoor } from './support/aws.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from './support/softhsm.ts';

let home = '';
let vault: VaultProcess;
let door: OpenDoor;
let hsm: SoftHsm;
let kms: sdk.KMSClient;
const asked = new Set<string>();

/** Sends, and remembers that this operation was asked and has answered: one that was only ever refused does not count. */
async function send<Output extends object>(command: { readonly constructor: { readonly name: string } }, by = kms): Promise<Output> {
  const output = (await by.send(command as never)) as Output;
  asked.add(command.constructor.name.replace(/Command$/, ''));
  return output;
}
const newKey = async (input: sdk.CreateKeyCommandInput = {}): Promise<string> => (await send<sdk.CreateKeyCommandOutput>(new sdk.CreateKeyCommand(input))).KeyMetadata!.KeyId!;

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  hsm = softHsm(home);
  hsm.makeToken('sdk');
  hsm.makeToken('spare');
  vault = await startVault(folder, { home, env: hsm.env });
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
  door = await openDoor(vault.client);
  kms = sdkClient(door);
});
afterAll(async () => {
  kms.destroy();
  await vault.stop();
  remove(home);
});

describe('the real SDK, over TLS', () => {
  it('is let in by an access key that it had already, unless its secret is a short one', async () => {
    const given = (AccessKeyId: string, secret: string): Promise<string> => vault.client.code('access:CreateClient', { Name: AccessKeyId, Role: 'user', AccessKeyId, SecretAccessKey: Buffer.from(secret).toString('base64') });
    expect(await given('SHORTISH', 'x'.repeat(15))).toBe('ValidationException');
    expect(await given('LONGENOUGH', 'x'.repeat(16))).toBe('ok');
    const own = sdkClient({ ...door, accessKeyId: 'LONGENOUGH', secretAccessKey: 'x'.repeat(16) });
    await own.send(new sdk.ListKeysCommand({}));
    own.destroy();
  });

  it('makes, shows, lists and changes keys', async () => {
    const made = await send<sdk.CreateKeyCommandOutput>(new sdk.CreateKeyCommand({ Description: 'by the SDK', Tags: [{ TagKey: 'team', TagValue: 'infra' }] }));
    const KeyId = made.KeyMetadata!.KeyId!;
    expect(made.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.KeyMetadata!.Arn).toBe(`arn:aws:kms:${door.region}:${door.account}:key/${KeyId}`);
    expect(made.KeyMetadata!.CreationDate).toBeInstanceOf(Date);
    await send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: 'ünïcode 鍵' }));
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({ Description: 'ünïcode 鍵', KeyState: 'Enabled', Enabled: true });
    expect((await send<sdk.ListResourceTagsCommandOutput>(new sdk.ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: 'team', TagValue: 'infra' }]);
    await send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'env', TagValue: 'dev' }] }));
    await send(new sdk.UntagResourceCommand({ KeyId, TagKeys: ['team'] }));
    expect((await send<sdk.ListResourceTagsCommandOutput>(new sdk.ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: 'env', TagValue: 'dev' }]);
    const policy = await send<sdk.GetKeyPolicyCommandOutput>(new sdk.GetKeyPolicyCommand({ KeyId }));
    expect(JSON.parse(policy.Policy!)).toMatchObject({ Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${door.account}:root` }, Action: 'kms:*' }] });
    expect((await send<sdk.ListKeyPoliciesCommandOutput>(new sdk.ListKeyPoliciesCommand({ KeyId }))).PolicyNames).toEqual(['default']);
    const old = await send<sdk.CreateKeyCommandOutput>(new sdk.CreateKeyCommand({ CustomerMasterKeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    expect(old.KeyMetadata).toMatchObject({ KeySpec: 'ECC_NIST_P256', CustomerMasterKeySpec: 'ECC_NIST_P256' });
    for (const KeySpec of ['ECC_NIST_P256', 'HMAC_256', 'ML_DSA_44', 'RSA_2048'] as const) expect(await codeOf(send(new sdk.CreateKeyCommand({ KeySpec }))), KeySpec).toBe('ValidationException');
    const listed: string[] = [];
    for await (const page of sdk.paginateListKeys({ client: kms, pageSize: 1 }, {})) listed.push(...page.Keys!.map((key) => key.KeyId!));
    await send(new sdk.ListKeysCommand({}));
    expect(listed).toContain(KeyId);
  });

  it('gives names and takes them away', async () => {
    const KeyId = await newKey();
    const other = await newKey();
    await send(new sdk.CreateAliasCommand({ AliasName: 'alias/sdk', TargetKeyId: KeyId }));
    expect(await codeOf(send(new sdk.CreateAliasCommand({ AliasName: 'alias/sdk', TargetKeyId: KeyId })))).toBe('AlreadyExistsException');
    await send(new sdk.UpdateAliasCommand({ AliasName: 'alias/sdk', TargetKeyId: other }));
    expect((await send<sdk.ListAliasesCommandOutput>(new sdk.ListAliasesCommand({ KeyId: other }))).Aliases).toMatchObject([{ AliasName: 'alias/sdk', TargetKeyId: other }]);
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId: 'alias/sdk' }))).KeyMetadata!.KeyId).toBe(other);
    await send(new sdk.DeleteAliasCommand({ AliasName: 'alias/sdk' }));
    expect(await codeOf(send(new sdk.DescribeKeyCommand({ KeyId: 'alias/sdk' })))).toBe('NotFoundException');
  });

  it('encrypts, decrypts and makes data keys', async () => {
    const KeyId = await newKey();
    const Plaintext = randomBytes(4096);
    const EncryptionContext = { purpose: 'test', ünïcode: '🔑' };
    const { CiphertextBlob } = await send<sdk.EncryptCommandOutput>(new sdk.EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
    const opened = await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(Buffer.from(opened.Plaintext!)).toEqual(Plaintext);
    expect(await codeOf(send(new sdk.DecryptCommand({ CiphertextBlob })))).toBe('InvalidCiphertextException');
    const dataKey = await send<sdk.GenerateDataKeyCommandOutput>(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    expect((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }))).Plaintext).toEqual(dataKey.Plaintext);
    expect((await send<sdk.GenerateRandomCommandOutput>(new sdk.GenerateRandomCommand({ NumberOfBytes: 33 }))).Plaintext).toHaveLength(33);
  });

  it('makes data keys nobody sees, key pairs, and moves ciphertexts', async () => {
    const KeyId = await newKey();
    const DestinationKeyId = await newKey();
    const hidden = await send<sdk.GenerateDataKeyWithoutPlaintextCommandOutput>(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 24 }));
    const moved = await send<sdk.ReEncryptCommandOutput>(new sdk.ReEncryptCommand({ CiphertextBlob: hidden.CiphertextBlob, DestinationKeyId }));
    expect((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, KeyId: DestinationKeyId }))).Plaintext).toHaveLength(24);
    const pair = await send<sdk.GenerateDataKeyPairCommandOutput>(new sdk.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }));
    expect((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob: pair.PrivateKeyCiphertextBlob }))).Plaintext).toEqual(pair.PrivateKeyPlaintext);
    expect((await send<sdk.GenerateDataKeyPairWithoutPlaintextCommandOutput>(new sdk.GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }))).PublicKey).toBeInstanceOf(Uint8Array);
    expect(await codeOf(send(new sdk.EncryptCommand({ KeyId, Plaintext: randomBytes(8), DryRun: true })))).toBe('DryRunOperationException');
  });

  it('agrees on secrets, by ECDH and by ML-KEM', async () => {
    const KeyId = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' });
    const { PublicKey } = await send<sdk.GetPublicKeyCommandOutput>(new sdk.GetPublicKeyCommand({ KeyId }));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const agreed = await send<sdk.DeriveSharedSecretCommandOutput>(new sdk.DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: other.publicKey.export({ format: 'der', type: 'spki' }) }));
    expect(Buffer.from(agreed.SharedSecret!)).toEqual(diffieHellman({ privateKey: other.privateKey, publicKey: createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }) }));
    const kem = await newKey({ KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' } as never);
    const made = await send<{ SharedSecret: Uint8Array; SharedSecretCiphertextBlob: Uint8Array }>(new sdk.EncapsulateCommand({ KeyId: kem, EncapsulationAlgorithm: 'ML_KEM' }));
    expect((await send<{ SharedSecret: Uint8Array }>(new sdk.DecapsulateCommand({ KeyId: kem, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: made.SharedSecretCiphertextBlob }))).SharedSecret).toEqual(made.SharedSecret);
  });

  it('brings key material of its own', async () => {
    const KeyId = await newKey({ Origin: 'EXTERNAL' });
    const { PublicKey, ImportToken } = await send<sdk.GetParametersForImportCommandOutput>(new sdk.GetParametersForImportCommand({ KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }));
    const wrap = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' });
    const EncryptedKeyMaterial = publicEncrypt({ key: wrap, oaepHash: 'sha256' }, randomBytes(32));
    await send(new sdk.ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ValidTo: new Date(Date.now() + 3600_000) }));
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({ KeyState: 'Enabled', Origin: 'EXTERNAL', ValidTo: expect.any(Date) });
    await send(new sdk.DeleteImportedKeyMaterialCommand({ KeyId }));
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata!.KeyState).toBe('PendingImport');
  });

  it('says which key material it used, and checks without a ciphertext where it is told to ignore it', async () => {
    const KeyId = await newKey();
    const materials = async (): Promise<(string | undefined)[]> => (await send<sdk.ListKeyRotationsCommandOutput>(new sdk.ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))).Rotations!.map((one) => one.KeyMaterialId);
    const { CiphertextBlob } = await send<sdk.EncryptCommandOutput>(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await send(new sdk.RotateKeyOnDemandCommand({ KeyId }));
    const [first, second] = await materials();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob }))).KeyMaterialId).toBe(first);
    expect((await send<sdk.GenerateDataKeyCommandOutput>(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).KeyMaterialId).toBe(second);
    expect((await send<sdk.GenerateDataKeyWithoutPlaintextCommandOutput>(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }))).KeyMaterialId).toBe(second);
    expect((await send<sdk.GenerateDataKeyPairCommandOutput>(new sdk.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }))).KeyMaterialId).toBe(second);
    expect(await send<sdk.ReEncryptCommandOutput>(new sdk.ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId }))).toMatchObject({ SourceKeyMaterialId: first, DestinationKeyMaterialId: second });
    const ignoring = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT' as const] };
    expect(await codeOf(send(new sdk.DecryptCommand({ KeyId, ...ignoring })))).toBe('DryRunOperationException');
    expect(await codeOf(send(new sdk.ReEncryptCommand({ SourceKeyId: KeyId, DestinationKeyId: KeyId, ...ignoring })))).toBe('DryRunOperationException');
    for (const input of [ignoring, { KeyId, DryRunModifiers: ignoring.DryRunModifiers }, { KeyId, DryRun: true }, { KeyId }]) expect([input, await codeOf(send(new sdk.DecryptCommand(input as sdk.DecryptCommandInput)))]).toEqual([input, 'ValidationException']);
    await send(new sdk.DisableKeyCommand({ KeyId }));
    expect(await codeOf(send(new sdk.DecryptCommand({ KeyId, ...ignoring })))).toBe('DisabledException');
  });

  it('encrypts with RSA to what node:crypto encrypted', async () => {
    const KeyId = await newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const { PublicKey } = await send<sdk.GetPublicKeyCommandOutput>(new sdk.GetPublicKeyCommand({ KeyId }));
    const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' });
    const CiphertextBlob = publicEncrypt({ key, oaepHash: 'sha256' }, Buffer.from('hello'));
    const { Plaintext } = await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }));
    expect(Buffer.from(Plaintext!).toString()).toBe('hello');
  });

  it('signs what node:crypto verifies, and makes MACs', async () => {
    const KeyId = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const Message = randomBytes(100);
    const { Signature } = await send<sdk.SignCommandOutput>(new sdk.SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' }));
    const { PublicKey } = await send<sdk.GetPublicKeyCommandOutput>(new sdk.GetPublicKeyCommand({ KeyId }));
    expect(verify('sha256', Message, createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }), Signature!)).toBe(true);
    const digest = createHash('sha256').update(Message).digest();
    expect((await send<sdk.VerifyCommandOutput>(new sdk.VerifyCommand({ KeyId, Message: digest, MessageType: 'DIGEST', Signature, SigningAlgorithm: 'ECDSA_SHA_256' }))).SignatureValid).toBe(true);
    expect(await codeOf(send(new sdk.VerifyCommand({ KeyId, Message: randomBytes(100), Signature, SigningAlgorithm: 'ECDSA_SHA_256' })))).toBe('KMSInvalidSignatureException');
    const mac = await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const { Mac } = await send<sdk.GenerateMacCommandOutput>(new sdk.GenerateMacCommand({ KeyId: mac, Message, MacAlgorithm: 'HMAC_SHA_256' }));
    expect((await send<sdk.VerifyMacCommandOutput>(new sdk.VerifyMacCommand({ KeyId: mac, Message, Mac, MacAlgorithm: 'HMAC_SHA_256' }))).MacValid).toBe(true);
  });

  it('disables, rotates and deletes keys', async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await send<sdk.EncryptCommandOutput>(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await send(new sdk.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }));
    expect(await send(new sdk.GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 180, NextRotationDate: expect.any(Date) });
    await send(new sdk.RotateKeyOnDemandCommand({ KeyId }));
    expect((await send<sdk.ListKeyRotationsCommandOutput>(new sdk.ListKeyRotationsCommand({ KeyId }))).Rotations).toMatchObject([{ RotationType: 'ON_DEMAND' }]);
    await send(new sdk.DisableKeyRotationCommand({ KeyId }));
    await send(new sdk.DisableKeyCommand({ KeyId }));
    expect(await codeOf(send(new sdk.DecryptCommand({ CiphertextBlob })))).toBe('DisabledException');
    await send(new sdk.EnableKeyCommand({ KeyId }));
    expect(Buffer.from((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob }))).Plaintext!).toString()).toBe('x');
    expect(await send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))).toMatchObject({ KeyState: 'PendingDeletion', DeletionDate: expect.any(Date) });
    expect(await codeOf(send(new sdk.DecryptCommand({ CiphertextBlob })))).toBe('KMSInvalidStateException');
    await send(new sdk.CancelKeyDeletionCommand({ KeyId }));
  });

  it('lets a user use and look, and not change', async () => {
    const KeyId = await newKey();
    const user = sdkClient({ ...door, ...(await makeClient(vault.client, 'app', 'user')) });
    const { CiphertextBlob } = await send<sdk.EncryptCommandOutput>(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }), user);
    await send(new sdk.DecryptCommand({ CiphertextBlob }), user);
    await send(new sdk.DescribeKeyCommand({ KeyId }), user);
    for (const command of [new sdk.CreateKeyCommand({}), new sdk.DisableKeyCommand({ KeyId }), new sdk.ScheduleKeyDeletionCommand({ KeyId }), new sdk.CreateAliasCommand({ AliasName: 'alias/u', TargetKeyId: KeyId })]) {
      expect(await codeOf(send(command, user))).toBe('AccessDeniedException');
    }
    const { Events } = (await vault.client.ok('trail:LookupEvents', { Operation: 'kms:Encrypt' })) as { Events: { Principal?: string; Door?: string }[] };
    expect(Events.some(({ Principal }) => Principal === `arn:aws:iam::${door.account}:user/app`)).toBe(true);
    user.destroy();
  });

  it('finds in each region the keys of that region, and multi-Region keys where they were replicated to', async () => {
    const elsewhere = sdkClient({ ...door, region: 'ap-south-1' });
    const own = await newKey();
    expect(await codeOf(send(new sdk.DescribeKeyCommand({ KeyId: own }), elsewhere))).toBe('NotFoundException');
    const there = (await send<sdk.CreateKeyCommandOutput>(new sdk.CreateKeyCommand({}), elsewhere)).KeyMetadata!;
    expect(there.Arn).toBe(`arn:aws:kms:ap-south-1:${door.account}:key/${there.KeyId}`);
    expect(await codeOf(send(new sdk.DescribeKeyCommand({ KeyId: there.KeyId! })))).toBe('NotFoundException');
    const KeyId = await newKey({ MultiRegion: true });
    const { ReplicaKeyMetadata } = await send<sdk.ReplicateKeyCommandOutput>(new sdk.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'ap-south-1' }));
    expect(ReplicaKeyMetadata).toMatchObject({ KeyId, MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' } });
    const { CiphertextBlob } = await send<sdk.EncryptCommandOutput>(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    expect(Buffer.from((await send<sdk.DecryptCommandOutput>(new sdk.DecryptCommand({ CiphertextBlob: CiphertextBlob! }), elsewhere)).Plaintext!).toString()).toBe('x');
    expect((await send<sdk.GetKeyLastUsageCommandOutput>(new sdk.GetKeyLastUsageCommand({ KeyId }), elsewhere)).KeyLastUsage).toMatchObject({ Operation: 'Decrypt' });
    expect((await send<sdk.GetKeyLastUsageCommandOutput>(new sdk.GetKeyLastUsageCommand({ KeyId }))).KeyLastUsage).toMatchObject({ Operation: 'Encrypt' });
    await send(new sdk.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'ap-south-1' }));
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata!.MultiRegionConfiguration!.PrimaryKey!.Region).toBe('ap-south-1');
    elsewhere.destroy();
  });

  it('refuses a wrong secret, an unknown key, no region, a deleted and a rotated client', async () => {
    const once = { maxAttempts: 1 };
    const ask = async (changes: Partial<OpenDoor>): Promise<string> => {
      const client = sdkClient({ ...door, ...changes }, once);
      const code = await codeOf(client.send(new sdk.ListKeysCommand({})));
      client.destroy();
      return code;
    };
    expect(await ask({})).toBe('ok');
    expect(await ask({ secretAccessKey: 'wrong' })).toBe('UnrecognizedClientException');
    expect(await ask({ accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' })).toBe('UnrecognizedClientException');
    expect(await ask({ region: 'nowhere' })).toBe('InvalidSignatureException');
    const temporary = await makeClient(vault.client, 'temporary', 'user');
    expect(await ask(temporary)).toBe('ok');
    await vault.client.ok('access:RotateClientKey', { Name: 'temporary' });
    expect(await ask(temporary)).toBe('UnrecognizedClientException');
    const again = await makeClient(vault.client, 'again', 'user');
    expect(await ask(again)).toBe('ok');
    await vault.client.ok('access:DeleteClient', { Name: 'again' });
    expect(await ask(again)).toBe('UnrecognizedClientException');
  });

  it('makes a custom key store in a token, and keys in it, as scripts for CloudHSM do', async () => {
    await vault.client.ok('hardware:AddModule', { Path: SOFTHSM });
    const tokens = (await vault.client.ok('hardware:ListTokens'))['Tokens'] as readonly Readonly<Record<string, string>>[];
    const clusterOf = (label: string): string | undefined => tokens.find(({ Label }) => Label === label)?.['CloudHsmClusterId'];
    const CloudHsmClusterId = clusterOf('sdk');
    const made = await send<sdk.CreateCustomKeyStoreCommandOutput>(new sdk.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'sdk', CloudHsmClusterId, KeyStorePassword: PIN }));
    const CustomKeyStoreId = made.CustomKeyStoreId!;
    const stateOf = async (): Promise<string | undefined> => (await send<sdk.DescribeCustomKeyStoresCommandOutput>(new sdk.DescribeCustomKeyStoresCommand({ CustomKeyStoreId }))).CustomKeyStores?.[0]?.ConnectionState;
    expect(await codeOf(send(new sdk.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'sdk', CloudHsmClusterId })))).toBe('CustomKeyStoreNameInUseException');
    expect(await codeOf(send(new sdk.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'other', CloudHsmClusterId })))).toBe('CloudHsmClusterInUseException');
    expect(await codeOf(send(new sdk.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'other', CloudHsmClusterId: 'cluster-aaaaaaaaaaa' })))).toBe('CloudHsmClusterNotFoundException');
    expect(await codeOf(newKey({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }))).toBe('CustomKeyStoreInvalidStateException');
    await send(new sdk.UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName: 'by-sdk', KeyStorePassword: PIN }));
    await send(new sdk.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    expect(await stateOf()).toBe('CONNECTED');
    expect(await codeOf(send(new sdk.UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName: 'x' })))).toBe('CustomKeyStoreInvalidStateException');
    expect((await send<sdk.GenerateRandomCommandOutput>(new sdk.GenerateRandomCommand({ NumberOfBytes: 16, CustomKeyStoreId }))).Plaintext?.byteLength).toBe(16);
    const KeyId = await newKey({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const Message = randomBytes(32);
    const { Signature } = await send<sdk.SignCommandOutput>(new sdk.SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' }));
    expect((await send<sdk.VerifyCommandOutput>(new sdk.VerifyCommand({ KeyId, Message, Signature, SigningAlgorithm: 'ECDSA_SHA_256' }))).SignatureValid).toBe(true);
    await send(new sdk.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    expect((await send<sdk.DescribeKeyCommandOutput>(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({ KeyState: 'Unavailable', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId });
    expect(await codeOf(send(new sdk.DeleteCustomKeyStoreCommand({ CustomKeyStoreId })))).toBe('CustomKeyStoreHasCMKsException');
    expect(await codeOf(send(new sdk.ConnectCustomKeyStoreCommand({ CustomKeyStoreId: 'cks-00000000000000000' })))).toBe('CustomKeyStoreNotFoundException');
    const spare = await send<sdk.CreateCustomKeyStoreCommandOutput>(new sdk.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'spare', CloudHsmClusterId: clusterOf('spare'), KeyStorePassword: PIN }));
    await send(new sdk.DeleteCustomKeyStoreCommand({ CustomKeyStoreId: spare.CustomKeyStoreId }));
    const { CustomKeyStores } = await send<sdk.DescribeCustomKeyStoresCommandOutput>(new sdk.DescribeCustomKeyStoresCommand({}));
    expect(CustomKeyStores?.map(({ CustomKeyStoreName }) => CustomKeyStoreName)).toEqual(['by-sdk']);
  });

  it('was asked for everything that there is, and answered it', () => {
    const offered = NAMES.filter((name) => name.startsWith('kms:') && declarationOf(name).doors.includes('aws')).map((name) => name.slice(4));
    expect(offered.filter((name) => !asked.has(name))).toEqual([]);
  });

  it('says that the vault is locked, and goes on after it is unlocked', async () => {
    await vault.client.ok('vault:Lock');
    const once = sdkClient(door, { maxAttempts: 1 });
    expect(await codeOf(once.send(new sdk.ListKeysCommand({})))).toBe('VaultLockedException');
    await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
    expect(await codeOf(once.send(new sdk.ListKeysCommand({})))).toBe('ok');
    once.destroy();
  });
});
