/** `hardware:` handlers of key stores that span several tokens. */
import { MOST_TOKENS } from '../../shared/api/hardware-cluster.ts';
import type { Output } from '../../shared/api/index.ts';
import { seconds } from '../../shared/api/operation.ts';
import { KEY_SPECS, keySpecOf, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn, type Realm } from '../../shared/model/ids.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks, mechanismName } from '../backends/pkcs11/mechanisms.ts';
import { answering, discardAll, level, sealAll, standingsOf, type Kept, type Levelled, type Placed } from '../hardware/cluster-keys.ts';
import { assertStore } from '../hardware/connection.ts';
import type { CopiedKey } from '../hardware/copies.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { join, withJoined } from '../hardware/join.ts';
import { leave } from '../hardware/leave.ts';
import { planLevel } from '../hardware/level-plan.ts';
import { KEY_STORES, tokensOf, type ClusterRecord, type KeyStoreRecord, type MemberRecord, type UnfinishedJoin } from '../hardware/kinds.ts';
import { samePlace } from '../hardware/processes.ts';
import { clusterIdOf, labelOfStore } from '../hardware/token-names.ts';
import { isSameToken, nameOfJoin, newJoin, tokenAt, withoutJoin, type JoinNotes } from '../hardware/unfinished.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import { byCluster, keysIn, keyStoresIn, placeOfStore, storeOf, type Stored } from './kms-key-stores.ts';
import { ownOf } from './hardware-erase.ts';
import { forgetPinOf } from './sealed-pin.ts';
import { once } from './once.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'DescribeCluster' | 'AddTokenToKeyStore' | 'RemoveTokenFromKeyStore' | 'LevelCluster' | 'SealCluster';

function copiedOf({ hardware, keyId, spec, usage, publicKey }: KeyRecord): CopiedKey {
  const spki = publicKey === undefined ? undefined : base64ToBytes(publicKey);
  return { id: hardware?.id ?? '', label: keyId, spec, usage, ...(spki ? { publicKey: spki } : {}) };
}

const REASONS: Readonly<Record<'notConnected' | 'nowhere' | 'unreached', string>> = {
  notConnected: 'the token does not answer; what it lacks is made when it does',
  nowhere: 'no token that answers holds the key',
  unreached: 'no token that holds the key can send it here: let the token leave and join again through one that holds it',
};

function noticesOf(hardware: Hardware, { cluster, unfinished = [] }: KeyStoreRecord): string[] {
  const cut = unfinished.filter((join) => !hardware.underWay.has(nameOfJoin(join))).map(({ tokens }) => `A join was cut off. What it left on ${tokens.map(nameToken).join(' and ')} is removed when the key store is connected, or that token is unlocked by its PIN`);
  if (!cluster) return [...cut, 'One token: where it is lost, so are its keys. A key store spans more with `keystead hardware add-token-to-key-store`, before its first key is made'];
  const lay = cluster.members.filter((member) => member.lay).map(nameToken);
  return [
    ...cut,
    ...(lay.length > 0 ? [`The wrapping key of ${lay.join(' and ')} lay in plain among the token’s files from when its security officer made it until it was copied to a private object: such modules (SoftHSM) let a security officer make public objects only`] : []),
    cluster.sealed === undefined ? 'Keys can leave a token under a wrapping key that it trusts. Whoever has a security officer’s PIN can make such a key; seal the cluster when no further token is to join' : 'Sealed: no key can leave a token, and no token can join',
  ];
}

/** One token's specs, as it makes them. */
async function specsOf(hardware: Hardware, store: KeyStoreRecord): Promise<KeySpec[]> {
  if (store.cluster) return [...store.cluster.specs];
  if (hardware.connection(store.id).state !== 'CONNECTED') return [];
  const offer = await hardware.offer(hardware.placeOf(store.id)).catch(() => undefined);
  return offer ? (Object.keys(KEY_SPECS) as KeySpec[]).filter((spec) => (Object.keys(keySpecOf(spec).algorithms) as KeyUsage[]).some((usage) => lacks(offer, spec, usage) === undefined)) : [];
}

