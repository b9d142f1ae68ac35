/** One collection's records as of the last committed transaction. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Page } from '../keyring/ports.ts';
import { CollectionIndex } from './collection-index.ts';
import type { CollectionReader, Kind } from './collection.ts';
import { checkLimit, decodeMarker, pageOf } from './markers.ts';
import { RecordCache, type Opened } from './record-cache.ts';
import { misplaced, type Decode, type RowSource } from './row-source.ts';
import type { StoredRow } from './rows.ts';
import { checkSchema } from './strict.ts';

/** Rows that are opened in one call while the index is filled. */
const CHUNK = 256;
/** Keys whose rows are remembered: as many as records are, and more. */
const FOUND_LIMIT = 8192;

export class CommittedCollection<R, E> implements CollectionReader<R, E> {
  readonly kind: Kind<R, E>;
  readonly #records: RowSource;
  readonly #index: CollectionIndex<E> | undefined;
  readonly #cache = new RecordCache<R>();
  /** Without an index: rows that were found lately, by key, so that the sealer need not be asked for the blind value of each again. */
  readonly #found = new Map<string, Uint8Array>();
  readonly #decode: Decode<R>;
  #loading: Promise<void> = Promise.resolve();
  #revision = 0;

  constructor(kind: Kind<R, E>, records: RowSource) {
    this.kind = kind;
    this.#records = records;
    if (kind.entry) this.#index = new CollectionIndex<E>(kind.table);
    this.#decode = (schema, plain) => {
      checkSchema(kind.table, schema, kind.schema);
      return kind.decode(schema, plain);
    };
  }

  get revision(): number {
    return this.#revision;
  }

  /** Whether memory says that a key is free: else asking costs a call of the sealer's, and the unique column says it for nothing. */
  get loaded(): boolean {
    return this.#index?.loaded === true;
  }

  async get(key: string): Promise<R | undefined> {
    return (await this.find(key))?.value;
  }

  async page({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<Page<R>> {
    checkLimit(limit);
    return pageOf(await this.pageAfter(decodeMarker(after), limit + 1), limit, (record) => record);
  }

  async entries(): Promise<Iterable<readonly [string, E]>> {
    if (this.#index === undefined) throw new VaultError('InternalException', `the records of \`${this.kind.table}\` have no entries, report this`);
    await this.#loaded();
    return this.#index.entries();
  }

  async find(key: string): Promise<Opened<R> | undefined> {
    const { table } = this.kind;
    this.#records.checkOpen();
    const known = this.#index?.row(key) ?? this.#found.get(key);
    if (known === undefined && this.#index?.loaded === true) return undefined;
    const rowId = known ?? (await this.#records.rowByBlind(table, key));
    const found = rowId === undefined ? undefined : await this.#records.at(table, rowId, this.#cache, this.#decode);
    if (found !== undefined) {
      if (this.kind.key(found.value) !== key) throw misplaced(table);
      if (known === undefined && this.#index === undefined) this.#remember(key, found.rowId);
      return found;
    }
    if (this.#found.delete(key)) return this.find(key);
    if (this.#index === undefined || this.#index.loaded) return undefined;
    // The blind column is not authenticated: that a key does not exist is said by the whole index only.
    await this.#loaded();
    return this.find(key);
  }

  /** Up to `limit` records in the order of their rows; not kept in the cache, which a listing would empty. */
  pageAfter(after: Uint8Array, limit: number): Promise<Opened<R>[]> {
    return this.#records.pageOf(this.kind.table, after, limit, this.#decode);
  }

  /** Keys of rows, in their order, for re-encryption. */
  async keysOf(rows: readonly StoredRow[]): Promise<string[]> {
    return (await this.#records.open(this.kind.table, rows, this.#decode)).map((record) => this.kind.key(record));
  }

  /** Starts filling the index once `turn` is over. A failure is kept for those who wait for it. */
  load(turn: Promise<unknown>): Promise<void> {
    this.#loading = turn.then(() => this.#load());
    this.#loading.catch(() => undefined);
    return this.#loading;
  }

  /** After a commit: brings index and cache to it. */
  publish(rowId: Uint8Array, key: string, after: R | undefined): void {
    this.#revision++;
    this.#cache.delete(rowId);
    if (after === undefined) this.#found.delete(key);
    if (after !== undefined && this.kind.entry) this.#index?.put(rowId, key, this.kind.entry(after));
    else this.#index?.remove(rowId, key);
  }

  drop(): void {
    this.#index?.clear();
    this.#cache.clear();
    this.#found.clear();
  }

  #remember(key: string, rowId: Uint8Array): void {
    if (this.#found.size >= FOUND_LIMIT) this.#found.delete(this.#found.keys().next().value ?? '');
    this.#found.set(key, rowId);
  }

  async #loaded(): Promise<void> {
    await this.#loading;
    this.#records.checkOpen();
  }

  async #load(): Promise<void> {
    const { kind } = this;
    if (this.#index === undefined || kind.entry === undefined) return;
    for (let after: Uint8Array | undefined = new Uint8Array(0); after !== undefined; ) {
      const page: Opened<R>[] = await this.pageAfter(after, CHUNK);
      for (const { rowId, value } of page) this.#index.load(rowId, kind.key(value), kind.entry(value));
      after = page.at(-1)?.rowId;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#records.checkOpen();
    this.#index.finish();
    this.#revision++;
  }
}
