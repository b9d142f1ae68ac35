/** Rotation through the built vault against real servers: what the vault says is the password is the one that logs in there, and the old one is not. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, makeAuthority } from './support/authority.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { type Postgres, SUPERUSER, startPostgres } from './support/postgres.ts';
import { argumentsOf, descendantsOf, environmentOf, until } from './support/processes.ts';
import { ADMIN, type Redis, startRedis } from './support/redis.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { stops } from './support/stops.ts';

const home = temporaryFolder();
/** The servers run as another user, who has to get there. */
const servers = temporaryFolder();
const folder = join(home, 'vault');
let authority: Authority;
let postgres: Postgres;
let redis: Redis;
let vault: VaultProcess;
const started = stops();

beforeAll(async () => {
  chmodSync(servers, 0o711);
  authority = makeAuthority(join(servers, 'ca'));
  await makeVault(folder);
  postgres = started.later(await startPostgres(join(servers, 'pg'), authority), (server) => server.kill());
  redis = started.later(await startRedis(join(servers, 'redis'), authority), (server) => server.kill());
  vault = started.later(await startVault(folder, { home: join(home, 'own') }), (one) => one.kill());
  await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
});
afterAll(async () => {
  await started.all();
  remove(home);
  remove(servers);
});

const create = async (Name: string, value: Json): Promise<void> => void (await vault.client.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(JSON.stringify({ ca: authority.ca, host: 'localhost', ...value })) }));
const read = async (SecretId: string, VersionStage = 'AWSCURRENT'): Promise<Json> => JSON.parse(Buffer.from((await vault.client.ok('secretsmanager:GetSecretValue', { SecretId, VersionStage }))['SecretString'] as string, 'base64').toString()) as Json;
const describeRotation = (SecretId: string): Promise<Json> => vault.client.ok('secretsmanager:DescribeRotation', { SecretId });
async function rotate(SecretId: string, settings: Json): Promise<Json> {
  const { RotationLambdaARN } = await vault.client.ok('secretsmanager:SetRotator', { SecretId, ...settings });
  expect(await vault.client.ok('secretsmanager:TestRotator', { SecretId })).toMatchObject({ Ok: true, Connections: [expect.stringMatching(/^localhost:\d+ /), ...(settings['Strategy'] === 'alternating' || settings['Rotator'] === 'redis' ? [expect.any(String)] : [])] });
  await vault.client.ok('secretsmanager:RotateSecret', { SecretId, RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 30 }, RotateImmediately: true });
  let shown: Json = {};
  await until(async () => {
    shown = await describeRotation(SecretId);
    return (shown['Ended'] as unknown[]).length > 0 && shown['Run'] === undefined;
  }, `${SecretId} is rotated`, 60_000);
  return (shown['Ended'] as Json[])[0] ?? {};
}

describe('a rotation', () => {
  it('of a PostgreSQL user ends with the new password alone', async () => {
    await postgres.sql("CREATE ROLE shop LOGIN PASSWORD 'shop-Passwort-1'");
    await create('shop', { engine: 'postgres', port: postgres.port, username: 'shop', password: 'shop-Passwort-1' });
    expect(await rotate('shop', { Rotator: 'postgres' })).toMatchObject({ Result: 'rotated', Attempts: 1 });
    const { password } = await read('shop');
    expect([await postgres.logsIn('shop', String(password)), await postgres.logsIn('shop', 'shop-Passwort-1')]).toEqual([true, false]);
    expect(await read('shop', 'AWSPREVIOUS')).toMatchObject({ username: 'shop', password: 'shop-Passwort-1', ca: authority.ca });
    expect(postgres.log()).not.toContain(String(password));
  });

  it('of two PostgreSQL users by turns leaves both logging in', async () => {
    await postgres.sql("CREATE ROLE web LOGIN PASSWORD 'web-Passwort-1'");
    await create('master', { engine: 'postgres', port: postgres.port, ...SUPERUSER });
    const { ARN } = await vault.client.ok('secretsmanager:DescribeSecret', { SecretId: 'master' });
    await create('web', { engine: 'postgres', port: postgres.port, username: 'web', password: 'web-Passwort-1', masterarn: ARN });
    expect(await rotate('web', { Rotator: 'postgres', Strategy: 'alternating' })).toMatchObject({ Result: 'rotated' });
    const { username, password } = await read('web');
    expect([username, await postgres.logsIn('web_clone', String(password)), await postgres.logsIn('web', 'web-Passwort-1')]).toEqual(['web_clone', true, true]);
  });

  it('of a Redis user takes the old password away at its end', async () => {
    await redis.command('ACL', 'SETUSER', 'cache', 'on', '>cache-Passwort-1', '~*', '+@read');
    await create('redis-master', { port: redis.port, ...ADMIN });
    const { ARN } = await vault.client.ok('secretsmanager:DescribeSecret', { SecretId: 'redis-master' });
    await create('cache', { port: redis.port, username: 'cache', password: 'cache-Passwort-1', masterarn: ARN });
    expect(await rotate('cache', { Rotator: 'redis' })).toMatchObject({ Result: 'rotated' });
    const { password } = await read('cache');
    await until(async () => !(await redis.logsIn('cache', 'cache-Passwort-1')), 'the old password is gone', 60_000);
    expect(await redis.logsIn('cache', String(password))).toBe(true);
    const [run] = (await describeRotation('cache'))['Ended'] as readonly { readonly Steps: readonly Json[] }[];
    expect(run?.Steps.find(({ Step }) => Step === 'setSecret')).toMatchObject({ Notes: ['old-still-valid'] });
  });

  it('that is refused says so without a value, and the password that worked goes on working', async () => {
    await postgres.sql("CREATE ROLE lost LOGIN PASSWORD 'lost-Passwort-1'");
    await create('lost', { engine: 'postgres', port: postgres.port, username: 'lost', password: 'wrong-Passwort-1' });
    await vault.client.ok('secretsmanager:SetRotator', { SecretId: 'lost', Rotator: 'postgres' });
    const tested = await vault.client.ok('secretsmanager:TestRotator', { SecretId: 'lost' });
    expect(tested).toMatchObject({ Ok: false, Code: '28P01', Reason: expect.stringContaining('none of the secret') });
    expect(JSON.stringify(tested)).not.toContain('Passwort');
    expect(await postgres.logsIn('lost', 'lost-Passwort-1')).toBe(true);
  });
});

