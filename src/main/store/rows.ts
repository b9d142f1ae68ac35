/**
 * Sealed rows in SQLite: the only statements of the store. Synchronous. Reading throws VaultErrors (`storeError`), writing
 * SQLite's own, for a transaction to tell whose they are.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { TABLES, type TableName } from '../seal/protocol.ts';
import { recordTag } from '../seal/record.ts';
import { blob, integer, type Column, type Database } from './database.ts';
import { storeError } from './sqlite-errors.ts';

/** A row as it stands in the file. `rowId` and `tag` 16 bytes; `version` from 1; `body` ends with the tag. */
export interface StoredRow {
  readonly rowId: Uint8Array;
  readonly version: number;
  readonly schema: number;
  readonly tag: Uint8Array;
  readonly body: Uint8Array;
}

export interface NewRow extends StoredRow {
  readonly blind?: Uint8Array | undefined;
}

/** Where the state row stands: there is only one, so that it needs no random id. */
export const STATE_ROW_ID: Uint8Array = new Uint8Array(16);
/** Rows in one pack of coordinates: 168 KiB. */
const PACK_ROWS = 4096;
/** Every other table's records have a unique value to be found by. */
const UNBLINDED: ReadonlySet<TableName> = new Set<TableName>(['settings', 'outbox', 'vault_state']);

export class Rows {
  readonly #database: Database;

  /** Those that this file has: one of an older format that is only read has not all. The others are as if empty. */
  readonly #tables: ReadonlySet<TableName>;

  constructor(database: Database, tables: ReadonlySet<TableName>) {
    this.#database = database;
    this.#tables = tables;
  }

  get(table: TableName, rowId: Uint8Array): StoredRow | undefined {
    return this.#select(table, `WHERE row_id = ${blob(rowId)}`)[0];
  }

  byBlind(table: TableName, blind: Uint8Array): StoredRow | undefined {
    return this.#select(table, `WHERE blind = ${blob(blind)}`)[0];
  }

  /** Up to `limit` rows in the order of their ids, after `after` (empty: from the start). */
  page(table: TableName, after: Uint8Array, limit: number): StoredRow[] {
    return this.#select(table, `WHERE row_id > ${blob(after)} ORDER BY row_id LIMIT ${integer(limit)}`);
  }

  /** What an update or removal must name of the row that is there now. */
  coordinates(table: TableName, rowId: Uint8Array): { readonly version: number; readonly tag: Uint8Array } | undefined {
    const row = this.#read(table, 'version, tag', `WHERE row_id = ${blob(rowId)}`)[0];
    if (row === undefined) return undefined;
    const [version, tag] = row;
    if (typeof version !== 'number' || !(tag instanceof Uint8Array)) throw malformed(table);
    return { version, tag };
  }

