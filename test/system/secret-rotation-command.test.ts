/**
 * AWS's rotation contract with a real program, and the vault killed (SIGKILL) in the middle of each of the four steps: the program is called
 * again for the same step with the same version, and the rotation ends as if nothing had been.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { until } from './support/processes.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

/** Shows its event, and ends once it is told to. It is a stand-in for what a real one does: the test puts values and moves labels. */
const PROGRAM = `#!/bin/sh
cat > "$1/.event-$$"
mv "$1/.event-$$" "$1/event-$$"
# Its folder goes with the test, and so does it.
while [ -d "$1" ] && [ ! -e "$1/go-$$" ]; do sleep 0.05; done
`;
const SecretId = 'app/key';
const PATIENCE_MS = 60_000;

const home = temporaryFolder();
const folder = join(home, 'vault');
const desk = join(home, 'desk');
let vault: VaultProcess;

async function start(): Promise<void> {
  vault = await startVault(folder, { home });
  await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
}
beforeAll(async () => {
  await makeVault(folder);
  mkdirSync(desk);
  await start();
});
afterAll(async () => {
  await vault.kill();
  // Programs that a kill has left to themselves end, too.
  for (const name of readdirSync(desk)) writeFileSync(join(desk, name.replace(/^\.?event/, 'go')), '');
  remove(home);
});

interface Called {
  readonly pid: string;
  readonly event: Json;
}
const seen = new Set<string>();
async function called(): Promise<Called> {
  let found: string | undefined;
  await until(() => {
    found = readdirSync(desk).find((name) => name.startsWith('event-') && !seen.has(name));
    return found !== undefined;
  }, 'the program is called', PATIENCE_MS);
  const name = found ?? '';
  seen.add(name);
  return { pid: name.slice('event-'.length), event: JSON.parse(readFileSync(join(desk, name), 'utf8')) as Json };
}

it('calls the program for the same step again after a kill in the middle of each', { timeout: 240_000 }, async () => {
  const path = join(home, 'rotate.sh');
  writeFileSync(path, PROGRAM, { mode: 0o700 });
  const { ARN } = await vault.client.ok('secretsmanager:CreateSecret', { Name: SecretId, SecretString: base64('first') });
  await vault.client.ok('vault:AllowCommand', { Name: 'mine', Path: path, Arguments: [desk], Password: base64(PASSWORD) });
  await vault.client.ok('secretsmanager:SetRotator', { SecretId, Rotator: 'command', Command: 'mine' });
  const { VersionId: ClientRequestToken } = await vault.client.ok('secretsmanager:RotateSecret', { SecretId });
  const before = Object.entries((await vault.client.ok('secretsmanager:DescribeSecret', { SecretId }))['VersionIdsToStages'] as Record<string, string[]>).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    createSecret: () => vault.client.ok('secretsmanager:PutSecretValue', { SecretId, ClientRequestToken, SecretString: base64('second'), VersionStages: ['AWSPENDING'] }),
    finishSecret: () => vault.client.ok('secretsmanager:UpdateSecretVersionStage', { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken, RemoveFromVersionId: before }),
  };
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
    const first = await called();
    expect(first.event).toEqual({ SecretId: ARN, ClientRequestToken, Step });
    await vault.kill();
    await start();
    const again = await called();
    expect(again.event).toEqual(first.event);
    expect(again.pid).not.toBe(first.pid);
    await work[Step]?.();
    writeFileSync(join(desk, `go-${again.pid}`), '');
  }
  let shown: Json = {};
  await until(async () => {
    shown = await vault.client.ok('secretsmanager:DescribeRotation', { SecretId });
    return shown['Run'] === undefined;
  }, 'the rotation ends', PATIENCE_MS);
  expect((shown['Ended'] as readonly Json[])[0]).toMatchObject({ Result: 'rotated', Attempts: 1, VersionId: ClientRequestToken });
  const { SecretString } = await vault.client.ok('secretsmanager:GetSecretValue', { SecretId });
  expect(SecretString).toBe(base64('second'));
});
