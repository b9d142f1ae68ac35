/**
 * What is found by name, decrypted, while the vault is open: keys by id, aliases by name, materials to their key, the
 * aliases of a key, and what waits for deletion. Sealed names cannot be looked up or sorted in SQL. Holds no record: only
 * which row it is in.
 *
 * Filled from the rows in the background after opening, and kept up to date by each commit. Dropped at close.
 */
import { isMultiRegionId, type AliasName, type Instant, type KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { hex } from '../crypto/bytes.ts';
import type { AliasRecord, ImportedMaterial, KeyRecord, Planned } from '../keyring/ports.ts';
import type { StoredKey } from './codecs.ts';
import { FixedMap } from './fixed-map.ts';

/** Lengths in bytes. */
/** The id's 16 bytes, then 1 for a multi-Region key: the map takes its hash from the front. */
const KEY_ID = 17;
const ROW_ID = 16;
const MATERIAL_ID = 8;

interface AliasEntry {
  /** 16 bytes as latin1: a sixth of the memory of a typed array, and it compares in the order of the bytes. */
  readonly row: string;
  readonly target: KeyId;
}

export class KeyIndex {
  readonly #keys = new FixedMap(KEY_ID, ROW_ID);
  readonly #materials = new FixedMap(MATERIAL_ID, KEY_ID);
  readonly #aliases = new Map<AliasName, AliasEntry>();
  /** A set only from the second alias on: most keys have one, and a set takes 200 bytes. */
  readonly #targets = new Map<KeyId, AliasName | Set<AliasName>>();
  readonly #pending = new Set<KeyId>();
  readonly #planned: Readonly<Record<Planned, Map<KeyId, Instant>>> = { rotation: new Map(), expiry: new Map() };
  /** Row ids (latin1) that a commit has changed since loading began: what the loader still holds of them is old. */
  #changed: Set<string> | undefined = new Set();

  /** No more rows to come: an absent name does not exist. */
  get loaded(): boolean {
    return this.#changed === undefined;
  }

  finish(): void {
    this.#changed = undefined;
  }

  keyRow(keyId: KeyId): Uint8Array | undefined {
    const value = this.#keys.get(packKeyId(keyId));
    return value === undefined ? undefined : Uint8Array.from(value);
  }

  keyOfMaterial(materialId: string): KeyId | undefined {
    const packed = Buffer.from(materialId, 'hex');
    const value = packed.byteLength === MATERIAL_ID ? this.#materials.get(packed) : undefined;
    return value === undefined ? undefined : unpackKeyId(value);
  }

  alias(name: AliasName): { readonly rowId: Uint8Array; readonly target: KeyId } | undefined {
    const entry = this.#aliases.get(name);
    return entry === undefined ? undefined : { rowId: fromLatin1(entry.row), target: entry.target };
  }

  /** Names and rows (16 bytes) of a key's aliases, in the order of the rows, after `after` (empty: from the start). */
  aliasesOf(target: KeyId, after: Uint8Array): { readonly name: AliasName; readonly rowId: Uint8Array }[] {
    const start = toLatin1(after);
    const names = this.#targets.get(target) ?? [];
    const found = (typeof names === 'string' ? [names] : [...names]).map((name) => ({ name, row: this.#aliases.get(name)?.row ?? '' }));
    found.sort((a, b) => (a.row < b.row ? -1 : 1));
    return found.filter(({ row }) => row > start).map(({ name, row }) => ({ name, rowId: fromLatin1(row) }));
  }

  pendingDeletion(): readonly KeyId[] {
    return [...this.#pending];
  }

  /** Keys and when it is due of them next. */
  planned(what: Planned): ReadonlyMap<KeyId, Instant> {
    return this.#planned[what];
  }

  // ── filled by the loader: a row that a commit has touched meanwhile is skipped

  loadKey(rowId: Uint8Array, stored: StoredKey): void {
    if (this.#changed?.has(toLatin1(rowId)) !== false) return;
    const known = this.#keys.get(packKeyId(stored.record.keyId));
    if (known !== undefined && !Buffer.from(rowId).equals(known)) throw twice('keys');
    this.#setKey(rowId, stored);
  }

  loadAlias(rowId: Uint8Array, record: AliasRecord): void {
    if (this.#changed?.has(toLatin1(rowId)) !== false) return;
    const known = this.#aliases.get(record.name);
    if (known !== undefined && known.row !== toLatin1(rowId)) throw twice('aliases');
    this.#setAlias(rowId, record);
  }

  // ── changed by a commit

  putKey(rowId: Uint8Array, stored: StoredKey, before?: StoredKey): void {
    this.#changed?.add(toLatin1(rowId));
    for (const id of before ? materialsOf(before.record) : []) this.#materials.delete(Buffer.from(id, 'hex'));
    this.#setKey(rowId, stored);
  }

  removeKey(rowId: Uint8Array, stored: StoredKey): void {
    this.#changed?.add(toLatin1(rowId));
    this.#keys.delete(packKeyId(stored.record.keyId));
    for (const id of materialsOf(stored.record)) this.#materials.delete(Buffer.from(id, 'hex'));
    this.#pending.delete(stored.record.keyId);
    for (const dates of Object.values(this.#planned)) dates.delete(stored.record.keyId);
  }

  putAlias(rowId: Uint8Array, record: AliasRecord): void {
    this.#changed?.add(toLatin1(rowId));
    this.#setAlias(rowId, record);
  }

  removeAlias(rowId: Uint8Array, name: AliasName): void {
    this.#changed?.add(toLatin1(rowId));
    this.#unlink(name);
    this.#aliases.delete(name);
  }

  clear(): void {
    this.#keys.clear();
    this.#materials.clear();
    this.#aliases.clear();
    this.#targets.clear();
    this.#pending.clear();
    for (const dates of Object.values(this.#planned)) dates.clear();
    this.#changed?.clear();
  }

  #setKey(rowId: Uint8Array, { record }: StoredKey): void {
    const packed = packKeyId(record.keyId);
    this.#keys.set(packed, rowId);
    for (const id of materialsOf(record)) this.#materials.set(Buffer.from(id, 'hex'), packed);
    if (isPending(record)) this.#pending.add(record.keyId);
    else this.#pending.delete(record.keyId);
    for (const [what, dates] of Object.entries(this.#planned) as [Planned, Map<KeyId, Instant>][]) {
      const next = dateOf(what, record);
      if (next === undefined) dates.delete(record.keyId);
      else dates.set(record.keyId, next);
    }
  }

  #setAlias(rowId: Uint8Array, { name, target }: AliasRecord): void {
    if (this.#aliases.get(name)?.target !== target) {
      this.#unlink(name);
      const names = this.#targets.get(target);
      if (names === undefined) this.#targets.set(target, name);
      else if (typeof names === 'string') this.#targets.set(target, new Set([names, name]));
      else names.add(name);
    }
    this.#aliases.set(name, { row: toLatin1(rowId), target });
  }

  #unlink(name: AliasName): void {
    const entry = this.#aliases.get(name);
    if (entry === undefined) return;
    const names = this.#targets.get(entry.target);
    if (typeof names === 'object') names.delete(name);
    if (names === name || (typeof names === 'object' && names.size === 0)) this.#targets.delete(entry.target);
  }
}

const DATES: Readonly<Record<Planned, (record: KeyRecord) => Instant | undefined>> = {
  rotation: ({ state, rotation }) => (state === 'Enabled' ? rotation?.next : undefined),
  expiry: (record) => importsOf(record).reduce<Instant | undefined>((earliest, { held, validTo }) => (held && validTo !== undefined && (earliest === undefined || validTo < earliest) ? validTo : earliest), undefined),
};

/** Of the key and its replicas. */
const importsOf = ({ imports = [], replicas = [] }: KeyRecord): readonly ImportedMaterial[] => [...imports, ...replicas.flatMap((one) => one.imports ?? [])];

/** Whether it, or a replica of it, waits for its deletion. */
export const isPending = ({ state, replicas = [] }: KeyRecord): boolean => state === 'PendingDeletion' || replicas.some((one) => one.state === 'PendingDeletion');

/** When it is due of this key; undefined: not for now. */
export const dateOf = (what: Planned, record: KeyRecord): Instant | undefined => DATES[what](record);

/** With the one that is yet to be rotated to. */
export const materialsOf = ({ materials, awaiting }: KeyRecord): readonly string[] => (awaiting === undefined ? materials : [...materials, awaiting]);

/** Whether a material of the key is here: one that was imported may have been deleted or have expired. */
export function isHeld(record: KeyRecord, id: string): boolean {
  // On its token, not here.
  if (record.hardware) return false;
  const known = importsOf(record).filter(({ materialId }) => materialId === id);
  return known.length === 0 || known.some(({ held }) => held);
}

export const toLatin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
export const fromLatin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
function packKeyId(keyId: KeyId): Uint8Array {
  const multiRegion = isMultiRegionId(keyId);
  const digits = multiRegion ? keyId.slice('mrk-'.length) : keyId.replaceAll('-', '');
  return Buffer.from(`${digits}${multiRegion ? '01' : '00'}`, 'hex');
}

function unpackKeyId(bytes: Uint8Array): KeyId {
  const digits = hex(bytes.subarray(0, KEY_ID - 1));
  if (bytes[KEY_ID - 1] === 1) return `mrk-${digits}` as KeyId;
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}` as KeyId;
}

const twice = (table: string): VaultError =>
  new VaultError('VaultTamperedException', `two rows of \`${table}\` have the same name, restore the vault's folder from a copy`, { details: { table } });
