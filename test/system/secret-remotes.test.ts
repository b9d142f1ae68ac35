/**
 * Secrets replicated to another really running Keystead over its door for AWS clients: TLS with that vault's own authority, AWS's protocol,
 * requests signed in the process that connects outward. The other side is looked at, and changed by somebody else, with the real SDK.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hex, utf8 } from '../../src/main/crypto/bytes.ts';
import { canonicalRequest } from '../../src/main/crypto/canonical.ts';
import { signatureOf, signingKey, stringToSign } from '../../src/main/crypto/sigv4.ts';
import { makeClient, openDoor, type OpenDoor } from './support/aws.ts';
import { chance } from './support/chance.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const KILLS = Number(process.env['KEYSTEAD_REPLICATION_KILLS'] ?? 4);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
const SERVE = resolve(import.meta.dirname, '../../dist/main/serve.mjs');
/** Of one wait; a busy machine may take long. */
const PATIENCE_MS = 120_000;
const REMOTE = 'team-vault';
const needle = 'needle-of-a-value-8842';

let home = '';
let near: VaultProcess;
let far: VaultProcess;
let door: OpenDoor;
let there: sdk.SecretsManagerClient;

const folderOf = (name: string): string => join(home, name, 'vault');
async function start(name: string): Promise<VaultProcess> {
  const vault = await startVault(folderOf(name), { home: join(home, name) });
  await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
  return vault;
}
const ask = (operation: string, input: Json = {}): Promise<Json> => near.client.ok(`secretsmanager:${operation}`, input);
const send = async <Output extends object>(command: object): Promise<Output> => (await there.send(command as never)) as Output;
const read = async (SecretId: string, VersionStage?: string) => await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId, ...(VersionStage === undefined ? {} : { VersionStage }) }));
const theirs = async (SecretId: string) => await send<sdk.DescribeSecretCommandOutput>(new sdk.DescribeSecretCommand({ SecretId }));
const ours = async (SecretId: string) => (await ask('DescribeSecret', { SecretId })) as { VersionIdsToStages: Record<string, string[]> };

interface Replica {
  readonly Region: string;
  readonly Status: string;
  readonly StatusMessage?: string;
  readonly BehindSince?: number;
  readonly VersionsBehind?: number;
  readonly Code?: string;
  readonly Attempts?: number;
  readonly Conflict?: { readonly Kind: string; readonly VersionId?: string; readonly CanAdopt: boolean };
}
async function until(SecretId: string, fits: (replica: Replica | undefined) => boolean, Region = REMOTE): Promise<Replica> {
  let last: Replica | undefined;
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(50)) {
    const { Replicas } = (await ask('DescribeReplication', { SecretId })) as unknown as { Replicas: Replica[] };
    last = Replicas.find((one) => one.Region === Region);
    if (fits(last)) return last ?? { Region, Status: 'gone' };
  }
  throw new Error(`the replica of ${SecretId} is ${JSON.stringify(last)}`);
}
const level = (SecretId: string, Region = REMOTE) => until(SecretId, (replica) => replica?.Status === 'InSync', Region);
const failed = (SecretId: string, Region = REMOTE) => until(SecretId, (replica) => replica?.Status === 'Failed', Region);
const sorted = (versions: Record<string, string[]> = {}) => Object.fromEntries(Object.entries(versions).map(([id, stages]) => [id, [...stages].sort()]));

/** What the trail says was changed, most recent first. */
async function changesBy(operation: string): Promise<readonly string[]> {
  const { Events } = (await near.client.ok('trail:LookupEvents', { Operation: `secretsmanager:${operation}`, Result: 'ok', Limit: 100 })) as { readonly Events: readonly { readonly Note?: string }[] };
  return Events.map(({ Note }) => Note?.split(', ').filter((reason) => reason.startsWith('changed:')).join() ?? '');
}

/** Of a machine that is too busy to answer in time, asked again. */
async function tested(Name: string): Promise<Json> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    const answer = await ask('TestRemote', { Name });
    if (answer['Code'] !== 'timed-out' || performance.now() > end) return answer;
  }
}