describe('a program of the owner’s', () => {
  const path = (): string => join(home, 'rotate');
  const settled = async (SecretId: string): Promise<Json> => {
    let shown: Json = {};
    await until(async () => {
      shown = await describeRotation(SecretId);
      return (shown['Ended'] as unknown[]).length > 0 || ((shown['Run'] as Json | undefined)?.['Attempt'] ?? 1) !== 1;
    }, `${SecretId} was tried`, 60_000);
    return shown;
  };

  it('is run when the owner allowed it, by name, and not when its file is another since', async () => {
    const seen = join(home, 'seen');
    writeFileSync(path(), `#!/bin/sh\ncat >> '${seen}'\nprintf '%s\\n' "$1" >> '${seen}.args'\nexit 7\n`, { mode: 0o700 });
    await create('programmed', { key: 'programmed-Passwort-1' });
    const named = { SecretId: 'programmed', Rotator: 'command', Command: 'mine' };
    expect(await vault.client.call('secretsmanager:SetRotator', named)).toMatchObject({ ok: false, error: { code: 'InvalidRequestException', message: expect.stringContaining('`mine` is allowed') as string } });
    const program = { Name: 'mine', Path: path(), Arguments: ['--now; exit'] };
    expect(await vault.client.code('vault:AllowCommand', program)).toBe('ValidationException');
    expect(await vault.client.code('vault:AllowCommand', { ...program, Password: base64('another password') })).toBe('IncorrectPasswordException');
    expect((await vault.client.ok('vault:ListCommands'))['Commands']).toEqual([]);
    const allowed = await vault.client.ok('vault:AllowCommand', { ...program, Password: base64(PASSWORD) });
    expect(await vault.client.code('vault:AllowCommand', { ...program, Password: base64(PASSWORD) })).toBe('AlreadyExistsException');
    const { RotationLambdaARN } = await vault.client.ok('secretsmanager:SetRotator', named);
    expect(allowed).toMatchObject({ Name: 'mine', Path: path(), Arguments: ['--now; exit'], Sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await vault.client.ok('vault:ListCommands'))['Commands']).toEqual([allowed]);
    await vault.client.ok('secretsmanager:RotateSecret', { SecretId: 'programmed', RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 30 } });
    await until(() => existsSync(`${seen}.args`), 'it was run', 60_000);
    expect(JSON.parse(readFileSync(seen, 'utf8').split('\n')[0] ?? '')).toEqual({ Step: 'createSecret', SecretId: expect.stringMatching(/^arn:aws:secretsmanager:.*:secret:programmed-/), ClientRequestToken: expect.any(String) });
    expect(readFileSync(`${seen}.args`, 'utf8')).toMatch(/^--now; exit\n/);
    expect(JSON.stringify(await settled('programmed'))).toContain('EXIT_7');
    await vault.client.ok('secretsmanager:StopRotation', { SecretId: 'programmed' });

    writeFileSync(path(), `#!/bin/sh\ntouch '${seen}.changed'\n`, { mode: 0o700 });
    await create('changed', { key: 'changed-Passwort-1' });
    await vault.client.ok('secretsmanager:SetRotator', { ...named, SecretId: 'changed' });
    await vault.client.ok('secretsmanager:RotateSecret', { SecretId: 'changed', RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 30 } });
    expect(JSON.stringify(await settled('changed'))).toContain('DIGEST');
    expect(existsSync(`${seen}.changed`)).toBe(false);
    await vault.client.ok('vault:DisallowCommand', { Name: 'mine' });
    expect((await vault.client.ok('vault:ListCommands'))['Commands']).toEqual([]);
    expect(await vault.client.call('vault:DisallowCommand', { Name: 'mine' })).toMatchObject({ ok: false, error: { code: 'NotFoundException' } });
    expect(await vault.client.call('vault:AllowCommand', { Name: 'mine', Path: join(home, 'nothing'), Password: base64(PASSWORD) })).toMatchObject({ ok: false, error: { code: 'FileNotReadableException' } });
  });
});

it('lock ends the process that connects outward, which has nothing in its arguments or environment', async () => {
  const silent = createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((done) => silent.listen(0, 'localhost', done));
  const { port } = silent.address() as AddressInfo;
  await create('hanging', { engine: 'postgres', port, username: 'u', password: 'hanging-Passwort-1' });
  const { RotationLambdaARN } = await vault.client.ok('secretsmanager:SetRotator', { SecretId: 'hanging', Rotator: 'postgres' });
  await vault.client.ok('secretsmanager:RotateSecret', { SecretId: 'hanging', RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 30 } });
  const outward = (): readonly number[] => descendantsOf(vault.pid).filter((pid) => argumentsOf(pid).includes('egress.mjs'));
  await until(() => outward().length === 1, 'it connects', 60_000);
  const [pid = 0] = outward();
  expect(argumentsOf(pid) + environmentOf(pid)).not.toContain('Passwort');
  await vault.client.ok('vault:Lock');
  expect(outward()).toEqual([]);
  silent.close();
});
