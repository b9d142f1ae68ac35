/** `secretsmanager:` handlers of a try at a remote: what it may put there is written down first, then it is done with no transaction open, and then recorded. */
import { uuidFrom } from '../../shared/model/ids.ts';
import type { Random } from '../platform/ports.ts';
import { REMOTES, SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import { CURRENT, type Label, type SecretRecord, type SecretValue } from '../secrets/ports.ts';
import type { Remotes } from '../secrets/remote-port.ts';
import { tryRemote } from '../secrets/remote-try.ts';
import { adoptedFrom, begun, conflicted, dueOf, givesWay, isAdoptable, isInside, levelled, replicaOf, withoutReplica, withReplica } from '../secrets/replication.ts';
import { givenValue } from '../secrets/secret.ts';
import { staged, versionOf } from '../secrets/stages.ts';
import { sameValue } from '../secrets/values.ts';
import { secretOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { asReplication } from './secret-replicas.ts';
import { readValue, secretNow, secretValues, type SecretsWriting } from './secret-store.ts';

type Names = 'BeginReplication' | 'RunReplication' | 'RecordReplication';

/** The remote's current version as the current one here; under its own id where that is free. */
async function adopt(secret: SecretRecord, versionId: string, value: SecretValue, rights: SecretsWriting): Promise<SecretRecord> {
  const values = secretValues(rights);
  const { at } = rights.call;
  if (!versionOf(secret.versions, versionId)?.value) return values.put(secret, { token: versionId, value, at });
  const existing = await values.read(secret, versionId);
  using bytes = existing.bytes;
  if (!sameValue({ kind: existing.kind, bytes }, value)) return await values.put(secret, { token: uuidFrom(rights.random.bytes(16)), value, at });
  const holder = staged(secret.versions, CURRENT);
  return values.move(secret, { stage: CURRENT, to: versionId, at, ...(holder ? { from: holder.versionId } : {}) });
}

const shownLabels = (labels: readonly Label[]) => labels.map(({ stage, versionId }) => ({ Stage: stage, VersionId: versionId }));

export const secretReplicationStepHandlers = (random: Random, remotes: Remotes): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:BeginReplication': async (input, call, { writer }) => {
    const secret = await secretNow(call, writer);
    const replica = replicaOf(secret, input.Region);
    if (!replica || dueOf(secret, replica) === undefined) return {};
    const next = begun(secret, replica);
    if (next !== replica) writer.of(SECRETS).update(withReplica(secret, next));
    return {};
  },

  'secretsmanager:RunReplication': async (input, call, { reader, keys, realm }) => {
    const secret = secretOf(call.resource);
    const replica = replicaOf(secret, input.Region);
    // A change since it was begun is written down first: what was put there and by whom could not be told otherwise.
    if (!replica || isInside(replica) || dueOf(secret, replica) === undefined || begun(secret, replica) !== replica) return { Connections: [] };
    const remote = await reader.of(REMOTES).get(replica.region);
    if (!remote) return { Code: 'remote-unknown', Reason: `there is no remote \`${replica.region}\` any more; declare it again, or leave the copy with \`keystead secret release-replica\``, Connections: [] };
    const session = remotes.open(remote, call.signal);
    const reading = { call: asReplication(call), reader, values: reader.of(SECRET_VALUES), keys, realm };
    try {
      const outcome = await tryRemote({
        secret,
        replica,
        session,
        read(versionId) {
          const value = versionOf(secret.versions, versionId)?.value;
          if (!value) return call.fail('ResourceNotFoundException', `version \`${versionId}\` has no value`);
          return readValue(secret, { versionId, value }, reading);
        },
      });
      const Connections = [...session.connections];
      if (outcome.result === 'failed') return { Code: outcome.failure.code, Reason: outcome.failure.message, Connections };
      if (outcome.result === 'conflict') return { Result: 'conflict', Conflict: outcome.conflict.kind, ...(outcome.conflict.versionId === undefined ? {} : { VersionId: outcome.conflict.versionId }), Connections };
      if (outcome.result === 'gone') return { Result: 'gone', Connections };
      const Labels = shownLabels(outcome.labels);
      if (outcome.result === 'level') return { Result: 'level', Shape: outcome.shape, Labels, Tags: secret.tags.map(({ key }) => key), Connections };
      const { kind, bytes } = outcome.value;
      return { Result: 'adopt', VersionId: outcome.versionId, Labels, ...(kind === 'string' ? { SecretString: bytes } : { SecretBinary: bytes }), Connections };
    } finally {
      await session.close();
    }
  },

  'secretsmanager:RecordReplication': async (input, call, { writer, keys, realm }) => {
    const secret = await secretNow(call, writer);
    const replica = replicaOf(secret, input.Region);
    // Released meanwhile.
    if (!replica) return {};
    const secrets = writer.of(SECRETS);
    const labels = (input.Labels ?? []).map(({ Stage, VersionId }) => ({ stage: Stage, versionId: VersionId }));
    const versions = [...new Set(labels.map(({ versionId }) => versionId))];
    if (input.Result === 'gone' && replica.leaving) secrets.update(withoutReplica(secret, replica.region));
    const met = input.Conflict && { kind: input.Conflict, ...(input.VersionId === undefined ? {} : { versionId: input.VersionId }) };
    // Its owner has spoken meanwhile: the next try overwrites.
    if (input.Result === 'conflict' && met && !givesWay(replica, met)) secrets.update(withReplica(secret, conflicted(replica, met.kind, met.versionId, call.at)));
    if (input.Result === 'level' && input.Shape !== undefined && !replica.leaving) {
      secrets.update(withReplica(secret, levelled(replica, { shape: input.Shape, at: call.at, versions, labels, tags: input.Tags ?? [] })));
    }
    const value = givenValue(input);
    if (input.Result === 'adopt' && value && input.VersionId !== undefined && replica.adopting && replica.conflict && isAdoptable(replica.conflict.kind)) {
      const rights = { call: asReplication(call), writer, keys, realm, random };
      const changed = await adopt(secret, input.VersionId, value, rights);
      secrets.update(withReplica(changed, adoptedFrom(replica, { labels, at: call.at })));
    }
    return {};
  },
});

