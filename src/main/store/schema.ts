/** The format of the file: whose it is, which version, and that its schema is exactly the one that this program made. */
import { createHash } from 'node:crypto';

import { VaultError } from '../../shared/model/errors.ts';
import type { TableName } from '../seal/protocol.ts';
import { transaction, type Database } from './database.ts';
import { records } from './migrations/0001-records.ts';
import { collections } from './migrations/0002-collections.ts';
import type { Migration } from './migrations/migration.ts';

const MIGRATIONS: readonly Migration[] = [records, collections];
/** "KSV1" in ASCII: `file(1)` and other programs see whose file it is. */
const APPLICATION_ID = 0x4b535631;
/** The format that this program writes. */
export const CURRENT = MIGRATIONS.length;
/** The tables of a database of `format`. */
export const tablesOf = (format: number): ReadonlySet<TableName> => new Set(MIGRATIONS.slice(0, format).flatMap(({ tables }) => tables));

/**
 * The format of an open database, whose schema is that format's own. Reads the file's header and `sqlite_schema` and
 * nothing else. VaultTooNewException; VaultTamperedException for another program's file, or a table, index, view or
 * trigger that is missing, changed or added.
 */
export function verifySchema(database: Database): number {
  const application = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (application !== APPLICATION_ID) throw new VaultError('VaultTamperedException', '`vault.db` is not a database of this program, restore the vault\'s folder from a copy');
  if (version > CURRENT) {
    throw new VaultError('VaultTooNewException', `the vault has format ${String(version)} and this program knows ${String(CURRENT)}, install a newer version`, {
      details: { format: String(version), known: String(CURRENT) },
    });
  }
  const expected = MIGRATIONS[version - 1];
  if (schemaDigest(database) !== expected?.digest) {
    throw new VaultError('VaultTamperedException', 'the schema of `vault.db` was changed by another program, restore the vault\'s folder from a copy');
  }
  return version;
}

/** Brings a database of format `from` (0: empty) to the current one, in one transaction each. Throws SQLite's own errors. */
export function migrate(database: Database, from: number): void {
  for (const step of MIGRATIONS.slice(from)) {
    transaction(database, () => {
      for (const statement of step.statements) database.exec(statement);
      database.exec(`PRAGMA application_id=${String(APPLICATION_ID)}`);
      database.exec(`PRAGMA user_version=${String(step.version)}`);
    });
  }
}

/** SHA-256 (hex) over type, name, table and SQL of everything in `sqlite_schema`, sorted. */
export function schemaDigest(database: Database): string {
  const hash = createHash('sha256');
  const entries = database.select('type, name, tbl_name, sql', 'FROM sqlite_schema').map((entry) => JSON.stringify(entry));
  for (const entry of entries.sort()) hash.update(`${entry}\n`);
  return hash.digest('hex');
}

function pragma(database: Database, name: 'application_id' | 'user_version'): number {
  const value = database.select(name, `FROM pragma_${name}`)[0]?.[0];
  return typeof value === 'number' ? value : -1;
}
