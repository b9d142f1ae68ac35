/** Passphrases of the English words of BIP 39: 2,048 of them, each known by its first four letters; 11 bits for each word drawn. */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Random } from '../platform/ports.ts';
import { draw } from './password.ts';

export interface PassphraseOptions {
  readonly words: number;
  readonly separator: string;
  readonly capitalize: boolean;
  /** One of the words is followed by a digit. */
  readonly includeNumber: boolean;
}

/** UTF-8; the caller's to dispose of. Each word is as likely as any other. */
export function randomPassphrase(random: Random, { words, separator, capitalize, includeNumber }: PassphraseOptions): SecretBytes {
  const drawn = Array.from({ length: words }, () => {
    // 2,048 divides 65,536.
    const [high = 0, low = 0] = random.bytes(2);
    const word = wordlist[((high << 8) | low) % wordlist.length] ?? '';
    return capitalize ? word.charAt(0).toUpperCase() + word.slice(1) : word;
  });
  if (includeNumber) {
    const at = draw(random, words);
    drawn[at] = `${drawn[at] ?? ''}${String(draw(random, 10))}`;
  }
  return SecretBytes.take(new TextEncoder().encode(drawn.join(separator)));
}
