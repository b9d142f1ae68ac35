/** The sealer's calls over the database's rows (protocol part "the database", and the re-encryption of a compromise). */
import { wipe } from '../crypto/bytes.ts';
import type { OpenableTable, SealedRow } from '../seal/protocol.ts';
import { bytesOf, listOf, oneOf, wholeNumber } from './checks.ts';
import { OPENABLE, ROW_ID_LENGTH, ROW_TABLES, uniqueIndex } from './database.ts';
import { rowTampered } from './open-vault.ts';
import type { SealerHandlers, SealerSession } from './sealer-session.ts';

type Row = SealedRow & { readonly table: OpenableTable; readonly schema: number };

function openRow({ vault }: SealerSession, row: Row): Uint8Array {
  const place = {
    // Key materials never leave the sealer, whoever asks.
    table: oneOf(row.table, OPENABLE, 'table: it may not be opened'),
    rowId: bytesOf(row.rowId, ROW_ID_LENGTH, 'row id'),
    version: wholeNumber(row.version, 1, 'row version'),
    schema: wholeNumber(row.schema, 1, 'schema'),
  };
  const plain = row.body instanceof Uint8Array ? vault.open(place, row.body) : undefined;
  if (!plain) throw rowTampered(place);
  return plain;
}

export const databaseCalls: SealerHandlers<
  | 'checkBegin'
  | 'checkRows'
  | 'checkFinish'
  | 'createState'
  | 'sealUnit'
  | 'confirmUnit'
  | 'abandonUnit'
  | 'openRows'
  | 'blind'
  | 'resealRows'
  | 'resealState'
> = {
  checkBegin({ database }) {
    database.checkBegin();
    return {};
  },

  checkRows({ database }, { packed }) {
    database.checkRows(packed);
    return {};
  },

  checkFinish: ({ database }, request) => ({ state: database.checkFinish(request) }),

  createState: ({ database }, request) => database.createState(request),

  sealUnit({ database, reseal }, request) {
    const reply = database.sealUnit(request);
    reseal.reset();
    return reply;
  },

  confirmUnit({ database }, { epoch }) {
    database.confirm(epoch);
    return {};
  },

  abandonUnit({ database }, { epoch }) {
    database.abandon(epoch);
    return {};
  },

  openRows(session, { rows }) {
    const plain: Uint8Array[] = [];
    try {
      for (const row of listOf(rows, 'list of rows')) plain.push(openRow(session, row));
      return { plain };
    } catch (error) {
      wipe(...plain);
      throw error;
    }
  },

  blind({ vault }, { table, value }) {
    const { blind } = uniqueIndex(vault.rowKeys, oneOf(table, ROW_TABLES, 'table'), value);
    return { blind: bytesOf(blind, 16, 'unique value') };
  },

  resealRows: ({ reseal }, { rows }) => ({ changes: reseal.rows(rows) }),

  resealState: ({ reseal }, request) => reseal.state(request),
};
