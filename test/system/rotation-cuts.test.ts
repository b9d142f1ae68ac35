/**
 * A real server killed (SIGKILL, as a power cut would) in the middle of each of the four steps of a rotation, at each engine by name. Whatever holds at the server when it is
 * there again, one of the values that the vault keeps logs in, and the rotation goes on to its end with the same version: the new password logs in, and with one user the old one does not.
 *
 * What a step sends goes through a gate, which holds each connection until the vault has said which step it is at, and kills the server at the moment that the table names.
 * createSecret and finishSecret are the vault's own work and reach no server: it is dead before the first byte of setSecret, and from testSecret's last byte on.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from './support/authority.ts';
import { base64, type Client, type Json } from './support/client.ts';
import { startGate, type Gate } from './support/gate.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { FIRST, WAYS, type Credentials, type RotatedServer } from './support/rotated-servers.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { stops } from './support/stops.ts';

/** Of one wait; a busy machine may take long. */
const PATIENCE_MS = 300_000;

/** When the server is killed: while `at` is done, after so many pieces of its answers, or (undefined) once that step is over; 0: dead before a byte goes through. */
interface Cut {
  readonly step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  readonly at: 'setSecret' | 'testSecret';
  readonly moment: string;
  readonly answers: number | undefined;
}
const CUTS: readonly Cut[] = [
  { step: 'createSecret', at: 'setSecret', moment: 'before a byte of the next step', answers: 0 },
  { step: 'setSecret', at: 'setSecret', moment: 'at its first answer', answers: 1 },
  { step: 'setSecret', at: 'setSecret', moment: 'some answers later', answers: 12 },
  { step: 'testSecret', at: 'testSecret', moment: 'at its third answer', answers: 3 },
  { step: 'finishSecret', at: 'testSecret', moment: 'once the step before is over', answers: undefined },
];

const SecretId = 'app';
interface Described {
  readonly Run?: { readonly VersionId: string; readonly Step: string; readonly Until?: number };
  readonly Ended: readonly { readonly VersionId: string; readonly Result: string; readonly Steps: readonly Json[] }[];
}
const describeRotation = async (client: Client): Promise<Described> => (await client.ok('secretsmanager:DescribeRotation', { SecretId })) as unknown as Described;
async function valueAt(client: Client, VersionStage: string): Promise<Credentials | undefined> {
  const answer = await client.call('secretsmanager:GetSecretValue', { SecretId, VersionStage });
  return answer.ok ? (JSON.parse(Buffer.from(answer.output['SecretString'] as string, 'base64').toString()) as Credentials) : undefined;
}

async function until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${String(PATIENCE_MS / 1000)} s: ${what}`);
}

describe.each(WAYS)('$what', ({ rotator, strategy, master, start }) => {
  const home = temporaryFolder();
  /** The servers run as another user, who has to get there. */
  const servers = temporaryFolder();
  const started = stops();
  let server: RotatedServer;
  let gate: Gate;
  let vault: VaultProcess;

  beforeAll(async () => {
    chmodSync(servers, 0o711);
    const authority = makeAuthority(join(servers, 'ca'));
    server = started.later(await start(join(servers, 'server'), authority), (one) => one.kill());
    gate = started.later(await startGate(server.port), (one) => Promise.resolve(one.close()));
    const folder = join(home, 'vault');
    await makeVault(folder);
    vault = started.later(await startVault(folder, { home: join(home, 'own'), within: PATIENCE_MS }), (one) => one.kill());
    await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    const create = async (Name: string, value: Json): Promise<Json> => vault.client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify({ engine: rotator, ca: authority.ca, host: 'localhost', port: gate.port, ...value })) });
    const { ARN } = await create('master', master);
    await create(SecretId, { ...FIRST, masterarn: ARN });
    await vault.client.ok('secretsmanager:SetRotator', { SecretId, Rotator: rotator, Strategy: strategy, PasswordLength: 20 });
  });
  afterAll(async () => {
    await started.all();
    remove(home);
    remove(servers);
  });

  it.each(CUTS)('is cut off in $step, $moment', { timeout: 2 * PATIENCE_MS }, async ({ at, answers }) => {
    const { client } = vault;
    const before = (await valueAt(client, 'AWSCURRENT')) ?? FIRST;
    const isAt = async (): Promise<boolean> => (await describeRotation(client)).Run?.Step === at;
    let dead: Promise<void> | undefined;
    gate.watch(async () => {
      // No transaction is open while a step is done outside: the vault answers.
      if (dead || !(await isAt())) return;
      const over = until(async () => ((await isAt()) ? undefined : true), `${at} is over`);
      const moment = answers === undefined ? over : answers === 0 ? Promise.resolve() : Promise.race([gate.answered(answers), over]);
      dead ??= moment.then(() => server.kill());
      if (answers === 0) await dead;
    });
    await client.ok('secretsmanager:RotateSecret', { SecretId });
    await until(() => Promise.resolve(dead && true), 'the server is killed');
    await dead;
    gate.watch(() => undefined);
    await server.start();

    const held = (await Promise.all(['AWSCURRENT', 'AWSPREVIOUS', ...(strategy === 'single' ? ['AWSPENDING'] : [])].map((stage) => valueAt(client, stage)))).filter((value) => value !== undefined);
    const works = await Promise.all(held.map(async ({ username, password }) => server.logsIn(username, password)));
    expect(works).toContain(true);

    const ended = await until(async () => {
      const { Run, Ended } = await describeRotation(client);
      // Asked again, a step that waits for its next attempt is done at once.
      if (Run?.Until !== undefined) await client.call('secretsmanager:RotateSecret', { SecretId, ClientRequestToken: Run.VersionId });
      return Run ? undefined : Ended[0];
    }, 'the rotation ends');
    expect(ended).toMatchObject({ Result: 'rotated' });
    const after = (await valueAt(client, 'AWSCURRENT')) ?? FIRST;
    expect(after.password).not.toBe(before.password);
    expect(await server.logsIn(after.username, after.password)).toBe(true);
    expect(await server.logsIn(before.username, before.password)).toBe(strategy === 'alternating');
  });
});
