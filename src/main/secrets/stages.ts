/**
 * Versions and their stages as a state machine: what each act makes of the list of versions. Pure.
 * Source: AWS Secrets Manager API Reference, PutSecretValue and UpdateSecretVersionStage; User Guide, "Secret versions".
 *
 * INVARIANT: a stage is on at most one version; the versions of a secret have at most 20 together; once a version has AWSCURRENT, one
 * always has.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';
import { CURRENT, PENDING, PREVIOUS, type StoredValue, type VersionRecord } from './ports.ts';

export type Versions = readonly VersionRecord[];

/** On all versions of a secret together. */
const MAX_STAGES = 20;
/** Above this many, versions without a stage go, the oldest first. */
export const MAX_VERSIONS = 100;
/** More than this cannot be, however young they are: a secret is one row, which each change writes whole. */
export const MOST_VERSIONS = 2000;
/** A version is kept at least this long. */
const YOUNG = 24 * 60 * 60 * 1000;

export const versionOf = (versions: Versions, versionId: string): VersionRecord | undefined => versions.find((version) => version.versionId === versionId);
export const staged = (versions: Versions, stage: string): VersionRecord | undefined => versions.find(({ stages }) => stages.includes(stage));

/**
 * The version that a reader means: by id, by stage, both when they agree, or AWSCURRENT.
 * ResourceNotFoundException; InvalidParameterException when id and stage are of two versions.
 */
export function select(versions: Versions, wanted: { readonly versionId?: string; readonly stage?: string }): VersionRecord & { readonly value: StoredValue } {
  const { versionId } = wanted;
  const stage = wanted.stage ?? (versionId === undefined ? CURRENT : undefined);
  const version = versionId === undefined ? staged(versions, stage ?? CURRENT) : versionOf(versions, versionId);
  const what = versionId === undefined ? `staging label \`${stage ?? CURRENT}\`` : `version \`${versionId}\``;
  if (!version?.value) throw new VaultError('ResourceNotFoundException', `there is no secret value for ${what}; see \`keystead secret list-versions\``);
  if (stage !== undefined && !version.stages.includes(stage)) {
    throw new VaultError('InvalidParameterException', `\`VersionStage\` \`${stage}\` is not on version \`${version.versionId}\`; give one of the two`);
  }
  return { ...version, value: version.value };
}

/** `stage` on `versionId` alone (undefined: on none). Where AWSCURRENT leaves a version, AWSPREVIOUS comes to it. */
function place(versions: Versions, stage: string, versionId: string | undefined): Versions {
  const from = staged(versions, stage);
  if (from?.versionId === versionId) return versions;
  const moved = versions.map((version) => {
    const others = version.stages.filter((one) => one !== stage);
    const stages = version.versionId === versionId ? [...others, stage].sort() : others;
    return stages.length === version.stages.length && stages.every((one, at) => one === version.stages[at]) ? version : { ...version, stages };
  });
  if (!from && moved.reduce((sum, { stages }) => sum + stages.length, 0) > MAX_STAGES) {
    throw new VaultError('LimitExceededException', `the secret has ${String(MAX_STAGES)} staging labels already; remove one with \`keystead secret move-stage\``);
  }
  return stage === CURRENT && from && versionId !== undefined ? place(moved, PREVIOUS, from.versionId) : moved;
}

export interface NewVersion {
  readonly versionId: string;
  readonly value: StoredValue;
  /** Default: AWSCURRENT. The first version with a value gets AWSCURRENT in any case. */
  readonly stages?: readonly string[];
  readonly at: Instant;
}

/**
 * A version more, or the value of an announced one, with its stages taken from where they were. The caller has found out that the
 * version has no value yet. LimitExceededException.
 */
export function added(versions: Versions, { versionId, value, stages = [CURRENT], at }: NewVersion): Versions {
  const known = versionOf(versions, versionId);
  const version = known ? { ...known, value } : { versionId, created: at, stages: [], value };
  const list = known ? versions.map((one) => (one === known ? version : one)) : [...versions, version];
  const wanted = staged(versions, CURRENT) ? stages : [CURRENT, ...stages];
  // AWSCURRENT first: where AWSPREVIOUS is asked for as well, the caller's word is the last one.
  return [...new Set(wanted)].sort((a, b) => Number(b === CURRENT) - Number(a === CURRENT)).reduce<Versions>((sofar, stage) => place(sofar, stage, versionId), list);
}

/** AWSPENDING on a version without a value, before a rotation's first step. The same token again changes nothing. */
export function announced(versions: Versions, versionId: string, at: Instant): Versions {
  if (staged(versions, PENDING)?.versionId === versionId) return versions;
  const known = versionOf(versions, versionId);
  if (known?.value) throw new VaultError('InvalidRequestException', `version \`${versionId}\` exists and is not pending; use another \`ClientRequestToken\``);
  return place(known ? versions : [...versions, { versionId, created: at, stages: [] }], PENDING, versionId);
}

export interface StageMove {
  readonly stage: string;
  readonly from?: string;
  readonly to?: string;
}

/** UpdateSecretVersionStage. InvalidParameterException, ResourceNotFoundException, LimitExceededException. */
export function moved(versions: Versions, { stage, from, to }: StageMove): Versions {
  const holder = staged(versions, stage);
  if (from === undefined && to === undefined) throw new VaultError('InvalidParameterException', 'give `MoveToVersionId`, `RemoveFromVersionId` or both');
  for (const id of [from, to]) {
    if (id !== undefined && !versionOf(versions, id)) throw new VaultError('ResourceNotFoundException', `version \`${id}\` does not exist; see \`keystead secret list-versions\``);
  }
  if (from !== undefined && holder?.versionId !== from) {
    throw new VaultError('InvalidParameterException', `staging label \`${stage}\` is not on version \`${from}\`; see \`keystead secret list-versions\``);
  }
  if (to === undefined) {
    if (stage === CURRENT) throw new VaultError('InvalidParameterException', '`AWSCURRENT` can only be moved to another version; give `MoveToVersionId`');
    return place(versions, stage, undefined);
  }
  if (holder && holder.versionId !== to && from === undefined) {
    throw new VaultError('InvalidParameterException', `staging label \`${stage}\` is on version \`${holder.versionId}\`; name it in \`RemoveFromVersionId\``);
  }
  if (stage === CURRENT && !versionOf(versions, to)?.value) throw new VaultError('InvalidRequestException', `version \`${to}\` has no value yet and cannot become \`AWSCURRENT\``);
  return place(versions, stage, to);
}

/**
 * What is kept and what goes: above 100 versions those without a stage that are older than a day, the oldest first.
 * LimitExceededException when too many are younger.
 */
export function pruned(versions: Versions, now: Instant): { readonly kept: Versions; readonly gone: Versions } {
  const surplus = versions.length - MAX_VERSIONS;
  if (surplus <= 0) return { kept: versions, gone: [] };
  const gone = new Set(versions.filter(({ stages, created }) => stages.length === 0 && now - created >= YOUNG).slice(0, surplus));
  const kept = versions.filter((version) => !gone.has(version));
  if (kept.length > MOST_VERSIONS) throw new VaultError('LimitExceededException', `the secret has had ${String(MOST_VERSIONS)} new versions within a day; wait until some are a day old`);
  return { kept, gone: [...gone] };
}
