/**
 * Imports through the command line and the socket of the built program: what becomes of each row, that the same again changes nothing, SIGKILL in
 * the middle, the file erased, and no value in an answer, a message, the trail, the log, or the vault's folder.
 */
import { spawn } from 'node:child_process';
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { writeConfirmed } from '../../src/shared/api/import-writing.ts';
import { base64, type Client, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { until } from './support/processes.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const SAMPLES = resolve(import.meta.dirname, '../fixtures/imports');
/** In every value that is imported here. */
const NEEDLE = 'zqNeedle7Xw';

const home = temporaryFolder();
const folder = join(home, 'vault');
let vault: VaultProcess;
let client: Client;
let written = '';

async function start(): Promise<void> {
  vault = await startVault(folder, { home });
  client = vault.client;
  await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
}
beforeAll(async () => {
  await makeVault(folder);
  await start();
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});
afterEach(() => {
  expect(written).not.toContain(NEEDLE);
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function keystead(args: readonly string[], stdin = ''): Promise<Ran> {
  return new Promise((done) => {
    const env = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state'), XDG_CONFIG_HOME: join(home, 'config') };
    const child = spawn(process.execPath, [CLI, ...args, '--vault', folder], { env, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.end(stdin);
    child.once('close', (code) => {
      written += stdout + stderr;
      done({ code, stdout, stderr });
    });
  });
}

const plain = (name: string, text: string): string => {
  const path = join(home, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const valueOf = async (SecretId: string): Promise<string> => Buffer.from(String((await client.ok('secretsmanager:GetSecretValue', { SecretId }))['SecretString']), 'base64').toString();
const namesWith = async (prefix: string): Promise<readonly string[]> => {
  const names: string[] = [];
  let NextToken: unknown;
  do {
    const page = await client.ok('secretsmanager:ListSecrets', { Filters: [{ Key: 'name', Values: [prefix] }], SortBy: 'name', SortOrder: 'asc', ...(NextToken === undefined ? {} : { NextToken }) });
    names.push(...(page['SecretList'] as readonly Json[]).map(({ Name }) => String(Name)));
    NextToken = page['NextToken'];
  } while (NextToken !== undefined);
  return names;
};

describe('keystead secret import', () => {
  it('makes one secret of a .env, and nothing the second time', async () => {
    const path = plain('.env', `USER=${NEEDLE}-user\nPASSWORD="${NEEDLE}\\n\\"q\\""\n`);
    const dry = await keystead(['secret', 'import', path, '--prefix', 'one/', '--name', 'app', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(/^\.env file, 1 secret:\n {2}one\/app {2}new\n {6}USER, PASSWORD\n$/);
    expect(await namesWith('one/')).toEqual([]);
    expect((await keystead(['secret', 'import', path, '--prefix', 'one/', '--name', 'app', '--yes'])).stdout).toContain('1 secret made.');
    expect(await valueOf('one/app')).toBe(JSON.stringify({ USER: `${NEEDLE}-user`, PASSWORD: `${NEEDLE}\n"q"` }));
    const again = await keystead(['secret', 'import', path, '--prefix', 'one/', '--name', 'app', '--yes', '--output', 'json']);
    expect(JSON.parse(again.stdout)).toEqual({ Created: 0, Replaced: 0, Unchanged: 0, Conflict: 0, Same: 1, NotImported: 0, Erased: false });
    expect((await client.ok('secretsmanager:ListSecretVersionIds', { SecretId: 'one/app' }))['Versions']).toHaveLength(1);
  });

  it('makes one of each name, and asks what to do with those that are there', async () => {
    const path = plain('each.env', `A=${NEEDLE}1\nB=${NEEDLE}2\nEMPTY=\nA=${NEEDLE}3\n`);
    await client.ok('secretsmanager:CreateSecret', { Name: 'each/B', SecretString: base64('before') });
    const stopped = await keystead(['secret', 'import', path, '--each', '--prefix', 'each/', '--yes']);
    expect(stopped.code).toBe(8);
    expect(stopped.stderr).toContain('2 rows would clash');
    expect(await namesWith('each/')).toEqual(['each/B']);

    const skipped = await keystead(['secret', 'import', path, '--each', '--prefix', 'each/', '--yes', '--on-conflict', 'skip', '--output', 'json']);
    expect(JSON.parse(skipped.stdout)).toMatchObject({ Created: 1, NotImported: 3 });
    expect([await valueOf('each/A'), await valueOf('each/B')]).toEqual([`${NEEDLE}1`, 'before']);

    const kept = await keystead(['secret', 'import', path, '--each', '--prefix', 'each/', '--yes', '--on-conflict', 'keep', '--output', 'json']);
    expect(JSON.parse(kept.stdout)).toMatchObject({ Created: 2, Same: 1, NotImported: 1 });
    expect(await namesWith('each/')).toEqual(['each/A', 'each/A-2', 'each/B', 'each/B-2']);
    expect([await valueOf('each/A-2'), await valueOf('each/B-2')]).toEqual([`${NEEDLE}3`, `${NEEDLE}2`]);
    // The same again finds what it has kept beside the others.
    expect(JSON.parse((await keystead(['secret', 'import', path, '--each', '--prefix', 'each/', '--yes', '--on-conflict', 'keep', '--output', 'json'])).stdout)).toMatchObject({ Created: 0, Same: 3, NotImported: 1 });
    expect(await namesWith('each/')).toHaveLength(4);
  });

  it('gives a new version where it is to replace, and leaves the old one as AWSPREVIOUS', async () => {
    await client.ok('secretsmanager:CreateSecret', { Name: 'new/A', SecretString: base64('before') });
    const path = plain('new.env', `A=${NEEDLE}9\n`);
    expect(JSON.parse((await keystead(['secret', 'import', path, '--each', '--prefix', 'new/', '--yes', '--on-conflict', 'replace', '--output', 'json'])).stdout)).toMatchObject({ Replaced: 1 });
    expect(await valueOf('new/A')).toBe(`${NEEDLE}9`);
    const { SecretString } = await client.ok('secretsmanager:GetSecretValue', { SecretId: 'new/A', VersionStage: 'AWSPREVIOUS' });
    expect(SecretString).toBe(base64('before'));
  });

  it('reads standard input, and every kind of export', async () => {
    expect((await keystead(['secret', 'import', '-', '--prefix', 'op/', '--yes'], readFileSync(join(SAMPLES, 'op-items.json'), 'utf8'))).stdout).toContain('2 secrets made');
    expect(await namesWith('op/')).toEqual(['op/Private/GitHub', 'op/Team/Buro-WLAN']);
    const made: Record<string, number> = { '1password.csv': 2, 'bitwarden.json': 5, 'bitwarden.csv': 2, 'keepass.xml': 3, 'keepass1.csv': 1, 'keepassxc.csv': 1, 'services.json': 2, 'app.yaml': 1 };
    for (const [name, count] of Object.entries(made)) {
      const { stdout } = await keystead(['secret', 'import', join(SAMPLES, name), '--prefix', `${name}/`, '--yes', '--output', 'json']);
      expect([name, (JSON.parse(stdout) as { Created: number }).Created]).toEqual([name, count]);
    }
    const { Code, Digits } = await client.ok('secretsmanager:GetOneTimeCode', { SecretId: 'keepass.xml/Router', Member: 'totp' });
    expect([Buffer.from(String(Code), 'base64').length, Digits]).toEqual([8, 8]);
  });

  it('names the line of what it does not take, and none of its values', async () => {
    const path = plain('bad.env', `A=1\nB="${NEEDLE}\n`);
    const { code, stderr } = await keystead(['secret', 'import', path, '--yes']);
    expect(code).toBe(2);
    expect(stderr).toContain('line 2');
    expect((await keystead(['secret', 'import', join(SAMPLES, 'bitwarden-encrypted.json'), '--yes'])).stderr).toContain('encrypted Bitwarden export');
    expect((await keystead(['secret', 'import', join(home, 'nowhere.env'), '--yes'])).code).toBe(5);
    expect((await keystead(['secret', 'import', path])).stderr).toContain('no terminal');
  });
});

describe('the file afterwards', () => {
  it('is overwritten and deleted when it is asked for', async () => {
    const path = plain('erase.env', `A=${NEEDLE}\n`);
    const other = join(home, 'held');
    const ran = await keystead(['secret', 'import', path, '--prefix', 'erase/', '--name', 'a', '--yes', '--erase', '--output', 'json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ Created: 1, Erased: true });
    expect(existsSync(path)).toBe(false);
    // With a second name nothing may be overwritten.
    const linked = plain('linked.env', `A=${NEEDLE}\n`);
    linkSync(linked, other);
    const refused = await keystead(['secret', 'import', linked, '--prefix', 'erase/', '--name', 'b', '--yes', '--erase']);
    expect(refused.stderr).toContain('hard links');
    expect(readFileSync(linked, 'utf8')).toContain(NEEDLE);
    expect(await valueOf('erase/b')).toContain(NEEDLE);
  });

  const opened = async (Path: string, name: string): Promise<string> => {
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Path });
    const { Preview } = await client.ok('secretsmanager:PreviewImport', { ImportId, Layout: 'one', Name: name });
    await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview, Rows: [{ Row: 0, Action: 'Create' }] });
    return String(ImportId);
  };
  const erase = (ImportId: string, Path: string, NotImported = 0): Promise<string> => client.code('secretsmanager:EraseImportedFile', { ImportId, Path, NotImported });

  it('stays where it is not the same any more, or a link', async () => {
    const path = plain('changed.env', `A=${NEEDLE}\n`);
    const id = await opened(path, 'stay/1');
    expect(await erase(id, join(home, 'other.env'))).toBe('InvalidRequestException');
    expect(await erase(id, path, 1)).toBe('InvalidRequestException');
    writeFileSync(path, `A=${NEEDLE.toUpperCase()}\n`);
    expect(await erase(id, path)).toBe('FileNotReadableException');
    expect(readFileSync(path, 'utf8')).toContain(NEEDLE.toUpperCase());

    const real = plain('real.env', `A=${NEEDLE}\n`);
    const link = join(home, 'link.env');
    symlinkSync(real, link);
    expect(await erase(await opened(link, 'stay/2'), link)).toBe('FileNotReadableException');
    expect(readFileSync(real, 'utf8')).toContain(NEEDLE);

    const moved = plain('moved.env', `A=${NEEDLE}\n`);
    const other = await opened(moved, 'stay/3');
    renameSync(moved, join(home, 'elsewhere.env'));
    writeFileSync(moved, `A=${NEEDLE}\n`);
    expect(await erase(other, moved)).toBe('FileNotReadableException');
    expect(statSync(moved).size).toBeGreaterThan(0);
  });

  it('stays where some of it is nowhere else and nobody could be asked', async () => {
    await client.ok('secretsmanager:CreateSecret', { Name: 'partly/A', SecretString: base64('another') });
    const path = plain('partly.env', `A=${NEEDLE}\nB=${NEEDLE}-2\n`);
    const ran = await keystead(['secret', 'import', path, '--each', '--prefix', 'partly/', '--on-conflict', 'skip', '--yes', '--erase', '--output', 'json']);
    expect([ran.code, JSON.parse(ran.stdout)]).toMatchObject([8, { Created: 1, NotImported: 1, Erased: false }]);
    expect(readFileSync(path, 'utf8')).toContain(NEEDLE);
  });

  it('counts a row that repeats another as imported with that one only', async () => {
    const path = plain('repeated.env', `A=${NEEDLE}\nA=${NEEDLE}\nB=${NEEDLE}-2\n`);
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Path: path });
    const { Preview, Rows } = await client.ok('secretsmanager:PreviewImport', { ImportId, Layout: 'each', Prefix: 'repeated/' });
    expect((Rows as readonly { readonly State: string }[]).map(({ State }) => State)).toEqual(['New', 'Same', 'New']);
    await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview, Rows: [{ Row: 2, Action: 'Create' }] });
    expect(await erase(String(ImportId), path, 1)).toBe('InvalidRequestException');
    await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview, Rows: [{ Row: 0, Action: 'Create' }] });
    expect(await erase(String(ImportId), path)).toBe('ok');
  });

  it('stays while nothing of it was imported', async () => {
    const path = plain('nothing.env', `A=${NEEDLE}\n`);
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Path: path });
    expect(await erase(String(ImportId), path, 1)).toBe('InvalidRequestException');
    await client.ok('secretsmanager:PreviewImport', { ImportId, Layout: 'one', Name: 'nothing' });
    expect(await erase(String(ImportId), path, 1)).toBe('InvalidRequestException');
    expect(existsSync(path)).toBe(true);
  });
});

