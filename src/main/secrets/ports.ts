/**
 * Secrets: what one is, and what it needs of a store.
 *
 * A secret is a record (name, description, tags, versions and their stages, settings), sealed as one row; the value of each version is
 * a row of its own, encrypted under the secret's KMS key before it is sealed. Everything here is data; `stages.ts` decides,
 * `values.ts` encrypts and decrypts.
 *
 * Defends against: a version that changes after it was made, a stage on two versions, a moment without AWSCURRENT.
 * Does not: store, know who asks, or talk to anything outside.
 */
import { placedSecret, type Instant, type KeyId, type SecretName } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Engine } from './rotator-port.ts';

export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';
export const PENDING = 'AWSPENDING';

/** Where the value of a version is. Absent of a version that a rotation has announced and not yet filled. */
export interface StoredValue {
  /** 16 random bytes, hex: the row of `secret_versions`. */
  readonly valueId: string;
  readonly kind: 'string' | 'binary';
  /** The KMS key that its data key is wrapped with. */
  readonly keyId: KeyId;
  /** The database that the value named when it was sealed: so that it need not be opened for that. */
  readonly engine?: Engine;
}

export interface VersionRecord {
  /** The ClientRequestToken that made it: 32 to 64 characters. */
  readonly versionId: string;
  readonly created: Instant;
  /** Sorted. Empty: deprecated, and pruned some day. At most 20. */
  readonly stages: readonly string[];
  readonly value?: StoredValue;
  /** The day it was last read, midnight UTC. */
  readonly lastAccessed?: Instant;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** AWS's rotation settings; the state of a running rotation is the rotation machine's own record. */
export interface RotationSettings {
  readonly enabled: boolean;
  /** `RotationLambdaARN` as it was given: names the rotator. */
  readonly rotator?: string;
  readonly rules: { readonly afterDays?: number; readonly duration?: string; readonly schedule?: string };
  readonly lastRotated?: Instant;
  readonly next?: Instant;
  /** RotateSecret has asked for a rotation now that has not begun: the version id that it is to make. */
  readonly asked?: { readonly token: string; readonly at: Instant };
}

/** A staging label on a version. */
export interface Label {
  readonly stage: string;
  readonly versionId: string;
}

export const CONFLICTS = ['foreign', 'moved', 'exists', 'deleted', 'gone'] as const;
/**
 * foreign: a version that was not made here. moved: a label that somebody has moved there. exists: a secret of the name that is no copy.
 * deleted, gone: the copy is to be deleted there, or has been.
 */
export type ConflictKind = (typeof CONFLICTS)[number];

/** A copy of a secret. `region`: a name space of this vault, or the name of a remote, as `AddReplicaRegions` gave it. */
export interface ReplicaRecord {
  readonly region: string;
  /** A key of that region's, as it was given. */
  readonly kmsKeyId?: string;
  readonly added: Instant;
  /** A secret of the name that is there already is written over. */
  readonly overwrite: boolean;
  /** The conflict that `overwrite` was said of, by the version that its owner saw there; absent: whatever is there. */
  readonly seen?: { readonly versionId?: string };
  /** `shape`: what it was last brought level with. `labels` and `tags` (their keys): what was left at a remote. */
  readonly level?: { readonly shape: string; readonly at: Instant; readonly versions: readonly string[]; readonly labels: readonly Label[]; readonly tags: readonly string[] };
  /** Labels that steps which were begun since may have put at a remote. */
  readonly begun?: readonly Label[];
  /** And tags, by their keys. */
  readonly begunTags?: readonly string[];
  /** `shape`: of the secret when it failed: a change is another try. */
  readonly failure?: { readonly code: string; readonly message: string; readonly shape: string; readonly attempts: number; readonly until: Instant };
  readonly conflict?: { readonly kind: ConflictKind; readonly at: Instant; readonly versionId?: string };
  /** It is to be looked at, level or not. */
  readonly look?: true;
  /** The owner's word on a conflict: the remote's current version is to be a new one here. */
  readonly adopting?: true;
  /** It is to be deleted at its remote, and is no replica any more then. */
  readonly leaving?: true;
}

/** Somebody who read a value: a principal at a door. */
export interface ConsumerRecord {
  readonly principal: string;
  readonly door: string;
  /** The version that it read last, and when. */
  readonly versionId: string;
  readonly at: Instant;
}

/** One secret, as it is sealed (schema 1). */
export interface SecretRecord {
  readonly name: SecretName;
  /** Six of `[A-Za-z0-9]`, the end of its ARN. */
  readonly suffix: string;
  /** Name space that it is in; absent: the vault's own region. */
  readonly region?: string;
  /** Of a replica, which nobody changes but its primary: where that is. */
  readonly primary?: { readonly region: string };
  readonly description: string;
  /** The key for new versions; absent: `alias/aws/secretsmanager`. `kmsKeyId`: as the caller named it. */
  readonly key?: { readonly keyId: KeyId; readonly kmsKeyId: string };
  readonly tags: readonly Tag[];
  readonly created: Instant;
  readonly changed: Instant;
  /** Midnight UTC. */
  readonly lastAccessed?: Instant;
  /** `at`: of the request. `due`: when it may be destroyed. */
  readonly deletion?: { readonly at: Instant; readonly due: Instant };
  /** Oldest first. Exactly one has AWSCURRENT as soon as one has a value. */
  readonly versions: readonly VersionRecord[];
  readonly rotation?: RotationSettings;
  readonly replicas: readonly ReplicaRecord[];
  /** Most recent last; at most 100. */
  readonly consumers: readonly ConsumerRecord[];
}

/** What a secret and its rotation are kept under. */
export const placeOf = ({ region, name }: Pick<SecretRecord, 'region' | 'name'>): string => placedSecret(region, name);

/** A value on its way through. Whoever gets one disposes of `bytes`. */
export interface SecretValue {
  readonly kind: 'string' | 'binary';
  /** UTF-8 of a string. */
  readonly bytes: SecretBytes;
}

/**
 * What a rotation (or anything else that makes and reads versions) does inside a handler: a port, for the operations to
 * implement from a handler's rights. Each call that changes returns the record as staged: pass it on to the next call.
 */
export interface SecretValues {
  /** The version's value, decrypted. ResourceNotFoundException when it has none, DecryptionFailure. */
  read(record: SecretRecord, versionId: string): Promise<SecretValue>;
  /**
   * A new version `token` with `stages` (default AWSCURRENT), or the value of one that was announced. The same token with the same
   * value again changes nothing; with another one it is ResourceExistsException. `value` stays the caller's.
   * ResourceExistsException, LimitExceededException, EncryptionFailure.
   */
  put(record: SecretRecord, request: { readonly token: string; readonly value: SecretValue; readonly stages?: readonly string[]; readonly at: Instant }): Promise<SecretRecord>;
  /** Announces a version without a value under AWSPENDING, as AWS does before the first step. The same token again changes nothing. */
  announce(record: SecretRecord, token: string, at: Instant): SecretRecord;
  /** UpdateSecretVersionStage: moves, adds or removes one stage. AWSPREVIOUS follows AWSCURRENT. */
  move(record: SecretRecord, request: { readonly stage: string; readonly from?: string; readonly to?: string; readonly at: Instant }): SecretRecord;
}
