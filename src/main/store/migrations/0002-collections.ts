/**
 * Format 2: a table for each kind of record that the domains keep (`collection.ts`). All have a blind column, since every
 * record is found by a unique key. Self-contained for ever, like format 1.
 */
import type { Migration } from './migration.ts';

const COLUMNS = [
  'row_id BLOB NOT NULL PRIMARY KEY CHECK (length(row_id) = 16)',
  'version INTEGER NOT NULL CHECK (version > 0)',
  'schema INTEGER NOT NULL CHECK (schema > 0)',
  'tag BLOB NOT NULL CHECK (length(tag) = 16)',
  'blind BLOB UNIQUE CHECK (blind IS NULL OR length(blind) = 16)',
  'body BLOB NOT NULL',
].join(', ');

const TABLES = ['clients', 'certificates', 'secrets', 'secret_versions', 'rotations', 'remotes', 'key_stores', 'modules', 'key_usage'] as const;

export const collections: Migration = {
  version: 2,
  digest: '39fed8efe67bbf794d7c69f9a739d6c008a27dd6d89b7c7bb24d287a2742b4d5',
  tables: TABLES,
  statements: TABLES.map((table) => `CREATE TABLE ${table} (${COLUMNS}) STRICT, WITHOUT ROWID`),
};
