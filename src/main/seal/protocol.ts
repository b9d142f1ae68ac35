/**
 * The sealer's narrow calls, as types. The sealer is the only process that holds the root key, the table keys and the
 * software private keys; main decides and asks it.
 *
 * Messages are plain objects whose fields are JSON values or `Uint8Array` at any depth (the codec in `seal/wire.ts` moves
 * the bytes beside the JSON; sizes stand in the comments). A failure is an `ErrorBody`. Times are always arguments: the sealer has no clock.
 */
import type { Algorithm, KeySpec } from '../../shared/model/algorithms.ts';
import type { WrappingAlgorithm, WrappingKeySpec } from '../../shared/model/wrapping.ts';

type Bytes = Uint8Array;

export type SlotType = 'password' | 'recovery' | 'keychain' | 'token';

/** Argon2id parameters. `memory` in KiB. */
export interface KdfCost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** `slotId`: 16 bytes, hex. `created`: milliseconds since the epoch, as given when it was added. */
export interface SlotInfo {
  readonly slotId: string;
  readonly type: SlotType;
  readonly factors: readonly ('password' | 'device' | 'code' | 'token')[];
  readonly kdf?: KdfCost;
  readonly created: number;
  /** RFC 7512 URI without a PIN; `salt` (32) is part of what its key is asked for. */
  readonly tokenUri?: string;
  readonly salt?: Bytes;
}

/** What opens a slot. `password` is UTF-8 as typed, which the sealer brings into NFKC; `device` 32 bytes; `token` 32 bytes, what its key made of the challenge (`seal/token-factor.ts`); `code` the 28 characters, normalised, ASCII. */
export interface Factors {
  readonly password?: Bytes;
  readonly device?: Bytes;
  readonly token?: Bytes;
  readonly code?: Bytes;
}

/** What is public in a header: read without any factor. Nothing of it is authenticated yet. */
export interface HeaderInfo {
  readonly vaultId: string;
  readonly format: number;
  readonly minimumReader: number;
  readonly headerEpoch: number;
  readonly term: number;
  readonly slots: readonly SlotInfo[];
  /** X25519, 32 bytes: trail segments' first keys are sealed to it. */
  readonly trailPublicKey: Bytes;
}

/** A new slot: its factors, and for a password the cost, for a token its URI and the salt (32) that its key was asked with. A recovery slot's code is made by the sealer and returned once. */
export interface NewSlot {
  readonly type: SlotType;
  readonly factors: Factors;
  readonly kdf?: KdfCost;
  readonly token?: { readonly uri: string; readonly salt: Bytes };
  readonly created: number;
}

/** One stored row, as SQLite holds it. `body` is the whole sealed record, its tag included; `tag` (16) again apart. */
export interface SealedRow {
  readonly table: TableName;
  readonly rowId: Bytes;
  readonly version: number;
  readonly body: Bytes;
}

/** A table's place in this list is part of the format (set hash, packed coordinates): new ones are added at the end. */
export const TABLES = [
  'keys',
  'key_materials',
  'aliases',
  'settings',
  'outbox',
  'vault_state',
  // Format 2.
  'clients',
  'certificates',
  'secrets',
  'secret_versions',
  'rotations',
  'remotes',
  'key_stores',
  'modules',
  'key_usage',
] as const;
/** `key_materials` rows are never opened for main; `vault_state` only as `VaultState`. */
export type TableName = (typeof TABLES)[number];
export type OpenableTable = Exclude<TableName, 'key_materials' | 'vault_state'>;

/** The sealed state row, opened. It makes the whole database one thing. */
export interface VaultState {
  /** One more with each committed transaction. */
  readonly epoch: number;
  /** 32 bytes: sum mod 2^256 of HMAC(k, table ‖ row ‖ version ‖ tag) over every row but this one. */
  readonly setHash: Bytes;
  /** SHA-256 of the header file; `preparedHeader` while a header change is under way. */
  readonly header: Bytes;
  readonly preparedHeader?: Bytes;
  readonly headerEpoch: number;
  /** The trail record (index from 0, SHA-256 32 bytes) that was durable before this transaction: the mutation's own intent. */
  readonly trailIndex: number;
  readonly trailHash: Bytes;
  /** The latest wall time that this vault has seen, milliseconds. */
  readonly clock: number;
}

