/**
 * What one unit has staged, by name, and what follows from it: the changes for the sealer, and the names by which units
 * that run at the same time notice each other.
 */
import type { AliasName, KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { AliasRecord, NewMaterial } from '../keyring/ports.ts';
import type { Change, TableName } from '../seal/protocol.ts';
import type { CollectionTable } from './collection.ts';
import { encodeAlias, encodeKey, encodeSettings, SCHEMA, type StoredKey } from './codecs.ts';
import type { VaultSettings } from './port.ts';
import type { Records } from './records.ts';
import type { Rows } from './rows.ts';

/** `before`: the committed record, absent for an insertion. `after`: absent for a removal. */
export interface Staged<T> {
  readonly rowId: Uint8Array;
  readonly before?: T;
  readonly after?: T;
}

/** The changes of one collection. */
export interface StagedRows {
  /** Names that others must not have touched. */
  checked(): Iterable<string>;
  /** Names that are touched beyond those. */
  touched(): Iterable<string>;
  changes(rows: Rows): Iterable<Change>;
  publish(): void;
}

/** Everything that a unit changes. Names occur once, and so do rows. */
export interface StagedChanges {
  readonly keys: ReadonlyMap<KeyId, Staged<StoredKey>>;
  readonly aliases: ReadonlyMap<AliasName, Staged<AliasRecord>>;
  readonly materials: readonly NewMaterial[];
  readonly collections: readonly StagedRows[];
  readonly settings?: Staged<VaultSettings>;
}

/**
 * Names that units are told apart by. One that reads or writes a name which another has touched since it began is run
 * again. A listing reads a whole set: every key, every alias, or the aliases of one key.
 */
export const NAME = {
  key: (keyId: KeyId) => `key ${keyId}`,
  alias: (name: AliasName) => `alias ${name}`,
  material: (materialId: string) => `material ${materialId}`,
  aliasesOf: (target: KeyId) => `aliases of ${target}`,
  keys: 'keys',
  aliases: 'aliases',
  settings: 'settings',
  record: (table: CollectionTable, key: string) => `record of ${table} ${key}`,
  collection: (table: CollectionTable) => `records of ${table}`,
} as const;

/** Names that others must not have touched for these changes to hold. */
export function* checkedNames(staged: StagedChanges): Generator<string> {
  for (const keyId of staged.keys.keys()) yield NAME.key(keyId);
  for (const name of staged.aliases.keys()) yield NAME.alias(name);
  if (staged.settings) yield NAME.settings;
  for (const collection of staged.collections) yield* collection.checked();
}

/** Names that these changes touch. */
export function* touchedNames(staged: StagedChanges): Generator<string> {
  yield* checkedNames(staged);
  if (staged.keys.size > 0) yield NAME.keys;
  if (staged.aliases.size > 0) yield NAME.aliases;
  for (const { before, after } of staged.keys.values()) for (const id of (after ?? before)?.record.materials ?? []) yield NAME.material(id);
  for (const { before, after } of staged.aliases.values()) for (const record of [before, after]) if (record) yield NAME.aliasesOf(record.target);
  for (const collection of staged.collections) yield* collection.touched();
}

/** The changes for `sealUnit`: removals first. Versions and tags are those in the file now. Plain bytes are the caller's to wipe. */
export function changesOf(staged: StagedChanges, rows: Rows): Change[] {
  const removals: Change[] = [];
  const puts: Change[] = [];
  for (const [keyId, { rowId, before, after }] of staged.keys) {
    if (after) {
      puts.push(put(rows, 'keys', SCHEMA.keys, rowId, before !== undefined, encodeKey(after), keyId));
    } else {
      removals.push(removal(rows, 'keys', rowId));
    }
    const kept = new Set(after?.materialRows.values());
    for (const material of before?.materialRows.values() ?? []) if (!kept.has(material)) removals.push(removal(rows, 'key_materials', material));
  }
  for (const [name, { rowId, before, after }] of staged.aliases) {
    if (after) puts.push(put(rows, 'aliases', SCHEMA.aliases, rowId, before !== undefined, encodeAlias(after), name));
    else removals.push(removal(rows, 'aliases', rowId));
  }
  for (const { materialId, rowId, body } of staged.materials) puts.push({ kind: 'putSealed', table: 'key_materials', rowId, version: 1, body, unique: materialId });
  const { settings } = staged;
  if (settings?.after) puts.push(put(rows, 'settings', SCHEMA.settings, settings.rowId, settings.before !== undefined, encodeSettings(settings.after)));
  for (const collection of staged.collections) for (const change of collection.changes(rows)) (change.kind === 'remove' ? removals : puts).push(change);
  return [...removals, ...puts];
}

/** Brings the index and the caches to what was committed. `versions` of rows are read back from the file. */
export function publish(staged: StagedChanges, records: Records): void {
  for (const { rowId, before, after } of staged.keys.values()) {
    records.keyCache.delete(rowId);
    if (after) records.index.putKey(rowId, after, before);
    else if (before) records.index.removeKey(rowId, before);
  }
  for (const { rowId, before, after } of staged.aliases.values()) {
    records.aliasCache.delete(rowId);
    if (after) records.index.putAlias(rowId, after);
    else if (before) records.index.removeAlias(rowId, before.name);
  }
  if (staged.settings) records.settingsCache = undefined;
  for (const collection of staged.collections) collection.publish();
}

export function put(rows: Rows, table: 'keys' | 'aliases' | 'settings' | CollectionTable, schema: number, rowId: Uint8Array, exists: boolean, plain: Uint8Array, unique?: string): Change {
  const old = exists ? present(rows, table, rowId) : undefined;
  return {
    kind: 'put',
    table,
    rowId,
    version: (old?.version ?? 0) + 1,
    schema,
    plain,
    ...(old === undefined ? {} : { oldTag: old.tag }),
    ...(unique === undefined ? {} : { unique }),
  };
}

export function removal(rows: Rows, table: 'keys' | 'key_materials' | 'aliases' | CollectionTable, rowId: Uint8Array): Change {
  const old = present(rows, table, rowId);
  return { kind: 'remove', table, rowId, version: old.version, oldTag: old.tag };
}

function present(rows: Rows, table: TableName, rowId: Uint8Array): { readonly version: number; readonly tag: Uint8Array } {
  const row = rows.coordinates(table, rowId);
  if (row === undefined) {
    throw new VaultError('VaultTamperedException', `a row of \`${table}\` was removed by another program, lock the vault and check this computer`, { details: { table } });
  }
  return row;
}
