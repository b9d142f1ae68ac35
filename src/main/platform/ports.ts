/**
 * What the vault needs of the machine that it runs on, as ports. Time and randomness are injected from `app/compose.ts`;
 * their fakes live in `test/`.
 */
import type { Instant } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';

export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  now(): Instant;
  /** Monotonic milliseconds; stands still while the machine sleeps. */
  monotonic(): number;
  /** Monotonic milliseconds that count sleep too (CLOCK_BOOTTIME); the same as `monotonic` where the system has none. */
  boottime(): number;
}

export interface Random {
  /** `length` fresh bytes from the system's generator, off-heap. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * A child process that speaks framed bytes both ways over descriptor 3 (u32 big-endian length, then that many bytes).
 * Writes made in the same tick are coalesced into one system call.
 */
export interface Child {
  readonly pid: number;
  /** Takes ownership of `frame` (at most 64 MiB) and wipes it once it is written. Throws when the child has exited. */
  send(frame: Uint8Array): void;
  /** One receiver. The bytes are the receiver's own, to be wiped by it. */
  onFrame(receive: (frame: Uint8Array) => void): void;
  /** Resolves once the process is gone from the process table; never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGKILL. */
  kill(): void;
}

/** A module of this program that runs in a process of its own. */
export type ChildEntry = 'sealer' | 'keychain' | 'cipher' | 'pkcs11' | 'egress' | 'importer';

export interface ProcessHost {
  /** Starts a module of this program (`sealer`, `keychain`) in a process of its own, without inherited environment secrets. */
  spawn(entry: ChildEntry, options?: { readonly args?: readonly string[] }): Child;
}

/** Who is at the other end of a socket: the kernel's word (SO_PEERCRED), at the time of connect. */
export interface Peer {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** For people and rules only; the peer can make them say anything. */
export interface PeerHints {
  readonly executable?: string;
  readonly cwd?: string;
}

/** The delay of wrong passwords, persisted. */
export interface AttemptGate {
  /**
   * Counts an attempt, durably, before it is judged. UnlockDelayedException with `retryAfterSeconds` when it comes too
   * early (then it is not counted).
   */
  begin(): Promise<void>;
  /** The attempt was right: forgets the failures. */
  succeeded(): Promise<void>;
  /** Milliseconds until the next attempt; 0 when it may come now. Counts nothing. */
  remaining(): Promise<number>;
}

/** The system's keychain, behind a short-lived helper process. */
export interface Keychain {
  /** Whether one exists and is unlocked; `reason` says what to do when not. */
  probe(): Promise<{ readonly available: true } | { readonly available: false; readonly reason: string }>;
  /** The secret stored under this name; undefined when there is none. Throws KeychainUnavailableException. */
  get(name: string): Promise<Uint8Array | undefined>;
  set(name: string, value: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface CipherOrder {
  readonly work: 'encrypt' | 'decrypt';
  /** Absolute paths; the target must not exist. */
  readonly source: string;
  readonly target: string;
  /** Of the wrapping key: the name that the file has of it. */
  readonly keyArn: string;
  /** What to bind to the file, or what must be bound to it. */
  readonly context: Readonly<Record<string, string>>;
}

/** Where the file's one data key comes from. */
export interface CipherKeys {
  make(context: Readonly<Record<string, string>>): Promise<{ readonly plaintext: SecretBytes; readonly ciphertext: Uint8Array }>;
  unwrap(ciphertext: Uint8Array, context: Readonly<Record<string, string>>): Promise<SecretBytes>;
}

export interface CipheredFile {
  /** Bytes read and written. */
  readonly size: number;
  readonly written: number;
  /** All that is bound to the file. */
  readonly context: Readonly<Record<string, string>>;
}

export type CipherOptions = HashOptions;

/**
 * Encrypts or decrypts one file in a process of its own. When it resolves the target is whole and on the disk; when it rejects there is
 * none. Rejects with FileNotReadableException, FileExistsException, StorageException, StorageFullException, InvalidCiphertextException,
 * ThrottlingException, CancelledException, VaultLockedException, or what `CipherKeys` rejects with.
 */
export type CipherFile = (order: CipherOrder, keys: CipherKeys, options: CipherOptions) => Promise<CipheredFile>;

export interface CipherFiles {
  readonly cipherFile: CipherFile;
  /** For a lock: kills every such process, and resolves once they and their files are gone. What they were for rejects with VaultLockedException. */
  endAll(): Promise<void>;
}

export interface HashOrder {
  readonly path: string;
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  /** A file of at most this many bytes comes back whole, too. */
  readonly wholeUpTo: number;
}

export interface HashedFile {
  readonly digest: Uint8Array;
  /** Bytes. */
  readonly size: number;
  /** The file itself when it has at most `wholeUpTo` bytes. */
  readonly whole?: Uint8Array;
}

export interface HashOptions {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

/** Rejects with FileNotReadableException or CancelledException. */
export type HashFile = (order: HashOrder, options: HashOptions) => Promise<HashedFile>;

/** What a file is known by. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  /** Bytes. */
  readonly size: number;
  /** SHA-256. */
  readonly digest: Uint8Array;
}

/** A file of the user's with secrets in the clear. */
export interface PlainFiles {
  /** The whole of a regular file of at most `most` bytes, off-heap, to be wiped by the caller. FileNotReadableException. */
  read(path: string, most: number): Promise<{ readonly bytes: Uint8Array; readonly identity: FileIdentity }>;
  /**
   * Overwrites and removes it, if it is still the same: no link, one name, the user's own, the same bytes. When it rejects with
   * FileNotReadableException before the overwriting, the file is untouched.
   */
  erase(path: string, identity: FileIdentity): Promise<void>;
}
