/**
 * Replication of a secret as a state machine: what each act and each try makes of its replicas, and when the next try is due. Pure.
 * Source: AWS Secrets Manager API Reference, ReplicateSecretToRegions, RemoveRegionsFromReplication, ReplicationStatusType.
 *
 * A replica is level when it was last left with the secret's present shape: description, tags, and every label on a version that has a
 * value. So no act on a secret has to think of its replicas, and what a killed process has not written down is done again.
 *
 * INVARIANT: a replica in conflict is not touched until its owner has spoken, whose word is good for the version that was seen there, and for
 * one try that succeeds.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, isRegion, type Instant } from '../../shared/model/ids.ts';
import { hex, utf8 } from '../crypto/bytes.ts';
import { digest } from '../crypto/hmac.ts';
import type { ConflictKind, Label, ReplicaRecord, SecretRecord, VersionRecord } from './ports.ts';

/** Of one secret. */
const MOST_REPLICAS = 50;
/** Tries of one change come after 5, 10, 20 s … and from then on every hour; a quarter more or less. */
const FIRST_MS = 5000;
const LONGEST_MS = 3_600_000;
/** Somebody may have changed a level copy at a remote. */
const LOOK_MS = 6 * 3_600_000;
const NOW = instant(0);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Versions that a replica is to have. */
export const carried = ({ versions }: SecretRecord): readonly VersionRecord[] => versions.filter(({ value, stages }) => value !== undefined && stages.length > 0);

/** Sorted by stage. */
export const labelsOf = (secret: SecretRecord): readonly Label[] =>
  carried(secret).flatMap(({ versionId, stages }) => stages.map((stage) => ({ stage, versionId }))).sort((a, b) => compare(a.stage, b.stage));

/** SHA-256 over what a replica is to be like, hex. A version's value never changes, so its id stands for it. */
export function shapeOf(secret: SecretRecord): string {
  const tags = secret.tags.map(({ key, value }) => [key, value] as const).sort(([a], [b]) => compare(a, b));
  return hex(digest('sha256', utf8(JSON.stringify([secret.description, tags, labelsOf(secret).map(({ stage, versionId }) => [stage, versionId])]))));
}

export const isLevel = (secret: SecretRecord, { level }: ReplicaRecord, shape = shapeOf(secret)): boolean => level?.shape === shape;

/** Undefined: level. `versions`: how many of the secret's versions it has not. */
export function lagOf(secret: SecretRecord, replica: ReplicaRecord): { readonly since: Instant; readonly versions: number } | undefined {
  const { level } = replica;
  if (isLevel(secret, replica)) return undefined;
  const missing = carried(secret).filter(({ versionId }) => !level?.versions.includes(versionId));
  const since = !level ? replica.added : missing.length > 0 ? Math.min(...missing.map(({ created }) => created)) : secret.changed;
  return { since: instant(Math.max(since, replica.added)), versions: missing.length };
}

/** When it is to be tried, or looked at again; 0: now. Undefined: there is nothing to do, or its owner is waited for. */
export function dueOf(secret: SecretRecord, replica: ReplicaRecord, shape = shapeOf(secret)): Instant | undefined {
  const { conflict, adopting, leaving, failure, level, look } = replica;
  if (conflict && !adopting) return undefined;
  if (failure?.shape === shape) return failure.until;
  if (adopting || leaving || look || !level || !isLevel(secret, replica, shape)) return NOW;
  return isInside(replica) ? undefined : instant(level.at + LOOK_MS);
}

export function wakeOf(secret: SecretRecord): Instant | undefined {
  const shape = shapeOf(secret);
  const dates = secret.replicas.flatMap((replica) => dueOf(secret, replica, shape) ?? []);
  return dates.length === 0 ? undefined : instant(Math.min(...dates));
}

const CONFLICT_WORDS: Readonly<Record<ConflictKind, string>> = {
  foreign: 'a version was made there that is not known here',
  moved: 'somebody has moved a staging label there',
  exists: 'a secret of this name exists there already, which is no copy of this one',
  deleted: 'the secret is marked for deletion there',
  gone: 'the copy was deleted there',
};