describe('what was read', () => {
  it('can be imported as it was shown last, and not otherwise', async () => {
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Content: base64(`A=${NEEDLE}\nB=${NEEDLE}\n`) });
    const look = (Prefix: string): Promise<Json> => client.ok('secretsmanager:PreviewImport', { ImportId, Layout: 'each', Prefix });
    const first = await look('shown/');
    expect(JSON.stringify(first)).not.toContain(NEEDLE);
    expect(first['Counts']).toMatchObject({ New: 2 });
    const second = await look('other/');
    const Rows = [{ Row: 0, Action: 'Create' }];
    expect(await client.code('secretsmanager:ImportSecrets', { ImportId, Preview: first['Preview'], Rows })).toBe('ResourceNotFoundException');
    expect(await namesWith('shown/')).toEqual([]);
    const done = await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview: second['Preview'], Rows });
    const again = await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview: second['Preview'], Rows });
    expect([done, again].map(({ Results }) => (Results as readonly Json[])[0])).toMatchObject([{ Outcome: 'Created', Name: 'other/A' }, { Outcome: 'Unchanged' }]);
    // Another value came in between: what was confirmed as new is not written over it.
    await client.ok('secretsmanager:CreateSecret', { Name: 'other/B', SecretString: base64('mine') });
    const late = await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview: second['Preview'], Rows: [{ Row: 1, Action: 'Create' }] });
    expect((late['Results'] as readonly Json[])[0]).toMatchObject({ Outcome: 'Conflict' });
    expect(await valueOf('other/B')).toBe('mine');
    await client.ok('secretsmanager:CloseImport', { ImportId });
    expect(await client.code('secretsmanager:PreviewImport', { ImportId, Layout: 'one' })).toBe('ResourceNotFoundException');
  });

  it('comes into the vault’s own region only', async () => {
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Content: base64(`A=${NEEDLE}\n`) });
    const input = { ImportId, Layout: 'each', Prefix: 'region/' };
    const own = String((await client.ok('vault:DescribeSettings'))['Region']);
    const { Preview } = await client.ok('secretsmanager:PreviewImport', input, own);
    const other = own === 'eu-west-1' ? 'eu-west-2' : 'eu-west-1';
    const Rows = [{ Row: 0, Action: 'Create' }];
    expect(await client.code('secretsmanager:PreviewImport', input, other)).toBe('InvalidParameterException');
    expect(await client.code('secretsmanager:ImportSecrets', { ImportId, Preview, Rows }, other)).toBe('InvalidParameterException');
    expect([(await client.ok('secretsmanager:ListSecrets', {}, other))['SecretList'], await namesWith('region/')]).toEqual([[], []]);
    expect((await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview, Rows }, own))['Results']).toMatchObject([{ Outcome: 'Created', ARN: expect.stringContaining(`:${own}:`) as string }]);
  });

  it('is gone after a lock', async () => {
    const { ImportId } = await client.ok('secretsmanager:OpenImport', { Content: base64('A=1') });
    await client.ok('vault:Lock');
    await client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    expect(await client.code('secretsmanager:PreviewImport', { ImportId, Layout: 'one' })).toBe('ResourceNotFoundException');
  });
});

