/**
 * The records of the last committed transaction, opened by the sealer: by row, by name, by page. Everything above this
 * file sees plaintext records, everything below it sealed rows.
 */
import type { AliasName, Instant, KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { AliasRecord, MaterialRow, Planned } from '../keyring/ports.ts';
import type { OpenableTable, Sealer, TableName } from '../seal/protocol.ts';
import { decodeAlias, decodeKey, decodeSettings, type StoredKey } from './codecs.ts';
import type { CollectionTable, Kind } from './collection.ts';
import { CommittedCollection } from './committed-collection.ts';
import { KeyIndex } from './key-index.ts';
import type { AnyKind } from './kinds.ts';
import type { VaultSettings } from './port.ts';
import { RecordCache, type Opened } from './record-cache.ts';
import { batches, locked, misplaced, type Decode, type RowSource } from './row-source.ts';
import type { Rows, StoredRow } from './rows.ts';

/** Rows that are opened in one call while the index is filled: about 5 ms of the sealer's time. */
const CHUNK = 512;

export class Records implements RowSource {
  readonly index = new KeyIndex();
  readonly keyCache = new RecordCache<StoredKey>();
  readonly aliasCache = new RecordCache<AliasRecord>();
  settingsCache: Opened<VaultSettings> | undefined;
  readonly #sealer: Sealer;
  readonly #collections: ReadonlyMap<CollectionTable, CommittedCollection<unknown, unknown>>;
  #rows: Rows | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(sealer: Sealer, rows: Rows, kinds: readonly AnyKind[]) {
    this.#collections = new Map(kinds.map((kind) => [kind.table, new CommittedCollection(kind, this)]));
    this.#sealer = sealer;
    this.#rows = rows;
  }

  /** VaultLockedException after `drop`. */
  get rows(): Rows {
    if (this.#rows === undefined) throw locked();
    return this.#rows;
  }

  /** Another connection to the same file. */
  use(rows: Rows): void {
    this.#rows = rows;
  }

  drop(): void {
    this.#rows = undefined;
    this.index.clear();
    this.keyCache.clear();
    this.aliasCache.clear();
    this.settingsCache = undefined;
    for (const collection of this.#collections.values()) collection.drop();
  }

  /** Plaintext of rows, decoded, in the same order. VaultTamperedException naming the table when one does not open. */
  async open<T>(table: OpenableTable, rows: readonly StoredRow[], decode: Decode<T>): Promise<T[]> {
    const opened: T[] = [];
    for (const batch of batches(rows)) opened.push(...(await this.#open(table, batch, decode)));
    return opened;
  }

  async #open<T>(table: OpenableTable, rows: readonly StoredRow[], decode: Decode<T>): Promise<T[]> {
    const { plain } = await this.#sealer.call('openRows', { rows: rows.map((row) => ({ table, rowId: row.rowId, version: row.version, schema: row.schema, body: row.body })) });
    if (plain.length !== rows.length) throw new VaultError('InternalException', 'the sealer answered another number of rows, report this');
    return rows.map((row, position) => {
      const bytes = plain[position] ?? new Uint8Array(0);
      try {
        return decode(row.schema, bytes);
      } finally {
        bytes.fill(0);
      }
    });
  }

  /** The key in a row. Undefined when the row went while it was looked up. */
  keyAt(rowId: Uint8Array): Promise<Opened<StoredKey> | undefined> {
    return this.at('keys', rowId, this.keyCache, decodeKey);
  }

  aliasAt(rowId: Uint8Array): Promise<Opened<AliasRecord> | undefined> {
    return this.at('aliases', rowId, this.aliasCache, decodeAlias);
  }

  /** The records of one kind. InternalException for one that is not named in `KINDS`. */
  collection<R, E>(kind: Kind<R, E>): CommittedCollection<R, E> {
    const found = this.#collections.get(kind.table);
    if (found === undefined || (found.kind as object) !== kind) throw new VaultError('InternalException', `the kind of \`${kind.table}\` is not named in the store, report this`);
    return found as CommittedCollection<R, E>;
  }

  /** By table, for re-encryption. */
  collectionOf(table: TableName): CommittedCollection<unknown, unknown> | undefined {
    return this.#collections.get(table as CollectionTable);
  }

  async key(keyId: KeyId): Promise<Opened<StoredKey> | undefined> {
    this.checkOpen();
    const rowId = this.index.keyRow(keyId) ?? (await this.#unlessLoaded('keys', keyId));
    const found = rowId === undefined ? undefined : await this.keyAt(rowId);
    if (found !== undefined) {
      if (found.value.record.keyId !== keyId) throw misplaced('keys');
      // Its materials can be found from now on, without waiting for the rest.
      this.index.loadKey(found.rowId, found.value);
      return found;
    }
    if (this.index.loaded) return undefined;
    // The blind column is not authenticated: that a name does not exist is said by the whole index only.
    await this.loaded();
    return this.key(keyId);
  }

  async alias(name: AliasName): Promise<Opened<AliasRecord> | undefined> {
    this.checkOpen();
    const rowId = this.index.alias(name)?.rowId ?? (await this.#unlessLoaded('aliases', name));
    const found = rowId === undefined ? undefined : await this.aliasAt(rowId);
    if (found !== undefined) {
      if (found.value.name !== name) throw misplaced('aliases');
      return found;
    }
    if (this.index.loaded) return undefined;
    await this.loaded();
    return this.alias(name);
  }

  async keyOfMaterial(materialId: string): Promise<Opened<StoredKey> | undefined> {
    if (this.index.keyOfMaterial(materialId) === undefined) await this.loaded();
    const keyId = this.index.keyOfMaterial(materialId);
    return keyId === undefined ? undefined : this.key(keyId);
  }

  async material(materialId: string): Promise<MaterialRow | undefined> {
    const owner = await this.keyOfMaterial(materialId);
    const rowId = owner?.value.materialRows.get(materialId);
    if (rowId === undefined) return undefined;
    const row = this.rows.get('key_materials', rowId);
    return row === undefined ? undefined : { materialId, rowId: row.rowId, version: row.version, body: row.body, tag: row.tag };
  }

  async settings(): Promise<Opened<VaultSettings>> {
    if (this.settingsCache !== undefined) return this.settingsCache;
    const found = this.rows.page('settings', new Uint8Array(0), 2);
    const row = found[0];
    if (row === undefined || found.length !== 1) throw new VaultError('VaultTamperedException', 'the settings of the vault are missing, restore the vault\'s folder from a copy');
    const [value] = await this.open('settings', [row], decodeSettings);
    if (value === undefined) throw misplaced('settings');
    const opened = { rowId: row.rowId, version: row.version, value };
    if (this.rows.coordinates('settings', row.rowId)?.version === row.version) this.settingsCache = opened;
    return opened;
  }

  /** A page of keys, opened in one call; not kept in the cache, which a listing would empty. */
  keyPage(after: Uint8Array, limit: number): Promise<Opened<StoredKey>[]> {
    return this.pageOf('keys', after, limit, decodeKey);
  }

  aliasPage(after: Uint8Array, limit: number): Promise<Opened<AliasRecord>[]> {
    return this.pageOf('aliases', after, limit, decodeAlias);
  }

  async pageOf<T>(table: OpenableTable, after: Uint8Array, limit: number, decode: Decode<T>): Promise<Opened<T>[]> {
    const rows = this.rows.page(table, after, limit);
    return zip(rows, await this.open(table, rows, decode));
  }

  /** Ids of keys of which that is due at `now`, up to `limit`; waits for the index. */
  async due(what: Planned, now: Instant, limit: number): Promise<KeyId[]> {
    await this.loaded();
    const due: KeyId[] = [];
    for (const [keyId, next] of this.index.planned(what)) if (next <= now && due.push(keyId) === limit) break;
    return due;
  }

  /** Starts filling the index. A failure is kept for those who wait in `loaded`. */
  load(): void {
    this.#loading = this.#load();
    this.#loading.catch(() => undefined);
    let turn: Promise<unknown> = this.#loading;
    // One after the other, keys first. A table that does not open stops those behind it no more than the check allows.
    for (const collection of this.#collections.values()) turn = collection.load(turn.catch(() => undefined));
  }

  /** Resolves when the index is complete; rejects with what stopped it. */
  async loaded(): Promise<void> {
    await this.#loading;
    this.checkOpen();
  }

  /** An index that is empty because it was dropped must not answer that nothing exists. */
  checkOpen(): void {
    if (this.#rows === undefined) throw locked();
  }

  async #load(): Promise<void> {
    const { index } = this;
    for (let after: Uint8Array | undefined = new Uint8Array(0); after !== undefined; ) {
      const page = await this.keyPage(after, CHUNK);
      for (const { rowId, value } of page) index.loadKey(rowId, value);
      after = page.at(-1)?.rowId;
      await breathe();
    }
    for (let after: Uint8Array | undefined = new Uint8Array(0); after !== undefined; ) {
      const page = await this.aliasPage(after, CHUNK);
      for (const { rowId, value } of page) index.loadAlias(rowId, value);
      after = page.at(-1)?.rowId;
      await breathe();
    }
    this.checkOpen();
    index.finish();
  }

  async #unlessLoaded(table: 'keys' | 'aliases', name: string): Promise<Uint8Array | undefined> {
    return this.index.loaded ? undefined : this.rowByBlind(table, name);
  }

  /** What the unauthenticated column says: a row (16 bytes) to be opened and compared. */
  async rowByBlind(table: OpenableTable, name: string): Promise<Uint8Array | undefined> {
    const { blind } = await this.#sealer.call('blind', { table, value: name });
    return this.rows.byBlind(table, blind)?.rowId;
  }

  /** The record in a row, from the cache or opened. Undefined when the row went while it was looked up. */
  async at<T>(table: OpenableTable, rowId: Uint8Array, cache: RecordCache<T>, decode: Decode<T>): Promise<Opened<T> | undefined> {
    const known = cache.get(rowId);
    if (known !== undefined) return known;
    const row = this.rows.get(table, rowId);
    if (row === undefined) return undefined;
    const [value] = await this.open(table, [row], decode);
    if (value === undefined) return undefined;
    const opened = { rowId: row.rowId, version: row.version, value };
    // Not when a commit has overtaken it: the cache holds the last committed version or nothing.
    if (this.rows.coordinates(table, rowId)?.version === row.version) cache.set(opened);
    return opened;
  }
}

function zip<T>(rows: readonly StoredRow[], values: readonly T[]): Opened<T>[] {
  return values.map((value, position) => {
    const row = rows[position];
    if (row === undefined) throw new VaultError('InternalException', 'more records than rows, report this');
    return { rowId: row.rowId, version: row.version, value };
  });
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
