/**
 * Everything of tokens that lives while the vault is unlocked: modules' processes and logins (`token-calls.ts`), connections of key stores. Nothing of
 * it is stored, and lock ends it all. One object is one opening of the vault: once ended it starts nothing any more (`opening.ts`).
 *
 * Defends against: a module that is not the one agreed to; a login in a process that has died (its key stores fail, and say so); a process
 * or a PIN that comes up after lock, for a request that began before it. Does not: keep a PIN; each is handed on to the module's process,
 * which keeps it until lock.
 */
import type { ConnectionError } from '../../shared/api/kms-key-stores.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { keyOf } from '../backends/pkcs11/protocol.ts';
import type { Attempt } from '../keyring/ports.ts';
import { assertStore, connectionError, mayGiveSealed, needsPin, reachSealed, type Connection } from './connection.ts';
import type { KeyStoreRecord, UnfinishedJoin } from './kinds.ts';
import { answers, LiveCluster, type ClusterPorts } from './live-cluster.ts';
import { samePlace, type Place, type ProcessPorts } from './processes.ts';
import { Turns } from './turns.ts';
import { TokenCalls, type TokenLogin } from './token-calls.ts';

export type { Place } from './processes.ts';

export interface HardwarePorts extends ProcessPorts {
  readonly now: () => Instant;
  /** Told when a key store is no longer as it was. */
  readonly changed: () => void;
  /** Told when a token of a cluster answers that did not before: when its store was connected, or later. */
  readonly returned?: (storeId: string) => void;
}
const DISCONNECTED: Connection = { state: 'DISCONNECTED' };

export class Hardware extends TokenCalls {
  readonly #ports: HardwarePorts;
  readonly #connections = new Map<string, Connection>();
  readonly #connected = new Map<string, Place>();
  readonly #clusters = new Map<string, LiveCluster>();
  /** One levelling of a key store at a time. */
  readonly levelling = new Turns();
  /** By store: how far the one has come that is under way. */
  readonly levelled = new Map<string, { readonly done: number; readonly total: number }>();
  /** What looks for the remains of a store's joins, and what begins one, do so one after the other. */
  readonly joins = new Turns();
  /** Joins that are under way, by the id that names each: what they put on tokens is no remains. */
  readonly underWay = new Map<string, { readonly store: string; readonly join: UnfinishedJoin }>();
  #giveSealed: ((place: Place) => Promise<void>) | undefined;
  /** By token: ids of keys that were made there and never recorded, as they were last seen. */
  readonly notRecorded = new Map<string, Set<string>>();

  constructor(ports: HardwarePorts) {
    super(ports);
    this.#ports = ports;
  }

  connection(storeId: string): Connection {
    const cluster = this.#clusters.get(storeId);
    if (cluster) return cluster.down === undefined ? { state: 'CONNECTED' } : { state: 'FAILED', error: cluster.down };
    return this.#connections.get(storeId) ?? DISCONNECTED;
  }

  /** The tokens of a connected store that spans several. */
  cluster(storeId: string): LiveCluster | undefined {
    return this.#clusters.get(storeId);
  }

