/**
 * SIGKILL at random moments of rotations, against the built program. After each: the vault opens for writing, the trail verifies, every
 * secret has a value under AWSCURRENT that is one of those that were ever made, and the rotation that was cut off goes on by itself from
 * the step that it was at, with the same version.
 *
 *   KEYSTEAD_ROTATION_KILLS=200 KEYSTEAD_ROTATION_MS=3000 KEYSTEAD_KILL_SEED=12345 npx vitest run --project system test/system/secret-rotation-kill.test.ts
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { chance } from './support/chance.ts';
import { base64, type Client } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder } from './support/served-vault.ts';

const KILLS = Number(process.env['KEYSTEAD_ROTATION_KILLS'] ?? 6);
/** The longest time between a start and its kill. */
const LONGEST_MS = Number(process.env['KEYSTEAD_ROTATION_MS'] ?? 300);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
const NAMES = ['a', 'b', 'c'];
/** Of one wait; a busy machine may take long. */
const PATIENCE_MS = 60_000;

const home = temporaryFolder();
const folder = join(home, 'vault');
beforeAll(() => makeVault(folder));
afterAll(() => remove(home));

interface Described {
  readonly Run?: { readonly VersionId: string; readonly Step: string; readonly Attempt: number };
  readonly Ended: readonly { readonly VersionId: string; readonly Result: string; readonly Attempts: number }[];
}
const describeRotation = async (client: Client, SecretId: string): Promise<Described> => (await client.ok('secretsmanager:DescribeRotation', { SecretId })) as unknown as Described;

async function settled(client: Client, name: string): Promise<Described> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10)) {
    const now = await describeRotation(client, name);
    if (!now.Run) return now;
  }
  throw new Error(`the rotation of ${name} does not end`);
}

async function valueOf(client: Client, SecretId: string): Promise<{ readonly version: string; readonly value: string }> {
  const { VersionId, SecretString } = (await client.ok('secretsmanager:GetSecretValue', { SecretId })) as { VersionId: string; SecretString: string };
  return { version: VersionId, value: Buffer.from(SecretString, 'base64').toString('utf8') };
}

it(`goes on with every rotation after ${String(KILLS)} kills (seed ${String(SEED)})`, { timeout: 60_000 + KILLS * 30_000 }, async () => {
  const dice = chance(SEED);
  /** Each value that was ever seen under AWSCURRENT, by version: it never changes. */
  const seen = new Map<string, string>();
  const cutOff = new Map<string, number>();
  let rotations = 0;
  for (let round = 0; round <= KILLS; round++) {
    const vault = await startVault(folder, { home });
    const { client } = vault;
    await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    expect(await client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
    if (round === 0) {
      for (const Name of NAMES) {
        await client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(`{"password":"first of ${Name}"}`) });
        await client.ok('secretsmanager:SetRotator', { SecretId: Name, Rotator: 'generic' });
      }
    }
    for (const name of NAMES) {
      const { version, value } = await valueOf(client, name);
      expect(seen.get(version) ?? value).toBe(value);
      seen.set(version, value);
      const { Ended } = await settled(client, name);
      const [last] = Ended;
      if (last) expect(last).toMatchObject({ Result: 'rotated', Attempts: 1, VersionId: (await valueOf(client, name)).version });
      const { VersionIdsToStages } = (await client.ok('secretsmanager:DescribeSecret', { SecretId: name })) as { VersionIdsToStages: Record<string, string[]> };
      expect(Object.values(VersionIdsToStages).flat().sort()).toEqual(last ? ['AWSCURRENT', 'AWSPREVIOUS'] : ['AWSCURRENT']);
    }
    if (round === KILLS) {
      await vault.stop();
      break;
    }
    let over = false;
    const load = Promise.all(
      NAMES.map(async (SecretId) => {
        let step = 'idle';
        // Whatever is asked when the process dies is not answered.
        try {
          while (!over) {
            await client.ok('secretsmanager:RotateSecret', { SecretId });
            rotations += 1;
            for (let now: Described = await describeRotation(client, SecretId); now.Run; now = await describeRotation(client, SecretId)) step = now.Run.Step;
            step = 'idle';
          }
        } catch {
          cutOff.set(step, (cutOff.get(step) ?? 0) + 1);
        }
      }),
    );
    await sleep(10 + dice.fraction() * LONGEST_MS);
    over = true;
    await vault.kill();
    await load;
  }
  expect(rotations).toBeGreaterThan(KILLS);
  expect([...cutOff.values()].reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0);
  const where = [...cutOff].map(([step, count]) => `${String(count)} last seen at ${step}`).join(', ');
  process.stdout.write(`rotations: ${String(rotations)} asked for, cut off by ${String(KILLS)} kills: ${where}; every one ended rotated with one attempt\n`);
});
