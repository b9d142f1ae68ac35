/** One try at a remote, over the port: look, judge, act, look again. Nothing is kept; what it has come to is the caller's to record. */
import { CURRENT, type Label, type ReplicaRecord, type SecretRecord, type SecretValue } from './ports.ts';
import { conflictOf, isThere, markOf, planOf, type Conflict } from './remote-plan.ts';
import type { RemoteAct, RemoteAnswer, RemoteFailure, RemoteSession } from './remote-port.ts';
import { givesWay, shapeOf } from './replication.ts';
import { staged } from './stages.ts';

/** AWS's longest: whoever deletes a copy by mistake has as long as can be. */
const RECOVERY_DAYS = 30;

/** `adopt`: the value is the caller's to dispose of. */
export type Outcome =
  | { readonly result: 'level'; readonly shape: string; readonly labels: readonly Label[] }
  | { readonly result: 'conflict'; readonly conflict: Conflict }
  | { readonly result: 'adopt'; readonly versionId: string; readonly value: SecretValue; readonly labels: readonly Label[] }
  | { readonly result: 'gone' }
  | { readonly result: 'failed'; readonly failure: RemoteFailure };

const lost = (failure: RemoteFailure): Outcome => ({ result: 'failed', failure });
const CHANGED: RemoteFailure = { code: 'remote-changing', message: 'somebody changes the secret there at this moment: it is tried again' };
const MALFORMED: RemoteFailure = { code: 'answer-malformed', message: 'the remote\'s answers are not understood: check that it is a Secrets Manager' };

export interface Try {
  readonly secret: SecretRecord;
  readonly replica: ReplicaRecord;
  readonly session: RemoteSession;
  /** A version's value; the try disposes of it. */
  readonly read: (versionId: string) => Promise<SecretValue>;
}

/** Rejects as the session and `read` do. */
export async function tryRemote(given: Try): Promise<Outcome> {
  const { secret, replica, session } = given;
  const look = (): Promise<RemoteAnswer> => session.run({ kind: 'look', name: secret.name });
  const first = await look();
  if (!first.ok) return lost(first.failure);
  if (!first.theirs) return lost(MALFORMED);
  const theirs = first.theirs;
  const conflict = conflictOf(secret, replica, theirs);
  if (replica.leaving) {
    if (!theirs.exists || theirs.deleted) return { result: 'gone' };
    if (conflict) return { result: 'conflict', conflict };
    const deleted = await session.run({ kind: 'delete', name: secret.name, days: RECOVERY_DAYS });
    return deleted.ok ? { result: 'gone' } : lost(deleted.failure);
  }
  if (replica.adopting) {
    const current = theirs.exists && !theirs.deleted ? theirs.labels.find(({ stage }) => stage === CURRENT)?.versionId : undefined;
    if (!theirs.exists || current === undefined) return { result: 'conflict', conflict: conflict ?? { kind: 'gone' } };
    const read = await session.run({ kind: 'read', name: secret.name, versionId: current });
    if (!read.ok) return lost(read.failure);
    return read.value ? { result: 'adopt', versionId: current, value: read.value, labels: theirs.labels } : lost(MALFORMED);
  }
  if (conflict && !givesWay(replica, conflict)) return { result: 'conflict', conflict };
  if (!staged(secret.versions, CURRENT)) return lost({ code: 'no-value', message: 'the secret has no value yet: give it one' });
  for (const act of planOf(secret, replica, theirs)) {
    const done = await actWith(given, act);
    if (done.ok) continue;
    // Made by somebody since the look: nothing of theirs was touched.
    if (act.kind === 'create' && done.failure.code === 'remote-exists' && !replica.overwrite) return { result: 'conflict', conflict: { kind: 'exists' } };
    return lost(done.failure);
  }
  const last = await look();
  if (!last.ok) return lost(last.failure);
  if (!last.theirs) return lost(MALFORMED);
  if (!isThere(secret, last.theirs)) return lost(CHANGED);
  const labels = last.theirs.exists ? last.theirs.labels : [];
  const mark = markOf(secret, replica, labels);
  if (mark) {
    const done = await session.run({ kind: 'move', name: secret.name, stage: mark.stage, from: mark.versionId });
    if (!done.ok) return lost(done.failure);
  }
  return { result: 'level', shape: shapeOf(secret), labels: labels.filter((label) => label !== mark) };
}

async function actWith({ session, read }: Try, act: RemoteAct): Promise<RemoteAnswer> {
  if (act.kind !== 'create' && act.kind !== 'put') return session.run(act);
  const value = await read(act.token);
  using bytes = value.bytes;
  return await session.run(act, { kind: value.kind, bytes });
}
