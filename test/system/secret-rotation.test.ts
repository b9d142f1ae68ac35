/**
 * Rotation through the whole program: by the clock, by hand and through AWS's semantics, with the generic rotator and with rotators of
 * the test's that fail, hang and are slow.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Rotator, RotatorOutcome, RotatorRequest } from '../../src/main/secrets/rotator-port.ts';
import type { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const unlock = { Password: base64(PASSWORD) };
const home = temporaryFolder();
const template = join(home, 'template');
let copies = 0;
let folder = '';
let clock = fakeClock();
let vault: LocalProgram;
/** Timers that are set; `tick` fires them as if their time had come. */
const timers = new Set<() => void>();

/** What the rotators of the test do, by act. */
type Acts = Partial<Record<'set' | 'test' | 'check' | 'invoke', (request: RotatorRequest) => Promise<RotatorOutcome>>>;
let acts: Acts = {};
const fine: RotatorOutcome = { ok: true, connections: [{ host: 'db.example', port: 5432, tls: true, ms: 41.4 }] };
const refused: RotatorOutcome = { ok: false, failure: { code: '28P01', message: 'the server refuses the password of `app`' }, connections: [] };
const rotator: Rotator = {
  set: (request) => acts.set?.(request) ?? Promise.resolve(fine),
  test: (request) => acts.test?.(request) ?? Promise.resolve(fine),
  finish: () => Promise.resolve(fine),
  check: (request) => acts.check?.(request as RotatorRequest) ?? Promise.resolve(fine),
  invoke: (_step, request) => acts.invoke?.(request as RotatorRequest) ?? Promise.resolve(fine),
};

/** Each takes 5 ms at least. */
const MOST_TURNS = Number(process.env['TURNS'] ?? 2000);

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    for (const fire of [...timers]) {
      timers.delete(fire);
      fire();
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (await what()) return;
  }
  throw new Error(`it never came to that: ${JSON.stringify(await rotation())}`);
}

async function begin(): Promise<void> {
  vault = await startLocal(folder, {
    clock,
    rotator,
    after: (_ms, fire) => {
      timers.add(fire);
      return () => timers.delete(fire);
    },
  });
}

beforeAll(() => makeVault(template));
afterAll(() => remove(home));
beforeEach(async () => {
  copies += 1;
  folder = join(home, `copy-${String(copies)}`);
  cpSync(template, folder, { recursive: true });
  clock = fakeClock(Date.now() + DAY);
  timers.clear();
  acts = {};
  await begin();
  await vault.ok('vault:Unlock', unlock);
  await vault.ok('vault:UpdateSettings', { AutoLockMinutes: 0 });
});
afterEach(() => vault.close());

const SecretId = 'prod/db';
const ask = (name: string, input: Json = {}): Promise<Json> => vault.ok(`secretsmanager:${name}`, { SecretId, ...input });
const code = (name: string, input: Json = {}): Promise<string> => codeOf(ask(name, input));
const rotation = (): Promise<Json> => ask('DescribeRotation');
const lastRun = async (): Promise<Json | undefined> => ((await rotation())['Ended'] as readonly Json[])[0];
const isIdle = async (): Promise<boolean> => (await rotation())['Run'] === undefined;
async function value(stage = 'AWSCURRENT'): Promise<string> {
  const { SecretString } = await ask('GetSecretValue', { VersionStage: stage });
  using secret = SecretString as SecretBytes;
  return secret.borrow((bytes) => new TextDecoder().decode(bytes));
}
const passwordOf = (text: string): string => (JSON.parse(text) as { password: string }).password;
const create = (text: string): Promise<Json> => vault.ok('secretsmanager:CreateSecret', { Name: SecretId, SecretString: base64(text) });
const DATABASE = JSON.stringify({ engine: 'postgres', host: 'db.example', username: 'app', password: 'old "one"', port: 5432 });

