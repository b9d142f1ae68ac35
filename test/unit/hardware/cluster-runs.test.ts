/** What is done to the tokens of a cluster by a request whose unit of work runs again, or fails after the tokens have done their part. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallFailed } from '../../../src/main/backends/pkcs11/client.ts';
import { generateInCluster, routeOf } from '../../../src/main/hardware/cluster-keys.ts';
import type { JoinNotes } from '../../../src/main/hardware/unfinished.ts';
import { KEY_STORES, MODULES, type ClusterRecord, type KeyStoreRecord } from '../../../src/main/hardware/kinds.ts';
import { clusterIdOf } from '../../../src/main/hardware/token-names.ts';
import type { KeyRecord } from '../../../src/main/keyring/ports.ts';
import { hardwareClusterHandlers } from '../../../src/main/operations/hardware-cluster.ts';
import { hardwareJoinHandlers } from '../../../src/main/operations/hardware-joins.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { VaultError, type ErrorCode } from '../../../src/shared/model/errors.ts';
import { instant, keyIdFrom } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { fakeTokens, type FakeTokens } from '../../fakes/tokens.ts';

const STORE = 'cks-00000000000000000';
type Rows = Record<string, Map<string, unknown>>;

let tokens: FakeTokens;
let rows: Rows;
let keys: KeyRecord[];
beforeEach(() => {
  tokens = fakeTokens(['one', 'two', 'three']);
  keys = [];
  rows = { [KEY_STORES.table]: new Map(), [MODULES.table]: new Map(['one', 'two', 'three'].map((label) => [at(label).module.path, at(label).module])) };
});
afterEach(async () => {
  await tokens.hardware.end();
  tokens.remove();
});

const at = (label: string) => tokens.token(label).place;
const idOf = (label: string): string => clusterIdOf(at(label).token);
const stored = (): KeyStoreRecord => rows[KEY_STORES.table]?.get(STORE) as KeyStoreRecord;
const cluster = (): ClusterRecord => {
  const { cluster: record } = stored();
  if (!record) throw new Error('no cluster');
  return record;
};
const put = (record: KeyStoreRecord): void => { rows[KEY_STORES.table]?.set(STORE, record); };
const pin = (): SecretBytes => SecretBytes.copy(Buffer.from('1234567'));
const objectsOf = (label: string): string[] => [...tokens.token(label).objects.keys()].sort();

function writerOf(over: Rows) {
  const of = ({ table }: { readonly table: string }) => {
    const own = (over[table] ??= new Map());
    return { get: async (id: string) => own.get(id), entries: async () => own.entries(), update: (record: { readonly id: string }) => { own.set(record.id, record); }, insert: (record: { readonly id: string }) => { own.set(record.id, record); } };
  };
  return { of, keys: async () => ({ items: [...keys] }) };
}

type Handlers = ReturnType<typeof hardwareClusterHandlers> & ReturnType<typeof hardwareJoinHandlers>;
/** How many requests have committed: one that was overtaken runs again, as in the store. */
let commits = 0;
const joins: JoinNotes = {
  begin: async (CustomKeyStoreId, CloudHsmClusterId, Join) => void (await request('hardware:BeginJoin', { CustomKeyStoreId, CloudHsmClusterId, Join })),
  takeBack: async (CustomKeyStoreId) => void (await request('hardware:TakeBackJoins', { CustomKeyStoreId }).catch(() => undefined)),
};
/**
 * As `createExecute` and the store have it: each run on the rows as they are then, the last one's kept. `meanwhile`: what others commit
 * after each run but the last; `commit` may fail.
 */