const remoteInput = (over: Json = {}): Json => ({ Name: REMOTE, Endpoint: door.endpoint, RemoteRegion: door.region, AccessKeyId: door.accessKeyId, SecretAccessKey: base64(door.secretAccessKey), CertificateAuthority: door.authority, ...over });

beforeAll(async () => {
  home = temporaryFolder();
  for (const name of ['near', 'far']) await makeVault(folderOf(name));
  [near, far] = await Promise.all([start('near'), start('far')]);
  door = await openDoor(far.client);
  there = new sdk.SecretsManagerClient({ endpoint: door.endpoint, region: door.region, credentials: { accessKeyId: door.accessKeyId, secretAccessKey: door.secretAccessKey }, requestHandler: { httpsAgent: new Agent({ ca: door.authority, keepAlive: true }) } });
});
afterAll(async () => {
  there.destroy();
  await near.stop();
  await far.stop();
  remove(home);
});

/** A server that takes temporary credentials as AWS does: a signature over all headers, the session token among them. The signature itself is held by AWS's vectors. */
async function temporaryOnly(secretAccessKey: string, token: string, valid: () => boolean): Promise<{ readonly url: string; readonly seen: string[]; readonly close: () => void }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = (code: string): void => { seen.push(code); response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ __type: code, message: '' })); };
      const { authorization = '', ...headers } = request.headers as Record<string, string>;
      const [, names = ''] = /SignedHeaders=([^,]+)/.exec(authorization) ?? [];
      const [, date = '', region = ''] = /Credential=ASIATEMPORARY\/(\d{8})\/([^/]+)\/secretsmanager\//.exec(authorization) ?? [];
      const scope = { date, region, service: 'secretsmanager' };
      const canonical = canonicalRequest({ method: 'POST', path: '/', query: '', headers: Object.entries(headers) }, names.split(';'), createHash('sha256').update(Buffer.concat(chunks)).digest('hex'));
      const signature = hex(signatureOf(signingKey(utf8(secretAccessKey), scope), stringToSign(headers['x-amz-date'] ?? '', scope, canonical)));
      if (!authorization.endsWith(`Signature=${signature}`)) answer('SignatureDoesNotMatch');
      else if (!names.split(';').includes('x-amz-security-token') || headers['x-amz-security-token'] !== token) answer('UnrecognizedClientException');
      else answer(valid() ? 'ResourceNotFoundException' : 'ExpiredTokenException');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen, close: () => server.close() };
}

it('signs with temporary credentials, and says when they have expired', async () => {
  const [secretAccessKey, token] = ['temporary secret access key', `IQoJb3JpZ2luX2VjE${'A'.repeat(900)}==`];
  let valid = true;
  const server = await temporaryOnly(secretAccessKey, token, () => valid);
  try {
    const input: Json = { Name: 'temporary', Endpoint: server.url, RemoteRegion: 'eu-west-1', AccessKeyId: 'ASIATEMPORARY', SecretAccessKey: base64(secretAccessKey) };
    await ask('PutRemote', { ...input, SessionToken: base64(token) });
    expect([await tested('temporary'), server.seen]).toMatchObject([{ Ok: true }, ['ResourceNotFoundException']]);
    const shown = await ask('DescribeRemote', { Name: 'temporary' });
    expect(shown).toMatchObject({ AccessKeyId: 'ASIATEMPORARY', Temporary: true });
    expect(JSON.stringify(shown)).not.toContain(token.slice(0, 40));
    // What is kept stays whole where neither is given again, and across a restart.
    await ask('PutRemote', { ...input, RemoteRegion: 'eu-west-2', SecretAccessKey: undefined });
    await near.stop();
    near = await start('near');
    expect(await tested('temporary')).toMatchObject({ Ok: true });
    valid = false;
    expect(await tested('temporary')).toMatchObject({ Ok: false, Code: 'remote-expired' });
    // A secret access key without a token is one for good.
    await ask('PutRemote', input);
    expect([await tested('temporary'), await ask('DescribeRemote', { Name: 'temporary' })]).toMatchObject([{ Ok: false, Code: 'remote-login' }, { Temporary: false }]);
    for (const wrong of [{ SecretAccessKey: undefined, SessionToken: base64(token) }, { SessionToken: base64('two words') }, { SessionToken: base64('split\r\nX-Injected: 1') }]) expect(await near.client.code('secretsmanager:PutRemote', { ...input, ...wrong })).toBe('InvalidParameterException');
    // This program's own door knows none.
    await ask('PutRemote', remoteInput({ Name: 'temporary', SessionToken: base64(token) }));
    expect(await tested('temporary')).toMatchObject({ Ok: false, Code: 'remote-login' });
  } finally {
    server.close();
    await ask('DeleteRemote', { Name: 'temporary' });
  }
});

