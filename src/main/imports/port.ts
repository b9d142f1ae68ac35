/** What a file was read into, as the rest of the vault has it: names, and where each value is in one block of bytes. Types only. */
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Parsed } from './parsed.ts';

/** Where a value is in the block of all values. */
export interface ReadField {
  readonly name: string;
  readonly kind: 'text' | 'json';
  readonly start: number;
  readonly length: number;
}
export interface ReadEntry {
  readonly path: readonly string[];
  readonly line?: number;
  readonly fields: readonly ReadField[];
}
export interface ReadFile extends Omit<Parsed, 'entries'> {
  readonly entries: readonly ReadEntry[];
}

export interface ReadImport {
  readonly file: ReadFile;
  /** The bytes of all values, one behind the other; the caller's to dispose of. */
  readonly values: SecretBytes;
}

/** Takes ownership of `bytes` and wipes them. ValidationException for what is not taken, CancelledException, VaultLockedException, InternalException. */
export type ReadSecretsFile = (bytes: Uint8Array, signal: AbortSignal) => Promise<ReadImport>;
