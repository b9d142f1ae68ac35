/**
 * Collections: further kinds of record that a domain keeps in the store, beside keys and aliases. A kind is data: one
 * descriptor, and nothing in the store knows it by name.
 *
 * To add one:
 * 1. In the domain's `kinds.ts`, write the record's type and a descriptor made by `indexedKind` or `vouchedKind`, with an
 *    encoder and a strict decoder (`strict.ts` has the parts). The table is one of `CollectionTable`; a new table is a
 *    migration, and its name goes to the end of `TABLES` in `seal/protocol.ts`.
 * 2. Name the descriptor in `KINDS` (`store/kinds.ts`): what is not named there is neither indexed nor re-encrypted after a
 *    compromise, and `of` refuses it.
 * 3. Use it: `reader.of(SECRETS).get(name)`, and inside a unit of work `writer.of(SECRETS).insert(record)`.
 *
 * A record is at most 1 MiB of plaintext and is sealed whole: names, tags, everything. What is secret even from main (a
 * secret's value) goes in as ciphertext. To change a record's shape, raise `schema` and let `decode` read the old ones
 * for ever. A record's key is what it is found by and never changes: a new key is another record.
 */
import type { Page } from '../keyring/ports.ts';
import type { OpenableTable } from '../seal/protocol.ts';

export type { Page } from '../keyring/ports.ts';

export type CollectionTable = Exclude<OpenableTable, 'keys' | 'aliases' | 'settings' | 'outbox'>;

interface KindOf<R> {
  readonly table: CollectionTable;
  /** That new rows are written with; from 1. */
  readonly schema: number;
  /** With its article, for messages: `a secret`. */
  readonly what: string;
  /** Well-formed Unicode. Stands in the file as a MAC only. */
  key(record: R): string;
  /** The bytes are the store's, which wipes them. */
  encode(record: R): Uint8Array;
  /** `schema`: 1 to the kind's own. Must not keep `plain`, which is wiped. Throws VaultTamperedException (`malformed`). */
  decode(schema: number, plain: Uint8Array): R;
}

/**
 * Every row is opened once after unlock and its key and entry are kept in memory until lock, so that a listing can be
 * filtered and sorted without opening rows, and that a key does not exist is certain. About 300 bytes for each row.
 */
export interface IndexedKind<R, E> extends KindOf<R> {
  /** What is kept of a record: small, immutable, nothing secret that the record's key is not. */
  entry(record: R): E;
}

/**
 * For large rows whose existence another record vouches for, as a secret names its versions. Found by the blind column,
 * which nothing authenticates: absent may also mean that another program has changed the file. Take the absence of what
 * the other record names as VaultTamperedException, and insert only what it does not name yet.
 */
export interface VouchedKind<R> extends KindOf<R> {
  readonly entry?: undefined;
}

export type Kind<R, E> = IndexedKind<R, E> | VouchedKind<R>;

/** `entry` and the rest agree about one record type; the descriptor may be kept in a list with others. */
export const indexedKind = <R, E>(kind: IndexedKind<R, E>): IndexedKind<R, E> => kind;
export const vouchedKind = <R>(kind: Omit<VouchedKind<R>, 'entry'>): VouchedKind<R> => kind;

export interface VouchedReader<R> {
  get(key: string): Promise<R | undefined>;
  /** In a stable order that says no more of the records than which were made at once. `limit` 1 to 1,000. InvalidMarkerException. */
  page(page: { readonly after?: string; readonly limit: number }): Promise<Page<R>>;
}

/** Answers are of the last committed transaction; inside a unit of work, with its own changes laid over. */
export interface CollectionReader<R, E> extends VouchedReader<R> {
  /** Keys and entries in no order. To be gone through at once, without awaiting in between. Waits for the index. */
  entries(): Promise<Iterable<readonly [key: string, entry: E]>>;
  /** Another number after each change of any record: whoever keeps a sorted view of `entries` makes it anew then. */
  readonly revision: number;
}

/** Staging is synchronous. What cannot be is found out when the unit ends, and the unit fails whole. */
interface Writing<R> {
  /** AlreadyExistsException when the key is taken. */
  insert(record: R): void;
  /** Replaces the record of the same key. NotFoundException. */
  update(record: R): void;
  /** NotFoundException. */
  remove(key: string): void;
}

export interface VouchedWriter<R> extends VouchedReader<R>, Writing<R> {}
export interface CollectionWriter<R, E> extends CollectionReader<R, E>, Writing<R> {}

/** A part of the store's `Reader`. InternalException for a kind that is not named in `KINDS`. */
export interface CollectionsReader {
  of<R, E>(kind: IndexedKind<R, E>): CollectionReader<R, E>;
  of<R>(kind: VouchedKind<R>): VouchedReader<R>;
}

/** A part of the store's `Writer`: as keys have it, a unit that read or wrote what another has changed meanwhile runs again. */
export interface CollectionsWriter {
  of<R, E>(kind: IndexedKind<R, E>): CollectionWriter<R, E>;
  of<R>(kind: VouchedKind<R>): VouchedWriter<R>;
}
