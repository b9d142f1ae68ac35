/** Step 8: gives the handler the rights of its effect; a `write` runs inside one unit of work. */
import type { VaultEvent } from '../../shared/api/events.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Call, Execute, Executed } from '../kernel/handler.ts';
import { openOrThrow, type OpenVault, type Vault } from '../vault/vault.ts';
import type { Rights } from './rights.ts';

const eventOf = (name: string): VaultEvent['event'] | undefined => {
  if (name.startsWith('secretsmanager:')) return 'secret.changed';
  if (name.startsWith('access:')) return name.endsWith('Door') ? 'settings.changed' : 'client.changed';
  if (!name.startsWith('kms:')) return undefined;
  return name.includes('Alias') ? 'alias.changed' : 'key.changed';
};

const idOf = ({ resource }: Call): { id?: string } => (resource.arn === undefined ? {} : { id: resource.arn });

type Output = Readonly<Record<string, unknown>>;

const readingRights = ({ realm, store, keys }: OpenVault): Rights['use'] => ({ realm, keys, reader: store.reader });

function reachedBy(open: OpenVault | undefined): Pick<Executed, 'reached'> {
  if (!open || open.problem !== undefined) return {};
  const { epoch, headerEpoch } = open.store.state;
  return { reached: { epoch, headerEpoch } };
}

export const createExecute =
  (vault: Vault): Execute =>
  async ({ operation, handler }, input, call, outcome) => {
    const run = async (rights: object): Promise<Output> => (await handler(input, call, rights as never)) as Output;
    if (operation.effect !== 'write') {
      // `vault:Status` and the like have no open vault to read from, and ask for none.
      const output = await run(vault.open ? readingRights(vault.open) : {});
      return operation.effect === 'control' ? { output, ...reachedBy(vault.open) } : { output };
    }
    const open = openOrThrow(vault);
    if (!call.intent) throw new VaultError('TrailUnavailableException', 'the trail is not open, so nothing may be changed; restart the vault');
    const { value, outcome: body, delivered } = await open.store.write<Output>({ intent: call.intent, outcome: (_value, epoch) => outcome(epoch) }, (writer) => run({ ...readingRights(open), writer }));
    // The unit is committed: a sealer that stops now must not turn it into a failure. The next unlock reads them anew.
    open.settings = await open.store.reader.settings().catch(() => open.settings);
    const event = eventOf(operation.name);
    if (event) vault.ports.emit({ event, ...idOf(call) });
    return { output: value, committed: { outcome: body, delivered } };
  };
