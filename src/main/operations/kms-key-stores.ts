/** `kms:` handlers of custom key stores. What is stored is a name and a token's; whether it is connected lives in memory. */
import { seconds } from '../../shared/api/operation.ts';
import { counted } from '../../shared/model/counted.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { clusterIdOf } from '../hardware/token-names.ts';
import { assertStore } from '../hardware/connection.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { KEY_STORES, MODULES, tokensOf, type KeyStoreRecord, type ModuleRecord, type TokenRecord } from '../hardware/kinds.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import { hex } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import type { Reader } from '../store/port.ts';
import type { JoinNotes } from '../hardware/unfinished.ts';
import { forgetPinOf } from './sealed-pin.ts';
import { once } from './once.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'CreateCustomKeyStore' | 'ConnectCustomKeyStore' | 'DisconnectCustomKeyStore' | 'DescribeCustomKeyStores' | 'UpdateCustomKeyStore' | 'DeleteCustomKeyStore';
export type Stored = Pick<Reader, 'of' | 'keys'>;

const MOST_STORES = 10;

/** CustomKeyStoreNotFoundException. */
export async function storeOf(reader: Stored, id: string): Promise<KeyStoreRecord> {
  const store = await reader.of(KEY_STORES).get(id);
  if (!store) throw new VaultError('CustomKeyStoreNotFoundException', `key store \`${id}\` does not exist; list what does with \`keystead kms describe-custom-key-stores\``);
  return store;
}

/** Where a store's token is. CloudHsmClusterInvalidConfigurationException when its module was removed. */
export async function placeOfStore(reader: Stored, store: KeyStoreRecord, token: TokenRecord = store): Promise<Place> {
  const module = await reader.of(MODULES).get(token.module);
  if (!module) throw new VaultError('CloudHsmClusterInvalidConfigurationException', `key store \`${store.name}\` is in module \`${token.module}\`, which was removed; add it again with \`keystead hardware add-module\``);
  return { module, token: { serial: token.serial, label: token.label } };
}

/** Where each of a store's tokens is. */
export const placesOfStore = (reader: Stored, store: KeyStoreRecord): Promise<readonly Place[]> => Promise.all(tokensOf(store).map((token) => placeOfStore(reader, store, token)));

export async function modulesOf(reader: Stored): Promise<readonly ModuleRecord[]> {
  return Array.from(await reader.of(MODULES).entries(), ([, module]) => module).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Modules that are asked for a token: those that a key store, or a login since unlock, names it in; otherwise all. A module that says that
 * it has the token, too, is then not asked, and gets no PIN.
 */
async function modulesFor(hardware: Hardware, reader: Stored, fits: (token: Place['token']) => boolean, only: string | undefined): Promise<readonly ModuleRecord[]> {
  if (only !== undefined) {
    const module = await reader.of(MODULES).get(only);
    if (!module) throw new VaultError('NotFoundException', `module \`${only}\` was not added; see \`keystead hardware list-modules\``);
    return [module];
  }
  const named = new Set<string>();
  for (const [, store] of await reader.of(KEY_STORES).entries()) for (const { module, serial, label } of tokensOf(store)) if (fits({ serial, label })) named.add(module);
  for (const { path, token } of await hardware.logins()) if (fits(token)) named.add(path);
  const all = await modulesOf(reader);
  return named.size === 0 ? all : all.filter(({ path }) => named.has(path));
}

/** What is thrown for no token, and for more than one. */
export interface Missed {
  readonly none: () => VaultError;
  readonly many: () => VaultError;
}

/** The one token of which this is true. `forPin`: what is found is given a PIN, so every module that might have it has to answer first. `only`: the path of the module that its owner named. */
export async function findToken(hardware: Hardware, reader: Stored, fits: (token: Place['token']) => boolean, { none, many }: Missed, forPin: boolean, only?: string): Promise<Place> {
  const places: Place[] = [];
  const failures: VaultError[] = [];
  const modules = await modulesFor(hardware, reader, fits, only);
  // A token that came since its module was loaded is seen the second time.
  for (const fresh of [false, true]) {
    if (places.length > 0) break;
    failures.length = 0;
    for (const module of modules) {
      try {
        for (const { serial, label, initialized } of await hardware.tokens(module, { fresh })) if (initialized && fits({ serial, label })) places.push({ module, token: { serial, label } });
      } catch (error) {
        if (!(error instanceof VaultError) || error.code === 'VaultLockedException') throw error;
        failures.push(error);
      }
    }
  }
  const [place] = places;
  const [failure] = failures;
  // A module that cannot be loaded may be the one that has it.
  if (!place) throw failure ?? none();
  if (places.length > 1) throw many();
  if (forPin && failure) throw new VaultError(failure.code, `${failure.message}; until it answers, or is removed with \`keystead hardware remove-module\`, no PIN is given to a token that only another module shows`);
  return place;
}

export const byCluster = (hardware: Hardware, reader: Stored, clusterId: string, forPin: boolean): Promise<Place> =>
  findToken(
    hardware,
    reader,
    (token) => clusterIdOf(token) === clusterId,
    {
      none: () => new VaultError('CloudHsmClusterNotFoundException', `no token is known as \`${clusterId}\`; see \`keystead hardware list-tokens\``),
      many: () => new VaultError('CloudHsmClusterInvalidConfigurationException', `two tokens are known as \`${clusterId}\`, by one serial number and label; remove one of them, or a module that shows the same token twice`),
    },
    forPin,
  );

async function allKeys(reader: Stored): Promise<readonly KeyRecord[]> {
  const all: KeyRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await reader.keys({ limit: 1000, ...(after === undefined ? {} : { after }) });
    all.push(...page.items);
    if (page.next === undefined) return all;
    after = page.next;
  }
}