describe('the generic rotator', () => {
  it('makes a new password in its member, leaves the rest as it is, and goes through four steps', async () => {
    await create('{ "user": "me",\n  "password" : "old" , "more": [1, {"password": "not this"}]}');
    await ask('SetRotator', { Rotator: 'generic', PasswordLength: 40, ExcludePunctuation: true });
    const { VersionId } = await ask('RotateSecret', { RotationRules: { ScheduleExpression: 'rate(10 days)' } });
    await until(isIdle);
    const run = await lastRun();
    expect(run).toMatchObject({ VersionId, Result: 'rotated', Cause: 'asked', Attempts: 1, Left: 'nothing' });
    expect((run?.['Steps'] as readonly Json[]).map(({ Step }) => Step)).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
    const now = await value();
    expect(passwordOf(now)).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(now.replace(passwordOf(now), 'old')).toBe('{ "user": "me",\n  "password" : "old" , "more": [1, {"password": "not this"}]}');
    expect(await value('AWSPREVIOUS')).toContain('"old"');
    const described = await ask('DescribeSecret');
    expect(described).toMatchObject({ RotationEnabled: true, RotationRules: { ScheduleExpression: 'rate(10 days)' }, LastRotatedDate: clock.now() / 1000 });
    expect(described['RotationLambdaARN']).toMatch(/:function:keystead-generic$/);
    // By AWS's words the end of the window, which is a day long.
    expect(described['NextRotationDate']).toBe((Math.floor(clock.now() / DAY) * DAY + 11 * DAY) / 1000);
    expect(Object.values(described['VersionIdsToStages'] as Json)).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
  });

  it('takes a value that is no JSON as all password', async () => {
    await create('just a password');
    await ask('SetRotator', { Rotator: 'generic', PasswordLength: 24 });
    await ask('RotateSecret');
    await until(isIdle);
    expect(await value()).toHaveLength(24);
    expect(await ask('DescribeSecret')).toMatchObject({ RotationEnabled: true, RotationRules: {} });
  });

  it('begins when its time has come, within the window; once for all that were missed while locked; and not while paused', async () => {
    await create('{"password": "old"}');
    await ask('SetRotator', { Rotator: 'generic' });
    await ask('RotateSecret', { RotationRules: { ScheduleExpression: 'rate(4 hours)', Duration: '2h' }, RotateImmediately: false });
    expect(await lastRun()).toBeUndefined();
    const { Due, Windows } = (await rotation()) as { Due: number; Windows: { Opens: number; Closes: number }[] };
    expect(Windows).toHaveLength(5);
    expect(Due).toBeGreaterThanOrEqual(Windows[0]?.Opens ?? NaN);
    expect(Due).toBeLessThan(Windows[0]?.Closes ?? NaN);
    clock.advance(Due * 1000 - clock.now() - 1);
    await vault.ok('vault:Lock');
    await vault.ok('vault:Unlock', unlock);
    expect(await lastRun()).toBeUndefined();
    clock.advance(1);
    await until(async () => (await lastRun()) !== undefined);
    expect(await lastRun()).toMatchObject({ Cause: 'schedule', Result: 'rotated' });
    await vault.ok('vault:Lock');
    clock.advance(30 * DAY);
    await vault.ok('vault:Unlock', unlock);
    await until(async () => ((await rotation())['Ended'] as unknown[]).length === 2);
    await ask('PauseRotation');
    clock.advance(30 * DAY);
    for (let turn = 0; turn < 5; turn += 1) await until(isIdle);
    expect((await rotation())['Ended']).toHaveLength(2);
    await ask('ResumeRotation');
    await until(async () => ((await rotation())['Ended'] as unknown[]).length === 3);
    expect((await rotation())['Due']).toBeGreaterThan(clock.now() / 1000);
  });

  it('rotates nothing of a secret that is to be deleted, and takes it up again when it is restored', async () => {
    await create('{"password": "old"}');
    await ask('SetRotator', { Rotator: 'generic' });
    await ask('RotateSecret', { RotationRules: { AutomaticallyAfterDays: 1 }, RotateImmediately: false });
    await ask('DeleteSecret', { RecoveryWindowInDays: 30 });
    clock.advance(5 * DAY);
    for (let turn = 0; turn < 5; turn += 1) await until(() => Promise.resolve(true));
    expect(await lastRun()).toBeUndefined();
    await ask('RestoreSecret');
    await until(async () => (await lastRun()) !== undefined);
    await ask('DeleteSecret', { ForceDeleteWithoutRecovery: true });
    await create('{"password": "another"}');
    expect(await rotation()).toMatchObject({ RotationEnabled: false, Ended: [] });
  });

  it('says why no password can be made, keeps the current version, and lets the new one go when the attempts are used up', async () => {
    await create('{"token": "x"}');
    await ask('SetRotator', { Rotator: 'generic' });
    expect(await ask('TestRotator')).toMatchObject({ Ok: false, Code: 'InvalidRequestException', Reason: expect.stringContaining('`password`') as unknown });
    await ask('RotateSecret');
    await until(async () => {
      clock.advance(HOUR);
      return isIdle();
    });
    expect(await lastRun()).toMatchObject({ Result: 'failed', Attempts: 5, Left: 'nothing', Restored: false });
    expect(await value()).toBe('{"token": "x"}');
    expect(await code('GetSecretValue', { VersionStage: 'AWSPENDING' })).toBe('ResourceNotFoundException');
    expect(await ask('TestRotator', { Rotator: 'generic', Member: 'token' })).toMatchObject({ Ok: true });
  });
});

