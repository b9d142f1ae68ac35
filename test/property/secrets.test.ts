/** Secrets through the whole program against a model: whatever is asked in whatever order, the answers, stages and values are the model's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../src/shared/wire/encode.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { base64, type Json } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { startLocal, type LocalProgram } from '../system/support/program.ts';

const DAY = 86_400_000;
const RUNS = Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 60);
const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

let home = '';
let vault: LocalProgram;
const clock = fakeClock();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'keystead-secrets-'));
  vault = await startLocal(join(home, 'vault'), { clock, after: () => () => undefined });
  await vault.ok('vault:Create', { Password: base64(PASSWORD), Factors: 'password' });
  await vault.ok('vault:UpdateSettings', { AutoLockMinutes: 0 });
});
afterAll(async () => {
  await vault.close();
  rmSync(home, { recursive: true, force: true });
});

/** Answers as values that can be compared: secrets are their text, then wiped. */
async function ask(operation: string, input: Json): Promise<Json | string> {
  const result = await vault.call(operation, input);
  return result.ok ? (plain(result.output) as Json) : result.error.code;
}

function plain(value: unknown): unknown {
  if (value instanceof SecretBytes) {
    using secret = value;
    return `secret:${secret.borrow((bytes) => Buffer.from(bytes).toString('base64'))}`;
  }
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)])) : value;
}

/** The clock's own job, as the clock's door asks for it. */
async function runJob(job: string, operation: string): Promise<void> {
  const result = await vault.program.dispatch({ id: vault.program.door.newRequestId(), door: 'schedule', evidence: { door: 'schedule', job }, operation, input: encodeJson({}), signal: new AbortController().signal });
  expect(result.ok).toBe(true);
}

interface Version {
  readonly kind: 'SecretString' | 'SecretBinary';
  readonly text: string;
}
interface Secret {
  readonly values: Map<string, Version>;
  /** Stage to version. */
  readonly at: Map<string, string>;
  description: string;
  due?: number;
  /** Day of the last read: written down, and still in memory. */
  read?: number;
  reading?: number;
}

const version = fc.integer({ min: 0, max: 4 }).map((n) => `version-${String(n)}`.padEnd(32, 'x'));
const value = fc.record({ kind: fc.constantFrom('SecretString' as const, 'SecretBinary' as const), text: fc.constantFrom('one', 'two', '{"password":"ä"}') });
const stage = fc.constantFrom(CURRENT, PREVIOUS, 'AWSPENDING', 'blue', 'green');
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

type Act =
  | { readonly act: 'create'; readonly token: string; readonly value: Version | undefined }
  | { readonly act: 'put'; readonly token: string; readonly value: Version; readonly stages: readonly string[] | undefined }
  | { readonly act: 'update'; readonly token: string; readonly value: Version | undefined; readonly description: string | undefined }
  | { readonly act: 'move'; readonly stage: string; readonly from: string | undefined; readonly to: string | undefined }
  | { readonly act: 'delete'; readonly days: number | undefined }
  | { readonly act: 'force' | 'restore' | 'tag' }
  | { readonly act: 'wait'; readonly days: number }
  | { readonly act: 'get'; readonly version: string | undefined; readonly stage: string | undefined };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('create' as const), token: version, value: maybe(value) }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('put' as const), token: version, value, stages: maybe(fc.uniqueArray(stage, { minLength: 1, maxLength: 3 })) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('update' as const), token: version, value: maybe(value), description: maybe(fc.constantFrom('', 'a', 'b')) }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('move' as const), stage, from: maybe(version), to: maybe(version) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('delete' as const), days: fc.constantFrom(undefined, 6, 7, 30, 31) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('force' as const, 'restore' as const, 'restore' as const, 'tag' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('wait' as const), days: fc.constantFrom(1, 7, 31) }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('get' as const), version: maybe(version), stage: maybe(stage) }) },
);

function attach({ at }: Secret, name: string, to: string): void {
  const from = at.get(name);
  at.set(name, to);
  if (name === CURRENT && from !== undefined && from !== to) at.set(PREVIOUS, from);
}

/** What a new value does; the code where it is refused. */
function give(secret: Secret, token: string, given: Version, stages: readonly string[] = [CURRENT]): string | undefined {
  const known = secret.values.get(token);
  if (known) return known.kind === given.kind && known.text === given.text ? undefined : 'ResourceExistsException';
  secret.values.set(token, given);
  if (stages.includes(CURRENT) || !secret.at.has(CURRENT)) attach(secret, CURRENT, token);
  for (const name of stages) if (name !== CURRENT) attach(secret, name, token);
  return undefined;
}

