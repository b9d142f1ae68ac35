/**
 * An honest guess of how many bits an attacker who knows how people choose passwords must search. It reads the password as
 * a row of pieces, each priced as that attacker would: a well-known password or word, a run, a row of the keyboard, a year, and
 * what is left letter by letter. It errs low. Nothing of the password is kept: the result is two numbers.
 */
const COMMON =
  'password passwort motdepasse letmein welcome admin administrator login master secret keystead vault qwerty azerty qwertz iloveyou monkey dragon sunshine princess football baseball shadow superman batman trustno starwars whatever freedom hello computer internet summer winter spring autumn monday sunday january february august october december love money test demo guest root user changeme default access flower cookie chocolate pepper ginger summer london berlin paris jordan michael jennifer thomas daniel charlie andrew michelle jessica ashley hunter soccer hockey killer'
    .split(' ');
const ROWS = ['abcdefghijklmnopqrstuvwxyz', 'zyxwvutsrqponmlkjihgfedcba', '01234567890', '09876543210', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop', '1qaz2wsx3edc'];
const LEET: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' };
/** Prices in bits. */
const WORD = 7;
const PIECE = 4;
const LETTER_OF_A_WORD = 2.2;
const LETTER = 4.2;
const CAPITAL = 0.8;
const DIGIT = 3.3;
const SYMBOL = 4.8;
/** What a well-equipped attacker tries a second against this vault's Argon2id. */
export const GUESSES_PER_SECOND = 10_000;

export interface Strength {
  readonly bits: number;
  readonly level: 0 | 1 | 2 | 3;
  /** Seconds to half of the search at GUESSES_PER_SECOND. */
  readonly seconds: number;
}
export const LEVEL_WORDS = ['Weak', 'Fair', 'Good', 'Strong'] as const;

const folded = (text: string): string => Array.from(text.toLowerCase(), (letter) => LEET[letter] ?? letter).join('');

/** Length of the longest piece of a known row that starts here, at least three. */
function rowLength(text: string, at: number): number {
  for (let end = text.length; end - at >= 3; end--) if (ROWS.some((row) => row.includes(text.slice(at, end)))) return end - at;
  return 0;
}

function looksLikeWords(letters: string): boolean {
  const vowels = letters.replace(/[^aeiouyäöü]/g, '').length / letters.length;
  return letters.length >= 3 && vowels >= 0.2 && vowels <= 0.7 && !/[^aeiouyäöü]{5}/.test(letters);
}

export function bitsOf(password: string): number {
  const lower = password.toLowerCase();
  const plain = folded(password);
  const seen = new Set<string>();
  let bits = 0;
  let at = 0;
  /** A piece that came before costs next to nothing. */
  const take = (length: number, price: number): void => {
    const piece = plain.slice(at, at + length);
    bits += seen.has(piece) ? 1 : price;
    seen.add(piece);
    const capitals = password.slice(at, at + length).replace(/[^\p{Lu}]/gu, '').length;
    bits += capitals === 0 ? 0 : Math.min(capitals * CAPITAL, 3);
    at += length;
  };
  while (at < password.length) {
    const rest = plain.slice(at);
    const word = COMMON.filter((known) => rest.startsWith(known)).sort((a, b) => b.length - a.length)[0];
    const run = /^(.)\1{2,}/u.exec(rest)?.[0].length ?? 0;
    const row = rowLength(lower, at);
    const year = /^(?:19|20)\d\d/.test(lower.slice(at));
    const letters = /^\p{Ll}+/u.exec(lower.slice(at))?.[0] ?? '';
    if (word !== undefined && word.length >= row) take(word.length, WORD);
    else if (run > 0) take(run, PIECE + Math.log2(run));
    else if (row > 0) take(row, PIECE + Math.log2(row));
    else if (year) take(4, PIECE + 2);
    else if (letters !== '') take(letters.length, letters.length * (looksLikeWords(letters) ? LETTER_OF_A_WORD : LETTER));
    else take(1, /\d/.test(lower.charAt(at)) ? DIGIT : SYMBOL);
  }
  return bits;
}

export function strengthOf(password: string): Strength {
  const bits = Math.floor(bitsOf(password));
  return { bits, level: bits < 28 ? 0 : bits < 42 ? 1 : bits < 56 ? 2 : 3, seconds: 2 ** (bits - 1) / GUESSES_PER_SECOND };
}
