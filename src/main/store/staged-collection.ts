/** What one unit of work does with one collection: its reads, its own changes laid over the committed records. */
import type { Page } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { Change } from '../seal/protocol.ts';
import type { CollectionWriter } from './collection.ts';
import type { CommittedCollection } from './committed-collection.ts';
import { missing, NO_ROW, overlay, taken, type Intent } from './overlay.ts';
import type { Rows } from './rows.ts';
import { NAME, put, removal, type Staged, type StagedRows } from './staged.ts';

const ROW_ID = 16;

export class StagedCollection<R, E> implements CollectionWriter<R, E> {
  readonly #committed: CommittedCollection<R, E>;
  readonly #random: Random;
  readonly #own = new Map<string, Intent<R>>();
  #together: Uint8Array | undefined;
  /** Notes what the unit depends on. */
  readonly #read: (name: string) => void;
  /** Throws when the unit is over. */
  readonly #open: () => void;

  constructor(committed: CommittedCollection<R, E>, random: Random, read: (name: string) => void, open: () => void) {
    this.#committed = committed;
    this.#random = random;
    this.#read = read;
    this.#open = open;
  }

  get revision(): number {
    return this.#committed.revision + this.#own.size;
  }

  async get(key: string): Promise<R | undefined> {
    this.#read(NAME.record(this.#committed.kind.table, key));
    const own = this.#own.get(key);
    if (own) return own.kind === 'remove' ? undefined : own.record;
    return this.#committed.get(key);
  }

  page({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<Page<R>> {
    const { kind } = this.#committed;
    this.#read(NAME.collection(kind.table));
    return overlay(after, limit, this.#own, async (from, count) =>
      (await this.#committed.pageAfter(from, count)).map(({ rowId, value }) => ({ rowId, name: kind.key(value), record: value })),
    );
  }

  async entries(): Promise<Iterable<readonly [string, E]>> {
    this.#read(NAME.collection(this.#committed.kind.table));
    return this.#over(await this.#committed.entries());
  }

  insert(record: R): void {
    this.#open();
    const key = this.#committed.kind.key(record);
    const own = this.#own.get(key);
    if (own && own.kind !== 'remove') throw taken(this.#named(key));
    // Removed and made again: the same row goes on.
    this.#own.set(key, own ? { kind: 'update', record, rowId: NO_ROW } : { kind: 'insert', record, rowId: this.#newRow() });
  }

  update(record: R): void {
    this.#open();
    const key = this.#committed.kind.key(record);
    const own = this.#own.get(key);
    if (own?.kind === 'remove') throw missing(this.#named(key));
    this.#own.set(key, { kind: own?.kind ?? 'update', record, rowId: own?.rowId ?? NO_ROW });
  }

  remove(key: string): void {
    this.#open();
    const own = this.#own.get(key);
    if (own?.kind === 'remove') throw missing(this.#named(key));
    if (own?.kind === 'insert') this.#own.delete(key);
    else this.#own.set(key, { kind: 'remove', rowId: NO_ROW });
  }

  /** Finds the rows of what was changed. AlreadyExistsException, NotFoundException. */
  async finish(): Promise<StagedRows> {
    const staged = new Map<string, Staged<R>>();
    for (const [key, own] of this.#own) {
      // Without an index in memory the unique column says whether it is taken.
      const found = own.kind === 'insert' && !this.#committed.loaded ? undefined : await this.#committed.find(key);
      if (own.kind === 'insert' && found) throw taken(this.#named(key));
      if (own.kind !== 'insert' && !found) throw missing(this.#named(key));
      staged.set(key, { rowId: found?.rowId ?? own.rowId, ...(found ? { before: found.value } : {}), ...(own.kind === 'remove' ? {} : { after: own.record }) });
    }
    return stagedRows(this.#committed, staged);
  }

  /**
   * 16 random bytes; those of one unit share the first 8, so that what is written together lies together: a hundred new rows in a few pages
   * of the file and not in one each. Whoever has the file sees which rows were
   * made together, and nothing else does: SECURITY.md says so.
   */
  #newRow(): Uint8Array {
    const row = this.#random.bytes(ROW_ID);
    this.#together ??= row.slice(0, ROW_ID / 2);
    row.set(this.#together);
    return row;
  }

  #named(key: string): string {
    return `${this.#committed.kind.what} of the name \`${key}\``;
  }

  *#over(committed: Iterable<readonly [string, E]>): Generator<readonly [string, E]> {
    const { entry } = this.#committed.kind;
    for (const one of committed) if (!this.#own.has(one[0])) yield one;
    for (const [key, own] of this.#own) if (entry && own.kind !== 'remove') yield [key, entry(own.record)];
  }
}

/** The rest of the store sees changes of collections only so: which names, which rows, and how they are told once committed. */
function stagedRows<R, E>(committed: CommittedCollection<R, E>, staged: ReadonlyMap<string, Staged<R>>): StagedRows {
  const { kind } = committed;
  return {
    *checked() {
      for (const key of staged.keys()) yield NAME.record(kind.table, key);
    },
    *touched() {
      if (staged.size > 0) yield NAME.collection(kind.table);
    },
    *changes(rows: Rows): Generator<Change> {
      for (const [key, { rowId, before, after }] of staged) {
        if (after === undefined) yield removal(rows, kind.table, rowId);
        else yield put(rows, kind.table, kind.schema, rowId, before !== undefined, kind.encode(after), key);
      }
    },
    publish() {
      for (const [key, { rowId, after }] of staged) committed.publish(rowId, key, after);
    },
  };
}
