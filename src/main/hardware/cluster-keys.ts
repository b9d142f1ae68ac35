/** Keys of a cluster: made in one token and copied to the others, brought level, sealed, removed. */
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks } from '../backends/pkcs11/mechanisms.ts';
import { MOST_LISTED } from '../backends/pkcs11/protocol.ts';
import { keySpecOf, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Attempt } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import { assertHeld, copyKey, type CopiedKey, type Route } from './copies.ts';
import type { Hardware, Place } from './hardware.ts';
import type { ClusterRecord, KeyStoreRecord, MemberRecord } from './kinds.ts';
import { planLevel, type Left, type Standing } from './level-plan.ts';
import { judge } from './health.ts';
import { answers, type LiveMember } from './live-cluster.ts';
import { samePlace } from './processes.ts';
import { clusterIdOf } from './token-names.ts';

export interface Cluster {
  readonly hardware: Hardware;
  readonly random: Random;
  readonly store: KeyStoreRecord;
  readonly record: ClusterRecord;
}

const recordAt = ({ members }: ClusterRecord, { module, token }: Place): MemberRecord | undefined => members.find((one) => one.module === module.path && one.serial === token.serial && one.label === token.label);
const liveAt = ({ hardware, store }: Cluster, record: MemberRecord): LiveMember | undefined => hardware.cluster(store.id)?.members.find(({ place }) => recordAt({ members: [record] } as unknown as ClusterRecord, place) !== undefined);

/** The tokens that answer now. */
export const answering = ({ hardware, store }: Pick<Cluster, 'hardware' | 'store'>): readonly Place[] => (hardware.cluster(store.id)?.members ?? []).filter(answers).map(({ place }) => place);

/** How a key goes from one token to another; undefined where the other does not unwrap with its wrapping key. */
export function routeOf({ record }: Pick<Cluster, 'record'>, from: Place, to: Place): Route | undefined {
  const wrapper = recordAt(record, from)?.wrapper;
  return wrapper !== undefined && recordAt(record, to)?.opens.includes(wrapper) === true ? { from, to, wrapper, mechanism: record.mechanism } : undefined;
}

/** Which of these ids a token holds; with `halves` also those of which it has a public key alone. */
export async function heldBy(hardware: Hardware, place: Place, ids: readonly string[], halves: boolean): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (let at = 0; at < ids.length; at += MOST_LISTED) {
    const { reply } = await hardware.ask(place, 'holds', { token: place.token, ids: ids.slice(at, at + MOST_LISTED), halves });
    for (const id of reply.held) held.add(id);
  }
  return held;
}

/** Where each token stands. One that does not say is as one that is not connected, and its cluster hears of it. */
export async function standingsOf(cluster: Cluster, keys: readonly string[]): Promise<readonly (Standing & { readonly member: MemberRecord })[]> {
  const { hardware, record, store } = cluster;
  const tokenOf = (wrapper: string): string[] => record.members.filter((one) => one.wrapper === wrapper).map((one) => clusterIdOf(one));
  return Promise.all(
    record.members.map(async (member) => {
      const live = liveAt(cluster, member);
      const standing = { token: clusterIdOf(member), member, reachedFrom: member.opens.flatMap(tokenOf), holds: new Set<string>() };
      if (live?.health.state !== 'connected') return { ...standing, connected: false };
      try {
        await hardware.ask(live.place, 'check', { token: live.place.token });
        return { ...standing, connected: true, holds: new Set([...(await heldBy(hardware, live.place, keys, false)), ...(await heldBy(hardware, live.place, record.gone, true))]) };
      } catch (error) {
        hardware.cluster(store.id)?.fail(live, error);
        return { ...standing, connected: false };
      }
    }),
  );
}

export interface Levelled {
  readonly made: number;
  readonly removed: number;
  readonly left: readonly (Left | { readonly token: string; readonly key?: string; readonly message: string })[];
  /** Tokens that were the cluster's. */
  readonly members: readonly string[];
  /** Of `gone`: what none of them holds any more. */
  readonly cleared: readonly string[];
}

/** An object that was put on a token. */
export interface Placed {
  readonly place: Place;
  /** CKA_ID, hex. */
  readonly id: string;
}

export interface Kept extends Placed {
  readonly reason: string;
}

/** Takes them off their tokens again. What is still there: a token that does not answer keeps what it has. Never rejects. */
export async function discardAll(hardware: Hardware, placed: readonly Placed[]): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (const { place, id } of placed) {
    try {
      await hardware.ask(place, 'discard', { token: place.token, ids: [id] });
    } catch (error) {
      kept.push({ place, id, reason: error instanceof VaultError ? error.message : 'failed' });
    }
  }
  return kept;
}

