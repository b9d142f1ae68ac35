/** What Debian's botocore knows of KMS: each operation of its own model asked by boto3 of a really running vault over TLS, or named here with why not. */
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDoor, type OpenDoor } from '../system/support/aws.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { PIN, SOFTHSM, softHsm } from '../system/support/softhsm.ts';

const run = promisify(execFile);
const NO_POLICIES = 'Keystead has no grants and changes no key policy: refused as unknown';
/** Of botocore's model, and not driven. */
const NOT_DRIVEN: Readonly<Record<string, string>> = {
  CreateGrant: NO_POLICIES,
  ListGrants: NO_POLICIES,
  ListRetirableGrants: NO_POLICIES,
  PutKeyPolicy: NO_POLICIES,
  RetireGrant: NO_POLICIES,
  RevokeGrant: NO_POLICIES,
};

let home = '';
let vault: VaultProcess;
let door: OpenDoor;
let cluster = '';

beforeAll(async () => {
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  const hsm = softHsm(home);
  hsm.makeToken('boto');
  vault = await startVault(folder, { home, env: hsm.env });
  await vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
  await vault.client.ok('hardware:AddModule', { Path: SOFTHSM });
  const tokens = (await vault.client.ok('hardware:ListTokens'))['Tokens'] as readonly Readonly<Record<string, string>>[];
  cluster = tokens.find(({ Label }) => Label === 'boto')?.['CloudHsmClusterId'] ?? '';
  door = await openDoor(vault.client);
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

it('boto3 drives every operation of its own model, but those that are named', async () => {
  const { stdout } = await run('python3', [resolve(import.meta.dirname, 'boto3-operations.py')], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: home,
      AWS_ACCESS_KEY_ID: door.accessKeyId,
      AWS_SECRET_ACCESS_KEY: door.secretAccessKey,
      AWS_DEFAULT_REGION: door.region,
      AWS_CA_BUNDLE: door.authorityFile,
      AWS_EC2_METADATA_DISABLED: 'true',
      ENDPOINT: door.endpoint,
      CLUSTER: cluster,
      TOKEN_PIN: PIN,
    },
  });
  const { known, answered } = JSON.parse(stdout) as { readonly known: readonly string[]; readonly answered: readonly string[] };
  expect(known.length).toBeGreaterThanOrEqual(50);
  expect(known.filter((name) => !answered.includes(name))).toEqual(Object.keys(NOT_DRIVEN));
});
