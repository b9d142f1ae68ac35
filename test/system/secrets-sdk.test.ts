/** Every `secretsmanager:` operation that AWS clients are offered, asked by the real `@aws-sdk/client-secrets-manager` of a really running vault, over TLS. */
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declarationOf, NAMES } from '../../src/shared/api/index.ts';
import { codeOf, makeClient, openDoor, type OpenDoor } from './support/aws.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

let home = '';
let vault: VaultProcess;
let door: OpenDoor;
let secrets: sdk.SecretsManagerClient;
const asked = new Set<string>();

async function send<Output extends object>(command: { readonly constructor: { readonly name: string } }, by = secrets): Promise<Output> {
  asked.add(command.constructor.name.replace(/Command$/, ''));
  return (await by.send(command as never)) as Output;
}
const clientWith = ({ accessKeyId, secretAccessKey }: Pick<OpenDoor, 'accessKeyId' | 'secretAccessKey'>, region = door.region): sdk.SecretsManagerClient =>
  new sdk.SecretsManagerClient({
    endpoint: door.endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(door.authority === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca: door.authority, keepAlive: true, maxSockets: 50 }) } }),
  });

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
  door = await openDoor(vault.client);
  secrets = clientWith(door);
});
afterAll(async () => {
  secrets.destroy();
  await vault.stop();
  remove(home);
});

it('rotates a secret, says when it is next, and cancels', async () => {
  const { ARN } = await send<sdk.CreateSecretCommandOutput>(new sdk.CreateSecretCommand({ Name: 'app/rotated', SecretString: '{"password":"first"}' }));
  const RotationLambdaARN = `arn:aws:lambda:${door.region}:${door.account}:function:keystead-generic`;
  expect(await codeOf(send(new sdk.RotateSecretCommand({ SecretId: 'app/rotated' })))).toBe('InvalidRequestException');
  const begun = await send<sdk.RotateSecretCommandOutput>(new sdk.RotateSecretCommand({ SecretId: ARN, RotationLambdaARN, RotationRules: { ScheduleExpression: 'rate(10 days)', Duration: '3h' } }));
  let described: sdk.DescribeSecretCommandOutput;
  do described = await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId: ARN }));
  while (described.LastRotatedDate === undefined);
  expect(described).toMatchObject({ RotationEnabled: true, RotationLambdaARN, RotationRules: { ScheduleExpression: 'rate(10 days)', Duration: '3h' } });
  expect(described.VersionIdsToStages?.[begun.VersionId!]).toContain('AWSCURRENT');
  expect(described.NextRotationDate!.getTime()).toBeGreaterThan(described.LastRotatedDate.getTime());
  const got = await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: ARN }));
  expect((JSON.parse(got.SecretString!) as { password: string }).password).toHaveLength(32);
  const cancelled = await send<sdk.CancelRotateSecretCommandOutput>(new sdk.CancelRotateSecretCommand({ SecretId: ARN }));
  expect([cancelled.ARN, cancelled.VersionId]).toEqual([ARN, undefined]);
  const after = await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId: ARN }));
  expect([after.RotationEnabled, after.NextRotationDate, after.RotationRules]).toEqual([false, undefined, described.RotationRules]);
});

