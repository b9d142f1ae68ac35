/** A unit's staged changes laid over committed pages. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Page } from '../keyring/ports.ts';
import { checkLimit, decodeMarker, encodeMarker } from './markers.ts';

/** What has to be known of the committed row before a staged change can be written; found out when the work is done. */
export type Intent<T> = { readonly kind: 'insert' | 'update'; readonly record: T; readonly rowId: Uint8Array } | { readonly kind: 'remove'; readonly rowId: Uint8Array };

/** Filled in at the unit's end from the committed row. */
export const NO_ROW: Uint8Array = new Uint8Array(0);

/** Pages of committed rows with a unit's own laid over them, in the order of row ids. */
export async function overlay<N extends string, T>(
  after: string | undefined,
  limit: number,
  staged: ReadonlyMap<N, Intent<T>>,
  fetch: (after: Uint8Array, count: number) => Promise<{ readonly rowId: Uint8Array; readonly name: N; readonly record: T }[]>,
): Promise<Page<T>> {
  checkLimit(limit);
  const from = decodeMarker(after);
  const items: { readonly rowId: Uint8Array; readonly record: T }[] = [];
  for (const own of staged.values()) if (own.kind === 'insert' && Buffer.compare(own.rowId, from) > 0) items.push(own);
  let committed = 0;
  for (let at: Uint8Array | undefined = from; at !== undefined && committed <= limit; ) {
    const page = await fetch(at, limit + 1);
    for (const { rowId, name, record } of page) {
      const own = staged.get(name);
      if (own?.kind === 'remove') continue;
      items.push({ rowId, record: own?.record ?? record });
      committed++;
    }
    at = page.length <= limit ? undefined : page.at(-1)?.rowId;
  }
  items.sort((a, b) => Buffer.compare(a.rowId, b.rowId));
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(({ record }) => record), ...(items.length > limit && last ? { next: encodeMarker(last.rowId) } : {}) };
}

export const taken = (what: string): VaultError => new VaultError('AlreadyExistsException', `${what} exists already, choose another name`);
export const missing = (what: string): VaultError => new VaultError('NotFoundException', `${what} does not exist`);