describe('AWS’s semantics', () => {
  it('asks for a rotator and a value, and knows Keystead’s own by ARN', async () => {
    await vault.ok('secretsmanager:CreateSecret', { Name: SecretId });
    expect(await code('RotateSecret')).toBe('InvalidRequestException');
    const { account, region } = vault.program.vault.open?.realm ?? { account: '', region: '' };
    const own = `arn:aws:lambda:${region}:${account}:function:keystead-generic`;
    expect(await code('RotateSecret', { RotationLambdaARN: own })).toBe('InvalidRequestException');
    await ask('PutSecretValue', { SecretString: base64('{"password": "x"}') });
    expect(await code('RotateSecret', { RotationLambdaARN: own.replace('keystead-generic', 'somebody-elses') })).toBe('InvalidRequestException');
    expect(await code('RotateSecret', { RotationLambdaARN: own, RotationRules: { AutomaticallyAfterDays: 3, ScheduleExpression: 'rate(3 days)' } })).toBe('InvalidParameterException');
    await ask('RotateSecret', { RotationLambdaARN: own });
    await until(isIdle);
    expect(await ask('DescribeSecret')).toMatchObject({ RotationLambdaARN: own, RotationEnabled: true });
  });

  it('is idempotent by its token, and has one rotation at a time', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres' });
    let release = (_outcome: RotatorOutcome): void => undefined;
    const released = new Promise<RotatorOutcome>((resolve) => { release = resolve; });
    acts = { set: () => released };
    const ClientRequestToken = 'a'.repeat(32);
    expect((await ask('RotateSecret', { ClientRequestToken }))['VersionId']).toBe(ClientRequestToken);
    expect((await ask('RotateSecret', { ClientRequestToken }))['VersionId']).toBe(ClientRequestToken);
    expect(await code('RotateSecret', { ClientRequestToken: 'b'.repeat(32) })).toBe('InvalidRequestException');
    expect(await code('SetRotator', { Rotator: 'generic' })).toBe('InvalidRequestException');
    await until(async () => ((await rotation())['Run'] as Json | undefined)?.['Step'] === 'setSecret');
    release(fine);
    await until(isIdle);
    expect((await ask('RotateSecret', { ClientRequestToken }))['VersionId']).toBe(ClientRequestToken);
    expect((await rotation())['Ended']).toHaveLength(1);
  });

  it('CancelRotateSecret turns it off and leaves AWSPENDING, which blocks the next until it is gone', async () => {
    await create(DATABASE);
    expect(await code('CancelRotateSecret')).toBe('InvalidRequestException');
    await ask('SetRotator', { Rotator: 'postgres' });
    acts = { test: () => Promise.resolve(refused) };
    const { VersionId } = await ask('RotateSecret', { RotationRules: { AutomaticallyAfterDays: 5 } });
    await until(async () => ((await rotation())['Run'] as Json | undefined)?.['Until'] !== undefined);
    expect((await ask('CancelRotateSecret'))['VersionId']).toBe(VersionId);
    const described = await ask('DescribeSecret');
    expect(described).toMatchObject({ RotationEnabled: false, RotationRules: { AutomaticallyAfterDays: 5 } });
    expect(described['NextRotationDate']).toBeUndefined();
    expect((described['VersionIdsToStages'] as Json)[String(VersionId)]).toEqual(['AWSPENDING']);
    expect(await rotation()).toMatchObject({ Pending: VersionId, RotationEnabled: false, Windows: [] });
    expect(await code('RotateSecret', { ClientRequestToken: 'c'.repeat(32) })).toBe('InvalidRequestException');
    // With its own token it is taken up again.
    acts = {};
    await ask('RotateSecret', { ClientRequestToken: VersionId });
    await until(isIdle);
    expect(await lastRun()).toMatchObject({ Result: 'rotated', VersionId });
    expect(await ask('CancelRotateSecret')).not.toHaveProperty('VersionId');
  });
});

