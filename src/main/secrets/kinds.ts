/** How secrets and the values of their versions are kept in the store. */
import { isKeyId, isRegion, isRemoteName, isSecretName, instant, type Instant, type KeyId } from '../../shared/model/ids.ts';
import { concat, copy, fromHex, hex } from '../crypto/bytes.ts';
import { indexedKind, vouchedKind } from '../store/collection.ts';
import { encodeJson, exactly, malformed, readFields } from '../store/strict.ts';
import type { RemoteRecord } from './remote-port.ts';
import { decodeRotation, rotationEntry, type RotationEntry, type RotationRecord } from './rotation-record.ts';
import { ENGINES } from './rotator-port.ts';
import { summary, type SecretSummary } from './summary.ts';
import { CONFLICTS, placeOf, type ConsumerRecord, type Label, type ReplicaRecord, type RotationSettings, type SecretRecord, type StoredValue, type Tag, type VersionRecord } from './ports.ts';

const TABLE = 'secrets';
const VALUE_ID = /^[0-9a-f]{32}$/;
const SUFFIX = /^[A-Za-z0-9]{6}$/;

const bad = (): never => {
  throw malformed(TABLE);
};
const text = (value: unknown): string => (typeof value === 'string' ? value : bad());
const flag = (value: unknown): boolean => (typeof value === 'boolean' ? value : bad());
const time = (value: unknown): Instant => (typeof value === 'number' && Number.isFinite(value) ? instant(value) : bad());
const whole = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : bad());
const keyId = (value: unknown): KeyId => (typeof value === 'string' && isKeyId(value) ? value : bad());
const list = <T>(value: unknown, one: (item: unknown) => T): T[] => (Array.isArray(value) ? value.map(one) : bad());
/** A member that may be absent, for spreading. */
const maybe = <N extends string, T>(name: N, value: unknown, read: (value: unknown) => T): Partial<Record<N, T>> => (value === undefined ? {} : ({ [name]: read(value) } as Record<N, T>));

function storedValue(value: unknown): StoredValue {
  const { valueId, kind, keyId: key, engine } = exactly(TABLE, value, ['valueId', 'kind', 'keyId'], ['engine']);
  if (typeof valueId !== 'string' || !VALUE_ID.test(valueId) || !(kind === 'string' || kind === 'binary')) return bad();
  return { valueId, kind, keyId: keyId(key), ...maybe('engine', engine, (name) => ENGINES.find((one) => one === name) ?? bad()) };
}

function version(value: unknown): VersionRecord {
  const body = exactly(TABLE, value, ['versionId', 'created', 'stages'], ['value', 'lastAccessed']);
  return {
    versionId: text(body.versionId),
    created: time(body.created),
    stages: list(body.stages, text),
    ...maybe('value', body.value, storedValue),
    ...maybe('lastAccessed', body.lastAccessed, time),
  };
}

function tag(value: unknown): Tag {
  const { key, value: its } = exactly(TABLE, value, ['key', 'value'], []);
  return { key: text(key), value: text(its) };
}

function rotation(value: unknown): RotationSettings {
  const body = exactly(TABLE, value, ['enabled', 'rules'], ['rotator', 'lastRotated', 'next', 'asked']);
  const rules = exactly(TABLE, body.rules, [], ['afterDays', 'duration', 'schedule']);
  return {
    enabled: flag(body.enabled),
    ...maybe('rotator', body.rotator, text),
    rules: { ...maybe('afterDays', rules.afterDays, whole), ...maybe('duration', rules.duration, text), ...maybe('schedule', rules.schedule, text) },
    ...maybe('lastRotated', body.lastRotated, time),
    ...maybe('next', body.next, time),
    ...maybe('asked', body.asked, (asked) => {
      const { token, at } = exactly(TABLE, asked, ['token', 'at'], []);
      return { token: text(token), at: time(at) };
    }),
  };
}

function label(value: unknown): Label {
  const { stage, versionId } = exactly(TABLE, value, ['stage', 'versionId'], []);
  return { stage: text(stage), versionId: text(versionId) };
}

const mark = (value: unknown): true => (value === true ? value : bad());
const place = (value: unknown): string => (typeof value === 'string' && isRegion(value) ? value : bad());

function replica(value: unknown): ReplicaRecord {
  const body = exactly(TABLE, value, ['region', 'added', 'overwrite'], ['kmsKeyId', 'level', 'begun', 'begunTags', 'failure', 'conflict', 'look', 'adopting', 'leaving', 'seen']);
  return {
    region: text(body.region),
    ...maybe('kmsKeyId', body.kmsKeyId, text),
    added: time(body.added),
    overwrite: flag(body.overwrite),
    ...maybe('seen', body.seen, (seen) => maybe('versionId', exactly(TABLE, seen, [], ['versionId']).versionId, text)),
    ...maybe('level', body.level, (level) => {
      const { shape, at, versions, labels, tags } = exactly(TABLE, level, ['shape', 'at', 'versions', 'labels', 'tags'], []);
      return { shape: text(shape), at: time(at), versions: list(versions, text), labels: list(labels, label), tags: list(tags, text) };
    }),
    ...maybe('begun', body.begun, (labels) => list(labels, label)),
    ...maybe('begunTags', body.begunTags, (tags) => list(tags, text)),
    ...maybe('failure', body.failure, (failure) => {
      const { code, message, shape, attempts, until } = exactly(TABLE, failure, ['code', 'message', 'shape', 'attempts', 'until'], []);
      return { code: text(code), message: text(message), shape: text(shape), attempts: whole(attempts), until: time(until) };
    }),
    ...maybe('conflict', body.conflict, (conflict) => {
      const { kind, at, versionId } = exactly(TABLE, conflict, ['kind', 'at'], ['versionId']);
      return { kind: CONFLICTS.find((one) => one === kind) ?? bad(), at: time(at), ...maybe('versionId', versionId, text) };
    }),
    ...maybe('look', body.look, mark),
    ...maybe('adopting', body.adopting, mark),
    ...maybe('leaving', body.leaving, mark),
  };
}

