/** Listings of a part of what the store holds, a page at a time. */
import type { Page } from '../keyring/ports.ts';

/** Up to `limit` of those that `keep` accepts. A page may be shorter and still not the last, as in AWS. */
export async function pageWhere<T>(limit: number, marker: string | undefined, fetch: (page: { readonly after?: string; readonly limit: number }) => Promise<Page<T>>, keep: (item: T) => boolean, signal: AbortSignal): Promise<Page<T>> {
  const items: T[] = [];
  let after = marker;
  for (;;) {
    signal.throwIfAborted();
    // No more than are wanted: where a page of the store ends, this one can go on later.
    const page = await fetch({ limit: limit - items.length, ...(after === undefined ? {} : { after }) });
    items.push(...page.items.filter(keep));
    if (page.next === undefined || items.length === limit) return { items, ...(page.next === undefined ? {} : { next: page.next }) };
    after = page.next;
  }
}