async function request(name: keyof Handlers, input: object, { meanwhile = [], commit = () => undefined, signal = new AbortController().signal }: { readonly meanwhile?: readonly (() => void)[]; readonly commit?: () => void; readonly signal?: AbortSignal } = {}): Promise<unknown> {
  const handler = { ...hardwareClusterHandlers(() => tokens.hardware, systemRandom, joins), ...hardwareJoinHandlers(() => tokens.hardware) }[name] as unknown as (input: object, call: object, rights: object) => Promise<unknown>;
  const call = { at: instant(1), signal, progress: () => undefined, touched: () => undefined, fail: (code: ErrorCode, message: string) => { throw new VaultError(code, message); } };
  let undo: ((again: boolean) => unknown)[] = [];
  const takeBack = async (again: boolean): Promise<void> => {
    const acts = undo.map((act) => act(again));
    undo = [];
    if (!again) await Promise.all(acts);
  };
  for (let run = 0; ; run += 1) {
    const afterwards: (() => unknown)[] = [];
    void takeBack(true);
    const own = structuredClone(rows);
    const began = commits;
    const isOvertaken = (): boolean => run < meanwhile.length || commits !== began;
    let value: unknown;
    try {
      value = await handler(input, call, { writer: writerOf(own), realm: { region: 'local' }, afterwards: (act: () => unknown) => { afterwards.push(act); }, undone: (act: (again: boolean) => unknown) => { undo.push(act); } });
      if (!isOvertaken()) commit();
    } catch (error) {
      if (run >= meanwhile.length) {
        await takeBack(false);
        throw error;
      }
    }
    if (isOvertaken()) {
      meanwhile[run]?.();
      continue;
    }
    rows = own;
    commits += 1;
    for (const act of afterwards) await act();
    return value;
  }
}

const add = (label: string, how: Parameters<typeof request>[2] = {}, more: object = {}): Promise<unknown> => request('hardware:AddTokenToKeyStore', { CustomKeyStoreId: STORE, CloudHsmClusterId: idOf(label), Pin: pin(), SecurityOfficerPin: pin(), MemberSecurityOfficerPin: pin(), LastTry: false, MemberLastTry: false, ...more }, how);

async function connect(label: string): Promise<void> {
  const place = at(label);
  put({ id: STORE, name: 'store', module: place.module.path, serial: place.token.serial, label, created: instant(0) });
  await tokens.hardware.login(place, pin());
  await tokens.hardware.connect(stored(), [place]);
}
const makeClusterOf = async (...labels: readonly string[]): Promise<void> => { for (const label of labels) await add(label); };
async function makeCluster(): Promise<void> {
  await connect('one');
  await makeClusterOf('two');
}

