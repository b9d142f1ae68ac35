/**
 * Rotations in a row at real servers, with the vault and the server killed (SIGKILL) at random moments: there is never a moment at which
 * no value that a program may ask for logs in. Meanwhile a program of another kind logs in without pause, with what the vault gives it.
 *
 * A value is AWSCURRENT's or AWSPREVIOUS's. With one user of PostgreSQL or MariaDB, which knows one password at a time, it is AWSPENDING's
 * too: between setSecret and finishSecret nothing else can hold there. Two users by turns, and Redis, have no such moment.
 *
 * What has been done so far goes to the file that KEYSTEAD_ROTATION_LOG names, for runs that take long:
 *
 *   KEYSTEAD_ROTATION_LOG=/tmp/log KEYSTEAD_ROTATIONS=1000 KEYSTEAD_KILL_SEED=12345 npx vitest run --project system test/system/rotation-logins.test.ts -t 'two PostgreSQL users'
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, makeAuthority } from './support/authority.ts';
import { type Chance, chance } from './support/chance.ts';
import { base64, type Client, Gone, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { until } from './support/processes.ts';
import { FIRST, WAYS, type Credentials, type RotatedServer } from './support/rotated-servers.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const ROTATIONS = Number(process.env['KEYSTEAD_ROTATIONS'] ?? 40);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
/** The longest time between a step's beginning and the kill that hits it, or what follows. */
const LONGEST_MS = Number(process.env['KEYSTEAD_ROTATION_MS'] ?? 500);
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const LOG = process.env['KEYSTEAD_ROTATION_LOG'];
/** Of one wait; a busy machine may take long. */
const PATIENCE_MS = 600_000;

const BOTH = ['AWSCURRENT', 'AWSPREVIOUS'];
/** Which values are tried, and how often a password is rotated: two PostgreSQL users are the ones that take a thousand. */
const KINDS = WAYS.map((way) => ({
  ...way,
  stages: way.strategy === 'single' && way.rotator !== 'redis' ? [...BOTH, 'AWSPENDING'] : BOTH,
  rotations: way.strategy === 'alternating' && way.rotator === 'postgres' ? ROTATIONS : Math.max(2, Math.ceil(ROTATIONS / 4)),
}));

const SecretId = 'app';
interface Held {
  readonly versions: string;
  readonly values: readonly Credentials[];
}

async function versionsOf(client: Client, stages: readonly string[]): Promise<readonly string[]> {
  const { VersionIdsToStages } = (await client.ok('secretsmanager:DescribeSecret', { SecretId })) as { VersionIdsToStages: Record<string, string[]> };
  return Object.entries(VersionIdsToStages).filter(([, on]) => on.some((stage) => stages.includes(stage))).map(([id]) => id).sort();
}

/** What the vault gives; undefined where the labels moved while it was asked. */
async function held(client: Client, stages: readonly string[]): Promise<Held | undefined> {
  const versions = await versionsOf(client, stages);
  const values: Credentials[] = [];
  for (const VersionId of versions) {
    const answer = await client.call('secretsmanager:GetSecretValue', { SecretId, VersionId });
    // A version that has no value yet, or has gone.
    if (answer.ok) values.push(JSON.parse(Buffer.from(answer.output['SecretString'] as string, 'base64').toString()) as Credentials);
  }
  return { versions: versions.join(), values };
}

/** Whether one of them logs in; undefined: the server could not be asked about each. */
async function anyLogsIn(server: RotatedServer, values: readonly Credentials[]): Promise<boolean | undefined> {
  let isKnown = true;
  for (const { username, password } of values) {
    try {
      if (await server.logsIn(username, password)) return true;
    } catch {
      isKnown = false;
    }
  }
  return isKnown ? false : undefined;
}

/** The program that logs in without pause. `vault`: whom it asks now; undefined while there is none. */
function startProber(server: RotatedServer, stages: readonly string[], vault: () => VaultProcess | undefined) {
  const seen = { holds: 0, unknown: 0, moved: 0 };
  const lockedOut: string[] = [];
  /** With one password at a time the server may change over between the try of the next and that of the last one: both fail, and none is locked out. */
  const passes = stages.includes('AWSPENDING') ? 3 : 1;
  let isOver = false;
  async function look(client: Client): Promise<keyof typeof seen> {
    const given = await held(client, stages);
    if (!given) return 'moved';
    for (let pass = 0; pass < passes; pass++) {
      const logsIn = await anyLogsIn(server, given.values);
      if (logsIn !== false) return logsIn ? 'holds' : 'unknown';
      const now = await held(client, stages);
      // A version that was without its value when it was asked for may have it by now.
      if (now?.versions !== given.versions || now.values.length !== given.values.length) return 'moved';
    }
    lockedOut.push(given.versions);
    return 'moved';
  }
  const running = (async () => {
    while (!isOver) {
      const now = vault();
      // The vault that is asked may be killed meanwhile.
      if (now) seen[await look(now.client).catch((error: unknown) => { if (error instanceof Gone) return 'unknown' as const; throw error; })] += 1;
      await sleep(50);
    }
  })();
  return {
    seen,
    lockedOut,
    async end() {
      isOver = true;
      await running;
    },
  };
}

interface Described {
  readonly Run?: { readonly VersionId: string; readonly Step: string; readonly Attempt: number; readonly Until?: number };
  readonly Ended: readonly { readonly VersionId: string; readonly Result: 'rotated' | 'failed' | 'stopped'; readonly Attempts: number; readonly Restored: boolean }[];
  readonly Pending?: string;
}
const describeRotation = async (client: Client): Promise<Described> => (await client.ok('secretsmanager:DescribeRotation', { SecretId })) as unknown as Described;

