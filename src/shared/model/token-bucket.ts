/** A token bucket: `burst` at once, `perSecond` on average. Time is an argument, in monotonic milliseconds. */
export class TokenBucket {
  readonly #perMillisecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one token and returns what is left; below zero there was none, and nothing was taken. */
  take(now: number): number {
    this.#refill(now);
    const left = this.#tokens - 1;
    if (left >= 0) this.#tokens = left;
    return left;
  }

  /** Whether it holds all that it can: nothing is lost by forgetting it. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#burst;
  }

  #refill(now: number): void {
    if (now <= this.#at) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMillisecond);
    this.#at = now;
  }
}
