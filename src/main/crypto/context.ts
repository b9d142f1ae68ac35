/**
 * The one byte form of a KMS encryption context (docs/architecture.md, "KMS ciphertext"): count u32, then LP(key) ‖ LP(value) for each
 * pair, sorted by the key's UTF-8 bytes.
 *
 * No Unicode normalisation: two texts that look alike are two contexts, as at AWS. Sorting is by bytes, not by UTF-16 units
 * (which order U+E000 to U+FFFF behind the astral planes). Lone surrogates have no UTF-8 and are refused, since an encoder
 * would map all of them to one replacement character. Length prefixes keep `{a: "bc"}` and `{ab: "c"}` apart.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, concat, isWellFormed, lp, u32, utf8 } from './bytes.ts';

const encode = (text: string): Bytes => {
  if (!isWellFormed(text)) throw new VaultError('ValidationException', 'the encryption context holds a lone surrogate: give well-formed Unicode');
  return utf8(text);
};

/** Own enumerable string-keyed pairs only. ValidationException for a lone surrogate or a value that is no string. */
export function canonicalContext(context: Readonly<Record<string, string>>): Bytes {
  const pairs = Object.entries(context).map(([key, value]: [string, unknown]) => {
    if (typeof value !== 'string') throw new VaultError('ValidationException', 'the encryption context holds a value that is no string');
    return { key: encode(key), value: encode(value) };
  });
  pairs.sort((a, b) => compareBytes(a.key, b.key));
  // An object has no duplicate keys; doors that read pairs refuse them before they become one.
  return concat(u32(pairs.length), ...pairs.flatMap(({ key, value }) => [lp(key), lp(value)]));
}
