/**
 * Re-encryption of every row after a compromise: rows are opened under the term that the database is of and sealed under the
 * header's, and the new state row is made only when exactly the rows of the old state went through. Rows may be given again after a
 * failure; the last time counts. Where the database is under the header's term already (the program died after the commit), the same
 * calls seal everything once more under it, so that resuming needs no other way.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, concat, hex, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { ReplyOf, RequestOf, SealedChange } from '../seal/protocol.ts';
import { RECORD_NONCE_LENGTH, recordTag, sealRecord } from '../seal/record.ts';
import { bytesOf, listOf, oneOf, wholeNumber } from './checks.ts';
import { type Database, ROW_ID_LENGTH, ROW_TABLES, uniqueIndex } from './database.ts';
import { type OpenVault, rowTampered, tampered } from './open-vault.ts';
import { PACKED_LENGTH, SetHash, packRow } from './set-hash.ts';

type Row = RequestOf<'resealRows'>['rows'][number];

export class Reseal {
  readonly #vault: OpenVault;
  readonly #database: Database;
  /** By table and row id: the row as packed for the set hash, before and after. */
  readonly #rows = new Map<string, Bytes>();

  constructor(vault: OpenVault, database: Database) {
    this.#vault = vault;
    this.#database = database;
  }

  /** Forgets what went through: the database has changed since. */
  reset(): void {
    this.#rows.clear();
  }

  rows(rows: readonly Row[]): SealedChange[] {
    if (!this.#vault.current.previous) throw new VaultError('InternalException', 'no re-encryption is under way; remove a slot as compromised first');
    this.#database.writable();
    const list = listOf(rows, 'list of rows');
    const nonces = this.#vault.random.bytes(RECORD_NONCE_LENGTH * list.length);
    return list.map((row, i) => this.#row(row, nonces.subarray(i * RECORD_NONCE_LENGTH, (i + 1) * RECORD_NONCE_LENGTH)));
  }

  #row(row: Row, nonce: Uint8Array): SealedChange {
    const place = {
      table: oneOf(row.table, ROW_TABLES, 'table'),
      rowId: bytesOf(row.rowId, ROW_ID_LENGTH, 'row id'),
      version: wholeNumber(row.version, 1, 'row version'),
      schema: wholeNumber(row.schema, 1, 'schema'),
    };
    const plain = row.body instanceof Uint8Array ? this.#vault.open(place, row.body) : undefined;
    if (!plain) throw rowTampered(place);
    const { keys } = this.#vault.current;
    const body = sealRecord(keys, place, nonce, plain);
    wipe(plain);
    const tag = recordTag(body);
    const mark = (of: Uint8Array): Bytes => packRow({ ...place, tag: of });
    this.#rows.set(`${place.table}/${hex(place.rowId)}`, concat(mark(recordTag(row.body)), mark(tag)));
    return { body, tag, ...uniqueIndex(keys, place.table, row.unique) };
  }

  state(request: RequestOf<'resealState'>): ReplyOf<'resealState'> {
    const { state } = this.#database.writable();
    const { keys } = this.#vault.current;
    const before = new SetHash(this.#vault.rowKeys.setHash);
    const after = new SetHash(keys.setHash);
    for (const both of this.#rows.values()) {
      before.add(both.subarray(0, PACKED_LENGTH));
      after.add(both.subarray(PACKED_LENGTH));
    }
    if (!constantTimeEqual(before.value(), state.setHash)) throw tampered('rows', 'the re-encrypted rows are not exactly those of the database');
    return this.#database.sealReencrypted(keys, after.value(), request);
  }
}