async function shown(hardware: Hardware, random: Random, store: KeyStoreRecord, keys: readonly KeyRecord[]) {
  const live = hardware.cluster(store.id);
  live?.tick();
  const ids = keys.map(copiedOf).map(({ id }) => id);
  const { cluster } = store;
  const standings = cluster && live ? await standingsOf({ hardware, random, store, record: cluster }, ids) : [];
  const isConnected = hardware.connection(store.id).state === 'CONNECTED';
  const underWay = hardware.levelled.get(store.id);
  const Members = tokensOf(store).map((token) => {
    const id = clusterIdOf(token);
    const member = live?.members.find(({ place }) => clusterIdOf(place.token) === id);
    const standing = standings.find((one) => one.token === id);
    const health = member?.health;
    return {
      CloudHsmClusterId: id,
      Serial: token.serial,
      Label: token.label,
      Module: token.module,
      JoinedDate: seconds((token as Partial<MemberRecord>).joined ?? store.created),
      Health: health?.state ?? (!cluster && isConnected ? ('connected' as const) : ('disconnected' as const)),
      ...(health ? { HealthSince: seconds(health.since) } : {}),
      ...(health?.state === 'failing' ? { Failure: health.error, FailureMessage: health.message, ...(health.nextTry === undefined ? {} : { NextTryDate: seconds(health.nextTry) }) } : {}),
      InFlight: member?.inFlight ?? 0,
      Answered: member?.answered ?? 0,
      FailedOver: member?.failedOver ?? 0,
      ...(standing?.connected === true ? { Keys: ids.filter((one) => standing.holds.has(one)).length, Missing: ids.filter((one) => !standing.holds.has(one)).length, Deleted: (cluster?.gone ?? []).filter((one) => standing.holds.has(one)).length } : {}),
      ReachedFrom: [...(standing?.reachedFrom ?? reached(cluster, token as MemberRecord))],
    };
  });
  return {
    CustomKeyStoreId: store.id,
    CustomKeyStoreName: store.name,
    State: cluster === undefined ? ('single' as const) : cluster.sealed === undefined ? ('open' as const) : ('sealed' as const),
    ...(cluster?.sealed === undefined ? {} : { SealedDate: seconds(cluster.sealed) }),
    ...(cluster ? { WrappingMechanism: mechanismName(cluster.mechanism) } : {}),
    KeySpecs: await specsOf(hardware, store),
    Keys: keys.length,
    ...(underWay ? { Levelling: { Done: underWay.done, Total: underWay.total } } : {}),
    Members,
    Notices: noticesOf(hardware, store),
  };
}

const reached = (cluster: ClusterRecord | undefined, { opens }: MemberRecord): readonly string[] => (cluster?.members ?? []).filter(({ wrapper }) => opens.includes(wrapper)).map((one) => clusterIdOf(one));

/** Whether a token that answers lacks a key that can be brought to it, or holds one that was deleted. Of a sealed cluster no key travels any more. */
export async function clusterIsBehind(hardware: Hardware, random: Random, reader: Stored, storeId: string): Promise<boolean> {
  const store = await reader.of(KEY_STORES).get(storeId);
  const { cluster: record } = store ?? {};
  if (!store || !record || hardware.connection(storeId).state !== 'CONNECTED') return false;
  const ids = (await keysIn(reader, storeId)).map(copiedOf).map(({ id }) => id);
  const { steps } = planLevel(ids, record.gone, await standingsOf({ hardware, random, store, record }, ids));
  const there = answering({ hardware, store }).map(tokenAt);
  const hasRemains = (store.unfinished ?? []).some((join) => !hardware.underWay.has(nameOfJoin(join)) && join.tokens.some((token) => there.some((one) => isSameToken(one, token))));
  return hasRemains || steps.some(({ act }) => act === 'remove' || record.sealed === undefined);
}

/** A connected store and its cluster. CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException, UnsupportedOperationException. */
async function clusterOf(hardware: Hardware, reader: Stored, id: string): Promise<{ readonly store: KeyStoreRecord; readonly record: ClusterRecord }> {
  const store = await storeOf(reader, id);
  assertStore(store.name, hardware.connection(store.id).state, 'createKey');
  if (!store.cluster) throw new VaultError('UnsupportedOperationException', `key store \`${store.name}\` is one token; let another join with \`keystead hardware add-token-to-key-store\``);
  return { store, record: store.cluster };
}

const leftOf = (left: Levelled['left'], keys: readonly KeyRecord[], realm: Realm) =>
  left.map((one) => {
    const key = one.key === undefined ? undefined : keys.find(({ hardware }) => hardware?.id === one.key);
    return { CloudHsmClusterId: one.token, ...(key ? { KeyId: keyArn(realm, key.keyId) } : {}), Reason: 'message' in one ? one.message : REASONS[one.reason] };
  });

const keptOf = (kept: readonly Kept[], { id: storeId }: KeyStoreRecord, record: ClusterRecord): Output<'hardware:RemoveTokenFromKeyStore'>['Left'] =>
  kept.flatMap(({ place, id, reason }) => {
    const kind = new Map(ownOf(record, place)).get(id);
    return kind === undefined ? [] : [{ CloudHsmClusterId: clusterIdOf(place.token), Token: place.token.label, Id: id, Label: labelOfStore(storeId), Kind: kind, Reason: reason }];
  });

