/**
 * What one collection's records are found, filtered and sorted by while the vault is open: key → row and entry. Filled in
 * the background after opening, kept up to date by each commit, dropped at close.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { CollectionTable } from './collection.ts';
import { fromLatin1, toLatin1 } from './key-index.ts';

interface Indexed<E> {
  /** 16 bytes as latin1: a sixth of the memory of a typed array. */
  readonly row: string;
  readonly entry: E;
}

export class CollectionIndex<E> {
  readonly #table: CollectionTable;
  readonly #entries = new Map<string, Indexed<E>>();
  /** Row ids (latin1) that a commit has changed since loading began: what the loader still holds of them is old. */
  #changed: Set<string> | undefined = new Set();

  constructor(table: CollectionTable) {
    this.#table = table;
  }

  /** No more rows to come: an absent key does not exist. */
  get loaded(): boolean {
    return this.#changed === undefined;
  }

  finish(): void {
    this.#changed = undefined;
  }

  row(key: string): Uint8Array | undefined {
    const known = this.#entries.get(key);
    return known === undefined ? undefined : fromLatin1(known.row);
  }

  *entries(): Generator<readonly [string, E]> {
    for (const [key, { entry }] of this.#entries) yield [key, entry];
  }

  /** By the loader. VaultTamperedException when two rows have one key. */
  load(rowId: Uint8Array, key: string, entry: E): void {
    const row = toLatin1(rowId);
    if (this.#changed?.has(row) !== false) return;
    const known = this.#entries.get(key);
    if (known !== undefined && known.row !== row) {
      throw new VaultError('VaultTamperedException', `two rows of \`${this.#table}\` have the same name, restore the vault's folder from a copy`, { details: { table: this.#table } });
    }
    this.#entries.set(key, { row, entry });
  }

  put(rowId: Uint8Array, key: string, entry: E): void {
    const row = toLatin1(rowId);
    this.#changed?.add(row);
    this.#entries.set(key, { row, entry });
  }

  remove(rowId: Uint8Array, key: string): void {
    this.#changed?.add(toLatin1(rowId));
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#changed?.clear();
  }
}
