/** One unit of work: reads the committed records with its own changes laid over them, and stages new ones. */
import type { AliasName, Instant, KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { AliasRecord, KeyRecord, MaterialRow, NewMaterial, Page, Planned } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { StoredKey } from './codecs.ts';
import { dateOf, isHeld, isPending, materialsOf } from './key-index.ts';
import type { CollectionTable, CollectionWriter, Kind } from './collection.ts';
import { missing, NO_ROW, overlay, taken, type Intent } from './overlay.ts';
import type { VaultSettings, Writer } from './port.ts';
import type { Records } from './records.ts';
import { StagedCollection } from './staged-collection.ts';
import { NAME, checkedNames, type Staged, type StagedChanges, type StagedRows } from './staged.ts';

export class Unit implements Writer {
  /** The count of commits when it began: what was touched later is a conflict. */
  readonly started: number;
  readonly #records: Records;
  readonly #random: Random;
  readonly #reads = new Set<string>();
  readonly #keys = new Map<KeyId, Intent<KeyRecord>>();
  readonly #aliases = new Map<AliasName, Intent<AliasRecord>>();
  readonly #materials = new Map<string, NewMaterial>();
  readonly #collections = new Map<CollectionTable, { finish(): Promise<StagedRows> }>();
  #settings: VaultSettings | undefined;
  #done = false;

  constructor(records: Records, random: Random, started: number) {
    this.#records = records;
    this.#random = random;
    this.started = started;
  }

  async key(keyId: KeyId): Promise<KeyRecord | undefined> {
    this.#reads.add(NAME.key(keyId));
    const own = this.#keys.get(keyId);
    if (own) return own.kind === 'remove' ? undefined : own.record;
    return (await this.#records.key(keyId))?.value.record;
  }

  async alias(name: AliasName): Promise<AliasRecord | undefined> {
    this.#reads.add(NAME.alias(name));
    const own = this.#aliases.get(name);
    if (own) return own.kind === 'remove' ? undefined : own.record;
    return (await this.#records.alias(name))?.value;
  }

  async keyOfMaterial(materialId: string): Promise<KeyRecord | undefined> {
    this.#reads.add(NAME.material(materialId));
    for (const own of this.#keys.values()) if (own.kind !== 'remove' && own.record.materials.includes(materialId)) return own.record;
    const found = await this.#records.keyOfMaterial(materialId);
    return found === undefined ? undefined : this.key(found.value.record.keyId);
  }

  async material(materialId: string): Promise<MaterialRow | undefined> {
    this.#reads.add(NAME.material(materialId));
    const own = this.#materials.get(materialId);
    if (own) return { materialId, rowId: own.rowId, version: 1, body: own.body, tag: own.tag };
    // A key that is destroyed here takes its materials with it.
    if ((await this.keyOfMaterial(materialId)) === undefined) return undefined;
    return this.#records.material(materialId);
  }

  async keys({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<Page<KeyRecord>> {
    this.#reads.add(NAME.keys);
    const page = await overlay(after, limit, this.#keys, async (from, count) =>
      (await this.#records.keyPage(from, count)).map(({ rowId, value }) => ({ rowId, name: value.record.keyId, record: value.record })),
    );
    return page;
  }

  async aliases({ after, limit, target }: { readonly after?: string; readonly limit: number; readonly target?: KeyId }): Promise<Page<AliasRecord>> {
    if (target === undefined) {
      this.#reads.add(NAME.aliases);
      return overlay(after, limit, this.#aliases, async (from, count) =>
        (await this.#records.aliasPage(from, count)).map(({ rowId, value }) => ({ rowId, name: value.name, record: value })),
      );
    }
    this.#reads.add(NAME.aliasesOf(target));
    await this.#records.loaded();
    const ofTarget = new Map([...this.#aliases].map(([name, own]) => [name, this.#seenFrom(target, name, own)]));
    return overlay(after, limit, ofTarget, async (from, count) => {
      const found: { rowId: Uint8Array; name: AliasName; record: AliasRecord }[] = [];
      for (const { name, rowId } of this.#records.index.aliasesOf(target, from).slice(0, count)) {
        const opened = await this.#records.aliasAt(rowId);
        if (opened) found.push({ rowId, name, record: opened.value });
      }
      return found;
    });
  }

  async pendingDeletion(): Promise<readonly KeyRecord[]> {
    this.#reads.add(NAME.keys);
    await this.#records.loaded();
    const ids = new Set([...this.#records.index.pendingDeletion(), ...this.#keys.keys()]);
    const records = await Promise.all([...ids].map((keyId) => this.key(keyId)));
    return records.filter((record) => record !== undefined && isPending(record)) as KeyRecord[];
  }

  async due(what: Planned, now: Instant, limit: number): Promise<readonly KeyRecord[]> {
    // Each is read, and so depended on; one that becomes due meanwhile is the next run's.
    const ids = new Set([...(await this.#records.due(what, now, limit + this.#keys.size)), ...this.#keys.keys()]);
    const records = await Promise.all([...ids].map((keyId) => this.key(keyId)));
    return records.filter((record) => record !== undefined && (dateOf(what, record) ?? Infinity) <= now).slice(0, limit) as KeyRecord[];
  }

  async next(what: Planned): Promise<Instant | undefined> {
    this.#reads.add(NAME.keys);
    await this.#records.loaded();
    const dates = new Map(this.#records.index.planned(what));
    for (const [keyId, own] of this.#keys) {
      const date = own.kind === 'remove' ? undefined : dateOf(what, own.record);
      if (date === undefined) dates.delete(keyId);
      else dates.set(keyId, date);
    }
    return [...dates.values()].reduce<Instant | undefined>((earliest, next) => (earliest === undefined || next < earliest ? next : earliest), undefined);
  }

  async settings(): Promise<VaultSettings> {
    this.#reads.add(NAME.settings);
    return this.#settings ?? (await this.#records.settings()).value;
  }

  insertKey(record: KeyRecord, material?: NewMaterial): void {
    this.#open();
    if (material !== undefined && !record.materials.includes(material.materialId)) throw new VaultError('InternalException', `material \`${material.materialId}\` is not named by its key, report this`);
    const own = this.#keys.get(record.keyId);
    if (own && own.kind !== 'remove') throw taken(`key \`${record.keyId}\``);
    // After a removal in the same unit the row would be written twice; ids are random, so this is a mistake.
    if (own) throw new VaultError('InternalException', `key \`${record.keyId}\` was destroyed in the same unit, report this`);
    this.#keys.set(record.keyId, { kind: 'insert', record, rowId: this.#random.bytes(16) });
    if (material !== undefined) this.#materials.set(material.materialId, material);
  }

  updateKey(record: KeyRecord, material?: NewMaterial): void {
    this.#open();
    if (material !== undefined && !materialsOf(record).includes(material.materialId)) throw new VaultError('InternalException', `material \`${material.materialId}\` is not named by its key, report this`);
    const own = this.#keys.get(record.keyId);
    if (own?.kind === 'remove') throw missing(`key \`${record.keyId}\``);
    if (material !== undefined) this.#materials.set(material.materialId, material);
    this.#keys.set(record.keyId, { kind: own?.kind ?? 'update', record, rowId: own?.rowId ?? NO_ROW });
  }

  async destroyKey(keyId: KeyId): Promise<void> {
    const record = await this.key(keyId);
    if (record === undefined) throw missing(`key \`${keyId}\``);
    for (let after: string | undefined; ; ) {
      const page: Page<AliasRecord> = await this.aliases({ target: keyId, limit: 1000, ...(after === undefined ? {} : { after }) });
      for (const { name } of page.items) this.deleteAlias(name);
      if (page.next === undefined) break;
      after = page.next;
    }
    this.#open();
    for (const id of materialsOf(record)) this.#materials.delete(id);
    if (this.#keys.get(keyId)?.kind === 'insert') this.#keys.delete(keyId);
    else this.#keys.set(keyId, { kind: 'remove', rowId: NO_ROW });
  }

  insertAlias(record: AliasRecord): void {
    this.#open();
    const own = this.#aliases.get(record.name);
    if (own && own.kind !== 'remove') throw taken(`alias \`${record.name}\``);
    // Deleted and made again: the same row goes on.
    this.#aliases.set(record.name, own ? { kind: 'update', record, rowId: NO_ROW } : { kind: 'insert', record, rowId: this.#random.bytes(16) });
  }

  updateAlias(record: AliasRecord): void {
    this.#open();
    const own = this.#aliases.get(record.name);
    if (own?.kind === 'remove') throw missing(`alias \`${record.name}\``);
    this.#aliases.set(record.name, { kind: own?.kind ?? 'update', record, rowId: own?.rowId ?? NO_ROW });
  }

  deleteAlias(name: AliasName): void {
    this.#open();
    const own = this.#aliases.get(name);
    if (own?.kind === 'remove') throw missing(`alias \`${name}\``);
    if (own?.kind === 'insert') this.#aliases.delete(name);
    else this.#aliases.set(name, { kind: 'remove', rowId: NO_ROW });
  }

  of<R, E>(kind: Kind<R, E>): CollectionWriter<R, E> {
    const committed = this.#records.collection(kind);
    // One for each kind and unit, made for this very descriptor: `collection` has just compared it.
    const known = this.#collections.get(kind.table) as StagedCollection<R, E> | undefined;
    if (known) return known;
    const made = new StagedCollection(
      committed,
      this.#random,
      (name) => this.#reads.add(name),
      () => {
        this.#open();
      },
    );
    this.#collections.set(kind.table, made);
    return made;
  }

  putSettings(settings: VaultSettings): void {
    this.#open();
    this.#settings = settings;
  }

  /**
   * Ends the work: no more may be staged. Finds the rows of what was changed. AlreadyExistsException for a name that is
   * taken, NotFoundException for a change of what is not there.
   */
  async finish(): Promise<StagedChanges> {
    this.#open();
    this.#done = true;
    const keys = new Map<KeyId, Staged<StoredKey>>();
    for (const [keyId, own] of this.#keys) {
      const found = own.kind === 'insert' && !this.#records.index.loaded ? undefined : await this.#records.key(keyId);
      if (own.kind === 'insert' && found) throw taken(`key \`${keyId}\``);
      if (own.kind !== 'insert' && !found) throw missing(`key \`${keyId}\``);
      const after = own.kind === 'remove' ? undefined : { record: own.record, materialRows: this.#materialRows(own.record, found?.value) };
      keys.set(keyId, { rowId: found?.rowId ?? own.rowId, ...(found ? { before: found.value } : {}), ...(after ? { after } : {}) });
    }
    const aliases = new Map<AliasName, Staged<AliasRecord>>();
    for (const [name, own] of this.#aliases) {
      const found = own.kind === 'insert' && !this.#records.index.loaded ? undefined : await this.#records.alias(name);
      if (own.kind === 'insert' && found) throw taken(`alias \`${name}\``);
      if (own.kind !== 'insert' && !found) throw missing(`alias \`${name}\``);
      aliases.set(name, { rowId: found?.rowId ?? own.rowId, ...(found ? { before: found.value } : {}), ...(own.kind === 'remove' ? {} : { after: own.record }) });
    }
    const materials = [...this.#materials.values()];
    const collections: StagedRows[] = [];
    for (const collection of this.#collections.values()) collections.push(await collection.finish());
    if (this.#settings === undefined) return { keys, aliases, materials, collections };
    const before = await this.#records.settings();
    return { keys, aliases, materials, collections, settings: { rowId: before.rowId, before: before.value, after: this.#settings } };
  }

  /** Names that this unit depends on. */
  *dependsOn(staged: StagedChanges | undefined): Generator<string> {
    yield* this.#reads;
    if (staged) yield* checkedNames(staged);
  }

  /** A staged alias as the list of one key's aliases has it: one that moved away is gone, one that moved here is new. */
  #seenFrom(target: KeyId, name: AliasName, own: Intent<AliasRecord>): Intent<AliasRecord> {
    if (own.kind === 'remove' || own.record.target !== target) return { kind: 'remove', rowId: own.rowId };
    const committed = this.#records.index.alias(name);
    if (own.kind === 'insert' || committed === undefined || committed.target === target) return own;
    return { kind: 'insert', record: own.record, rowId: committed.rowId };
  }

  #materialRows(record: KeyRecord, before: StoredKey | undefined): ReadonlyMap<string, Uint8Array> {
    const rows = new Map<string, Uint8Array>();
    for (const id of materialsOf(record)) {
      if (!isHeld(record, id)) continue;
      const row = this.#materials.get(id)?.rowId ?? before?.materialRows.get(id);
      if (row === undefined) throw new VaultError('InternalException', `material \`${id}\` of key \`${record.keyId}\` was never stored, report this`);
      rows.set(id, row);
    }
    return rows;
  }

  #open(): void {
    if (this.#done) throw new VaultError('InternalException', 'a unit of work was used after its end, report this');
  }
}
