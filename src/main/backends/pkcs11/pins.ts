/** PINs that tokens took, for another login in the same process; and what a PIN is worth that is given for a token that is logged in. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { copy, wipe } from '../../crypto/bytes.ts';

/** What most tokens take in a row before they lock themselves. */
const WRONG_PINS = 3;

const digest = (pin: Uint8Array): Uint8Array => createHash('sha256').update(pin).digest();

export class KeptPins {
  readonly #pins = new Map<string, Uint8Array>();
  readonly #wrong = new Map<string, number>();

  /** Still this object's own. */
  get(token: string): Uint8Array | undefined {
    return this.#pins.get(token);
  }

  /** Copied. */
  keep(token: string, pin: Uint8Array): void {
    this.drop(token);
    this.#pins.set(token, copy(pin));
  }

  drop(token: string): void {
    wipe(this.#pins.get(token));
    this.#pins.delete(token);
    this.#wrong.delete(token);
  }

  /**
   * Whether it is the one that the token took; in constant time. The token is not asked, which would log it out, so tries are counted here:
   * `tooMany` after the third wrong one in a row, when the kept one is dropped.
   */
  judge(token: string, pin: Uint8Array): 'right' | 'wrong' | 'tooMany' {
    const kept = this.#pins.get(token);
    if (kept && timingSafeEqual(digest(kept), digest(pin))) {
      this.#wrong.delete(token);
      return 'right';
    }
    const times = (this.#wrong.get(token) ?? 0) + 1;
    this.#wrong.set(token, times);
    if (times < WRONG_PINS) return 'wrong';
    this.drop(token);
    return 'tooMany';
  }
}
