/** The records that the store knows by hand, as the bytes that are sealed, and back (`strict.ts`). Encoded bytes are the caller's, to be wiped. */
import { isAccountId, isKeyId, isPlacedAlias, isRegion, instant, type Instant } from '../../shared/model/ids.ts';
import { KEY_PURPOSES, KEY_SPECS, KEY_USAGES, type KeyPurpose, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { hex } from '../crypto/bytes.ts';
import type { AliasRecord, HardwareRef, KeyRecord, StoredState } from '../keyring/ports.ts';
import type { VaultSettings } from './port.ts';
import { checkSchema, encodeJson, exactly, malformed, readFields } from './strict.ts';

/** The schema that each table is written with. */
export const SCHEMA = { keys: 3, aliases: 1, settings: 5, outbox: 1, key_materials: 1, vault_state: 1 } as const;

/**
 * A key with the rows of its materials (16 bytes each). They stand inside the sealed
 * record, so that which material belongs to which key does not hang on a column that nothing authenticates.
 */
export interface StoredKey {
  readonly record: KeyRecord;
  /** The row of each material that is here, by its id (8 bytes, hex). */
  readonly materialRows: ReadonlyMap<string, Uint8Array>;
}

/** `order`: where the unit stood in its group. Sorted by (epoch, order), outcomes are in the order of their commits. */
export interface StoredOutcome {
  readonly epoch: number;
  readonly order: number;
  readonly body: Uint8Array;
}

const USAGES: ReadonlySet<string> = new Set(KEY_USAGES);
const PURPOSES: ReadonlySet<string> = new Set(KEY_PURPOSES);
const STATES: ReadonlySet<string> = new Set<StoredState>(['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'PendingReplicaDeletion']);
const KEY_FIELDS = ['keyId', 'spec', 'usage', 'purpose', 'state', 'description', 'created', 'materials'] as const;
const SCHEMA_2_FIELDS = ['deletionDate', 'publicKey', 'rotation', 'rotations', 'tags', 'origin', 'imports', 'awaiting', 'region', 'replicas', 'pendingDays', 'manager'] as const;
const OPTIONAL_FIELDS = [...SCHEMA_2_FIELDS, 'hardware'] as const;
const STORE_ID = /^cks-[0-9a-f]{17}$/;
const OBJECT_ID = /^(?:[0-9a-f]{2}){1,255}$/;
const MATERIAL_ID = /^[0-9a-f]{16}$/;
const IDENTITY = /^[0-9a-f]{64}$/;
const KEY_ARN = /^arn:aws:kms:[a-z0-9-]{1,32}:\d{12}:key\/[a-z0-9-]{36}$/;
const ROW_ID = /^[0-9a-f]{32}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const OUTCOME_PREFIX = 12;

export function encodeKey({ record, materialRows }: StoredKey): Uint8Array {
  const located = (id: string): [string, string] => [id, hexOf(materialRows.get(id))];
  const { materials, awaiting, ...rest } = record;
  return encodeJson({ ...rest, materials: materials.map(located), ...(awaiting === undefined ? {} : { awaiting: located(awaiting) }) });
}

/** Empty: the material is not here. */
const hexOf = (row: Uint8Array | undefined): string => (row === undefined ? '' : hex(row));

export function decodeKey(schema: number, plain: Uint8Array): StoredKey {
  const body = fields('keys', schema, plain, KEY_FIELDS, schema === 1 ? ['deletionDate', 'publicKey'] : schema === 2 ? SCHEMA_2_FIELDS : OPTIONAL_FIELDS);
  const { keyId, spec, usage, purpose, state, description, created, deletionDate, materials, publicKey } = body;
  const { rotation, rotations, tags, origin, imports, awaiting, region, replicas, pendingDays, manager, hardware } = body as Readonly<Partial<Record<(typeof OPTIONAL_FIELDS)[number], unknown>>>;
  if (
    !(typeof keyId === 'string' && isKeyId(keyId)) ||
    !(typeof spec === 'string' && Object.hasOwn(KEY_SPECS, spec)) ||
    !(typeof usage === 'string' && USAGES.has(usage)) ||
    !(typeof purpose === 'string' && PURPOSES.has(purpose)) ||
    !(typeof state === 'string' && STATES.has(state)) ||
    typeof description !== 'string' ||
    !isTime(created) ||
    !(deletionDate === undefined || isTime(deletionDate)) ||
    !(origin === undefined || origin === 'EXTERNAL' || origin === 'AWS_CLOUDHSM') ||
    (origin === 'AWS_CLOUDHSM') !== (hardware !== undefined) ||
    !(manager === undefined || manager === 'AWS') ||
    !(region === undefined || (typeof region === 'string' && isRegion(region))) ||
    !(pendingDays === undefined || (typeof pendingDays === 'number' && Number.isInteger(pendingDays))) ||
    !(publicKey === undefined || (typeof publicKey === 'string' && BASE64.test(publicKey))) ||
    !Array.isArray(materials)
  ) {
    throw malformed('keys');
  }
  const pairs = (materials as readonly unknown[]).map(decodeLocated);
  const waits = awaiting === undefined ? undefined : decodeLocated(awaiting);
  const history = rotations === undefined ? undefined : decodeRotations(rotations);
  if (origin === undefined && pairs.some(([, row]) => row === '')) throw malformed('keys');
  if ((history?.length ?? 0) !== Math.max(0, pairs.length - 1)) throw malformed('keys');
  return {
    record: {
      keyId,
      spec: spec as KeySpec,
      usage: usage as KeyUsage,
      purpose: purpose as KeyPurpose,
      state: state as StoredState,
      description,
      created: instant(created),
      ...(deletionDate === undefined ? {} : { deletionDate: instant(deletionDate) }),
      materials: pairs.map(([id]) => id),
      ...(publicKey === undefined ? {} : { publicKey }),
      ...(rotation === undefined ? {} : { rotation: decodePlan(rotation) }),
      ...(history === undefined ? {} : { rotations: history }),
      ...(tags === undefined ? {} : { tags: decodeTags(tags) }),
      ...(origin === undefined ? {} : { origin }),
      ...(hardware === undefined ? {} : { hardware: decodeHardware(hardware) }),
      ...(imports === undefined ? {} : { imports: decodeImports(imports) }),
      ...(waits === undefined ? {} : { awaiting: waits[0] }),
      ...(region === undefined ? {} : { region }),
      ...(replicas === undefined ? {} : { replicas: decodeReplicas(replicas) }),
      ...(pendingDays === undefined ? {} : { pendingDays }),
      ...(manager === undefined ? {} : { manager }),
    },
    materialRows: new Map([...pairs, ...(waits === undefined ? [] : [waits])].flatMap(([id, row]) => (row === '' ? [] : [[id, Buffer.from(row, 'hex')]]))),
  };
}

function decodeLocated(pair: unknown): readonly [id: string, row: string] {
  if (!Array.isArray(pair) || pair.length !== 2) throw malformed('keys');
  const [id, row] = pair as readonly unknown[];
  if (typeof id !== 'string' || !MATERIAL_ID.test(id) || typeof row !== 'string' || !(row === '' || ROW_ID.test(row))) throw malformed('keys');
  return [id, row];
}

function decodeHardware(value: unknown): HardwareRef {
  const { store, id, adopted } = exactly('keys', value, ['store', 'id'], ['adopted']);
  if (typeof store !== 'string' || !STORE_ID.test(store) || typeof id !== 'string' || !OBJECT_ID.test(id) || !(adopted === undefined || adopted === true)) throw malformed('keys');
  return { store, id, ...(adopted === undefined ? {} : { adopted }) };
}

function decodeReplicas(value: unknown): NonNullable<KeyRecord['replicas']> {
  if (!Array.isArray(value)) throw malformed('keys');
  return value.map((one: unknown) => {
    const { region, state, description, created, deletionDate, tags, imports } = exactly('keys', one, ['region', 'state', 'description', 'created'], ['deletionDate', 'tags', 'imports']);
    if (
      !(typeof region === 'string' && isRegion(region)) ||
      !(typeof state === 'string' && STATES.has(state)) ||
      typeof description !== 'string' ||
      !isTime(created) ||
      !(deletionDate === undefined || isTime(deletionDate))
    ) {
      throw malformed('keys');
    }
    return {
      region,
      state: state as StoredState,
      description,
      created: instant(created),
      ...(deletionDate === undefined ? {} : { deletionDate: instant(deletionDate) }),
      ...(tags === undefined ? {} : { tags: decodeTags(tags) }),
      ...(imports === undefined ? {} : { imports: decodeImports(imports) }),
    };
  });
}

function decodeImports(value: unknown): NonNullable<KeyRecord['imports']> {
  if (!Array.isArray(value)) throw malformed('keys');
  return value.map((one: unknown) => {
    const { materialId, identity, held, validTo, description } = exactly('keys', one, ['materialId', 'identity', 'held'], ['validTo', 'description']);
    if (
      !(typeof materialId === 'string' && MATERIAL_ID.test(materialId)) ||
      !(typeof identity === 'string' && IDENTITY.test(identity) && identity.startsWith(materialId)) ||
      typeof held !== 'boolean' ||
      !(validTo === undefined || isTime(validTo)) ||
      !(description === undefined || typeof description === 'string')
    ) {
      throw malformed('keys');
    }
    return { materialId, identity, held, ...(validTo === undefined ? {} : { validTo: instant(validTo) }), ...(description === undefined ? {} : { description }) };
  });
}

function decodePlan(value: unknown): NonNullable<KeyRecord['rotation']> {
  const { periodDays, next } = exactly('keys', value, ['periodDays', 'next'], []);
  if (!(typeof periodDays === 'number' && Number.isInteger(periodDays) && periodDays > 0) || !isTime(next)) throw malformed('keys');
  return { periodDays, next: instant(next) };
}

function decodeTags(value: unknown): NonNullable<KeyRecord['tags']> {
  if (!Array.isArray(value) || value.length === 0) throw malformed('keys');
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw malformed('keys');
    const [name, text] = pair as readonly unknown[];
    if (typeof name !== 'string' || typeof text !== 'string') throw malformed('keys');
    return [name, text] as const;
  });
}

function decodeRotations(value: unknown): NonNullable<KeyRecord['rotations']> {
  if (!Array.isArray(value) || value.length === 0) throw malformed('keys');
  return value.map((one: unknown) => {
    const { at, type } = exactly('keys', one, ['at', 'type'], []);
    if (!isTime(at) || !(type === 'AUTOMATIC' || type === 'ON_DEMAND')) throw malformed('keys');
    return { at: instant(at), type };
  });
}

export const encodeAlias = (record: AliasRecord): Uint8Array => encodeJson(record);

export function decodeAlias(schema: number, plain: Uint8Array): AliasRecord {
  const { name, target, created, updated } = fields('aliases', schema, plain, ['name', 'target', 'created', 'updated'], []);
  if (!(typeof name === 'string' && isPlacedAlias(name)) || !(typeof target === 'string' && isKeyId(target)) || !isTime(created) || !isTime(updated)) throw malformed('aliases');
  return { name, target, created: instant(created), updated: instant(updated) };
}

/** In the order of the schemas that they came with, from 2. */
const OPTIONAL_SETTINGS = ['chainStart', 'awsDoor', 'commands', 'checkpointKey'] as const;

export const encodeSettings = (settings: VaultSettings): Uint8Array => encodeJson(settings);

export function decodeSettings(schema: number, plain: Uint8Array): VaultSettings {
  const names = ['name', 'region', 'account', 'created', 'autoLockMinutes', 'lockOnSuspend', 'lockOnScreenLock', 'recoveryCodeUsed'] as const;
  const body = fields('settings', schema, plain, names, OPTIONAL_SETTINGS.slice(0, schema - 1));
  const { name, region, account, created, autoLockMinutes, lockOnSuspend, lockOnScreenLock, recoveryCodeUsed } = body;
  const { chainStart, awsDoor, commands, checkpointKey } = body;
  if (
    typeof name !== 'string' ||
    !(typeof region === 'string' && isRegion(region)) ||
    !(typeof account === 'string' && isAccountId(account)) ||
    !isTime(created) ||
    !(typeof autoLockMinutes === 'number' && autoLockMinutes >= 0) ||
    typeof lockOnSuspend !== 'boolean' ||
    typeof lockOnScreenLock !== 'boolean' ||
    typeof recoveryCodeUsed !== 'boolean' ||
    !(chainStart === undefined || isChainStart(chainStart)) ||
    !(awsDoor === undefined || isAwsDoor(awsDoor)) ||
    !(commands === undefined || areCommands(commands)) ||
    !(checkpointKey === undefined || (typeof checkpointKey === 'string' && KEY_ARN.test(checkpointKey)))
  ) {
    throw malformed('settings');
  }
  return { name, region, account, created, autoLockMinutes, lockOnSuspend, lockOnScreenLock, recoveryCodeUsed, ...(chainStart === undefined ? {} : { chainStart }), ...(awsDoor === undefined ? {} : { awsDoor }), ...(commands === undefined ? {} : { commands }), ...(checkpointKey === undefined ? {} : { checkpointKey }) };
}

/** epoch u64 ‖ order u32 ‖ the outcome record's body as the trail will have it. */
export function encodeOutcome({ epoch, order, body }: StoredOutcome): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(OUTCOME_PREFIX + body.byteLength));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(epoch));
  view.setUint32(8, order);
  bytes.set(body, OUTCOME_PREFIX);
  return bytes;
}