  /** Every login and connection in it went with the process. */
  protected override hostGone(key: string, crashed: boolean): void {
    const went = (place: Place): boolean => this.processes.keyFor(place, true) === key;
    for (const [id, place] of this.#connected) if (went(place)) this.#fail(id, 'INTERNAL_ERROR');
    for (const cluster of this.#clusters.values()) {
      for (const member of cluster.members) if (went(member.place)) cluster.fail(member, new VaultError('KMSInternalException', `module \`${member.place.module.path}\` ${crashed ? 'has crashed' : 'was stopped'}`));
    }
  }

  protected override loginLost(place: Place): void {
    for (const [id, other] of this.#connected) if (samePlace(other, place)) this.#fail(id, 'CLUSTER_NOT_FOUND');
  }

  #fail(storeId: string, error: ConnectionError): void {
    if (this.processes.ended) return;
    this.#connected.delete(storeId);
    this.#connections.set(storeId, { state: 'FAILED', error });
    this.#ports.changed();
  }

  override async login(place: Place, pin: SecretBytes, how?: TokenLogin): Promise<void> {
    await super.login(place, pin, how);
    for (const cluster of this.#clusters.values()) {
      if (!cluster.memberAt(place)) continue;
      cluster.add(place);
      this.#ports.changed();
    }
  }

  /** Resolves when the store is connected, of a cluster to one of its tokens at least; where it rejects, the store has failed, and says why. `giveSealed`: logs in with a sealed PIN. */
  async connect(store: KeyStoreRecord, places: readonly Place[], giveSealed?: (place: Place) => Promise<void>): Promise<void> {
    const { state } = this.connection(store.id);
    assertStore(store.name, state, 'connect');
    if (state === 'CONNECTED' || state === 'CONNECTING') return;
    this.#giveSealed = giveSealed;
    this.#connections.set(store.id, { state: 'CONNECTING' });
    const reached = await Promise.all(places.map(async (place) => ({ place, error: await reachSealed(place, () => this.reach(place), giveSealed).then(() => undefined, (error: unknown) => error) })));
    const [first] = reached;
    if (!first || reached.every(({ error }) => error !== undefined)) {
      const error = first?.error;
      this.#fail(store.id, needsPin(error) ? 'INVALID_CREDENTIALS' : connectionError(error));
      throw first && needsPin(error) ? new VaultError('IncorrectPinException', `${nameToken(first.place.token)} was not logged in since the vault was unlocked; give its PIN with \`keystead hardware unlock-token\`, disconnect the key store and connect it again`) : error;
    }
    this.processes.assertOpen();
    this.#connections.set(store.id, { state: 'CONNECTED' });
    if (store.cluster) {
      const cluster = this.#live(store);
      for (const { place, error } of reached) cluster.add(place, error);
      this.#ports.returned?.(store.id);
    } else this.#connected.set(store.id, first.place);
    this.#ports.changed();
  }

  #live(store: KeyStoreRecord): LiveCluster {
    const known = this.#clusters.get(store.id);
    if (known) return known;
    const ports: ClusterPorts = {
      now: this.#ports.now,
      changed: this.#ports.changed,
      returned: () => { this.#ports.returned?.(store.id); },
      needsPin,
      hasPin: (place, error) => this.processes.isAtHome(place) || (this.#giveSealed !== undefined && mayGiveSealed(place, error)),
      check: (place) => this.ask(place, 'check', { token: place.token }),
      revive: async (place) => {
        // Its process was ended, and the PIN went with it.
        if (this.#giveSealed && !this.processes.isAtHome(place)) return this.#giveSealed(place);
        await this.ask(place, 'restart', { token: place.token });
        return this.noteLogin(place);
      },
    };
    const made = new LiveCluster(store.name, ports);
    this.#clusters.set(store.id, made);
    return made;
  }

  /** A connected store is about to span another token, too, which is logged in: `through` is its own so far, where it is one. */
  joining(store: KeyStoreRecord, place: Place, through: Place): void {
    this.processes.assertOpen();
    const cluster = this.#live(store);
    if (!cluster.memberAt(through)) cluster.add(through);
    cluster.add(place, undefined, true);
    this.#connected.delete(store.id);
  }

  /** It does. */
  joined(storeId: string, place: Place): void {
    const member = this.#clusters.get(storeId)?.memberAt(place);
    if (member) member.joining = false;
    this.#ports.changed();
  }

  /** It does not, after all. `store` as it was before. */
  unjoined(store: KeyStoreRecord, place: Place): void {
    const cluster = this.#clusters.get(store.id);
    if (cluster?.memberAt(place)?.joining !== true) return;
    cluster.remove(place);
    const [only] = cluster.members;
    if (store.cluster || !only) return;
    this.#clusters.delete(store.id);
    this.#connected.set(store.id, only.place);
  }

  left(storeId: string, place: Place): void {
    this.#clusters.get(storeId)?.remove(place);
    this.#ports.changed();
  }

  /** Logs the tokens out where no other key store uses them. Never rejects for a token's sake: disconnected is disconnected. */
  async disconnect(store: KeyStoreRecord): Promise<void> {
    assertStore(store.name, this.connection(store.id).state, 'disconnect');
    const one = this.#connected.get(store.id);
    const places = this.#clusters.get(store.id)?.members.map(({ place }) => place) ?? (one ? [one] : []);
    this.#connected.delete(store.id);
    this.#clusters.delete(store.id);
    this.#connections.delete(store.id);
    this.#ports.changed();
    for (const place of places) {
      if (this.#inUse(place) || !this.processes.isAtHome(place)) continue;
      const running = await this.processes.runningAt(this.processes.keyFor(place));
      running?.loggedIn.delete(keyOf(place.token));
      await running?.host.call('logout', { token: place.token }).catch(() => undefined);
    }
  }

  #inUse(place: Place): boolean {
    const others = [...this.#connected.values(), ...[...this.#clusters.values()].flatMap(({ members }) => members.map((member) => member.place))];
    return others.some((other) => samePlace(other, place));
  }

  /** A connected store's token; of a cluster, the first that answers. KMSInvalidStateException. */
  placeOf(storeId: string): Place {
    const cluster = this.#clusters.get(storeId);
    const place = cluster ? cluster.members.find(answers)?.place : this.#connected.get(storeId);
    if (!place) throw new VaultError('KMSInvalidStateException', `key store \`${storeId}\` is not connected; connect it with \`keystead kms connect-custom-key-store\``);
    return place;
  }

  /** Has a token of a connected store do it: of a cluster, another one where one does not answer. KMSInvalidStateException. */
  async use<T>(storeId: string, work: (place: Place) => Promise<T>, attempted?: (attempt: Attempt) => void): Promise<T> {
    const cluster = this.#clusters.get(storeId);
    return cluster ? cluster.use(work, attempted) : work(this.placeOf(storeId));
  }

  override async end(): Promise<void> {
    this.#connections.clear();
    this.#connected.clear();
    this.#clusters.clear();
    await super.end();
  }
}