describe('a rotator outside', () => {
  it('is given the values it needs, says its connections, and alternates users', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres', Strategy: 'alternating' });
    const seen: unknown[] = [];
    const text = (bytes: SecretBytes | undefined): unknown => bytes?.borrow((of) => JSON.parse(new TextDecoder().decode(of)) as unknown);
    acts = {
      set: ({ current, pending, previous, target }) => {
        seen.push(['set', text(current), text(pending), previous === undefined, target.strategy]);
        return Promise.resolve(fine);
      },
    };
    await ask('RotateSecret');
    await until(isIdle);
    const pending: unknown = JSON.parse(await value());
    expect(pending).toMatchObject({ engine: 'postgres', username: 'app_clone', port: 5432 });
    expect(seen).toEqual([['set', JSON.parse(DATABASE), pending, true, 'alternating']]);
    expect(passwordOf(await value())).toMatch(/^[^/@"'\\ ]{32}$/);
    await ask('RotateSecret');
    await until(isIdle);
    expect(JSON.parse(await value())).toMatchObject({ username: 'app' });
    const steps = (await lastRun())?.['Steps'] as readonly Json[];
    expect(steps.map(({ Connections }) => Connections)).toEqual([undefined, ['db.example:5432 tls 41 ms'], ['db.example:5432 tls 41 ms'], undefined]);
    const { Events } = await vault.ok('trail:LookupEvents', { Operation: 'secretsmanager:RecordRotationStep', Limit: 50 });
    expect(JSON.stringify(Events)).toContain('db.example:5432 tls 41 ms');
  });

  it('is asked again with the same version; when it never works the current value is set again and the new one let go', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres' });
    const set: string[] = [];
    const text = (bytes: SecretBytes): string => bytes.borrow((of) => passwordOf(new TextDecoder().decode(of)));
    acts = {
      set: ({ pending }) => {
        set.push(text(pending));
        return Promise.resolve(fine);
      },
      test: () => Promise.resolve(refused),
    };
    await ask('RotateSecret');
    await until(async () => {
      clock.advance(HOUR);
      return isIdle();
    });
    expect(set).toHaveLength(6);
    expect(new Set(set.slice(0, 5)).size).toBe(1);
    expect(set[5]).toBe('old "one"');
    const run = await lastRun();
    expect(run).toMatchObject({ Result: 'failed', Attempts: 5, Restored: true, Left: 'nothing' });
    expect((run?.['Steps'] as readonly Json[]).filter(({ Step }) => Step === 'testSecret')[4]).toMatchObject({ Code: '28P01', Reason: 'the server refuses the password of `app`' });
    expect(passwordOf(await value())).toBe('old "one"');
  });

  it('keeps both values where it cannot even be set back, until the owner lets the new one go', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres' });
    acts = { set: () => Promise.resolve(refused) };
    await ask('RotateSecret');
    await until(async () => {
      clock.advance(HOUR);
      return isIdle();
    });
    const run = await lastRun();
    expect(run).toMatchObject({ Result: 'failed', Restored: false, Left: 'pending' });
    expect(await rotation()).toMatchObject({ Pending: run?.['VersionId'] });
    acts = {};
    await ask('StopRotation');
    await until(isIdle);
    expect(await lastRun()).toMatchObject({ Result: 'stopped', Restored: true, Left: 'nothing' });
    expect(await rotation()).not.toHaveProperty('Pending');
    expect(await code('StopRotation')).toBe('InvalidRequestException');
  });

  it('is cut off when its rotation is stopped, and set back', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres' });
    let cut = false;
    let hang = true;
    let asked = false;
    acts = {
      set: ({ signal }) => {
        asked = true;
        return hang
          ? new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                cut = true;
                hang = false;
                reject(new Error('aborted'));
              });
            })
          : Promise.resolve(fine);
      },
    };
    await ask('RotateSecret', { RotationRules: { AutomaticallyAfterDays: 5 } });
    await until(() => Promise.resolve(asked));
    await ask('StopRotation');
    await until(isIdle);
    expect(cut).toBe(true);
    expect(await lastRun()).toMatchObject({ Result: 'stopped', Restored: true });
    expect(await rotation()).toMatchObject({ RotationEnabled: true, Due: expect.any(Number) as unknown });
    expect(passwordOf(await value())).toBe('old "one"');
  });

  it('sets and proves the version of its own run, whatever is put under AWSPENDING meanwhile', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'postgres' });
    const planted = JSON.stringify({ ...(JSON.parse(DATABASE) as Json), password: 'planted' });
    const plant = (): Promise<Json> => ask('PutSecretValue', { SecretString: base64(planted), VersionStages: ['AWSPENDING'] });
    const given: string[] = [];
    let asked = 0;
    acts = {
      set: ({ pending, signal }) => {
        given.push(pending.borrow((of) => passwordOf(new TextDecoder().decode(of))));
        asked += 1;
        if (asked === 1) return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(new Error('aborted')); }); });
        return asked === 2 ? plant().then(() => fine) : Promise.resolve(fine);
      },
      test: ({ pending }) => {
        given.push(pending.borrow((of) => passwordOf(new TextDecoder().decode(of))));
        return Promise.resolve(fine);
      },
    };
    const { VersionId } = await ask('RotateSecret');
    const steps = async (): Promise<readonly Json[]> => ((await rotation())['Run'] as { Steps: Json[] } | undefined)?.Steps ?? [];
    const isWaiting = async (): Promise<boolean> => ((await rotation())['Run'] as Json | undefined)?.['Until'] !== undefined;
    await until(() => Promise.resolve(asked === 1));
    // Interrupted, and the label is moved before the step is done again.
    await vault.ok('vault:Lock');
    await vault.ok('vault:Unlock', unlock);
    const { VersionId: other } = await plant();
    await until(isWaiting);
    expect([asked, (await steps()).at(-1)]).toEqual([1, expect.objectContaining({ Step: 'setSecret', Code: 'InvalidRequestException' })]);
    await ask('UpdateSecretVersionStage', { VersionStage: 'AWSPENDING', RemoveFromVersionId: other, MoveToVersionId: VersionId });
    await ask('RotateSecret', { ClientRequestToken: VersionId });
    // Moved while the server is being told: nothing is proven of it.
    await until(isWaiting);
    expect([asked, (await steps()).at(-1)]).toEqual([2, expect.objectContaining({ Step: 'setSecret', Code: 'NotPending' })]);
    // What is set back is known by the run's own version, label or not.
    await ask('StopRotation');
    await until(isIdle);
    expect(await lastRun()).toMatchObject({ Result: 'stopped', Restored: true });
    expect(given).not.toContain('planted');
    expect(given.at(-1)).toBe('old "one"');
  });

  it('that is a program of the owner’s is held to the contract', async () => {
    await create(DATABASE);
    await ask('SetRotator', { Rotator: 'lambda', Url: 'https://localhost:9000/rotate' });
    let token = '';
    acts = {
      invoke: async ({ token: of }) => {
        token = of;
        return fine;
      },
    };
    await ask('RotateSecret');
    await until(async () => ((await rotation())['Run'] as Json | undefined)?.['Until'] !== undefined);
    expect(((await rotation())['Run'] as { Steps: Json[] }).Steps).toMatchObject([{ Step: 'createSecret', Code: 'NoPendingValue' }]);
    await ask('PutSecretValue', { ClientRequestToken: token, SecretString: base64('{"password": "theirs"}'), VersionStages: ['AWSPENDING'] });
    // Asked again: now, and not when its time has come. It never moves AWSCURRENT.
    await ask('RotateSecret', { ClientRequestToken: token });
    await until(async () => ((await rotation())['Run'] as Json | undefined)?.['Until'] !== undefined);
    expect(((await rotation())['Run'] as { Steps: Json[] }).Steps.at(-1)).toMatchObject({ Step: 'finishSecret', Code: 'NotFinished' });
    await ask('UpdateSecretVersionStage', { VersionStage: 'AWSCURRENT', MoveToVersionId: token, RemoveFromVersionId: Object.entries((await ask('DescribeSecret'))['VersionIdsToStages'] as Record<string, string[]>).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0] });
    await ask('RotateSecret', { ClientRequestToken: token });
    await until(isIdle);
    expect(await lastRun()).toMatchObject({ Result: 'rotated' });
  });
});