it('finishes after SIGKILL in the middle: what was answered is there, and the same command makes the rest once', { timeout: 180_000 }, async () => {
  const count = 3000;
  const path = plain('many.json', JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, at) => [`s${String(at).padStart(4, '0')}`, { password: `${NEEDLE}-${String(at)}` }]))));
  const { ImportId } = await client.ok('secretsmanager:OpenImport', { Path: path });
  const { Preview } = await client.ok('secretsmanager:PreviewImport', { ImportId, Layout: 'each', Prefix: 'many/' });
  const acknowledged: number[] = [];
  const requests: (readonly number[])[] = [];
  // As the command line and the window send them: several at once.
  const sent = writeConfirmed(Array.from({ length: count }, (_, Row) => ({ Row, Name: `many/s${String(Row).padStart(4, '0')}`, Action: 'Create' })), async (rows) => {
    requests.push(rows.map(({ Row }) => Row));
    const { Results } = await client.ok('secretsmanager:ImportSecrets', { ImportId, Preview, Rows: rows });
    acknowledged.push(...(Results as readonly Json[]).map(({ Row }) => Number(Row)));
  }).catch(() => undefined);
  await until(() => acknowledged.length >= 300, 'some of them are answered', 60_000);
  await vault.kill();
  await sent;
  expect(acknowledged.length).toBeLessThan(count);
  await start();
  const there = new Set(await namesWith('many/'));
  const isThere = (row: number): boolean => there.has(`many/s${String(row).padStart(4, '0')}`);
  expect(acknowledged.filter((row) => !isThere(row))).toEqual([]);
  // A request is there wholly or not at all.
  for (const rows of requests) expect(new Set(rows.map(isThere)).size).toBe(1);

  const { stdout } = await keystead(['secret', 'import', path, '--prefix', 'many/', '--yes', '--output', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ Created: count - there.size, Same: there.size, NotImported: 0, Conflict: 0 });
  expect(await namesWith('many/')).toHaveLength(count);
  expect(await valueOf('many/s0999')).toBe(`{"password":"${NEEDLE}-999"}`);
  const { Versions } = await client.ok('secretsmanager:ListSecretVersionIds', { SecretId: 'many/s0000', IncludeDeprecated: true });
  expect(Versions).toHaveLength(1);
});

it('leaves no value in the trail, the log, or anything else that the vault wrote', async () => {
  const events: Json[] = [];
  let before: unknown;
  do {
    const page = await client.ok('trail:LookupEvents', { Limit: 50, ...(before === undefined ? {} : { Before: before }) });
    events.push(...(page['Events'] as readonly Json[]));
    before = page['NextBefore'];
  } while (before !== undefined);
  const text = JSON.stringify(events);
  // No `toContain`, which would print all of it.
  expect(['secretsmanager:ImportSecrets', 'erase.env', NEEDLE].map((one) => text.includes(one))).toEqual([true, true, false]);
  await vault.stop();
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/\.env$|held$|many\.json$/.test(entry.name));
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) expect([file.name, readFileSync(join(file.parentPath, file.name)).includes(NEEDLE)]).toEqual([file.name, false]);
});