  count(table: TableName): number {
    return Number(this.#read(table, 'count(*)', '')[0]?.[0] ?? 0);
  }

  /**
   * Every row's coordinates but the state's, packed for the sealer's `checkRows`: table u8 ‖ rowId16 ‖ version u64 ‖ tag16.
   * Made inside SQLite: a JavaScript object for each row costs three times as much. VaultTamperedException for a row whose
   * columns have not their size, as boundaries that moved could add up to the same bytes.
   */
  *packedCoordinates(): Generator<Uint8Array> {
    for (const [index, table] of TABLES.entries()) {
      if (table === 'vault_state' || !this.#tables.has(table)) continue;
      const number = index.toString(16).padStart(2, '0');
      const columns =
        `max(row_id), group_concat('${number}' || hex(row_id) || printf('%016X', version) || hex(tag), ''), ` +
        "total(typeof(row_id) <> 'blob' OR length(row_id) <> 16 OR typeof(tag) <> 'blob' OR length(tag) <> 16 OR typeof(version) <> 'integer')";
      for (let after: Uint8Array = new Uint8Array(0); ; ) {
        const pack = `FROM (SELECT row_id, version, tag FROM ${table} WHERE row_id > ${blob(after)} ORDER BY row_id LIMIT ${integer(PACK_ROWS)})`;
        const [last, packed, bad] = this.#query(columns, pack)[0] ?? [];
        if (last === null) break;
        if (!(last instanceof Uint8Array) || typeof packed !== 'string' || bad !== 0) throw malformed(table);
        after = last;
        yield Buffer.from(packed, 'hex');
      }
    }
  }

  /** The one state row. VaultTamperedException when it is missing or not alone. */
  state(): StoredRow {
    const found = this.page('vault_state', new Uint8Array(0), 2);
    const row = found[0];
    if (row === undefined || found.length !== 1 || !row.rowId.every((byte) => byte === 0)) {
      throw new VaultError('VaultTamperedException', 'the state row of `vault.db` is missing, restore the vault\'s folder from a copy');
    }
    return row;
  }

  insert(table: TableName, { rowId, version, schema, tag, blind, body }: NewRow): void {
    const [column, value] = UNBLINDED.has(table) ? ['', ''] : ['blind, ', `${blind ? blob(blind) : 'NULL'}, `];
    this.#database.exec(
      `INSERT INTO ${table} (row_id, version, schema, tag, ${column}body) VALUES (${blob(rowId)}, ${integer(version)}, ${integer(schema)}, ${blob(tag)}, ${value}${blob(body)})`,
    );
  }

  /** Replaces the row of version `old`. VaultTamperedException when that is not the one that is there. */
  update(table: TableName, { rowId, version, schema, tag, blind, body }: NewRow, old: number): void {
    const found = UNBLINDED.has(table) ? '' : `blind = ${blind ? blob(blind) : 'NULL'}, `;
    const set = `version = ${integer(version)}, schema = ${integer(schema)}, tag = ${blob(tag)}, ${found}body = ${blob(body)}`;
    if (this.#database.change(`UPDATE ${table} SET ${set} WHERE row_id = ${blob(rowId)} AND version = ${integer(old)}`) !== 1) throw changedBehind(table);
  }

  /** Removes the row of version `old`. VaultTamperedException when that is not the one that is there. */
  remove(table: TableName, rowId: Uint8Array, old: number): void {
    if (this.#database.change(`DELETE FROM ${table} WHERE row_id = ${blob(rowId)} AND version = ${integer(old)}`) !== 1) throw changedBehind(table);
  }

  #read(table: TableName, columns: string, rest: string): Column[][] {
    return this.#tables.has(table) ? this.#query(columns, `FROM ${table} ${rest}`) : [];
  }

  #query(columns: string, rest: string): Column[][] {
    try {
      return this.#database.select(columns, rest);
    } catch (error) {
      throw storeError('read', error);
    }
  }

  #select(table: TableName, rest: string): StoredRow[] {
    return this.#read(table, 'row_id, version, schema, tag, body', rest).map(([rowId, version, schema, tag, body]) => {
      const sound = rowId instanceof Uint8Array && typeof version === 'number' && typeof schema === 'number' && tag instanceof Uint8Array && body instanceof Uint8Array;
      // The state's sum knows a row by this column, and the seal opens the body by its own tag. Two copies of a vault that went apart
      // have two bodies of one row and version: only the one that the column names is this vault's.
      if (!sound || Buffer.compare(recordTag(body), tag) !== 0) throw malformed(table);
      return { rowId, version, schema, tag, body };
    });
  }
}

const malformed = (table: TableName): VaultError =>
  new VaultError('VaultTamperedException', `a row of \`${table}\` is not one of this program, restore the vault's folder from a copy`, { details: { table } });
const changedBehind = (table: TableName): VaultError =>
  new VaultError('VaultTamperedException', `a row of \`${table}\` was changed by another program, lock the vault and check this computer`, { details: { table } });