function consumer(value: unknown): ConsumerRecord {
  const { principal, door, versionId, at } = exactly(TABLE, value, ['principal', 'door', 'versionId', 'at'], []);
  return { principal: text(principal), door: text(door), versionId: text(versionId), at: time(at) };
}

function secret(plain: Uint8Array): SecretRecord {
  const body = readFields(
    TABLE,
    plain,
    ['name', 'suffix', 'description', 'tags', 'created', 'changed', 'versions', 'replicas', 'consumers'],
    ['key', 'lastAccessed', 'deletion', 'rotation', 'region', 'primary'],
  );
  const { name, suffix } = body;
  if (typeof name !== 'string' || !isSecretName(name) || typeof suffix !== 'string' || !SUFFIX.test(suffix)) return bad();
  return {
    name,
    suffix,
    ...maybe('region', body.region, place),
    ...maybe('primary', body.primary, (primary) => ({ region: place(exactly(TABLE, primary, ['region'], []).region) })),
    description: text(body.description),
    ...maybe('key', body.key, (key) => {
      const { keyId: id, kmsKeyId } = exactly(TABLE, key, ['keyId', 'kmsKeyId'], []);
      return { keyId: keyId(id), kmsKeyId: text(kmsKeyId) };
    }),
    tags: list(body.tags, tag),
    created: time(body.created),
    changed: time(body.changed),
    ...maybe('lastAccessed', body.lastAccessed, time),
    ...maybe('deletion', body.deletion, (deletion) => {
      const { at, due } = exactly(TABLE, deletion, ['at', 'due'], []);
      return { at: time(at), due: time(due) };
    }),
    versions: list(body.versions, version),
    ...maybe('rotation', body.rotation, rotation),
    replicas: list(body.replicas, replica),
    consumers: list(body.consumers, consumer),
  };
}

/** By name, after its region where that is not the vault's own. */
export const SECRETS = indexedKind<SecretRecord, SecretSummary>({
  table: TABLE,
  schema: 1,
  what: 'a secret',
  key: placeOf,
  encode: encodeJson,
  decode: (_schema, plain) => secret(plain),
  entry: summary,
});

/** As the secret is. */
export const ROTATIONS = indexedKind<RotationRecord, RotationEntry>({
  table: 'rotations',
  schema: 1,
  what: 'a rotation',
  key: placeOf,
  encode: encodeJson,
  decode: (_schema, plain) => decodeRotation(plain),
  entry: rotationEntry,
});

/** What is kept of a remote in memory: whatever is shown in a list. */
export type RemoteEntry = Omit<RemoteRecord, 'name' | 'sealed' | 'sealedToken' | 'ca'> & { readonly hasCa: boolean; readonly isTemporary: boolean };

/** By its name. */
export const REMOTES = indexedKind<RemoteRecord, RemoteEntry>({
  table: 'remotes',
  schema: 2,
  what: 'a remote',
  key: ({ name }) => name,
  encode: encodeJson,
  decode(_schema, plain) {
    const body = readFields('remotes', plain, ['name', 'url', 'region', 'accessKeyId', 'sealed', 'created', 'changed'], ['ca', 'sealedToken']);
    const name = text(body.name);
    if (!isRemoteName(name)) throw malformed('remotes');
    return { name, url: text(body.url), region: text(body.region), accessKeyId: text(body.accessKeyId), sealed: text(body.sealed), ...maybe('sealedToken', body.sealedToken, text), ...maybe('ca', body.ca, text), created: time(body.created), changed: time(body.changed) };
  },
  entry: ({ url, region, accessKeyId, created, changed, ca, sealedToken }) => ({ url, region, accessKeyId, created, changed, hasCa: ca !== undefined, isTemporary: sealedToken !== undefined }),
});

/** The value of one version: what `sealValue` made. */
export interface ValueRow {
  /** 16 random bytes, hex. */
  readonly valueId: string;
  readonly envelope: Uint8Array;
}

const ID_LENGTH = 16;

/** By value id: which there are is said by the secrets. The row is the id's 16 bytes, then the envelope. */
export const SECRET_VALUES = vouchedKind<ValueRow>({
  table: 'secret_versions',
  schema: 1,
  what: 'a secret value',
  key: ({ valueId }) => valueId,
  encode: ({ valueId, envelope }) => concat(fromHex(valueId), envelope),
  decode(_schema, plain) {
    if (plain.byteLength <= ID_LENGTH) throw malformed('secret_versions');
    return { valueId: hex(plain.subarray(0, ID_LENGTH)), envelope: copy(plain.subarray(ID_LENGTH)) };
  },
});
