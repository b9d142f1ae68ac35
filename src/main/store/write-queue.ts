/**
 * The one writer. Works of several callers run at the same time, each on the records as they were when it began; when
 * they are done they commit in groups, one transaction for all that wait. A unit whose names were touched meanwhile by
 * another is run again; the third time it runs alone, so that it ends.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Random } from '../platform/ports.ts';
import type { Change, SealedChange } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { SCHEMA, encodeOutcome } from './codecs.ts';
import { UnitFailure, type Committer, type Transaction } from './commit.ts';
import type { Outbox } from './outbox.ts';
import type { Committed, StoreState, UnitRecord, Writer } from './port.ts';
import type { Records } from './records.ts';
import { locked } from './row-source.ts';
import { changesOf, publish, touchedNames, type StagedChanges } from './staged.ts';
import { Unit } from './unit.ts';

/** Units in one transaction: bounds what one failure makes run again, and the time that the event loop stands still. */
const GROUP_LIMIT = 128;
const TRIES_TOGETHER = 2;
/** Names that are kept before those that no running unit can ask for are dropped. */
const FORGET_ABOVE = 10_000;

/** A unit whose work is done, waiting for a transaction. */
interface Ready {
  readonly unit: Unit;
  readonly staged: StagedChanges;
  readonly intent: Position;
  /** Calls the caller's `outcome`. */
  outcome(epoch: number): Uint8Array;
  committed(outcome: Uint8Array, epoch: number, delivered: () => void): void;
  failed(error: unknown): void;
  stale(): void;
}

/** A unit with its changes in this transaction; the outbox row comes last. */
interface Prepared {
  readonly ready: Ready;
  readonly changes: readonly Change[];
  readonly outcome: Uint8Array;
  readonly outboxRow: Uint8Array;
}

