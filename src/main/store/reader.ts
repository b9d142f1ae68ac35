/** Reading outside of a unit: the last committed transaction, each call by itself. */
import type { AliasName, Instant, KeyId } from '../../shared/model/ids.ts';
import type { AliasRecord, KeyRecord, MaterialRow, Page, Planned } from '../keyring/ports.ts';
import type { CollectionReader, Kind } from './collection.ts';
import { checkLimit, decodeMarker, pageOf } from './markers.ts';
import type { Reader, VaultSettings } from './port.ts';
import type { Records } from './records.ts';

export class CommittedReader implements Reader {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async key(keyId: KeyId): Promise<KeyRecord | undefined> {
    return (await this.#records.key(keyId))?.value.record;
  }

  async alias(name: AliasName): Promise<AliasRecord | undefined> {
    return (await this.#records.alias(name))?.value;
  }

  async keyOfMaterial(materialId: string): Promise<KeyRecord | undefined> {
    return (await this.#records.keyOfMaterial(materialId))?.value.record;
  }

  material(materialId: string): Promise<MaterialRow | undefined> {
    return this.#records.material(materialId);
  }

  async keys({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<Page<KeyRecord>> {
    checkLimit(limit);
    const found = await this.#records.keyPage(decodeMarker(after), limit + 1);
    return pageOf(found, limit, ({ record }) => record);
  }

  async aliases({ after, limit, target }: { readonly after?: string; readonly limit: number; readonly target?: KeyId }): Promise<Page<AliasRecord>> {
    checkLimit(limit);
    const from = decodeMarker(after);
    if (target === undefined) return pageOf(await this.#records.aliasPage(from, limit + 1), limit, (record) => record);
    await this.#records.loaded();
    const rows = this.#records.index.aliasesOf(target, from).slice(0, limit + 1);
    const found = await Promise.all(rows.map(({ rowId }) => this.#records.aliasAt(rowId)));
    return pageOf(
      found.filter((opened) => opened !== undefined),
      limit,
      (record) => record,
    );
  }

  async pendingDeletion(): Promise<readonly KeyRecord[]> {
    await this.#records.loaded();
    const found = await Promise.all(this.#records.index.pendingDeletion().map((keyId) => this.key(keyId)));
    return found.filter((record) => record !== undefined);
  }

  async due(what: Planned, now: Instant, limit: number): Promise<readonly KeyRecord[]> {
    const found = await Promise.all((await this.#records.due(what, now, limit)).map((keyId) => this.key(keyId)));
    return found.filter((record) => record !== undefined);
  }

  async next(what: Planned): Promise<Instant | undefined> {
    await this.#records.loaded();
    let earliest: Instant | undefined;
    for (const next of this.#records.index.planned(what).values()) if (earliest === undefined || next < earliest) earliest = next;
    return earliest;
  }

  of<R, E>(kind: Kind<R, E>): CollectionReader<R, E> {
    return this.#records.collection(kind);
  }

  async settings(): Promise<VaultSettings> {
    return (await this.#records.settings()).value;
  }
}
