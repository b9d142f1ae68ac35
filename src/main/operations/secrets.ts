/** `secretsmanager:` handlers that make, show and change secrets. Thin: the secrets' own folder decides. */
import { seconds } from '../../shared/api/operation.ts';
import { parseSecretName, parseSecretReference, placedSecret, placeIn, secretArn, uuidFrom, type Realm, type SecretName } from '../../shared/model/ids.ts';
import type { Random } from '../platform/ports.ts';
import { fitsAll } from '../secrets/filters.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import { pageOf } from '../secrets/listing.ts';
import { placeOf, type RotationSettings, type SecretRecord, type Tag } from '../secrets/ports.ts';
import { replicaOf, withReplica } from '../secrets/replication.ts';
import type { RotationState } from '../secrets/rotation.ts';
import { assertLive, assertNoReplicas, deletionPlanned, drawSuffix, givenValue, newSecret, restored, tagged, untagged } from '../secrets/secret.ts';
import type { Writer } from '../store/port.ts';
import { secretOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { chosenKey } from './secret-keys.ts';
import { addReplicas, primaryOf, replicationShown } from './secret-replicas.ts';
import { arnOf, destroySecret, ownSecret, realmOf, secretNow, secretValues } from './secret-store.ts';

type Names = 'GetResourcePolicy' | 'CreateSecret' | 'UpdateSecret' | 'DescribeSecret' | 'ListSecrets' | 'DeleteSecret' | 'RestoreSecret' | 'TagResource' | 'UntagResource' | 'DeleteDueSecrets';

/** In one unit of work at most: the rest is due again a second later. */
const DUE_AT_ONCE = 64;

const tagsOf = (given: readonly { readonly Key: string; readonly Value: string }[] = []): Tag[] => given.map(({ Key, Value }) => ({ key: Key, value: Value }));

export const namedAs = (realm: Realm, secret: SecretRecord): { readonly ARN: string; readonly Name: string } => ({ ARN: arnOf(realm, secret), Name: secret.name });

export const stagesOf = ({ versions }: SecretRecord): Record<string, string[]> =>
  Object.fromEntries(versions.filter(({ stages }) => stages.length > 0).map(({ versionId, stages }) => [versionId, [...stages]]));

function describe(realm: Realm, secret: SecretRecord) {
  const { description, key, changed, lastAccessed, deletion, tags, created, rotation, primary, replicas } = secret;
  const primaryRegion = primary?.region ?? (replicas.length > 0 ? realmOf(realm, secret).region : undefined);
  return {
    ...namedAs(realm, secret),
    ...(description === '' ? {} : { Description: description }),
    ...(key ? { KmsKeyId: key.kmsKeyId } : {}),
    LastChangedDate: seconds(changed),
    ...(lastAccessed === undefined ? {} : { LastAccessedDate: seconds(lastAccessed) }),
    ...(deletion ? { DeletedDate: seconds(deletion.due) } : {}),
    Tags: tags.map(({ key: name, value }) => ({ Key: name, Value: value })),
    CreatedDate: seconds(created),
    ...(primaryRegion === undefined ? {} : { PrimaryRegion: primaryRegion }),
    ...(rotation ? rotationShown(rotation) : {}),
  };
}

export const rulesShown = ({ afterDays, duration, schedule }: RotationSettings['rules']) => ({
  ...(afterDays === undefined ? {} : { AutomaticallyAfterDays: afterDays }),
  ...(duration === undefined ? {} : { Duration: duration }),
  ...(schedule === undefined ? {} : { ScheduleExpression: schedule }),
});

/** NextRotationDate is the end of the window, and none while rotation is off, as AWS has it. */
const rotationShown = ({ enabled, rotator, rules, lastRotated, next }: RotationSettings) => ({
  RotationEnabled: enabled,
  ...(rotator === undefined ? {} : { RotationLambdaARN: rotator }),
  RotationRules: rulesShown(rules),
  ...(lastRotated === undefined ? {} : { LastRotatedDate: seconds(lastRotated) }),
  ...(enabled && next !== undefined ? { NextRotationDate: seconds(next) } : {}),
});

export const secretHandlers = (random: Random): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:CreateSecret': async (input, call, { writer, keys, realm }) => {
    const name = parseSecretName(input.Name);
    const value = givenValue(input);
    const token = input.ClientRequestToken ?? uuidFrom(random.bytes(16));
    const values = secretValues({ call, writer, keys, realm, random });
    const region = placeIn(realm);
    const existing = await writer.of(SECRETS).get(placedSecret(region, name));
    if (existing?.deletion) return call.fail('InvalidRequestException', `a secret of the name \`${name}\` is marked for deletion; take it back with \`keystead secret restore\`, or destroy it with \`keystead secret delete --force-delete-without-recovery\``);
    if (existing) {
      // The same request again: only where its version is there with its value.
      if (!value || !existing.versions.some(({ versionId }) => versionId === input.ClientRequestToken)) {
        return call.fail('ResourceExistsException', `secret \`${name}\` exists already; give it a new version with \`keystead secret put-value\``);
      }
      await values.put(existing, { token, value, at: call.at });
      call.touched(arnOf(realm, existing));
      return { ...namedAs(realm, existing), VersionId: token };
    }
    const key = await chosenKey(input.KmsKeyId, call, writer, realm);
    let secret = newSecret({ name, suffix: drawSuffix(random), region, description: input.Description ?? '', tags: tagsOf(input.Tags), key, at: call.at });
    writer.of(SECRETS).insert(secret);
    if (value) secret = await values.put(secret, { token, value, at: call.at });
    if (input.AddReplicaRegions) secret = await addReplicas(secret, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret, { call, writer, realm });
    call.touched(arnOf(realm, secret));
    return { ...namedAs(realm, secret), ...(value ? { VersionId: token } : {}), ...(await replicationShown(secret, writer)) };
  },

  'secretsmanager:UpdateSecret': async (input, call, { writer, keys, realm }) => {
    const value = givenValue(input);
    const values = secretValues({ call, writer, keys, realm, random });
    // A replica's key is its own; everything else is its primary's.
    const keyOnly = input.KmsKeyId !== undefined && input.Description === undefined && !value;
    let secret = keyOnly ? await secretNow(call, writer) : await ownSecret(call, writer);
    assertLive(secret);
    if (input.Description !== undefined) secret = { ...secret, description: input.Description, changed: call.at };
    if (input.KmsKeyId !== undefined) {
      const { key: before, ...keyless } = secret;
      const key = await chosenKey(input.KmsKeyId, call, writer, realm);
      secret = { ...keyless, ...(key ? { key } : {}), changed: call.at };
      if (before?.keyId !== key?.keyId) secret = await values.reencrypt(secret);
    }
    if (input.Description !== undefined || input.KmsKeyId !== undefined) writer.of(SECRETS).update(secret);
    if (secret.primary) await keyOfReplica(secret, writer, realm);
    if (!value) return namedAs(realm, secret);
    const token = input.ClientRequestToken ?? uuidFrom(random.bytes(16));
    await values.put(secret, { token, value, at: call.at });
    return { ...namedAs(realm, secret), VersionId: token };
  },

  'secretsmanager:DescribeSecret': async (_input, call, { reader, realm }) => {
    const secret = secretOf(call.resource);
    return { ...describe(realm, secret), VersionIdsToStages: stagesOf(secret), ...(await replicationShown(secret, reader)) };
  },

  'secretsmanager:GetResourcePolicy': (_input, call, { realm }) => namedAs(realm, secretOf(call.resource)),

  'secretsmanager:ListSecrets': async (input, _call, { reader, realm }) => {
    const secrets = reader.of(SECRETS);
    const page = pageOf(await secrets.entries(), {
      by: input.SortBy,
      order: input.SortOrder,
      fits: fitsAll(input.Filters ?? [], realm.region),
      region: placeIn(realm),
      planned: input.IncludePlannedDeletion,
      limit: input.MaxResults,
      ...(input.NextToken === undefined ? {} : { token: input.NextToken }),
    });
    const next = page.next();
    const records = await Promise.all(page.names.map((name) => secrets.get(placedSecret(placeIn(realm), name as SecretName))));
    return {
      // One that was destroyed since is not listed.
      SecretList: records.flatMap((secret) => (secret ? [{ ...describe(realm, secret), SecretVersionsToStages: stagesOf(secret) }] : [])),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  },

  'secretsmanager:DeleteSecret': async (input, call, { writer, realm }) => {
    const { ForceDeleteWithoutRecovery: force = false, RecoveryWindowInDays: days } = input;
    if (force && days !== undefined) return call.fail('InvalidParameterException', 'give either `RecoveryWindowInDays` or `ForceDeleteWithoutRecovery`, not both');
    if (force && call.resource.subject === undefined) return { ...nameOfNothing(input.SecretId, realm, random), DeletionDate: seconds(call.at) };
    const secret = await ownSecret(call, writer);
    assertNoReplicas(secret);
    if (force) {
      await destroySecret(secret, writer);
      return { ...namedAs(realm, secret), DeletionDate: seconds(call.at) };
    }
    const planned = deletionPlanned(secret, days, call.at);
    writer.of(SECRETS).update(planned);
    // Nothing begins by itself meanwhile.
    await changeRotation(planned, (state) => (state.paused === undefined ? { ...state, paused: call.at } : state), writer);
    return { ...namedAs(realm, planned), DeletionDate: seconds(planned.deletion?.due ?? call.at) };
  },

  'secretsmanager:RestoreSecret': async (_input, call, { writer, realm }) => {
    const secret = await ownSecret(call, writer);
    const back = restored(secret, call.at);
    if (back !== secret) writer.of(SECRETS).update(back);
    // What the deletion has paused, and not the owner before.
    await changeRotation(back, ({ paused, ...state }) => (paused === undefined || paused === secret.deletion?.at ? state : { ...state, paused }), writer);
    return namedAs(realm, back);
  },

  'secretsmanager:TagResource': async (input, call, { writer }) => {
    writer.of(SECRETS).update(tagged(await ownSecret(call, writer), tagsOf(input.Tags), call.at));
    return {};
  },

  'secretsmanager:UntagResource': async (input, call, { writer }) => {
    writer.of(SECRETS).update(untagged(await ownSecret(call, writer), input.TagKeys, call.at));
    return {};
  },

  'secretsmanager:DeleteDueSecrets': async (_input, call, { writer, realm }) => {
    const due: string[] = [];
    for (const [name, { due: date }] of await writer.of(SECRETS).entries()) if (date !== undefined && date <= call.at && due.length < DUE_AT_ONCE) due.push(name);
    const gone: string[] = [];
    for (const name of due) {
      const secret = await writer.of(SECRETS).get(name);
      if (!secret?.deletion || secret.deletion.due > call.at) continue;
      await destroySecret(secret, writer);
      gone.push(arnOf(realm, secret));
      call.touched(arnOf(realm, secret));
    }
    return { ARNs: gone };
  },
});