/** One row's change inside a unit. `plain` is sealed by the sealer; `sealed` was made by `generateMaterial`. */
export type Change =
  | {
      readonly kind: 'put';
      readonly table: OpenableTable;
      /** 16 random bytes. */
      readonly rowId: Bytes;
      /** 1 for a new row, else the old version + 1. */
      readonly version: number;
      readonly schema: number;
      readonly plain: Bytes;
      /** The tag of the row that this replaces (16); absent for a new row. */
      readonly oldTag?: Bytes;
      /** The unique value to be found by, when the table has one; the sealer turns it into 16 bytes. */
      readonly unique?: string;
    }
  | { readonly kind: 'putSealed'; readonly table: 'key_materials'; readonly rowId: Bytes; readonly version: 1; readonly body: Bytes; readonly unique: string }
  | { readonly kind: 'remove'; readonly table: Exclude<TableName, 'vault_state'>; readonly rowId: Bytes; readonly version: number; readonly oldTag: Bytes };

export interface SealedChange {
  /** Same order as the changes given; absent bytes for a removal. */
  readonly body?: Bytes;
  readonly tag?: Bytes;
  readonly blind?: Bytes;
}

/** Of one `generateDataKeys`: bounds how long the sealer does nothing else. */
export const DATA_KEYS_MOST = 128;

/** A key material: its row, and the sealed body when the sealer may not have it in memory. */
export interface MaterialRef {
  readonly rowId: Bytes;
  readonly version: number;
  readonly body?: Bytes;
}

/** In the place of a material (its id: 8) that a token holds: the key of one message (32), kept nowhere, and the same as the token wrapped it (60: IV, ciphertext, tag). */
export type MessageKey = Readonly<Record<'materialId' | 'messageKey' | 'wrapped', Bytes>>;
export type EncryptionKey = MaterialRef | MessageKey;

/** Pairs in any order; canonicalised (sorted by UTF-8 bytes) in the sealer. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** A key, how it encrypts, and what is bound to the ciphertext. */
export interface KeyUse {
  readonly key: EncryptionKey;
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly context: EncryptionContext;
}

type Nothing = Record<string, never>;

/** Every call: request and reply. */
export interface SealerCalls {
  // ── header and slots; each returns the whole new header file, main writes it in two phases
  readHeader: { request: { header: Bytes }; reply: HeaderInfo };
  /** Milliseconds that one Argon2id run of this cost takes here. */
  measureKdf: { request: { cost: KdfCost }; reply: { milliseconds: number } };
  createHeader: {
    request: { vaultId: Bytes; slots: readonly NewSlot[] };
    /** `recoveryCodes`: for each recovery slot, the 28 characters in ASCII, in the order given. The session is unsealed. */
    reply: { header: Bytes; recoveryCodes: readonly Bytes[]; info: HeaderInfo };
  };
  /** Opens with whichever slot the factors fit. IncorrectPassword/IncorrectRecoveryCode/HeaderRefused/VaultTampered/VaultTooNew. */
  unseal: { request: { header: Bytes; factors: Factors; type: SlotType; ramBytes: number }; reply: { slotId: string; info: HeaderInfo; pendingTerm: boolean } };
  addSlot: { request: { slot: NewSlot }; reply: { header: Bytes; slotId: string; recoveryCode?: Bytes; info: HeaderInfo } };
  /** Retired: the root stays. LastSlotException when it is the last. */
  retireSlot: { request: { slotId: string }; reply: { header: Bytes; info: HeaderInfo } };
  /** Replaces one slot by another in one header (password change, renewed cost, new recovery code). */
  replaceSlot: { request: { slotId: string; slot: NewSlot }; reply: { header: Bytes; slotId: string; recoveryCode?: Bytes; info: HeaderInfo } };
  /** Whether these factors open that slot, without changing the session. For password change and dangerous operations. */
  checkFactors: { request: { slotId?: string; type: SlotType; factors: Factors }; reply: { slotId: string } };
  /** Compromised: a new root and new table keys for the remaining slots; the old root stays reachable inside until `finishTerm`. */
  compromiseSlot: { request: { slotId: string }; reply: { header: Bytes; info: HeaderInfo } };
  /** Opens rows under the old term and seals them under the new; same row ids and versions. `key_materials` included. */
  resealRows: { request: { rows: readonly (SealedRow & { schema: number; unique?: string })[] }; reply: { changes: readonly SealedChange[] } };
  /** Seals the state row for the whole re-encrypted database; to be committed in the same transaction as the rows. */
  resealState: { request: { trailIndex: number; trailHash: Bytes; clock: number; rowVersion: number }; reply: { stateBody: Bytes; stateTag: Bytes } };
  /** A header without the old root, to be written once every row is under the new term. */
  finishTerm: { request: Nothing; reply: { header: Bytes; info: HeaderInfo } };
  /** Main tells which header bytes are now on disk, so that the next change builds on them. */
  adoptHeader: { request: { header: Bytes }; reply: Nothing };

