/**
 * What of the access keys of AWS clients stays in memory. A real vault is asked by real SDKs over TLS; then the memory of what is left of it is read
 * for the secret access keys and for the signing keys of the day, which the deciding process holds while the vault is open.
 *
 * Positive control: the same scan finds the signing keys in that process while the vault is open. What it cannot see is what `memory-scan.test.ts` cannot.
 */
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { utf8 } from '../../src/main/crypto/bytes.ts';
import { signingKey } from '../../src/main/crypto/sigv4.ts';
import { makeClient, openDoor, sdkClient, type OpenDoor } from './support/aws.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { demandRoot, scan, summary } from './support/memory.ts';
import { patternsOf, textNeedle, type Needle } from './support/needles.ts';
import { descendantsOf } from './support/processes.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

let home = '';
let vault: VaultProcess;
let door: OpenDoor;

const unlock = () => vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
beforeAll(async () => {
  demandRoot();
  home = temporaryFolder();
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await unlock();
  door = await openDoor(vault.client);
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

/** Every day that this may run on: it may be midnight. */
const days = (): readonly string[] => [0, 86_400_000].map((later) => new Date(Date.now() + later).toISOString().slice(0, 10).replaceAll('-', ''));

it('neither a secret access key nor a signing key is left after a lock, and the secret is not there before', async () => {
  const clients = [door, { ...door, ...(await makeClient(vault.client, 'second', 'user')) }];
  const secrets = clients.map(({ secretAccessKey }, n) => textNeedle(`secret ${String(n)}`, secretAccessKey));
  const signing = clients.map(({ secretAccessKey, region }, n): readonly Needle[] => days().map((date) => ({ name: `signing key ${String(n)}`, bytes: signingKey(utf8(secretAccessKey), { date, region, service: 'kms' }) })));
  const ask = async (): Promise<void> => {
    for (const client of clients) {
      const kms = sdkClient(client);
      await Promise.all(Array.from({ length: 40 }, () => kms.send(new sdk.GenerateRandomCommand({ NumberOfBytes: 32 }))));
      kms.destroy();
    }
  };
  const left = (needles: readonly Needle[], pids = [vault.pid, ...descendantsOf(vault.pid)]) => summary(pids.flatMap((pid) => scan(pid, needles.flatMap(patternsOf)).hits));

  await ask();
  expect(signing.map((of) => scan(vault.pid, of.flatMap(patternsOf)).hits.some(({ form }) => form === 'raw')), 'signing keys in main, open').toEqual([true, true]);
  expect(left(secrets, [vault.pid]), 'secrets in main, open').toEqual({});
  for (let round = 0; round < 2; round += 1) {
    await vault.client.ok('vault:Lock');
    expect(left([...secrets, ...signing.flat()]), 'locked').toEqual({});
    await unlock();
    await ask();
  }
  // A client that is gone, and one with another key: their old keys go at once.
  await vault.client.ok('access:DeleteClient', { Name: 'second' });
  await vault.client.ok('access:RotateClientKey', { Name: 'test-administrator' });
  const other = sdkClient({ ...door, ...(await makeClient(vault.client, 'third', 'user')) });
  await other.send(new sdk.GenerateRandomCommand({ NumberOfBytes: 32 }));
  other.destroy();
  expect(left(signing.flat(), [vault.pid]), 'signing keys of clients that changed').toEqual({});
}, 120_000);
