/** One SQLite connection, set up so that the file cannot make it do anything but hold rows. */
import { existsSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { DatabaseSync } from '@photostructure/sqlite';

import { isUnwritable, storeError } from './sqlite-errors.ts';

type Statement = ReturnType<InstanceType<typeof DatabaseSync>['prepare']>;
type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, unknown>>;

/** A connection and its prepared statements. All methods but `close` throw SQLite's own errors. */
export class Database {
  readonly #connection: InstanceType<typeof DatabaseSync>;
  readonly #statements = new Map<string, Statement>();

  constructor(connection: InstanceType<typeof DatabaseSync>) {
    this.#connection = connection;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** Inside BEGIN and COMMIT. */
  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** How many rows were changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#prepare(sql).run(...values).changes;
  }

  /** Idempotent. Statements first: with one of them left the library closes only in name, and the file stays locked. */
  close(): void {
    for (const statement of this.#statements.values()) (statement as Statement & Disposable)[Symbol.dispose]();
    this.#statements.clear();
    if (this.#connection.isOpen) this.#connection.close();
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** `create`: only for a file that is not there yet. */
export type Access = 'read' | 'write' | 'create';

/**
 * The largest row is an RSA-4096 material of about 4 KiB; a row over this is not ours. Everything that the schema cannot
 * need is bounded, for a hostile file is parsed here before anything of it is authenticated.
 */
const LIMITS = { length: 64 * 1024 * 1024, sqlLength: 4096, column: 16, exprDepth: 64, compoundSelect: 2, attach: 0, triggerDepth: 1, variableNumber: 64 } as const;

/** Before the first page is read. Numbers are KiB where negative (`cache_size`), else bytes or pages. */
const ALWAYS = ['trusted_schema=OFF', 'cell_size_check=ON', 'mmap_size=0', 'cache_size=-4096', 'temp_store=MEMORY', 'foreign_keys=OFF'] as const;
const WRITING = [
  // One process has the file and keeps it: another program gets "busy" instead of a half-written view.
  'locking_mode=EXCLUSIVE',
  'synchronous=FULL',
  // A destroyed material is overwritten with zeros in its page, not only unlinked.
  'secure_delete=ON',
  'journal_size_limit=4194304',
  'wal_autocheckpoint=1000',
] as const;

/**
 * Opens `path`. StorageException, StorageFullException, VaultInUseException, VaultTamperedException (not a database).
 * For `read` nothing of the database or its log is written, also not at close.
 */
export function openDatabase(path: string, access: Access): Database {
  let database: Database | undefined;
  try {
    if (access !== 'create') statSync(path);
    database = connect(path, access);
    return database;
  } catch (error) {
    database?.close();
    if (access === 'read' && isUnwritable(error)) return openImmutable(path, error);
    throw storeError('open', error);
  }
}

function connect(location: string, access: Access): Database {
  const connection = new DatabaseSync(location, {
    readOnly: access === 'read',
    allowExtension: false,
    defensive: true,
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: false,
    allowBareNamedParameters: false,
    timeout: 1000,
    limits: LIMITS,
  });
  const database = new Database(connection);
  try {
    for (const pragma of ALWAYS) database.exec(`PRAGMA ${pragma}`);
    if (access === 'create') database.exec('PRAGMA page_size=4096');
    if (access !== 'read') {
      for (const pragma of WRITING) database.exec(`PRAGMA ${pragma}`);
      if (database.get('PRAGMA journal_mode=WAL')?.['journal_mode'] !== 'wal') throw storeError('open', new Error('no write-ahead log'));
    }
    // The first read of the file: where a missing log or a wrong magic shows.
    database.get('PRAGMA user_version');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * On a read-only medium SQLite cannot make the log's index. Without a log there is nothing in it to miss, and the file
 * may be read as one that does not change.
 */
function openImmutable(path: string, cause: unknown): Database {
  const log = `${path}-wal`;
  if (existsSync(log) && statSync(log).size > 0) throw storeError('open', cause);
  try {
    return connect(`${pathToFileURL(path).href}?immutable=1`, 'read');
  } catch (error) {
    throw storeError('open', error);
  }
}

/** Runs `change` in one transaction: all of it is durable when this returns, nothing of it when this throws. */
export function transaction(database: Database, change: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    change();
    database.exec('COMMIT');
  } catch (error) {
    // SQLite has rolled back by itself after some failures (a full disk); asking again would be an error.
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
