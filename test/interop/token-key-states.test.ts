/** Every operation that names a key, asked of keys in a custom key store in SoftHSM, connected and disconnected: the table of test/property/key-state-table. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AES, TABLE, TOKEN_STATES, type Made, type Row } from '../property/key-state-table.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import type { Name } from '../../src/shared/api/index.ts';
import type { Json } from '../system/support/client.ts';
import { openTokenVault, type TokenVault } from '../system/support/token-vault.ts';

interface Key {
  readonly KeyId: string;
  readonly alias: string;
  readonly CiphertextBlob: unknown;
}
const ROWS = Object.entries(TABLE) as readonly (readonly [Name, Row])[];
let on: TokenVault;
let steady = '';
const other = 'alias/to-be-moved';
const keys = new Map<string, Key>();
let made = 0;

/** As it goes over the socket. */
const sent = (input: object): Json => Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value instanceof SecretBytes ? value.borrow((bytes) => Buffer.from(bytes).toString('base64')) : value instanceof Uint8Array ? Buffer.from(value).toString('base64') : (value as unknown)]));
const keyOf = async (input: Json): Promise<string> => ((await on.client.ok('kms:CreateKey', input))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
const stateOf = async (KeyId: string): Promise<unknown> => ((await on.client.ok('kms:DescribeKey', { KeyId }))['KeyMetadata'] as Json)['KeyState'];

async function make(spec: Made): Promise<Key> {
  const alias = `alias/k${String((made += 1))}`;
  const KeyId = await keyOf({ ...spec, Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: on.store });
  await on.client.ok('kms:CreateAlias', { AliasName: alias, TargetKeyId: KeyId });
  const CiphertextBlob = spec === AES ? (await on.client.ok('kms:Encrypt', { KeyId, Plaintext: Buffer.from('x').toString('base64') }))['CiphertextBlob'] : undefined;
  return { KeyId, alias, CiphertextBlob };
}

beforeAll(async () => {
  on = await openTokenVault('states');
  steady = await keyOf({});
  await on.client.ok('kms:CreateAlias', { AliasName: other, TargetKeyId: steady });
  // A key for each question: an answer may change it.
  for (const [name, row] of ROWS) for (const [at, state] of TOKEN_STATES.entries()) if (row.inToken[at] !== undefined) keys.set(`${name} ${state}`, await make(row.made));
});
afterAll(() => on.end());

describe.each(TOKEN_STATES.map((state, at) => [state, at] as const))('a key in a custom key store that is %s', (state, at) => {
  beforeAll(async () => {
    if (state === 'Unavailable') await on.client.ok('kms:DisconnectCustomKeyStore', { CustomKeyStoreId: on.store });
  });

  it.each(ROWS.filter(([, { inToken }]) => inToken[at] !== undefined))('answers to %s as AWS says', async (name, row) => {
    const key = keys.get(`${name} ${state}`)!;
    expect(await stateOf(key.KeyId)).toBe(state);
    expect(await on.client.code(name, sent(row.input({ ...key, other, steady })))).toBe(row.inToken[at]);
  });
});

it('comes back as it was, and with what was changed meanwhile', async () => {
  const { KeyId } = keys.get('kms:DisableKey Unavailable')!;
  const deleted = keys.get('kms:ScheduleKeyDeletion Unavailable')!.KeyId;
  // Pending deletion it stays, connected or not, so that it can be kept at any time.
  expect([await stateOf(KeyId), await stateOf(deleted)]).toEqual(['Unavailable', 'PendingDeletion']);
  expect(await on.client.code('kms:CancelKeyDeletion', { KeyId: deleted })).toBe('ok');
  await on.connect();
  expect([await stateOf(KeyId), await stateOf(deleted), await stateOf(keys.get('kms:Encrypt Unavailable')!.KeyId)]).toEqual(['Disabled', 'Disabled', 'Enabled']);
  const { CiphertextBlob } = keys.get('kms:Decrypt Unavailable')!;
  expect(await on.client.ok('kms:Decrypt', { CiphertextBlob })).toMatchObject({ Plaintext: Buffer.from('x').toString('base64') });
});
