/** When versions were last read and by whom: the day, as AWS has it, and each consumer's last version. Pure; the waiting reads are in a `UsageTracker`. */
import { instant, type Arn, type Instant } from '../../shared/model/ids.ts';
import type { ConsumerRecord, SecretRecord } from './ports.ts';
import { versionOf } from './stages.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Of one secret; who has read it the longest ago goes. */
const MAX_CONSUMERS = 100;

/** A principal at a door. A person who looks at a value in the window is none. */
export type Reader = Pick<ConsumerRecord, 'principal' | 'door'>;

export interface SecretAccess {
  /** Of the secret, with the version's id and the reader behind a `#`. */
  readonly arn: string;
  readonly secret: Pick<SecretRecord, 'name' | 'suffix' | 'region'>;
  readonly versionId: string;
  readonly at: Instant;
  readonly reader?: Reader;
}

/** Midnight UTC. */
const dayOf = (at: Instant): Instant => instant(at - (at % DAY));

const isSame = (a: Reader, b: Reader): boolean => a.principal === b.principal && a.door === b.door;

/** Another version than the last time, or another day. */
function isNews({ consumers }: SecretRecord, reader: Reader, versionId: string, at: Instant): boolean {
  const known = consumers.find((one) => isSame(one, reader));
  return known?.versionId !== versionId || dayOf(known.at) < dayOf(at);
}

/** What of a read has to be written down; undefined where it is there already. */
export function accessOf(secret: SecretRecord, arn: Arn, versionId: string, at: Instant, by: Reader): SecretAccess | undefined {
  const known = versionOf(secret.versions, versionId)?.lastAccessed;
  const reader = by.door === 'ipc' ? undefined : by;
  const isOld = known !== undefined && known >= dayOf(at) && (reader === undefined || !isNews(secret, reader, versionId, at));
  if (isOld) return undefined;
  return { arn: `${arn}#${versionId}#${reader ? `${reader.door}#${reader.principal}` : ''}`, secret: { name: secret.name, suffix: secret.suffix, ...(secret.region === undefined ? {} : { region: secret.region }) }, versionId, at, ...(reader ? { reader } : {}) };
}

/** Reads are written in no order: the later one of two is the consumer's last. */
function consumed(consumers: readonly ConsumerRecord[], reader: Reader, versionId: string, at: Instant): readonly ConsumerRecord[] {
  const known = consumers.find((one) => isSame(one, reader));
  if (known && known.at >= at) return consumers;
  const others = consumers.filter((one) => one !== known);
  return [...others, { ...reader, versionId, at }].sort((a, b) => a.at - b.at).slice(-MAX_CONSUMERS);
}

/** The same record where there is nothing new to it. It counts as no change of the secret. */
export function accessed(secret: SecretRecord, { versionId, at, reader }: SecretAccess): SecretRecord {
  const day = dayOf(at);
  const later = (before: Instant | undefined): boolean => before === undefined || before < day;
  const version = versionOf(secret.versions, versionId);
  const consumers = reader ? consumed(secret.consumers, reader, versionId, at) : secret.consumers;
  if (!later(secret.lastAccessed) && !(version && later(version.lastAccessed)) && consumers === secret.consumers) return secret;
  return {
    ...secret,
    ...(later(secret.lastAccessed) ? { lastAccessed: day } : {}),
    versions: secret.versions.map((one) => (one.versionId === versionId && later(one.lastAccessed) ? { ...one, lastAccessed: day } : one)),
    consumers,
  };
}
