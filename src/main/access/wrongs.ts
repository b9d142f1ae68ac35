/**
 * How long the refusal of a wrong signature waits, so that guesses at one access key are slow. Who signs rightly waits for nothing: a flood of
 * wrong signatures in a client's name must not keep the client out. Known and unknown access keys are counted alike.
 */

/** Wrong ones at once that do not wait; a client with a mistake in its settings makes some. */
const BURST = 10;
/** One more for each, milliseconds. */
const EACH = 1000;
/** The longest that a refusal waits: a caller should learn of it before it gives up. */
const LONGEST = 5000;
/** Access keys that are told apart. The rest, made up by whoever floods, is counted as one. */
const MOST = 1024;
const OTHERS = '';

export class Wrongs {
  /** By access key: when its next wrong signature would be due, at the pace of one each `EACH` (GCRA, ITU-T I.371). Monotonic milliseconds. */
  readonly #due = new Map<string, number>();

  get size(): number {
    return this.#due.size;
  }

  /** Milliseconds, 0 to LONGEST. */
  wait(accessKeyId: string, now: number): number {
    const place = this.#place(accessKeyId, now);
    const due = Math.max(now, this.#due.get(place) ?? now) + EACH;
    const wait = Math.max(0, due - now - BURST * EACH);
    this.#due.set(place, Math.min(due, now + BURST * EACH + LONGEST));
    return Math.min(LONGEST, wait);
  }

  #place(accessKeyId: string, now: number): string {
    if (this.#due.has(accessKeyId) || this.#due.size < MOST) return accessKeyId;
    for (const [place, due] of this.#due) if (due <= now) this.#due.delete(place);
    return this.#due.size < MOST ? accessKeyId : OTHERS;
  }
}
