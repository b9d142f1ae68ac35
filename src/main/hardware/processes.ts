/**
 * Processes of modules while the vault is unlocked. A module has one that looks at its slots and gets no PIN; each token that is logged in has
 * one of its own, so that none waits for another, and none goes down with another; and one that is alone ends with the one thing that it was
 * begun for.
 *
 * Defends against: a module that is not the one agreed to; a process that comes up after lock, or after it was stopped.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { ModuleHost } from '../backends/pkcs11/client.ts';
import { meant, nameToken } from '../backends/pkcs11/errors.ts';
import { keyOf, type ReplyOf, type TokenName } from '../backends/pkcs11/protocol.ts';
import type { Asked } from './asked.ts';
import type { ModuleRecord } from './kinds.ts';
import { lookAtModule, type ModuleFile } from './module-file.ts';

export interface ProcessPorts {
  /** Starts a process for a module. */
  readonly startHost: (path: string) => ModuleHost;
  /** The user that the vault runs as. */
  readonly uid: number;
}

export interface Running {
  readonly host: ModuleHost;
  readonly info: ReplyOf<'load'>;
  /** Tokens that are logged in here, by `keyOf`. */
  readonly loggedIn: Map<string, TokenName>;
}

/** A module's process from the moment that somebody wants it. */
interface Started {
  readonly path: string;
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

export const samePlace = (a: Place, b: Place): boolean => a.module.path === b.module.path && keyOf(a.token) === keyOf(b.token);
const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');

export class ModuleProcesses {
  readonly #ports: ProcessPorts;
  /** Told when a process has gone, `crashed` of its own accord. `key` as `keyFor` gives it. */
  readonly #gone: (key: string, crashed: boolean) => void;
  readonly #started = new Map<string, Started>();
  /** Tokens that nobody may log in to now, by `keyOf`. */
  readonly #shut = new Set<string>();
  #ended = false;

  constructor(ports: ProcessPorts, gone: (key: string, crashed: boolean) => void) {
    this.#ports = ports;
    this.#gone = gone;
  }