/** What requests that let a token join have put on tokens, in whatever run of theirs, and the join that was written down. */
const put = new WeakMap<object, { readonly placed: Placed[]; join?: UnfinishedJoin }>();

export const hardwareClusterHandlers = (now: () => Hardware, random: Random, joins: JoinNotes): Pick<HandlersOf<'hardware'>, `hardware:${Names}`> => ({
  'hardware:DescribeCluster': async (input, _call, { reader }) => {
    const hardware = now();
    const store = await storeOf(reader, input.CustomKeyStoreId);
    return shown(hardware, random, store, await keysIn(reader, store.id));
  },

  'hardware:AddTokenToKeyStore': async (input, call, { writer, afterwards, undone }) => {
    const hardware = now();
    const own = put.get(call) ?? { placed: [] };
    const { placed } = own;
    put.set(call, own);
    let unjoin: () => void = () => undefined;
    undone(async (again) => {
      unjoin();
      if (again) return;
      await discardAll(hardware, placed.splice(0));
      if (!own.join) return;
      hardware.underWay.delete(nameOfJoin(own.join));
      await joins.takeBack(input.CustomKeyStoreId);
    });
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const { CloudHsmClusterId: clusterId, Pin: pin } = input;
    if (store.cluster?.sealed !== undefined) return call.fail('KMSInvalidStateException', `key store \`${store.name}\` is sealed: its keys cannot leave their tokens any more, and no token can join`);
    const stores = await keyStoresIn(writer);
    const user = stores.find((one) => tokensOf(one).some((token) => clusterIdOf(token) === clusterId));
    if (user) return call.fail('CloudHsmClusterInUseException', `the token is used by key store \`${user.name}\` already; choose another token`);
    if (tokensOf(store).length >= MOST_TOKENS) return call.fail('LimitExceededException', `key store \`${store.name}\` spans ${String(MOST_TOKENS)} tokens, which is the limit`);
    const keys = await keysIn(writer, store.id);
    if (!store.cluster && keys.length > 0) return call.fail('CustomKeyStoreInvalidStateException', `key store \`${store.name}\` has keys that were made never to leave its token; make another key store, and let its tokens join before its first key`);
    const connected: readonly Place[] = store.cluster ? answering({ hardware, store }) : [hardware.placeOf(store.id)];
    const through = connected.find(({ token }) => clusterIdOf(token) === (input.Member ?? clusterIdOf(token)));
    if (!through) return call.fail('KMSInvalidStateException', input.Member === undefined ? `no token of key store \`${store.name}\` answers` : `token \`${input.Member}\` is none of key store \`${store.name}\`, or does not answer; see \`keystead hardware describe-cluster\``);
    const { joined, place, join: begun } = await once(call, async () => {
      const found = await byCluster(hardware, writer, clusterId, pin !== undefined);
      if (pin) await hardware.login(found, pin);
      else if (!(await hardware.isLoggedIn(found))) return call.fail('IncorrectPinException', `${nameToken(found.token)} is not logged in; give its PIN`);
      const progress = (done: number, total: number): void => { call.progress({ done, total, unit: 'records' }); };
      if (store.unfinished) await joins.takeBack(store.id);
      const begins = await hardware.joins.take(store.id, call.signal, async () => {
        const made = await newJoin(hardware, random, { store, place: found, connected, keys: keys.map(copiedOf).map(({ id }) => id) });
        hardware.underWay.set(nameOfJoin(made), { store: store.id, join: made });
        return (own.join = made);
      });
      await joins.begin(store.id, clusterId, nameOfJoin(begins));
      return { join: begins, joined: await join({ hardware, random, at: call.at, store, place: found, ids: begins.ids, officerPin: input.SecurityOfficerPin, through, throughPin: input.MemberSecurityOfficerPin, lastTry: input.LastTry, throughLastTry: input.MemberLastTry, connected, signal: call.signal, progress, put: placed }), place: found };
    });
    // Of this run's record, which may know of keys and tokens that the first run did not.
    const record = withJoined(store.cluster, joined);
    if (!record) return call.fail('KMSInvalidStateException', `key store \`${store.name}\` has lost or gained a token meanwhile, and what was put on ${nameToken(place.token)} was removed again; try again`);
    const changed: KeyStoreRecord = withoutJoin({ ...store, cluster: record }, begun);
    hardware.joining(changed, place, through);
    unjoin = () => { hardware.unjoined(store, place); };
    // What fails here is shown, and made when the cluster is brought level.
    await level({ hardware, random, store: changed, record }, keys.map(copiedOf), { signal: call.signal, progress: (done, total) => { call.progress({ done, total, unit: 'keys' }); }, put: (copied) => { if (samePlace(copied.place, place)) placed.push(copied); } });
    writer.of(KEY_STORES).update(changed);
    afterwards(() => {
      hardware.underWay.delete(nameOfJoin(begun));
      hardware.joined(store.id, place);
    });
    return shown(hardware, random, changed, keys);
  },

  'hardware:RemoveTokenFromKeyStore': async (input, call, { writer, afterwards }) => {
    const hardware = now();
    const { store, record } = await clusterOf(hardware, writer, input.CustomKeyStoreId);
    const leaving = record.members.find((member) => clusterIdOf(member) === input.CloudHsmClusterId);
    if (!leaving) return call.fail('CloudHsmClusterNotRelatedException', `the token is none of key store \`${store.name}\`; see \`keystead hardware describe-cluster\``);
    if (input.Confirm !== leaving.label) return call.fail('KMSInvalidStateException', `type the label of the token, \`${leaving.label}\`, as \`Confirm\` if you mean it`);
    const members = record.members.filter((member) => member !== leaving);
    const [first] = members;
    if (!first) return call.fail('KMSInvalidStateException', `the token is the only one of key store \`${store.name}\`; delete the key store instead`);
    const keys = await keysIn(writer, store.id);
    const standings = await standingsOf({ hardware, random, store, record }, keys.map(copiedOf).map(({ id }) => id));
    const others = standings.filter(({ member, connected }) => connected && member !== leaving);
    const only = keys.filter((key) => !others.some(({ holds }) => holds.has(copiedOf(key).id)));
    if (only.length > 0) return call.fail('KMSInvalidStateException', `${nameToken(leaving)} holds ${String(only.length)} keys that no other token that answers has; bring the others level first with \`keystead hardware level-cluster\``);
    const changed: KeyStoreRecord = { ...store, module: first.module, serial: first.serial, label: first.label, cluster: { ...record, members: members.map((member) => ({ ...member, opens: member.opens.filter((id) => id !== leaving.wrapper) })), gone: [...record.gone, leaving.wrapper, leaving.transport.id] } };
    writer.of(KEY_STORES).update(changed);
    const place = await placeOfStore(writer, store, leaving);
    await forgetPinOf(writer, leaving);
    const Left: Output<'hardware:RemoveTokenFromKeyStore'>['Left'] = [];
    afterwards(async () => { Left.push(...keptOf(await leave({ hardware, store, record }, leaving, place), store, record)); });
    // What it leaves behind on the others is removed before this is answered, from those that answer.
    return { ...(await shown(hardware, random, changed.cluster ? { ...changed, cluster: { ...changed.cluster, gone: record.gone } } : changed, keys)), Left };
  },

  'hardware:LevelCluster': async (input, call, { writer, realm }) => {
    const hardware = now();
    const { store, record } = await clusterOf(hardware, writer, input.CustomKeyStoreId);
    const keys = await keysIn(writer, store.id);
    const done = await once(call, async () => {
      if (store.unfinished) await joins.takeBack(store.id);
      return level({ hardware, random, store, record }, keys.map(copiedOf), { signal: call.signal, progress: (at, total) => { call.progress({ done: at, total, unit: 'keys' }); } });
    });
    // Of this run's record, which may know of keys and tokens that the first run did not.
    const gone = record.members.every((member) => done.members.includes(clusterIdOf(member))) ? record.gone.filter((id) => !done.cleared.includes(id)) : record.gone;
    const changed: KeyStoreRecord = gone.length === record.gone.length ? store : { ...store, cluster: { ...record, gone } };
    if (changed !== store) writer.of(KEY_STORES).update(changed);
    return { Made: done.made, Removed: done.removed, Left: leftOf(done.left, keys, realm), Cluster: await shown(hardware, random, changed, keys) };
  },

  'hardware:SealCluster': async (input, call, { writer }) => {
    const hardware = now();
    const { store, record } = await clusterOf(hardware, writer, input.CustomKeyStoreId);
    if (record.sealed !== undefined) return call.fail('KMSInvalidStateException', `key store \`${store.name}\` is sealed already`);
    if (input.Confirm !== store.name) return call.fail('KMSInvalidStateException', `sealing cannot be taken back, and no token can join afterwards: type the name of the key store, \`${store.name}\`, as \`Confirm\` if you mean it`);
    const keys = await keysIn(writer, store.id);
    // In each run anew: a key that was made meanwhile is sealed, too, and to seal one twice changes nothing.
    await sealAll({ hardware, random, store, record }, keys.map(copiedOf), (done, total) => { call.progress({ done, total, unit: 'keys' }); });
    const changed: KeyStoreRecord = { ...store, cluster: { ...record, sealed: call.at } };
    writer.of(KEY_STORES).update(changed);
    return shown(hardware, random, changed, keys);
  },
});
