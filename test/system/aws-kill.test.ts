/** SIGKILL while AWS clients are at work: the door is open again after the next unlock, on the same port and for the same access key, and what was acknowledged is there. */
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDoor, sdkClient, type OpenDoor } from './support/aws.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { isAlive, remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const ROUNDS = 3;
const CALLERS = 8;

let home = '';
let folder = '';
let vault: VaultProcess;
let door: OpenDoor;

const unlock = () => vault.client.ok('vault:Unlock', { Password: Buffer.from(PASSWORD).toString('base64') });
beforeAll(async () => {
  home = temporaryFolder();
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home });
  await unlock();
  door = await openDoor(vault.client);
});
afterAll(async () => {
  await vault.stop();
  remove(home);
});

it('loses nothing that an AWS client was told of, and lets it in again', async () => {
  const made: string[] = [];
  const blobs: { readonly blob: Uint8Array; readonly text: string }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each makes keys and encrypts under them until the vault is gone.
    const kms = sdkClient(door, { maxAttempts: 1 });
    let acknowledged = 0;
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let n = 0; ; n += 1) {
        try {
          const KeyId = (await kms.send(new sdk.CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
          made.push(KeyId);
          acknowledged += 1;
          const text = `${String(round)}/${String(caller)}/${String(n)}`;
          const { CiphertextBlob } = await kms.send(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from(text) }));
          if (CiphertextBlob) blobs.push({ blob: CiphertextBlob, text });
        } catch {
          return;
        }
      }
    });
    while (acknowledged < 3 * CALLERS) await new Promise((done) => setTimeout(done, 5));
    const sealer = vault.sealer() ?? 0;
    await vault.kill();
    await Promise.all(callers);
    kms.destroy();
    while (isAlive(sealer)) await new Promise((done) => setTimeout(done, 5));

    vault = await startVault(folder, { home });
    // Closed until its owner opens the vault: nobody knows before then that it is to be open.
    expect(await unlock()).toMatchObject({ State: 'unlocked' });
    const again = await vault.client.ok('access:DescribeAwsDoor');
    expect(again).toMatchObject({ State: 'open', Port: door.port, CertificateAuthority: door.authority });
    const after = sdkClient(door);
    const listed = new Set<string>();
    for await (const page of sdk.paginateListKeys({ client: after }, {})) for (const { KeyId } of page.Keys ?? []) listed.add(KeyId ?? '');
    expect(made.filter((KeyId) => !listed.has(KeyId))).toEqual([]);
    for (const { blob, text } of blobs.slice(-CALLERS)) expect(Buffer.from((await after.send(new sdk.DecryptCommand({ CiphertextBlob: blob }))).Plaintext ?? []).toString()).toBe(text);
    after.destroy();
    expect(await vault.client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
  }
});
