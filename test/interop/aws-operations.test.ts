/** What Debian's botocore knows of KMS: each operation of its own model asked of a really running vault over TLS, by boto3 and by the AWS command line, or named here with why not. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDoor, toolEnvironment, type OpenDoor } from '../system/support/aws.ts';
import { clusterIds } from '../system/support/cluster.ts';
import { openHsmVault, type HsmVault } from '../system/support/hsm-vault.ts';
import { PIN } from '../system/support/softhsm.ts';

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

let on: HsmVault;
let door: OpenDoor;
let cluster = '';

beforeAll(async () => {
  on = await openHsmVault({ prepare: (hsm) => { hsm.makeToken('boto'); } });
  cluster = (await clusterIds(on.client)).get('boto') ?? '';
  door = await openDoor(on.client);
});
afterAll(() => on.end());

it.each(['boto3', 'awscli'])('%s drives every operation of its own model, but those that are named', async (tool) => {
  const { stdout } = await run('python3', [resolve(import.meta.dirname, 'aws-operations.py'), tool], {
    env: {
      ...toolEnvironment(door, on.home),
      ENDPOINT: door.endpoint,
      CLUSTER: cluster,
      TOKEN_PIN: PIN,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  const { known, answered } = JSON.parse(stdout) as { readonly known: readonly string[]; readonly answered: readonly string[] };
  expect(known.length).toBeGreaterThanOrEqual(50);
  expect(known.filter((name) => !answered.includes(name))).toEqual(Object.keys(NOT_DRIVEN));
});
