/**
 * Every operation that names a key, against every state that a key of the vault's own can be in, on a real vault. What holds of keys in custom
 * key stores, Unavailable among it, is asked of a real token: test/interop/token-key-states.
 */
import { expect, it } from 'vitest';
import { Hardware } from '../../src/main/hardware/hardware.ts';
import { createSoftwareBackend } from '../../src/main/backends/software.ts';
import type { Call } from '../../src/main/kernel/handler.ts';
import { NO_RESOURCE } from '../../src/main/kernel/resolve.ts';
import type { StoredState } from '../../src/main/keyring/ports.ts';
import { UsageTracker } from '../../src/main/keyring/usage.ts';
import { register, type HandlerPorts } from '../../src/main/operations/register.ts';
import { createResolve } from '../../src/main/operations/resolvers.ts';
import { systemRandom } from '../../src/main/platform/random.ts';
import { NAMES, OPERATIONS, type Name } from '../../src/shared/api/index.ts';
import type { Operation } from '../../src/shared/api/operation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, type Realm } from '../../src/shared/model/ids.ts';
import { createVault, record, SETTINGS, type TestVault } from '../unit/store/vault.ts';
import { AES, secret, STATES, TABLE, type Made, type Row } from './key-state-table.ts';

const REALM: Realm = { account: SETTINGS.account, region: SETTINGS.region };
const NO_HARDWARE = new Hardware({ startHost: () => { throw new Error('no module here'); }, uid: 0, now: () => instant(0), changed: () => undefined });
const handlers = register({ hardware: () => NO_HARDWARE, control: { vault: {} }, vaults: {}, trail: {}, access: {}, window: {}, remotePorts: {}, random: systemRandom, usage: new UsageTracker(() => 0) } as unknown as HandlerPorts);

async function ask(vault: TestVault, name: Name, input: object): Promise<Record<string, unknown>> {
  const registered = handlers.get(name);
  if (!registered) throw new Error(name);
  const operation: Operation = registered.operation;
  const parsed = operation.input.parse(input) as Record<string, unknown>;
  const keys = createSoftwareBackend({ sealer: vault.sealer, random: systemRandom, material: (id) => vault.store.reader.material(id) });
  const resolve = createResolve(() => ({ realm: REALM, reader: vault.store.reader, keys, now: instant(SETTINGS.created), isConnected: () => false }));
  const find = async (rule: Operation['resource']) => (rule ? resolve(rule, parsed, undefined) : NO_RESOURCE);
  const [resource, destination] = [await find(operation.resource), await find(operation.destination)];
  for (const { missing } of [resource, destination]) if (missing) throw missing;
  const fail = (code: 'ValidationException', message: string): never => {
    throw new VaultError(code, message);
  };
  const call = { at: instant(SETTINGS.created), resource, destination, signal: new AbortController().signal, allows: () => true, touched: () => undefined, uses: [], used: () => undefined, fail } as unknown as Call;
  const rights = { realm: REALM, keys, reader: vault.store.reader };
  const run = registered.handler as unknown as (input: object, call: Call, rights: object) => Promise<Record<string, unknown>>;
  if (operation.effect !== 'write') return run(parsed, call, rights);
  const { value, delivered } = await vault.store.write<Record<string, unknown>>(record(), (writer) => run(parsed, call, { ...rights, writer, afterwards: () => undefined, undone: () => undefined }));
  delivered();
  return value;
}
const codeOf = (answer: Promise<unknown>): Promise<string> => answer.then(() => 'ok', (error: unknown) => (error instanceof VaultError ? error.code : String(error)));

it('knows every operation that names a key', () => {
  const naming = NAMES.filter((name) => name.startsWith('kms:') && OPERATIONS[name].doors.some((door) => door === 'cli') && (OPERATIONS[name] as Operation).resource !== undefined);
  expect(Object.keys(TABLE).sort()).toEqual([...naming].sort());
});

it('allows and refuses in every state what AWS does', { timeout: 120_000 }, async () => {
  const vault = await createVault();
  let count = 0;
  const make = async (made: Made, state: StoredState) => {
    count += 1;
    const alias = `alias/k${String(count)}`;
    const external = state === 'PendingImport' ? { Origin: 'EXTERNAL' } : {};
    const { KeyId } = (await ask(vault, 'kms:CreateKey', { ...made, ...external, MultiRegion: true }))['KeyMetadata'] as { KeyId: string };
    await ask(vault, 'kms:CreateAlias', { AliasName: alias, TargetKeyId: KeyId });
    return { KeyId, alias };
  };
  const enter: Record<StoredState, (KeyId: string) => Promise<unknown>> = {
    Enabled: (KeyId) => ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' }),
    Disabled: (KeyId) => ask(vault, 'kms:DisableKey', { KeyId }),
    PendingImport: () => Promise.resolve(),
    PendingDeletion: (KeyId) => ask(vault, 'kms:ScheduleKeyDeletion', { KeyId }),
    PendingReplicaDeletion: async (KeyId) => {
      await ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' });
      await ask(vault, 'kms:ScheduleKeyDeletion', { KeyId });
    },
  };
  const { alias: other } = await make(AES, 'Enabled');
  const { KeyId: steady } = await make(AES, 'Enabled');
  let asked = 0;
  for (const [name, { made, input, verdicts }] of Object.entries(TABLE) as [Name, Row][]) {
    for (const [at, state] of STATES.entries()) {
      const verdict = verdicts[at];
      if (verdict === undefined) continue;
      const key = await make(made, state);
      const CiphertextBlob = made === AES && state !== 'PendingImport' ? (await ask(vault, 'kms:Encrypt', { KeyId: key.KeyId, Plaintext: secret() }))['CiphertextBlob'] : undefined;
      await enter[state](key.KeyId);
      expect([name, state, await codeOf(ask(vault, name, input({ ...key, CiphertextBlob, other, steady })))]).toEqual([name, state, verdict]);
      asked += 1;
    }
  }
  expect(asked).toBe(Object.keys(TABLE).length * STATES.length - 4);
});
