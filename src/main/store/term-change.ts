/**
 * A new term: after a slot was compromised, every record is opened under the old keys, sealed under the new ones, and
 * replaced in one transaction; then the header lets go of the old root. Killed before the transaction, nothing has
 * happened; killed after it, only the header is left to do.
 *
 * Does not: reach older copies of the file, which stay open to old factors.
 */
import type { Clock } from '../platform/ports.ts';
import { TABLES, type Sealer, type TableName } from '../seal/protocol.ts';
import { recordTerm } from '../seal/record.ts';
import type { Position } from '../trail/port.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { countRows } from './check.ts';
import { decodeAlias, decodeKey, SCHEMA } from './codecs.ts';
import type { Committer } from './commit.ts';
import { transaction, type Database } from './database.ts';
import { toLatin1 } from './key-index.ts';
import type { Records } from './records.ts';
import { batches } from './row-source.ts';
import { STATE_ROW_ID, type NewRow, type Rows, type StoredRow } from './rows.ts';
import { storeError } from './sqlite-errors.ts';

const CHUNK = 256;
type RowTable = Exclude<TableName, 'vault_state'>;
/** Keys before their materials, see `resealChunks`. */
const RESEALED: readonly RowTable[] = TABLES.filter((table) => table !== 'vault_state');

export interface TermChange {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly database: Database;
  readonly rows: Rows;
  readonly records: Records;
  readonly committer: Committer;
  /** The header that is on the disk, of the new term. */
  readonly header: Uint8Array;
}

interface Resealed extends NewRow {
  readonly table: TableName;
}

/**
 * For one who has the turn. Afterwards every row is under the header's term. Holds the sealed rows in memory until they
 * are committed: about 1 KB for each.
 */
export async function resealAll(change: TermChange, intent: Position, progress?: (done: number, total: number) => void): Promise<void> {
  const { sealer, rows, committer, header } = change;
  await committer.settle();
  const { term } = await sealer.call('readHeader', { header });
  if (recordTerm(rows.state().body) === term) return;
  const total = countRows(rows) - 1;
  const resealed: Resealed[] = [];
  for await (const chunk of resealChunks(change)) {
    resealed.push(...chunk);
    progress?.(resealed.length, total);
  }
  await replaceAll(change, resealed, intent);
}

async function* resealChunks(change: TermChange): AsyncGenerator<Resealed[]> {
  // Material rows name nothing in the clear: what they are found by stands in the key's record, and keys come first.
  const materialIds = new Map<string, string>();
  for (const table of RESEALED) {
    for (let after: Uint8Array | undefined = new Uint8Array(0); after !== undefined; ) {
      const chunk: StoredRow[] = change.rows.page(table, after, CHUNK);
      after = chunk.at(-1)?.rowId;
      for (const page of batches(chunk)) yield await resealPage(change, table, page, materialIds);
    }
  }
}

async function resealPage({ sealer, records }: TermChange, table: RowTable, page: readonly StoredRow[], materialIds: Map<string, string>): Promise<Resealed[]> {
  const uniques = await uniquesOf(table, page, records, materialIds);
  const request = page.map((row, at) => {
    const unique = uniques[at];
    return { table, rowId: row.rowId, version: row.version, schema: row.schema, body: row.body, ...(unique === undefined ? {} : { unique }) };
  });
  const { changes } = await sealer.call('resealRows', { rows: request });
  return page.map((row, at) => {
    const { body, tag, blind } = changes[at] ?? {};
    if (body === undefined || tag === undefined) throw new VaultError('InternalException', 'the sealer left a row out, report this');
    return { table, rowId: row.rowId, version: row.version, schema: row.schema, body, tag, blind };
  });
}

/** What each row is found by, for its blind index under the new keys. */
async function uniquesOf(table: RowTable, page: readonly StoredRow[], records: Records, materialIds: Map<string, string>): Promise<readonly (string | undefined)[]> {
  switch (table) {
    case 'keys': {
      const keys = await records.open('keys', page, decodeKey);
      for (const { materialRows } of keys) for (const [id, row] of materialRows) materialIds.set(toLatin1(row), id);
      return keys.map(({ record }) => record.keyId);
    }
    case 'aliases':
      return (await records.open('aliases', page, decodeAlias)).map(({ name }) => name);
    case 'key_materials':
      return page.map((row) => {
        const id = materialIds.get(toLatin1(row.rowId));
        if (id === undefined) throw new VaultError('VaultTamperedException', 'a row of `key_materials` belongs to no key, restore the vault\'s folder from a copy');
        return id;
      });
    case 'settings':
    case 'outbox':
      return page.map(() => undefined);
    default: {
      const collection = records.collectionOf(table);
      // Sealed without its name it could never be found again.
      if (collection === undefined) throw new VaultError('VaultTooNewException', `there are records of \`${table}\`, which this program does not know, install a newer version`, { details: { table } });
      return collection.keysOf(page);
    }
  }
}

async function replaceAll({ sealer, clock, database, rows, committer }: TermChange, resealed: readonly Resealed[], intent: Position): Promise<void> {
  const { state, stateVersion } = committer;
  const next = stateVersion + 1;
  const now = Math.max(state.clock, Math.floor(clock.now()));
  const later = intent.index > state.trailIndex ? intent : { index: state.trailIndex, hash: state.trailHash };
  const { stateBody, stateTag } = await sealer.call('resealState', {
    trailIndex: later.index,
    trailHash: later.hash,
    clock: now,
    rowVersion: next,
  });
  const epoch = state.epoch + 1;
  try {
    transaction(database, () => {
      for (const row of resealed) rows.update(row.table, row, row.version);
      rows.update('vault_state', { rowId: STATE_ROW_ID, version: next, schema: SCHEMA.vault_state, tag: stateTag, body: stateBody }, stateVersion);
    });
  } catch (error) {
    await sealer.call('abandonUnit', { epoch });
    throw storeError('write', error);
  }
  await sealer.call('confirmUnit', { epoch });
  committer.adopt({ ...state, epoch, trailIndex: later.index, trailHash: later.hash, clock: now }, next);
  try {
    // The records under the old keys are overwritten in their pages; this takes them out of the log too.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // The term has changed all the same, and closing the vault empties the log.
  }
}
