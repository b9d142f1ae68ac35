/** Every `secretsmanager:` operation against the built program: AWS's rules at their edges, hostile input, and what the trail says of it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NAMES, OPERATIONS } from '../../src/shared/api/index.ts';
import * as imports from '../../src/shared/api/secret-import.ts';
import * as remotes from '../../src/shared/api/secret-remotes.ts';
import * as replication from '../../src/shared/api/secret-replication.ts';
import * as rotation from '../../src/shared/api/secret-rotation.ts';
import type { Client, Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

let home = '';
let vault: VaultProcess;
let client: Client;
const seen = new Set<string>();

const full = (operation: string): string => (operation.includes(':') ? operation : `secretsmanager:${operation}`);
const ok = async (operation: string, input: Json = {}): Promise<Json> => {
  seen.add(full(operation));
  return client.ok(full(operation), input);
};
const code = async (operation: string, input: Json = {}): Promise<string> => {
  seen.add(full(operation));
  return client.code(full(operation), input);
};

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
let made = 0;
const fresh = (): string => `test/${String((made += 1))}`;
const text = (value: unknown): string => Buffer.from(String(value), 'base64').toString('utf8');
const token = (name: string): string => name.padEnd(32, '-');
const newSecret = async (value?: string, more: Json = {}): Promise<{ readonly name: string; readonly arn: string }> => {
  const name = fresh();
  const { ARN } = await ok('CreateSecret', { Name: name, ...(value === undefined ? {} : { SecretString: base64(value) }), ...more });
  return { name, arn: String(ARN) };
};
const current = async (SecretId: string): Promise<string> => text((await ok('GetSecretValue', { SecretId }))['SecretString']);

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

describe('the key of a secret', () => {
  it('is last used by what was done with the secret, the vault’s own key too', async () => {
    const { KeyId } = (await client.ok('kms:CreateKey', {}))['KeyMetadata'] as { readonly KeyId: string };
    const last = async (of: string): Promise<unknown> => ((await client.ok('kms:GetKeyLastUsage', { KeyId: of }))['KeyLastUsage'] as Json)['Operation'];
    expect(await last(KeyId)).toBeUndefined();
    const { name } = await newSecret('x', { KmsKeyId: KeyId });
    expect(await last(KeyId)).toBe('GenerateDataKey');
    await current(name);
    expect(await last(KeyId)).toBe('Decrypt');
    await ok('PutSecretValue', { SecretId: name, SecretString: base64('y') });
    expect(await last(KeyId)).toBe('GenerateDataKey');
    // What failed has used nothing.
    await client.ok('kms:DisableKey', { KeyId });
    expect(await code('GetSecretValue', { SecretId: name })).toBe('DecryptionFailure');
    expect(await last(KeyId)).toBe('GenerateDataKey');
    await newSecret('z');
    const { KeyMetadata: managed } = await client.ok('kms:DescribeKey', { KeyId: 'alias/aws/secretsmanager' });
    expect(await last(String((managed as Json)['KeyId']))).toBe('GenerateDataKey');
  });
});

describe('names and ARNs', () => {
  it('end in a hyphen and six characters, and are found by name, ARN and partial ARN', async () => {
    const { name, arn } = await newSecret('x');
    expect(arn).toMatch(new RegExp(`^arn:aws:secretsmanager:eu-west-1:\\d{12}:secret:${name}-[A-Za-z0-9]{6}$`));
    for (const SecretId of [name, arn, arn.slice(0, -7)]) expect(await current(SecretId)).toBe('x');
    for (const SecretId of [`${arn}x`, arn.slice(0, -1), arn.replace('eu-west-1', 'us-east-1'), 'arn:aws:secretsmanager', `${name}-`, '']) {
      expect(['ResourceNotFoundException', 'ValidationException']).toContain(await code('GetSecretValue', { SecretId }));
    }
  });

  it('may end in what looks like a suffix', async () => {
    const Name = `${fresh()}-abcdef`;
    const { ARN } = await ok('CreateSecret', { Name, SecretString: base64('odd') });
    expect(await current(String(ARN))).toBe('odd');
    // The partial ARN of the one could be the whole ARN of another; here there is only this one.
    expect(await current(String(ARN).slice(0, -7))).toBe('odd');
  });

  it.each(['', 'a b', 'ä', 'a\nb', 'a!', 'a'.repeat(513), '../..', "a'; DROP TABLE secrets; --"])('refuses or keeps apart %j', async (Name) => {
    expect(await code('CreateSecret', { Name })).toBe(Name === '../..' ? 'ok' : 'ValidationException');
  });

  it('are taken once, also by forty at the same time', async () => {
    const Name = fresh();
    const codes = await Promise.all(Array.from({ length: 40 }, (_, at) => code('CreateSecret', { Name, SecretString: base64(String(at)) })));
    expect(codes.filter((one) => one === 'ok')).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['ok', 'ResourceExistsException']));
  });

  it('come back as another secret after a forced deletion', async () => {
    const { name, arn } = await newSecret('old');
    await ok('DeleteSecret', { SecretId: name, ForceDeleteWithoutRecovery: true });
    const { ARN } = await ok('CreateSecret', { Name: name, SecretString: base64('new') });
    expect(ARN).not.toBe(arn);
    expect(await code('GetSecretValue', { SecretId: arn })).toBe('ResourceNotFoundException');
    expect(await current(name)).toBe('new');
  });
});

describe('values', () => {
  it('are text or bytes, of 1 to 65,536 bytes, and come back as they were', async () => {
    const { name } = await newSecret();
    expect(await code('GetSecretValue', { SecretId: name })).toBe('ResourceNotFoundException');
    for (const bytes of [randomBytes(1), randomBytes(65_536)]) {
      await ok('PutSecretValue', { SecretId: name, SecretBinary: base64(bytes) });
      const got = await ok('GetSecretValue', { SecretId: name });
      expect([got['SecretBinary'], Object.hasOwn(got, 'SecretString')]).toEqual([base64(bytes), false]);
    }
    const long = 'ä'.repeat(32_768);
    await ok('PutSecretValue', { SecretId: name, SecretString: base64(long) });
    expect(await current(name)).toBe(long);
    expect(await code('PutSecretValue', { SecretId: name, SecretString: base64(`${long}a`) })).toBe('ValidationException');
    expect(await code('PutSecretValue', { SecretId: name, SecretBinary: base64(randomBytes(65_537)) })).toBe('ValidationException');
    expect(await code('PutSecretValue', { SecretId: name, SecretString: '' })).toBe('ValidationException');
    expect(await code('PutSecretValue', { SecretId: name, SecretString: base64(Uint8Array.of(0xff, 0xfe)) })).toBe('ValidationException');
    expect(await code('PutSecretValue', { SecretId: name, SecretString: 'not base64!' })).toBe('SerializationException');
    expect(await code('PutSecretValue', { SecretId: name })).toBe('InvalidRequestException');
    expect(await code('PutSecretValue', { SecretId: name, SecretString: base64('a'), SecretBinary: base64('a') })).toBe('InvalidParameterException');
    expect(await code('CreateSecret', { Name: fresh(), SecretString: base64('a'), SecretBinary: base64('a') })).toBe('InvalidParameterException');
  });

  it('are the same request again by their token, or refused', async () => {
    const Name = fresh();
    const ClientRequestToken = token('once');
    const request = { Name, ClientRequestToken, SecretString: base64('v') };
    const first = await ok('CreateSecret', request);
    expect(await ok('CreateSecret', request)).toEqual(first);
    expect(await code('CreateSecret', { ...request, SecretString: base64('w') })).toBe('ResourceExistsException');
    expect(await code('CreateSecret', { ...request, ClientRequestToken: token('twice') })).toBe('ResourceExistsException');
    const before = (await ok('DescribeSecret', { SecretId: Name }))['LastChangedDate'];
    expect(await ok('PutSecretValue', { SecretId: Name, ClientRequestToken, SecretString: base64('v') })).toMatchObject({ VersionId: ClientRequestToken, VersionStages: ['AWSCURRENT'] });
    expect((await ok('DescribeSecret', { SecretId: Name }))['LastChangedDate']).toBe(before);
    expect(await code('PutSecretValue', { SecretId: Name, ClientRequestToken, SecretBinary: base64('v') })).toBe('ResourceExistsException');
    expect(await code('PutSecretValue', { SecretId: Name, ClientRequestToken: 'short', SecretString: base64('v') })).toBe('ValidationException');
    // Thirty at once: one version.
    const put = { SecretId: Name, ClientRequestToken: token('crowd'), SecretString: base64('crowd') };
    expect(new Set(await Promise.all(Array.from({ length: 30 }, () => code('PutSecretValue', put))))).toEqual(new Set(['ok']));
    expect((await ok('ListSecretVersionIds', { SecretId: Name, IncludeDeprecated: true }))['Versions']).toHaveLength(2);
  });

  it('move AWSPREVIOUS along, and stages as they are told', async () => {
    const { name } = await newSecret('1', { ClientRequestToken: token('1') });
    await ok('UpdateSecret', { SecretId: name, SecretString: base64('2'), ClientRequestToken: token('2') });
    await ok('PutSecretValue', { SecretId: name, SecretString: base64('3'), ClientRequestToken: token('3'), VersionStages: ['AWSPENDING', 'mine'] });
    expect((await ok('DescribeSecret', { SecretId: name }))['VersionIdsToStages']).toEqual({ [token('1')]: ['AWSPREVIOUS'], [token('2')]: ['AWSCURRENT'], [token('3')]: ['AWSPENDING', 'mine'] });
    await ok('UpdateSecretVersionStage', { SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: token('3'), RemoveFromVersionId: token('2') });
    expect(await current(name)).toBe('3');
    expect(text((await ok('GetSecretValue', { SecretId: name, VersionStage: 'AWSPREVIOUS' }))['SecretString'])).toBe('2');
    expect(text((await ok('GetSecretValue', { SecretId: name, VersionId: token('1') }))['SecretString'])).toBe('1');
    expect(await code('GetSecretValue', { SecretId: name, VersionId: token('1'), VersionStage: 'AWSCURRENT' })).toBe('InvalidParameterException');
    expect(await code('UpdateSecretVersionStage', { SecretId: name, VersionStage: 'AWSCURRENT', RemoveFromVersionId: token('3') })).toBe('InvalidParameterException');
    for (let at = 0; at < 16; at++) await ok('UpdateSecretVersionStage', { SecretId: name, VersionStage: `own-${String(at)}`, MoveToVersionId: token('1') });
    expect(await code('UpdateSecretVersionStage', { SecretId: name, VersionStage: 'one-more', MoveToVersionId: token('1') })).toBe('LimitExceededException');
  });

  it('are listed, the newest first, a page at a time', async () => {
    const { name } = await newSecret('0');
    for (let at = 1; at < 7; at++) await ok('PutSecretValue', { SecretId: name, SecretString: base64(String(at)), ClientRequestToken: token(String(at)) });
    expect(((await ok('ListSecretVersionIds', { SecretId: name }))['Versions'] as Json[]).map((one) => [one['VersionId'], one['VersionStages'], one['KmsKeyIds']])).toEqual([
      [token('6'), ['AWSCURRENT'], ['DefaultEncryptionKey']],
      [token('5'), ['AWSPREVIOUS'], ['DefaultEncryptionKey']],
    ]);
    const all: unknown[] = [];
    for (let next: unknown; ; ) {
      const page = await ok('ListSecretVersionIds', { SecretId: name, IncludeDeprecated: true, MaxResults: 3, ...(next === undefined ? {} : { NextToken: next }) });
      all.push(...(page['Versions'] as Json[]).map((one) => one['VersionId']));
      next = page['NextToken'];
      if (next === undefined) break;
    }
    expect(all).toHaveLength(7);
    expect(new Set(all).size).toBe(7);
    expect(await code('ListSecretVersionIds', { SecretId: name, NextToken: 'made-up' })).toBe('InvalidNextTokenException');
  });
});

describe('keys', () => {
  const newKey = async (spec = 'SYMMETRIC_DEFAULT', usage = 'ENCRYPT_DECRYPT'): Promise<string> => String(((await ok('kms:CreateKey', { KeySpec: spec, KeyUsage: usage }))['KeyMetadata'] as Json)['KeyId']);

  it('are one of the vault’s own, made once, or the caller’s', async () => {
    await newSecret('x');
    const aliases = (await ok('kms:ListAliases', { Limit: 1000 }))['Aliases'] as Json[];
    expect(aliases.filter(({ AliasName }) => AliasName === 'alias/aws/secretsmanager')).toHaveLength(1);
    const KmsKeyId = await newKey();
    const { name } = await newSecret('x', { KmsKeyId });
    expect(await ok('DescribeSecret', { SecretId: name })).toMatchObject({ KmsKeyId });
    const { Versions } = (await ok('ListSecretVersionIds', { SecretId: name })) as { readonly Versions: readonly Json[] };
    expect(String((Versions[0]?.['KmsKeyIds'] as string[])[0])).toContain(KmsKeyId);
    for (const managed of ['alias/aws/secretsmanager', '']) expect(await ok('DescribeSecret', { SecretId: (await newSecret('x', { KmsKeyId: managed })).name })).not.toHaveProperty('KmsKeyId');
  });

  it('open nothing while they are disabled, and say so in AWS Secrets Manager’s words', async () => {
    const KeyId = await newKey();
    const { name } = await newSecret('x', { KmsKeyId: KeyId });
    await ok('kms:DisableKey', { KeyId });
    expect(await code('GetSecretValue', { SecretId: name })).toBe('DecryptionFailure');
    expect(await code('PutSecretValue', { SecretId: name, SecretString: base64('y') })).toBe('EncryptionFailure');
    expect(await code('CreateSecret', { Name: fresh(), KmsKeyId: KeyId, SecretString: base64('y') })).toBe('EncryptionFailure');
    await ok('kms:EnableKey', { KeyId });
    expect(await current(name)).toBe('x');
  });

  it('are refused where they are none or of another kind', async () => {
    const rsa = await newKey('RSA_2048');
    expect(await code('CreateSecret', { Name: fresh(), KmsKeyId: rsa })).toBe('InvalidParameterException');
    for (const KmsKeyId of ['nothing', 'alias/none', 'arn:broken', '00000000-0000-4000-8000-000000000000']) expect(await code('CreateSecret', { Name: fresh(), KmsKeyId })).toBe('ResourceNotFoundException');
  });

  it('may change: what is in use is encrypted anew, older versions stay under the old one', async () => {
    const [from, to] = [await newKey(), await newKey()];
    const { name } = await newSecret('1', { KmsKeyId: from, ClientRequestToken: token('1') });
    for (const at of ['2', '3']) await ok('PutSecretValue', { SecretId: name, SecretString: base64(at), ClientRequestToken: token(at) });
    await ok('UpdateSecret', { SecretId: name, KmsKeyId: to });
    await ok('kms:DisableKey', { KeyId: from });
    expect(await current(name)).toBe('3');
    expect(text((await ok('GetSecretValue', { SecretId: name, VersionStage: 'AWSPREVIOUS' }))['SecretString'])).toBe('2');
    expect(await code('GetSecretValue', { SecretId: name, VersionId: token('1') })).toBe('DecryptionFailure');
  });

  it('rotate under secrets that stay readable', async () => {
    const KeyId = await newKey();
    const { name } = await newSecret('before', { KmsKeyId: KeyId });
    await ok('kms:RotateKeyOnDemand', { KeyId });
    expect(await current(name)).toBe('before');
  });
});

describe('deletion', () => {
  it('waits 7 to 30 days, hides the value, and can be taken back', async () => {
    const { name } = await newSecret('x');
    for (const RecoveryWindowInDays of [6, 31, 0, -1]) expect(await code('DeleteSecret', { SecretId: name, RecoveryWindowInDays })).toBe('InvalidParameterException');
    expect(await code('DeleteSecret', { SecretId: name, RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true })).toBe('InvalidParameterException');
    const { DeletionDate } = await ok('DeleteSecret', { SecretId: name });
    expect(Math.round((Number(DeletionDate) - Date.now() / 1000) / 86_400)).toBe(30);
    expect((await ok('DescribeSecret', { SecretId: name }))['DeletedDate']).toBe(DeletionDate);
    for (const [operation, input] of Object.entries({ GetSecretValue: {}, PutSecretValue: { SecretString: base64('y') }, UpdateSecret: { Description: 'd' }, TagResource: { Tags: [] }, UntagResource: { TagKeys: [] }, DeleteSecret: {} })) {
      expect([operation, await code(operation, { SecretId: name, ...input })]).toEqual([operation, 'InvalidRequestException']);
    }
    expect(await code('CreateSecret', { Name: name })).toBe('InvalidRequestException');
    await ok('RestoreSecret', { SecretId: name });
    expect(await current(name)).toBe('x');
    await ok('RestoreSecret', { SecretId: name });
  });

  it('is at once when forced, also of what is not there', async () => {
    const { name, arn } = await newSecret('x');
    await ok('DeleteSecret', { SecretId: name });
    expect(await ok('DeleteSecret', { SecretId: name, ForceDeleteWithoutRecovery: true })).toMatchObject({ ARN: arn, Name: name });
    expect(await code('DescribeSecret', { SecretId: name })).toBe('ResourceNotFoundException');
    expect(await ok('DeleteSecret', { SecretId: name, ForceDeleteWithoutRecovery: true })).toMatchObject({ Name: name });
    expect(await ok('DeleteSecret', { SecretId: arn, ForceDeleteWithoutRecovery: true })).toMatchObject({ ARN: arn, Name: name });
    expect(await code('DeleteSecret', { SecretId: name })).toBe('ResourceNotFoundException');
    expect(await code('DeleteSecret', { SecretId: name, ForceDeleteWithoutRecovery: false })).toBe('ResourceNotFoundException');
  });
});

describe('tags', () => {
  it('are at most 50, and none of AWS’s', async () => {
    const { name } = await newSecret();
    const Tags = Array.from({ length: 50 }, (_, at) => ({ Key: `k${String(at)}`, Value: 'v' }));
    await ok('TagResource', { SecretId: name, Tags });
    expect(await code('TagResource', { SecretId: name, Tags: [{ Key: 'more', Value: '' }] })).toBe('InvalidParameterException');
    await ok('TagResource', { SecretId: name, Tags: [{ Key: 'k0', Value: 'w' }] });
    await ok('UntagResource', { SecretId: name, TagKeys: [...Tags.slice(1).map(({ Key }) => Key), 'never'] });
    expect((await ok('DescribeSecret', { SecretId: name }))['Tags']).toEqual([{ Key: 'k0', Value: 'w' }]);
    for (const Key of ['aws:x', 'AWS:x', 'a<b']) expect(await code('TagResource', { SecretId: name, Tags: [{ Key, Value: '' }] })).toBe('InvalidParameterException');
    expect(await code('TagResource', { SecretId: name, Tags: [{ Key: 'a', Value: '' }, { Key: 'a', Value: '' }] })).toBe('InvalidParameterException');
  });
});

describe('lists', () => {
  const namesOf = async (input: Json): Promise<unknown[]> => {
    const names: unknown[] = [];
    for (let next: unknown; ; ) {
      const page = await ok('ListSecrets', { MaxResults: 2, ...input, ...(next === undefined ? {} : { NextToken: next }) });
      names.push(...(page['SecretList'] as Json[]).map(({ Name }) => Name));
      next = page['NextToken'];
      if (next === undefined) return names;
    }
  };
  beforeAll(async () => {
    const secrets: Json[] = [
      { Name: 'list/Alpha', Description: 'The database of orders', Tags: [{ Key: 'team', Value: 'red' }] },
      { Name: 'list/beta-DbPassword', Description: 'database password', Tags: [{ Key: 'team', Value: 'blue' }] },
      { Name: 'list/gamma', Description: '', Tags: [{ Key: 'Owner', Value: 'red' }] },
      { Name: 'list/delta', Description: 'gone soon' },
      { Name: 'list/epsilon', SecretString: base64('x') },
    ];
    for (const secret of secrets) await ok('CreateSecret', secret);
    await ok('DeleteSecret', { SecretId: 'list/delta' });
  });
  const within = (...Filters: Json[]): Json => ({ SortBy: 'name', SortOrder: 'asc', Filters: [{ Key: 'name', Values: ['list/'] }, ...Filters] });
  const [alpha, beta, delta, epsilon, gamma] = ['list/Alpha', 'list/beta-DbPassword', 'list/delta', 'list/epsilon', 'list/gamma'];

  it.each<[string, Json, string[]]>([
    ['in their order', within(), [alpha, beta, epsilon, gamma]],
    ['those to be deleted too', { ...within(), IncludePlannedDeletion: true }, [alpha, beta, delta, epsilon, gamma]],
    ['backwards', { ...within(), SortOrder: 'desc' }, [gamma, epsilon, beta, alpha]],
    ['by date, the newest first', { Filters: [{ Key: 'name', Values: ['list/'] }] }, [epsilon, gamma, beta, alpha]],
    ['by the exact beginning of the name', within({ Key: 'name', Values: ['list/alpha', 'list/b'] }), [beta]],
    ['by words of the description in any case', within({ Key: 'description', Values: ['DATA'] }), [alpha, beta]],
    ['by all of several words', within({ Key: 'description', Values: ['orders database'] }), [alpha]],
    ['by tag key', within({ Key: 'tag-key', Values: ['team'] }), [alpha, beta]],
    ['by tag value', within({ Key: 'tag-value', Values: ['red'] }), [alpha, gamma]],
    ['by words anywhere', within({ Key: 'all', Values: ['password'] }), [beta]],
    ['by words of the name’s parts', within({ Key: 'all', Values: ['db'] }), [beta]],
    ['but those', within({ Key: 'all', Values: ['!database'] }), [epsilon, gamma]],
    ['of no other service', within({ Key: 'owning-service', Values: ['rds'] }), []],
    ['of no primary region while nothing is replicated', within({ Key: 'primary-region', Values: ['eu-west-1'] }), []],
    ['none for nothing but separators', within({ Key: 'all', Values: [' /'] }), []],
  ])('are filtered and sorted: %s', async (_name, input, expected) => {
    expect(await namesOf(input)).toEqual(expected);
  });

  it('refuse tokens that they did not give out, and filters that AWS does not have', async () => {
    const { NextToken } = await ok('ListSecrets', { MaxResults: 1 });
    expect(await code('ListSecrets', { MaxResults: 1, NextToken, SortBy: 'name' })).toBe('InvalidNextTokenException');
    for (const wrong of ['x', base64('[]'), base64('["name","asc",null,null]'), `${String(NextToken)}A`, base64('{"__proto__":1}')]) expect(await code('ListSecrets', { NextToken: wrong })).toBe('InvalidNextTokenException');
    for (const Filters of [[{ Key: 'value', Values: ['x'] }], [{ Key: 'name', Values: [] }], [{ Key: 'name', Values: ['<script>'] }], Array.from({ length: 11 }, () => ({ Key: 'name', Values: ['a'] }))]) expect(await code('ListSecrets', { Filters })).toBe('ValidationException');
  });
});

describe('batches', () => {
  it('answer with what can be read, and say of the rest why not', async () => {
    const [one, two, gone, empty] = [await newSecret('1'), await newSecret('2'), await newSecret('3'), await newSecret()];
    await ok('DeleteSecret', { SecretId: gone.name });
    const batch = await ok('BatchGetSecretValue', { SecretIdList: [one.name, two.arn, gone.name, empty.name, 'not/there'] });
    expect((batch['SecretValues'] as Json[]).map((value) => [value['Name'], text(value['SecretString'])])).toEqual([[one.name, '1'], [two.name, '2']]);
    expect((batch['Errors'] as Json[]).map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode])).toEqual([[gone.name, 'InvalidRequestException'], [empty.name, 'ResourceNotFoundException'], ['not/there', 'ResourceNotFoundException']]);
  });

  it('take a list or filters, of at most 20', async () => {
    expect(await code('BatchGetSecretValue')).toBe('InvalidParameterException');
    expect(await code('BatchGetSecretValue', { SecretIdList: ['a'], Filters: [] })).toBe('InvalidParameterException');
    expect(await code('BatchGetSecretValue', { SecretIdList: ['a'], MaxResults: 1 })).toBe('InvalidParameterException');
    expect(await code('BatchGetSecretValue', { SecretIdList: Array.from({ length: 21 }, () => 'a') })).toBe('ValidationException');
  });

  it('page by number and by size', async () => {
    const large = 'x'.repeat(65_536);
    for (let at = 0; at < 9; at++) await ok('CreateSecret', { Name: `batch/${String(at)}`, SecretString: base64(large) });
    const found: unknown[] = [];
    let pages = 0;
    for (let next: unknown; ; ) {
      const page = await ok('BatchGetSecretValue', { Filters: [{ Key: 'name', Values: ['batch/'] }], ...(next === undefined ? {} : { NextToken: next }) });
      found.push(...(page['SecretValues'] as Json[]).map(({ Name }) => Name));
      pages += 1;
      next = page['NextToken'];
      if (next === undefined) break;
    }
    expect([found.sort(), pages]).toEqual([Array.from({ length: 9 }, (_, at) => `batch/${String(at)}`), 2]);
  });
});

it('makes passwords as AWS does', async () => {
  const { RandomPassword } = await ok('GetRandomPassword', { PasswordLength: 20, ExcludePunctuation: true });
  expect(text(RandomPassword)).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{20}$/);
  expect(await code('GetRandomPassword', { PasswordLength: 4097 })).toBe('ValidationException');
  expect(await code('GetRandomPassword', { PasswordLength: 3 })).toBe('InvalidParameterException');
});

it('makes passphrases of words, and one-time codes of seeds that a secret holds', async () => {
  const { RandomPassphrase } = await ok('GetRandomPassphrase', { Words: 7, Separator: '.' });
  expect(text(RandomPassphrase)).toMatch(/^[a-z]+(?:\.[a-z]+){6}$/);
  expect(await code('GetRandomPassphrase', { Words: 2 })).toBe('ValidationException');
  const { name } = await newSecret('{"username":"ada","totp":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}');
  const { Code, Digits, Period, ExpirationDate } = await ok('GetOneTimeCode', { SecretId: name, Member: 'totp' });
  expect([text(Code).length, Digits, Period]).toEqual([6, 6, 30]);
  expect(Number(ExpirationDate) % 30).toBe(0);
  expect(await code('GetOneTimeCode', { SecretId: name, Member: 'username' })).toBe('InvalidParameterException');
  expect(await code('GetOneTimeCode', { SecretId: name })).toBe('InvalidParameterException');
  expect(await code('GetOneTimeCode', { SecretId: name, Member: 'gone' })).toBe('InvalidParameterException');
});

it('has no policy of a secret’s own', async () => {
  const { name, arn } = await newSecret('value');
  expect(await ok('GetResourcePolicy', { SecretId: name })).toEqual({ ARN: arn, Name: name });
  expect(await code('GetResourcePolicy', { SecretId: 'none' })).toBe('ResourceNotFoundException');
});

it('takes no field that it does not know, and no other shape', async () => {
  for (const input of [{ SecretId: 1 }, { SecretId: ['a'] }, { SecretId: { $ne: '' } }, { SecretId: 'a', VersionID: 'x' }, { SecretId: 'a'.repeat(2049) }, { SecretId: null }]) expect(await code('GetSecretValue', input)).toBe('ValidationException');
  expect(await code('CreateSecret', { Name: fresh(), AddReplicaRegions: [{ Region: 'us-east-1', Regions: [] }] })).toBe('ValidationException');
});

it('is refused whole while the vault is locked, and there again afterwards', async () => {
  const { name } = await newSecret('kept');
  await ok('vault:Lock');
  for (const operation of ['GetSecretValue', 'DescribeSecret', 'DeleteSecret']) expect(await code(operation, { SecretId: name })).toBe('VaultLockedException');
  await ok('vault:Unlock', { Password: base64(PASSWORD) });
  expect(await current(name)).toBe('kept');
});

it('records what was reached and never a value', async () => {
  const needle = 'needle-in-the-trail-7431';
  const { name, arn } = await newSecret(needle, { Description: 'needle-description', ClientRequestToken: token('recorded') });
  await ok('PutSecretValue', { SecretId: name, SecretString: base64(`${needle}-2`) });
  await ok('GetSecretValue', { SecretId: name });
  await ok('BatchGetSecretValue', { Filters: [{ Key: 'name', Values: [name] }] });
  await code('PutSecretValue', { SecretId: name, ClientRequestToken: token('recorded'), SecretString: base64('needle-refused') });
  const { Events } = await ok('trail:LookupEvents', { Limit: 30 });
  const all = JSON.stringify(Events);
  for (const form of [needle, base64(needle), 'needle-', base64('needle-refused')]) expect(all).not.toContain(form);
  const mine = (Events as Json[]).filter((event) => JSON.stringify(event).includes(arn)).map((event) => event['Operation']);
  for (const operation of ['CreateSecret', 'PutSecretValue', 'GetSecretValue', 'BatchGetSecretValue']) expect(mine).toContain(full(operation));
});

it('has been asked every operation that a door offers to people, but for those with a file of their own: rotation, imports, replicas and remotes', () => {
  const elsewhere = new Set<string>(Object.values({ ...rotation, ...imports, ...replication, ...remotes }).flatMap((one) => (typeof one === 'object' && 'name' in one ? [one.name] : [])));
  const offered = NAMES.filter((name) => name.startsWith('secretsmanager:') && !elsewhere.has(name) && OPERATIONS[name].doors.some((door) => door === 'cli'));
  expect([...offered].sort()).toEqual([...seen].filter((name) => name.startsWith('secretsmanager:')).sort());
});
