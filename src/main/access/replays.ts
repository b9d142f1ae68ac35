/**
 * Signatures that were accepted, so that one is not accepted for ever. A signature names its second and lives for `LIFE` around it.
 *
 * A repeat within the signature's own second is taken, and half a second longer, for what was signed at its end has to come here, too: boto3
 * signs nothing unique, so two equal requests of one second have one signature. Whoever repeats it later is told to sign again, which AWS's
 * clients do by themselves. In memory only: a restart forgets, and a
 * signature lives five minutes at most.
 */

/** How far a signature's time may be from ours, either way, milliseconds. AWS's own. */
export const LIFE = 5 * 60 * 1000;
/** From the beginning of its second, milliseconds. */
const REPEATABLE = 1500;
/** Signatures of one second: 53 bits of each, so that a false alarm is once in 10^9 at this size, and only a reason to sign again. */
type Second = Set<number>;
/** About 40 bytes each. Above it everybody is told to wait, rather than nobody remembered. */
const MOST = 2_000_000;

export type Verdict = 'fresh' | 'repeated' | 'replayed' | 'full';

export class Replays {
  readonly #seconds = new Map<number, Second>();
  #size = 0;
  #swept = 0;

  get size(): number {
    return this.#size;
  }

  /** `signature`: 32 bytes that were found right. `signed` and `now`: milliseconds since the epoch. */
  see(signature: Uint8Array, signed: number, now: number): Verdict {
    this.#sweep(now);
    const second = this.#seconds.get(signed) ?? new Set();
    const mark = markOf(signature);
    if (second.has(mark)) return now >= signed && now - signed < REPEATABLE ? 'repeated' : 'replayed';
    if (this.#size >= MOST) return 'full';
    second.add(mark);
    this.#seconds.set(signed, second);
    this.#size += 1;
    return 'fresh';
  }

  /** Once a second at most: those that are too old to be accepted by anybody. */
  #sweep(now: number): void {
    if (Math.abs(now - this.#swept) < 1000) return;
    this.#swept = now;
    for (const [signed, second] of this.#seconds) {
      if (Math.abs(now - signed) <= 2 * LIFE) continue;
      this.#seconds.delete(signed);
      this.#size -= second.size;
    }
  }
}

/** 53 bits: as much as a number holds exactly. */
function markOf(signature: Uint8Array): number {
  const view = new DataView(signature.buffer, signature.byteOffset, signature.byteLength);
  return view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11);
}