/** The primary goes on saying which key its replica has. */
async function keyOfReplica(copy: SecretRecord, writer: Writer, realm: Realm): Promise<void> {
  const primary = await primaryOf(copy, writer, realm);
  const replica = primary && replicaOf(primary, realmOf(realm, copy).region);
  if (!primary || !replica) return;
  const { kmsKeyId: _before, ...rest } = replica;
  writer.of(SECRETS).update(withReplica(primary, { ...rest, ...(copy.key ? { kmsKeyId: copy.key.kmsKeyId } : {}) }));
}

async function changeRotation(secret: SecretRecord, change: (state: RotationState) => RotationState, writer: Writer): Promise<void> {
  const rotation = await writer.of(ROTATIONS).get(placeOf(secret));
  if (rotation?.suffix === secret.suffix) writer.of(ROTATIONS).update({ ...rotation, state: change(rotation.state) });
}

/** What a forced deletion of a secret that is not there answers with, as AWS does: the ARN that was given, or one made up for the name. */
function nameOfNothing(secretId: string, realm: Realm, random: Random): { readonly ARN: string; readonly Name: string } {
  const [reference] = parseSecretReference(secretId, realm);
  if (!reference) return { ARN: secretId, Name: secretId };
  return { ARN: secretArn(realm, reference.name, reference.suffix ?? drawSuffix(random)), Name: reference.name };
}
