/** The records used last, decrypted, by row. Bounded, so that a vault of 100,000 keys does not come to lie in memory. */
import { toLatin1 } from './key-index.ts';

/** A key record with an RSA-4096 public key is about 1.2 KB: at most 1.3 MB for one table. */
const CAPACITY = 1024;

export interface Opened<T> {
  readonly rowId: Uint8Array;
  readonly version: number;
  readonly value: T;
}

export class RecordCache<T> {
  readonly #entries = new Map<string, Opened<T>>();

  get(rowId: Uint8Array): Opened<T> | undefined {
    const key = toLatin1(rowId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A map keeps the order of insertion: the first entry is the one unused for longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(entry: Opened<T>): void {
    const key = toLatin1(entry.rowId);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= CAPACITY) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(rowId: Uint8Array): void {
    this.#entries.delete(toLatin1(rowId));
  }

  clear(): void {
    this.#entries.clear();
  }
}