function relabel(secret: Secret, { stage: name, from, to }: Extract<Act, { act: 'move' }>): string | undefined {
  const holder = secret.at.get(name);
  if (from === undefined && to === undefined) return 'InvalidParameterException';
  for (const one of [from, to]) if (one !== undefined && !secret.values.has(one)) return 'ResourceNotFoundException';
  if (from !== undefined && holder !== from) return 'InvalidParameterException';
  if (to === undefined) {
    if (name === CURRENT) return 'InvalidParameterException';
    secret.at.delete(name);
    return undefined;
  }
  if (holder !== undefined && holder !== to && from === undefined) return 'InvalidParameterException';
  attach(secret, name, to);
  return undefined;
}

function looked(secret: Secret, { version: id, stage: name }: Extract<Act, { act: 'get' }>): string | { readonly id: string; readonly value: Version } {
  const wanted = id ?? secret.at.get(name ?? CURRENT);
  const found = wanted === undefined ? undefined : secret.values.get(wanted);
  if (wanted === undefined || !found) return 'ResourceNotFoundException';
  if (id !== undefined && name !== undefined && secret.at.get(name) !== id) return 'InvalidParameterException';
  return { id: wanted, value: found };
}

const input = (given: Version | undefined): Json => (given ? { [given.kind]: base64(given.text) } : {});
const stagesOf = (secret: Secret, id: string): string[] => [...secret.at].filter(([, holder]) => holder === id).map(([name]) => name).sort();

/** Does it, and holds the answer against the model, which it changes. `model` is undefined where there is no secret. */
async function perform(name: string, model: Secret | undefined, one: Act): Promise<Secret | undefined> {
  const SecretId = name;
  const answer = async (operation: string, more: Json = {}): Promise<Json | string> => ask(`secretsmanager:${operation}`, { SecretId, ...more });
  const gone = model === undefined ? 'ResourceNotFoundException' : undefined;
  const blocked = gone ?? (model?.due === undefined ? undefined : 'InvalidRequestException');
  switch (one.act) {
    case 'create': {
      const got = await ask('secretsmanager:CreateSecret', { Name: name, ClientRequestToken: one.token, ...input(one.value) });
      if (!model) {
        const made: Secret = { values: new Map(), at: new Map(), description: '' };
        if (one.value) give(made, one.token, one.value);
        expect(got).toMatchObject({ Name: name, ...(one.value ? { VersionId: one.token } : {}) });
        expect(Object.hasOwn(got as Json, 'VersionId')).toBe(one.value !== undefined);
        return made;
      }
      if (model.due !== undefined) expect(got).toBe('InvalidRequestException');
      else if (!one.value || !model.values.has(one.token)) expect(got).toBe('ResourceExistsException');
      else expectCode(got, give(model, one.token, one.value));
      return model;
    }
    case 'put': {
      const got = await answer('PutSecretValue', { ClientRequestToken: one.token, ...input(one.value), ...(one.stages ? { VersionStages: one.stages } : {}) });
      const code = blocked ?? (model && give(model, one.token, one.value, one.stages));
      expectCode(got, code);
      if (model && code === undefined) expect(got).toMatchObject({ VersionId: one.token, VersionStages: stagesOf(model, one.token) });
      return model;
    }
    case 'update': {
      const got = await answer('UpdateSecret', { ClientRequestToken: one.token, ...input(one.value), ...(one.description === undefined ? {} : { Description: one.description }) });
      const code = blocked ?? (model && one.value ? give(model, one.token, one.value) : undefined);
      expectCode(got, code);
      if (model && code === undefined && one.description !== undefined) model.description = one.description;
      return model;
    }
    case 'move': {
      const got = await answer('UpdateSecretVersionStage', { VersionStage: one.stage, ...(one.from === undefined ? {} : { RemoveFromVersionId: one.from }), ...(one.to === undefined ? {} : { MoveToVersionId: one.to }) });
      expectCode(got, blocked ?? (model && relabel(model, one)));
      return model;
    }
    case 'delete': {
      const got = await answer('DeleteSecret', one.days === undefined ? {} : { RecoveryWindowInDays: one.days });
      const wrong = one.days === 6 || one.days === 31 ? 'InvalidParameterException' : undefined;
      expectCode(got, gone ?? wrong ?? blocked);
      if (model && (gone ?? wrong ?? blocked) === undefined) model.due = clock.now() + (one.days ?? 30) * DAY;
      return model;
    }
    case 'force': {
      expect(await answer('DeleteSecret', { ForceDeleteWithoutRecovery: true })).toMatchObject({ Name: name });
      return undefined;
    }
    case 'restore': {
      expectCode(await answer('RestoreSecret'), gone);
      if (model) delete model.due;
      return model;
    }
    case 'tag': {
      expectCode(await answer('TagResource', { Tags: [{ Key: 'team', Value: 'infra' }] }), blocked);
      return model;
    }
    case 'wait': {
      // Reads of before are written down with the day on which they were.
      if (model?.reading !== undefined) model.read = model.reading;
      clock.advance(one.days * DAY);
      await runJob('secret-access', 'secretsmanager:RecordSecretAccess');
      await runJob('secret-deletion', 'secretsmanager:DeleteDueSecrets');
      return model?.due !== undefined && model.due <= clock.now() ? undefined : model;
    }
    case 'get': {
      const got = await answer('GetSecretValue', { ...(one.version === undefined ? {} : { VersionId: one.version }), ...(one.stage === undefined ? {} : { VersionStage: one.stage }) });
      const wanted = blocked ?? (model ? looked(model, one) : '');
      if (typeof wanted === 'string') expect(got).toBe(wanted);
      else expect(got).toMatchObject({ VersionId: wanted.id, [wanted.value.kind]: `secret:${base64(wanted.value.text)}`, VersionStages: model ? stagesOf(model, wanted.id) : [] });
      if (model && typeof wanted !== 'string') model.reading = clock.now() - (clock.now() % DAY);
      return model;
    }
  }
}