interface Levelling {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
  /** Told of each copy before it is made. */
  readonly put?: (placed: Placed) => void;
}

/** Makes what is missing and removes what is gone, one step after another. Cut off at any point, it goes on where it was. One at a time for each key store: the next one finds what is left. */
export const level = (cluster: Cluster, keys: readonly CopiedKey[], levelling: Levelling): Promise<Levelled> => cluster.hardware.levelling.take(cluster.store.id, levelling.signal, async () => {
  const { hardware, store } = cluster;
  const progress: Levelling['progress'] = (done, total) => {
    hardware.levelled.set(store.id, { done, total });
    levelling.progress(done, total);
  };
  return levelNow(cluster, keys, { ...levelling, progress }).finally(() => { hardware.levelled.delete(store.id); });
});

async function levelNow(cluster: Cluster, keys: readonly CopiedKey[], { signal, progress, put }: Levelling): Promise<Levelled> {
  const { hardware, random, record } = cluster;
  const standings = await standingsOf(cluster, keys.map(({ id }) => id));
  const { steps, left } = planLevel(keys.map(({ id }) => id), record.gone, standings);
  const places = new Map(record.members.flatMap((member) => {
    const live = liveAt(cluster, member);
    return live ? [[clusterIdOf(member), live.place] as const] : [];
  }));
  const byId = new Map(keys.map((key) => [key.id, key]));
  const failures: { token: string; key?: string; message: string }[] = [];
  let made = 0;
  let removed = 0;
  for (const [at, step] of steps.entries()) {
    signal.throwIfAborted();
    progress(at, steps.length);
    const place = places.get(step.act === 'copy' ? step.to : step.at);
    try {
      if (!place) continue;
      if (step.act === 'remove') {
        await hardware.ask(place, 'discard', { token: place.token, ids: [step.key] });
        removed += 1;
        continue;
      }
      const from = places.get(step.from);
      const route = from && routeOf(cluster, from, place);
      const key = byId.get(step.key);
      if (!route || !key) continue;
      put?.({ place, id: key.id });
      await copyKey(hardware, random, route, key);
      made += 1;
      if (record.sealed !== undefined) await hardware.ask(place, 'seal', { token: place.token, id: key.id });
    } catch (error) {
      failures.push({ token: step.act === 'copy' ? step.to : step.at, key: step.key, message: error instanceof VaultError ? error.message : 'failed' });
    }
  }
  progress(steps.length, steps.length);
  const cleared = standings.every(({ connected }) => connected) ? record.gone.filter((id) => !failures.some(({ key }) => key === id)) : [];
  return { made, removed, left: [...left, ...failures], members: record.members.map(clusterIdOf), cleared };
}

/** Makes a key in one token, another where that does not answer, and copies it to all that do. UnsupportedOperationException, KMSInvalidStateException. */
export async function generateInCluster(cluster: Cluster, request: { readonly spec: KeySpec; readonly usage: KeyUsage; readonly label: string; readonly newId: () => string }, attempted?: (attempt: Attempt) => void): Promise<{ readonly id: string; readonly publicKey?: Uint8Array }> {
  const { hardware, record, store } = cluster;
  const { spec, usage, label, newId } = request;
  if (!record.specs.includes(spec)) throw new VaultError('UnsupportedOperationException', `key store \`${store.name}\` makes no keys of \`${spec}\`: they were not seen to travel between its tokens; see \`keystead hardware describe-cluster\``);
  if (record.sealed !== undefined && answering(cluster).length < record.members.length) throw new VaultError('KMSInvalidStateException', `key store \`${store.name}\` is sealed and one of its tokens does not answer: a key that it does not get now it never gets; see \`keystead hardware describe-cluster\``);
  for (;;) {
    const { place, key } = await hardware.use(store.id, (at) => makeKey(cluster, at, { spec, usage, label, id: newId() }), attempted);
    try {
      await spread(cluster, place, key);
      return { id: key.id, ...(key.publicKey ? { publicKey: key.publicKey } : {}) };
    } catch (error) {
      // Its maker, too, that may just have been taken out.
      await Promise.all([removeEverywhere(cluster, key.id), discardAll(hardware, [{ place, id: key.id }])]);
      // Its maker stopped answering before another token had it; it is not asked again, so this ends.
      const maker = hardware.cluster(store.id)?.memberAt(place);
      if (!isAt(hardware, error, place) || judge(error) === 'answer' || !maker || answers(maker) || answering(cluster).length === 0) throw error;
      attempted?.({ token: clusterIdOf(place.token), outcome: error instanceof VaultError ? error.code : 'KMSInternalException' });
    }
  }
}