it('knows who uses which version, and holds the next rotation until they have read the new one or the overlap is over', async () => {
  await create('{"password": "old"}');
  await ask('SetRotator', { Rotator: 'generic', OverlapHours: 100 });
  const consumers = async (): Promise<unknown> => {
    clock.advance(11_000);
    await until(async () => ((await rotation())['Consumers'] as unknown[]).length > 0);
    for (let turn = 0; turn < 5; turn += 1) await until(() => Promise.resolve(true));
    return ((await rotation())['Consumers'] as readonly Json[]).map(({ Principal, Door, Stage }) => [Principal, Door, Stage]);
  };
  const first = (await ask('GetSecretValue'))['VersionId'];
  expect(await consumers()).toEqual([['owner', 'cli', 'AWSCURRENT']]);
  await ask('RotateSecret', { RotationRules: { ScheduleExpression: 'rate(4 hours)' } });
  await until(isIdle);
  expect(await consumers()).toEqual([['owner', 'cli', 'AWSPREVIOUS']]);
  clock.advance(50 * HOUR);
  for (let turn = 0; turn < 5; turn += 1) await until(isIdle);
  // While it waits it says until when, and is not late.
  const waiting = await rotation();
  expect(waiting['Ended']).toHaveLength(1);
  expect(waiting['HeldUntil']).toBe((waiting['LastRotatedDate'] as number) + 100 * 3600);
  expect((await vault.ok('secretsmanager:ListRotations', {}))['Rotations']).toEqual([]);
  // Read anew: nobody uses the previous one any more.
  expect((await ask('GetSecretValue'))['VersionId']).not.toBe(first);
  expect(await consumers()).toEqual([['owner', 'cli', 'AWSCURRENT']]);
  expect((await rotation())['HeldUntil']).toBeUndefined();
  clock.advance(11 * 60_000);
  await until(async () => ((await rotation())['Ended'] as unknown[]).length === 2);
  // Now somebody stays behind, and the overlap passes.
  clock.advance(101 * HOUR);
  await until(async () => ((await rotation())['Ended'] as unknown[]).length === 3);
});