/** AWS's `Status` and `StatusMessage`. */
export function statusOf(secret: SecretRecord, replica: ReplicaRecord): { readonly status: 'InSync' | 'Failed' | 'InProgress'; readonly message?: string } {
  const { conflict, failure, adopting, leaving, look } = replica;
  if (conflict && !adopting) return { status: 'Failed', message: `Replication failed: ${CONFLICT_WORDS[conflict.kind]}; nothing was overwritten` };
  if (failure?.shape === shapeOf(secret)) return { status: 'Failed', message: `Replication failed: ${failure.message}` };
  if (adopting || leaving || look || !isLevel(secret, replica)) return { status: 'InProgress' };
  return { status: 'InSync', message: 'Replication succeeded' };
}

export const replicaOf = ({ replicas }: SecretRecord, region: string): ReplicaRecord | undefined => replicas.find((one) => one.region === region);

/** In a name space of this vault; otherwise at a remote of this name. */
export const isInside = ({ region }: Pick<ReplicaRecord, 'region'>): boolean => isRegion(region);

export const withReplica = (secret: SecretRecord, replica: ReplicaRecord): SecretRecord => ({ ...secret, replicas: secret.replicas.map((one) => (one.region === replica.region ? replica : one)) });
export const withoutReplica = (secret: SecretRecord, region: string): SecretRecord => ({ ...secret, replicas: secret.replicas.filter((one) => one.region !== region) });

export interface Wanted {
  readonly region: string;
  readonly kmsKeyId?: string | undefined;
}

/**
 * ReplicateSecretToRegions. A replica that is there already is looked at again, at once, whether it failed, is in conflict or was level; `overwrite` is good for one that is not level
 * yet, and until it is. InvalidParameterException, InvalidRequestException, LimitExceededException.
 */
export function replicated(secret: SecretRecord, wanted: readonly Wanted[], overwrite: boolean, own: string, at: Instant): SecretRecord {
  const replicas = [...secret.replicas];
  for (const { region, kmsKeyId } of wanted) {
    if (region === own) throw new VaultError('InvalidParameterException', `the secret itself is in \`${region}\`; name another region`);
    const known = replicas.findIndex((one) => one.region === region);
    const before = replicas[known];
    if (!before) {
      replicas.push({ region, ...(kmsKeyId === undefined ? {} : { kmsKeyId }), added: at, overwrite });
      continue;
    }
    if (before.leaving) throw new VaultError('InvalidRequestException', `the replica in \`${region}\` is being removed; wait until it is gone, or keep the copy with \`keystead secret release-replica\``);
    if (before.level && kmsKeyId !== undefined && kmsKeyId !== before.kmsKeyId) throw new VaultError('InvalidParameterException', `the replica in \`${region}\` has a key already; change it there with \`keystead secret update --region ${region}\``);
    const { failure: _failure, conflict, adopting: _adopting, seen: _seen, ...rest } = before;
    const open = conflict !== undefined || !isLevel(secret, before);
    const seen = overwrite && conflict ? seenIn(conflict) : before.seen;
    replicas[known] = { ...rest, ...(before.level && !isInside(before) ? { look: true as const } : {}), ...(kmsKeyId === undefined ? {} : { kmsKeyId }), overwrite: open && (overwrite || before.overwrite), ...(open && seen ? { seen } : {}) };
  }
  if (replicas.length > MOST_REPLICAS) throw new VaultError('LimitExceededException', `a secret has at most ${String(MOST_REPLICAS)} replicas; remove one with \`keystead secret remove-regions\``);
  return { ...secret, replicas };
}

type Met = Pick<NonNullable<ReplicaRecord['conflict']>, 'kind' | 'versionId'>;

/** Undefined: it could not be seen which version that was. */
const seenIn = ({ kind, versionId }: Met): ReplicaRecord['seen'] => (versionId !== undefined ? { versionId } : kind === 'gone' ? {} : undefined);

/** Whether its owner has said that what is there now gives way. */
export const givesWay = ({ overwrite, seen }: ReplicaRecord, { kind, versionId }: Met): boolean => overwrite && (seen === undefined || seen.versionId === versionId || kind === 'gone');