/** Every key of this vault that this store's token holds. */
export const keysIn = async (reader: Stored, storeId: string): Promise<readonly KeyRecord[]> => (await allKeys(reader)).filter(({ hardware }) => hardware?.store === storeId);

export const keyStoresIn = async (reader: Stored): Promise<readonly KeyStoreRecord[]> => Array.from(await reader.of(KEY_STORES).entries(), ([, store]) => store);

const sorted = async (reader: Stored): Promise<readonly KeyStoreRecord[]> => [...(await keyStoresIn(reader))].sort((a, b) => (a.id < b.id ? -1 : 1));

/** Logs in to a token with its PIN that is sealed in this vault. IncorrectPinException where it is refused, or is not to be given. */
export type GiveSealedPin = (place: Place) => Promise<void>;

/** Looks for keys on a connected store’s tokens that were never recorded. */
export type Found = (hardware: Hardware, reader: Stored, store: KeyStoreRecord, vaultId: string) => Promise<void>;

export const kmsKeyStoreHandlers = (now: () => Hardware, random: Random, giveSealedPin: GiveSealedPin, found: Found, joins: Pick<JoinNotes, 'takeBack'>): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:CreateCustomKeyStore': async (input, call, { writer }) => {
    const hardware = now();
    if (input.CloudHsmClusterId === undefined) return call.fail('ValidationException', '`CloudHsmClusterId` must be given: the token, as `keystead hardware list-tokens` shows it');
    const others = await sorted(writer);
    if (others.some(({ name }) => name === input.CustomKeyStoreName)) return call.fail('CustomKeyStoreNameInUseException', `key store \`${input.CustomKeyStoreName}\` exists; choose another name`);
    if (others.length >= MOST_STORES) return call.fail('LimitExceededException', `there are ${String(MOST_STORES)} key stores, which is the limit; delete one with \`keystead kms delete-custom-key-store\``);
    const { CloudHsmClusterId: clusterId, KeyStorePassword: pin } = input;
    const user = others.find((one) => tokensOf(one).some((token) => clusterIdOf(token) === clusterId));
    if (user) return call.fail('CloudHsmClusterInUseException', `the token is used by key store \`${user.name}\` already; choose another token`);
    const place = await once(call, async () => {
      const found = await byCluster(hardware, writer, clusterId, pin !== undefined);
      if (pin) await hardware.login(found, pin);
      return found;
    });
    const { serial, label } = place.token;
    const id = `cks-${hex(random.bytes(9)).slice(0, 17)}`;
    writer.of(KEY_STORES).insert({ id, name: input.CustomKeyStoreName, module: place.module.path, serial, label, created: call.at });
    return { CustomKeyStoreId: id };
  },

  'kms:ConnectCustomKeyStore': async (input, call, { writer, vaultId }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    await once(call, async () => {
      await hardware.connect(store, await placesOfStore(writer, store), giveSealedPin);
      if (store.unfinished) await joins.takeBack(store.id);
      await found(hardware, writer, store, vaultId);
    });
    return {};
  },

  'kms:DisconnectCustomKeyStore': async (input, call, { writer }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    await once(call, () => hardware.disconnect(store));
    return {};
  },

  'kms:DescribeCustomKeyStores': async (input, call, { reader }) => {
    const hardware = now();
    const { CustomKeyStoreId: id, CustomKeyStoreName: name, Limit: limit, Marker: marker } = input;
    if (id !== undefined && name !== undefined) return call.fail('ValidationException', 'give `CustomKeyStoreId` or `CustomKeyStoreName`, not both');
    const all = (await sorted(reader)).filter((store) => (id === undefined || store.id === id) && (name === undefined || store.name === name));
    if (all.length === 0 && (id !== undefined || name !== undefined)) return call.fail('CustomKeyStoreNotFoundException', `key store \`${id ?? name ?? ''}\` does not exist; leave the name out to list what does`);
    if (marker !== undefined && !all.some((store) => store.id === marker)) return call.fail('InvalidMarkerException', '`Marker` is not one that this operation gave; begin without it');
    const rest = marker === undefined ? all : all.slice(all.findIndex((store) => store.id === marker) + 1);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      CustomKeyStores: page.map((store) => {
        const { state, error } = hardware.connection(store.id);
        return {
          CustomKeyStoreId: store.id,
          CustomKeyStoreName: store.name,
          CloudHsmClusterId: clusterIdOf(store),
          ConnectionState: state,
          ...(error === undefined ? {} : { ConnectionErrorCode: error }),
          CreationDate: seconds(store.created),
          CustomKeyStoreType: 'AWS_CLOUDHSM' as const,
        };
      }),
      Truncated: rest.length > page.length,
      ...(rest.length > page.length && last ? { NextMarker: last.id } : {}),
    };
  },

  'kms:UpdateCustomKeyStore': async (input, call, { writer }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'change');
    const { NewCustomKeyStoreName: name = store.name, CloudHsmClusterId: clusterId, KeyStorePassword: pin } = input;
    if ((await sorted(writer)).some((other) => other.id !== store.id && other.name === name)) return call.fail('CustomKeyStoreNameInUseException', `key store \`${name}\` exists; choose another name`);
    if (clusterId !== undefined && clusterId !== clusterIdOf(store) && store.cluster) return call.fail('CloudHsmClusterNotRelatedException', `key store \`${store.name}\` spans several tokens; change them with \`keystead hardware add-token-to-key-store\` and \`keystead hardware remove-token-from-key-store\``);
    // Nobody can tell from outside that another token holds the same keys, but by each of them.
    if (clusterId !== undefined && clusterId !== clusterIdOf(store) && (await keysIn(writer, store.id)).length > 0) return call.fail('CloudHsmClusterNotRelatedException', `key store \`${store.name}\` has keys in token \`${store.label}\`; a token of other keys cannot take its place`);
    const place = await once(call, async () => {
      const found = clusterId === undefined || clusterId === clusterIdOf(store) ? await placeOfStore(writer, store) : await byCluster(hardware, writer, clusterId, pin !== undefined);
      if (pin) await hardware.login(found, pin, { again: true });
      return found;
    });
    writer.of(KEY_STORES).update({ ...store, name, module: place.module.path, serial: place.token.serial, label: place.token.label });
    if (clusterIdOf(place.token) !== clusterIdOf(store)) await forgetPinOf(writer, store);
    return {};
  },

  'kms:DeleteCustomKeyStore': async (input, call, { writer }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'change');
    const keys = await keysIn(writer, store.id);
    if (keys.length > 0) return call.fail('CustomKeyStoreHasCMKsException', `key store \`${store.name}\` has ${counted(keys.length, 'key')}; schedule their deletion first with \`keystead kms schedule-key-deletion\`, and wait until they are gone`);
    writer.of(KEY_STORES).remove(store.id);
    for (const token of tokensOf(store)) await forgetPinOf(writer, token);
    return {};
  },
});
