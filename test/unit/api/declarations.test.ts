import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createClient, type Transport } from '../../../src/shared/api/client.ts';
import { commandsOf, fieldsOf, kebab, refusedOf } from '../../../src/shared/api/describe.ts';
import { ACTIONS, declarationOf, NAMES, OPERATIONS } from '../../../src/shared/api/index.ts';
import { dataKeyLength } from '../../../src/shared/api/kms-data-keys.ts';
import { algorithmLists, usageOf } from '../../../src/shared/api/kms-keys.ts';
import { codecFor, COMMON_ERRORS, innerSchema, isRefused, secretFields, secretTexts } from '../../../src/shared/api/operation.ts';
import { bytesToBase64 } from '../../../src/shared/wire/base64.ts';
import { KEY_SPECS, KEY_USAGES, keySpecOf, type KeySpec } from '../../../src/shared/model/algorithms.ts';
import { isErrorCode } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { VERSION } from '../../../src/shared/version.ts';
import { COMMANDS } from '../../../src/cli/run.ts';

/** A ciphertext that carries a secret is none. */
const CIPHERTEXT_NAME = 'CiphertextBlob';
/** What a value of such a name may hold. A boolean of the name (`RecoveryCode: true` asks for one) is no value. */
const SECRET_NAME = /password|recoverycode|plaintext|^message$|secret|token$|pin$/i;

/** AWS's names that only sound like it. */
const NOT_SECRET: ReadonlySet<string> = new Set([
  // Name a secret, or list what is known of several.
  'SecretId',
  'SecretIdList',
  'SecretList',
  'SecretVersionsToStages',
  // A list of objects, in which SecretString and SecretBinary are secrets.
  'SecretValues',
  // The id of a version, and where a listing goes on.
  'ClientRequestToken',
  'NextToken',
  // Sealed: no use to anybody without the unlocked vault.
  'ImportToken',
  // How long a password is to be.
  'PasswordLength',
]);
/** A list of revealed values is what the operation is for; the wire reads and writes them at their place (`secretFields`). */
const NESTED_SECRETS: ReadonlySet<string> = new Set(['secretsmanager:BatchGetSecretValue']);

const everything = NAMES.map((name) => [name, declarationOf(name)] as const);

describe.each(everything)('%s', (name, operation) => {
  const shape = operation.input instanceof z.ZodObject ? (operation.input.shape as Record<string, z.ZodType>) : undefined;

  it('has a strict object for input and output, under its own name', () => {
    expect(OPERATIONS[name].name).toBe(name);
    for (const schema of [operation.input, operation.output]) expect(schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever).toBe(true);
    expect(operation.input.safeParse({ NoSuchField: 1 }).success).toBe(false);
  });

  it('keeps everything secret-looking in a secret', () => {
    for (const schema of [operation.input, operation.output]) {
      for (const field of fieldsOf(schema)) if (SECRET_NAME.test(field.name) && !NOT_SECRET.has(field.name) && !field.name.endsWith(CIPHERTEXT_NAME) && !['boolean', 'true'].includes(field.kind)) expect([field.name, field.kind]).toEqual([field.name, 'secret']);
    }
  });

  it('records fields that exist, and no binary or secret one', () => {
    for (const field of operation.audited) {
      const schema: z.ZodType | undefined = shape?.[field];
      expect([field, schema !== undefined && !isRefused(schema) && codecFor(schema) === undefined]).toEqual([field, true]);
    }
    expect(new Set(operation.audited).size).toBe(operation.audited.length);
  });

  it('names its resource by a field of its input', () => {
    for (const rule of [operation.resource, operation.destination]) {
      const named = [rule?.field, rule?.keyField, rule?.algorithmField].filter((field) => field !== undefined);
      expect(Object.keys(shape ?? {})).toEqual(expect.arrayContaining(named));
    }
  });

  it('holds no secret and no blob below its top level', () => {
    const below = (schema: z.ZodType, depth: number): boolean => {
      const inner = innerSchema(schema);
      if (codecFor(inner) !== undefined) return depth > 1;
      if (inner instanceof z.ZodObject) return Object.values<z.ZodType>(inner.shape).some((field) => below(field, depth + 1));
      return inner instanceof z.ZodArray && below(inner.element as z.ZodType, depth + 1);
    };
    expect([below(operation.input, 0), below(operation.output, 0)]).toEqual([false, NESTED_SECRETS.has(name)]);
  });

  it('lists known errors once, and none of the common ones', () => {
    expect(operation.errors.every(isErrorCode)).toBe(true);
    expect(new Set([...operation.errors, ...COMMON_ERRORS]).size).toBe(operation.errors.length + COMMON_ERRORS.length);
  });

  it('has a summary of one sentence', () => {
    expect(operation.summary).toMatch(/^[A-Z][^\n]+[^.]$/);
  });

  it('may only write where its effect says so', () => {
    if (/:(?:Describe|List|Get|Lookup|Status|Verify)/.test(name)) expect(['read', 'use']).toContain(operation.effect);
    if (/:(?:Create|Update|Delete|Enable|Disable|Schedule|CancelKey|Add|Remove|Change)/.test(name)) expect(['write', 'control']).toContain(operation.effect);
  });
});

