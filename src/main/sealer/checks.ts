/** What a request's fields must be. Main is the only caller, yet a call that came out wrong must fail here and not further in. */
import { VaultError } from '../../shared/model/errors.ts';

const invalid = (what: string): VaultError => new VaultError('ValidationException', `the sealer was asked with a wrong ${what}; report this as a fault`);

/** The same bytes, known to be `length` long. Throws ValidationException. */
export function bytesOf(value: unknown, length: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.byteLength !== length) throw invalid(what);
  return value;
}

/** At most `limit` bytes. Throws ValidationException. */
export function bytesUpTo(value: unknown, limit: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.byteLength > limit) throw invalid(what);
  return value;
}

/** A whole number from `least` to 2^53-1. Throws ValidationException. */
export function wholeNumber(value: unknown, least: number, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw invalid(what);
  return value;
}

/** Throws ValidationException for anything but one of `names`. */
export function oneOf<T extends string>(value: unknown, names: readonly T[], what: string): T {
  const found = names.find((name) => name === value);
  if (found === undefined) throw invalid(what);
  return found;
}

/** Throws ValidationException. */
export function listOf<T>(value: readonly T[], what: string): readonly T[] {
  const given: unknown = value;
  if (!Array.isArray(given)) throw invalid(what);
  return value;
}
