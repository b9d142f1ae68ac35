/** Token buckets by (bucket, principal): the state behind the rules' `over`. */
import type { Principal } from '../kernel/authenticate.ts';
import { take, type Bucket, type BucketSize } from '../rules/buckets.ts';

/** Far above what one machine can do honestly with keys, so that only a runaway program meets it. */
const SIZES: Readonly<Record<string, BucketSize>> = { principal: { rate: 20_000, burst: 40_000 } };
const NOTHING: BucketSize = { rate: 0, burst: 0 };

export function createCapacity(monotonic: () => number): (bucket: string, principal: Principal) => number {
  const buckets = new Map<string, Bucket>();
  return (name, principal) => {
    const key = `${name}\0${principal.id}`;
    const { bucket, left } = take(buckets.get(key), SIZES[name] ?? NOTHING, monotonic());
    buckets.set(key, bucket);
    return left;
  };
}
