/**
 * The tokens of a connected cluster: requests are spread over those that answer, and go to another one where one does not.
 *
 * A request that a token did not answer is a new request to the next one: nothing of the first has left, whatever that token did before it
 * died. So a key may sign twice, and one signature is given out. A key that a token made and did not answer for is nobody's: the next token
 * makes another, under another id.
 */
import type { ConnectionError } from '../../shared/api/kms-key-stores.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import type { Attempt } from '../keyring/ports.ts';
import { connectionError } from './connection.ts';
import { connected, failed, isDue, judge, nextOf, type Health } from './health.ts';
import { samePlace, type Place } from './processes.ts';
import { clusterIdOf } from './token-names.ts';

export interface LiveMember {
  readonly place: Place;
  health: Health;
  inFlight: number;
  answered: number;
  failedOver: number;
  /** It is being tried again now. */
  retrying: boolean;
  /** It joins, and whether it stays is not decided: it is given copies, and asked for nothing. */
  joining: boolean;
}

/** It is asked. */
export const answers = ({ health, joining }: LiveMember): boolean => health.state === 'connected' && !joining;

export interface ClusterPorts {
  readonly now: () => Instant;
  /** Told when a token's health is no longer as it was. */
  readonly changed: () => void;
  /** Told when a token answers that did not before: it may lack what was made meanwhile. */
  readonly returned: () => void;
  /** Rejects where the token is not there, or not logged in. */
  readonly check: (place: Place) => Promise<unknown>;
  /** Logs in without a PIN being given, with a module that looks for the token anew. */
  readonly revive: (place: Place) => Promise<unknown>;
  readonly needsPin: (error: unknown) => boolean;
  /** Whether a process runs that may have its PIN, or its PIN is sealed in the vault and, after this error, may be given. */
  readonly hasPin: (place: Place, error: unknown) => boolean;
}

export class LiveCluster {
  readonly name: string;
  readonly #ports: ClusterPorts;
  #members: readonly LiveMember[] = [];
  #turn = 0;

  constructor(name: string, ports: ClusterPorts) {
    this.name = name;
    this.#ports = ports;
  }

  get members(): readonly LiveMember[] {
    return this.#members;
  }

  /** The first error of those that fail, where none answers. */
  get down(): ConnectionError | undefined {
    if (this.#members.some(answers)) return undefined;
    const [first] = this.#members.flatMap(({ health }) => (health.state === 'failing' ? [health.error] : []));
    return first ?? 'INTERNAL_ERROR';
  }

  memberAt(place: Place): LiveMember | undefined {
    return this.#members.find((member) => samePlace(member.place, place));
  }

  /** `error` undefined: it is logged in. `joining`: of one that is not known yet. */
  add(place: Place, error?: unknown, joining = false): void {
    const known = this.memberAt(place);
    const member: LiveMember = known ?? { place, health: { state: 'connected', since: this.#ports.now() }, inFlight: 0, answered: 0, failedOver: 0, retrying: false, joining };
    if (!known) this.#members = [...this.#members, member];
    if (error !== undefined) return this.fail(member, error);
    const wasAway = member.health.state !== 'connected';
    member.health = connected(member.health, this.#ports.now());
    if (wasAway) this.#ports.returned();
  }

  remove(place: Place): void {
    this.#members = this.#members.filter((member) => !samePlace(member.place, place));
  }

  fail(member: LiveMember, error: unknown): void {
    const waits = this.#ports.needsPin(error) || !this.#ports.hasPin(member.place, error);
    const asks = `give ${nameToken(member.place.token)} its PIN again with \`keystead hardware unlock-token\``;
    const message = waits ? `the token’s process is gone or logged out; ${asks}` : error instanceof VaultError ? error.message : `${nameToken(member.place.token)} failed`;
    member.health = failed(member.health, this.#ports.now(), { error: waits ? 'INVALID_CREDENTIALS' : connectionError(error), message, waits });
    this.#ports.changed();
  }

  /** Tries those again whose time has come; nothing waits for it. */
  tick(): void {
    const at = this.#ports.now();
    for (const member of this.#members) if (!member.retrying && isDue(member.health, at)) void this.#retry(member, this.#ports.revive);
  }

  async #retry(member: LiveMember, how: (place: Place) => Promise<unknown>): Promise<void> {
    member.retrying = true;
    try {
      await how(member.place);
      if (member.health.state === 'failing') {
        member.health = connected(undefined, this.#ports.now());
        this.#ports.changed();
        this.#ports.returned();
      }
    } catch (error) {
      this.fail(member, error);
    } finally {
      member.retrying = false;
    }
  }

  /**
   * The first answer of a token. `attempted` is told of every token that was asked, where it was more than one. Throws what the last one said;
   * KMSInvalidStateException where none answers.
   */
  async use<T>(work: (place: Place) => Promise<T>, attempted?: (attempt: Attempt) => void): Promise<T> {
    this.tick();
    const tried = new Set<LiveMember>();
    const doubted: LiveMember[] = [];
    const errors: VaultError[] = [];
    const tell = (member: LiveMember, outcome: Attempt['outcome']): void => attempted?.({ token: clusterIdOf(member.place.token), outcome });
    for (;;) {
      const members = this.#members.filter(({ joining }) => !joining);
      const member = nextOf(members, tried, (this.#turn += 1));
      if (!member) throw worst(errors) ?? new VaultError('KMSInvalidStateException', `no token of key store \`${this.name}\` answers now; see \`keystead hardware describe-cluster\``);
      tried.add(member);
      member.inFlight += 1;
      try {
        const result = await work(member.place);
        member.answered += 1;
        for (const one of doubted) this.fail(one, new VaultError('KMSInternalException', `${nameToken(one.place.token)} does not open what another token of its cluster opens; see to it, and do not trust it until you know why`));
        if (errors.length > 0) tell(member, 'ok');
        return result;
      } catch (error) {
        const verdict = judge(error);
        if (verdict === 'answer' || !(error instanceof VaultError)) throw error;
        errors.push(error);
        tell(member, error.code);
        // Two say so, or the only one.
        if (verdict === 'doubt' && (doubted.push(member) > 1 || !nextOf(members, tried, 0))) throw error;
        if (verdict !== 'doubt') member.failedOver += 1;
        if (verdict === 'failed') this.fail(member, error);
        // It may be the key alone that is not there.
        if (verdict === 'lacks' && !member.retrying) void this.#retry(member, this.#ports.check);
      } finally {
        member.inFlight -= 1;
      }
    }
  }
}

/** What says most: a token's own fault before a key that is not there, and that before a token that is busy. */
const ORDER = ['InvalidCiphertextException', 'KMSInternalException', 'KMSInvalidStateException', 'KeyUnavailableException', 'ThrottlingException'];
const worst = (errors: readonly VaultError[]): VaultError | undefined => [...errors].sort((a, b) => place(a) - place(b))[0];
const place = ({ code }: VaultError): number => (ORDER.includes(code) ? ORDER.indexOf(code) : ORDER.length);
