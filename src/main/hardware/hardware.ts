/**
 * Everything of tokens that lives while the vault is unlocked: one process for each module, logins, connections of key stores. Nothing of
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
import type { Answer, ModuleHost } from '../backends/pkcs11/client.ts';
import { codeIn, meant, nameToken } from '../backends/pkcs11/errors.ts';
import type { MechanismFacts, Offer } from '../backends/pkcs11/mechanisms.ts';
import type { CallName, ReplyOf, RequestOf, TokenFacts, TokenName } from '../backends/pkcs11/protocol.ts';
import type { Attempt } from '../keyring/ports.ts';
import { Asked } from './asked.ts';
import { assertStore, connectionError, LOST, mayGiveSealed, needsPin, reachSealed, type Connection } from './connection.ts';
import type { KeyStoreRecord, ModuleRecord } from './kinds.ts';
import { LiveCluster, type ClusterPorts } from './live-cluster.ts';
import type { ModuleFile } from './module-file.ts';
import { PinTries } from './pin-tries.ts';
import { keyOf, ModuleProcesses, samePlace, type Place, type ProcessPorts, type Running } from './processes.ts';

export type { Place } from './processes.ts';

export interface HardwarePorts extends ProcessPorts {
  readonly now: () => Instant;
  /** Told when a key store is no longer as it was. */
  readonly changed: () => void;
}
const DISCONNECTED: Connection = { state: 'DISCONNECTED' };

export class Hardware {
  readonly #ports: HardwarePorts;
  readonly #processes: ModuleProcesses;
  readonly #connections = new Map<string, Connection>();
  readonly #connected = new Map<string, Place>();
  readonly #clusters = new Map<string, LiveCluster>();
  readonly #offers = new Map<string, Offer>();
  readonly #crashes = new Map<string, number>();
  readonly #asked = new Asked();
  readonly #tries: PinTries;
  #giveSealed: ((place: Place) => Promise<void>) | undefined;
  /** By token: ids of keys that were made there and never recorded, as they were last seen. */
  readonly notRecorded = new Map<string, Set<string>>();

