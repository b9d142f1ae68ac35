/**
 * Records as JSON in UTF-8, read strictly. What was sealed by this program and opens is authentic, so a body that does not
 * fit its schema was made by a newer program or by a bug: it is refused, never guessed at.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { TableName } from '../seal/protocol.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes are the caller's, to be wiped. */
export const encodeJson = (value: object): Uint8Array => encoder.encode(JSON.stringify(value));

/** Exactly these members, of any type: a missing one is an error, and so is one more. VaultTamperedException. */
export function readFields<R extends string, O extends string>(table: TableName, plain: Uint8Array, required: readonly R[], optional: readonly O[]): Readonly<Record<R | O, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(plain));
  } catch {
    // Without the cause: a parser's message quotes what it read.
    throw malformed(table);
  }
  return exactly(table, value, required, optional);
}

/** The same for an object inside a record. */
export function exactly<R extends string, O extends string>(table: TableName, value: unknown, required: readonly R[], optional: readonly O[]): Readonly<Record<R | O, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(table);
  let known = 0;
  for (const name of required) {
    if (!Object.hasOwn(value, name)) throw malformed(table);
    known++;
  }
  for (const name of optional) if (Object.hasOwn(value, name)) known++;
  if (Object.keys(value).length !== known) throw malformed(table);
  return value as Readonly<Record<R | O, unknown>>;
}

/** VaultTooNewException for a schema above `newest`. */
export function checkSchema(table: TableName, schema: number, newest: number): void {
  if (schema > newest) throw new VaultError('VaultTooNewException', `a record of \`${table}\` has schema ${String(schema)}, install a newer version of this program`, { details: { table } });
  if (schema < 1) throw malformed(table);
}

/** For decoders to throw. */
export const malformed = (table: TableName): VaultError =>
  new VaultError('VaultTamperedException', `a record of \`${table}\` is not well formed, restore the vault's folder from a copy`, { details: { table } });
