/** Outcomes that are committed and not yet known to be in the trail, and those that are and may go. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Change } from '../seal/protocol.ts';
import { decodeOutcome } from './codecs.ts';
import { toLatin1 } from './key-index.ts';
import type { Undelivered } from './port.ts';
import type { Records } from './records.ts';
import type { StoredRow } from './rows.ts';

interface OutboxRow {
  readonly rowId: Uint8Array;
  readonly tag: Uint8Array;
}

export class Outbox {
  readonly #records: Records;
  readonly #delivered = new Map<string, OutboxRow>();

  constructor(records: Records) {
    this.#records = records;
  }

  get hasDelivered(): boolean {
    return this.#delivered.size > 0;
  }

  delivered({ rowId, tag }: OutboxRow): void {
    this.#delivered.set(toLatin1(rowId), { rowId, tag });
  }

  /** Removals for the next transaction. What was reported twice is not removed twice. */
  takeDelivered(): Change[] {
    const rows = [...this.#delivered.values()].filter(({ rowId }) => this.#records.rows.coordinates('outbox', rowId) !== undefined);
    this.#delivered.clear();
    return rows.map(({ rowId, tag }) => ({ kind: 'remove', table: 'outbox', rowId, version: 1, oldTag: tag }));
  }

  /** After that transaction has failed. */
  putBack(changes: readonly Change[]): void {
    for (const change of changes) if (change.kind === 'remove') this.delivered({ rowId: change.rowId, tag: change.oldTag });
  }

  /** In the order in which they were committed. */
  async undelivered(): Promise<readonly Undelivered[]> {
    const rows: StoredRow[] = [];
    for (let after: Uint8Array | undefined = new Uint8Array(0); after !== undefined; ) {
      const page: StoredRow[] = this.#records.rows.page('outbox', after, 512);
      rows.push(...page.filter(({ rowId }) => !this.#delivered.has(toLatin1(rowId))));
      after = page.at(-1)?.rowId;
    }
    const outcomes = await this.#records.open('outbox', rows, decodeOutcome);
    const found = outcomes.map((outcome, position) => {
      const row = rows[position];
      if (row === undefined) throw new VaultError('InternalException', 'more outcomes than rows, report this');
      return { ...outcome, row };
    });
    found.sort((a, b) => a.epoch - b.epoch || a.order - b.order);
    return found.map(({ body, row }) => ({
      body,
      delivered: () => {
        this.delivered(row);
      },
    }));
  }
}