  constructor(ports: HardwarePorts) {
    this.#ports = ports;
    this.#processes = new ModuleProcesses(ports, (key, crashed) => { this.#hostGone(key, crashed); });
    this.#tries = new PinTries({
      login: (place, again, pin) => this.ask(place, 'login', { token: place.token, again }, [pin]),
      setPin: (place, pins) => this.ask(place, 'setPin', { token: place.token }, pins),
      tokens: ({ module, token }) => this.#seen(module, nameToken(token)),
    });
  }

  look(path: string): Promise<ModuleFile> {
    return this.#processes.look(path);
  }

  connection(storeId: string): Connection {
    const cluster = this.#clusters.get(storeId);
    if (cluster) return cluster.down === undefined ? { state: 'CONNECTED' } : { state: 'FAILED', error: cluster.down };
    return this.#connections.get(storeId) ?? DISCONNECTED;
  }

  /** How often a process of this module ended by itself, once it was loaded. */
  crashes(path: string): number {
    return this.#crashes.get(path) ?? 0;
  }

  /** The tokens of a connected store that spans several. */
  cluster(storeId: string): LiveCluster | undefined {
    return this.#clusters.get(storeId);
  }

  /** What a running module says of itself; undefined while it is not loaded. */
  async info(path: string): Promise<ReplyOf<'load'> | undefined> {
    return (await this.#processes.allOf(path))[0]?.running.info;
  }

  /** Loads the module where it is not running. ModuleRefusedException, FileNotReadableException, VaultLockedException. */
  host(module: ModuleRecord): Promise<Running> {
    return this.#processes.host(module);
  }

  /** A process that nobody else uses and that is gone when `work` ends. */
  alone<T>(module: ModuleRecord, work: (host: ModuleHost) => Promise<T>): Promise<T> {
    return this.#processes.alone(module, work);
  }

  /** Every login and connection in it went with the process. */
  #hostGone(key: string, crashed: boolean): void {
    const [path = ''] = key.split('\n');
    if (crashed) this.#crashes.set(path, this.crashes(path) + 1);
    const went = (place: Place): boolean => this.#processes.keyFor(place, true) === key;
    for (const [id, place] of this.#connected) if (went(place)) this.#fail(id, 'INTERNAL_ERROR');
    for (const cluster of this.#clusters.values()) {
      for (const member of cluster.members) if (went(member.place)) cluster.fail(member, new VaultError('KMSInternalException', `module \`${member.place.module.path}\` ${crashed ? 'has crashed' : 'was stopped'}`));
    }
    for (const offer of this.#offers.keys()) if (offer.startsWith(`${path}\n`)) this.#offers.delete(offer);
  }

  #fail(storeId: string, error: ConnectionError): void {
    if (this.#processes.ended) return;
    this.#connected.delete(storeId);
    this.#connections.set(storeId, { state: 'FAILED', error });
    this.#ports.changed();
  }

  /** A call about one token; what fails is said of the token by its name. A login that is lost fails the token's key stores. */
  ask<C extends CallName>(place: Place, name: C, request: RequestOf<C>, parts: readonly Uint8Array[] = []): Promise<Answer<C>> {
    const key = this.#processes.keyFor(place, name === 'login');
    return this.#asked.during(key, () => this.#ask(place, key, name, request, parts));
  }

  async #ask<C extends CallName>(place: Place, key: string, name: C, request: RequestOf<C>, parts: readonly Uint8Array[]): Promise<Answer<C>> {
    const { module, token } = place;
    const { host, loggedIn } = await this.#processes.host(module, key);
    try {
      return await host.call(name, request, parts);
    } catch (error) {
      if (LOST.has(codeIn(error) ?? -1)) {
        loggedIn.delete(keyOf(token));
        for (const [id, other] of this.#connected) if (samePlace(other, place)) this.#fail(id, 'CLUSTER_NOT_FOUND');
      }
      throw meant(error, nameToken(token));
    }
  }

  /** The module's tokens. `fresh`: its process, where it has nothing to do, begins anew, since some modules look for tokens only once. */
  async tokens(module: ModuleRecord, { fresh = false } = {}): Promise<readonly (TokenFacts & { readonly loggedIn: boolean })[]> {
    if (fresh && !this.#asked.has(module.path)) await this.#lookAnew(module);
    const tokens = await this.#seen(module, `module \`${module.path}\``);
    const loggedIn = new Set((await this.#processes.allOf(module.path)).flatMap(({ running }) => [...running.loggedIn.keys()]));
    return tokens.map((facts) => ({ ...facts, loggedIn: loggedIn.has(keyOf(facts)) }));
  }

  /** `name`: of what failed, if it does. */
  #seen(module: ModuleRecord, name: string): Promise<readonly TokenFacts[]> {
    return this.#asked.during(module.path, async () => {
      const { host } = await this.host(module);
      return (await host.call('tokens', {}).catch((error: unknown) => { throw meant(error, name); })).reply.tokens;
    });
  }

  /** In the process that nobody is logged in to. One of a file that has changed since is ended, and the file is refused. */
  async #lookAnew(module: ModuleRecord): Promise<void> {
    const file = await this.look(module.path).catch(() => undefined);
    const { host } = await this.host(module);
    if (file?.sha256 !== module.sha256) await this.#processes.stop(module.path);
    else await host.call('rescan', {}).catch(() => this.#processes.stop(module.path));
  }

  async offer(place: Place): Promise<Offer> {
    const key = `${place.module.path}\n${keyOf(place.token)}`;
    const known = this.#offers.get(key);
    if (known) return known;
    const { reply } = await this.ask(place, 'mechanisms', { token: place.token });
    const offer = new Map(reply.mechanisms.map((facts): [number, MechanismFacts] => [facts.type, facts]));
    this.#offers.set(key, offer);
    return offer;
  }

  async isLoggedIn({ module, token }: Place): Promise<boolean> {
    return (await this.#processes.allOf(module.path)).some(({ running }) => running.loggedIn.has(keyOf(token)));
  }

  /** Tokens that are logged in, each with the path of the module that was given its PIN. */
  async logins(): Promise<readonly { readonly path: string; readonly token: TokenName }[]> {
    return (await this.#processes.allOf()).flatMap(({ path, running }) => Array.from(running.loggedIn.values(), (token) => ({ path, token })));
  }

  /** `lastTry`: go on where one more wrong PIN locks the token; `insist`: the command that says so. IncorrectPinException says what the token reports of its tries. */
  async login(place: Place, pin: SecretBytes, { again = false, lastTry = false, insist }: { readonly again?: boolean; readonly lastTry?: boolean; readonly insist?: string } = {}): Promise<void> {
    await this.#processes.forLogin(place, this.#asked, () => this.#tries.login(place, pin, { again, lastTry, insist }));
    await this.#noteLogin(place);
    for (const cluster of this.#clusters.values()) {
      if (!cluster.memberAt(place)) continue;
      cluster.add(place);
      this.#ports.changed();
    }
  }

  async #noteLogin(place: Place): Promise<void> {
    (await this.#processes.host(place.module, this.#processes.keyFor(place))).loggedIn.set(keyOf(place.token), place.token);
  }

  /** PinLockedException, without a try, where one more wrong PIN locks the token: a login says first whether the old one is right. */
  setPin(place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]): Promise<void> {
    return this.#tries.setPin(place, pins);
  }

  /** Without a PIN: the token's process has it from an earlier login, or the token is asked for in vain. */
  async #reach(place: Place): Promise<void> {
    await this.#processes.forLogin(place, this.#asked, () => this.ask(place, 'login', { token: place.token, again: false }));
    await this.offer(place);
    await this.#noteLogin(place);
  }

  /** Resolves when the store is connected, of a cluster to one of its tokens at least; where it rejects, the store has failed, and says why. `giveSealed`: logs in with a sealed PIN. */
  async connect(store: KeyStoreRecord, places: readonly Place[], giveSealed?: (place: Place) => Promise<void>): Promise<void> {
    const { state } = this.connection(store.id);
    assertStore(store.name, state, 'connect');
    if (state === 'CONNECTED' || state === 'CONNECTING') return;
    this.#giveSealed = giveSealed;
    this.#connections.set(store.id, { state: 'CONNECTING' });
    const reached = await Promise.all(places.map(async (place) => ({ place, error: await reachSealed(place, () => this.#reach(place), giveSealed).then(() => undefined, (error: unknown) => error) })));
    const [first] = reached;
    if (!first || reached.every(({ error }) => error !== undefined)) {
      const error = first?.error;
      this.#fail(store.id, needsPin(error) ? 'INVALID_CREDENTIALS' : connectionError(error));
      throw first && needsPin(error) ? new VaultError('IncorrectPinException', `${nameToken(first.place.token)} was not logged in since the vault was unlocked; give its PIN with \`keystead hardware unlock-token\`, disconnect the key store and connect it again`) : error;
    }
    this.#processes.assertOpen();
    this.#connections.set(store.id, { state: 'CONNECTED' });
    if (store.cluster) {
      const cluster = this.#live(store);
      for (const { place, error } of reached) cluster.add(place, error);
    } else this.#connected.set(store.id, first.place);
    this.#ports.changed();
  }

  #live(store: KeyStoreRecord): LiveCluster {
    const known = this.#clusters.get(store.id);
    if (known) return known;
    const ports: ClusterPorts = {
      now: this.#ports.now,
      changed: this.#ports.changed,
      needsPin,
      hasPin: (place, error) => this.#processes.isAtHome(place) || (this.#giveSealed !== undefined && mayGiveSealed(place, error)),
      check: (place) => this.ask(place, 'check', { token: place.token }),
      revive: async (place) => {
        // Its process was ended, and the PIN went with it.
        if (this.#giveSealed && !this.#processes.isAtHome(place)) return this.#giveSealed(place);
        await this.ask(place, 'restart', { token: place.token });
        return this.#noteLogin(place);
      },
    };
    const made = new LiveCluster(store.name, ports);
    this.#clusters.set(store.id, made);
    return made;
  }

  /** A connected store spans another token, too, which is logged in. */
  joined(store: KeyStoreRecord, places: readonly Place[]): void {
    this.#processes.assertOpen();
    const cluster = this.#live(store);
    for (const place of places) if (!cluster.memberAt(place)) cluster.add(place);
    this.#connected.delete(store.id);
    this.#ports.changed();
  }

  /** It does not, after all. `store` as it was before. */
  unjoined(store: KeyStoreRecord, place: Place): void {
    const cluster = this.#clusters.get(store.id);
    cluster?.remove(place);
    const [only] = cluster?.members ?? [];
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
      if (this.#inUse(place) || !this.#processes.isAtHome(place)) continue;
      const running = await this.#processes.runningAt(this.#processes.keyFor(place));
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
    const place = cluster ? cluster.members.find(({ health }) => health.state === 'connected')?.place : this.#connected.get(storeId);
    if (!place) throw new VaultError('KMSInvalidStateException', `key store \`${storeId}\` is not connected; connect it with \`keystead kms connect-custom-key-store\``);
    return place;
  }

  /** Has a token of a connected store do it: of a cluster, another one where one does not answer. KMSInvalidStateException. */
  async use<T>(storeId: string, work: (place: Place) => Promise<T>, attempted?: (attempt: Attempt) => void): Promise<T> {
    const cluster = this.#clusters.get(storeId);
    return cluster ? cluster.use(work, attempted) : work(this.placeOf(storeId));
  }

  /** Ends every module's process, those that are being loaded too, for good. */
  async end(): Promise<void> {
    this.#connections.clear();
    this.#connected.clear();
    this.#clusters.clear();
    this.#offers.clear();
    await this.#processes.end();
  }

  /** Ends a module's processes, which nobody is to be logged in to any more. */
  stopModule(path: string): Promise<void> {
    return this.#processes.stopModule(path);
  }
}
