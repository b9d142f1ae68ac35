/**
 * Everything of tokens that lives while the vault is unlocked: one process for each module, logins, connections of key stores. Nothing of
 * it is stored, and lock ends it all. One object is one opening of the vault: once ended it starts nothing any more (`opening.ts`).
 *
 * Defends against: a module that is not the one agreed to; a login in a process that has died (its key stores fail, and say so); a process
 * or a PIN that comes up after lock, for a request that began before it. Does not: keep a PIN; each is handed on to the module's process,
 * which keeps it until lock.
 */
import type { ConnectionError, ConnectionState } from '../../shared/api/kms-key-stores.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { copy } from '../crypto/bytes.ts';
import type { Answer, ModuleHost } from '../backends/pkcs11/client.ts';
import { codeIn, meant, nameToken } from '../backends/pkcs11/errors.ts';
import { CKR } from '../backends/pkcs11/cryptoki.ts';
import type { MechanismFacts, Offer } from '../backends/pkcs11/mechanisms.ts';
import type { CallName, ReplyOf, RequestOf, TokenFacts, TokenName } from '../backends/pkcs11/protocol.ts';
import { Asked } from './asked.ts';
import { assertStore, connectionError } from './connection.ts';
import type { KeyStoreRecord, ModuleRecord } from './kinds.ts';
import { lookAtModule, type ModuleFile } from './module-file.ts';

export interface HardwarePorts {
  /** Starts a process for a module. */
  readonly startHost: (path: string) => ModuleHost;
  /** The user that the vault runs as. */
  readonly uid: number;
  /** Told when a key store is no longer as it was. */
  readonly changed: () => void;
}

export interface Connection {
  readonly state: ConnectionState;
  readonly error?: ConnectionError;
}

interface Running {
  readonly host: ModuleHost;
  readonly info: ReplyOf<'load'>;
  /** Tokens that are logged in here, by `keyOf`. */
  readonly loggedIn: Map<string, TokenName>;
  /** It was given a PIN, which would go with it. */
  hasPin: boolean;
}

/** A module's process from the moment that somebody wants it. */
interface Started {
  readonly running: Promise<Running>;
  host?: ModuleHost;
  /** Nobody wants it any more: it is not to be started, or to be killed. */
  stopped: boolean;
}

/** A token and the module that has it. */
export interface Place {
  readonly module: ModuleRecord;
  readonly token: TokenName;
}

const keyOf = ({ serial, label }: TokenName): string => `${serial}\n${label}`;
const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');
const INSIST = 'keystead hardware unlock-token --last-try';
const DISCONNECTED: Connection = { state: 'DISCONNECTED' };
/** Errors after which nobody is logged in any more. */
const LOST: ReadonlySet<number> = new Set([CKR.DEVICE_REMOVED, CKR.TOKEN_NOT_PRESENT, CKR.TOKEN_NOT_RECOGNIZED, CKR.SESSION_HANDLE_INVALID, CKR.SESSION_CLOSED, CKR.SLOT_ID_INVALID, CKR.USER_NOT_LOGGED_IN]);

export class Hardware {
  readonly #ports: HardwarePorts;
  readonly #started = new Map<string, Started>();
  readonly #connections = new Map<string, Connection>();
  readonly #connected = new Map<string, Place>();
  readonly #offers = new Map<string, Offer>();
  readonly #crashes = new Map<string, number>();
  readonly #asked = new Asked();
  #ended = false;

  constructor(ports: HardwarePorts) {
    this.#ports = ports;
  }

