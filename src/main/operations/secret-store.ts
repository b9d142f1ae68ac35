/** Secrets and their values in a handler's hands: what `SecretValues` promises, from the rights of the handler. */
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn, realmIn, secretArn, type Arn, type Realm } from '../../shared/model/ids.ts';
import { hex } from '../crypto/bytes.ts';
import type { Call } from '../kernel/handler.ts';
import type { KeyBackend, KeyReader } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import { engineOf } from '../secrets/engine.ts';
import { ROTATIONS, SECRET_VALUES, SECRETS, type ValueRow } from '../secrets/kinds.ts';
import { CURRENT, PENDING, placeOf, PREVIOUS, type SecretRecord, type SecretValue, type SecretValues, type StoredValue, type VersionRecord } from '../secrets/ports.ts';
import { assertLive, assertNoReplica } from '../secrets/secret.ts';
import { added, announced, moved, pruned, versionOf } from '../secrets/stages.ts';
import { openValue, sameValue, sealValue } from '../secrets/values.ts';
import type { VouchedReader } from '../store/collection.ts';
import type { Writer } from '../store/port.ts';
import { secretOf } from './resolvers.ts';
import { asKeyFailure, keyToOpen, keyToSeal } from './secret-keys.ts';

export interface SecretsReading {
  readonly call: Pick<Call, 'allows' | 'at' | 'used'>;
  readonly reader: KeyReader;
  readonly values: VouchedReader<ValueRow>;
  readonly keys: KeyBackend;
  readonly realm: Realm;
}

/** As its own region has it, whichever the request is for. */
export const realmOf = (realm: Realm, { region }: Pick<SecretRecord, 'region'>): Realm => realmIn({ ...realm, region: realm.home ?? realm.region }, region);
export const arnOf = (realm: Realm, secret: Pick<SecretRecord, 'name' | 'suffix' | 'region'>): Arn => secretArn(realmOf(realm, secret), secret.name, secret.suffix);

/** The caller's to dispose of. DecryptionFailure, AccessDeniedException; VaultTamperedException when the row of the value is gone. */
export async function readValue(secret: SecretRecord, { versionId, value }: { readonly versionId: string; readonly value: StoredValue }, { call, reader, values, keys, realm }: SecretsReading): Promise<SecretValue> {
  const here = realmOf(realm, secret);
  const handle = await keyToOpen(secret, value.keyId, call, reader, here);
  const row = await values.get(value.valueId);
  if (!row) throw new VaultError('VaultTamperedException', `a value of secret \`${secret.name}\` is gone, restore the vault's folder from a copy`, { details: { table: 'secret_versions' } });
  const bytes = await openValue(keys, handle, { arn: arnOf(realm, secret), versionId }, row.envelope).catch((error: unknown) => {
    throw asKeyFailure('DecryptionFailure', error);
  });
  call.used('Decrypt', keyArn(here, handle.keyId));
  return { kind: value.kind, bytes };
}

/** The secret as it stands inside the unit of work, and that it is still the one that was resolved. ResourceNotFoundException. */
export async function secretNow(call: Call, writer: Writer): Promise<SecretRecord> {
  const found = secretOf(call.resource);
  const secret = await writer.of(SECRETS).get(placeOf(found));
  if (secret?.suffix !== found.suffix) throw new VaultError('ResourceNotFoundException', `secret \`${found.name}\` has just been destroyed`);
  return secret;
}

/** The same, and that it is no replica. InvalidParameterException. */
export async function ownSecret(call: Call, writer: Writer): Promise<SecretRecord> {
  const secret = await secretNow(call, writer);
  assertNoReplica(secret);
  return secret;
}

/** The same, and that it is not to be deleted. InvalidParameterException, InvalidRequestException. */
export async function liveSecret(call: Call, writer: Writer): Promise<SecretRecord> {
  const secret = await ownSecret(call, writer);
  assertLive(secret);
  return secret;
}

/** With every value, and what rotated it. */
export async function destroySecret(secret: SecretRecord, writer: Writer): Promise<void> {
  await emptySecret(secret, writer);
  writer.of(SECRETS).remove(placeOf(secret));
}

/** Its values and its rotation go; the record is the caller's to replace. */
export async function emptySecret(secret: SecretRecord, writer: Writer): Promise<void> {
  const place = placeOf(secret);
  if (await writer.of(ROTATIONS).get(place)) writer.of(ROTATIONS).remove(place);
  for (const { value } of secret.versions) if (value) writer.of(SECRET_VALUES).remove(value.valueId);
}