describe('the list', () => {
  it('has every name once, and as policy actions', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
    // As in AWS: who may take from one key and give to another is asked twice.
    const actions = NAMES.flatMap((name): string[] => (name === 'kms:ReEncrypt' ? ['kms:ReEncryptFrom', 'kms:ReEncryptTo'] : [name]));
    expect([...ACTIONS].sort()).toEqual(actions.sort());
  });

  it('becomes commands one to one', () => {
    const names = COMMANDS.flatMap((command) => command.names);
    expect(new Set(names).size).toBe(names.length);
    for (const [, operation] of everything) for (const command of operation.doors.includes('cli') ? commandsOf(operation) : []) expect(names).toContain(command);
    for (const { flags } of COMMANDS) expect(new Set(flags.map(({ name }) => name)).size).toBe(flags.length);
  });

  it('becomes flags one to one', () => {
    for (const [, { input }] of everything) {
      const flags = fieldsOf(input).map(({ flag }) => flag);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it('leaves only a look at the state unrecorded', () => {
    expect(NAMES.filter((name) => declarationOf(name).recorded === false)).toEqual(['vault:Status', 'vault:ListVaults', 'access:ListAwsRequests', 'window:DescribeSettings']);
  });
});

describe('names', () => {
  it.each([['CreateKey', 'create-key'], ['AWSAccountId', 'aws-account-id'], ['NumberOfBytes', 'number-of-bytes'], ['KeyId', 'key-id'], ['GenerateMac', 'generate-mac'], ['PendingWindowInDays', 'pending-window-in-days']])('%s is %s', (from, to) => {
    expect(kebab(from)).toBe(to);
  });
});

const parse = (name: keyof typeof OPERATIONS, input: object): string => {
  const parsed = OPERATIONS[name].input.safeParse(input);
  return parsed.success ? 'ok' : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
};

describe('CreateKey', () => {
  it('says what to do in place of what is not offered', () => {
    expect(parse('kms:CreateKey', { KeySpec: 'RSA_2048', CustomerMasterKeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })).toBe('CustomerMasterKeySpec: is the old name of `KeySpec`: give one of them');
    expect(refusedOf(OPERATIONS['kms:CreateKey'].input).map((field) => field.name)).toEqual(['Policy', 'BypassPolicyLockoutSafetyCheck', 'XksKeyId']);
    expect(parse('kms:CreateKey', { Origin: 'EXTERNAL_KEY_STORE' })).toMatch(/^Origin: must be `AWS_KMS`/);
    expect(parse('kms:CreateKey', { Origin: 'AWS_CLOUDHSM' })).toMatch(/^CustomKeyStoreId: goes with `Origin` AWS_CLOUDHSM/);
    expect(parse('kms:CreateKey', { CustomKeyStoreId: 'cks-1' })).toMatch(/^CustomKeyStoreId: goes with `Origin` AWS_CLOUDHSM/);
  });

  it.each(Object.keys(KEY_SPECS) as KeySpec[])('takes exactly the usages of %s', (spec) => {
    for (const usage of KEY_USAGES) {
      const fits = keySpecOf(spec).algorithms[usage] !== undefined;
      expect(parse('kms:CreateKey', { KeySpec: spec, KeyUsage: usage }) === 'ok').toBe(fits);
      expect(Object.values(algorithmLists(spec, usage)).flat()).toEqual(expect.arrayContaining([...(keySpecOf(spec).algorithms[usage] ?? [])]));
    }
    const ambiguous = keySpecOf(spec).family === 'rsa';
    expect([parse('kms:CreateKey', { KeySpec: spec }) === 'ok', usageOf(spec, undefined) === undefined]).toEqual([!ambiguous, ambiguous]);
  });
});

it('takes an elliptic curve key without a usage as one that signs, and SM2 to be answered by AWS’s own error', () => {
  expect([usageOf('ECC_NIST_P256', undefined), usageOf('ECC_NIST_P256', 'KEY_AGREEMENT'), usageOf('ML_KEM_768', undefined)]).toEqual(['SIGN_VERIFY', 'KEY_AGREEMENT', 'ENCAPSULATE_DECAPSULATE']);
  expect(parse('kms:CreateKey', { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' })).toBe('ok');
});

describe('conditions between fields', () => {
  const secret = (text: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(text));
  const password = secret('correct horse');
  it.each<[keyof typeof OPERATIONS, object, RegExp]>([
    ['kms:GenerateDataKey', { KeyId: 'a' }, /either `KeySpec` or `NumberOfBytes`/],
    ['kms:GenerateDataKey', { KeyId: 'a', KeySpec: 'AES_256', NumberOfBytes: 1 }, /either/],
    ['kms:GenerateDataKey', { KeyId: 'a', KeySpec: 'AES_256' }, /^ok$/],
    ['kms:Decrypt', { CiphertextBlob: 'AA==', EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }, /KeyId: must be given/],
    ['kms:Decrypt', { CiphertextBlob: 'AA==' }, /^ok$/],
    ['kms:Encrypt', { KeyId: 'a', Plaintext: 'AA==' }, /Plaintext/],
    ['kms:Encrypt', { KeyId: 'a', Plaintext: password, EncryptionContext: { a: 'b'.repeat(8191) } }, /^ok$/],
    ['kms:Encrypt', { KeyId: 'a', Plaintext: password, EncryptionContext: { a: 'ä'.repeat(4096) } }, /8192 bytes/],
    ['vault:Create', {}, /Password: must be given/],
    ['vault:Create', { Password: secret('short') }, /Password/],
    ['vault:Create', { Password: password }, /^ok$/],
    ['vault:Create', { Factors: 'keychain' }, /AcceptKeychainOnly/],
    ['vault:Create', { Factors: 'keychain', AcceptKeychainOnly: true }, /^ok$/],
    ['vault:Create', { Factors: 'keychain', AcceptKeychainOnly: true, Password: password }, /Password: must be left out/],
    ['vault:Create', { Password: password, Region: 'nowhere' }, /Region/],
    ['vault:Unlock', {}, /exactly one/],
    ['vault:Unlock', { Password: password, Keychain: true }, /exactly one/],
    ['vault:Unlock', { Keychain: true }, /^ok$/],
    ['vault:RemoveSlot', { SlotId: 'ab'.repeat(16), How: 'retired' }, /exactly one/],
    ['vault:AddSlot', { Type: 'password', Password: password }, /NewPassword/],
    ['vault:AddSlot', { Type: 'keychain', Password: password }, /AcceptKeychainOnly/],
    ['vault:AddSlot', { Type: 'recovery', Password: password }, /^ok$/],
    ['vault:ChangePassword', { NewPassword: password }, /either/],
    ['file:Sign', { Path: 'relative', KeyId: 'a' }, /absolute/],
    ['file:Sign', { Path: '/a\0b', KeyId: 'a' }, /absolute/],
    ['trail:LookupEvents', { Before: 1, After: 1 }, /Before/],
  ])('%s %j', (name, input, expected) => {
    expect(parse(name, input)).toMatch(expected);
  });

  it('gives a data key its length', () => {
    expect([dataKeyLength({ KeySpec: 'AES_128' }), dataKeyLength({ KeySpec: 'AES_256' }), dataKeyLength({ NumberOfBytes: 7 })]).toEqual([16, 32, 7]);
  });
});

describe('codecs', () => {
  it('are seen through optional, default and describe', () => {
    expect([...secretFields(OPERATIONS['vault:Create'].input)]).toEqual(['Password']);
    expect([...secretFields(OPERATIONS['vault:ChangePassword'].input)]).toEqual(['CurrentPassword', 'RecoveryCode', 'NewPassword']);
    expect([...secretFields(OPERATIONS['kms:Encrypt'].input)]).toEqual(['Plaintext']);
    expect([...secretFields(OPERATIONS['secretsmanager:BatchGetSecretValue'].output)]).toEqual(['SecretValues.SecretBinary', 'SecretValues.SecretString']);
    expect([...secretTexts(OPERATIONS['secretsmanager:CreateSecret'].input)]).toEqual(['SecretString']);
  });

  it('take blobs as base64 or bytes', () => {
    const input = { CiphertextBlob: bytesToBase64(Uint8Array.of(1, 2, 3)) };
    expect(OPERATIONS['kms:Decrypt'].input.parse(input).CiphertextBlob).toEqual(Uint8Array.of(1, 2, 3));
    expect(OPERATIONS['kms:Decrypt'].input.safeParse({ CiphertextBlob: 'AB==' }).success).toBe(false);
  });
});

describe('the client', () => {
  it('has a method for every operation, which calls it by name', async () => {
    const called: string[] = [];
    const transport: Transport = { call: (name) => { called.push(name); return Promise.resolve({ ok: true, requestId: 'r', output: {} }); } };
    const client = createClient(transport);
    for (const methods of Object.values(client)) for (const method of Object.values(methods)) await (method as () => Promise<unknown>)();
    expect(called.sort()).toEqual([...NAMES].sort());
  });

  it('types input and output', async () => {
    const client = createClient({ call: () => Promise.resolve({ ok: true, requestId: 'r', output: { Plaintext: SecretBytes.allocate(4) } }) });
    const answer = await client.kms.generateRandom({ NumberOfBytes: 4 });
    if (!answer.ok) throw new Error(answer.error.code);
    using plaintext = answer.output.Plaintext;
    expect(plaintext.length).toBe(4);
    await client.kms.listKeys();
    // @ts-expect-error NumberOfBytes must be given
    await client.kms.generateRandom({});
  });
});

it('states the version of package.json', async () => {
  const { default: { version } } = await import('../../../package.json', { with: { type: 'json' } });
  expect(VERSION).toBe(version);
});
