/**
 * SASLprep (RFC 4013, a profile of RFC 3454) for stored strings: what a password becomes before SCRAM hashes it, so that every client
 * that types it gets the same bytes.
 *
 * Two deviations, both about characters that no generator makes: unassigned code points are those of this program's Unicode, which are
 * fewer than those of the RFC's Unicode 3.2; letters of both directions are told apart by table D.1 and the letter property.
 */

/** RFC 3454, table C.1.2 without U+200B, which table B.1 has too. */
const SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;
/** RFC 3454, table B.1. */
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;
/** Tables C.2.1, C.2.2 and C.3 to C.9; A.1 as said above. */
const PROHIBITED = /[\p{Cc}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u06dd\u070f\u180e\u2061-\u2063\u206a-\u206f\ufff9-\uffff\u{1d173}-\u{1d17a}\u2ff0-\u2ffb\u0340\u0341\u200e\u200f\u202a-\u202e\u{e0001}\u{e0020}-\u{e007f}]/u;
/** Table D.1: characters of right-to-left scripts. */
const RIGHT_TO_LEFT =
  /[\u05be\u05c0\u05c3\u05d0-\u05ea\u05f0-\u05f4\u061b\u061f\u0621-\u063a\u0640-\u064a\u066d-\u066f\u0671-\u06d5\u06dd\u06e5\u06e6\u06fa-\u06fe\u0700-\u070d\u0710\u0712-\u072c\u0780-\u07a5\u07b1\u200f\ufb1d\ufb1f-\ufb28\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41\ufb43\ufb44\ufb46-\ufbb1\ufbd3-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe70-\ufe74\ufe76-\ufefc]/u;

/** Undefined for a string that is prohibited (RFC 4013, sections 2.3 and 2.4), or empty afterwards. */
export function saslprep(text: string): string | undefined {
  const prepared = text.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
  if (prepared === '' || PROHIBITED.test(prepared)) return undefined;
  const characters = Array.from(prepared);
  const rightToLeft = characters.map((character) => RIGHT_TO_LEFT.test(character));
  if (!rightToLeft.includes(true)) return prepared;
  const leftToRight = characters.some((character, i) => !rightToLeft[i] && /\p{L}/u.test(character));
  return !leftToRight && rightToLeft[0] && rightToLeft.at(-1) ? prepared : undefined;
}
