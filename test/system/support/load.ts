/**
 * A random write load whose every outcome is known. Lanes run side by side, each with keys and aliases of its own and one call at
 * a time, so that after a kill each lane is either as it was before its last call or as that call would have left it.
 */
import type { Chance } from './chance.ts';
import { base64, type Answer, type Client, type Json } from './client.ts';
import { PASSWORD } from './make-vault.ts';

export interface KeyModel {
  readonly spec: string;
  readonly revision: number;
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

/** By name. A key's name is the beginning of its description. */
export interface LaneModel {
  readonly keys: Readonly<Record<string, KeyModel>>;
  readonly aliases: Readonly<Record<string, string>>;
}

/** `recovery`: a slot's id, `none`, or `new` for one whose id nobody was told. */
export interface VaultModel {
  readonly name: string;
  readonly minutes: number;
  readonly recovery: string;
}

interface Step<T> {
  readonly operation: string;
  readonly input: Json;
  readonly after: T;
  /** What the answer adds to `after`. */
  readonly learned?: (output: Json) => T;
}

/** `pending`: what an unanswered call would have led to. */
export interface Lane<T> {
  known: T;
  pending: T | undefined;
  readonly next: (chance: Chance, known: T) => Step<T> | undefined;
}

const proof = { Password: base64(PASSWORD) };
const MOST_KEYS = 10;
const SPECS = ['HMAC_256', 'HMAC_256', 'SYMMETRIC_DEFAULT', 'ECC_NIST_P256', 'ECC_NIST_EDWARDS25519'];

/** Ids of keys by name, for all lanes. */
export type Ids = Map<string, string>;

const describe = (name: string, { spec, revision }: KeyModel): string => `${name}/${spec}/${String(revision)}`;

export function keyLane(lane: string, ids: Ids): Lane<LaneModel> {
  let made = 0;
  const next = (chance: Chance, { keys, aliases }: LaneModel): Step<LaneModel> | undefined => {
    const names = Object.keys(keys);
    const usable = names.filter((name) => keys[name]?.state !== 'PendingDeletion');
    const create = (): Step<LaneModel> => {
      made += 1;
      const name = `${lane}-${String(made)}`;
      const key: KeyModel = { spec: chance.pick(SPECS), revision: 0, state: 'Enabled' };
      const after = { keys: { ...keys, [name]: key }, aliases };
      return {
        operation: 'kms:CreateKey',
        input: { KeySpec: key.spec, Description: describe(name, key) },
        after,
        learned: (output) => {
          ids.set(name, String((output['KeyMetadata'] as Json)['KeyId']));
          return after;
        },
      };
    };
    if (usable.length === 0 || (names.length < MOST_KEYS && chance.fraction() < 0.25)) return names.length < MOST_KEYS ? create() : change(chance.pick(names));
    return chance.fraction() < 0.35 ? alias() : change(chance.pick(names));

    function change(name: string): Step<LaneModel> {
      const key = keys[name] as KeyModel;
      const input = { KeyId: ids.get(name) };
      const to = (operation: string, changed: Partial<KeyModel>, more: Json = {}): Step<LaneModel> => ({ operation, input: { ...input, ...more }, after: { aliases, keys: { ...keys, [name]: { ...key, ...changed } } } });
      if (key.state === 'PendingDeletion') return to('kms:CancelKeyDeletion', { state: 'Disabled' });
      if (chance.fraction() < 0.15) return to('kms:ScheduleKeyDeletion', { state: 'PendingDeletion' }, { PendingWindowInDays: 7 });
      if (chance.fraction() < 0.4) return key.state === 'Enabled' ? to('kms:DisableKey', { state: 'Disabled' }) : to('kms:EnableKey', { state: 'Enabled' });
      const revision = key.revision + 1;
      return to('kms:UpdateKeyDescription', { revision }, { Description: describe(name, { ...key, revision }) });
    }

    function alias(): Step<LaneModel> {
      const target = chance.pick(usable);
      const own = Object.keys(aliases).filter((name) => keys[aliases[name] ?? '']?.state !== 'PendingDeletion');
      const taken = own.find((name) => keys[aliases[name] ?? '']?.spec === keys[target]?.spec);
      if (own.length > 4) {
        const { [own[0] ?? '']: _gone, ...rest } = aliases;
        return { operation: 'kms:DeleteAlias', input: { AliasName: own[0] }, after: { keys, aliases: rest } };
      }
      if (taken !== undefined && chance.fraction() < 0.5) {
        return { operation: 'kms:UpdateAlias', input: { AliasName: taken, TargetKeyId: ids.get(target) }, after: { keys, aliases: { ...aliases, [taken]: target } } };
      }
      made += 1;
      const name = `alias/${lane}-${String(made)}`;
      return { operation: 'kms:CreateAlias', input: { AliasName: name, TargetKeyId: ids.get(target) }, after: { keys, aliases: { ...aliases, [name]: target } } };
    }
  };
  return { known: { keys: {}, aliases: {} }, pending: undefined, next };
}

export function vaultLane(): Lane<VaultModel> {
  let made = 0;
  const next = (chance: Chance, known: VaultModel): Step<VaultModel> => {
    const dice = chance.fraction();
    if (dice < 0.25 && known.recovery !== 'none' && known.recovery !== 'new') {
      return { operation: 'vault:RemoveSlot', input: { SlotId: known.recovery, How: 'retired', ...proof }, after: { ...known, recovery: 'none' } };
    }
    if (dice < 0.5) {
      const after = { ...known, recovery: 'new' };
      return { operation: 'vault:AddSlot', input: { Type: 'recovery', ...proof }, after, learned: (output) => ({ ...after, recovery: String((output['Slot'] as Json)['SlotId']) }) };
    }
    made += 1;
    const [name, minutes] = [`name ${String(made)}`, 100 + chance.below(1000)];
    return { operation: 'vault:UpdateSettings', input: { Name: name, AutoLockMinutes: minutes }, after: { ...known, name, minutes } };
  };
  return { known: { name: 'test', minutes: 15, recovery: 'none' }, pending: undefined, next };
}

/** Codes of a call that was cut off by the end of the sealer: as good as no answer. */
const CUT_OFF: ReadonlySet<string> = new Set(['SealerStoppedException', 'VaultLockedException']);

/** Calls until the vault goes away or `stopped`. Resolves with the number of acknowledged writes; rejects on any answer but the expected. */
export async function run<T>(lane: Lane<T>, client: Client, chance: Chance, stopped: () => boolean): Promise<number> {
  for (let done = 0; ; done += 1) {
    const step = stopped() ? undefined : lane.next(chance, lane.known);
    if (!step) return done;
    lane.pending = step.after;
    const answer: Answer | undefined = await client.call(step.operation, step.input).catch(() => undefined);
    if (!answer) return done;
    if (!answer.ok) {
      if (CUT_OFF.has(answer.error.code)) return done;
      throw new Error(`${step.operation} ${JSON.stringify(step.input)}: ${answer.error.code}: ${answer.error.message}`);
    }
    lane.known = step.learned ? step.learned(answer.output) : step.after;
    lane.pending = undefined;
  }
}

const sorted = (record: Readonly<Record<string, unknown>>): unknown => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
const textOf = ({ keys, aliases }: LaneModel): string => JSON.stringify([sorted(keys), sorted(aliases)]);

/** Takes what is there for what is known. Throws when it is neither what was known nor what was pending. True: the pending call had been carried out. */
export function settleKeys(lane: Lane<LaneModel>, name: string, actual: LaneModel): boolean {
  const { known, pending } = lane;
  const found = textOf(actual);
  const applied = pending !== undefined && found === textOf(pending);
  if (!applied && found !== textOf(known)) {
    throw new Error(`lane ${name}\n  is      ${found}\n  was     ${textOf(known)}\n  pending ${pending ? textOf(pending) : 'nothing'}`);
  }
  lane.known = actual;
  lane.pending = undefined;
  return applied;
}

export function settleVault(lane: Lane<VaultModel>, actual: VaultModel): boolean {
  const { known, pending } = lane;
  const like = (model: VaultModel | undefined): boolean => {
    if (model?.name !== actual.name || model.minutes !== actual.minutes) return false;
    return model.recovery === 'new' ? actual.recovery !== 'none' && actual.recovery !== known.recovery : model.recovery === actual.recovery;
  };
  const applied = like(pending);
  if (!applied && !like(known)) throw new Error(`settings and slots are ${JSON.stringify(actual)}, were ${JSON.stringify(known)}, pending ${JSON.stringify(pending)}`);
  lane.known = actual;
  lane.pending = undefined;
  return applied;
}

/** Everything in the vault, by lane. */
export async function readKeys(client: Client, ids: Ids): Promise<ReadonlyMap<string, LaneModel>> {
  const keyIds: string[] = [];
  for (let marker: unknown; ; ) {
    const page = await client.ok('kms:ListKeys', { Limit: 1000, ...(marker === undefined ? {} : { Marker: marker }) });
    keyIds.push(...(page['Keys'] as readonly Json[]).map((key) => String(key['KeyId'])));
    marker = page['NextMarker'];
    if (marker === undefined) break;
  }
  const lanes = new Map<string, { keys: Record<string, KeyModel>; aliases: Record<string, string> }>();
  const laneOf = (name: string) => {
    const lane = name.split('-')[0] ?? '';
    const found = lanes.get(lane) ?? { keys: {}, aliases: {} };
    lanes.set(lane, found);
    return found;
  };
  const names = new Map<string, string>();
  for (const output of await Promise.all(keyIds.map((id) => client.ok('kms:DescribeKey', { KeyId: id })))) {
    const { KeyId: id, Description: description, KeySpec: spec, KeyState: state } = output['KeyMetadata'] as Json;
    const [name = '', said, revision] = String(description).split('/');
    if (said !== spec) throw new Error(`key ${String(id)} is ${String(spec)} and was made as ${String(said)}`);
    if (names.has(String(id)) || ids.get(name) !== undefined && ids.get(name) !== id) throw new Error(`two keys are called ${name}`);
    names.set(String(id), name);
    ids.set(name, String(id));
    laneOf(name).keys[name] = { spec: String(spec), revision: Number(revision), state: state as KeyModel['state'] };
  }
  const aliases = await client.ok('kms:ListAliases', { Limit: 1000 });
  if (aliases['Truncated'] !== false) throw new Error('more aliases than this test makes');
  for (const { AliasName: alias, TargetKeyId: target } of aliases['Aliases'] as readonly Json[]) {
    const name = String(alias);
    laneOf(name.slice('alias/'.length)).aliases[name] = names.get(String(target)) ?? 'a key that is not there';
  }
  return lanes;
}

export async function readVault(client: Client): Promise<VaultModel> {
  const settings = await client.ok('vault:DescribeSettings');
  const { Slots: slots } = await client.ok('vault:ListSlots');
  const recovery = (slots as readonly Json[]).filter((slot) => slot['Type'] === 'recovery');
  if (recovery.length > 1) throw new Error('there are two recovery codes');
  return { name: String(settings['Name']), minutes: Number(settings['AutoLockMinutes']), recovery: recovery[0] ? String(recovery[0]['SlotId']) : 'none' };
}
