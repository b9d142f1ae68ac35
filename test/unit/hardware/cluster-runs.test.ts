/** What is done to the tokens of a cluster by a request whose unit of work runs again, or fails after the tokens have done their part. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY_STORES, MODULES, type ClusterRecord, type KeyStoreRecord } from '../../../src/main/hardware/kinds.ts';
import { clusterIdOf } from '../../../src/main/hardware/token-names.ts';
import type { KeyRecord } from '../../../src/main/keyring/ports.ts';
import { hardwareClusterHandlers } from '../../../src/main/operations/hardware-cluster.ts';
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

type Handlers = ReturnType<typeof hardwareClusterHandlers>;
/**
 * As `createExecute` and the store have it: each run on the rows as they are then, the last one's kept. `meanwhile`: what others commit
 * after each run but the last; `commit` may fail.
 */
async function request(name: keyof Handlers, input: object, { meanwhile = [], commit = () => undefined, signal = new AbortController().signal }: { readonly meanwhile?: readonly (() => void)[]; readonly commit?: () => void; readonly signal?: AbortSignal } = {}): Promise<unknown> {
  const handler = hardwareClusterHandlers(() => tokens.hardware, systemRandom)[name] as unknown as (input: object, call: object, rights: object) => Promise<unknown>;
  const call = { at: instant(1), signal, progress: () => undefined, fail: (code: ErrorCode, message: string) => { throw new VaultError(code, message); } };
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
    let value: unknown;
    try {
      value = await handler(input, call, { writer: writerOf(own), realm: { region: 'local' }, afterwards: (act: () => unknown) => { afterwards.push(act); }, undone: (act: (again: boolean) => unknown) => { undo.push(act); } });
      if (run === meanwhile.length) commit();
    } catch (error) {
      if (run === meanwhile.length) {
        await takeBack(false);
        throw error;
      }
    }
    if (run < meanwhile.length) {
      meanwhile[run]?.();
      continue;
    }
    rows = own;
    for (const act of afterwards) await act();
    return value;
  }
}

const add = (label: string, how: Parameters<typeof request>[2] = {}): Promise<unknown> => request('hardware:AddTokenToKeyStore', { CustomKeyStoreId: STORE, CloudHsmClusterId: idOf(label), Pin: pin(), SecurityOfficerPin: pin(), MemberSecurityOfficerPin: pin(), LastTry: false }, how);

async function connect(label: string): Promise<void> {
  const place = at(label);
  put({ id: STORE, name: 'store', module: place.module.path, serial: place.token.serial, label, created: instant(0) });
  await tokens.hardware.login(place, pin());
  await tokens.hardware.connect(stored(), [place]);
}
async function makeCluster(): Promise<void> {
  await connect('one');
  await add('two');
}
/** A key of the store, in these tokens. */
function makeKey(id: string, ...labels: readonly string[]): void {
  keys.push({ keyId: keyIdFrom(systemRandom.bytes(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['00'], origin: 'AWS_CLOUDHSM', hardware: { store: STORE, id } });
  for (const label of labels) tokens.token(label).objects.set(id, { kind: 'key', extractable: true });
}

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
