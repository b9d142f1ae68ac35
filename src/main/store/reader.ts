/** Reading outside of a unit: the last committed transaction, each call by itself. */
import type { AliasName, KeyId } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { AliasRecord, KeyRecord, MaterialRow, Page } from '../keyring/ports.ts';
import { decodeMarker, encodeMarker } from './markers.ts';
import type { Reader, VaultSettings } from './port.ts';
import type { Opened } from './record-cache.ts';
import type { Records } from './records.ts';

const PAGE_LIMIT = 1000;

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
    return page(found, limit, ({ record }) => record);
  }

  async aliases({ after, limit, target }: { readonly after?: string; readonly limit: number; readonly target?: KeyId }): Promise<Page<AliasRecord>> {
    checkLimit(limit);
    const from = decodeMarker(after);
    if (target === undefined) return page(await this.#records.aliasPage(from, limit + 1), limit, (record) => record);
    await this.#records.loaded();
    const rows = this.#records.index.aliasesOf(target, from).slice(0, limit + 1);
    const found = await Promise.all(rows.map(({ rowId }) => this.#records.aliasAt(rowId)));
    return page(
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

  async settings(): Promise<VaultSettings> {
    return (await this.#records.settings()).value;
  }
}

/** Throws ValidationException. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT) throw new VaultError('ValidationException', `the limit \`${String(limit)}\` is not between 1 and ${String(PAGE_LIMIT)}`);
}

/** `found` holds one more than `limit` when there is a next page. */
function page<S, T>(found: readonly Opened<S>[], limit: number, pick: (value: S) => T): Page<T> {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(({ value }) => pick(value)), ...(found.length > limit && last ? { next: encodeMarker(last.rowId) } : {}) };
}
