/**
 * Joins of a token to a key store that were cut off: by the process's end, or by lock. What one puts on tokens is noted in the key store's row
 * before any of it is there, by ids that nothing else has, so it is found again and taken off when its tokens answer.
 *
 * Defends against: a wrapping key, or what opens one, that stays on a token which never joined. Does not: take off anything by its label or its
 * looks. What is in no note stays: another vault's, another person's, and what an older state of this vault knows nothing of.
 */
import { stagingOf } from '../backends/pkcs11/protocol.ts';
import type { Random } from '../platform/ports.ts';
import { discardAll, heldBy, type Placed } from './cluster-keys.ts';
import type { Hardware, Place } from './hardware.ts';
import { idsOfJoin } from './join.ts';
import type { KeyStoreRecord, TokenRecord, UnfinishedJoin } from './kinds.ts';

/** Requests of the clock's own, made while another request is under way. */
export interface JoinNotes {
  /** `join`: the name of one that is under way. Resolves when it is written down; throws what kept it from that. */
  begin(storeId: string, clusterId: string, join: string): Promise<void>;
  /** Resolves when what could be taken back is. Never rejects: the note stays until nothing is left. */
  takeBack(storeId: string): Promise<void>;
}

export const isSameToken = (a: TokenRecord, b: TokenRecord): boolean => a.module === b.module && a.serial === b.serial && a.label === b.label;
export const tokenAt = ({ module, token }: Place): TokenRecord => ({ module: module.path, serial: token.serial, label: token.label });

/** What a join is about to put on its tokens. `keys`: CKA_IDs of the store's keys. */
export async function newJoin(hardware: Hardware, random: Random, { store, place, connected, keys }: { readonly store: KeyStoreRecord; readonly place: Place; readonly connected: readonly Place[]; readonly keys: readonly string[] }): Promise<UnfinishedJoin> {
  const theirs = (store.cluster?.members ?? []).flatMap(({ wrapper, transport }) => [wrapper, transport.id]);
  return { ids: idsOfJoin(random), tokens: [...connected, place].map(tokenAt), guest: { ...tokenAt(place), theirs, held: [...(await heldBy(hardware, place, keys, false))] } };
}

export const nameOfJoin = ({ ids }: UnfinishedJoin): string => ids[0] ?? '';

const withJoins = ({ unfinished: _, ...store }: KeyStoreRecord, joins: readonly UnfinishedJoin[]): KeyStoreRecord => (joins.length === 0 ? store : { ...store, unfinished: joins });

export const withJoin = (store: KeyStoreRecord, join: UnfinishedJoin): KeyStoreRecord => withJoins(store, [...(store.unfinished ?? []).filter((one) => nameOfJoin(one) !== nameOfJoin(join)), join]);

/** It has come to its end, and the token is a member: what an earlier one put there of the same ids is the member's now. */
export function withoutJoin(store: KeyStoreRecord, join: UnfinishedJoin): KeyStoreRecord {
  const others = (store.unfinished ?? []).filter((one) => nameOfJoin(one) !== nameOfJoin(join));
  return withJoins(store, others.map(({ guest, ...one }) => (guest && join.guest && !isSameToken(guest, join.guest) ? { ...one, guest } : one)));
}

/** What was found of a join on one of its tokens, and taken off. */
export interface TakenBack {
  readonly join: string;
  readonly token: TokenRecord;
  readonly removed: readonly Placed[];
}

/** `done`: nothing of them is on these tokens any more. */
export function withoutTaken(store: KeyStoreRecord, done: readonly TakenBack[]): KeyStoreRecord {
  const isDone = (join: UnfinishedJoin, token: TokenRecord): boolean => done.some((one) => one.join === nameOfJoin(join) && isSameToken(one.token, token));
  const joins = (store.unfinished ?? []).map((join) => ({ ...join, tokens: join.tokens.filter((token) => !isDone(join, token)) }));
  return withJoins(store, joins.filter(({ tokens }) => tokens.length > 0));
}

/**
 * `placeOf`: undefined where nobody is logged in to the token. `keys`: CKA_IDs that this vault made for the cluster's keys, and none that came with an
 * adopted one: those are anybody's. `others`: those of keys that the guest holds for another key store. `elsewhere`: which of these its members hold now.
 */
export interface Remains {
  readonly hardware: Hardware;
  readonly join: UnfinishedJoin;
  readonly placeOf: (token: TokenRecord) => Promise<Place | undefined>;
  readonly keys: readonly string[];
  readonly others: ReadonlySet<string>;
  readonly elsewhere: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** Takes off what a join has left, as far as its tokens answer; of the others nothing is said. Never rejects for a token's sake. */
export async function takeBack({ hardware, join, placeOf, keys, others, elsewhere }: Remains): Promise<readonly TakenBack[]> {
  const { ids, tokens, guest } = join;
  const taken: TakenBack[] = [];
  for (const token of tokens) {
    const place = await placeOf(token);
    if (!place) continue;
    const of = guest && isSameToken(token, guest) ? { ...guest, copies: keys.filter((id) => !guest.held.includes(id) && !others.has(id)) } : undefined;
    const own = [...ids, ...(of?.theirs ?? []), ...(of?.copies ?? [])];
    try {
      const held = await heldBy(hardware, place, own.flatMap((id) => [id, stagingOf(id)]), true);
      const there = own.filter((id) => held.has(id) || held.has(stagingOf(id)));
      // It may be the last one: an older state of the vault does not know what has become of the others.
      const copies = there.filter((id) => of?.copies.includes(id) === true);
      const safe = copies.length === 0 ? new Set<string>() : await elsewhere(copies);
      const last = new Set(copies.filter((id) => !safe.has(id)));
      const removed = there.filter((id) => !last.has(id)).map((id): Placed => ({ place, id }));
      if ((await discardAll(hardware, removed)).length === 0 && last.size === 0) taken.push({ join: nameOfJoin(join), token, removed });
    } catch {
      // It does not answer: it is looked at again when it does.
    }
  }
  return taken;
}