  // ── the database
  /** State check: begin, then every row's coordinates packed as table u8 (index in TABLES) ‖ rowId16 ‖ version u64 ‖ tag16, then finish. */
  checkBegin: { request: Nothing; reply: Nothing };
  checkRows: { request: { packed: Bytes }; reply: Nothing };
  /** VaultTamperedException with what is wrong: rows, header, or the state row itself. `complete: false` opens the state only. */
  checkFinish: { request: { stateBody: Bytes; stateRowVersion: number; headerHash: Bytes; complete: boolean }; reply: { state: VaultState } };
  /** The first state row of a new vault. */
  createState: { request: { headerHash: Bytes; trailIndex: number; trailHash: Bytes; clock: number }; reply: { stateBody: Bytes; stateTag: Bytes; state: VaultState } };
  /** Seals a unit's rows and the state row that follows. Held as pending until `confirmUnit` or `abandonUnit`; one at a time. */
  sealUnit: {
    request: {
      changes: readonly Change[];
      /** Of the state row that is sealed here: one more than the last. */
      stateRowVersion: number;
      trailIndex: number;
      trailHash: Bytes;
      clock: number;
      /** Two-phase header: `prepare` a new header's hash, or make it `current`. */
      header?: { readonly prepare: Bytes } | { readonly current: Bytes; readonly headerEpoch: number };
    };
    reply: { rows: readonly SealedChange[]; stateBody: Bytes; stateTag: Bytes; epoch: number };
  };
  confirmUnit: { request: { epoch: number }; reply: Nothing };
  abandonUnit: { request: { epoch: number }; reply: Nothing };
  /** Plaintext bodies, same order. VaultTamperedException naming table and row when one does not open. */
  openRows: { request: { rows: readonly (SealedRow & { readonly table: OpenableTable; readonly schema: number })[] }; reply: { plain: readonly Bytes[] } };
  /** 16-byte blind index of a unique value. */
  blind: { request: { table: TableName; value: string }; reply: { blind: Bytes } };

