/** An open vault: the parts of the store put together. Made by `openStore` and `createStore` only. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { Sealer } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { checkRows, type Checked } from './check.ts';
import { Committer } from './commit.ts';
import { openDatabase, type Database } from './database.ts';
import { finishHeader, replaceHeader, type HeaderChange } from './header-change.ts';
import { KINDS, type AnyKind } from './kinds.ts';
import { Outbox } from './outbox.ts';
import type { Committed, OpenOptions, Reader, StoreState, Undelivered, UnitRecord, VaultStore, Writer } from './port.ts';
import { CommittedReader } from './reader.ts';
import { Records } from './records.ts';
import { locked } from './row-source.ts';
import { Rows } from './rows.ts';
import { CURRENT, migrate, tablesOf, verifySchema } from './schema.ts';
import { storeError } from './sqlite-errors.ts';
import { resealAll } from './term-change.ts';
import { WriteQueue } from './write-queue.ts';

export interface StoreDeps {
  readonly random: Random;
  readonly clock: Clock;
  /** The kinds of record in collections; all that the program knows unless given. */
  readonly kinds?: readonly AnyKind[];
}

export interface Parts {
  readonly sealer: Sealer;
  readonly deps: StoreDeps;
  readonly options: OpenOptions;
  /** Of `vault.db`. */
  readonly path: string;
  /** Open for reading. Owned by the store from now on. */
  readonly database: Database;
  readonly rows: Rows;
  readonly checked: Checked;
  /** How far the trail has come. */
  readonly follow: Position | undefined;
}

/** What writing needs; there only once the check has passed. */
interface Writing {
  readonly database: Database;
  readonly rows: Rows;
  readonly committer: Committer;
  readonly queue: WriteQueue;
}

export class OpenStore implements VaultStore {
  readonly reader: Reader;
  readonly #parts: Parts;
  readonly #records: Records;
  readonly #outbox: Outbox;
  #database: Database;
  #writing: Writing | undefined;
  #header: Uint8Array;
  #checked: Promise<void> = Promise.resolve();
  #checking = false;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#database = parts.database;
    this.#header = parts.options.header;
    this.#records = new Records(parts.sealer, parts.rows, parts.deps.kinds ?? KINDS);
    this.#outbox = new Outbox(this.#records);
    this.reader = new CommittedReader(this.#records);
  }

  get state(): StoreState {
    return this.#writing?.committer.state ?? this.#parts.checked.state;
  }

  get checked(): Promise<void> {
    return this.#checked;
  }

  async write<T>(record: UnitRecord<T>, work: (writer: Writer) => Promise<T>): Promise<Committed<T>> {
    return (await this.#forWriting()).queue.write(record, work);
  }

  async changeHeader(header: Uint8Array, record: { readonly intent: Position; readonly headerEpoch: number }): Promise<void> {
    const writing = await this.#forWriting();
    await writing.queue.exclusive(() => this.#replaceHeader(writing, header, record.headerEpoch, record.intent));
  }

  async changeTerm(record: { readonly intent: Position }, progress?: (done: number, total: number) => void): Promise<void> {
    const { sealer, deps } = this.#parts;
    const writing = await this.#forWriting();
    await writing.queue.exclusive(async () => {
      await resealAll({ ...writing, sealer, clock: deps.clock, records: this.#records, header: this.#header }, record.intent, progress);
      const { header, info } = await sealer.call('finishTerm', {});
      await this.#replaceHeader(writing, header, info.headerEpoch, record.intent);
    });
  }

  async follow(trail: Position): Promise<void> {
    const followed = this.#follow(trail);
    if (!this.#checking) return followed;
    followed.catch(() => undefined);
  }

  async #follow(trail: Position): Promise<void> {
    const { queue } = await this.#forWriting();
    await queue.exclusive(async () => {
      if (trail.index > queue.state.trailIndex || this.#outbox.hasDelivered) await queue.commit({ units: [], intent: trail });
    });
  }

  undelivered(): Promise<readonly Undelivered[]> {
    return this.#outbox.undelivered();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** After the check: from now on the file is this process's alone. Finishes a header that was prepared, follows the trail. */
  async beginWriting(format: number, checked: Checked = this.#parts.checked): Promise<void> {
    const { sealer, deps, path, options, follow } = this.#parts;
    // The reading connection holds the log's index in shared memory; the writing one wants the file to itself.
    this.#database.close();
    const database = this.#openForWriting(path, format);
    const rows = new Rows(database, tablesOf(CURRENT));
    this.#records.use(rows);
    const committer = new Committer(sealer, deps.clock, database, rows, checked.state, checked.stateVersion);
    const queue = new WriteQueue(this.#records, committer, this.#outbox, deps.random);
    this.#writing = { database, rows, committer, queue };
    await queue.exclusive(async () => {
      await finishHeader(this.#headerChange(queue), options.header);
      if (follow && follow.index > queue.state.trailIndex) await queue.commit({ units: [], intent: follow });
    });
  }

  /** For a large database. Reads go on; a mismatch is what every write then rejects with. */
  checkInBackground(): void {
    const { sealer, rows, options } = this.#parts;
    this.#checking = true;
    this.#checked = (async () => {
      const checked = await checkRows(sealer, rows, options.header, () => this.#pause());
      await this.beginWriting(CURRENT, checked);
    })().finally(() => { this.#checking = false; });
    this.#checked.catch(() => undefined);
  }

  loadIndex(): void {
    this.#records.load();
  }

  /** VaultReadOnlyException, VaultLockedException, or what the check in the background has found. */
  async #forWriting(): Promise<Writing> {
    if (this.#closing) throw locked();
    if (this.#parts.options.readOnly === true) throw new VaultError('VaultReadOnlyException', 'the vault is open for reading only: close it, restore its folder from a copy, and open that');
    await this.#checked;
    if (this.#writing === undefined) throw locked();
    return this.#writing;
  }

  async #replaceHeader(writing: Writing, header: Uint8Array, headerEpoch: number, intent: Position): Promise<void> {
    await replaceHeader(this.#headerChange(writing.queue), header, headerEpoch, intent);
    this.#header = header;
  }

  #headerChange(queue: WriteQueue): HeaderChange {
    return { folder: this.#parts.options.folder, sealer: this.#parts.sealer, queue };
  }

  /** Goes on reading where it cannot be written. */
  #openForWriting(path: string, format: number): Database {
    try {
      this.#database = openDatabase(path, 'write');
      if (format < CURRENT) migrate(this.#database, format);
      verifySchema(this.#database);
      return this.#database;
    } catch (error) {
      this.#database.close();
      this.#database = openDatabase(path, 'read');
      this.#records.use(new Rows(this.#database, tablesOf(format)));
      throw storeError('open', error);
    }
  }

  /** Between packs of the check: lets reads through, and ends it when the vault is closed. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#closing) throw locked();
  }

  async #close(): Promise<void> {
    // What still checks ends at its next pause.
    await this.#checked.catch(() => undefined);
    await this.#writing?.queue.close();
    this.#records.drop();
    this.#database.close();
  }
}
