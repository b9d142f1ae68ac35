/**
 * The trail: every request's intent and outcome, in files that cannot be rewritten afterwards without being noticed. It works
 * while the vault is locked, because all it needs to go on is the current key of a ratchet (ratchet.ts).
 *
 * Defends against: changed, removed, reordered, repeated, swapped and cut records, also by one who has taken the current key
 * (everything before it stays out of reach); torn writes, full and failing disks; readers without the unlocked vault.
 * Does not: keep a thief of the current key from adding records or from reading what comes until the next segment; notice
 * that the whole folder was put back together with the database (a checkpoint kept elsewhere does); survive deletion.
 *
 * This file is the trail as the kernel and the store see it. The bytes of a record's body are JSON made by `trail/record.ts` from an
 * allowlist of fields; the log itself does not look into them.
 */

/** Where a record stands: index from 0 over the whole trail, and SHA-256 (32 bytes) of the record's bytes. */
export interface Position {
  readonly index: number;
  readonly hash: Uint8Array;
}

export interface AppendOptions {
  /** May use the preallocated reserve on a full disk: lock, verification, denial summaries, "trail full". */
  readonly reserve?: boolean;
}

/** What is read of a trail, also of one that cannot be gone on with. */
export interface TrailFiles {
  /** The segment files in order, for the sealer to read: absolute paths. */
  segments(): readonly { readonly number: number; readonly path: string }[];
  /** The current 'trail.key' block, as on disk, at a moment between two batches. It holds the current key: the caller wipes it. */
  keyBlock(): Promise<Uint8Array>;
}

export interface TrailLog extends TrailFiles {
  /**
   * Resolves when the record is durable (group commit: one fdatasync for a batch); rejects with TrailUnavailableException
   * or StorageFullException, after which nothing of it is on disk that a reader would accept, or it is there whole.
   */
  append(body: Uint8Array, options?: AppendOptions): Promise<Position>;
  /** The last durable record. */
  readonly head: Position;
  /** After the vault's trail key pair has changed: the next segment is sealed to this one, starting now. */
  rotate(trailPublicKey: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