it('declares a remote, whose key is never shown, and says what is wrong with one', async () => {
  await ask('PutRemote', remoteInput());
  const { Remotes } = await ask('ListRemotes');
  expect(Remotes).toMatchObject([{ Name: REMOTE, Endpoint: door.endpoint, RemoteRegion: door.region, AccessKeyId: door.accessKeyId, OwnAuthority: true }]);
  expect(JSON.stringify([Remotes, await ask('DescribeRemote', { Name: REMOTE })])).not.toContain(base64(door.secretAccessKey));
  expect(await tested(REMOTE)).toMatchObject({ Ok: true, Connections: [expect.stringMatching(/^127\.0\.0\.1:\d+ tls \d+ ms$/)] });
  // The kept key is used at the same endpoint only.
  expect(await near.client.code('secretsmanager:PutRemote', { ...remoteInput({ Endpoint: 'https://localhost:1' }), SecretAccessKey: undefined })).toBe('InvalidParameterException');
  await ask('PutRemote', { ...remoteInput(), SecretAccessKey: undefined });
  expect(await tested(REMOTE)).toMatchObject({ Ok: true });

  const reader = await makeClient(far.client, 'only-reads', 'user');
  const wrong: readonly (readonly [Json, string])[] = [
    [{ CertificateAuthority: undefined }, 'tls-untrusted'],
    [{ CertificateAuthority: (await openDoor(near.client)).authority }, 'tls-untrusted'],
    [{ SecretAccessKey: base64('another secret access key') }, 'remote-login'],
    [{ AccessKeyId: 'AKIANOBODY' }, 'remote-login'],
    [{ Endpoint: 'https://127.0.0.1:1' }, 'unreachable'],
    [{ Endpoint: 'https://169.254.169.254' }, 'address-refused'],
    [{ Endpoint: 'https://no-such-name.invalid' }, 'unresolved'],
  ];
  for (const [over, Code] of wrong) {
    await ask('PutRemote', remoteInput({ Name: 'wrong', ...over }));
    expect([over, await tested('wrong')]).toMatchObject([over, { Ok: false, Code }]);
  }
  for (const Endpoint of ['http://db.example', 'https://a:b@db.example', 'https://db.example/path', 'ftp://db.example']) expect(await near.client.code('secretsmanager:PutRemote', remoteInput({ Name: 'wrong', Endpoint }))).toBe('ValidationException');
  for (const Name of ['eu-west-1', 'A', '-a']) expect(await near.client.code('secretsmanager:PutRemote', remoteInput({ Name }))).toBe('ValidationException');
  // One that may only read is let in, and says so where it counts.
  await ask('PutRemote', remoteInput({ Name: 'wrong', AccessKeyId: reader.accessKeyId, SecretAccessKey: base64(reader.secretAccessKey) }));
  await ask('CreateSecret', { Name: 'denied', SecretString: base64('x'), AddReplicaRegions: [{ Region: 'wrong' }] });
  expect(await failed('denied', 'wrong')).toMatchObject({ Code: 'remote-denied' });
  expect(await near.client.code('secretsmanager:DeleteRemote', { Name: 'wrong' })).toBe('InvalidRequestException');
  await ask('ReleaseReplica', { SecretId: 'denied', Region: 'wrong' });
  await ask('DeleteRemote', { Name: 'wrong' });
  const trusted = createHash('sha256').update(`${(door.authority ?? '').trim()}\n`).digest('hex');
  expect(await changesBy('PutRemote')).toContain(`changed:CertificateAuthority:none:${trusted}`);
  expect((await changesBy('DeleteRemote'))[0]).toBe(`changed:CertificateAuthority:${trusted}:none`);
  expect(await near.client.code('secretsmanager:ReplicateSecretToRegions', { SecretId: 'denied', AddReplicaRegions: [{ Region: 'wrong' }] })).toBe('InvalidParameterException');
});