  // ── keys
  random: { request: { length: number }; reply: { bytes: Bytes } };
  /** Makes a key and seals it as row 1 of `key_materials`. `publicKey`: SubjectPublicKeyInfo DER, for asymmetric keys. */
  generateMaterial: {
    request: { rowId: Bytes; spec: KeySpec; keyId: string; materialId: Bytes; purpose: KeyPurpose };
    reply: { body: Bytes; tag: Bytes; publicKey?: Bytes };
  };
  /** The material id (8) in a ciphertext blob, and the message key (60) where a token wrapped one; or InvalidCiphertext. Says nothing about authenticity. */
  locate: { request: { ciphertext: Bytes }; reply: { materialId: Bytes; wrapped?: Bytes } };
  /** `missing` answers: the sealer has not this material in memory; ask again with its body. `other`: the ciphertext names that one (8), and nothing was decrypted; never under a message key. */
  encrypt: { request: { key: EncryptionKey; keyId: string; algorithm: Algorithm; plaintext: Bytes; context: EncryptionContext }; reply: Loaded<{ ciphertext: Bytes }> };
  decrypt: { request: { key: EncryptionKey; keyId: string; algorithm: Algorithm; ciphertext: Bytes; context: EncryptionContext }; reply: Loaded<{ plaintext: Bytes; other?: undefined } | { other: Bytes; plaintext?: undefined }> };
/** Without `reveal` the plaintext does not come out. */
  generateDataKey: { request: { key: EncryptionKey; keyId: string; length: number; context: EncryptionContext; reveal: boolean }; reply: Loaded<{ plaintext?: Bytes; ciphertext: Bytes }> };
  /** As many as there are contexts (up to DATA_KEYS_MOST), in their order; each with its plaintext. Never under a message key, which is for one message. */
  generateDataKeys: { request: { key: MaterialRef; keyId: string; length: number; contexts: readonly EncryptionContext[] }; reply: Loaded<{ keys: readonly { plaintext: Bytes; ciphertext: Bytes }[] }> };
  /** A key pair for use outside. `privateKey`: PKCS #8 DER, with `reveal` only; `ciphertext`: the same, encrypted; `publicKey`: SubjectPublicKeyInfo DER. */
  generateDataKeyPair: { request: { key: EncryptionKey; keyId: string; spec: KeySpec; context: EncryptionContext; reveal: boolean }; reply: Loaded<{ privateKey?: Bytes; ciphertext: Bytes; publicKey: Bytes }> };
  /** Decrypt and encrypt in one, so that the plaintext stays here. `missing`: one of the two. */
  reEncrypt: { request: { source: KeyUse; ciphertext: Bytes; destination: KeyUse }; reply: Loaded<{ ciphertext: Bytes }> };
  /** `digest`: the message is already hashed as the algorithm wants it: 32, 48 or 64 bytes; for Ed25519ph its own pre-hash, for ML-DSA μ. InvalidKeyUsage when purpose differs. */
  sign: { request: { key: MaterialRef; purpose: KeyPurpose; algorithm: Algorithm; message: Bytes; digest: boolean }; reply: Loaded<{ signature: Bytes }> };
  verify: { request: { publicKey: Bytes; spec: KeySpec; algorithm: Algorithm; message: Bytes; digest: boolean; signature: Bytes }; reply: { valid: boolean } };
  /** ECDH: the x coordinate. `publicKey`: SubjectPublicKeyInfo DER of the other side. ValidationException when it is not of the curve. */
  deriveSharedSecret: { request: { key: MaterialRef; publicKey: Bytes }; reply: Loaded<{ secret: Bytes }> };
  encapsulate: { request: { publicKey: Bytes; spec: KeySpec }; reply: { secret: Bytes; ciphertext: Bytes } };
  /** InvalidCiphertext for a ciphertext of another length only (implicit rejection). */
  decapsulate: { request: { key: MaterialRef; ciphertext: Bytes }; reply: Loaded<{ secret: Bytes }> };
  mac: { request: { key: MaterialRef; algorithm: Algorithm; message: Bytes }; reply: Loaded<{ mac: Bytes }> };
  verifyMac: { request: { key: MaterialRef; algorithm: Algorithm; message: Bytes; mac: Bytes }; reply: Loaded<{ valid: boolean }> };
  /** Drops a material from memory (destroyed or disabled). */
  forget: { request: { rowId: Bytes }; reply: Nothing };

