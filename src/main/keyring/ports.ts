/** The keyring's ports: what it needs of a store, and what a backend (software, later PKCS#11) must offer. */
import type { Algorithm, KeyPurpose, KeySpec, KeyUsage } from '../../shared/model/algorithms.ts';
import type { EncryptionContext } from '../../shared/api/fields.ts';
import type { AliasName, Instant, KeyId } from '../../shared/model/ids.ts';
import type { WrappingAlgorithm, WrappingKeySpec } from '../../shared/model/wrapping.ts';
import type { ErrorCode } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';

/** What a record may hold. */
export type StoredState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'PendingReplicaDeletion';
/** What is seen of it. Unavailable: its key store is not connected now. */
export type KeyState = StoredState | 'Unavailable';

export type RotationType = 'AUTOMATIC' | 'ON_DEMAND';

/** One material that was brought from elsewhere. What it is remains known after it is gone, so that only the same one comes back. */
export interface ImportedMaterial {
  /** 8 bytes, hex: the first of `identity`. */
  readonly materialId: string;
  /** 32 bytes, hex. */
  readonly identity: string;
  /** Whether the material is here: false once it was deleted or has expired. */
  readonly held: boolean;
  /** When it goes by itself. Absent: never. */
  readonly validTo?: Instant;
  readonly description?: string;
}

/** What is a replica's own of a multi-Region key; the rest it shares with its primary. */
export interface Replica {
  readonly region: string;
  readonly state: KeyState;
  readonly description: string;
  readonly created: Instant;
  readonly deletionDate?: Instant;
  readonly tags?: NonNullable<KeyRecord['tags']>;
  readonly imports?: readonly ImportedMaterial[];
}

/** Where a token has the key. */
export interface HardwareRef {
  /** Id of the custom key store. */
  readonly store: string;
  /** CKA_ID of its objects, hex. */
  readonly id: string;
  /** It was on the token before and is left there when the key is deleted here. */
  readonly adopted?: true;
}

/** One key, as it is sealed (schema 3; schema 2 has no `hardware`, schema 1 ends with `publicKey`). */
export interface KeyRecord {
  readonly keyId: KeyId;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly purpose: KeyPurpose;
  readonly state: KeyState;
  readonly description: string;
  readonly created: Instant;
  /** Set while PendingDeletion. */
  readonly deletionDate?: Instant;
  /** 8 bytes each, hex; the last one encrypts and signs, all decrypt. Empty while nothing was ever imported. */
  readonly materials: readonly string[];
  /** SubjectPublicKeyInfo DER, base64; asymmetric keys only. */
  readonly publicKey?: string;
  /** Present while rotation is planned. `periodDays` 90 to 2,560. */
  readonly rotation?: { readonly periodDays: number; readonly next: Instant };
  /** How each material after the first came about: one shorter than `materials`. Absent: never rotated. */
  readonly rotations?: readonly { readonly at: Instant; readonly type: RotationType }[];
  /** Name and value. Absent: none. */
  readonly tags?: readonly (readonly [name: string, value: string])[];
  /** EXTERNAL: its material is brought from elsewhere. AWS_CLOUDHSM: a token has it. Absent: made here. */
  readonly origin?: 'EXTERNAL' | 'AWS_CLOUDHSM';
  /** Of a key of origin AWS_CLOUDHSM. */
  readonly hardware?: HardwareRef;
  /** Of a key of origin EXTERNAL: one for each of `materials` in their order, then the one that is `awaiting`. Absent: none yet. */
  readonly imports?: readonly ImportedMaterial[];
  /** Where it is, of a multi-Region key where its primary is. Absent: in the vault's own region. */
  readonly region?: string;
  /** Of a multi-Region key. */
  readonly replicas?: readonly Replica[];
  /** While PendingReplicaDeletion: the days that begin when its last replica is gone. */
  readonly pendingDays?: number;
  /** Made by the vault for itself: nobody else changes it. Absent: a customer's. */
  readonly manager?: 'AWS';
  /** Imported for the next rotation on demand: neither encrypts nor decrypts yet. */
  readonly awaiting?: string;
}

export interface AliasRecord {
  /** With its region before it where that is not the vault's own. */
  readonly name: AliasName;
  readonly target: KeyId;
  readonly created: Instant;
  readonly updated: Instant;
}