it('brings versions, labels, description and tags to the remote, and a rotation', async () => {
  const made = await ask('CreateSecret', { Name: 'app/db', SecretString: base64(`{"password":"${needle}"}`), Description: 'd', Tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }], AddReplicaRegions: [{ Region: REMOTE }] });
  expect(made).toMatchObject({ ReplicationStatus: [{ Region: REMOTE, Status: 'InProgress' }] });
  await level('app/db');
  expect(await read('app/db')).toMatchObject({ SecretString: `{"password":"${needle}"}`, VersionId: made['VersionId'], VersionStages: ['AWSCURRENT'] });
  expect(await theirs('app/db')).toMatchObject({ Description: 'd', Tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }] });

  const bytes = Buffer.from([0, 1, 254, 255]);
  const put = await ask('PutSecretValue', { SecretId: 'app/db', SecretBinary: bytes.toString('base64') });
  await ask('UpdateSecretVersionStage', { SecretId: 'app/db', VersionStage: 'release', MoveToVersionId: made['VersionId'] });
  await ask('PutSecretValue', { SecretId: 'app/db', SecretString: base64('pending'), VersionStages: ['AWSPENDING'] });
  await ask('UpdateSecret', { SecretId: 'app/db', Description: 'other' });
  await ask('UntagResource', { SecretId: 'app/db', TagKeys: ['a'] });
  await ask('TagResource', { SecretId: 'app/db', Tags: [{ Key: 'b', Value: '3' }] });
  // A tag of their own is theirs.
  await send(new sdk.TagResourceCommand({ SecretId: 'app/db', Tags: [{ Key: 'cost', Value: 'x' }] }));
  await level('app/db');
  const after = await theirs('app/db');
  expect(sorted(after.VersionIdsToStages)).toEqual(sorted((await ours('app/db')).VersionIdsToStages));
  expect([after.Description, after.Tags]).toEqual(['other', expect.arrayContaining([{ Key: 'b', Value: '3' }, { Key: 'cost', Value: 'x' }])]);
  expect(after.Tags).toHaveLength(2);
  expect(Buffer.from((await read('app/db')).SecretBinary ?? [])).toEqual(bytes);
  expect((await read('app/db', 'release')).VersionId).toBe(made['VersionId']);
  expect(put['VersionId']).toBe((await read('app/db')).VersionId);

  await ask('UpdateSecretVersionStage', { SecretId: 'app/db', VersionStage: 'AWSPENDING', RemoveFromVersionId: (await read('app/db', 'AWSPENDING')).VersionId });
  await ask('UpdateSecretVersionStage', { SecretId: 'app/db', VersionStage: 'AWSCURRENT', MoveToVersionId: made['VersionId'], RemoveFromVersionId: put['VersionId'] });
  await ask('SetRotator', { SecretId: 'app/db', Rotator: 'generic' });
  const { VersionId } = await ask('RotateSecret', { SecretId: 'app/db' });
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end && (await read('app/db')).VersionId !== VersionId; ) await sleep(50);
  await level('app/db');
  expect(sorted((await theirs('app/db')).VersionIdsToStages)).toEqual(sorted((await ours('app/db')).VersionIdsToStages));
  expect((await read('app/db')).SecretString).not.toContain(needle);
  for (const force of [true, false]) expect(await near.client.code('secretsmanager:DeleteSecret', { SecretId: 'app/db', ForceDeleteWithoutRecovery: force })).toBe('InvalidParameterException');
});

