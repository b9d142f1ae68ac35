/**
 * SIGKILL at random moments of writes to secrets, against the built program. After each: the vault opens for writing, every
 * acknowledged version is there with its stages and its value, each unanswered one is there wholly or not at all, the trail verifies.
 *
 *   KEYSTEAD_KILL_ROUNDS=200 KEYSTEAD_KILL_SEED=12345 npx vitest run --project system test/system/secrets-kill.test.ts
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { chance, type Chance } from './support/chance.ts';
import { base64, type Client, type Json } from './support/client.ts';
import { run, type Lane } from './support/load.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder } from './support/served-vault.ts';

const ROUNDS = Number(process.env['KEYSTEAD_KILL_ROUNDS'] ?? 15);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
const LANES = ['a', 'b', 'c'];
const MOST = 4;

/** Newest version first: at most what AWSCURRENT and AWSPREVIOUS are on. */
interface Secret {
  readonly versions: readonly number[];
  readonly deleted: boolean;
}
type Secrets = Readonly<Record<string, Secret>>;

const tokenOf = (name: string, version: number): string => `${name}.${String(version)}.`.padEnd(32, '0');
const valueOf = (name: string, version: number): string => `value ${String(version)} of ${name}`;

function secretsLane(lane: string): Lane<Secrets> {
  let made = 0;
  let version = 0;
  const next = (dice: Chance, known: Secrets) => {
    const names = Object.keys(known);
    version += 1;
    if (names.length === 0 || (names.length < MOST && dice.fraction() < 0.3)) {
      made += 1;
      const name = `${lane}/${String(made)}`;
      return { operation: 'secretsmanager:CreateSecret', input: { Name: name, ClientRequestToken: tokenOf(name, version), SecretString: base64(valueOf(name, version)) }, after: { ...known, [name]: { versions: [version], deleted: false } } };
    }
    const name = dice.pick(names);
    const secret = known[name] as Secret;
    const to = (operation: string, input: Json, changed: Secret) => ({ operation: `secretsmanager:${operation}`, input: { SecretId: name, ...input }, after: { ...known, [name]: changed } });
    if (secret.deleted) return to('RestoreSecret', {}, { ...secret, deleted: false });
    if (dice.fraction() < 0.1) return to('DeleteSecret', { RecoveryWindowInDays: 7 }, { ...secret, deleted: true });
    if (dice.fraction() < 0.1) {
      const { [name]: _gone, ...rest } = known;
      return { operation: 'secretsmanager:DeleteSecret', input: { SecretId: name, ForceDeleteWithoutRecovery: true }, after: rest };
    }
    const [current, previous] = secret.versions;
    if (previous !== undefined && dice.fraction() < 0.25) {
      const input = { VersionStage: 'AWSCURRENT', MoveToVersionId: tokenOf(name, previous), RemoveFromVersionId: tokenOf(name, current ?? 0) };
      return to('UpdateSecretVersionStage', input, { ...secret, versions: [previous, current ?? 0] });
    }
    return to('PutSecretValue', { ClientRequestToken: tokenOf(name, version), SecretString: base64(valueOf(name, version)) }, { ...secret, versions: [version, current ?? 0] });
  };
  return { known: {}, pending: undefined, next };
}

/** Everything in the vault, with every value that can be read held against what it was made with. */
async function readSecrets(client: Client): Promise<ReadonlyMap<string, Secrets>> {
  const lanes = new Map<string, Record<string, Secret>>(LANES.map((lane) => [lane, {}]));
  const { SecretList: list, NextToken: more } = await client.ok('secretsmanager:ListSecrets', { IncludePlannedDeletion: true });
  expect(more).toBeUndefined();
  for (const entry of list as readonly Json[]) {
    const name = String(entry['Name']);
    const holder = (stage: string): number[] =>
      Object.entries(entry['SecretVersionsToStages'] as Record<string, string[]>).flatMap(([id, stages]) => (stages.includes(stage) ? [Number(id.split('.')[1])] : []));
    const versions = [...holder('AWSCURRENT'), ...holder('AWSPREVIOUS')];
    const deleted = entry['DeletedDate'] !== undefined;
    for (const version of deleted ? [] : versions) {
      const { SecretString: value } = await client.ok('secretsmanager:GetSecretValue', { SecretId: name, VersionId: tokenOf(name, version) });
      expect(value).toBe(base64(valueOf(name, version)));
    }
    const lane = lanes.get(name.split('/')[0] ?? '');
    if (!lane) throw new Error(`a secret of nobody: ${name}`);
    lane[name] = { versions, deleted };
  }
  return lanes;
}

const sorted = (secrets: Secrets): string => JSON.stringify(Object.entries(secrets).sort(([a], [b]) => (a < b ? -1 : 1)));

const home = temporaryFolder();
const folder = join(home, 'vault');
beforeAll(() => makeVault(folder));
afterAll(() => remove(home));

it(`loses no acknowledged version in ${String(ROUNDS)} kills (seed ${String(SEED)})`, { timeout: 60_000 + ROUNDS * 8000 }, async () => {
  const dice = chance(SEED);
  const lanes = new Map(LANES.map((name) => [name, secretsLane(name)]));
  let [acknowledged, cutOff, applied] = [0, 0, 0];
  for (let round = 0; round <= ROUNDS; round++) {
    const vault = await startVault(folder, { home });
    await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    expect(await vault.client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
    const actual = await readSecrets(vault.client);
    for (const [name, lane] of lanes) {
      const found = sorted(actual.get(name) ?? {});
      const carriedOut = lane.pending !== undefined && found === sorted(lane.pending);
      if (!carriedOut) expect(found).toBe(sorted(lane.known));
      applied += Number(carriedOut);
      lane.known = actual.get(name) ?? {};
      lane.pending = undefined;
    }
    if (round === ROUNDS) {
      await vault.stop();
      break;
    }
    let over = false;
    const load = Promise.all(
      [...lanes.values()].map(async (lane) => {
        acknowledged += await run(lane, vault.client, dice, () => over);
        over = true;
        cutOff += lane.pending === undefined ? 0 : 1;
      }),
    );
    await sleep(10 + dice.fraction() * 400);
    await vault.kill();
    await load;
  }
  expect([acknowledged > ROUNDS, cutOff > 0]).toEqual([true, true]);
  process.stdout.write(`secrets: ${String(acknowledged)} writes acknowledged, ${String(cutOff)} cut off, ${String(applied)} of those carried out; none lost in ${String(ROUNDS)} kills\n`);
});
