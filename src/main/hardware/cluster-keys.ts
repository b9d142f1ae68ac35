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
import type { LiveMember } from './live-cluster.ts';
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
export const answering = ({ hardware, store }: Pick<Cluster, 'hardware' | 'store'>): readonly Place[] => (hardware.cluster(store.id)?.members ?? []).filter(({ health }) => health.state === 'connected').map(({ place }) => place);

/** How a key goes from one token to another; undefined where the other does not unwrap with its wrapping key. */
export function routeOf({ record }: Pick<Cluster, 'record'>, from: Place, to: Place): Route | undefined {
  const wrapper = recordAt(record, from)?.wrapper;
  return wrapper !== undefined && recordAt(record, to)?.opens.includes(wrapper) === true ? { from, to, wrapper, mechanism: record.mechanism } : undefined;
}

/** Which of these ids a token holds. */
async function heldBy(hardware: Hardware, place: Place, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (let at = 0; at < ids.length; at += MOST_LISTED) {
    const { reply } = await hardware.ask(place, 'holds', { token: place.token, ids: ids.slice(at, at + MOST_LISTED) });
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
        return { ...standing, connected: true, holds: await heldBy(hardware, live.place, [...keys, ...record.gone]) };
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

/** Makes what is missing and removes what is gone, one step after another. Cut off at any point, it goes on where it was. */
export async function level(cluster: Cluster, keys: readonly CopiedKey[], { signal, progress }: { readonly signal: AbortSignal; readonly progress: (done: number, total: number) => void }): Promise<Levelled> {
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
  return hardware.use(
    store.id,
    async (place) => {
      const why = lacks(await hardware.offer(place), spec, usage);
      if (why !== undefined) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} ${why}; see \`keystead hardware list-mechanisms\``);
      // Another id with each token: what one that died has made is nobody's.
      const id = newId();
      const { parts } = await hardware.ask(place, 'generate', { token: place.token, spec, usage, id, label, cluster: true });
      const [publicKey] = parts;
      if (['symmetric', 'hmac'].includes(keySpecOf(spec).family) === (publicKey !== undefined)) throw new VaultError('KMSInternalException', `${nameToken(place.token)} made a key pair without a public key`);
      const key: CopiedKey = { id, label, spec, usage, ...(publicKey ? { publicKey } : {}) };
      try {
        await assertHeld(hardware, place, id);
        await spread(cluster, place, key);
      } catch (error) {
        await removeEverywhere(cluster, id);
        throw error;
      }
      return { id, ...(publicKey ? { publicKey } : {}) };
    },
    attempted,
  );
}

/** To every token that answers. One that stops answering meanwhile gets it when it is brought level; of a sealed cluster each has to have it. */
async function spread(cluster: Cluster, from: Place, key: CopiedKey): Promise<void> {
  const { hardware, random, record, store } = cluster;
  const has: Place[] = [from];
  const waiting = answering(cluster).filter((place) => place !== from);
  for (let moved = true; moved; ) {
    moved = false;
    for (const to of waiting.filter((place) => !has.includes(place))) {
      const route = has.map((place) => routeOf(cluster, place, to)).find((found) => found !== undefined);
      if (!route) continue;
      try {
        await copyKey(hardware, random, route, key);
        has.push(to);
        moved = true;
      } catch (error) {
        const live = hardware.cluster(store.id)?.memberAt(to);
        if (live?.health.state === 'connected') hardware.cluster(store.id)?.fail(live, error);
        if (record.sealed !== undefined) throw error;
      }
    }
  }
  if (record.sealed === undefined) return;
  if (has.length < record.members.length) throw new VaultError('KMSInvalidStateException', `key store \`${store.name}\` is sealed and not all of its tokens could be given the key; see \`keystead hardware describe-cluster\``);
  for (const place of has) await hardware.ask(place, 'seal', { token: place.token, id: key.id });
}

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