it('overwrites nothing that somebody else has made there, until its owner says which side holds', async () => {
  await ask('CreateSecret', { Name: 'contested', SecretString: base64('ours'), AddReplicaRegions: [{ Region: REMOTE }] });
  await level('contested');
  const foreign = await send<sdk.PutSecretValueCommandOutput>(new sdk.PutSecretValueCommand({ SecretId: 'contested', SecretString: 'theirs' }));
  await ask('PutSecretValue', { SecretId: 'contested', SecretString: base64('ours, later') });
  expect(await failed('contested')).toMatchObject({ Conflict: { Kind: 'foreign', VersionId: foreign.VersionId, CanAdopt: true }, VersionsBehind: 1 });
  expect((await read('contested')).SecretString).toBe('theirs');
  // Theirs becomes the current version here.
  await ask('AdoptReplicaVersion', { SecretId: 'contested', Region: REMOTE });
  await level('contested');
  const adopted = await ask('GetSecretValue', { SecretId: 'contested' });
  expect([adopted['SecretString'], adopted['VersionId']]).toEqual([base64('theirs'), foreign.VersionId]);
  expect(sorted((await theirs('contested')).VersionIdsToStages)).toEqual(sorted((await ours('contested')).VersionIdsToStages));
  expect((await read('contested', 'AWSPREVIOUS')).SecretString).toBe('ours, later');

  // A look finds it, too, without a change here; and the other way out.
  const second = await send<sdk.PutSecretValueCommandOutput>(new sdk.PutSecretValueCommand({ SecretId: 'contested', SecretString: 'theirs again' }));
  await ask('ReplicateSecretToRegions', { SecretId: 'contested', AddReplicaRegions: [{ Region: REMOTE }] });
  expect(await failed('contested')).toMatchObject({ Conflict: { Kind: 'foreign', VersionId: second.VersionId } });
  await ask('ReplicateSecretToRegions', { SecretId: 'contested', AddReplicaRegions: [{ Region: REMOTE }], ForceOverwriteReplicaSecret: true });
  await level('contested');
  expect((await read('contested')).SecretString).toBe('theirs');
  expect((await send<sdk.GetSecretValueCommandOutput>(new sdk.GetSecretValueCommand({ SecretId: 'contested', VersionId: second.VersionId }))).SecretString).toBe('theirs again');

  // A secret of the name that was there before.
  await send(new sdk.CreateSecretCommand({ Name: 'taken', SecretString: 'first there' }));
  await ask('CreateSecret', { Name: 'taken', SecretString: base64('ours'), AddReplicaRegions: [{ Region: REMOTE }] });
  expect(await failed('taken')).toMatchObject({ Conflict: { Kind: 'exists' } });
  expect((await read('taken')).SecretString).toBe('first there');
  // What is theirs is not deleted either.
  await ask('RemoveRegionsFromReplication', { SecretId: 'taken', RemoveReplicaRegions: [REMOTE] });
  await until('taken', (replica) => replica === undefined || replica.Conflict !== undefined);
  expect((await theirs('taken')).DeletedDate).toBeUndefined();
});

it('says how far a copy is behind while its remote is away, and brings it level when it is back', async () => {
  await ask('CreateSecret', { Name: 'patient', SecretString: base64('one'), AddReplicaRegions: [{ Region: REMOTE }] });
  await level('patient');
  await far.stop();
  await ask('PutSecretValue', { SecretId: 'patient', SecretString: base64('two') });
  const behind = await failed('patient');
  expect(behind).toMatchObject({ Code: 'unreachable', VersionsBehind: 1, Attempts: 1 });
  expect(behind.BehindSince).toBeGreaterThan(0);
  far = await start('far');
  await level('patient');
  expect((await read('patient')).SecretString).toBe('two');
});