  // ── import
  /** A fresh wrapping key. Its private half is in the token only, sealed; `binding` says which key the token is for, `validTo` until when (milliseconds). */
  importParameters: { request: { binding: string; algorithm: WrappingAlgorithm; spec: WrappingKeySpec; validTo: number }; reply: { publicKey: Bytes; token: Bytes } };
  /**
   * Unwraps a material and seals it as row 1 of `key_materials`; its material id is the first 8 bytes of `identity` (32), which is
   * the same whenever the same material is imported into the same key, and says nothing about it to one without the vault.
   * InvalidImportTokenException, ExpiredImportTokenException, InvalidCiphertextException, IncorrectKeyMaterialException.
   */
  importMaterial: { request: { rowId: Bytes; binding: string; token: Bytes; now: number; wrapped: Bytes; spec: KeySpec; keyId: string; purpose: KeyPurpose }; reply: { identity: Bytes; body: Bytes; tag: Bytes; publicKey?: Bytes } };
  // ── kept: sealed for main to keep, opened only here
  /** Draws a secret access key (40 characters of base64) or takes the one given (up to 128 bytes). `secret` is to be shown once and wiped. */
  newAccessKey: { request: { accessKeyId: string; secret?: Bytes }; reply: { sealed: Bytes; secret: Bytes } };
  /** Signature Version 4's key (32) of one day, and the session token that goes with the access key. VaultTamperedException when `sealed` or `sessionToken` is not of this access key. */
  signingKey: { request: { accessKeyId: string; sealed: Bytes; sessionToken?: Bytes; scope: { date: string; region: string; service: string } }; reply: { key: Bytes; sessionToken?: Bytes } };
  /** A session token of AWS's (up to 8,192 bytes), for `signingKey`. */
  keepSessionToken: { request: { accessKeyId: string; sessionToken: Bytes }; reply: { sealed: Bytes } };
  /** A token's PIN (up to 255 bytes). `token`: which token in which module. VaultTamperedException when `sealed` is not of this one. */
  sealPin: { request: { token: string; pin: Bytes }; reply: { sealed: Bytes } };
  openPin: { request: { token: string; sealed: Bytes }; reply: { pin: Bytes } };
  /** A P-256 key for the vault's own certificates (SubjectPublicKeyInfo DER); ECDSA in DER over a TBSCertificate (RFC 5280 section 4.1.1), checked before it leaves. */
  newCertificateKey: { request: { name: string }; reply: { sealed: Bytes; publicKey: Bytes } };
  signCertificate: { request: { name: string; sealed: Bytes; publicKey: Bytes; certificate: Bytes }; reply: { signature: Bytes } };

  // ── the trail
  /** Starts reading the trail; segments are then fed in order. `publicKeys`/chain state live in the session until the next begin. `anchors`: positions that the trail must pass through. */
  trailBegin: { request: { from?: { index: number; hash: Bytes }; anchors?: readonly { index: number; hash: Bytes }[] }; reply: Nothing };
  /** One chunk of one segment file, in order, at most 1 MiB. `last`: the segment ends here. Records come back opened when asked. */
  trailFeed: {
    request: { segment: number; bytes: Bytes; last: boolean; open: boolean };
    reply: { verified: number; records: readonly { index: number; hash: Bytes; body: Bytes }[]; broken?: TrailBreak };
  };
  /** `nextKey` (32): what `trail.key` must hold; compared in the sealer with the block that main gives. */
  trailFinish: { request: { keyBlock: Bytes; state?: { trailIndex: number; trailHash: Bytes } }; reply: { records: number; lastIndex: number; lastHash: Bytes; broken?: TrailBreak } };
  /** DSSE envelope (JSON bytes) over a checkpoint statement, by the vault's own checkpoint key (Ed25519). */
  signCheckpoint: { request: { payload: Bytes }; reply: { envelope: Bytes; publicKey: Bytes } };
  /** SubjectPublicKeyInfo DER of that key and of those of earlier terms, newest last. */
  checkpointKeys: { request: Nothing; reply: { publicKeys: readonly Bytes[] } };
}

export type Loaded<T> = (T & { readonly missing?: undefined }) | { readonly missing: true };

/** Every signing key has one, for ever: `kms:Sign` refuses the others. */
export type KeyPurpose = 'kms' | 'ssh' | 'envelope' | 'checkpoint' | 'certificate';

/** The first thing wrong with a trail. `index`: of the first bad record. */
export interface TrailBreak {
  readonly segment: number;
  readonly index: number;
  readonly offset: number;
  readonly what: 'header' | 'hash' | 'mac' | 'index' | 'torn' | 'decrypt' | 'next-key' | 'behind-state' | 'fork' | 'missing-segment';
}

export type SealerMethod = keyof SealerCalls;
export type RequestOf<M extends SealerMethod> = SealerCalls[M]['request'];
export type ReplyOf<M extends SealerMethod> = SealerCalls[M]['reply'];

/** The client's face: in a child process in the product, in-process (`createSealer`) in tests. Rejects with VaultError. */
export interface Sealer {
  call<M extends SealerMethod>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>>;
  /** Wipes, kills, and resolves once the process is gone. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the process has gone for any reason. */
  readonly gone: Promise<void>;
}
