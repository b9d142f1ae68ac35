/** Capacity units: token buckets by name, as a pure step over (state, time). */

export interface BucketSize {
  /** Units a second. */
  readonly rate: number;
  readonly burst: number;
}

export interface Bucket {
  readonly units: number;
  /** Monotonic milliseconds of the last step. */
  readonly at: number;
}

/** Takes `cost` units. `left` below zero: over the limit, and nothing was taken. */
export function take(bucket: Bucket | undefined, size: BucketSize, now: number, cost = 1): { readonly bucket: Bucket; readonly left: number } {
  const before = bucket ?? { units: size.burst, at: now };
  const refilled = Math.min(size.burst, before.units + (Math.max(0, now - before.at) / 1000) * size.rate);
  const left = refilled - cost;
  return { bucket: { units: left < 0 ? refilled : left, at: now }, left };
}