it('shows a schedule before it is set', async () => {
  const { Windows } = (await vault.ok('secretsmanager:PreviewRotation', { RotationRules: { ScheduleExpression: 'cron(0 3 * * ? *)', Duration: '2h' } })) as { Windows: { Opens: number; Closes: number }[] };
  expect(Windows).toHaveLength(5);
  expect(Windows.map(({ Opens, Closes }) => [new Date(Opens * 1000).getUTCHours(), Closes - Opens])).toEqual(Array.from({ length: 5 }, () => [3, 7200]));
  expect(await codeOf(vault.ok('secretsmanager:PreviewRotation', { RotationRules: { ScheduleExpression: 'rate(1 hour)' } }))).toBe('InvalidParameterException');
});

it('knows which database the current value is for without reading it again, also after a restart', async () => {
  const engine = async (SecretId: string): Promise<unknown> => (await vault.ok('secretsmanager:DescribeRotation', { SecretId }))['Engine'];
  const values = { pg: '{"engine":"postgresql","password":"x"}', none: '{"engine":"oracle"}', odd: '{"engine":"constructor"}', twice: '{"engine":"redis","engine":"mysql"}', plain: 'redis' };
  for (const [Name, value] of Object.entries(values)) await vault.ok('secretsmanager:CreateSecret', { Name, SecretString: base64(value) });
  expect(await Promise.all(Object.keys(values).map(engine))).toEqual(['postgres', undefined, undefined, undefined, undefined]);
  await vault.ok('secretsmanager:PutSecretValue', { SecretId: 'pg', SecretString: base64('{"engine":"mariadb"}') });
  expect(await engine('pg')).toBe('mariadb');
  await vault.close();
  await begin();
  await vault.ok('vault:Unlock', unlock);
  expect(await engine('pg')).toBe('mariadb');
  const { Events } = (await vault.ok('trail:LookupEvents', { Operation: 'secretsmanager:GetSecretValue' })) as { readonly Events: readonly unknown[] };
  expect(Events).toEqual([]);
});