/** A key's material as the store knows it: sealed, opened only by the sealer. */
export interface MaterialRow {
  /** 8 bytes, hex. */
  readonly materialId: string;
  readonly rowId: Uint8Array;
  readonly version: number;
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass to the next call; undefined at the end. Opaque to callers. */
  readonly next?: string;
}

/** What happens to keys by date. rotation: of an enabled key. expiry: of a material that was imported. */
export type Planned = 'rotation' | 'expiry';

/** Reading. All answers are of the last committed transaction. */
export interface KeyReader {
  key(keyId: KeyId): Promise<KeyRecord | undefined>;
  alias(name: AliasName): Promise<AliasRecord | undefined>;
  /** The key that a ciphertext's material (8 bytes, hex) belongs to. */
  keyOfMaterial(materialId: string): Promise<KeyRecord | undefined>;
  material(materialId: string): Promise<MaterialRow | undefined>;
  /** In a stable order. `limit` 1 to 1,000. Throws InvalidMarkerException. */
  keys(page: { readonly after?: string; readonly limit: number }): Promise<Page<KeyRecord>>;
  aliases(page: { readonly after?: string; readonly limit: number; readonly target?: KeyId }): Promise<Page<AliasRecord>>;
  /** Keys that wait for their deletion, in any region, for the schedule. */
  pendingDeletion(): Promise<readonly KeyRecord[]>;
  /** Keys of which that is due at `now`, up to `limit`. */
  due(what: Planned, now: Instant, limit: number): Promise<readonly KeyRecord[]>;
  /** When it is due next of any key. */
  next(what: Planned): Promise<Instant | undefined>;
}

/**
 * One unit of work: everything staged is committed in one transaction, or nothing. Staging is synchronous; a put of a row
 * that somebody else changed since it was read makes the commit fail and the operation is run again by the store's shell.
 */
export interface KeyWriter extends KeyReader {
  /** AlreadyExistsException surfaces at commit when the name or id is taken. */
  /** Without a material where it is yet to be imported. */
  insertKey(record: KeyRecord, material?: NewMaterial): void;
  /** With the material that a rotation or an import adds. One that the record no longer holds is destroyed. */
  updateKey(record: KeyRecord, material?: NewMaterial): void;
  /** The record, its aliases, and its materials. */
  destroyKey(keyId: KeyId): Promise<void>;
  insertAlias(record: AliasRecord): void;
  updateAlias(record: AliasRecord): void;
  deleteAlias(name: AliasName): void;
}

export interface NewMaterial {
  readonly materialId: string;
  readonly rowId: Uint8Array;
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
}

declare const usageBrand: unique symbol;
/** A key, opened for one usage: passing a signing handle to `encrypt` does not compile. */
export interface KeyHandle<Usage extends KeyUsage> {
  readonly [usageBrand]: Usage;
  readonly keyId: KeyId;
  readonly spec: KeySpec;
  readonly purpose: KeyPurpose;
  readonly materials: readonly string[];
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey?: Uint8Array;
  readonly hardware?: HardwareRef;
  /** Told of each token that was asked, where it was more than one. */
  readonly attempted?: ((attempt: Attempt) => void) | undefined;
}

/** One token that was asked for one request. */
export interface Attempt {
  /** Its name, `cluster-…`. */
  readonly token: string;
  readonly outcome: 'ok' | ErrorCode;
}

/** How a key encrypts or decrypts. */
export interface EncryptionUse {
  readonly key: KeyHandle<'ENCRYPT_DECRYPT'>;
  readonly algorithm: Algorithm;
  readonly context: EncryptionContext;
}

/** What was brought, and what the sealer knows of it. */
export interface Brought {
  readonly material: NewMaterial;
  /** 32 bytes, hex: the same whenever the same material comes to the same key. */
  readonly identity: string;
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey?: Uint8Array;
}