export interface SecretsWriting {
  readonly call: Call;
  readonly writer: Writer;
  readonly keys: KeyBackend;
  readonly realm: Realm;
  readonly random: Random;
}

/** Stages that a change of key re-encrypts, as AWS does. */
const IN_USE: ReadonlySet<string> = new Set([CURRENT, PENDING, PREVIOUS]);

export interface SecretsAtWork extends SecretValues {
  /** Under the key that the record names now: the versions that are in use. EncryptionFailure, DecryptionFailure. */
  reencrypt(record: SecretRecord): Promise<SecretRecord>;
  /** Stages the row of a value, under the key that the record names now; the record that is to name it is the caller's. EncryptionFailure. */
  seal(record: SecretRecord, versionId: string, value: SecretValue): Promise<StoredValue>;
}

export function secretValues(rights: SecretsWriting): SecretsAtWork {
  const { call, writer, keys, realm, random } = rights;
  const values = writer.of(SECRET_VALUES);
  const reading = { call, reader: writer, values, keys, realm };
  const managed: Parameters<typeof keyToSeal>[1]['managed'] = new Map();

  const stage = (record: SecretRecord): SecretRecord => {
    writer.of(SECRETS).update(record);
    return record;
  };

  /** Seals and stages the row. */
  const sealed = async (record: SecretRecord, versionId: string, value: SecretValue): Promise<StoredValue> => {
    const here = realmOf(realm, record);
    const handle = await keyToSeal(record, { call, writer, keys, realm: here, random, at: call.at, managed });
    const envelope = await sealValue(keys, random, handle, { arn: arnOf(realm, record), versionId }, value.bytes).catch((error: unknown) => {
      throw asKeyFailure('EncryptionFailure', error);
    });
    call.used('GenerateDataKey', keyArn(here, handle.keyId));
    const valueId = hex(random.bytes(16));
    values.insert({ valueId, envelope });
    const engine = value.kind === 'string' ? engineOf(value.bytes) : undefined;
    return { valueId, kind: value.kind, keyId: handle.keyId, ...(engine === undefined ? {} : { engine }) };
  };

  const read = (record: SecretRecord, versionId: string): Promise<SecretValue> => {
    const version = versionOf(record.versions, versionId);
    if (!version?.value) throw new VaultError('ResourceNotFoundException', `version \`${versionId}\` has no value`);
    return readValue(record, { versionId, value: version.value }, reading);
  };

  return {
    read,
    seal: sealed,

    async put(record, { token, value, stages, at }) {
      if (versionOf(record.versions, token)?.value) {
        const existing = await read(record, token);
        using bytes = existing.bytes;
        if (sameValue({ ...existing, bytes }, value)) return record;
        throw new VaultError('ResourceExistsException', `version \`${token}\` exists already with another value; use another \`ClientRequestToken\``);
      }
      // What cannot be is refused before a value is sealed.
      const trial = added(record.versions, { versionId: token, value: { valueId: '', kind: value.kind, keyId: '' as StoredValue['keyId'] }, at, ...(stages ? { stages } : {}) });
      const { kept, gone } = pruned(trial, at);
      const stored = await sealed(record, token, value);
      for (const { value: old } of gone) if (old) values.remove(old.valueId);
      return stage({ ...record, versions: kept.map((version) => (version.versionId === token ? { ...version, value: stored } : version)), changed: at });
    },

    announce(record, token, at) {
      const versions = announced(record.versions, token, at);
      return versions === record.versions ? record : stage({ ...record, versions, changed: at });
    },

    move(record, { stage: name, from, to, at }) {
      const versions = moved(record.versions, { stage: name, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
      return versions === record.versions ? record : stage({ ...record, versions, changed: at });
    },

    async reencrypt(record) {
      const versions: VersionRecord[] = [];
      for (const version of record.versions) {
        if (!version.value || !version.stages.some((name) => IN_USE.has(name))) {
          versions.push(version);
          continue;
        }
        const value = await read(record, version.versionId);
        using bytes = value.bytes;
        versions.push({ ...version, value: await sealed(record, version.versionId, { kind: value.kind, bytes }) });
        values.remove(version.value.valueId);
      }
      return stage({ ...record, versions });
    },
  };
}
