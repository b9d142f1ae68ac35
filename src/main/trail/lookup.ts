/**
 * Reading the trail newest first, a page at a time. Every record that comes back was verified on the way: the page is read
 * from a segment's beginning to the end of the trail, so a broken trail is an error here and not a shorter page.
 */
import type { Sealer } from '../seal/protocol.ts';
import type { TrailLog } from './port.ts';
import type { TrailRecord } from './record.ts';
import { brokenTrail, headerOf, readTail, verifyTrail, type SealedPosition, type TrailReport } from './verify.ts';

export interface FoundRecord {
  readonly index: number;
  readonly record: TrailRecord;
}

export interface LookupQuery {
  /** Only records with a smaller index. */
  readonly before?: number;
  /** Only records with a larger one. */
  readonly after?: number;
  readonly limit: number;
  readonly matches: (record: TrailRecord) => boolean;
}

export interface LookupPage {
  /** Newest first. */
  readonly found: readonly FoundRecord[];
  /** `before` of the next page; undefined at the end. */
  readonly nextBefore?: number;
}

/** Rejects with TrailBrokenException naming the first bad record, and with what reading the trail rejects with. */
export async function lookup(log: TrailLog, sealer: Sealer, query: LookupQuery): Promise<LookupPage> {
  const segments = log.segments();
  // One more segment at a time, then two, four …: a page is nearly always in the last ones.
  for (let back = 1; ; back *= 2) {
    const all = back >= segments.length;
    // The first segment of a new chain comes after a record too; that of the very first after none.
    const from = await positionBefore(segments[Math.max(0, segments.length - back)]?.path ?? '');
    const found: FoundRecord[] = [];
    const report = await readFrom(log, sealer, from, (record, index) => {
      if (index >= (query.before ?? Infinity) || index <= (query.after ?? -1) || !query.matches(record)) return;
      found.push({ index, record });
      // One more than asked for tells whether there is a next page.
      if (found.length > query.limit + 1) found.shift();
    });
    // A segment that is all header: what it calls the end of the one before is no record. One further back is.
    if (!all && report.broken?.what === 'fork' && report.broken.index === from?.trailIndex) continue;
    if (report.broken) throw brokenTrail(report.broken);
    const enough = all || found.length > query.limit || from === undefined || from.trailIndex <= (query.after ?? -1);
    if (enough) return pageOf(found, query.limit);
  }
}

function pageOf(found: FoundRecord[], limit: number): LookupPage {
  const newestFirst = found.reverse();
  const page = newestFirst.slice(0, limit);
  const last = page[page.length - 1];
  return { found: page, ...(newestFirst.length > limit && last ? { nextBefore: last.index } : {}) };
}

function readFrom(log: TrailLog, sealer: Sealer, from: SealedPosition | undefined, onRecord: (record: TrailRecord, index: number) => void): Promise<TrailReport> {
  return from ? readTail(log, sealer, from, onRecord) : verifyTrail(log, sealer, { onRecord });
}

/** Where the segment before this one ended, as this one says; the reader checks that it is so. */
async function positionBefore(path: string): Promise<SealedPosition | undefined> {
  const header = await headerOf(path);
  return header && header.firstIndex > 0 ? { trailIndex: header.firstIndex - 1, trailHash: header.previous } : undefined;
}