/** What makes and uses keys. Rejects with VaultError; a failed decryption is InvalidCiphertextException, nothing finer. */
export interface KeyBackend {
  generate(request: { readonly spec: KeySpec; readonly keyId: KeyId; readonly purpose: KeyPurpose }): Promise<{ readonly material: NewMaterial; readonly publicKey?: Uint8Array }>;
  /** A wrapping key for bringing material to the key of ARN `arn` until `validTo`; `publicKey` is SubjectPublicKeyInfo DER. */
  importParameters(request: { readonly arn: string; readonly algorithm: WrappingAlgorithm; readonly spec: WrappingKeySpec; readonly validTo: Instant }): Promise<{ readonly publicKey: Uint8Array; readonly token: Uint8Array }>;
  /** InvalidImportTokenException, ExpiredImportTokenException, InvalidCiphertextException, IncorrectKeyMaterialException. */
  importMaterial(request: { readonly arn: string; readonly token: Uint8Array; readonly wrapped: Uint8Array; readonly spec: KeySpec; readonly keyId: KeyId; readonly purpose: KeyPurpose; readonly now: Instant }): Promise<Brought>;
  sign(key: KeyHandle<'SIGN_VERIFY'>, request: { readonly algorithm: Algorithm; readonly message: SecretBytes | Uint8Array; readonly digest: boolean }): Promise<Uint8Array>;
  verify(key: KeyHandle<'SIGN_VERIFY'>, request: { readonly algorithm: Algorithm; readonly message: SecretBytes | Uint8Array; readonly digest: boolean; readonly signature: Uint8Array }): Promise<boolean>;
  encrypt(key: KeyHandle<'ENCRYPT_DECRYPT'>, request: { readonly algorithm: Algorithm; readonly plaintext: SecretBytes; readonly context: EncryptionContext }): Promise<Uint8Array>;
  decrypt(key: KeyHandle<'ENCRYPT_DECRYPT'>, request: { readonly algorithm: Algorithm; readonly ciphertext: Uint8Array; readonly context: EncryptionContext }): Promise<SecretBytes>;
  generateDataKey(key: KeyHandle<'ENCRYPT_DECRYPT'>, request: { readonly length: number; readonly context: EncryptionContext }): Promise<{ readonly plaintext: SecretBytes; readonly ciphertext: Uint8Array }>;
  generateDataKeyWithoutPlaintext(key: KeyHandle<'ENCRYPT_DECRYPT'>, request: { readonly length: number; readonly context: EncryptionContext }): Promise<Uint8Array>;
  /** A key pair for use outside: `privateKey` (PKCS #8 DER) with `reveal` only. */
  generateDataKeyPair(key: KeyHandle<'ENCRYPT_DECRYPT'>, request: { readonly spec: KeySpec; readonly context: EncryptionContext; readonly reveal: boolean }): Promise<{ readonly privateKey?: SecretBytes; readonly ciphertext: Uint8Array; readonly publicKey: Uint8Array }>;
  reEncrypt(source: EncryptionUse, ciphertext: Uint8Array, destination: EncryptionUse): Promise<Uint8Array>;
  /** `publicKey`: SubjectPublicKeyInfo DER. ValidationException when it is not of the key's curve. */
  deriveSharedSecret(key: KeyHandle<'KEY_AGREEMENT'>, publicKey: Uint8Array): Promise<SecretBytes>;
  encapsulate(key: KeyHandle<'ENCAPSULATE_DECAPSULATE'>): Promise<{ readonly secret: SecretBytes; readonly ciphertext: Uint8Array }>;
  /** InvalidCiphertextException for a ciphertext of another length only. */
  decapsulate(key: KeyHandle<'ENCAPSULATE_DECAPSULATE'>, ciphertext: Uint8Array): Promise<SecretBytes>;
  mac(key: KeyHandle<'GENERATE_VERIFY_MAC'>, request: { readonly algorithm: Algorithm; readonly message: SecretBytes | Uint8Array }): Promise<Uint8Array>;
  verifyMac(key: KeyHandle<'GENERATE_VERIFY_MAC'>, request: { readonly algorithm: Algorithm; readonly message: SecretBytes | Uint8Array; readonly mac: Uint8Array }): Promise<boolean>;
  /** The material id (8 bytes, hex) that a symmetric ciphertext names. InvalidCiphertextException. */
  locate(ciphertext: Uint8Array): Promise<string>;
  random(length: number): Promise<SecretBytes>;
  /** Drops key material from memory. */
  forget(materials: readonly string[]): Promise<void>;
}
