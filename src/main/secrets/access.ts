/** When versions were last read: the day, as AWS has it. Pure; the waiting reads are in a `UsageTracker`. */
import { instant, type Arn, type Instant } from '../../shared/model/ids.ts';
import type { SecretRecord } from './ports.ts';
import { versionOf } from './stages.ts';

const DAY = 24 * 60 * 60 * 1000;

export interface SecretAccess {
  /** Of the secret, with the version's id behind a `#`. */
  readonly arn: string;
  readonly secret: Pick<SecretRecord, 'name' | 'suffix'>;
  readonly versionId: string;
  readonly at: Instant;
}

/** Midnight UTC. */
const dayOf = (at: Instant): Instant => instant(at - (at % DAY));

/** What of a read has to be written down; undefined where that day is there already. */
export function accessOf(secret: SecretRecord, arn: Arn, versionId: string, at: Instant): SecretAccess | undefined {
  const known = versionOf(secret.versions, versionId)?.lastAccessed;
  return known !== undefined && known >= dayOf(at) ? undefined : { arn: `${arn}#${versionId}`, secret: { name: secret.name, suffix: secret.suffix }, versionId, at };
}

/** The same record where there is nothing new to it. It counts as no change of the secret. */
export function accessed(secret: SecretRecord, { versionId, at }: SecretAccess): SecretRecord {
  const day = dayOf(at);
  const later = (before: Instant | undefined): boolean => before === undefined || before < day;
  const version = versionOf(secret.versions, versionId);
  if (!later(secret.lastAccessed) && !(version && later(version.lastAccessed))) return secret;
  return {
    ...secret,
    ...(later(secret.lastAccessed) ? { lastAccessed: day } : {}),
    versions: secret.versions.map((one) => (one.versionId === versionId && later(one.lastAccessed) ? { ...one, lastAccessed: day } : one)),
  };
}
