/** A day in the life of a vault over its socket, with secrets of which the caller keeps a list. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Json } from './client.ts';
import { textNeedle, type Needle } from './needles.ts';
import type { VaultProcess } from './served-vault.ts';

export const base64 = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('base64');
export const bytesIn = (output: Json, field: string): Buffer => Buffer.from(output[field] as string, 'base64');

const SPECS = [
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ['RSA_2048', 'SIGN_VERIFY'],
  ['RSA_3072', 'ENCRYPT_DECRYPT'],
  ['ECC_NIST_P256', 'SIGN_VERIFY'],
  ['ECC_NIST_P384', 'SIGN_VERIFY'],
  ['ECC_NIST_P521', 'SIGN_VERIFY'],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY'],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
  ['HMAC_256', 'GENERATE_VERIFY_MAC'],
  ['HMAC_512', 'GENERATE_VERIFY_MAC'],
] as const;

const SIGNING = {
  RSA_2048: 'RSASSA_PSS_SHA_256',
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_P384: 'ECDSA_SHA_384',
  ECC_NIST_P521: 'ECDSA_SHA_512',
  ECC_SECG_P256K1: 'ECDSA_SHA_256',
  ECC_NIST_EDWARDS25519: 'ED25519_SHA_512',
} as const;

/** Lengths that take different ways: small, over one page, over one read of libuv together with its neighbours, the most. */
const LENGTHS = [16, 32, 64, 200, 1000, 4096];

export interface Keys {
  readonly ids: ReadonlyMap<string, string>;
}

export async function makeKeys(client: Client, description: string): Promise<Keys> {
  const ids = new Map<string, string>();
  for (const [KeySpec, KeyUsage] of SPECS) {
    const { KeyMetadata } = await client.ok('kms:CreateKey', { KeySpec, KeyUsage, Description: description });
    ids.set(KeySpec, (KeyMetadata as Json)['KeyId'] as string);
  }
  return { ids };
}

/** Takes each operation through each length; returns what passed, under names with `round` in them. */
export async function useKeys(vault: VaultProcess, { ids }: Keys, round: string): Promise<readonly Needle[]> {
  const needles: Needle[] = [];
  const idOf = (spec: string): string => ids.get(spec)!;
  const make = (what: string, length: number): Buffer => {
    const bytes = randomBytes(length);
    needles.push({ name: `${what} (${round})`, bytes });
    return bytes;
  };
  const clients = await Promise.all([vault.connect(), vault.connect(), vault.connect(), vault.connect()]);
  // Overlapping calls on several connections, so that several frames share one read and one write.
  await Promise.all(
    clients.flatMap((client) =>
      LENGTHS.map(async (length) => {
        const plaintext = make('plaintext', length);
        const KeyId = idOf('SYMMETRIC_DEFAULT');
        const { CiphertextBlob } = await client.ok('kms:Encrypt', { KeyId, Plaintext: base64(plaintext) });
        const opened = await client.ok('kms:Decrypt', { CiphertextBlob });
        if (!bytesIn(opened, 'Plaintext').equals(plaintext)) throw new Error('what was decrypted is not what was encrypted');
        const dataKey = await client.ok('kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
        needles.push({ name: `data key (${round})`, bytes: bytesIn(dataKey, 'Plaintext'), aes: true });
        const again = await client.ok('kms:Decrypt', { CiphertextBlob: dataKey['CiphertextBlob'] });
        if (again['Plaintext'] !== dataKey['Plaintext']) throw new Error('the data key does not open');
        const random = await client.ok('kms:GenerateRandom', { NumberOfBytes: Math.min(length, 1024) });
        needles.push({ name: `random (${round})`, bytes: bytesIn(random, 'Plaintext') });
        for (const [spec, SigningAlgorithm] of Object.entries(SIGNING)) {
          const Message = base64(make('message', length));
          const { Signature } = await client.ok('kms:Sign', { KeyId: idOf(spec), Message, SigningAlgorithm });
          await client.ok('kms:Verify', { KeyId: idOf(spec), Message, SigningAlgorithm, Signature });
        }
        for (const [spec, MacAlgorithm] of [['HMAC_256', 'HMAC_SHA_256'], ['HMAC_512', 'HMAC_SHA_512']] as const) {
          const Message = base64(make('mac message', length));
          const { Mac } = await client.ok('kms:GenerateMac', { KeyId: idOf(spec), Message, MacAlgorithm });
          await client.ok('kms:VerifyMac', { KeyId: idOf(spec), Message, MacAlgorithm, Mac });
        }
        const short = make('rsa plaintext', Math.min(length, 128));
        const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
        const rsa = await client.ok('kms:Encrypt', { KeyId: idOf('RSA_3072'), Plaintext: base64(short), EncryptionAlgorithm });
        await client.ok('kms:Decrypt', { KeyId: idOf('RSA_3072'), CiphertextBlob: rsa['CiphertextBlob'], EncryptionAlgorithm });
      }),
    ),
  );
  for (const client of clients) client.close();
  return needles;
}

/** Secrets that arrive in ways that fail: each is refused, and must be forgotten all the same. `socket`: the vault's. */
export async function failWith(vault: VaultProcess, socket: string, round: string): Promise<readonly Needle[]> {
  const needles: Needle[] = [];
  const secret = (what: string): string => {
    const text = randomBytes(24).toString('base64url');
    needles.push(textNeedle(`refused: ${what} (${round})`, text));
    return base64(text);
  };
  const client = await vault.connect();
  const refused = async (operation: string, input: Json): Promise<void> => {
    if ((await client.code(operation, input)) === 'ok') throw new Error(`${operation} was not refused`);
  };
  await refused('kms:Encrypt', { KeyId: 'alias/none', Plaintext: secret('plaintext for no key') });
  await refused('kms:Encrypt', { KeyId: 'alias/none', Plaintext: secret('plaintext beside an unknown field'), Extra: 1 });
  await refused('vault:Create', { Password: secret('password for a vault that exists') });
  await refused('vault:AddSlot', { Type: 'recovery', RecoveryCode: secret('mistyped recovery code') });
  await refused('no:Operation', { Password: secret('password for no operation') });
  client.close();

  /** Bytes on a connection that is then dropped. */
  const send = async (body: string, cut: number, then: Uint8Array = new Uint8Array()): Promise<void> => {
    const bytes = Buffer.from(body);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    const caller = connect(socket);
    caller.on('error', () => undefined);
    caller.write(Buffer.concat([length, bytes.subarray(0, bytes.length - cut), then]));
    await sleep(50);
    caller.destroy();
  };
  const call = (password: string): string => JSON.stringify({ id: 1, op: 'vault:Unlock', input: { Password: password } });
  await send(call(secret('password in half a frame')), 4);
  await send(call(secret('password in broken json')).slice(0, -2), 0);
  await send(call(secret('password before no frame')), 0, Buffer.from(`\xff\xff\xff\xff${secret('password in no frame')}`, 'latin1'));
  return needles;
}