export class WriteQueue {
  readonly #records: Records;
  readonly #committer: Committer;
  readonly #outbox: Outbox;
  readonly #random: Random;
  readonly #ready: Ready[] = [];
  readonly #running = new Set<Unit>();
  /** Name → the commit that touched it last, as far back as a unit that still runs began. */
  readonly #touched = new Map<string, number>();
  #commits = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(records: Records, committer: Committer, outbox: Outbox, random: Random) {
    this.#records = records;
    this.#committer = committer;
    this.#outbox = outbox;
    this.#random = random;
  }

  get state(): StoreState {
    return this.#committer.state;
  }

  async write<T>(record: UnitRecord<T>, work: (writer: Writer) => Promise<T>): Promise<Committed<T>> {
    for (let attempt = 1; attempt <= TRIES_TOGETHER; attempt++) {
      const done = await this.#attempt(record, work, (ready) => this.#enqueue(ready));
      if (done) return done;
    }
    return this.exclusive(async () => {
      const done = await this.#attempt(record, work, (ready) => this.#group([ready]));
      if (done) return done;
      throw new VaultError('InternalException', 'a unit of work was overtaken while it ran alone, report this');
    });
  }

  /** Runs `task` while no transaction of anyone else is made. `task` must not call `write`. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#closed) throw locked();
      return task();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** For one who has the turn. Removes the delivered outcomes along with it. */
  async commit(transaction: Transaction): Promise<readonly (readonly SealedChange[])[]> {
    const delivered = this.#outbox.takeDelivered();
    try {
      const sealed = await this.#committer.commit({ ...transaction, units: [...transaction.units, delivered] });
      return sealed.slice(0, -1);
    } catch (error) {
      this.#outbox.putBack(delivered);
      throw error;
    }
  }

  /** Lets the transaction that is being made end, refuses all others, removes the delivered outcomes where it can. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const last = this.exclusive(async () => {
      this.#closed = true;
      for (const ready of this.#ready.splice(0)) ready.failed(locked());
      if (this.#outbox.hasDelivered) await this.commit({ units: [] });
      await this.#committer.settle();
    });
    // Whatever fails here was durable before, or is done again after the next opening.
    await last.catch(() => undefined);
  }

  /** Undefined when the unit has to be run again. */
  async #attempt<T>(record: UnitRecord<T>, work: (writer: Writer) => Promise<T>, submit: (ready: Ready) => void | Promise<void>): Promise<Committed<T> | undefined> {
    if (this.#closed) throw locked();
    if (this.#committer.stopped) throw this.#committer.stopped;
    const unit = new Unit(this.#records, this.#random, this.#commits);
    this.#running.add(unit);
    try {
      let value: T;
      let staged: StagedChanges;
      try {
        value = await work(unit);
        staged = await unit.finish();
      } catch (error) {
        // It may have failed only because it saw one record before and another after a commit.
        if (this.#isStale(unit, undefined, undefined)) return undefined;
        throw error;
      }
      return await new Promise<Committed<T> | undefined>((resolve, reject) => {
        const ready: Ready = {
          unit,
          staged,
          intent: record.intent,
          outcome: (epoch) => record.outcome(value, epoch),
          committed: (outcome, epoch, delivered) => {
            resolve({ value, epoch, outcome, delivered });
          },
          failed: reject,
          stale: () => {
            resolve(undefined);
          },
        };
        Promise.resolve(submit(ready)).catch(reject);
      });
    } finally {
      this.#running.delete(unit);
      this.#forgetTouched();
    }
  }

  #enqueue(ready: Ready): void {
    this.#ready.push(ready);
    if (this.#ready.length > 1) return;
    // The group is what has gathered by the time that the transaction before it is done.
    this.exclusive(async () => {
      while (this.#ready.length > 0) await this.#group(this.#ready.splice(0, GROUP_LIMIT));
    }).catch((error: unknown) => {
      for (const waiting of this.#ready.splice(0)) waiting.failed(error);
    });
  }

  /** Commits, fails or sends back every one of `group`. Never rejects. */
  async #group(group: readonly Ready[]): Promise<void> {
    const touched = new Set<string>();
    let waiting: Ready[] = [];
    for (const ready of group) {
      if (this.#isStale(ready.unit, ready.staged, touched)) {
        ready.stale();
        continue;
      }
      for (const name of touchedNames(ready.staged)) touched.add(name);
      waiting.push(ready);
    }
    while (waiting.length > 0) {
      const failure = await this.#commitGroup(waiting);
      if (failure === undefined) return;
      const blamed = failure instanceof UnitFailure ? waiting[failure.unit] : undefined;
      if (failure instanceof UnitFailure && blamed) {
        blamed.failed(failure.failure);
        waiting = waiting.filter((ready) => ready !== blamed);
      } else {
        // A disk that is full for all may have room for one; whoever fails alone has failed for itself.
        if (waiting.length > 1 && this.#committer.stopped === undefined) {
          for (const ready of waiting) await this.#group([ready]);
        } else {
          for (const ready of waiting) ready.failed(failure);
        }
        return;
      }
    }
  }

  /** Undefined when all of them are committed and told so. */
  async #commitGroup(group: readonly Ready[]): Promise<unknown> {
    const epoch = this.#committer.state.epoch + 1;
    const units: Prepared[] = [];
    try {
      for (const [order, ready] of group.entries()) units.push(this.#prepare(ready, order, epoch));
      const intent = group.reduce((highest, { intent }) => (intent.index > highest.index ? intent : highest), group[0]?.intent ?? { index: -1, hash: new Uint8Array(0) });
      const sealed = await this.commit({ units: units.map(({ changes }) => changes), intent });
      this.#commits++;
      for (const [order, { ready, outcome, outboxRow }] of units.entries()) {
        for (const name of touchedNames(ready.staged)) this.#touched.set(name, this.#commits);
        publish(ready.staged, this.#records);
        const row = { rowId: outboxRow, tag: sealed[order]?.at(-1)?.tag ?? new Uint8Array(0) };
        ready.committed(outcome, epoch, () => {
          this.#outbox.delivered(row);
        });
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #prepare(ready: Ready, order: number, epoch: number): Prepared {
    try {
      const outcome = ready.outcome(epoch);
      const outboxRow = this.#random.bytes(16);
      const entry: Change = { kind: 'put', table: 'outbox', rowId: outboxRow, version: 1, schema: SCHEMA.outbox, plain: encodeOutcome({ epoch, order, body: outcome }) };
      return { ready, changes: [...changesOf(ready.staged, this.#records.rows), entry], outcome, outboxRow };
    } catch (error) {
      throw new UnitFailure(order, error instanceof VaultError ? error : new VaultError('InternalException', 'the outcome of an operation could not be written, report this', { cause: error }));
    }
  }

  /** Whether a name that the unit depends on was touched since it began, by a commit or by `group`. */
  #isStale(unit: Unit, staged: StagedChanges | undefined, group: ReadonlySet<string> | undefined): boolean {
    for (const name of unit.dependsOn(staged)) {
      if ((this.#touched.get(name) ?? 0) > unit.started || group?.has(name) === true) return true;
    }
    return false;
  }

  #forgetTouched(): void {
    if (this.#running.size === 0) {
      this.#touched.clear();
    } else if (this.#touched.size > FORGET_ABOVE) {
      const oldest = Math.min(...[...this.#running].map(({ started }) => started));
      for (const [name, commit] of this.#touched) if (commit <= oldest) this.#touched.delete(name);
    }
  }
}

