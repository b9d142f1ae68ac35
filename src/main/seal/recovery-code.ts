/**
 * The recovery code: 28 Crockford base-32 characters, shown in seven groups of four. 26 of them are 130 random bits; the last two
 * are ten check bits, the first of SHA-256(label ‖ the 26 characters in ASCII), so that a typing error is told apart from a wrong
 * code before anything is derived (one wrong code of 1,024 passes the check and then fails at the slot).
 *
 * Codes are byte strings here, never text: text cannot be wiped.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, allocate, utf8, wipe } from '../crypto/bytes.ts';
import { digest } from '../crypto/hmac.ts';
import type { Random } from '../platform/ports.ts';
import { LABELS } from './labels.ts';

export const RECOVERY_CODE_LENGTH = 28;
const RANDOM_LENGTH = 26;
const GROUP_LENGTH = 4;
/** Crockford's alphabet: no I, L, O, U. */
const ALPHABET = utf8('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
const DASH = 0x2d;
/** What people and programs put between groups, in UTF-8: space, dash, tab, line ends, no-break space, U+2010 to U+2015, minus. */
const SEPARATORS: readonly (readonly number[])[] = [
  [0x20],
  [DASH],
  [0x09],
  [0x0a],
  [0x0d],
  [0xc2, 0xa0],
  ...[0x90, 0x91, 0x92, 0x93, 0x94, 0x95].map((last) => [0xe2, 0x80, last]),
  [0xe2, 0x88, 0x92],
];

/** ASCII code to canonical character; 0 where there is none. O reads as 0, I and L as 1, lower case as upper case. */
const CANONICAL = ((): Uint8Array => {
  const table = allocate(128);
  for (const character of ALPHABET) {
    table[character] = character;
    if (character >= 0x41) table[character + 0x20] = character;
  }
  for (const [alias, character] of [
    ['Oo', 0x30],
    ['IiLl', 0x31],
  ] as const) {
    for (const byte of utf8(alias)) table[byte] = character;
  }
  return table;
})();

function checkCharacters(code: Uint8Array): readonly [number, number] {
  const hash = digest('sha256', LABELS.recoveryCheck, code.subarray(0, RANDOM_LENGTH));
  const [first = 0, second = 0] = hash;
  wipe(hash);
  return [ALPHABET[first >> 3] ?? 0, ALPHABET[((first & 7) << 2) | (second >> 6)] ?? 0];
}

/** A new code: 28 characters in ASCII, off-heap, the caller's to wipe. */
export function generateRecoveryCode(random: Random): Bytes {
  const raw = random.bytes(RANDOM_LENGTH);
  const code = allocate(RECOVERY_CODE_LENGTH);
  raw.forEach((byte, i) => {
    // 256 is a multiple of 32, so the low five bits of a uniform byte are uniform.
    code[i] = ALPHABET[byte & 31] ?? 0;
  });
  wipe(raw);
  code.set(checkCharacters(code), RANDOM_LENGTH);
  return code;
}

/** `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX` in ASCII (34 bytes), off-heap, the caller's to wipe. */
export function formatRecoveryCode(code: Uint8Array): Bytes {
  const groups = RECOVERY_CODE_LENGTH / GROUP_LENGTH;
  const out = allocate(RECOVERY_CODE_LENGTH + groups - 1).fill(DASH);
  for (let group = 0; group < groups; group += 1) {
    out.set(code.subarray(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH), group * (GROUP_LENGTH + 1));
  }
  return out;
}

const mistyped = (why: string): VaultError =>
  new VaultError('IncorrectRecoveryCodeException', `the recovery code is mistyped: ${why}; compare it with what was written down`, { details: { mistyped: 'true' } });

function separatorAt(typed: Uint8Array, offset: number): number {
  return SEPARATORS.find((separator) => separator.every((byte, i) => typed[offset + i] === byte))?.length ?? 0;
}

/**
 * What was typed, in UTF-8, as the 28 characters in ASCII: off-heap, the caller's to wipe. Case, separators and the letters that
 * look like digits are forgiven. Throws IncorrectRecoveryCodeException with `mistyped` in its details, which is no guess at the code:
 * nothing was derived from it.
 */
export function parseRecoveryCode(typed: Uint8Array): Bytes {
  const code = allocate(RECOVERY_CODE_LENGTH);
  let length = 0;
  try {
    for (let offset = 0; offset < typed.byteLength; ) {
      const separator = separatorAt(typed, offset);
      if (separator > 0) {
        offset += separator;
        continue;
      }
      const character = CANONICAL[typed[offset] ?? 0] ?? 0;
      if (character === 0) throw mistyped('it holds a character that no code has');
      if (length === RECOVERY_CODE_LENGTH) throw mistyped(`it is longer than ${String(RECOVERY_CODE_LENGTH)} characters`);
      code[length] = character;
      length += 1;
      offset += 1;
    }
    if (length < RECOVERY_CODE_LENGTH) throw mistyped(`it has ${String(length)} of ${String(RECOVERY_CODE_LENGTH)} characters`);
    const [first, second] = checkCharacters(code);
    if (code[RANDOM_LENGTH] !== first || code[RANDOM_LENGTH + 1] !== second) throw mistyped('its check characters do not fit');
    return code;
  } catch (error) {
    wipe(code);
    throw error;
  }
}
