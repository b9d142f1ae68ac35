/**
 * What a rotation leaves in memory: nothing. While a step is done outside, the process that connects outward has the secret's passwords, which shows that the scan finds them; when the rotation is over that
 * process is gone, and what is left of the vault has neither the old nor the new password, in no form and no freed page.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAuthority } from './support/authority.ts';
import { base64, type Json } from './support/client.ts';
import { startGate, type Gate } from './support/gate.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { demandRoot, finder, scan, summary } from './support/memory.ts';
import { patternsOf, textNeedle } from './support/needles.ts';
import { startPostgres, type Postgres } from './support/postgres.ts';
import { argumentsOf, descendantsOf, environmentOf, until, watchDescendants } from './support/processes.ts';
import { isAlive, remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { stops } from './support/stops.ts';

const PATIENCE_MS = 120_000;
const home = temporaryFolder();
/** The server runs as another user, who has to get there. */
const servers = temporaryFolder();
const started = stops();
const authority = makeAuthority(join(servers, 'ca'));
let postgres: Postgres;
let gate: Gate;
let vault: VaultProcess;

beforeAll(async () => {
  demandRoot();
  chmodSync(servers, 0o711);
  postgres = started.later(await startPostgres(join(servers, 'pg'), authority), (server) => server.kill());
  gate = started.later(await startGate(postgres.port), (one) => Promise.resolve(one.close()));
  const folder = join(home, 'vault');
  await makeVault(folder);
  vault = started.later(await startVault(folder, { home: join(home, 'own') }), (one) => one.kill());
  await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
});
afterAll(async () => {
  await started.all();
  remove(home);
  remove(servers);
});

const passwordOf = async (): Promise<string> => (JSON.parse(Buffer.from((await vault.client.ok('secretsmanager:GetSecretValue', { SecretId: 'shop' }))['SecretString'] as string, 'base64').toString()) as { password: string }).password;
const outward = (): readonly number[] => descendantsOf(vault.pid).filter((pid) => argumentsOf(pid).includes('egress.mjs'));

it('has no password of the secret in any process when it is over, locked or not', { timeout: 5 * PATIENCE_MS }, async () => {
  const first = `${randomBytes(18).toString('base64url')}Aa1`;
  const master = textNeedle('master password', `${randomBytes(18).toString('base64url')}Aa2`);
  await postgres.sql(`CREATE ROLE shop LOGIN PASSWORD '${first}'`, `CREATE ROLE boss LOGIN CREATEROLE PASSWORD '${master.text ?? ''}'`);
  const create = (Name: string, value: Json): Promise<Json> => vault.client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify({ engine: 'postgres', ca: authority.ca, host: 'localhost', port: gate.port, ...value })) });
  await postgres.sql('GRANT shop TO boss WITH ADMIN OPTION');
  const { ARN } = await create('boss', { username: 'boss', password: master.text });
  await create('shop', { username: 'shop', password: first, masterarn: ARN });
  await vault.client.ok('secretsmanager:SetRotator', { SecretId: 'shop', Rotator: 'postgres' });
  const old = textNeedle('old password', first);
  const ever = watchDescendants(vault.pid);

  let held = 0;
  let release: () => void = () => undefined;
  const released = new Promise<void>((go) => { release = go; });
  gate.watch(() => { held++; return released; });
  await vault.client.ok('secretsmanager:RotateSecret', { SecretId: 'shop' });
  await until(() => Promise.resolve(held > 0), 'a step connects', PATIENCE_MS);
  const [pid = 0] = outward();
  // The positive control: without it the zeros below would say nothing.
  expect(scan(pid, patternsOf(old)).hits.length, 'the old password in the process that connects').toBeGreaterThan(0);
  // Main lends it while the step is done: one copy of bytes, and no text. What carried it to the process that connects is wiped once that is written.
  await expect.poll(() => summary(scan(vault.pid, patternsOf(old)).hits), { message: 'in main, while the step is done', timeout: 20_000, interval: 500 }).toEqual({ 'old password': 'raw×2' });
  release();
  let shown: Json = {};
  await until(async () => {
    shown = await vault.client.ok('secretsmanager:DescribeRotation', { SecretId: 'shop' });
    return shown['Run'] === undefined;
  }, 'the rotation ends', PATIENCE_MS);
  expect(shown['Ended']).toMatchObject([{ Result: 'rotated' }]);

  const fresh = textNeedle('new password', await passwordOf());
  expect(fresh.text).not.toBe(first);
  const patterns = [old, fresh, master].flatMap(patternsOf);
  const search = finder(patterns);
  for (const state of ['open', 'locked']) {
    if (state === 'locked') await vault.client.ok('vault:Lock');
    expect(outward(), state).toEqual([]);
    const left = [vault.pid, ...descendantsOf(vault.pid)];
    for (const one of left) {
      expect(summary(scan(one, patterns).hits), `${state}: ${argumentsOf(one)}`).toEqual({});
      expect(search(Buffer.from(`${argumentsOf(one)}${environmentOf(one)}`, 'latin1'))).toEqual([]);
    }
    expect([...ever.seen()].filter((one) => isAlive(one) && !left.includes(one)), 'processes that were not looked at').toEqual([]);
  }
  ever.stop();
});
