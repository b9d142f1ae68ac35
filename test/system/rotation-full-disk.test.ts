/**
 * Rotations at real servers whose disk is full: a file system of their own that has no byte left. The rotation fails, says why, ends with the value that works under AWSCURRENT and nothing
 * under AWSPENDING, and goes well once there is room. Needs root, to mount.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Authority, makeAuthority } from './support/authority.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { SUPERUSER, startPostgres } from './support/postgres.ts';
import { ADMIN, startRedis } from './support/redis.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { stops } from './support/stops.ts';

/** Of one wait; a busy machine may take long. */
const PATIENCE_MS = 300_000;
const home = temporaryFolder();
/** The servers run as another user, who has to get there. */
const servers = temporaryFolder();
const started = stops();
let authority: Authority;
let vault: VaultProcess;

/** Mounted, or the test fails: without a disk of its own it proves nothing. */
function mountSmall(name: string, size: string): string {
  const disk = join(servers, name);
  execFileSync('mkdir', ['-m', '0755', disk]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  started.later(disk, (mounted) => Promise.resolve(execFileSync('umount', [mounted])));
  return disk;
}

/** Takes every byte that is left; `free` gives them back. */
function fill(disk: string): { readonly free: () => void } {
  const path = join(disk, 'ballast');
  const fd = openSync(path, 'w');
  try {
    for (const size of [65_536, 4096, 1]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
  return { free: () => { rmSync(path, { force: true }); } };
}

beforeAll(async () => {
  chmodSync(servers, 0o711);
  authority = makeAuthority(join(servers, 'ca'));
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

const create = (Name: string, value: Json): Promise<Json> => vault.client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify({ ca: authority.ca, host: 'localhost', ...value })) });
const passwordOf = async (SecretId: string): Promise<string> => (JSON.parse(Buffer.from((await vault.client.ok('secretsmanager:GetSecretValue', { SecretId }))['SecretString'] as string, 'base64').toString()) as { password: string }).password;

interface Ended {
  readonly Result: string;
  readonly Restored: boolean;
  readonly Steps: readonly Json[];
}
/**
 * Rotates to its end; what waits for its next attempt is asked for at once. `makeRoom`: of a machine so busy that the fate of an attempt is not known, the current value is set anew, which
 * needs room, too; that waits for its own time.
 */
async function rotated(SecretId: string, makeRoom: () => void = () => undefined): Promise<Ended> {
  await vault.client.ok('secretsmanager:RotateSecret', { SecretId });
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10)) {
    const { Run, Ended } = (await vault.client.ok('secretsmanager:DescribeRotation', { SecretId })) as unknown as { Run?: { VersionId: string; Until?: number; Step: string }; Ended: readonly Ended[] };
    if (!Run && Ended[0]) return Ended[0];
    if (Run?.Step === 'restoreSecret' && Run.Until !== undefined) makeRoom();
    else if (Run?.Until !== undefined) await vault.client.call('secretsmanager:RotateSecret', { SecretId, ClientRequestToken: Run.VersionId });
  }
  throw new Error(`the rotation of ${SecretId} does not end: ${JSON.stringify(await vault.client.ok('secretsmanager:DescribeRotation', { SecretId }))}`);
}
const stagesOf = async (SecretId: string): Promise<readonly string[]> => Object.values((await vault.client.ok('secretsmanager:DescribeSecret', { SecretId }))['VersionIdsToStages'] as Record<string, string[]>).flat();

interface Server {
  logsIn(username: string, password: string): Promise<boolean>;
}
async function failsThenGoesWell(name: string, server: Server, username: string, full: () => Promise<{ readonly free: () => void }>, code: string): Promise<void> {
  const { free } = await full();
  const ended = await rotated(name, free);
  expect(ended).toMatchObject({ Result: 'failed', Restored: true });
  expect(ended.Steps.find(({ Step }) => Step === 'setSecret')).toMatchObject({ Code: code, Reason: expect.stringContaining('cannot write to its disk') as string });
  expect(await stagesOf(name)).not.toContain('AWSPENDING');
  const before = await passwordOf(name);
  expect(await server.logsIn(username, before)).toBe(true);
  free();
  expect(await rotated(name)).toMatchObject({ Result: 'rotated' });
  const after = await passwordOf(name);
  expect([after === before, await server.logsIn(username, after), await server.logsIn(username, before)]).toEqual([false, true, false]);
}

it('at PostgreSQL, which has no page left for the new password', { timeout: 3 * PATIENCE_MS }, async () => {
  const disk = mountSmall('postgres', '160m');
  const server = started.later(await startPostgres(join(disk, 'pg'), authority), (one) => one.kill());
  await server.sql('ALTER SYSTEM SET autovacuum = off', 'ALTER SYSTEM SET full_page_writes = off', 'SELECT pg_reload_conf()', "CREATE ROLE shop LOGIN PASSWORD 'shop-Passwort-1'");
  await create('shop', { engine: 'postgres', port: server.port, username: 'shop', password: 'shop-Passwort-1' });
  await vault.client.ok('secretsmanager:SetRotator', { SecretId: 'shop', Rotator: 'postgres' });
  const fullTable = async (): Promise<{ readonly free: () => void }> => {
    const ballast = fill(disk);
    // Until the table of roles would have to grow: the user's new row then finds no room in it either.
    const refused = async (at: number): Promise<string> => server.sql(`CREATE ROLE filler${String(at)} LOGIN PASSWORD '${SUPERUSER.password}'`).then(() => refused(at + 1), (error: unknown) => String((error as { readonly code?: string }).code));
    expect(await refused(0)).toBe('53100');
    return ballast;
  };
  await failsThenGoesWell('shop', server, 'shop', fullTable, '53100');
});

it('at Redis, which cannot write its list of users', { timeout: 3 * PATIENCE_MS }, async () => {
  const disk = mountSmall('redis', '1m');
  const server = started.later(await startRedis(join(disk, 'r'), authority), (one) => one.kill());
  await server.command('ACL', 'SETUSER', 'cache', 'on', '>cache-Passwort-1', '~*', '+@read');
  await server.command('ACL', 'SAVE');
  const { ARN } = await create('redis-master', { port: server.port, ...ADMIN });
  await create('cache', { port: server.port, username: 'cache', password: 'cache-Passwort-1', masterarn: ARN });
  await vault.client.ok('secretsmanager:SetRotator', { SecretId: 'cache', Rotator: 'redis' });
  await failsThenGoesWell('cache', server, 'cache', () => Promise.resolve(fill(disk)), 'disk-failed');
});
