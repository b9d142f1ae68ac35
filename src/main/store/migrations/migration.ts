import type { TableName } from '../../seal/protocol.ts';

/** One step of the database's format. Once released, a step is never edited. */
export interface Migration {
  /** Stands in the file as `PRAGMA user_version` afterwards; from 1, without gaps. */
  readonly version: number;
  /** Those that this step makes. */
  readonly tables: readonly TableName[];
  readonly statements: readonly string[];
  /** SHA-256 (hex) of the schema afterwards, see `schemaDigest`. */
  readonly digest: string;
}
