/** The open store as the rest of main sees it. Everything stored is sealed; plaintext records exist only above this line. */
import type { AccountId } from '../../shared/model/ids.ts';
import type { KeyReader, KeyWriter } from '../keyring/ports.ts';
import type { VaultState } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import type { CollectionsReader, CollectionsWriter } from './collection.ts';

/** The one row of `settings` (schema 5; schema 1 has no `chainStart`, schema 2 no `awsDoor`, schema 3 no `commands`, schema 4 no `checkpointKey`). */
export interface VaultSettings {
  readonly name: string;
  readonly region: string;
  readonly account: AccountId;
  readonly created: number;
  /** Minutes without a request after which the vault locks itself; 0 never. */
  readonly autoLockMinutes: number;
  readonly lockOnSuspend: boolean;
  readonly lockOnScreenLock: boolean;
  /** A recovery code was used and a new one has not been made yet. */
  readonly recoveryCodeUsed: boolean;
  /** The first record of the trail's present chain, once one was broken and set aside: index, and SHA-256 in hex. */
  readonly chainStart?: { readonly index: number; readonly hash: string };
  /** The door for AWS clients, once it was changed from how it is at first: closed. */
  readonly awsDoor?: { readonly open: boolean; readonly port: number; readonly tls: boolean };
  /** Programs that may be run as rotators, by name. `sha256`: of the file when it was allowed, hex. */
  readonly commands?: readonly { readonly name: string; readonly path: string; readonly args: readonly string[]; readonly sha256: string }[];
  /** ARN of the key that signs checkpoints of the trail besides the vault, unless another is asked for. It may be gone since. */
  readonly checkpointKey?: string;
}

export interface Reader extends KeyReader, CollectionsReader {
  settings(): Promise<VaultSettings>;
}

export interface Writer extends KeyWriter, CollectionsWriter, Omit<Reader, 'of'> {
  putSettings(settings: VaultSettings): void;
}

/** What a unit of work commits besides its rows. */
export interface UnitRecord<T> {
  /** The mutation's own intent: durable in the trail before the transaction. */
  readonly intent: Position;
  /** Body of the outcome record, kept in an `outbox` row until the trail has it. `epoch`: of this transaction. */
  outcome(value: T, epoch: number): Uint8Array;
}

export interface Committed<T> {
  readonly value: T;
  readonly epoch: number;
  /** The same bytes as are in the outbox row: append these to the trail, then call `delivered`. */
  readonly outcome: Uint8Array;
  delivered(): void;
}

/** An outcome that was committed but perhaps never reached the trail. */
export interface Undelivered {
  readonly body: Uint8Array;
  delivered(): void;
}

/** The state as main needs it: the set hash is between the sealer and the sealed row. */
export type StoreState = Omit<VaultState, 'setHash'>;

export interface VaultStore {
  readonly reader: Reader;
  /** The last committed state. */
  readonly state: StoreState;
  /**
   * Runs `work` on a consistent view, then seals rows and state and commits one synchronous transaction. One writer at a
   * time; a unit that fails leaves nothing. `work` may be run again when rows that it read have changed. No transaction is
   * open while `work` or the sealer runs. StorageFullException, StorageException, VaultReadOnlyException.
   */
  write<T>(record: UnitRecord<T>, work: (writer: Writer) => Promise<T>): Promise<Committed<T>>;
  /** Two phases: state prepared, header file renamed, state current. Each resumable at the next open. */
  changeHeader(header: Uint8Array, record: { readonly intent: Position; readonly headerEpoch: number }): Promise<void>;
  /**
   * After a slot was compromised: re-encrypts every record under the new root in one transaction, then writes the header
   * without the old root. Resumable. `progress` counts rows.
   */
  changeTerm(record: { readonly intent: Position }, progress?: (done: number, total: number) => void): Promise<void>;
  /**
   * Writes how far the trail has come into the state, so that a trail that is cut back to before it is noticed, and removes the delivered
   * outcomes with it. Nothing where there is neither. While the check of a large database is under way it resolves at once and is done
   * afterwards, where that can be. Rejects as `write` does.
   *
   * INVARIANT: every outcome that the trail has up to there was reported as delivered before: whoever opens next reads the trail from there.
   */
  follow(trail: Position): Promise<void>;
  undelivered(): Promise<readonly Undelivered[]>;
  /** Resolves when the check of a large database, which runs in the background, is done; writes wait for it. */
  readonly checked: Promise<void>;
  /** Drops decrypted records and closes the database. Idempotent. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** The vault's folder. */
  readonly folder: string;
  /** The header file's bytes as they are on disk. */
  readonly header: Uint8Array;
  /** Opens without writing when the state does not match: everything readable, nothing repaired. */
  readonly readOnly?: boolean;
  /**
   * Asked once the database fits its state and before anything is written: whether the rest fits too. What it rejects with is
   * what opening rejects with. A position that it resolves to is written into the state by the first transaction, as by `follow`.
   */
  readonly approve?: (state: StoreState) => Promise<Position | undefined>;
}