/** RemoveRegionsFromReplication: what is at a remote goes once it was deleted there. A region that has none is passed over, as AWS does. */
export const leaving = (secret: SecretRecord, regions: readonly string[]): SecretRecord => ({
  ...secret,
  replicas: secret.replicas.flatMap((replica): ReplicaRecord[] => {
    if (!regions.includes(replica.region)) return [replica];
    // Nothing was ever put there.
    if (isInside(replica) || (!replica.level && !replica.begun)) return [];
    const { failure: _failure, adopting: _adopting, conflict: _conflict, seen: _seen, ...rest } = replica;
    return [{ ...rest, overwrite: false, leaving: true }];
  }),
});

/** Whether a conflict is one that the remote has a current version of. */
export const isAdoptable = (kind: ConflictKind): boolean => kind === 'foreign' || kind === 'moved' || kind === 'exists';

/** The owner keeps the remote's current version. InvalidRequestException. */
export function adopted(replica: ReplicaRecord): ReplicaRecord {
  const { conflict, failure: _failure, leaving: _leaving, ...rest } = replica;
  if (!conflict) throw new VaultError('InvalidRequestException', `the replica in \`${replica.region}\` is in no conflict`);
  if (!isAdoptable(conflict.kind)) throw new VaultError('InvalidRequestException', `there is no version in \`${replica.region}\` to keep; leave it with \`keystead secret release-replica\`, or make the copy again with \`keystead secret replicate --force-overwrite-replica-secret\``);
  return { ...rest, conflict, adopting: true };
}

const isSame = (a: Label, b: Label): boolean => a.stage === b.stage && a.versionId === b.versionId;

/** Before anything is put at a remote. The same replica where nothing is new to it. */
export function begun(secret: SecretRecord, replica: ReplicaRecord): ReplicaRecord {
  const { begun: before = [], begunTags: tags = [] } = replica;
  const more = labelsOf(secret).filter((label) => !before.some((one) => isSame(one, label)));
  const moreTags = secret.tags.map(({ key }) => key).filter((key) => !tags.includes(key));
  return more.length + moreTags.length === 0 && replica.begun ? replica : { ...replica, begun: [...before, ...more], begunTags: [...tags, ...moreTags] };
}

/** `labels` and `tags`: as they were left at a remote. `shape`: what it was brought level with, which may not be the secret's any more. */
export function levelled(replica: ReplicaRecord, level: NonNullable<ReplicaRecord['level']>): ReplicaRecord {
  const { failure: _failure, conflict: _conflict, begun: _begun, begunTags: _tags, adopting: _adopting, look: _look, seen: _seen, ...rest } = replica;
  return { ...rest, overwrite: false, level };
}

/** `chance`: 0 to 1. */
export function failed(secret: SecretRecord, replica: ReplicaRecord, failure: { readonly code: string; readonly message: string }, at: Instant, chance: number): ReplicaRecord {
  const shape = shapeOf(secret);
  const attempts = (replica.failure?.shape === shape ? replica.failure.attempts : 0) + 1;
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 20));
  return { ...replica, failure: { code: failure.code, message: failure.message, shape, attempts, until: instant(Math.round(at + wait * (0.75 + chance / 2))) } };
}

export function conflicted(replica: ReplicaRecord, kind: ConflictKind, versionId: string | undefined, at: Instant): ReplicaRecord {
  const { failure: _failure, adopting: _adopting, seen: _seen, ...rest } = replica;
  return { ...rest, overwrite: false, conflict: { kind, at, ...(versionId === undefined ? {} : { versionId }) } };
}

/** The remote's version has come in as one of ours: what is there now is what was left there. */
export function adoptedFrom(replica: ReplicaRecord, theirs: { readonly labels: readonly Label[]; readonly at: Instant }): ReplicaRecord {
  const { labels, at } = theirs;
  return levelled(replica, { shape: '', at, versions: [...new Set(labels.map(({ versionId }) => versionId))], labels, tags: replica.level?.tags ?? [] });
}