/** A key of the store, in these tokens. */
function makeKey(id: string, ...labels: readonly string[]): void {
  keys.push({ keyId: keyIdFrom(systemRandom.bytes(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['00'], origin: 'AWS_CLOUDHSM', hardware: { store: STORE, id } });
  for (const label of labels) tokens.token(label).objects.set(id, { kind: 'key', extractable: true });
}

/** What the ceremony puts on tokens, and nothing of a key. */
const plumbingOf = (label: string): string[] => objectsOf(label).filter((id) => tokens.token(label).objects.get(id)?.kind !== 'key');

describe('a token that joins', () => {
  it('leaves nothing on any token where the write fails, and the key store as it was', async () => {
    await connect('one');
    await expect(add('two', { commit: () => { throw new VaultError('StorageFullException', 'full'); } })).rejects.toMatchObject({ code: 'StorageFullException' });
    expect([objectsOf('one'), objectsOf('two'), stored().cluster, tokens.hardware.cluster(STORE), tokens.hardware.connection(STORE).state]).toEqual([[], [], undefined, undefined, 'CONNECTED']);
    await makeClusterOf('two');
    makeKey('a1', 'one', 'two');
    const before = [objectsOf('one'), objectsOf('two'), cluster()];
    await expect(add('three', { commit: () => { throw new VaultError('StorageFullException', 'full'); } })).rejects.toMatchObject({ code: 'StorageFullException' });
    expect([objectsOf('three'), [objectsOf('one'), objectsOf('two'), cluster()]]).toEqual([[], before]);
    expect(tokens.hardware.cluster(STORE)?.members.map(({ place }) => place.token.label)).toEqual(['one', 'two']);
  });

  it('leaves nothing where it is cancelled, at whatever call', async () => {
    await makeCluster();
    makeKey('a1', 'one', 'two');
    makeKey('a2', 'one', 'two');
    const before = [objectsOf('one'), objectsOf('two')];
    let calls = 0;
    tokens.before(() => { calls += 1; return undefined; });
    await add('three');
    await request('hardware:RemoveTokenFromKeyStore', { CustomKeyStoreId: STORE, CloudHsmClusterId: idOf('three'), Confirm: 'three' });
    for (let stop = 1; stop < calls; stop += 3) {
      tokens.token('three').objects.clear();
      const controller = new AbortController();
      let seen = 0;
      tokens.before(() => { if ((seen += 1) === stop) controller.abort(new Error('cancelled')); return undefined; });
      const done = await add('three', { signal: controller.signal }).then(() => 'joined', () => 'cancelled');
      tokens.before(() => undefined);
      if (done === 'joined') {
        // Too late: it is a member.
        expect(cluster().members.length).toBe(3);
        await request('hardware:RemoveTokenFromKeyStore', { CustomKeyStoreId: STORE, CloudHsmClusterId: idOf('three'), Confirm: 'three' });
        continue;
      }
      expect([stop, objectsOf('three'), [objectsOf('one'), objectsOf('two')]]).toEqual([stop, [], before]);
    }
  });

  it('keeps what it held before: a copy from when it was a member', async () => {
    await makeCluster();
    makeKey('a1', 'one', 'two', 'three');
    makeKey('a2', 'one', 'two');
    await expect(add('three', { commit: () => { throw new VaultError('StorageFullException', 'full'); } })).rejects.toBeInstanceOf(VaultError);
    expect(objectsOf('three')).toEqual(['a1']);
  });

  it('joins once, and to the cluster as it is then: with its deleted keys and its other tokens', async () => {
    await makeCluster();
    await add('three', { meanwhile: [() => { makeKey('a1', 'one', 'two'); put({ ...stored(), cluster: { ...cluster(), gone: ['a9'] } }); }] });
    expect([cluster().gone, cluster().members.map(({ label }) => label), objectsOf('three').includes('a1')]).toEqual([['a9'], ['one', 'two', 'three'], true]);
    expect(tokens.seen.filter(({ call }) => call === 'trust').length).toBe(4);
    // Every opener is another's wrapping key.
    const wrappers = cluster().members.map(({ wrapper }) => wrapper);
    for (const { opens } of cluster().members) for (const id of opens) expect(wrappers).toContain(id);
  });

  it('is refused where the cluster was sealed, or lost the token that keys came from, while it joined', async () => {
    for (const change of [(record: ClusterRecord): ClusterRecord => ({ ...record, sealed: instant(1) }), (record: ClusterRecord): ClusterRecord => ({ ...record, members: record.members.slice(1) })]) {
      tokens.remove();
      tokens = fakeTokens(['one', 'two', 'three']);
      rows[MODULES.table] = new Map(['one', 'two', 'three'].map((label) => [at(label).module.path, at(label).module]));
      await makeCluster();
      const before = [plumbingOf('one'), plumbingOf('two')];
      await expect(add('three', { meanwhile: [() => { put({ ...stored(), cluster: change(cluster()) }); }] })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
      expect([objectsOf('three'), [plumbingOf('one'), plumbingOf('two')]]).toEqual([[], before]);
      await tokens.hardware.end();
    }
  });

  it('is given no new key before it is a member, and is brought level by what was made meanwhile', async () => {
    await makeCluster();
    makeKey('a1', 'one', 'two');
    const generated: string[] = [];
    tokens.before(({ call, label }) => {
      if (call !== 'holds' || label !== 'three' || generated.length > 0) return undefined;
      // It joins just now: somebody makes keys.
      generated.push('begun');
      return (async () => {
        for (let i = 0; i < 4; i += 1) generated.push((await generateInCluster({ hardware: tokens.hardware, random: systemRandom, store: stored(), record: cluster() }, { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', label: 'made', newId: () => `b${String(i)}` })).id);
      })();
    });
    await add('three', { commit: () => { throw new VaultError('StorageFullException', 'full'); } }).catch(() => undefined);
    expect(generated.slice(1)).toEqual(['b0', 'b1', 'b2', 'b3']);
    for (const label of ['one', 'two']) expect(objectsOf(label)).toEqual(expect.arrayContaining(['b0', 'b1', 'b2', 'b3']));
    expect(objectsOf('three')).toEqual([]);
  });
});

describe('a last try', () => {
  const trusted = (): string[] => tokens.seen.filter(({ call }) => call === 'trust').map(({ label }) => label);
  it('is used of the officer that it was said of, and not of the other one', async () => {
    await connect('one');
    for (const label of ['one', 'two']) tokens.token(label).facts = { officerPin: 'last' };
    await expect(add('two', {}, { LastTry: true })).rejects.toMatchObject({ code: 'PinLockedException', message: expect.stringContaining('--member-last-try') as string, details: { pin: 'securityOfficer', token: idOf('one'), tries: 'last' } });
    expect(trusted()).toEqual([]);
    await expect(add('two', {}, { MemberLastTry: true })).rejects.toMatchObject({ code: 'PinLockedException', message: expect.stringContaining(' --last-try') as string, details: { pin: 'securityOfficer', token: idOf('two'), tries: 'last' } });
    expect(trusted()).toEqual(['one']);
    await add('two', {}, { LastTry: true, MemberLastTry: true });
  });

  it('of a user is said to be theirs', async () => {
    await connect('one');
    tokens.token('two').facts = { pin: 'last' };
    await expect(add('two', {}, { LastTry: true, MemberLastTry: true })).rejects.toMatchObject({ code: 'PinLockedException', details: { pin: 'user', token: idOf('two'), tries: 'last' } });
  });
});

describe('a token that has left', () => {
  const leave = (label: string): Promise<unknown> => request('hardware:RemoveTokenFromKeyStore', { CustomKeyStoreId: STORE, CloudHsmClusterId: idOf(label), Confirm: label });
  beforeEach(async () => {
    await makeCluster();
    makeKey('a1', 'one', 'two');
    await add('three');
  });

  it('has no key that opens what the others wrap, nor have they one of its own; its copies stay; nobody is logged in to it', async () => {
    const left = cluster().members.find(({ label }) => label === 'three');
    await leave('three');
    expect(objectsOf('three')).toEqual(['a1']);
    for (const label of ['one', 'two']) for (const id of [left?.wrapper ?? '', left?.transport.id ?? '']) expect(objectsOf(label)).not.toContain(id);
    expect([await tokens.hardware.isLoggedIn(at('three')), await tokens.hardware.isLoggedIn(at('one'))]).toEqual([false, true]);
    // The process that has its PIN is gone.
    for (const { process } of tokens.seen.filter(({ label, call }) => label === 'three' && call === 'login')) expect(tokens.alive()).not.toContain(process);
  });

  it('leaves what a token that was away still has of it among what is gone, until that one is level', async () => {
    const left = cluster().members.find(({ label }) => label === 'three');
    const ids = [left?.wrapper ?? '', left?.transport.id ?? ''];
    const one = tokens.hardware.cluster(STORE)?.memberAt(at('one'));
    if (one) tokens.hardware.cluster(STORE)?.fail(one, new VaultError('KMSInternalException', 'away'));
    await leave('three');
    expect(ids.map((id) => [objectsOf('one').includes(id), objectsOf('two').includes(id), cluster().gone.includes(id)])).toEqual([[true, false, true], [true, false, true]]);
    await tokens.hardware.login(at('one'), pin());
    await request('hardware:LevelCluster', { CustomKeyStoreId: STORE });
    expect(ids.map((id) => [objectsOf('one').includes(id), cluster().gone.includes(id)])).toEqual([[false, false], [false, false]]);
  });

  it('says what stays on it, and on the others, where a token does not delete it', async () => {
    const members = new Map(cluster().members.map((member) => [member.label, member]));
    const answer = async (): Promise<(readonly [string, string, string, string])[]> => ((await leave('three')) as { readonly Left: readonly Record<'Token' | 'Id' | 'Kind' | 'Reason', string>[] }).Left.map(({ Token, Id, Kind, Reason }) => [Token, Id, Kind, Reason] as const);
    const fails = (): Promise<void> => Promise.reject(new CallFailed({ what: 'cryptoki', function: 'C_DestroyObject', code: 0x1b, name: 'CKR_ACTION_PROHIBITED' }));
    const peers = new Set([members.get('one')?.wrapper, members.get('three')?.transport.id]);
    tokens.before(({ call, label, request: { ids } }) => (call === 'discard' && (ids as string[]).some((id) => peers.has(id)) && label !== 'one' ? fails() : undefined));
    expect((await answer()).sort()).toEqual([
      ['three', members.get('one')?.wrapper, 'copyOfWrappingKey', expect.stringContaining('CKR_ACTION_PROHIBITED')],
      ['three', members.get('three')?.transport.id, 'transportKey', expect.stringContaining('CKR_ACTION_PROHIBITED')],
      ['two', members.get('three')?.transport.id, 'publicTransportKey', expect.stringContaining('CKR_ACTION_PROHIBITED')],
    ].sort());
    expect(objectsOf('three')).toContain(members.get('one')?.wrapper);
  });

  it('says that it keeps all of it where it does not answer, and nothing where all is gone', async () => {
    expect(await leave('three')).toMatchObject({ Left: [] });
    await add('three');
    const record = cluster();
    const three = tokens.hardware.cluster(STORE)?.memberAt(at('three'));
    if (three) tokens.hardware.cluster(STORE)?.fail(three, new VaultError('KMSInternalException', 'away'));
    const { Left } = (await leave('three')) as { readonly Left: readonly { readonly Token: string; readonly Id: string; readonly Reason: string }[] };
    const leaver = record.members.find(({ label }) => label === 'three');
    const held = new Set([leaver?.wrapper, ...(leaver?.opens ?? []), ...record.members.map(({ transport }) => transport.id)]);
    expect(new Set(Left.map(({ Id }) => Id))).toEqual(held);
    expect(new Set(Left.map(({ Token, Reason }) => `${Token}: ${Reason}`))).toEqual(new Set(['three: the token does not answer']));
  });

  it('is sent no key, and sends none', async () => {
    const record = cluster();
    await leave('three');
    for (const other of ['one', 'two']) expect([routeOf({ record: cluster() }, at('three'), at(other)), routeOf({ record: cluster() }, at(other), at('three'))]).toEqual([undefined, undefined]);
    expect(routeOf({ record }, at('three'), at('one'))).toBeDefined();
    expect(cluster().members.every(({ opens }) => !opens.includes(record.members.find(({ label }) => label === 'three')?.wrapper ?? ''))).toBe(true);
  });
});

describe('a key that is made', () => {
  const create = (id = 'key'): Promise<unknown> => {
    let turn = 0;
    return generateInCluster({ hardware: tokens.hardware, random: systemRandom, store: stored(), record: cluster() }, { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', label: 'made', newId: () => `${id}${String((turn += 1))}` });
  };
  const healthOf = (label: string): string | undefined => tokens.hardware.cluster(STORE)?.memberAt(at(label))?.health.state;
  const broken = (): CallFailed => new CallFailed({ what: 'cryptoki', function: 'C_UnwrapKey', code: 0x30, name: 'CKR_DEVICE_ERROR' });

  it('fails with the token that failed, which alone is taken out, wherever in the copy it was', async () => {
    for (const [call, bad] of [['unwrapIn', 'two'], ['wrapOut', 'one'], ['settle', 'two']] as const) {
      await tokens.hardware.end();
      tokens.remove();
      tokens = fakeTokens(['one', 'two', 'three']);
      rows[MODULES.table] = new Map(['one', 'two', 'three'].map((label) => [at(label).module.path, at(label).module]));
      await makeCluster();
      put({ ...stored(), cluster: { ...cluster(), sealed: instant(1) } });
      tokens.before((asked) => (asked.call === call && asked.label === bad ? Promise.reject(broken()) : undefined));
      // The first is made by the token named `two`, and the one after by the other, which copies it.
      expect([call, await create('early').then(() => 'made')]).toEqual([call, 'made']);
      const error = (await create().catch((thrown: unknown) => thrown)) as VaultError;
      expect([call, healthOf(bad), healthOf(bad === 'one' ? 'two' : 'one')]).toEqual([call, 'failing', 'connected']);
      // Where its maker failed it is made anew, which a sealed cluster cannot do without it.
      expect(error.message).toContain(bad === 'one' ? 'not all of its tokens' : 'token `two` reports a fault');
      expect([objectsOf('one'), objectsOf('two')].flat().filter((id) => id.startsWith('key'))).toEqual([]);
    }
  });

  it('is made in another token where its maker fails before any other has it', async () => {
    await makeCluster();
    tokens.before((asked) => (asked.call === 'wrapOut' && asked.label === 'one' ? Promise.reject(broken()) : undefined));
    for (let i = 0; i < 3; i += 1) await create(`key${String(i)}`);
    expect([healthOf('one'), healthOf('two')]).toEqual(['failing', 'connected']);
    expect(objectsOf('two').filter((id) => id.startsWith('key')).length).toBe(3);
  });
});

describe('two levellings at once', () => {
  it('make each copy once, and the second finds nothing left', async () => {
    await makeCluster();
    for (let i = 0; i < 5; i += 1) makeKey(`a${String(i)}`, 'one');
    tokens.before(({ call }) => (call === 'encrypt' ? new Promise((resolve) => { setTimeout(resolve, 5); }) : undefined));
    const answers = (await Promise.all([request('hardware:LevelCluster', { CustomKeyStoreId: STORE }), request('hardware:LevelCluster', { CustomKeyStoreId: STORE })])) as { readonly Made: number; readonly Left: readonly unknown[] }[];
    expect(answers.map(({ Made, Left }) => [Made, Left])).toEqual([[5, []], [0, []]]);
    expect(objectsOf('two').filter((id) => /^a\d/.test(id) && id.length < 8)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
  });

  it('one that waits can be cancelled', async () => {
    await makeCluster();
    makeKey('a0', 'one');
    let go: (() => void) | undefined;
    tokens.before(({ call }) => (call === 'wrapOut' ? new Promise((resolve) => { go = resolve; }) : undefined));
    const first = request('hardware:LevelCluster', { CustomKeyStoreId: STORE });
    const controller = new AbortController();
    const second = request('hardware:LevelCluster', { CustomKeyStoreId: STORE }, { signal: controller.signal });
    second.catch(() => undefined);
    await expect.poll(() => go).toBeDefined();
    controller.abort(new Error('cancelled'));
    await expect(second).rejects.toThrow('cancelled');
    go?.();
    expect(await first).toMatchObject({ Made: 1 });
  });
});

describe('sealing that runs again', () => {
  it('seals a key that was made meanwhile', async () => {
    await makeCluster();
    makeKey('a1', 'one', 'two');
    await request('hardware:SealCluster', { CustomKeyStoreId: STORE, Confirm: 'store' }, { meanwhile: [() => { makeKey('a2', 'one', 'two'); }] });
    expect(cluster().sealed).toBe(1);
    for (const label of ['one', 'two']) for (const id of ['a1', 'a2']) expect(tokens.token(label).objects.get(id)).toMatchObject({ extractable: false });
  });
});

describe('levelling that runs again', () => {
  it('forgets the deleted keys that it removed, and none that was deleted meanwhile', async () => {
    await makeCluster();
    makeKey('a2', 'one', 'two');
    tokens.token('two').objects.set('a1', { kind: 'key', extractable: true });
    put({ ...stored(), cluster: { ...cluster(), gone: ['a1'] } });
    await request('hardware:LevelCluster', { CustomKeyStoreId: STORE }, { meanwhile: [() => { keys = []; put({ ...stored(), cluster: { ...cluster(), gone: ['a1', 'a2'] } }); }] });
    expect([cluster().gone, objectsOf('two').includes('a1')]).toEqual([['a2'], false]);
    await request('hardware:LevelCluster', { CustomKeyStoreId: STORE });
    expect([cluster().gone, objectsOf('one').includes('a2'), objectsOf('two').includes('a2')]).toEqual([[], false, false]);
  });
});
