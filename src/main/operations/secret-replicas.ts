/** Replicas of a secret in a handler's hands: what stands in its record is shown with what is in the regions, and done there. */
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { isRegion, placedSecret, placeIn, realmIn, type Realm } from '../../shared/model/ids.ts';
import type { Call } from '../kernel/handler.ts';
import { REMOTES, SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import type { ReplicaRecord, SecretRecord, VersionRecord } from '../secrets/ports.ts';
import { carried, isInside, replicated, statusOf, type Wanted } from '../secrets/replication.ts';
import { versionOf } from '../secrets/stages.ts';
import type { Reader, Writer } from '../store/port.ts';
import { chosenKey, MANAGED_ALIAS } from './secret-keys.ts';
import { emptySecret, realmOf, secretValues, type SecretsWriting } from './secret-store.ts';

/** The realm as the vault's own region has it. */
const homeRealm = (realm: Realm): Realm => realmOf(realm, {});
const keyIn = (realm: Realm, region: string, { name }: Pick<SecretRecord, 'name'>): string => placedSecret(placeIn(realmIn(homeRealm(realm), region)), name);

/** The replica's own record. Undefined: it is not made yet, is at a remote, or is none of this secret's any more. */
export async function copyOf(secret: SecretRecord, { region }: Pick<ReplicaRecord, 'region'>, reader: Reader, realm: Realm): Promise<SecretRecord | undefined> {
  if (!isInside({ region })) return undefined;
  const copy = await reader.of(SECRETS).get(keyIn(realm, region, secret));
  return copy?.primary?.region === realmOf(realm, secret).region && copy.suffix === secret.suffix ? copy : undefined;
}

/** Undefined: the copy is no replica, or its primary is gone. */
export async function primaryOf(copy: SecretRecord, reader: Reader, realm: Realm): Promise<SecretRecord | undefined> {
  if (!copy.primary) return undefined;
  const primary = await reader.of(SECRETS).get(keyIn(realm, copy.primary.region, copy));
  return primary?.suffix === copy.suffix ? primary : undefined;
}

/** `ReplicationStatus` of an answer; nothing for a secret without replicas. */
export async function replicationShown(secret: SecretRecord, reader: Reader, realm?: Realm) {
  if (secret.replicas.length === 0) return {};
  return { ReplicationStatus: await Promise.all(secret.replicas.map((replica) => replicaShown(secret, replica, reader, realm))) };
}

export async function replicaShown(secret: SecretRecord, replica: ReplicaRecord, reader: Reader, realm?: Realm) {
  const { status, message } = statusOf(secret, replica);
  const lastAccessed = realm && (await copyOf(secret, replica, reader, realm))?.lastAccessed;
  return {
    Region: replica.region,
    KmsKeyId: replica.kmsKeyId ?? MANAGED_ALIAS,
    Status: status,
    ...(message === undefined ? {} : { StatusMessage: message }),
    ...(lastAccessed === undefined ? {} : { LastAccessedDate: seconds(lastAccessed) }),
  };
}

/** A key that is not there is the replica's failure, as in AWS; one that the caller may not use is refused. InvalidParameterException, AccessDeniedException. */
export async function addReplicas(
  secret: SecretRecord,
  given: readonly { readonly Region: string; readonly KmsKeyId?: string | undefined }[],
  overwrite: boolean,
  { call, writer, realm }: Pick<SecretsWriting, 'call' | 'writer' | 'realm'>,
): Promise<SecretRecord> {
  const wanted: Wanted[] = [];
  for (const { Region: region, KmsKeyId: kmsKeyId } of given) {
    wanted.push({ region, kmsKeyId });
    if (!isRegion(region)) {
      if (!(await writer.of(REMOTES).get(region))) throw new VaultError('InvalidParameterException', `\`${region}\` is no region and no remote; give a region like \`eu-west-1\`, or declare the remote with \`keystead secret put-remote\``);
      continue;
    }
    await chosenKey(kmsKeyId, call, writer, realmIn(homeRealm(realm), region)).catch((error: unknown) => {
      if (!(error instanceof VaultError) || (error.code !== 'ResourceNotFoundException' && error.code !== 'InvalidParameterException')) throw error;
    });
  }
  const changed = replicated(secret, wanted, overwrite, realmOf(realm, secret).region, call.at);
  writer.of(SECRETS).update(changed);
  return changed;
}

/** What replication may do beside the clock's own: its owner has asked for it. */
const ALLOWED: ReadonlySet<string> = new Set(['kms:Decrypt', 'kms:GenerateDataKey']);
export const asReplication = (call: Call): Call => ({ ...call, allows: (action, resource) => ALLOWED.has(action) || call.allows(action, resource) });

/**
 * Makes the copy in its region what the secret is, all of it in this unit of work. ResourceExistsException for another secret of the name;
 * InvalidRequestException for one that may not be written over; EncryptionFailure, DecryptionFailure, ResourceNotFoundException of a key.
 */
export async function bringLevel(secret: SecretRecord, replica: ReplicaRecord, given: SecretsWriting): Promise<void> {
  const rights = { ...given, call: asReplication(given.call) };
  const { call, writer, realm } = rights;
  const { region } = replica;
  const there = realmIn(homeRealm(realm), region);
  const found = await writer.of(SECRETS).get(keyIn(realm, region, secret));
  const copy = await copyOf(secret, replica, writer, realm);
  if (found && !copy) {
    if (!replica.overwrite) throw new VaultError('ResourceExistsException', `a secret of the name \`${secret.name}\` exists already in region \`${region}\``);
    if (found.primary || found.replicas.length > 0) throw new VaultError('InvalidRequestException', `the secret of the name \`${secret.name}\` in region \`${region}\` is replicated itself; stop that first`);
    await emptySecret(found, writer);
  }
  const values = secretValues(rights);
  const key = copy ? copy.key : await chosenKey(replica.kmsKeyId, call, writer, there);
  const place = placeIn(there);
  const { name, suffix, description, tags, changed } = secret;
  const empty: SecretRecord = { name, suffix, ...(place === undefined ? {} : { region: place }), primary: { region: realmOf(realm, secret).region }, description, ...(key ? { key } : {}), tags, created: copy?.created ?? call.at, changed, ...(copy?.lastAccessed === undefined ? {} : { lastAccessed: copy.lastAccessed }), versions: [], replicas: [], consumers: copy?.consumers ?? [] };
  const had = copy?.versions ?? [];
  const versions: VersionRecord[] = [];
  // Those that have lost their last label here stay, as they do at the primary.
  for (const version of secret.versions) {
    const known = versionOf(had, version.versionId);
    if (known?.value) versions.push({ ...known, stages: version.stages });
    else if (carried(secret).includes(version)) {
      const value = await values.read(secret, version.versionId);
      using bytes = value.bytes;
      versions.push({ versionId: version.versionId, created: version.created, stages: version.stages, value: await values.seal(empty, version.versionId, { kind: value.kind, bytes }) });
    }
  }
  for (const { versionId, value } of had) if (value && !versionOf(secret.versions, versionId)) writer.of(SECRET_VALUES).remove(value.valueId);
  if (found) writer.of(SECRETS).update({ ...empty, versions });
  else writer.of(SECRETS).insert({ ...empty, versions });
}

export async function destroyCopy(secret: SecretRecord, replica: ReplicaRecord, writer: Writer, realm: Realm): Promise<void> {
  const copy = await copyOf(secret, replica, writer, realm);
  if (!copy) return;
  await emptySecret(copy, writer);
  writer.of(SECRETS).remove(keyIn(realm, replica.region, secret));
}

/** A replica becomes a secret of its own. */
export function promoteCopy(copy: SecretRecord, writer: Writer, call: Pick<Call, 'at'>): void {
  const { primary: _primary, ...own } = copy;
  writer.of(SECRETS).update({ ...own, changed: call.at });
}
