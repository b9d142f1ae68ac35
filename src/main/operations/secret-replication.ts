/** `secretsmanager:` handlers of replication. Thin: `secrets/replication.ts` decides. */
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Random } from '../platform/ports.ts';
import { SECRETS } from '../secrets/kinds.ts';
import type { ReplicaRecord, SecretRecord } from '../secrets/ports.ts';
import { adopted, dueOf, failed, isAdoptable, isInside, labelsOf, lagOf, leaving, levelled, replicaOf, shapeOf, withoutReplica, withReplica } from '../secrets/replication.ts';
import { secretOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { addReplicas, bringLevel, copyOf, destroyCopy, primaryOf, promoteCopy, replicaShown, replicationShown } from './secret-replicas.ts';
import { chanceOf } from './secret-rotation-store.ts';
import { arnOf, liveSecret, realmOf, secretNow } from './secret-store.ts';
import { namedAs } from './secrets.ts';

type Names = 'ReplicateSecretToRegions' | 'RemoveRegionsFromReplication' | 'StopReplicationToReplica' | 'DescribeReplication' | 'ReleaseReplica' | 'AdoptReplicaVersion' | 'ReplicateToRegion' | 'RecordReplicationFailure';

/** InvalidParameterException. */
function knownReplica(secret: SecretRecord, region: string): ReplicaRecord {
  const replica = replicaOf(secret, region);
  if (!replica) throw new VaultError('InvalidParameterException', `secret \`${secret.name}\` is not replicated to \`${region}\`; see \`keystead secret describe-replication\``);
  return replica;
}

export const secretReplicationHandlers = (random: Random): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:ReplicateSecretToRegions': async (input, call, { writer, realm }) => {
    const secret = await addReplicas(await liveSecret(call, writer), input.AddReplicaRegions, input.ForceOverwriteReplicaSecret, { call, writer, realm });
    return { ARN: arnOf(realm, secret), ReplicationStatus: [], ...(await replicationShown(secret, writer, realm)) };
  },

  'secretsmanager:RemoveRegionsFromReplication': async (input, call, { writer, realm }) => {
    const before = await liveSecret(call, writer);
    const secret = leaving(before, input.RemoveReplicaRegions);
    for (const replica of before.replicas) if (isInside(replica) && !replicaOf(secret, replica.region)) await destroyCopy(before, replica, writer, realm);
    writer.of(SECRETS).update(secret);
    return { ARN: arnOf(realm, secret), ReplicationStatus: [], ...(await replicationShown(secret, writer, realm)) };
  },

  'secretsmanager:StopReplicationToReplica': async (_input, call, { writer, realm }) => {
    const copy = await secretNow(call, writer);
    if (!copy.primary) return call.fail('InvalidParameterException', `secret \`${copy.name}\` is no replica; ask in the replica's region, with \`--region\``);
    const primary = await primaryOf(copy, writer, realm);
    if (primary) writer.of(SECRETS).update(withoutReplica(primary, realmOf(realm, copy).region));
    promoteCopy(copy, writer, call);
    return { ARN: arnOf(realm, copy) };
  },

  'secretsmanager:DescribeReplication': async (_input, call, { reader, realm }) => {
    const secret = secretOf(call.resource);
    const primary = secret.primary?.region ?? (secret.replicas.length > 0 ? realmOf(realm, secret).region : undefined);
    const replicas = secret.replicas.map(async (replica) => {
      const { level, failure, conflict, adopting } = replica;
      const lag = lagOf(secret, replica);
      const due = dueOf(secret, replica);
      return {
        ...(await replicaShown(secret, replica, reader, realm)),
        ...(level ? { LevelDate: seconds(level.at) } : {}),
        ...(lag ? { BehindSince: seconds(lag.since), VersionsBehind: lag.versions } : {}),
        ...(failure && due !== undefined ? { Attempts: failure.attempts, Code: failure.code, ...(due > call.at ? { NextAttemptDate: seconds(due) } : {}) } : {}),
        ...(conflict && !adopting ? { Conflict: { Kind: conflict.kind, Since: seconds(conflict.at), ...(conflict.versionId === undefined ? {} : { VersionId: conflict.versionId }), CanAdopt: isAdoptable(conflict.kind) } } : {}),
        Removing: replica.leaving === true,
      };
    });
    return { ...namedAs(realm, secret), ...(primary === undefined ? {} : { PrimaryRegion: primary }), IsReplica: secret.primary !== undefined, Replicas: await Promise.all(replicas) };
  },

  'secretsmanager:ReleaseReplica': async (input, call, { writer, realm }) => {
    const secret = await liveSecret(call, writer);
    const replica = knownReplica(secret, input.Region);
    const copy = await copyOf(secret, replica, writer, realm);
    if (copy) promoteCopy(copy, writer, call);
    writer.of(SECRETS).update(withoutReplica(secret, replica.region));
    return namedAs(realm, secret);
  },

  'secretsmanager:AdoptReplicaVersion': async (input, call, { writer, realm }) => {
    const secret = await liveSecret(call, writer);
    writer.of(SECRETS).update(withReplica(secret, adopted(knownReplica(secret, input.Region))));
    return namedAs(realm, secret);
  },

  'secretsmanager:ReplicateToRegion': async (input, call, { writer, keys, realm }) => {
    const secret = await secretNow(call, writer);
    const replica = replicaOf(secret, input.Region);
    // Taken away or done meanwhile.
    if (!replica || !isInside(replica) || dueOf(secret, replica) === undefined) return {};
    await bringLevel(secret, replica, { call, writer, keys, realm, random });
    const labels = labelsOf(secret);
    writer.of(SECRETS).update(withReplica(secret, levelled(replica, { shape: shapeOf(secret), at: call.at, versions: [...new Set(labels.map(({ versionId }) => versionId))], labels: [], tags: [] })));
    return {};
  },

  'secretsmanager:RecordReplicationFailure': async (input, call, { writer }) => {
    const secret = await secretNow(call, writer);
    const replica = replicaOf(secret, input.Region);
    if (replica && dueOf(secret, replica) !== undefined) writer.of(SECRETS).update(withReplica(secret, failed(secret, replica, { code: input.Code, message: input.Reason }, call.at, chanceOf(random))));
    return {};
  },
});
