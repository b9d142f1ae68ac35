/**
 * What is to be asked of a remote so that its secret becomes what ours is, and whether somebody else has been there. Pure.
 *
 * What we may have put there is known by its labels: those of the last time that it was level, and those of every try since. Any other
 * label there is somebody else's, and a conflict. AWSCURRENT and every other label is moved by naming the version that it was seen on, so
 * that a change which comes between the look and the move is refused there and not overwritten.
 */
import { CURRENT, PREVIOUS, type ConflictKind, type Label, type ReplicaRecord, type SecretRecord } from './ports.ts';
import type { RemoteAct, Theirs } from './remote-port.ts';
import { carried, labelsOf } from './replication.ts';
import { versionOf } from './stages.ts';

/** Held by a version at a remote from when it was put until its own labels have come to it. One that was there already does not get it. */
const MARK = 'KEYSTEAD';

const mapOf = (labels: readonly Label[]): Map<string, string> => new Map(labels.map(({ stage, versionId }) => [stage, versionId]));

export interface Conflict {
  readonly kind: ConflictKind;
  readonly versionId?: string;
}

/** Undefined: what is there is ours. */
export function conflictOf(secret: SecretRecord, { level, begun = [] }: ReplicaRecord, theirs: Theirs): Conflict | undefined {
  if (!theirs.exists) return level ? { kind: 'gone' } : undefined;
  const { labels } = theirs;
  const current = labels.find(({ stage }) => stage === CURRENT)?.versionId;
  const at = current === undefined ? {} : { versionId: current };
  if (theirs.deleted) return { kind: 'deleted', ...at };
  // Without a label nothing of it can be known again; what we make has AWSCURRENT from its first moment.
  if (!level && labels.length === 0) return { kind: 'exists' };
  const ours = new Set([...(level?.labels ?? []), ...begun, ...labelsOf(secret)].map(({ stage, versionId }) => `${stage} ${versionId}`));
  const isKnown = (versionId: string): boolean => versionOf(secret.versions, versionId) !== undefined || level?.versions.includes(versionId) === true || begun.some((one) => one.versionId === versionId);
  // The current one first: it is what a reader there gets.
  const foreign = [...labels].sort((a, b) => Number(b.stage === CURRENT) - Number(a.stage === CURRENT)).find(({ versionId }) => !isKnown(versionId));
  if (foreign) return { kind: level ? 'foreign' : 'exists', versionId: foreign.versionId };
  // AWSPREVIOUS follows AWSCURRENT by itself.
  const moved = labels.find(({ stage, versionId }) => stage !== PREVIOUS && stage !== MARK && !ours.has(`${stage} ${versionId}`));
  return moved && { kind: level ? 'moved' : 'exists', versionId: moved.versionId };
}

/** A label that was there when it was last level may be somebody else's: it is on a version of theirs. */
const isOurs = ({ versions }: SecretRecord, { begun = [] }: ReplicaRecord, versionId: string): boolean => versionOf(versions, versionId) !== undefined || begun.some((one) => one.versionId === versionId);

/** What is to be taken off once everything else is there. */
export const markOf = (secret: SecretRecord, replica: ReplicaRecord, labels: readonly Label[]): Label | undefined => labels.find(({ stage, versionId }) => stage === MARK && isOurs(secret, replica, versionId));

/**
 * In order. The secret has a current version; whether there is a conflict was found out, or does not matter to the owner. Labels of somebody
 * else's that ours has not stay where they are.
 */
export function planOf(secret: SecretRecord, replica: ReplicaRecord, theirs: Theirs): readonly RemoteAct[] {
  const { name, description, tags } = secret;
  const wanted = mapOf(labelsOf(secret));
  const there = mapOf(theirs.exists ? theirs.labels : []);
  const acts: RemoteAct[] = [];
  const move = (stage: string, to: string | undefined): void => {
    const from = there.get(stage);
    if (from === to) return;
    acts.push({ kind: 'move', name, stage, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    if (to === undefined) there.delete(stage);
    else there.set(stage, to);
    if (stage === CURRENT && from !== undefined) there.set(PREVIOUS, from);
  };
  const current = wanted.get(CURRENT) ?? '';
  if (!theirs.exists) {
    acts.push({ kind: 'create', name, token: current, description, tags, ...(replica.kmsKeyId === undefined ? {} : { kmsKeyId: replica.kmsKeyId }) });
    there.set(CURRENT, current);
  } else if (theirs.deleted) acts.push({ kind: 'restore', name });
  for (const { versionId } of carried(secret)) {
    if ([...there.values()].includes(versionId)) continue;
    acts.push({ kind: 'put', name, token: versionId, stage: MARK });
    // One without any label yet gets AWSCURRENT besides.
    if (there.size === 0) there.set(CURRENT, versionId);
    there.set(MARK, versionId);
  }
  move(CURRENT, current);
  for (const [stage, versionId] of wanted) move(stage, versionId);
  const ours = new Set([PREVIOUS, ...[...(replica.level?.labels ?? []), ...(replica.begun ?? [])].map(({ stage }) => stage)]);
  for (const [stage, versionId] of [...there]) if (!wanted.has(stage) && stage !== MARK && ours.has(stage) && isOurs(secret, replica, versionId)) move(stage, undefined);
  const kept = new Set(tags.map(({ key }) => key));
  acts.push({ kind: 'metadata', name, description, tags, untag: [...new Set([...(replica.level?.tags ?? []), ...(replica.begunTags ?? [])])].filter((key) => !kept.has(key)) });
  return acts;
}

/** Whether a remote has every label of ours where we have it. */
export function isThere(secret: SecretRecord, theirs: Theirs): boolean {
  if (!theirs.exists || theirs.deleted) return false;
  const there = mapOf(theirs.labels);
  return labelsOf(secret).every(({ stage, versionId }) => there.get(stage) === versionId);
}