  look(path: string): Promise<ModuleFile> {
    return lookAtModule(path, this.#ports.uid);
  }

  get ended(): boolean {
    return this.#ended;
  }

  assertOpen(): void {
    if (this.#ended) throw locked();
  }

  /** One that is running or on its way. */
  async runningAt(key: string): Promise<Running | undefined> {
    return this.#started.get(key)?.running.catch(() => undefined);
  }

  /** Of a module: its own, and those of its tokens. */
  async allOf(path?: string): Promise<readonly { readonly path: string; readonly running: Running }[]> {
    const wanted = [...this.#started.values()].filter((started) => path === undefined || started.path === path);
    const all = await Promise.all(wanted.map(async (started) => ({ path: started.path, running: await started.running.catch(() => undefined) })));
    return all.flatMap(({ path: at, running }) => (running ? [{ path: at, running }] : []));
  }

  /** Which process a token's calls go to. `login`: to its own, which is started for it. */
  keyFor({ module: { path }, token }: Place, login = false): string {
    const own = `${path}\n${keyOf(token)}`;
    return login || this.#started.has(own) ? own : path;
  }

  /** Whether a process runs that may have this token's PIN. */
  isAtHome(place: Place): boolean {
    return this.#started.has(this.keyFor(place, true));
  }

  /** A process that was begun for a login that failed is ended, where nobody else asks it: some modules would never see in it that a token is back. */
  async forLogin(place: Place, asked: Asked, work: () => Promise<unknown>): Promise<void> {
    if (this.#shut.has(keyOf(place.token))) throw new VaultError('KMSInvalidStateException', `${nameToken(place.token)} is being initialised, or given a new PIN; try again when that is done`);
    const isNew = !this.isAtHome(place);
    const key = this.keyFor(place, true);
    try {
      await work();
    } catch (error) {
      if (isNew && !asked.has(key)) await this.stop(key);
      throw error;
    }
  }

  /** Nobody logs in to the token while `work` runs, and what was logged in is ended before. KMSInvalidStateException where that is so already. */
  async withoutLogin<T>(token: TokenName, work: () => Promise<T>): Promise<T> {
    const name = keyOf(token);
    if (this.#shut.has(name)) throw new VaultError('KMSInvalidStateException', `${nameToken(token)} is being initialised, or given a new PIN, already`);
    this.#shut.add(name);
    try {
      await this.stopOf(token);
      return await work();
    } finally {
      this.#shut.delete(name);
    }
  }

  /** Loads the module where it is not running. ModuleRefusedException, FileNotReadableException, VaultLockedException. */
  async host(module: ModuleRecord, key = module.path): Promise<Running> {
    this.assertOpen();
    const known = this.#started.get(key);
    if (known) return known.running;
    // A login may have been let through before the token was shut, and come here after.
    if ([...this.#shut].some((name) => key === `${module.path}\n${name}`)) throw new VaultError('KMSInvalidStateException', 'the token is being initialised, or given a new PIN; try again when that is done');
    const start = { path: module.path, stopped: false } as { -readonly [K in keyof Started]: Started[K] };
    start.running = this.#start(module, key, start);
    this.#started.set(key, start);
    start.running.catch(() => { this.#drop(key, start); });
    return start.running;
  }

  /** Only this one: another may have been started in its place. */
  #drop(key: string, started: Started): void {
    if (this.#started.get(key) === started) this.#started.delete(key);
  }

  /** A process that nobody else uses and that is gone when `work` ends: what it was given goes with it. */
  async alone<T>(module: ModuleRecord, work: (host: ModuleHost) => Promise<T>): Promise<T> {
    const key = `${module.path}\n\n${String((this.#alone += 1))}`;
    try {
      return await work((await this.host(module, key)).host);
    } finally {
      await this.stop(key);
    }
  }
  #alone = 0;

  async #start({ path, sha256, parameters }: ModuleRecord, key: string, start: Started): Promise<Running> {
    const file = await this.look(path);
    if (file.sha256 !== sha256) throw new VaultError('ModuleRefusedException', `module \`${path}\` is another file than you agreed to and was not loaded; if you changed it, agree with \`keystead hardware update-module\``, { details: { sha256: file.sha256 } });
    // INVARIANT: nothing waits between this and the process that `end` and `stop` can see.
    this.#assertWanted(path, start);
    const host = this.#ports.startHost(path);
    start.host = host;
    try {
      const { reply } = await host.call('load', { path, ...(parameters === undefined ? {} : { parameters }) });
      this.#assertWanted(path, start);
      void host.gone.then(() => {
        if (this.#started.get(key) !== start) return;
        this.#drop(key, start);
        this.#gone(key, true);
      });
      return { host, info: reply, loggedIn: new Map() };
    } catch (error) {
      const gone = host.isGone;
      await host.stop();
      this.#assertWanted(path, start);
      if (gone) throw new VaultError('ModuleRefusedException', `module \`${path}\` crashed or hung while it was loaded; check it with the tools of its vendor`);
      throw meant(error, `module \`${path}\``);
    }
  }

  #assertWanted(path: string, { stopped }: Started): void {
    this.assertOpen();
    if (stopped) throw new VaultError('KMSInternalException', `module \`${path}\` was stopped while it was loaded; try again`);
  }

  /** Ends every process, those that are being loaded too, for good. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#started.keys()].map((key) => this.stop(key)));
  }

  /** Ends a module's processes, which nobody is to be logged in to any more. */
  async stopModule(path: string): Promise<void> {
    await Promise.all([...this.#started].filter(([, started]) => started.path === path).map(([key]) => this.stop(key)));
  }

  /** Ends a token's own process, in whatever module it is. */
  async stopOf(token: TokenName): Promise<void> {
    await Promise.all([...this.#started.keys()].filter((key) => key.endsWith(`\n${keyOf(token)}`)).map((key) => this.stop(key)));
  }

  async stop(key: string): Promise<void> {
    const started = this.#started.get(key);
    if (!started) return;
    this.#started.delete(key);
    started.stopped = true;
    this.#gone(key, false);
    await started.host?.stop();
    await started.running.catch(() => undefined);
  }
}
