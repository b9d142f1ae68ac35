/**
 * Calls to tokens, each in the process that is its: one that looks at a module's slots, one for each token that is logged in, and one that is
 * gone afterwards for what a security officer does and for a PIN that is changed while nobody is logged in.
 *
 * Defends against: a PIN in a process that lives on, or that another token's calls go to; a token that is erased while somebody is logged in.
 */
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Answer, ModuleHost } from '../backends/pkcs11/client.ts';
import { LOST } from '../backends/pkcs11/cryptoki.ts';
import { codeIn, meant, nameToken } from '../backends/pkcs11/errors.ts';
import { withRefused, type MechanismFacts, type Offer } from '../backends/pkcs11/mechanisms.ts';
import { keyOf, type CallName, type ReplyOf, type RequestOf, type TokenFacts, type TokenName } from '../backends/pkcs11/protocol.ts';
import { Asked } from './asked.ts';
import type { ModuleRecord } from './kinds.ts';
import type { ModuleFile } from './module-file.ts';
import { PinTries, type Insisting } from './pin-tries.ts';
import { ModuleProcesses, type Place, type ProcessPorts, type Running } from './processes.ts';

export type TokenLogin = Partial<Insisting> & { readonly again?: boolean };

const officerOf = ({ token }: Place): string => `${nameToken(token)}, asked as its security officer,`;

export abstract class TokenCalls {
  protected readonly processes: ModuleProcesses;
  readonly #offers = new Map<string, Offer>();
  /** By what the token lists. */
  readonly #makeable = new WeakMap<Offer, Offer>();
  readonly #crashes = new Map<string, number>();
  readonly #asked = new Asked();
  readonly #tries: PinTries;
  readonly #failedAt = new WeakMap<Error, Place>();

  constructor(ports: ProcessPorts) {
    this.processes = new ModuleProcesses(ports, (key, crashed) => {
      const [path = ''] = key.split('\n');
      if (crashed) this.#crashes.set(path, this.crashes(path) + 1);
      this.hostGone(key, crashed);
      for (const offer of this.#offers.keys()) if (offer.startsWith(`${path}\n`)) this.#offers.delete(offer);
    });
    this.#tries = new PinTries({
      login: (place, again, pin) => this.ask(place, 'login', { token: place.token, again }, [pin]),
      // The token's own process has the old one, and keeps the new one for the next login.
      setPin: (place, pins) => (this.processes.isAtHome(place) ? this.ask(place, 'setPin', { token: place.token }, pins) : this.#apart(place, 'setPin', { token: place.token }, pins)),
      tokens: ({ module, token }) => this.#seen(module, nameToken(token)),
    });
  }

  /** A process has gone, and every login in it. `key` as `ModuleProcesses.keyFor` gives it. */
  protected abstract hostGone(key: string, crashed: boolean): void;
  /** Nobody is logged in to the token any more, though its process runs. */
  protected abstract loginLost(place: Place): void;

  look(path: string): Promise<ModuleFile> {
    return this.processes.look(path);
  }

  /** How often a process of this module ended by itself, once it was loaded. */
  crashes(path: string): number {
    return this.#crashes.get(path) ?? 0;
  }

  /** What a running module says of itself; undefined while it is not loaded. */
  async info(path: string): Promise<ReplyOf<'load'> | undefined> {
    return (await this.processes.allOf(path))[0]?.running.info;
  }

  /** Loads the module where it is not running. ModuleRefusedException, FileNotReadableException, VaultLockedException. */
  host(module: ModuleRecord): Promise<Running> {
    return this.processes.host(module);
  }

  /** A call about one token; what fails is said of the token by its name. A login that is lost fails the token's key stores. */
  ask<C extends CallName>(place: Place, name: C, request: RequestOf<C>, parts: readonly Uint8Array[] = []): Promise<Answer<C>> {
    const key = this.processes.keyFor(place, name === 'login');
    return this.#asked.during(key, () => this.#ask(place, key, name, request, parts));
  }

