/** `hardware:` handlers of joins that were cut off, which are the clock's own: a join is written down before it begins, and what it left is taken back. */
import { VaultError } from '../../shared/model/errors.ts';
import { answering, heldBy } from '../hardware/cluster-keys.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { KEY_STORES, MODULES, tokensOf, type KeyStoreRecord, type TokenRecord } from '../hardware/kinds.ts';
import { clusterIdOf, labelOfStore, objectUri } from '../hardware/token-names.ts';
import { isSameToken, takeBack, tokenAt, withJoin, withoutTaken, type TakenBack } from '../hardware/unfinished.ts';
import { keysIn, keyStoresIn, storeOf, type Stored } from './kms-key-stores.ts';
import { once } from './once.ts';
import type { HandlersOf } from './rights.ts';

/** The trail's record has room for these. */
const MOST_NAMED = 40;

/** A token that a module of this vault shows, and that somebody is logged in to. */
async function placeOf(hardware: Hardware, reader: Stored, { module: path, serial, label }: TokenRecord): Promise<Place | undefined> {
  const module = await reader.of(MODULES).get(path);
  const place: Place | undefined = module && { module, token: { serial, label } };
  return place && (await hardware.isLoggedIn(place)) ? place : undefined;
}

/** Keys of other key stores that this token holds, through whichever module: CKA_IDs. */
async function keysElsewhere(reader: Stored, own: KeyStoreRecord, guest: TokenRecord | undefined): Promise<ReadonlySet<string>> {
  const stores = (await keyStoresIn(reader)).filter((store) => store.id !== own.id && guest && tokensOf(store).some((token) => clusterIdOf(token) === clusterIdOf(guest)));
  return new Set((await Promise.all(stores.map(({ id }) => keysIn(reader, id)))).flat().flatMap(({ hardware }) => (hardware ? [hardware.id] : [])));
}

/** Which of these keys a token of the cluster holds that answers now. */
async function heldByMembers(hardware: Hardware, store: KeyStoreRecord, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const held = await Promise.all(answering({ hardware, store }).map((place) => heldBy(hardware, place, ids, false).catch(() => [])));
  return new Set(held.flatMap((one) => [...one]));
}

/** Key stores of which a join that was cut off may have left something on this token. */
export const storesWithRemains = async (reader: Stored, place: Place): Promise<readonly string[]> =>
  (await keyStoresIn(reader)).filter(({ unfinished = [] }) => unfinished.some(({ tokens }) => tokens.some((one) => isSameToken(one, tokenAt(place))))).map(({ id }) => id);

export const hardwareJoinHandlers = (now: () => Hardware): Pick<HandlersOf<'hardware'>, 'hardware:BeginJoin' | 'hardware:TakeBackJoins'> => ({
  'hardware:BeginJoin': async (input, _call, { writer }) => {
    const store = await storeOf(writer, input.CustomKeyStoreId);
    const begun = now().underWay.get(input.Join);
    if (begun?.store !== store.id) throw new VaultError('KMSInvalidStateException', `no such join of key store \`${store.name}\` is under way`);
    writer.of(KEY_STORES).update(withJoin(store, begun.join));
    return {};
  },

  'hardware:TakeBackJoins': async (input, call, { writer }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    const taken = await once(call, () =>
      hardware.joins.take(store.id, call.signal, async () => {
        const all: TakenBack[] = [];
        // What a join under way puts there is no remains, and it may put there again what an earlier one left.
        if ([...hardware.underWay.values()].some((one) => one.store === store.id)) return all;
        // Nothing is copied to a first guest. An adopted key's id is whatever somebody chose, on any token: such a key is in no cluster.
        const keys = store.cluster ? (await keysIn(writer, store.id)).flatMap(({ hardware: at }) => (at && at.adopted !== true ? [at.id] : [])) : [];
        for (const join of store.unfinished ?? []) {
          all.push(...(await takeBack({ hardware, join, keys, elsewhere: (ids) => heldByMembers(hardware, store, ids), others: await keysElsewhere(writer, store, join.guest), placeOf: (token) => placeOf(hardware, writer, token) })));
        }
        return all;
      }),
    );
    const removed = taken.flatMap((one) => one.removed);
    for (const { place, id } of removed.slice(0, MOST_NAMED)) call.touched(objectUri(place.token, id, labelOfStore(store.id)));
    const changed = withoutTaken(store, taken);
    if (taken.length > 0) writer.of(KEY_STORES).update(changed);
    return { Removed: removed.length, Left: [...new Set((changed.unfinished ?? []).flatMap(({ tokens }) => tokens.map(clusterIdOf)))] };
  },
});
