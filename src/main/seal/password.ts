/**
 * The one form of a password: NFKC (Unicode Standard Annex #15), since keyboards, systems and clipboards write the same letters in
 * different ways. Done here and nowhere else, at the one derivation that every way in goes through: it takes a string, which
 * only the death of a process ends, and this process is the sealer's.
 */
import { type Bytes, copy, utf8 } from '../crypto/bytes.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Off-heap, the caller's to wipe. ASCII is its own normal form and never becomes a string. What is not UTF-8 is taken as it is. */
export function normalPassword(typed: Uint8Array): Bytes {
  if (typed.every((byte) => byte < 0x80)) return copy(typed);
  let text: string;
  try {
    text = decoder.decode(typed);
  } catch {
    return copy(typed);
  }
  return utf8(text.normalize('NFKC'));
}
