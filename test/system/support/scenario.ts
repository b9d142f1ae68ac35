/** A day in the life of a vault over its socket, with secrets of which the caller keeps a list. */
import { randomBytes } from 'node:crypto';
import type { VaultProcess } from './vault-process.ts';
import { base64, bytesIn, type Fields, type WireClient } from './wire-client.ts';
import { textNeedle, type Needle } from './needles.ts';

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

export async function makeKeys(client: WireClient, description: string): Promise<Keys> {
  const ids = new Map<string, string>();
  for (const [KeySpec, KeyUsage] of SPECS) {
    const { KeyMetadata } = await client.call('kms:CreateKey', { KeySpec, KeyUsage, Description: description });
    ids.set(KeySpec, (KeyMetadata as Fields)['KeyId'] as string);
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
        const { CiphertextBlob } = await client.call('kms:Encrypt', { KeyId, Plaintext: base64(plaintext) });
        const opened = await client.call('kms:Decrypt', { CiphertextBlob });
        if (!bytesIn(opened, 'Plaintext').equals(plaintext)) throw new Error('what was decrypted is not what was encrypted');
        const dataKey = await client.call('kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
        needles.push({ name: `data key (${round})`, bytes: bytesIn(dataKey, 'Plaintext'), aes: true });
        const again = await client.call('kms:Decrypt', { CiphertextBlob: dataKey['CiphertextBlob'] });
        if (again['Plaintext'] !== dataKey['Plaintext']) throw new Error('the data key does not open');
        const random = await client.call('kms:GenerateRandom', { NumberOfBytes: Math.min(length, 1024) });
        needles.push({ name: `random (${round})`, bytes: bytesIn(random, 'Plaintext') });
        for (const [spec, SigningAlgorithm] of Object.entries(SIGNING)) {
          const Message = base64(make('message', length));
          const { Signature } = await client.call('kms:Sign', { KeyId: idOf(spec), Message, SigningAlgorithm });
          await client.call('kms:Verify', { KeyId: idOf(spec), Message, SigningAlgorithm, Signature });
        }
        for (const [spec, MacAlgorithm] of [['HMAC_256', 'HMAC_SHA_256'], ['HMAC_512', 'HMAC_SHA_512']] as const) {
          const Message = base64(make('mac message', length));
          const { Mac } = await client.call('kms:GenerateMac', { KeyId: idOf(spec), Message, MacAlgorithm });
          await client.call('kms:VerifyMac', { KeyId: idOf(spec), Message, MacAlgorithm, Mac });
        }
        const short = make('rsa plaintext', Math.min(length, 128));
        const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
        const rsa = await client.call('kms:Encrypt', { KeyId: idOf('RSA_3072'), Plaintext: base64(short), EncryptionAlgorithm });
        await client.call('kms:Decrypt', { KeyId: idOf('RSA_3072'), CiphertextBlob: rsa['CiphertextBlob'], EncryptionAlgorithm });
      }),
    ),
  );
  await Promise.all(clients.map((client) => client.close()));
  return needles;
}

/** Secrets that arrive in ways that fail: each is refused, and must be forgotten all the same. */
export async function failWith(vault: VaultProcess, round: string): Promise<readonly Needle[]> {
  const needles: Needle[] = [];
  const secret = (what: string): string => {
    const text = randomBytes(24).toString('base64url');
    needles.push(textNeedle(`${what} (${round})`, text));
    return base64(text);
  };
  const client = await vault.connect();
  const refused = async (operation: string, input: Fields): Promise<void> => {
    await client.call(operation, input).then(
      () => { throw new Error(`${operation} was not refused`); },
      () => undefined,
    );
  };
  await refused('kms:Encrypt', { KeyId: 'alias/none', Plaintext: secret('plaintext for no key') });
  await refused('kms:Encrypt', { KeyId: 'alias/none', Plaintext: secret('plaintext beside an unknown field'), Extra: 1 });
  await refused('vault:Create', { Password: secret('password for a vault that exists') });
  await refused('vault:AddSlot', { Type: 'recovery', RecoveryCode: secret('mistyped recovery code') });
  await refused('no:Operation', { Password: secret('password for no operation') });

  // A frame that is cut off in the middle of its secret, by a caller that dies.
  const cut = Buffer.from(JSON.stringify({ id: 1, op: 'vault:Unlock', input: { Password: secret('password in half a frame') } }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(cut.length);
  const half = await vault.connect();
  half.raw(Buffer.concat([length, cut.subarray(0, -4)]));
  await new Promise((sent) => setTimeout(sent, 50));
  await half.close();

  // No JSON, and then nothing that is a frame.
  const noise = await vault.connect();
  const text = Buffer.from(`{"id":1,"op":"vault:Unlock","input":{"Password":"${secret('password in broken json')}"`);
  length.writeUInt32BE(text.length);
  noise.raw(Buffer.concat([length, text]));
  noise.raw(Buffer.concat([Buffer.from([255, 255, 255, 255]), Buffer.from(secret('password in no frame'))]));
  await new Promise((sent) => setTimeout(sent, 50));
  await noise.close();
  await client.close();
  return needles;
}
