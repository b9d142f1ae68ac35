/** The ten steps of the one path, their order, and that every exit leaves an outcome. */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation, secret, type Operation } from '../../src/shared/api/operation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, requestId } from '../../src/shared/model/ids.ts';
import type { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { createApprovals, type ApprovalQuestion, type Approvals } from '../../src/main/kernel/approvals.ts';
import { createDispatch, type Path } from '../../src/main/kernel/dispatch.ts';
import type { Call, Registered } from '../../src/main/kernel/handler.ts';
import { createJournal } from '../../src/main/kernel/journal.ts';
import type { Request } from '../../src/main/kernel/request.ts';
import type { VaultPhase } from '../../src/shared/api/vault.ts';
import { UsageTracker } from '../../src/main/keyring/usage.ts';
import { createExecute } from '../../src/main/operations/execute.ts';
import { DEFAULT_RULES } from '../../src/main/rules/defaults.ts';
import { fakeTrail, type FakeTrail } from '../fakes/fake-trail.ts';

const sign = operation({
  name: 'kms:Sign',
  summary: 'Sign',
  input: () => z.strictObject({ KeyId: z.string(), Message: secret({ max: 64 }), Note: z.string().optional() }),
  output: () => z.strictObject({ Signature: z.string() }),
  errors: ['NotFoundException', 'DisabledException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['cli', 'ipc'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});
const create = operation({
  name: 'kms:CreateKey',
  summary: 'Create',
  input: () => z.strictObject({}),
  output: () => z.strictObject({}),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['cli'],
  audited: [],
});
const reEncrypt = operation({
  name: 'kms:ReEncrypt',
  summary: 'Move',
  input: () => z.strictObject({ KeyId: z.string(), DestinationKeyId: z.string() }),
  output: () => z.strictObject({ Signature: z.string() }),
  errors: ['NotFoundException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['cli'],
  audited: ['KeyId', 'DestinationKeyId'],
  resource: { kind: 'key', field: 'KeyId', action: 'kms:ReEncryptFrom' },
  destination: { kind: 'key', field: 'DestinationKeyId', action: 'kms:ReEncryptTo' },
});
const status = operation({ name: 'vault:Status', summary: 'Status', input: () => z.strictObject({}), output: () => z.strictObject({}), errors: [], effect: 'read', needs: 'any', doors: ['cli'], audited: [], recorded: false });

type Handle = (input: Record<string, unknown>) => unknown;

interface Bench {
  readonly steps: string[];
  readonly trail: FakeTrail;
  readonly faults: unknown[];
  path: Path;
  lockState: VaultPhase;
  handle: Handle;
  uid: number;
}

function bench(overrides: Partial<Path> = {}): Bench {
  const steps: string[] = [];
  const trail = fakeTrail();
  const faults: unknown[] = [];
  const register = (op: Operation): [string, Registered] => [op.name, { operation: op, handler: ((input: Record<string, unknown>) => made.handle(input)) as never }];
  const made: Bench = {
    steps,
    trail,
    faults,
    lockState: 'unlocked',
    uid: 1000,
    handle: () => ({ Signature: 'c2ln' }),
    path: {
      authenticate: (evidence) => {
        steps.push('authenticate');
        return evidence.door === 'cli' && evidence.peer.uid === 1000 ? { kind: 'owner', id: 'owner' } : evidence.door === 'schedule' ? { kind: 'schedule', id: 'schedule/x' } : undefined;
      },
      refused: () => void steps.push('refused'),
      operations: new Map([register(sign), register(create), register(reEncrypt), register(status)]),
      rules: DEFAULT_RULES,
      vault: () => {
        steps.push('rules');
        return { lockState: made.lockState, recoveryCodeUsed: false };
      },
      take: () => 1,
      resolve: (rule, input) => {
        steps.push('resolve');
        if (input[rule.field] === 'gone') return Promise.resolve({ missing: new VaultError('NotFoundException', 'no such key') });
        return Promise.resolve({ arn: 'arn:aws:kms:us-east-1:111122223333:key/1', subject: {} });
      },
      approvals: createApprovals({ present: () => false, after: () => ({ cancel: () => undefined }) }),
      journal: createJournal({ trail: () => trail, now: () => instant(1000) }),
      execute: async ({ operation: op, handler }, input, call, outcome) => {
        steps.push(`execute after ${String(trail.records.length)} record(s)`);
        const output = (await handler(input, call, {} as never)) as Record<string, unknown>;
        if (op.effect !== 'write') return { output };
        return { output, committed: { outcome: outcome(7), delivered: () => void steps.push('delivered') } };
      },
      now: () => instant(1000),
      started: ({ signal }) => ({ signal, finished: () => void steps.push('finished') }),
      fault: (_request, error) => void faults.push(error),
      ...overrides,
    },
  };
  return made;
}

let ids = 0;
const request = (op: string, input: unknown, more: Partial<Request> = {}): Request => ({
  id: requestId(`00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`),
  door: 'cli',
  evidence: { door: 'cli', peer: { uid: 1000, gid: 1000, pid: 1 }, hints: {} },
  operation: op,
  input: new TextEncoder().encode(typeof input === 'string' ? input : JSON.stringify(input)),
  signal: new AbortController().signal,
  ...more,
});
const send = (b: Bench, op: string, input: unknown, more?: Partial<Request>) => createDispatch(b.path)(request(op, input, more));
const message = { KeyId: 'k', Message: 'aGVsbG8=' };

describe('the one path', () => {
  let b: Bench;
  beforeEach(() => {
    b = bench();
  });

  it('walks its steps in order, with a durable intent before the operation and an outcome before the answer', async () => {
    const result = await send(b, 'kms:Sign', message);
    expect(result).toMatchObject({ ok: true, output: { Signature: 'c2ln' } });
    expect(b.steps).toEqual(['authenticate', 'rules', 'resolve', 'execute after 1 record(s)', 'finished']);
    expect(b.trail.records).toMatchObject([
      { phase: 'intent', operation: 'kms:Sign', door: 'cli', principal: 'owner', resource: 'arn:aws:kms:us-east-1:111122223333:key/1', input: { KeyId: 'k' } },
      { phase: 'outcome', result: 'ok', intent: 0, reasons: ['allowed:owner/OwnerMayDoAll'] },
    ]);
  });

  it('records the allowlist only: the message is in no record', async () => {
    await send(b, 'kms:Sign', { ...message, Note: 'needle-note' });
    const all = JSON.stringify(b.trail.records);
    expect(all).not.toContain('needle-note');
    expect(all).not.toContain('aGVsbG8');
    expect(all).not.toContain('hello');
  });

  it('wipes the raw input and the secrets in it, whatever happens', async () => {
    for (const handle of [() => ({ Signature: '' }), () => { throw new Error('boom'); }]) {
      let seen: SecretBytes | undefined;
      b.handle = (input) => {
        seen = input['Message'] as SecretBytes;
        expect(seen.borrow((bytes) => new TextDecoder().decode(bytes))).toBe('hello');
        return handle();
      };
      const sent = request('kms:Sign', message);
      await createDispatch(b.path)(sent);
      expect(seen?.disposed).toBe(true);
      expect(sent.input.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('answers nobody, and records nothing of them one by one', async () => {
    const result = await send(b, 'kms:Sign', message, { evidence: { door: 'cli', peer: { uid: 1001, gid: 1, pid: 1 }, hints: {} } });
    expect(result).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
    expect(b.steps).toEqual(['authenticate', 'refused']);
    expect(b.trail.records).toEqual([]);
  });

  it('wipes the input of nobody, too, whether that was told or found out by a fault', async () => {
    for (const authenticate of [() => undefined, () => new VaultError('UnrecognizedClientException', 'not known'), () => Promise.reject(new Error('a fault'))]) {
      const sent = request('kms:Sign', message);
      expect(await createDispatch(bench({ authenticate }).path)(sent)).toMatchObject({ ok: false });
      expect(sent.input.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('looks at rules before it parses a byte of the input', async () => {
    b.lockState = 'locked';
    const result = await send(b, 'kms:Sign', '{"hostile');
    expect(result).toMatchObject({ ok: false, error: { code: 'VaultLockedException' } });
    expect(b.trail.records).toMatchObject([{ phase: 'outcome', result: 'VaultLockedException', reasons: ['rule:vault-is-locked'] }]);
  });

  it('refuses an operation at a door that it was not declared for', async () => {
    const result = await send(b, 'kms:Sign', message, { door: 'schedule', evidence: { door: 'schedule', job: 'x' } });
    expect(result).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
    expect(b.trail.records).toMatchObject([{ reasons: ['rule:door-offers-operation'] }]);
  });

  it.each([
    ['an unknown field', { ...message, Extra: 1 }, 'ValidationException'],
    ['a missing field', { KeyId: 'k' }, 'ValidationException'],
    ['no JSON', '{', 'SerializationException'],
    ['a repeated field', '{"KeyId":"k","KeyId":"l","Message":"aGk="}', 'SerializationException'],
  ])('refuses %s, on record', async (_name, input, code) => {
    const result = await send(b, 'kms:Sign', input);
    expect(result).toMatchObject({ ok: false, error: { code } });
    expect(b.trail.records).toMatchObject([{ phase: 'outcome', result: code }]);
    expect(b.steps).not.toContain('resolve');
  });

  it('refuses an operation that does not exist, on record, with its name cut', async () => {
    const result = await send(b, `kms:${'x'.repeat(100)}`, {});
    expect(result).toMatchObject({ ok: false, error: { code: 'UnknownOperationException' } });
    expect(b.trail.records[0]?.operation.length).toBe(64);
  });

  it('gives a caller without rights the same bytes for what exists and what does not', async () => {
    const stranger = bench({ authenticate: () => ({ kind: 'nobody', id: 'nobody' }) });
    const [here, gone] = [await send(stranger, 'kms:Sign', message), await send(stranger, 'kms:Sign', { ...message, KeyId: 'gone' })];
    if (here.ok || gone.ok) throw new Error('both must be denied');
    expect(here.error).toEqual(gone.error);
    expect(here.error.code).toBe('AccessDeniedException');
    expect(stranger.trail.records).toMatchObject([{ reasons: ['nothing-allows'] }, { reasons: ['nothing-allows'] }]);
  });

  it('says what does not exist to one who may know, without an intent', async () => {
    const result = await send(b, 'kms:Sign', { ...message, KeyId: 'gone' });
    expect(result).toMatchObject({ ok: false, error: { code: 'NotFoundException' } });
    expect(b.trail.records).toMatchObject([{ phase: 'outcome', result: 'NotFoundException' }]);
  });

  it('does nothing when the intent cannot be written', async () => {
    b.trail.failOn = new Set([1]);
    const result = await send(b, 'kms:Sign', message);
    expect(result).toMatchObject({ ok: false, error: { code: 'TrailUnavailableException' } });
    expect(b.steps.some((step) => step.startsWith('execute'))).toBe(false);
  });

  it('withholds the answer when the outcome cannot be written', async () => {
    b.trail.failOn = new Set([2, 3]);
    const result = await send(b, 'kms:Sign', message);
    expect(result).toMatchObject({ ok: false, error: { code: 'TrailUnavailableException' } });
    expect(JSON.stringify(result)).not.toContain('c2ln');
  });

  it('appends the very bytes that a mutation committed, and only then lets go of them', async () => {
    const result = await send(b, 'kms:CreateKey', {});
    expect(result.ok).toBe(true);
    expect(b.trail.records).toMatchObject([{ phase: 'intent' }, { phase: 'outcome', result: 'ok', epoch: 7, intent: 0 }]);
    expect(b.steps.indexOf('delivered')).toBeGreaterThan(b.steps.indexOf('execute after 1 record(s)'));
  });

  it('records and counts of a unit of work that ran again what its last run touched and used', async () => {
    const runs = ['never', 'kept'];
    let call: Call | undefined;
    const handler = (_input: unknown, own: Call): object => {
      call = own;
      const run = runs.shift() ?? '';
      own.touched(`arn:aws:secretsmanager:us-east-1:111122223333:secret:app-${run}`);
      own.changed('CertificateAuthority', undefined, run);
      own.changed('Same', run, run);
      own.used('GenerateDataKey', run);
      return {};
    };
    // A store whose first commit finds that another was quicker.
    const write = async (trail: { outcome(value: unknown, epoch: number): Uint8Array }, work: (writer: object) => Promise<unknown>): Promise<object> => {
      await work({});
      return { value: await work({}), outcome: trail.outcome({}, 7), delivered: () => undefined };
    };
    const vault = { open: { realm: {}, info: {}, store: { write, reader: { settings: () => Promise.resolve({}) } } }, ports: { emit: () => undefined } };
    const usage = new UsageTracker(() => 0);
    const again = bench({ operations: new Map([[create.name, { operation: create, handler: handler as never }]]), execute: createExecute(vault as never, usage) });
    expect((await send(again, 'kms:CreateKey', {})).ok).toBe(true);
    const { reasons } = again.trail.records.at(-1) ?? {};
    expect(reasons?.filter((reason) => reason.startsWith('touched:'))).toEqual(['touched:arn:aws:secretsmanager:us-east-1:111122223333:secret:app-kept']);
    expect(reasons?.filter((reason) => reason.startsWith('changed:'))).toEqual(['changed:CertificateAuthority:none:kept']);
    expect(reasons?.length).toBe(3);
    expect(call?.uses).toEqual([{ operation: 'GenerateDataKey', arn: 'kept' }]);
  });

  it('keeps a committed outcome undelivered when the trail fails after the commit', async () => {
    b.trail.failOn = new Set([2, 3]);
    expect((await send(b, 'kms:CreateKey', {})).ok).toBe(false);
    expect(b.steps).not.toContain('delivered');
  });

  it('lets declared errors out as they are, and turns all others into an internal one that says nothing', async () => {
    b.handle = () => { throw new VaultError('DisabledException', 'key is disabled'); };
    expect(await send(b, 'kms:Sign', message)).toMatchObject({ ok: false, error: { code: 'DisabledException', message: 'key is disabled' } });
    for (const thrown of [new VaultError('AlreadyExistsException', 'undeclared-needle'), new TypeError('needle-in-a-stack')]) {
      b.handle = () => { throw thrown; };
      const result = await send(b, 'kms:Sign', message);
      expect(result).toMatchObject({ ok: false, error: { code: 'InternalException' } });
      expect(JSON.stringify(result)).not.toContain('needle');
    }
    expect(b.faults).toHaveLength(2);
    expect(b.trail.records.filter(({ phase }) => phase === 'outcome').map(({ result }) => result)).toEqual(['DisabledException', 'InternalException', 'InternalException']);
  });

  it('answers a cancelled request as cancelled, on record', async () => {
    const controller = new AbortController();
    b.handle = () => {
      controller.abort();
      throw new Error('aborted inside');
    };
    const result = await send(b, 'kms:Sign', message, { signal: controller.signal });
    expect(result).toMatchObject({ ok: false, error: { code: 'CancelledException' } });
    expect(b.trail.records.at(-1)).toMatchObject({ phase: 'outcome', result: 'CancelledException' });
  });

  it('records nothing of what is declared unrecorded, and works without a trail', async () => {
    expect((await send(b, 'vault:Status', {})).ok).toBe(true);
    expect(b.trail.records).toEqual([]);
    const none = bench({ journal: createJournal({ trail: () => undefined, now: () => instant(1) }) });
    expect((await send(none, 'kms:Sign', message)).ok).toBe(true);
  });

  it('sums up a success where it is told to, and records what was refused all the same', async () => {
    const counted: string[] = [];
    const { trail, journalWith } = summing(counted);
    const summed = bench({ journal: journalWith });
    expect((await send(summed, 'kms:Sign', message)).ok).toBe(true);
    expect(trail.records).toEqual([]);
    expect(counted).toEqual(['kms:Sign']);
    expect((await send(summed, 'kms:Sign', { ...message, KeyId: 'gone' })).ok).toBe(false);
    expect(trail.records).toMatchObject([{ phase: 'outcome', operation: 'kms:Sign', result: 'NotFoundException', input: { KeyId: 'gone' } }]);
    expect(counted).toEqual(['kms:Sign']);
  });
});

function summing(counted: string[]) {
  const trail = fakeTrail();
  return { trail, journalWith: createJournal({ trail: () => trail, now: () => instant(1), summed: ({ operation }) => ({ count: () => void counted.push(operation) }) }) };
}

describe('an operation with a destination', () => {
  const both = (from: string, to: string) => ({ KeyId: from, DestinationKeyId: to });
  const arn = (name: string): string => `arn:aws:kms:us-east-1:111122223333:key/${name}`;
  const resolve: Path['resolve'] = (rule, input) => Promise.resolve({ arn: arn(input[rule.field] as string), subject: input[rule.field] });

  it('gives the handler both, and records where the destination’s name led', async () => {
    const b = bench({ resolve });
    const calls: Call[] = [];
    b.path = { ...b.path, execute: ({ handler }, input, call) => (calls.push(call), Promise.resolve({ output: handler(input as never, call, {} as never) as never })) };
    expect((await send(b, 'kms:ReEncrypt', both('a', 'alias/b'))).ok).toBe(true);
    expect(calls.map(({ resource, destination }) => [resource.subject, destination.subject])).toEqual([['a', 'alias/b']]);
    expect(b.trail.records).toMatchObject([{ phase: 'intent', resource: arn('a'), input: { KeyId: 'a', DestinationKeyId: arn('alias/b') } }, { phase: 'outcome', result: 'ok' }]);
  });

  it.each([['source', 'kms:ReEncryptFrom', 'a'], ['destination', 'kms:ReEncryptTo', 'b']] as const)('is denied when the %s’s policy denies %s', async (_which, action, denied) => {
    const policy = { id: 'key', statements: [{ sid: 'No', effect: 'Deny', actions: [action] }] } as const;
    const b = bench({ resolve: async (rule, input, region) => ({ ...(await resolve(rule, input, region)), ...(input[rule.field] === denied ? { policy } : {}) }) });
    expect(await send(b, 'kms:ReEncrypt', both('a', 'b'))).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
    // The other way round the same statement is of another action, and nothing denies.
    expect((await send(b, 'kms:ReEncrypt', both('b', 'a'))).ok).toBe(true);
  });

  it('says that either does not exist, only after policy', async () => {
    const b = bench();
    for (const input of [both('gone', 'b'), both('a', 'gone')]) expect(await send(b, 'kms:ReEncrypt', input)).toMatchObject({ ok: false, error: { code: 'NotFoundException' } });
    const stranger = bench({ authenticate: () => ({ kind: 'nobody', id: 'nobody' }) });
    for (const input of [both('a', 'b'), both('a', 'gone')]) expect(await send(stranger, 'kms:ReEncrypt', input)).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
  });
});

describe('lock', () => {
  const lock = operation({ name: 'vault:Lock', summary: 'Lock', input: () => z.strictObject({}), output: () => z.strictObject({}), errors: [], effect: 'control', needs: 'any', doors: ['cli'], audited: [] });
  const locking = (append: FakeTrail['append']): { bench: Bench; locked: () => boolean } => {
    let done = false;
    const trail = { ...fakeTrail(), append };
    const operations = new Map([[lock.name, { operation: lock, handler: (() => { done = true; return {}; }) as never }]]);
    return { bench: bench({ operations, journal: createJournal({ trail: () => trail, now: () => instant(1000) }) }), locked: () => done };
  };

  it('works, and is answered, while the trail cannot be written', async () => {
    const { bench: b, locked } = locking(() => Promise.reject(new VaultError('TrailUnavailableException', 'the trail cannot be written')));
    expect((await send(b, 'vault:Lock', {})).ok).toBe(true);
    expect(locked()).toBe(true);
  });

  it('does not wait for a disk that hangs', async () => {
    const { bench: b, locked } = locking(() => new Promise(() => undefined));
    void send(b, 'vault:Lock', {});
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(locked()).toBe(true);
  });

  it('is on record with its intent and the outcome that names it', async () => {
    const trail = fakeTrail();
    const operations = new Map([[lock.name, { operation: lock, handler: (() => ({})) as never }]]);
    const b = bench({ operations, journal: createJournal({ trail: () => trail, now: () => instant(1000) }) });
    expect((await send(b, 'vault:Lock', {})).ok).toBe(true);
    expect(trail.records).toMatchObject([{ phase: 'intent', operation: 'vault:Lock' }, { phase: 'outcome', result: 'ok', intent: 0 }]);
  });
});

describe('approval', () => {
  const ask = { id: 'ask', when: { door: ['cli'] }, verdict: { then: 'ask', message: 'somebody wants to sign' } } as const;

  const withPerson = (answer: (question: ApprovalQuestion, approvals: Approvals) => void): { bench: Bench; questions: ApprovalQuestion[] } => {
    const questions: ApprovalQuestion[] = [];
    const approvals: Approvals = createApprovals({
      present: (question) => {
        questions.push(question);
        setTimeout(() => { answer(question, approvals); }, 1);
        return true;
      },
      after: (milliseconds, call) => {
        const timer = setTimeout(call, Math.min(milliseconds, 20));
        return { cancel: () => { clearTimeout(timer); } };
      },
    });
    return { bench: bench({ rules: [ask], approvals }), questions };
  };

  it('runs what a person allowed', async () => {
    const { bench: b } = withPerson((question, approvals) => approvals.answer(question.requestId, question.binding, true));
    expect((await send(b, 'kms:Sign', message)).ok).toBe(true);
    expect(b.trail.records.at(-1)?.reasons).toContain('approved:ask');
  });

  it.each([
    ['a no', (q: ApprovalQuestion, a: Approvals) => void a.answer(q.requestId, q.binding, false)],
    ['silence', () => undefined],
    ['lock', (_q: ApprovalQuestion, a: Approvals) => { a.denyAll(); }],
    ['a yes to another question', (q: ApprovalQuestion, a: Approvals) => void a.answer(q.requestId, 'ff', true)],
  ])('takes %s for a no', async (_name, answer) => {
    const { bench: b } = withPerson(answer);
    expect(await send(b, 'kms:Sign', message)).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
    expect(b.steps.some((step) => step.startsWith('execute'))).toBe(false);
    expect(b.trail.records.at(-1)?.reasons).toContain('not-approved:ask');
  });

  it('binds the answer to the exact input', async () => {
    const { bench: b, questions } = withPerson((question, approvals) => approvals.answer(question.requestId, question.binding, true));
    await send(b, 'kms:Sign', message);
    await send(b, 'kms:Sign', { ...message, Message: 'aGVsbG9v' });
    expect(new Set(questions.map(({ binding }) => binding)).size).toBe(2);
  });

  it('denies at once where there is nobody to ask', async () => {
    const b = bench({ rules: [ask] });
    expect(await send(b, 'kms:Sign', message)).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
  });
});