/** `body` is a copy: the caller may wipe `plain`. */
export function decodeOutcome(schema: number, plain: Uint8Array): StoredOutcome {
  checkSchema('outbox', schema, SCHEMA.outbox);
  if (plain.byteLength < OUTCOME_PREFIX) throw malformed('outbox');
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  return { epoch: Number(view.getBigUint64(0)), order: view.getUint32(8), body: Uint8Array.from(plain.subarray(OUTCOME_PREFIX)) };
}

const isChainStart = (value: unknown): value is NonNullable<VaultSettings['chainStart']> => {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'index,hash') return false;
  const { index, hash } = value as Readonly<Record<string, unknown>>;
  return Number.isSafeInteger(index) && (index as number) > 0 && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
};

const isAwsDoor = (value: unknown): value is NonNullable<VaultSettings['awsDoor']> => {
  const { open, port, tls } = exactly('settings', value, ['open', 'port', 'tls'], []);
  return typeof open === 'boolean' && Number.isInteger(port) && typeof tls === 'boolean';
};

const areCommands = (value: unknown): value is NonNullable<VaultSettings['commands']> =>
  Array.isArray(value) &&
  value.every((one: unknown) => {
    const { name, path, args, sha256 } = exactly('settings', one, ['name', 'path', 'args', 'sha256'], []);
    return typeof name === 'string' && typeof path === 'string' && Array.isArray(args) && args.every((text) => typeof text === 'string') && typeof sha256 === 'string' && IDENTITY.test(sha256);
  });

const isTime = (value: unknown): value is Instant => typeof value === 'number' && Number.isFinite(value);

function fields<R extends string, O extends string>(table: keyof typeof SCHEMA, schema: number, plain: Uint8Array, required: readonly R[], optional: readonly O[]): Readonly<Record<R | O, unknown>> {
  checkSchema(table, schema, SCHEMA[table]);
  return readFields(table, plain, required, optional);
}