  look(path: string): Promise<ModuleFile> {
    return lookAtModule(path, this.#ports.uid);
  }

  connection(storeId: string): Connection {
    return this.#connections.get(storeId) ?? DISCONNECTED;
  }

  /** How often this module's process ended by itself, once it was loaded. */
  crashes(path: string): number {
    return this.#crashes.get(path) ?? 0;
  }

  /** What a running module says of itself; undefined while it is not loaded. */
  async info(path: string): Promise<ReplyOf<'load'> | undefined> {
    return (await this.#runningAt(path))?.info;
  }

  /** One that is running or on its way. */
  async #runningAt(path: string): Promise<Running | undefined> {
    return this.#started.get(path)?.running.catch(() => undefined);
  }

  /** Loads the module where it is not running. ModuleRefusedException, FileNotReadableException, VaultLockedException. */
  async host(module: ModuleRecord): Promise<Running> {
    this.#assertOpen();
    const known = this.#started.get(module.path);
    if (known) return known.running;
    const start = { stopped: false } as { -readonly [K in keyof Started]: Started[K] };
    start.running = this.#start(module, start);
    this.#started.set(module.path, start);
    start.running.catch(() => { this.#drop(module.path, start); });
    return start.running;
  }

  #assertOpen(): void {
    if (this.#ended) throw locked();
  }

  /** Only this one: another may have been started in its place. */
  #drop(path: string, started: Started): void {
    if (this.#started.get(path) === started) this.#started.delete(path);
  }

  async #start({ path, sha256, parameters }: ModuleRecord, start: Started): Promise<Running> {
    const file = await this.look(path);
    if (file.sha256 !== sha256) throw new VaultError('ModuleRefusedException', `module \`${path}\` is another file than you agreed to and was not loaded; if you changed it, agree with \`keystead hardware update-module\``, { details: { sha256: file.sha256 } });
    // INVARIANT: nothing waits between this and the process that `end` and `stopModule` can see.
    this.#assertWanted(path, start);
    const host = this.#ports.startHost(path);
    start.host = host;
    try {
      const { reply } = await host.call('load', { path, ...(parameters === undefined ? {} : { parameters }) });
      this.#assertWanted(path, start);
      void host.gone.then(() => { this.#hostGone(path, start); });
      return { host, info: reply, loggedIn: new Map(), hasPin: false };
    } catch (error) {
      const gone = host.isGone;
      await host.stop();
      this.#assertWanted(path, start);
      if (gone) throw new VaultError('ModuleRefusedException', `module \`${path}\` crashed or hung while it was loaded; check it with the tools of its vendor`);
      throw meant(error, `module \`${path}\``);
    }
  }

  #assertWanted(path: string, { stopped }: Started): void {
    this.#assertOpen();
    if (stopped) throw new VaultError('KMSInternalException', `module \`${path}\` was stopped while it was loaded; try again`);
  }

  /** Every login and connection in it went with the process. */
  #hostGone(path: string, started: Started): void {
    if (!started.stopped) this.#crashes.set(path, this.crashes(path) + 1);
    this.#drop(path, started);
    for (const [id, place] of this.#connected) if (place.module.path === path) this.#fail(id, 'INTERNAL_ERROR');
    for (const key of this.#offers.keys()) if (key.startsWith(`${path}\n`)) this.#offers.delete(key);
  }

  #fail(storeId: string, error: ConnectionError): void {
    if (this.#ended) return;
    this.#connected.delete(storeId);
    this.#connections.set(storeId, { state: 'FAILED', error });
    this.#ports.changed();
  }

  /** A call about one token; what fails is said of the token by its name. A login that is lost fails the token's key stores. */
  ask<C extends CallName>(place: Place, name: C, request: RequestOf<C>, parts: readonly Uint8Array[] = []): Promise<Answer<C>> {
    return this.#asked.during(place.module.path, () => this.#ask(place, name, request, parts));
  }

  async #ask<C extends CallName>({ module, token }: Place, name: C, request: RequestOf<C>, parts: readonly Uint8Array[]): Promise<Answer<C>> {
    const { host, loggedIn } = await this.host(module);
    try {
      return await host.call(name, request, parts);
    } catch (error) {
      if (LOST.has(codeIn(error) ?? -1)) {
        loggedIn.delete(keyOf(token));
        for (const [id, place] of this.#connected) if (place.module.path === module.path && keyOf(place.token) === keyOf(token)) this.#fail(id, 'CLUSTER_NOT_FOUND');
      }
      throw meant(error, nameToken(token));
    }
  }

  /** The module's tokens. `fresh`: a module that has no PIN and nothing to do is loaded anew, since some look for tokens only once. */
  async tokens(module: ModuleRecord, { fresh = false } = {}): Promise<readonly (TokenFacts & { readonly loggedIn: boolean })[]> {
    const before = await this.host(module);
    if (fresh && !before.hasPin && !this.#asked.has(module.path)) await this.stopModule(module.path);
    return this.#asked.during(module.path, async () => {
      const { host, loggedIn } = await this.host(module);
      const { reply } = await host.call('tokens', {}).catch((error: unknown) => { throw meant(error, `module \`${module.path}\``); });
      return reply.tokens.map((facts) => ({ ...facts, loggedIn: loggedIn.has(keyOf(facts)) }));
    });
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
    return (await this.#runningAt(module.path))?.loggedIn.has(keyOf(token)) ?? false;
  }

  /** Tokens that are logged in, each with the path of the module that was given its PIN. */
  async logins(): Promise<readonly { readonly path: string; readonly token: TokenName }[]> {
    const all = await Promise.all([...this.#started.keys()].map(async (path) => Array.from((await this.#runningAt(path))?.loggedIn.values() ?? [], (token) => ({ path, token }))));
    return all.flat();
  }

  /** `lastTry`: go on where one more wrong PIN locks the token; `insist`: the command that says so. IncorrectPinException says what the token reports of its tries. */
  login = (place: Place, pin: SecretBytes, { again = false, lastTry = false, insist = INSIST } = {}): Promise<void> => this.#asked.during(place.module.path, () => this.#login(place, pin, { again, lastTry, insist }));
  async #login(place: Place, pin: SecretBytes, { again, lastTry, insist }: Readonly<{ again: boolean; lastTry: boolean; insist: string }>): Promise<void> {
    const { token } = place;
    await this.#assertTries(place, lastTry, insist);
    try {
      // Lent to the frame, which is wiped once it is written.
      const pinBytes = pin.borrow(copy);
      try {
        await this.ask(place, 'login', { token, again }, [pinBytes]);
      } finally {
        pinBytes.fill(0);
      }
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== 'IncorrectPinException') throw error;
      const left = { ok: 'it does not say how many tries are left', low: 'it says that tries are running out', last: 'it says that one try is left', locked: 'it is locked now' }[await this.#pinState(place)];
      throw new VaultError('IncorrectPinException', `${error.message}; ${left}`, error.details === undefined ? undefined : { details: { ...error.details } });
    }
    const running = await this.host(place.module);
    running.loggedIn.set(keyOf(token), token);
    running.hasPin = true;
  }

  /** PinLockedException where a wrong PIN would be one too many. */
  async #assertTries(place: Place, lastTry: boolean, insist = INSIST): Promise<void> {
    const state = await this.#pinState(place);
    if (state === 'locked') throw new VaultError('PinLockedException', `${nameToken(place.token)} has locked its PIN; its security officer has to set a new one`);
    if (state === 'last' && !lastTry) throw new VaultError('PinLockedException', `${nameToken(place.token)} says that one more wrong PIN locks it; if you are sure of yours, try with \`${insist}\``);
  }

  /** PinLockedException, without a try, where one more wrong PIN locks the token: a login says first whether the old one is right. */
  async setPin(place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]): Promise<void> {
    await this.#assertTries(place, false);
    await this.ask(place, 'setPin', { token: place.token }, pins);
  }

  async #pinState({ module, token }: Place): Promise<TokenFacts['pin']> {
    const { host } = await this.host(module);
    const { reply } = await host.call('tokens', {}).catch((error: unknown) => { throw meant(error, nameToken(token)); });
    return reply.tokens.find((facts) => keyOf(facts) === keyOf(token))?.pin ?? 'ok';
  }

  /** Resolves when the store is connected; where it rejects, the store has failed, and says why. */
  async connect(store: KeyStoreRecord, module: ModuleRecord): Promise<void> {
    const { state } = this.connection(store.id);
    assertStore(store.name, state, 'connect');
    if (state === 'CONNECTED' || state === 'CONNECTING') return;
    const place: Place = { module, token: { serial: store.serial, label: store.label } };
    this.#connections.set(store.id, { state: 'CONNECTING' });
    try {
      // Without a PIN: the process has it from an earlier login, or the token is asked for in vain.
      await this.ask(place, 'login', { token: place.token, again: false });
      await this.offer(place);
      (await this.host(module)).loggedIn.set(keyOf(place.token), place.token);
    } catch (error) {
      this.#fail(store.id, needsPin(error) ? 'INVALID_CREDENTIALS' : connectionError(error));
      throw needsPin(error) ? new VaultError('IncorrectPinException', `${nameToken(place.token)} was not logged in since the vault was unlocked; give its PIN with \`keystead hardware unlock-token\`, disconnect the key store and connect it again`) : error;
    }
    this.#assertOpen();
    this.#connected.set(store.id, place);
    this.#connections.set(store.id, { state: 'CONNECTED' });
    this.#ports.changed();
  }

  /** Logs the token out where no other key store uses it. Never rejects for the token's sake: disconnected is disconnected. */
  async disconnect(store: KeyStoreRecord): Promise<void> {
    assertStore(store.name, this.connection(store.id).state, 'disconnect');
    const place = this.#connected.get(store.id);
    this.#connected.delete(store.id);
    this.#connections.delete(store.id);
    this.#ports.changed();
    if (!place || [...this.#connected.values()].some((other) => other.module.path === place.module.path && keyOf(other.token) === keyOf(place.token))) return;
    const running = await this.#runningAt(place.module.path);
    running?.loggedIn.delete(keyOf(place.token));
    await running?.host.call('logout', { token: place.token }).catch(() => undefined);
  }

  /** Where a connected store's keys are. CustomKeyStoreInvalidStateException, or KMSInvalidStateException for a use. */
  placeOf(storeId: string): Place {
    const place = this.#connected.get(storeId);
    if (!place) throw new VaultError('KMSInvalidStateException', `key store \`${storeId}\` is not connected; connect it with \`keystead kms connect-custom-key-store\``);
    return place;
  }

  /** Ends every module's process, those that are being loaded too, for good. */
  async end(): Promise<void> {
    this.#ended = true;
    const paths = [...this.#started.keys()];
    this.#connections.clear();
    this.#connected.clear();
    this.#offers.clear();
    await Promise.all(paths.map((path) => this.stopModule(path)));
  }

  /** Ends one module's process, which nobody is to be logged in to any more. */
  async stopModule(path: string): Promise<void> {
    const started = this.#started.get(path);
    if (!started) return;
    this.#started.delete(path);
    started.stopped = true;
    await started.host?.stop();
    await started.running.catch(() => undefined);
  }
}

const needsPin = (error: unknown): boolean => error instanceof VaultError && error.details?.['returned'] === 'CKR_USER_NOT_LOGGED_IN';