function expectCode(got: Json | string, code: string | undefined): void {
  expect(typeof got === 'string' ? got : undefined).toBe(code);
}

/** Everything that can be seen of the secret is the model's. */
async function same(name: string, model: Secret | undefined): Promise<void> {
  const SecretId = name;
  const described = await ask('secretsmanager:DescribeSecret', { SecretId });
  if (!model) {
    expect(described).toBe('ResourceNotFoundException');
    return;
  }
  const ids = [...model.values.keys()].filter((id) => stagesOf(model, id).length > 0);
  expect(described).toMatchObject({ Name: name, VersionIdsToStages: Object.fromEntries(ids.map((id) => [id, stagesOf(model, id)])), ...(model.description === '' ? {} : { Description: model.description }), ...(model.due === undefined ? {} : { DeletedDate: model.due / 1000 }) });
  expect((described as Json)['LastAccessedDate']).toBe(model.read === undefined ? undefined : model.read / 1000);
  const { Versions } = (await ask('secretsmanager:ListSecretVersionIds', { SecretId, IncludeDeprecated: true })) as { readonly Versions: readonly Json[] };
  expect(Versions.map(({ VersionId }) => VersionId).sort()).toEqual([...model.values.keys()].sort());
  // A stage is on one version, and once there is a value one is current.
  expect(model.values.size === 0 || model.at.has(CURRENT)).toBe(true);
  for (const [VersionId, { kind, text }] of model.due === undefined ? model.values : []) {
    expect(await ask('secretsmanager:GetSecretValue', { SecretId, VersionId })).toMatchObject({ [kind]: `secret:${base64(text)}` });
  }
}

let names = 0;

it('are the model’s, whatever is asked of them', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 40 }), async (acts) => {
      names += 1;
      const name = `model/${String(names)}`;
      let model: Secret | undefined;
      for (const one of acts) {
        clock.advance(1);
        model = await perform(name, model, one);
      }
      await same(name, model);
    }),
    { numRuns: RUNS },
  );
});

it('know the day on which they were read, also when a lock comes first', async () => {
  await ask('secretsmanager:CreateSecret', { Name: 'read/once', SecretString: base64('x') });
  await ask('secretsmanager:CreateSecret', { Name: 'read/never', SecretString: base64('x') });
  await ask('secretsmanager:GetSecretValue', { SecretId: 'read/once' });
  const today = (clock.now() - (clock.now() % DAY)) / 1000;
  await vault.ok('vault:Lock');
  await vault.ok('vault:Unlock', { Password: base64(PASSWORD) });
  const [once, never] = [await ask('secretsmanager:DescribeSecret', { SecretId: 'read/once' }), await ask('secretsmanager:DescribeSecret', { SecretId: 'read/never' })] as [Json, Json];
  expect([once['LastAccessedDate'], never['LastAccessedDate'], once['LastChangedDate']]).toEqual([today, undefined, once['CreatedDate']]);
  expect(await ask('secretsmanager:ListSecretVersionIds', { SecretId: 'read/once' })).toMatchObject({ Versions: [{ LastAccessedDate: today }] });
  // The same day again is nothing to write.
  await ask('secretsmanager:GetSecretValue', { SecretId: 'read/once' });
  const runs = async (): Promise<number> => ((await vault.ok('trail:LookupEvents', { Operation: 'secretsmanager:RecordSecretAccess', Limit: 500 }))['Events'] as readonly Json[]).filter(({ Kind }) => Kind === 'intent').length;
  const before = await runs();
  await vault.ok('vault:Lock');
  await vault.ok('vault:Unlock', { Password: base64(PASSWORD) });
  expect(await runs()).toBe(before);
});

it('are the same after a lock and an unlock', { timeout: 120_000 }, async () => {
  const before = await ask('secretsmanager:ListSecrets', { IncludePlannedDeletion: true, SortBy: 'name' });
  await vault.ok('vault:Lock');
  await vault.ok('vault:Unlock', { Password: base64(PASSWORD) });
  expect(await ask('secretsmanager:ListSecrets', { IncludePlannedDeletion: true, SortBy: 'name' })).toEqual(before);
});
