/**
 * How a token joins a cluster. Each token's security officer makes a wrapping key that the token trusts, and marks the public keys of the
 * other tokens that it may travel under; then it travels, and what it wraps is tried out.
 *
 * Defends against: a key that leaves under anything but a trusted key (the token is asked to break its word, and refused where it does), a
 * security officer's PIN that stays (it is given to a process that ends at once). Does not: see a token that lies about a peer's public key;
 * at the ceremony, this program and both modules are trusted.
 */
import { MOST_TOKENS } from '../../shared/api/hardware-cluster.ts';
import { KEY_SPECS, keySpecOf, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { CKF, CKM } from '../backends/pkcs11/cryptoki.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks, usable, type Offer } from '../backends/pkcs11/mechanisms.ts';
import { keyOf } from '../backends/pkcs11/protocol.ts';
import { copy, hex, wipe } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import { discardAll, type Placed } from './cluster-keys.ts';
import { assertHeld, copyKey, isUnheld, wrapMechanism, type Route } from './copies.ts';
import type { Hardware, Place } from './hardware.ts';
import type { ClusterRecord, KeyStoreRecord, MemberRecord } from './kinds.ts';
import { labelOfStore } from './token-names.ts';
import type { Insisting } from './pin-tries.ts';
import { samePlace } from './processes.ts';

export interface Joining {
  readonly hardware: Hardware;
  readonly random: Random;
  readonly at: Instant;
  readonly store: KeyStoreRecord;
  /** The token that joins. */
  readonly place: Place;
  readonly officerPin: SecretBytes;
  /** The one that keys come from, and its security officer's PIN. */
  readonly through: Place;
  readonly throughPin: SecretBytes;
  /** Go on where one more wrong PIN of the security officer of the token that joins locks that PIN. */
  readonly lastTry: boolean;
  /** The same, of the one that keys come from. */
  readonly throughLastTry: boolean;
  /** Tokens of the cluster that answer now, `through` among them. */
  readonly connected: readonly Place[];
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
  /** For whatever is made: CKA_ID, hex, as many as `idsOfJoin` gives. */
  readonly ids: readonly string[];
  /** Gets every object that is put on a token and is to stay there only with the member: noted before it is there. */
  readonly put: Placed[];
}

/** What a cluster gains with a token, whatever has become of the cluster in the meantime. */
export interface Joined {
  /** Of a key store that was one token: that one. */
  readonly host: MemberRecord | undefined;
  readonly guest: MemberRecord;
  /** Wrapping keys of the members that the guest can be reached from, and that are reached from it. */
  readonly reached: readonly string[];
  readonly mechanism: number;
  /** Keys that were seen to travel. */
  readonly specs: readonly KeySpec[];
}

/** The cluster with the token in it; undefined where it is no longer one that the token has joined. */
export function withJoined(cluster: ClusterRecord | undefined, { host, guest, reached, mechanism, specs }: Joined): ClusterRecord | undefined {
  if (host) return cluster ? undefined : { members: [{ ...host, opens: [guest.wrapper] }, guest], mechanism, specs, gone: [] };
  const [through] = guest.opens;
  // A member that left while the token joined has its wrapping key, which was to be a member's only: then nothing of it is to stay.
  if (!cluster || [through, ...reached].some((one) => !cluster.members.some(({ wrapper }) => wrapper === one))) return undefined;
  const members = cluster.members.map((one) => (reached.includes(one.wrapper) ? { ...one, opens: [...one.opens, guest.wrapper] } : one));
  return { ...cluster, members: [...members, guest], specs: cluster.specs.filter((spec) => specs.includes(spec)) };
}

const cannot = ({ token }: Place, why: string): VaultError => new VaultError('UnsupportedOperationException', `${nameToken(token)} ${why}, so a key store cannot span it`);

const COMMAND = 'keystead hardware add-token-to-key-store';

/** What the security officer of one token does, in a process of its own that ends at once. */
function asOfficer(hardware: Hardware, place: Place, pin: SecretBytes, insisting: Insisting) {
  return async (request: { readonly label: string; readonly wrapper?: string; readonly peers: readonly MemberRecord['transport'][] }): Promise<void> => {
    const pinBytes = pin.borrow(copy);
    try {
      await hardware.asOfficer(place, 'trust', { token: place.token, label: request.label, ...(request.wrapper === undefined ? {} : { wrapper: request.wrapper }), peers: [...request.peers] }, [pinBytes], insisting);
    } catch (error) {
      throw error instanceof VaultError && error.code === 'KMSInternalException' ? cannot(place, 'does not let its security officer make a trusted wrapping key') : error;
    } finally {
      wipe(pinBytes);
    }
  };
}

/** What the cluster gains. Throws what a token says, or the signal's reason; UnsupportedOperationException where a token cannot do it. Then nothing of it stays on a token that answers. */
export async function join(joining: Joining): Promise<Joined> {
  try {
    return await ceremony(joining);
  } catch (error) {
    await discardAll(joining.hardware, joining.put.splice(0));
    throw error;
  }
}

async function ceremony(joining: Joining): Promise<Joined> {
  const { hardware, store, place, through, connected, signal, put } = joining;
  const fresh = [...joining.ids];
  const label = labelOfStore(store.id);
  const offers = await Promise.all([through, place].map((one) => hardware.offer(one)));
  const mechanism = mechanismFor(joining, offers);
  const newId = (at: Place): string => {
    const id = fresh.shift();
    if (id === undefined) throw new VaultError('InternalException', 'a join has made more than it has noted, report this');
    put.push({ place: at, id });
    return id;
  };
  const done = ((count) => () => {
    signal.throwIfAborted();
    joining.progress((count += 1), STEPS);
  })(0);
  const known = store.cluster?.members ?? [];
  const transportOf = async (at: Place): Promise<MemberRecord['transport']> => {
    const id = newId(at);
    const { reply } = await hardware.ask(at, 'transport', { token: at.token, id, label });
    done();
    return { id, ...reply };
  };
  const recordOf = (at: Place): MemberRecord | undefined => known.find((one) => one.module === at.module.path && keyOf(one) === keyOf(at.token));
  const before = recordOf(through);
  const host = before ?? newMember(joining, through, await transportOf(through), newId(through));
  const guest = newMember(joining, place, await transportOf(place), newId(place));
  const others = connected.filter((one) => !samePlace(one, through)).flatMap((one) => {
    const record = recordOf(one);
    return record ? [{ place: one, record }] : [];
  });
  put.push({ place, id: host.wrapper }, { place: through, id: guest.wrapper }, { place: through, id: guest.transport.id }, { place, id: host.transport.id }, ...others.map(({ record }) => ({ place, id: record.transport.id })), ...others.map((other) => ({ place: other.place, id: guest.wrapper })));
  await asOfficer(hardware, through, joining.throughPin, { lastTry: joining.throughLastTry, insist: `${COMMAND} --member-last-try` })({ label, peers: [guest.transport], ...(before ? {} : { wrapper: host.wrapper }) });
  done();
  await asOfficer(hardware, place, joining.officerPin, { lastTry: joining.lastTry, insist: `${COMMAND} --last-try` })({ label, wrapper: guest.wrapper, peers: [host.transport, ...others.map(({ record }) => record.transport)] });
  done();
  const hostLay = before ? before.lay : await keep(hardware, through, host.wrapper);
  const guestLay = await keep(hardware, place, guest.wrapper);
  await travel(hardware, label, host.wrapper, through, place, guest.transport.id);
  for (const other of [{ place: through, record: host }, ...others]) await travel(hardware, label, guest.wrapper, place, other.place, other.record.transport.id);
  done();
  const there: Route = { from: through, to: place, wrapper: host.wrapper, mechanism };
  const back: Route = { from: place, to: through, wrapper: guest.wrapper, mechanism };
  const specs = await probe(joining, there, back, offers, newId);
  for (const other of others) await copyOne(joining, { ...back, to: other.place }, specs[0] ?? 'SYMMETRIC_DEFAULT', newId);
  done();
  return { host: before ? undefined : { ...host, lay: hostLay }, guest: { ...guest, lay: guestLay, opens: [host.wrapper] }, reached: [host.wrapper, ...others.map(({ record }) => record.wrapper)], mechanism, specs };
}

/** Of a first ceremony, for a bar. */
const STEPS = 6;

const newMember = ({ at }: Joining, place: Place, transport: MemberRecord['transport'], wrapper: string): MemberRecord => ({ module: place.module.path, serial: place.token.serial, label: place.token.label, joined: at, wrapper, transport, opens: [], lay: false });

function mechanismFor({ store, place, through }: Joining, offers: readonly Offer[]): number {
  const [from = new Map<number, never>(), to = from] = offers;
  for (const [offer, at] of [[from, through], [to, place]] as const) {
    const oaep = offer.get(CKM.RSA_PKCS_OAEP)?.flags ?? 0;
    if ((oaep & CKF.WRAP) === 0 || (oaep & CKF.UNWRAP) === 0) throw cannot(at, 'wraps no keys under RSA with OAEP');
  }
  const mechanism = wrapMechanism(from, to);
  const backward = wrapMechanism(to, from);
  if (mechanism === undefined || backward !== mechanism) throw cannot(place, `and ${nameToken(through.token)} have no way to wrap a key in common`);
  if (store.cluster && store.cluster.mechanism !== mechanism) throw cannot(place, 'does not wrap keys as the other tokens do');
  return mechanism;
}

/** The wrapping key becomes a private object, and is what was asked for: its own word, and what it does. Whether it lay in plain until now. */
async function keep(hardware: Hardware, place: Place, id: string): Promise<boolean> {
  const { stated, trusted, lay } = (await hardware.ask(place, 'keepWrapper', { token: place.token, id })).reply;
  if (!trusted) throw cannot(place, 'does not call the wrapping key trusted that its security officer made');
  if (stated.sensitive !== true || stated.trustedOnly !== true) throw cannot(place, 'made a wrapping key that could leave it otherwise');
  await assertHeld(hardware, place, id);
  return lay;
}

/** A wrapping key goes to another token, under that one's RSA key. */
async function travel(hardware: Hardware, label: string, id: string, from: Place, to: Place, transport: string): Promise<void> {
  const way = { by: transport, mechanism: CKM.RSA_PKCS_OAEP };
  const { parts } = await hardware.ask(from, 'wrapOut', { token: from.token, id, way });
  await hardware.ask(to, 'unwrapIn', { token: to.token, id, way, label, what: { kind: 'wrapper' } }, parts);
}

/** One key of each kind that both tokens hold; RSA of the shortest length stands for all. */
const PROBED: readonly (readonly [spec: KeySpec, usage: KeyUsage])[] = [
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ['HMAC_224', 'GENERATE_VERIFY_MAC'],
  ['HMAC_256', 'GENERATE_VERIFY_MAC'],
  ['ECC_NIST_P256', 'SIGN_VERIFY'],
  ['ECC_NIST_P384', 'SIGN_VERIFY'],
  ['ECC_NIST_P521', 'SIGN_VERIFY'],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY'],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
  ['RSA_2048', 'SIGN_VERIFY'],
];
/** What a probe of another spec says of it. */
const STANDS_FOR: Partial<Readonly<Record<KeySpec, KeySpec>>> = { HMAC_384: 'HMAC_256', HMAC_512: 'HMAC_256', RSA_3072: 'RSA_2048', RSA_4096: 'RSA_2048' };

/** Ids for whatever a join makes: a wrapping key and a pair of each of two tokens, probes there and back, and one to each other member. */
export const idsOfJoin = (random: Random): readonly string[] => Array.from({ length: 4 + 2 * PROBED.length + MOST_TOKENS }, () => hex(random.bytes(16)));

async function probe(joining: Joining, there: Route, back: Route, offers: readonly Offer[], newId: (at: Place) => string): Promise<readonly KeySpec[]> {
  const seen = new Set<KeySpec>();
  let why: unknown;
  for (const [spec, usage] of PROBED) {
    joining.signal.throwIfAborted();
    if (offers.some((offer) => lacks(offer, spec, usage) !== undefined || usable(offer, spec, usage).length === 0)) continue;
    try {
      await copyOne(joining, there, spec, newId, usage);
      await copyOne(joining, back, spec, newId, usage);
      seen.add(spec);
    } catch (error) {
      why ??= error;
      if (isUnheld(error)) throw error;
    }
  }
  if (seen.size === 0) throw why instanceof Error ? why : cannot(joining.place, 'took no key that was wrapped for it');
  return (Object.keys(KEY_SPECS) as KeySpec[]).filter((spec) => seen.has(STANDS_FOR[spec] ?? spec) && Object.keys(keySpecOf(spec).algorithms).some((usage) => offers.every((offer) => lacks(offer, spec, usage as KeyUsage) === undefined)));
}

/** Makes a key, copies it, and removes both. */
async function copyOne({ hardware, random }: Joining, route: Route, spec: KeySpec, newId: (at: Place) => string, usage: KeyUsage = PROBED.find(([one]) => one === spec)?.[1] ?? 'SIGN_VERIFY'): Promise<void> {
  const id = newId(route.from);
  const { from, to } = route;
  try {
    const { parts } = await hardware.ask(from, 'generate', { token: from.token, spec, usage, id, label: 'keystead probe', cluster: true });
    await assertHeld(hardware, from, id);
    await copyKey(hardware, random, route, { id, label: 'keystead probe', spec, usage, ...(parts[0] ? { publicKey: parts[0] } : {}) });
  } finally {
    for (const at of [from, to]) await hardware.ask(at, 'discard', { token: at.token, ids: [id] }).catch(() => undefined);
  }
}