/** Waits for its end; what waits for its next attempt is not waited for. */
async function settled(client: Client): Promise<Described> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10)) {
    const now = await describeRotation(client);
    if (!now.Run) return now;
    if (now.Run.Until !== undefined) await client.call('secretsmanager:RotateSecret', { SecretId, ClientRequestToken: now.Run.VersionId });
  }
  throw new Error(`the rotation does not end: ${JSON.stringify(await describeRotation(client))}`);
}

const CUTS = ['vault', 'vault', 'server', 'both', 'none', 'none', 'none', 'none', 'none', 'none'] as const;

describe.each(KINDS)('$what', ({ what, rotator, strategy, stages, rotations, master, start }) => {
  const home = temporaryFolder();
  const folder = join(home, 'vault');
  /** The servers run as another user, who has to get there. */
  const servers = temporaryFolder();
  let authority: Authority;
  let server: RotatedServer;
  let vault: VaultProcess | undefined;

  async function open(): Promise<VaultProcess> {
    const started = await startVault(folder, { home: join(home, 'own'), within: PATIENCE_MS });
    await started.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    vault = started;
    return started;
  }
  beforeAll(async () => {
    chmodSync(servers, 0o711);
    authority = makeAuthority(join(servers, 'ca'));
    server = await start(join(servers, 'server'), authority);
    await makeVault(folder);
    const { client } = await open();
    const create = async (Name: string, value: Json): Promise<Json> => client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify({ engine: rotator, ca: authority.ca, host: 'localhost', port: server.port, ...value })) });
    const { ARN } = await create('master', master);
    await create(SecretId, { ...FIRST, masterarn: ARN });
    await client.ok('secretsmanager:SetRotator', { SecretId, Rotator: rotator, Strategy: strategy, PasswordLength: 20 });
  });
  afterAll(async () => {
    await vault?.kill();
    await server.kill();
    remove(home);
    remove(servers);
  });

  async function cut(what: (typeof CUTS)[number], dice: Chance, known: readonly Credentials[], { client, token }: { readonly client: Client; readonly token: string }): Promise<void> {
    // Any moment, and the quick steps as often as the slow ones.
    const step = dice.below(STEPS.length);
    for (let at = 0; at >= 0 && at < step; await sleep(5)) {
      const { Run, Ended } = await describeRotation(client);
      at = Run ? STEPS.indexOf(Run.Step) : Ended[0]?.VersionId === token ? step : 0;
    }
    await sleep(dice.fraction() * LONGEST_MS);
    const was = vault;
    if (what !== 'server') {
      vault = undefined;
      await was?.kill();
    }
    if (what !== 'vault') {
      await server.kill();
      await server.start();
    }
    if (what === 'server') return;
    // What programs have read before the rotation, while there is no vault to ask.
    if (!stages.includes('AWSPENDING')) expect(await anyLogsIn(server, known)).toBe(true);
    await open();
  }

  it(`has a login that works throughout ${String(rotations)} rotations (seed ${String(SEED)})`, { timeout: 300_000 + rotations * 60_000 }, async () => {
    const dice = chance(SEED);
    const cuts = { vault: 0, server: 0, both: 0, none: 0 };
    const ends = { rotated: 0, failed: 0, stopped: 0 };
    let attempts = 0;
    const prober = startProber(server, stages, () => vault);
    for (let done = 0; done < rotations; ) {
      const { client } = vault ?? (await open());
      const known = (await held(client, BOTH))?.values ?? [];
      const token = (await describeRotation(client)).Pending ?? randomUUID();
      const asking = client.call('secretsmanager:RotateSecret', { SecretId, ClientRequestToken: token }).catch((error: unknown) => { if (!(error instanceof Gone)) throw error; });
      const how = dice.pick(CUTS);
      cuts[how] += 1;
      if (how === 'none') await asking;
      else await cut(how, dice, known, { client, token });
      await asking;
      const { client: now } = vault ?? (await open());
      // Killed before it was written down: nothing has begun.
      const [last] = (await settled(now)).Ended;
      if (last?.VersionId !== token) continue;
      done += 1;
      ends[last.Result] += 1;
      attempts += last.Attempts;
      const current = (await held(now, ['AWSCURRENT']))?.values ?? [];
      expect(await anyLogsIn(server, current)).toBe(true);
      expect(prober.lockedOut).toEqual([]);
      if (LOG !== undefined) appendFileSync(LOG, `${what}: ${String(done)} rotations, ${JSON.stringify({ attempts, ...cuts, ...ends, ...prober.seen })}, locked out 0 times\n`);
    }
    await prober.end();
    expect(prober.lockedOut).toEqual([]);
    expect(prober.seen.holds).toBeGreaterThan(rotations);
    expect(ends.rotated).toBeGreaterThan(rotations / 2);
    process.stdout.write(`${what}: ${String(rotations)} rotations in ${String(attempts)} attempts, ${String(cuts.vault + cuts.both)} kills of the vault, ${String(cuts.server + cuts.both)} of the server; ended ${JSON.stringify(ends)}; looked at ${JSON.stringify(prober.seen)}, locked out 0 times\n`);
  });

  it('would be seen not to have one', async () => {
    const { client } = vault ?? (await open());
    await settled(client);
    for (const stage of ['AWSPREVIOUS', 'AWSCURRENT']) await client.ok('secretsmanager:PutSecretValue', { SecretId, SecretString: base64(JSON.stringify({ ...FIRST, password: `wrong-${stage}` })) });
    const prober = startProber(server, stages, () => vault);
    await until(() => prober.lockedOut.length > 0, 'the program that logs in says so', PATIENCE_MS);
    await prober.end();
  });
});
