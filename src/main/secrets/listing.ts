/**
 * A page of a sorted listing, without sorting everything: one pass over all names keeps the best so far. Pure.
 *
 * A token is where the page before ended, so that secrets that come or go meanwhile move none of the others; it is not a
 * secret, and whoever makes one up only chooses where to begin.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretSummary } from './summary.ts';
import type { Fits } from './filters.ts';

export interface Order {
  readonly by: 'created-date' | 'last-accessed-date' | 'last-changed-date' | 'name';
  readonly order: 'asc' | 'desc';
}

const DATE: Readonly<Record<Order['by'], (summary: SecretSummary) => number>> = {
  name: () => 0,
  'created-date': ({ created }) => created,
  'last-changed-date': ({ changed }) => changed,
  // Never read: before all that were.
  'last-accessed-date': ({ lastAccessed }) => lastAccessed ?? 0,
};

/** Names are compared by their code units, and decide between equal dates. */
interface Place {
  readonly date: number;
  readonly name: string;
}
const ORDERS: Readonly<Record<Order['order'], (date: number, name: string, than: Place) => boolean>> = {
  asc: (date, name, than) => date < than.date || (date === than.date && name < than.name),
  desc: (date, name, than) => date > than.date || (date === than.date && name > than.name),
};

export interface PageOf {
  readonly names: readonly string[];
  /** For the page after the first `count` (at least 1) names of this one, default all; undefined when that is the end. */
  next(count?: number): string | undefined;
}

export interface Wanted extends Order {
  readonly fits: Fits;
  readonly planned: boolean;
  /** Name space; absent: the vault's own region. */
  readonly region?: string | undefined;
  readonly limit: number;
  readonly token?: string;
}

/** `entries` is gone through at once. InvalidNextTokenException. */
export function pageOf(entries: Iterable<readonly [string, SecretSummary]>, { by, order, fits, planned, region, limit, token }: Wanted): PageOf {
  const after = token === undefined ? undefined : placeOf(token, { by, order });
  const date = DATE[by];
  const comesBefore = ORDERS[order];
  // One more than the page, to know whether there is a next one.
  const best: Place[] = [];
  for (const [key, summary] of entries) {
    if (summary.region !== region) continue;
    const name = region === undefined ? key : key.slice(region.length + 1);
    if (!planned && summary.due !== undefined) continue;
    const own = date(summary);
    // What fits is asked last, and nothing is made for those that do not: this is done for each of a hundred thousand.
    if (after && ((own === after.date && name === after.name) || comesBefore(own, name, after))) continue;
    const last = best[limit];
    if (last && !comesBefore(own, name, last)) continue;
    if (!fits(name, summary)) continue;
    best.splice(position(best, own, name, comesBefore), 0, { date: own, name });
    if (best.length > limit + 1) best.pop();
  }
  const shown = best.slice(0, limit);
  return {
    names: shown.map(({ name }) => name),
    next(count = shown.length) {
      const end = shown[count - 1];
      return best.length > count && end ? tokenOf(end, { by, order }) : undefined;
    },
  };
}

function position(best: readonly Place[], date: number, name: string, comesBefore: (date: number, name: string, than: Place) => boolean): number {
  let [low, high] = [0, best.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = best[middle];
    if (at && !comesBefore(date, name, at)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// eslint-disable-next-line house/off-heap-bytes -- a date and a name, which is text already
const tokenOf = ({ date, name }: Place, { by, order }: Order): string => Buffer.from(JSON.stringify([by, order, date, name])).toString('base64url');

const refused = (): VaultError => new VaultError('InvalidNextTokenException', '`NextToken` is not one that this listing, sorted in this way, gave out; start again without it');

function placeOf(token: string, { by, order }: Order): Place {
  let parts: unknown;
  try {
    // eslint-disable-next-line house/off-heap-bytes -- as above
    parts = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw refused();
  }
  if (!Array.isArray(parts) || parts.length !== 4 || parts[0] !== by || parts[1] !== order) throw refused();
  const [, , date, name] = parts as readonly unknown[];
  if (typeof date !== 'number' || typeof name !== 'string' || tokenOf({ date, name }, { by, order }) !== token) throw refused();
  return { date, name };
}