  async #ask<C extends CallName>(place: Place, key: string, name: C, request: RequestOf<C>, parts: readonly Uint8Array[]): Promise<Answer<C>> {
    const { module, token } = place;
    const { host, loggedIn } = await this.processes.host(module, key);
    try {
      return await host.call(name, request, parts);
    } catch (error) {
      if (LOST.has(codeIn(error) ?? -1)) {
        loggedIn.delete(keyOf(token));
        this.loginLost(place);
      }
      throw this.#failure(error, place);
    }
  }

  #failure(error: unknown, place: Place, subject = nameToken(place.token)): Error {
    const failure = meant(error, subject);
    this.#failedAt.set(failure, place);
    return failure;
  }

  /** The token that a call failed at, of an error that a call was rejected with. */
  failedAt(error: unknown): Place | undefined {
    return error instanceof Error ? this.#failedAt.get(error) : undefined;
  }

  /** One call in a process that nobody else uses, and that is gone with what it was given before this resolves. */
  #apart<C extends CallName>(place: Place, name: C, request: RequestOf<C>, pins: readonly Uint8Array[], subject?: string): Promise<Answer<C>> {
    return this.processes.alone(place.module, (host: ModuleHost) => host.call(name, request, pins).catch((error: unknown) => { throw this.#failure(error, place, subject); }));
  }

  /** What a token's security officer does; the first of `pins` is theirs. IncorrectPinException and PinLockedException say what the token reports of their tries. */
  asOfficer<C extends CallName>(place: Place, name: C, request: RequestOf<C>, pins: readonly Uint8Array[], insisting: Insisting): Promise<Answer<C>> {
    return this.#tries.asOfficer(place, insisting, () => this.#apart(place, name, request, pins, officerOf(place)));
  }

  /** The same where nobody may be logged in meanwhile; whoever was is no more. */
  #asOfficerAlone<C extends CallName>(place: Place, name: C, request: RequestOf<C>, pins: readonly Uint8Array[], insisting: Insisting): Promise<Answer<C>> {
    return this.#tries.asOfficer(place, insisting, () => this.processes.withoutLogin(place.token, () => this.#apart(place, name, request, pins, officerOf(place))));
  }

  /** Erases a token. `before`: as `tokens` has it; where another one is in its slot by then, nothing is erased. Whoever was logged in is no more. */
  async initToken(module: ModuleRecord, before: TokenFacts, label: string, pins: readonly [officer: Uint8Array, user: Uint8Array], insisting: Insisting): Promise<ReplyOf<'initToken'>> {
    const { slot, serial, label: old, initialized } = before;
    const place: Place = { module, token: { serial, label: old } };
    const request = { slot, label, expected: { serial, label: old, initialized } };
    const { reply } = await (initialized ? this.#asOfficerAlone(place, 'initToken', request, pins, insisting) : this.#apart(place, 'initToken', request, pins));
    // The process that looks has loaded its module before that.
    if (!this.#asked.has(module.path)) await this.#lookAnew(module);
    return reply;
  }

  /** Gives the user a new PIN where the old one is locked or forgotten. Whoever was logged in is no more. */
  async resetPin(place: Place, pins: readonly [officer: Uint8Array, fresh: Uint8Array], insisting: Insisting): Promise<void> {
    const { module, token } = place;
    await this.#asOfficerAlone(place, 'resetPin', { token }, pins, insisting);
    // The process that looks has loaded its module before that.
    if (!this.#asked.has(module.path)) await this.#lookAnew(module);
  }

  /** The module's tokens. `fresh`: its process, where it has nothing to do, begins anew, since some modules look for tokens only once. */
  async tokens(module: ModuleRecord, { fresh = false } = {}): Promise<readonly (TokenFacts & { readonly loggedIn: boolean })[]> {
    if (fresh && !this.#asked.has(module.path)) await this.#lookAnew(module);
    const tokens = await this.#seen(module, `module \`${module.path}\``);
    const loggedIn = new Set((await this.processes.allOf(module.path)).flatMap(({ running }) => [...running.loggedIn.keys()]));
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
    if (file?.sha256 !== module.sha256) await this.processes.stop(module.path);
    else await host.call('rescan', {}).catch(() => this.processes.stop(module.path));
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

  /**
   * As `offer`, without the curves that the token refuses: for whoever is to choose a key to make. Tried once for each process of its module,
   * as far as the token said anything; where it cannot be tried, the token's list stands.
   */
  async makeable(place: Place): Promise<Offer> {
    const offer = await this.offer(place);
    const known = this.#makeable.get(offer);
    if (known) return known;
    const curves = await this.ask(place, 'curves', { token: place.token }).then(({ reply }) => reply, () => undefined);
    if (!curves) return offer;
    const makeable = withRefused(offer, curves.refused);
    if (curves.made.length > 0) this.#makeable.set(offer, makeable);
    return makeable;
  }

  async isLoggedIn({ module, token }: Place): Promise<boolean> {
    return (await this.processes.allOf(module.path)).some(({ running }) => running.loggedIn.has(keyOf(token)));
  }

  /** Tokens that are logged in, each with the path of the module that was given its PIN. */
  async logins(): Promise<readonly { readonly path: string; readonly token: TokenName }[]> {
    return (await this.processes.allOf()).flatMap(({ path, running }) => Array.from(running.loggedIn.values(), (token) => ({ path, token })));
  }

  /** `lastTry`: go on where one more wrong PIN locks the token; `insist`: the command that says so. IncorrectPinException says what the token reports of its tries. */
  async login(place: Place, pin: SecretBytes, { again = false, lastTry = false, insist }: TokenLogin = {}): Promise<void> {
    await this.processes.forLogin(place, this.#asked, () => this.#tries.login(place, pin, again, { lastTry, ...(insist === undefined ? {} : { insist }) }));
    await this.noteLogin(place);
  }

  protected async noteLogin(place: Place): Promise<void> {
    (await this.processes.host(place.module, this.processes.keyFor(place))).loggedIn.set(keyOf(place.token), place.token);
  }

  /** PinLockedException, without a try, where one more wrong PIN locks the token: a login says first whether the old one is right. */
  setPin(place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]): Promise<void> {
    return this.#tries.setPin(place, pins);
  }

  /** Without a PIN: the token's process has it from an earlier login, or the token is asked for in vain. */
  protected async reach(place: Place): Promise<void> {
    await this.processes.forLogin(place, this.#asked, () => this.ask(place, 'login', { token: place.token, again: false }));
    await this.offer(place);
    await this.noteLogin(place);
  }

  /** Nobody is logged in afterwards, and no process has the token's PIN. Never rejects. */
  async logOut({ token }: Place): Promise<void> {
    await this.processes.stopOf(token);
  }

  /** Ends every module's process, those that are being loaded too, for good. */
  async end(): Promise<void> {
    this.#offers.clear();
    await this.processes.end();
  }

  /** Ends a module's processes, which nobody is to be logged in to any more. */
  stopModule(path: string): Promise<void> {
    return this.processes.stopModule(path);
  }
}
