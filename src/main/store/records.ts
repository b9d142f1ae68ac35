/**
 * The records of the last committed transaction, opened by the sealer: by row, by name, by page. Everything above this
 * file sees plaintext records, everything below it sealed rows.
 */
import type { AliasName, KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { AliasRecord, MaterialRow } from '../keyring/ports.ts';
import type { OpenableTable, Sealer } from '../seal/protocol.ts';
import { decodeAlias, decodeKey, decodeSettings, type StoredKey } from './codecs.ts';
import { KeyIndex } from './key-index.ts';
import type { VaultSettings } from './port.ts';
import { RecordCache, type Opened } from './record-cache.ts';
import type { Rows, StoredRow } from './rows.ts';

/** Rows that are opened in one call while the index is filled: about 5 ms of the sealer's time. */
const CHUNK = 512;

export type Decode<T> = (schema: number, plain: Uint8Array) => T;

export class Records {
  readonly index = new KeyIndex();
  readonly keyCache = new RecordCache<StoredKey>();
  readonly aliasCache = new RecordCache<AliasRecord>();
  settingsCache: Opened<VaultSettings> | undefined;
  readonly #sealer: Sealer;
  #rows: Rows | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(sealer: Sealer, rows: Rows) {
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
  }

  /** Plaintext of rows, decoded, in the same order. VaultTamperedException naming the table when one does not open. */
  async open<T>(table: OpenableTable, rows: readonly StoredRow[], decode: Decode<T>): Promise<T[]> {
    if (rows.length === 0) return [];
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
    return this.#at('keys', rowId, this.keyCache, decodeKey);
  }

  aliasAt(rowId: Uint8Array): Promise<Opened<AliasRecord> | undefined> {
    return this.#at('aliases', rowId, this.aliasCache, decodeAlias);
  }

  async key(keyId: KeyId): Promise<Opened<StoredKey> | undefined> {
    this.#checkOpen();
    const rowId = this.index.keyRow(keyId);
    const found = rowId === undefined ? await this.#byBlind('keys', keyId, this.keyCache, decodeKey) : await this.keyAt(rowId);
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
    this.#checkOpen();
    const rowId = this.index.alias(name)?.rowId;
    const found = rowId === undefined ? await this.#byBlind('aliases', name, this.aliasCache, decodeAlias) : await this.aliasAt(rowId);
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
    const rowId = owner?.value.materialRows[owner.value.record.materials.indexOf(materialId)];
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
  async keyPage(after: Uint8Array, limit: number): Promise<Opened<StoredKey>[]> {
    const rows = this.rows.page('keys', after, limit);
    return zip(rows, await this.open('keys', rows, decodeKey));
  }

  async aliasPage(after: Uint8Array, limit: number): Promise<Opened<AliasRecord>[]> {
    const rows = this.rows.page('aliases', after, limit);
    return zip(rows, await this.open('aliases', rows, decodeAlias));
  }

  /** Starts filling the index. A failure is kept for those who wait in `loaded`. */
  load(): void {
    this.#loading = this.#load();
    this.#loading.catch(() => undefined);
  }

  /** Resolves when the index is complete; rejects with what stopped it. */
  async loaded(): Promise<void> {
    await this.#loading;
    this.#checkOpen();
  }

  /** An index that is empty because it was dropped must not answer that nothing exists. */
  #checkOpen(): void {
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
    this.#checkOpen();
    index.finish();
  }

  async #byBlind<T>(table: 'keys' | 'aliases', name: string, cache: RecordCache<T>, decode: Decode<T>): Promise<Opened<T> | undefined> {
    if (this.index.loaded) return undefined;
    const { blind } = await this.#sealer.call('blind', { table, value: name });
    const row = this.rows.byBlind(table, blind);
    return row === undefined ? undefined : this.#at(table, row.rowId, cache, decode);
  }

  async #at<T>(table: 'keys' | 'aliases', rowId: Uint8Array, cache: RecordCache<T>, decode: Decode<T>): Promise<Opened<T> | undefined> {
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

export const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked: unlock it and try again');
const misplaced = (table: string): VaultError =>
  new VaultError('VaultTamperedException', `a row of \`${table}\` is filed under another name, restore the vault's folder from a copy`, { details: { table } });