/** In one token. What fails leaves none where the token answers. Under another id with each token: what one that died has made is nobody's. */
async function makeKey({ hardware }: Cluster, place: Place, { spec, usage, label, id }: Omit<CopiedKey, 'publicKey'>): Promise<{ readonly place: Place; readonly key: CopiedKey }> {
  const why = lacks(await hardware.offer(place), spec, usage);
  if (why !== undefined) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} ${why}; see \`keystead hardware list-mechanisms\``);
  const { parts } = await hardware.ask(place, 'generate', { token: place.token, spec, usage, id, label, cluster: true });
  const [publicKey] = parts;
  try {
    if (['symmetric', 'hmac'].includes(keySpecOf(spec).family) === (publicKey !== undefined)) throw new VaultError('KMSInternalException', `${nameToken(place.token)} made a key pair without a public key`);
    await assertHeld(hardware, place, id);
  } catch (error) {
    await discardAll(hardware, [{ place, id }]);
    throw error;
  }
  return { place, key: { id, label, spec, usage, ...(publicKey ? { publicKey } : {}) } };
}

/** Whether it is this token that a call failed at. */
const isAt = (hardware: Hardware, error: unknown, place: Place): boolean => {
  const at = hardware.failedAt(error);
  return at !== undefined && samePlace(at, place);
};

/**
 * To every token that answers. The one that a copy failed at, its source or its destination, is as one that does not answer: it gets the key when it
 * is brought level. Throws what failed where nobody but the maker may have the key and the maker failed, and, of a sealed cluster, where one does not get it.
 */
async function spread(cluster: Cluster, from: Place, key: CopiedKey): Promise<void> {
  const { hardware, random, record, store } = cluster;
  const has: Place[] = [from];
  const live = hardware.cluster(store.id);
  const waiting = answering(cluster).filter((place) => place !== from);
  for (let moved = true; moved; ) {
    moved = false;
    for (const to of waiting.filter((place) => !has.includes(place))) {
      const route = has.filter((place) => isAnswering(cluster, place)).map((place) => routeOf(cluster, place, to)).find((found) => found !== undefined);
      if (!route || !isAnswering(cluster, to)) continue;
      try {
        await copyKey(hardware, random, route, key);
        has.push(to);
        moved = true;
      } catch (error) {
        const failing = live?.memberAt(hardware.failedAt(error) ?? to);
        if (failing && answers(failing)) live?.fail(failing, error);
        if (record.sealed !== undefined || (has.length === 1 && isAt(hardware, error, from))) throw error;
      }
    }
  }
  if (record.sealed === undefined) return;
  if (has.length < record.members.length) throw new VaultError('KMSInvalidStateException', `key store \`${store.name}\` is sealed and not all of its tokens could be given the key; see \`keystead hardware describe-cluster\``);
  for (const place of has) await hardware.ask(place, 'seal', { token: place.token, id: key.id });
}

const isAnswering = (cluster: Cluster, place: Place): boolean => answering(cluster).some((one) => samePlace(one, place));

/** From every token that answers; the others when they are brought level. */
export async function removeEverywhere(cluster: Pick<Cluster, 'hardware' | 'store'>, id: string): Promise<void> {
  await Promise.all(answering(cluster).map((place) => cluster.hardware.ask(place, 'discard', { token: place.token, ids: [id] }).catch(() => undefined)));
}

/** Every key and wrapping key of every token: none can leave any more. Throws KMSInvalidStateException where a token does not answer or lacks a key. */
export async function sealAll(cluster: Cluster, keys: readonly CopiedKey[], progress: (done: number, total: number) => void): Promise<void> {
  const { hardware, record, store } = cluster;
  const ids = keys.map(({ id }) => id);
  const standings = await standingsOf(cluster, ids);
  const behind = standings.find(({ connected, holds }) => !connected || ids.some((id) => !holds.has(id)) || record.gone.some((id) => holds.has(id)));
  if (behind) throw new VaultError('KMSInvalidStateException', `${nameToken(behind.member)} ${behind.connected ? 'is not level' : 'does not answer'}, so key store \`${store.name}\` cannot be sealed; bring its tokens level with \`keystead hardware level-cluster\``);
  let done = 0;
  const total = record.members.length * (ids.length + 1);
  for (const member of record.members) {
    const place = liveAt(cluster, member)?.place;
    if (!place) continue;
    for (const id of [...ids, member.wrapper]) {
      await hardware.ask(place, 'seal', { token: place.token, id });
      progress((done += 1), total);
    }
  }
}
