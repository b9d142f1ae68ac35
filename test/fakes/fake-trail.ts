/** A trail in memory, for the path's tests: records in the order in which they became durable. */
import { createHash } from 'node:crypto';
import { VaultError } from '../../src/shared/model/errors.ts';
import type { Position, TrailLog } from '../../src/main/trail/port.ts';
import { decodeRecord, type TrailRecord } from '../../src/main/trail/record.ts';

export interface FakeTrail extends TrailLog {
  readonly records: TrailRecord[];
  /** Bodies as they were appended. */
  readonly bodies: Uint8Array[];
  /** From now on these appends fail: counted from the next one, 1 is the next. */
  failOn: ReadonlySet<number>;
}

export function fakeTrail(): FakeTrail {
  const records: TrailRecord[] = [];
  const bodies: Uint8Array[] = [];
  let calls = 0;
  let head: Position = { index: -1, hash: new Uint8Array(32) };
  return {
    records,
    bodies,
    failOn: new Set(),
    append(body) {
      calls += 1;
      if (this.failOn.has(calls)) return Promise.reject(new VaultError('TrailUnavailableException', 'the trail cannot be written'));
      records.push(decodeRecord(body));
      bodies.push(body);
      head = { index: head.index + 1, hash: createHash('sha256').update(body).digest() };
      return Promise.resolve(head);
    },
    get head() {
      return head;
    },
    segments: () => [],
    keyBlock: () => Promise.resolve(new Uint8Array(0)),
    rotate: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
