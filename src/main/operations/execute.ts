/** Step 8: gives the handler the rights of its effect; a `write` runs inside one unit of work. */
import type { Operation } from '../../shared/api/operation.ts';
import type { VaultEvent } from '../../shared/api/events.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { realmIn } from '../../shared/model/ids.ts';
import type { Call, Execute, Executed } from '../kernel/handler.ts';
import { openOrThrow, type OpenVault, type Vault } from '../vault/vault.ts';
import type { UsageTracker } from '../keyring/usage.ts';
import { useOf } from '../../shared/model/key-uses.ts';
import type { Rights } from './rights.ts';

const eventOf = (name: string): VaultEvent['event'] | undefined => {
  // When something was used or read says nothing that a screen would have to be made anew for.
  if (name === 'kms:RecordKeyUsage' || name === 'secretsmanager:RecordSecretAccess') return undefined;
  if (name.startsWith('secretsmanager:')) return 'secret.changed';
  if (name.startsWith('hardware:')) return name === 'hardware:AdoptKey' || name.endsWith('Cluster') || name.endsWith('KeyStore') ? 'key.changed' : 'settings.changed';
  if (name.startsWith('access:')) return name.endsWith('Door') ? 'settings.changed' : 'client.changed';
  if (!name.startsWith('kms:')) return undefined;
  if (name.includes('CustomKeyStore')) return 'key.changed';
  return name.includes('Alias') ? 'alias.changed' : 'key.changed';
};

const idOf = ({ resource }: Call): { id?: string } => (resource.arn === undefined ? {} : { id: resource.arn });

type Output = Readonly<Record<string, unknown>>;

const readingRights = ({ realm, store, keys, info: { vaultId } }: OpenVault, region: string | undefined): Rights['use'] => ({ realm: realmIn(realm, region), vaultId, keys, reader: store.reader });

function reachedBy(open: OpenVault | undefined): Pick<Executed, 'reached'> {
  if (!open || open.problem !== undefined) return {};
  const { epoch, headerEpoch } = open.store.state;
  return { reached: { epoch, headerEpoch } };
}

/** Successful uses of keys, kept for GetKeyLastUsage: of the source and of the destination where there are two, and of what a handler has found. */
function noteUses(usage: UsageTracker, { name, effect }: Operation, { resource, destination, uses, at, requestId, intent }: Call): void {
  const use = effect === 'use' ? useOf(name) : undefined;
  const own = use === undefined ? [] : [resource, destination].flatMap(({ arn }) => (arn === undefined ? [] : [{ arn, operation: use }]));
  for (const one of [...own, ...uses]) usage.note({ ...one, at, requestId, ...(intent ? { event: intent.index } : {}) });
}

export const createExecute =
  (vault: Vault, usage: UsageTracker): Execute =>
  async ({ operation, handler }, input, call, outcome) => {
    const run = async (rights: object): Promise<Output> => (await handler(input, call, rights as never)) as Output;
    // It was so when the request came, and the trail has been written to since.
    if (operation.needs === 'unlocked') openOrThrow(vault);
    if (operation.effect !== 'write') {
      // `vault:Status` and the like have no open vault to read from, and ask for none.
      const output = await run(vault.open ? readingRights(vault.open, call.region) : {});
      noteUses(usage, operation, call);
      return operation.effect === 'control' ? { output, ...reachedBy(vault.open) } : { output };
    }
    const open = openOrThrow(vault);
    if (!call.intent) throw new VaultError('TrailUnavailableException', 'the trail is not open, so nothing may be changed; restart the vault');
    let acts: (() => unknown)[] = [];
    const undo: ((again: boolean) => unknown)[] = [];
    const takeBack = (again: boolean): readonly unknown[] => undo.splice(0).map((act) => act(again));
    const { value, outcome: body, delivered } = await open.store.write<Output>({ intent: call.intent, outcome: (_value, epoch) => outcome(epoch) }, (writer) => {
      acts = [];
      call.anew();
      takeBack(true);
      return run({ ...readingRights(open, call.region), writer, afterwards: (act: () => unknown) => { acts.push(act); }, undone: (act: (again: boolean) => unknown) => { undo.push(act); } });
    }).catch(async (error: unknown) => {
      await Promise.all(takeBack(false));
      throw error;
    });
    for (const act of acts) await act();
    noteUses(usage, operation, call);
    // The unit is committed: a sealer that stops now must not turn it into a failure. The next unlock reads them anew.
    open.settings = await open.store.reader.settings().catch(() => open.settings);
    const event = eventOf(operation.name);
    if (event) vault.ports.emit({ event, ...idOf(call) });
    return { output: value, committed: { outcome: body, delivered } };
  };
