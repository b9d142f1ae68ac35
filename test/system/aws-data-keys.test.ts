/** Data keys by the real SDK over TLS: their plaintext is on no disk, and an enclave is not what they are given to. */
import { createPrivateKey, randomBytes, type JsonWebKey } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDoor, sdkClient, type OpenDoor } from './support/aws.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { patternsOf, type Needle, type Pattern } from './support/needles.ts';
import { descendantsOf } from './support/processes.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

let home = '';
let folder = '';
let vault: VaultProcess;
let door: OpenDoor;
let kms: sdk.KMS;
let KeyId = '';

beforeAll(async () => {
  home = temporaryFolder();
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
  door = await openDoor(vault.client);
  kms = sdkClient(door);
  KeyId = (await kms.createKey({})).KeyMetadata!.KeyId!;
});
afterAll(async () => {
  kms.destroy();
  await vault.stop();
  remove(home);
});

/** Every file that the vault can have written: its folder with WAL and trail, run-time files and logs, and what its processes hold open, deleted or not. */
function written(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const path of readdirSync(home, { recursive: true, encoding: 'utf8' }).map((name) => join(home, name))) if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) files.set(path, readFileSync(path));
  for (const pid of [vault.pid, ...descendantsOf(vault.pid)]) {
    const open = `/proc/${String(pid)}/fd`;
    for (const fd of readdirSync(open)) {
      const path = join(open, fd);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) files.set(`${path} ${readlinkSync(path)}`, readFileSync(path));
    }
  }
  return files;
}
const found = (patterns: readonly Pattern[], files = written()): string[] => [...files].flatMap(([path, bytes]) => patterns.filter((pattern) => bytes.includes(Buffer.from(pattern.bytes))).map(({ needle, form }) => `${needle} as ${form} in ${path}`));

/** The numbers of a private key that only its holder knows. */
function secretsOf(name: string, der: Uint8Array): Needle[] {
  const jwk = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return (['d', 'p', 'q'] as const satisfies readonly (keyof JsonWebKey)[]).flatMap((part) => (jwk[part] === undefined ? [] : [{ name: `${name} ${part}`, bytes: Buffer.from(jwk[part], 'base64url') }]));
}

it('no plaintext of a data key or of the private key of a data key pair is in any file', async () => {
  const needles: Needle[] = [];
  const dataKey = async (n: number): Promise<void> => {
    const { Plaintext } = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256', EncryptionContext: { n: String(n) } });
    needles.push({ name: `data key ${String(n)}`, bytes: Plaintext!, aes: true });
  };
  await dataKey(0);
  // Asked for at once they are made in one call of the sealer.
  await Promise.all(Array.from({ length: 40 }, (_, n) => dataKey(n + 1)));
  const pairs = ['ECC_NIST_P256', 'ECC_NIST_P521', 'RSA_2048', 'ECC_NIST_P256', 'ECC_NIST_P256'] as const;
  await Promise.all(pairs.map(async (KeyPairSpec, n) => {
    const { PrivateKeyPlaintext } = await kms.generateDataKeyPair({ KeyId, KeyPairSpec });
    needles.push(...secretsOf(`pair ${String(n)}`, PrivateKeyPlaintext!));
  }));
  // The same through the command line's socket, and what is decrypted of one.
  const { Plaintext, CiphertextBlob } = await vault.client.ok('kms:GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
  needles.push({ name: 'data key of the socket', bytes: Buffer.from(Plaintext as string, 'base64'), aes: true });
  await kms.decrypt({ CiphertextBlob: Buffer.from(CiphertextBlob as string, 'base64') });
  expect(needles.length).toBe(42 + 1 + 1 + 3 + 1 + 1);
  const patterns = needles.flatMap(patternsOf);

  const files = written();
  for (const part of ['vault.db', 'vault.db-wal', '00000001.seg', 'header']) expect([...files.keys()].some((path) => path.includes(part)), part).toBe(true);
  expect(found(patterns, files)).toEqual([]);

  // Control: planted at the end of the WAL and in a log of its own, each is found there.
  const [one] = needles as [Needle];
  const wal = join(folder, 'vault.db-wal');
  const log = join(home, 'state', 'planted.log');
  const bytes = Buffer.from(one.bytes);
  const [hex, base64] = [bytes.toString('hex'), bytes.toString('base64')];
  expect(found(patterns, new Map([['wal', Buffer.concat([files.get(wal)!, bytes])]]))).toContain('data key 0 as raw in wal');
  appendFileSync(log, `${hex} "${base64}"\n`);
  expect(found(patterns)).toEqual(expect.arrayContaining([`data key 0 as hex in ${log}`, `data key 0 as base64 in ${log}`]));
  rmSync(log);

  // What is written when it locks, and what a process that was killed leaves.
  await vault.client.ok('vault:Lock');
  expect(found(patterns)).toEqual([]);
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
});

it('`Recipient` is refused by each operation that has it, in words, and nothing is made', async () => {
  const Recipient: sdk.RecipientInfo = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: randomBytes(64) };
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: randomBytes(16) });
  const agreement = (await kms.createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })).KeyMetadata!.KeyId!;
  const { PublicKey } = await kms.generateDataKeyPairWithoutPlaintext({ KeyId, KeyPairSpec: 'ECC_NIST_P256' });
  const asked: Readonly<Record<string, (more: { readonly Recipient?: sdk.RecipientInfo }) => Promise<object>>> = {
    Decrypt: (more) => kms.decrypt({ CiphertextBlob, ...more }),
    DeriveSharedSecret: (more) => kms.deriveSharedSecret({ KeyId: agreement, KeyAgreementAlgorithm: 'ECDH', PublicKey, ...more }),
    GenerateDataKey: (more) => kms.generateDataKey({ KeyId, KeySpec: 'AES_256', ...more }),
    GenerateDataKeyPair: (more) => kms.generateDataKeyPair({ KeyId, KeyPairSpec: 'ECC_NIST_P256', ...more }),
    GenerateRandom: (more) => kms.generateRandom({ NumberOfBytes: 16, ...more }),
  };
  // Those of the SDK's own types, so that one that gets it is not forgotten.
  const types = readFileSync(new URL('../../node_modules/@aws-sdk/client-kms/dist-types/models/models_0.d.ts', import.meta.url), 'utf8');
  const having = [...types.matchAll(/^export interface (\w+)Request \{$([^]*?)^\}$/gm)].filter(([, , members = '']) => /^ {4}Recipient\?:/m.test(members)).map(([, name = '']) => name);
  expect(Object.keys(asked)).toEqual(having.sort());
  for (const [name, ask] of Object.entries(asked)) {
    expect([name, await ask({ Recipient }).then(() => 'ok', (error: unknown) => (error instanceof sdk.KMSServiceException ? [error.name, error.$metadata.httpStatusCode, error.message] : error))]).toEqual([name, ['ValidationException', 400, expect.stringMatching(/`Recipient`.*leave it out: there are no enclaves/)]]);
    // Control: it is `Recipient` that is refused.
    expect(await ask({})).toHaveProperty('$metadata.httpStatusCode', 200);
  }
});