it('deletes a copy where that is asked for, with a way back, and leaves it where it is released', async () => {
  for (const Name of ['left', 'deleted']) await ask('CreateSecret', { Name, SecretString: base64(Name), AddReplicaRegions: [{ Region: REMOTE }] });
  await Promise.all(['left', 'deleted'].map((name) => level(name)));
  await ask('ReleaseReplica', { SecretId: 'left', Region: REMOTE });
  await ask('RemoveRegionsFromReplication', { SecretId: 'deleted', RemoveReplicaRegions: [REMOTE] });
  await until('deleted', (replica) => replica === undefined);
  expect((await theirs('deleted')).DeletedDate).toBeInstanceOf(Date);
  expect((await read('left')).SecretString).toBe('left');
  await ask('DeleteSecret', { SecretId: 'deleted', ForceDeleteWithoutRecovery: true });
});

it('replicates to a throwaway vault over plain HTTP on this machine', async () => {
  const child = spawn(process.execPath, [SERVE, '--ephemeral', '--access-key', 'AKIDTEST:s3cr3t/with+signs=', '--port', '0'], { env: { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: join(home, 'far'), XDG_STATE_HOME: join(home, 'far', 'state') }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const endpoint = await new Promise<string>((found, lost) => {
      child.once('exit', (code) => lost(new Error(`ended with ${String(code)}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(chunk.toString()) ?? [];
        if (url !== undefined) found(url);
      });
    });
    await ask('PutRemote', { Name: 'throwaway', Endpoint: endpoint, RemoteRegion: 'us-east-1', AccessKeyId: 'AKIDTEST', SecretAccessKey: base64('s3cr3t/with+signs=') });
    await ask('CreateSecret', { Name: 'plain', SecretString: base64('ünïcode 🔑\n"'), AddReplicaRegions: [{ Region: 'throwaway' }] });
    await level('plain', 'throwaway');
    const client = new sdk.SecretsManagerClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 's3cr3t/with+signs=' } });
    expect((await client.send(new sdk.GetSecretValueCommand({ SecretId: 'plain' }))).SecretString).toBe('ünïcode 🔑\n"');
    client.destroy();
    await ask('ReleaseReplica', { SecretId: 'plain', Region: 'throwaway' });
  } finally {
    child.kill('SIGKILL');
  }
});

it(`goes on after ${String(KILLS)} kills, and takes its own half-done work for nobody else's (seed ${String(SEED)})`, { timeout: 60_000 + KILLS * 60_000 }, async () => {
  const dice = chance(SEED);
  await ask('CreateSecret', { Name: 'killed', SecretString: base64('0'), AddReplicaRegions: [{ Region: REMOTE }] });
  let puts = 0;
  for (let round = 0; round < KILLS; round++) {
    let over = false;
    const load = (async () => {
      try {
        while (!over) {
          await ask('PutSecretValue', { SecretId: 'killed', SecretString: base64(String(++puts)) });
          await sleep(dice.fraction() * 400);
        }
      } catch {
        // Whatever is asked when the process dies is not answered.
      }
    })();
    await sleep(100 + dice.fraction() * 1500);
    over = true;
    await near.kill();
    await load;
    near = await start('near');
    await level('killed');
    expect(sorted((await theirs('killed')).VersionIdsToStages)).toEqual(sorted((await ours('killed')).VersionIdsToStages));
    expect((await read('killed')).SecretString).toBe(Buffer.from((await ask('GetSecretValue', { SecretId: 'killed' }))['SecretString'] as string, 'base64').toString());
  }
  expect(await near.client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
});

it('has written no value and no secret access key into the trail or a log', async () => {
  let trail = '';
  for (let before: number | undefined, more = true; more; ) {
    const page = await near.client.ok('trail:LookupEvents', { Limit: 500, ...(before === undefined ? {} : { Before: before }) });
    trail += JSON.stringify(page['Events']);
    before = page['NextBefore'] as number | undefined;
    more = before !== undefined;
  }
  expect(trail).toContain('secretsmanager:RecordReplication');
  const files = readdirSync(join(home, 'near'), { recursive: true, encoding: 'utf8' }).map((name) => join(home, 'near', name)).filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const all = [trail, ...files.map((path) => readFileSync(path, 'latin1'))];
  for (const secret of [needle, base64(needle), door.secretAccessKey, base64(door.secretAccessKey)]) expect(all.filter((text) => text.includes(secret))).toEqual([]);
});