it('makes, reads, changes and describes a secret as an application does', async () => {
  const text = '{"username":"admin","password":"p\\"ä🔑\\n"}';
  const made = await send<sdk.CreateSecretCommandOutput>(new sdk.CreateSecretCommand({ Name: 'app/db', SecretString: text, Description: 'ünïcode 鍵', Tags: [{ Key: 'team', Value: 'infra' }] }));
  expect(made.ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:${door.region}:${door.account}:secret:app/db-[A-Za-z0-9]{6}$`));
  const got = await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'app/db' }));
  expect(got).toMatchObject({ ARN: made.ARN, Name: 'app/db', SecretString: text, VersionId: made.VersionId, VersionStages: ['AWSCURRENT'] });
  expect(got.CreatedDate).toBeInstanceOf(Date);
  const put = await send<sdk.PutSecretValueCommandOutput>(new sdk.PutSecretValueCommand({ SecretId: made.ARN, SecretString: 'two' }));
  expect(put.VersionStages).toEqual(['AWSCURRENT']);
  const updated = await send<sdk.UpdateSecretCommandOutput>(new sdk.UpdateSecretCommand({ SecretId: 'app/db', SecretString: 'three', Description: 'changed' }));
  const described = await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId: made.ARN!.slice(0, -7) }));
  expect(described).toMatchObject({ Name: 'app/db', Description: 'changed', Tags: [{ Key: 'team', Value: 'infra' }], VersionIdsToStages: { [put.VersionId!]: ['AWSPREVIOUS'], [updated.VersionId!]: ['AWSCURRENT'] } });
  expect(described.LastChangedDate).toBeInstanceOf(Date);
  const policy = await send<sdk.GetResourcePolicyCommandOutput>(new sdk.GetResourcePolicyCommand({ SecretId: 'app/db' }));
  expect([policy.ARN, policy.Name, policy.ResourcePolicy]).toEqual([made.ARN, 'app/db', undefined]);
  const bytes = randomBytes(65_536);
  await send(new sdk.CreateSecretCommand({ Name: 'app/bytes', SecretBinary: bytes }));
  const binary = await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'app/bytes' }));
  expect([Buffer.from(binary.SecretBinary ?? []).equals(bytes), binary.SecretString]).toEqual([true, undefined]);
});

it('moves stages, lists versions, tags and makes passwords', async () => {
  const [one, two] = ['1', '2'].map((name) => name.padEnd(32, '-')) as [string, string];
  await send(new sdk.CreateSecretCommand({ Name: 'stages', SecretString: 'one', ClientRequestToken: one }));
  await send(new sdk.PutSecretValueCommand({ SecretId: 'stages', SecretString: 'two', ClientRequestToken: two, VersionStages: ['AWSPENDING'] }));
  await send(new sdk.UpdateSecretVersionStageCommand({ SecretId: 'stages', VersionStage: 'AWSCURRENT', MoveToVersionId: two, RemoveFromVersionId: one }));
  expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'stages', VersionStage: 'AWSPREVIOUS' }))).SecretString).toBe('one');
  const { Versions } = await send<sdk.ListSecretVersionIdsCommandOutput>(new sdk.ListSecretVersionIdsCommand({ SecretId: 'stages' }));
  expect(Versions?.map(({ VersionId, VersionStages }) => [VersionId, VersionStages])).toEqual([[two, ['AWSCURRENT', 'AWSPENDING']], [one, ['AWSPREVIOUS']]]);
  await send(new sdk.TagResourceCommand({ SecretId: 'stages', Tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }] }));
  await send(new sdk.UntagResourceCommand({ SecretId: 'stages', TagKeys: ['a'] }));
  expect((await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId: 'stages' }))).Tags).toEqual([{ Key: 'b', Value: '2' }]);
  expect((await send<sdk.GetRandomPasswordCommandOutput>(new sdk.GetRandomPasswordCommand({ PasswordLength: 64, IncludeSpace: true }))).RandomPassword).toHaveLength(64);
});

it('lists by the SDK’s own pages, and reads in batches, the largest too', async () => {
  const large = '\u0001'.repeat(40_000);
  for (let at = 0; at < 20; at++) await send(new sdk.CreateSecretCommand({ Name: `batch/${String(at)}`, SecretString: large }));
  const names: string[] = [];
  for await (const page of sdk.paginateListSecrets({ client: secrets, pageSize: 7 }, { Filters: [{ Key: 'name', Values: ['batch/'] }], SortBy: 'name', SortOrder: 'asc' })) names.push(...(page.SecretList ?? []).map(({ Name }) => Name!));
  await send(new sdk.ListSecretsCommand({}));
  expect(names).toHaveLength(20);
  const batch = await send<sdk.BatchGetSecretValueCommandOutput>(new sdk.BatchGetSecretValueCommand({ SecretIdList: names }));
  expect(batch.SecretValues?.map(({ Name }) => Name)).toEqual(names);
  expect(new Set(batch.SecretValues?.map(({ SecretString }) => SecretString))).toEqual(new Set([large]));
  const missing = await send<sdk.BatchGetSecretValueCommandOutput>(new sdk.BatchGetSecretValueCommand({ SecretIdList: ['not/there'] }));
  expect(missing.Errors).toMatchObject([{ SecretId: 'not/there', ErrorCode: 'ResourceNotFoundException' }]);
});

it('deletes, restores and forces, with AWS’s errors', async () => {
  await send(new sdk.CreateSecretCommand({ Name: 'gone', SecretString: 'x' }));
  const { DeletionDate } = await send<sdk.DeleteSecretCommandOutput>(new sdk.DeleteSecretCommand({ SecretId: 'gone', RecoveryWindowInDays: 7 }));
  expect(DeletionDate).toBeInstanceOf(Date);
  expect(await codeOf(send(new sdk.GetSecretValueCommand({ SecretId: 'gone' })))).toBe('InvalidRequestException');
  await send(new sdk.RestoreSecretCommand({ SecretId: 'gone' }));
  await send(new sdk.DeleteSecretCommand({ SecretId: 'gone', ForceDeleteWithoutRecovery: true }));
  await send(new sdk.DeleteSecretCommand({ SecretId: 'gone', ForceDeleteWithoutRecovery: true }));
  await expect(send(new sdk.GetSecretValueCommand({ SecretId: 'gone' }))).rejects.toBeInstanceOf(sdk.ResourceNotFoundException);
  await expect(send(new sdk.CreateSecretCommand({ Name: 'app/db', SecretString: 'x' }))).rejects.toBeInstanceOf(sdk.ResourceExistsException);
  expect(await codeOf(send(new sdk.CreateSecretCommand({ Name: 'not a name' })))).toBe('ValidationException');
});

/** The replica's state in a region, once it is settled. */
async function settled(SecretId: string, Region: string): Promise<sdk.ReplicationStatusType> {
  for (;;) {
    const { ReplicationStatus } = await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId }));
    const found = ReplicationStatus?.find((one) => one.Region === Region);
    if (found && found.Status !== 'InProgress') return found;
  }
}

it('replicates a secret to another region, where nobody changes it, and promotes the replica', async () => {
  const there = clientWith(door, 'eu-central-1');
  try {
    const made = await send<sdk.CreateSecretCommandOutput>(new sdk.CreateSecretCommand({ Name: 'many/places', SecretString: 'one', Description: 'd', Tags: [{ Key: 'a', Value: 'b' }], AddReplicaRegions: [{ Region: 'eu-central-1' }] }));
    expect(made.ReplicationStatus).toEqual([{ Region: 'eu-central-1', KmsKeyId: 'alias/aws/secretsmanager', Status: 'InProgress' }]);
    expect(await settled('many/places', 'eu-central-1')).toMatchObject({ Status: 'InSync', StatusMessage: 'Replication succeeded', KmsKeyId: 'alias/aws/secretsmanager' });
    const ARN = made.ARN!.replace(door.region, 'eu-central-1');
    const got = await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: ARN }), there);
    expect(got).toMatchObject({ ARN, SecretString: 'one', VersionId: made.VersionId, VersionStages: ['AWSCURRENT'] });
    const put = await send<sdk.PutSecretValueCommandOutput>(new sdk.PutSecretValueCommand({ SecretId: 'many/places', SecretString: 'two' }));
    await settled('many/places', 'eu-central-1');
    const copy = await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId: 'many/places' }), there);
    expect(copy).toMatchObject({ ARN, PrimaryRegion: door.region, Description: 'd', Tags: [{ Key: 'a', Value: 'b' }], VersionIdsToStages: { [put.VersionId!]: ['AWSCURRENT'], [made.VersionId!]: ['AWSPREVIOUS'] } });
    expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'many/places', VersionStage: 'AWSPREVIOUS' }), there)).SecretString).toBe('one');

    const SecretId = 'many/places';
    const refused = [
      new sdk.PutSecretValueCommand({ SecretId, SecretString: 'x' }),
      new sdk.UpdateSecretCommand({ SecretId, Description: 'x' }),
      new sdk.UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSPREVIOUS', RemoveFromVersionId: made.VersionId }),
      new sdk.TagResourceCommand({ SecretId, Tags: [] }),
      new sdk.UntagResourceCommand({ SecretId, TagKeys: ['a'] }),
      new sdk.DeleteSecretCommand({ SecretId }),
      new sdk.DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }),
      new sdk.RestoreSecretCommand({ SecretId }),
      new sdk.RotateSecretCommand({ SecretId }),
      new sdk.CancelRotateSecretCommand({ SecretId }),
      new sdk.ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'eu-west-2' }] }),
      new sdk.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: ['eu-central-1'] }),
    ];
    for (const command of refused) expect([command.constructor.name, await codeOf(send(command, there))]).toEqual([command.constructor.name, 'InvalidParameterException']);
    // Its key is its own.
    await send(new sdk.UpdateSecretCommand({ SecretId, KmsKeyId: 'alias/aws/secretsmanager' }), there);

    // A primary is not deleted before its replicas.
    for (const ForceDeleteWithoutRecovery of [false, true]) expect(await codeOf(send(new sdk.DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery })))).toBe('InvalidParameterException');
    const replicated = { Key: 'primary-region' as const, Values: [door.region] };
    for (const by of [secrets, there]) expect((await send<sdk.ListSecretsCommandOutput>(new sdk.ListSecretsCommand({ Filters: [replicated] }), by)).SecretList).toMatchObject([{ Name: SecretId, PrimaryRegion: door.region }]);
    expect((await send<sdk.ListSecretsCommandOutput>(new sdk.ListSecretsCommand({}), there)).SecretList).toHaveLength(1);

    expect(await codeOf(send(new sdk.StopReplicationToReplicaCommand({ SecretId })))).toBe('InvalidParameterException');
    expect((await send<sdk.StopReplicationToReplicaCommandOutput>(new sdk.StopReplicationToReplicaCommand({ SecretId }), there)).ARN).toBe(ARN);
    await send(new sdk.PutSecretValueCommand({ SecretId, SecretString: 'its own' }), there);
    expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId }))).SecretString).toBe('two');
    expect((await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId }))).ReplicationStatus).toBeUndefined();

    // The name is taken there now: the failure is said, and nothing is lost but by the caller's own word.
    await send(new sdk.ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'eu-central-1' }] }));
    const failed = await settled(SecretId, 'eu-central-1');
    expect(failed.Status).toBe('Failed');
    expect(failed.StatusMessage).toContain('exists already in region `eu-central-1`');
    expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId }), there)).SecretString).toBe('its own');
    await send(new sdk.ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'eu-central-1' }], ForceOverwriteReplicaSecret: true }));
    while ((await settled(SecretId, 'eu-central-1')).Status !== 'InSync');
    expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId }), there)).SecretString).toBe('two');

    await send(new sdk.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: ['eu-central-1', 'eu-west-3'] }));
    expect(await codeOf(send(new sdk.DescribeSecretCommand({ SecretId }), there))).toBe('ResourceNotFoundException');
    await send(new sdk.DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  } finally {
    there.destroy();
  }
});

it('encrypts a replica under a key of its own region, and its rotation follows the primary’s', async () => {
  const there = clientWith(door, 'eu-central-1');
  try {
    const KmsKeyId = 'alias/of-there';
    await send(new sdk.CreateSecretCommand({ Name: 'rotates/there', SecretString: '{"password":"first"}', AddReplicaRegions: [{ Region: 'eu-central-1', KmsKeyId }] }));
    const failed = await settled('rotates/there', 'eu-central-1');
    expect([failed.Status, failed.StatusMessage]).toEqual(['Failed', expect.stringContaining(KmsKeyId)]);
    const { KeyMetadata } = await vault.client.ok('kms:CreateKey', {}, 'eu-central-1') as { KeyMetadata: { KeyId: string } };
    await vault.client.ok('kms:CreateAlias', { AliasName: KmsKeyId, TargetKeyId: KeyMetadata.KeyId }, 'eu-central-1');
    await send(new sdk.ReplicateSecretToRegionsCommand({ SecretId: 'rotates/there', AddReplicaRegions: [{ Region: 'eu-central-1' }] }));
    while ((await settled('rotates/there', 'eu-central-1')).Status !== 'InSync');
    const { Versions } = await send<sdk.ListSecretVersionIdsCommandOutput>(new sdk.ListSecretVersionIdsCommand({ SecretId: 'rotates/there' }), there);
    expect(Versions?.map(({ KmsKeyIds }) => KmsKeyIds)).toEqual([[expect.stringContaining(`:eu-central-1:`)]]);
    const { VersionId } = await send<sdk.RotateSecretCommandOutput>(new sdk.RotateSecretCommand({ SecretId: 'rotates/there', RotationLambdaARN: `arn:aws:lambda:${door.region}:${door.account}:function:keystead-generic` }));
    let read: sdk.GetSecretValueCommandOutput;
    do read = await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'rotates/there' }), there);
    while (read.VersionId !== VersionId);
    expect(read.SecretString).toBe((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'rotates/there' }))).SecretString);
  } finally {
    there.destroy();
  }
});

it('lets a client that only uses things read values and change none', async () => {
  const user = clientWith(await makeClient(vault.client, 'reader', 'user'));
  expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'stages' }), user)).SecretString).toBe('two');
  expect(await codeOf(send(new sdk.PutSecretValueCommand({ SecretId: 'stages', SecretString: 'x' }), user))).toBe('AccessDeniedException');
  // Not found and denied are the same to it.
  expect(await codeOf(send(new sdk.DeleteSecretCommand({ SecretId: 'never', ForceDeleteWithoutRecovery: true }), user))).toBe('AccessDeniedException');
  user.destroy();
});

it('has been asked everything that is offered at the door', () => {
  const offered = NAMES.filter((name) => name.startsWith('secretsmanager:') && declarationOf(name).doors.includes('aws')).map((name) => name.slice('secretsmanager:'.length));
  expect([...asked].sort()).toEqual([...offered].sort());
  expect(offered).toHaveLength(20);
});
