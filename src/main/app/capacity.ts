/** Token buckets by (bucket, principal): the state behind the rules' `over`. */
import { TokenBucket } from '../../shared/model/token-bucket.ts';
import type { Principal } from '../kernel/authenticate.ts';

interface Size {
  /** Requests a second, on average. */
  readonly rate: number;
  readonly burst: number;
}

/** Far above what one machine can do honestly with keys, so that only a runaway program meets it. */
const SIZES: Readonly<Record<string, Size>> = { principal: { rate: 20_000, burst: 40_000 } };
const NOTHING: Size = { rate: 0, burst: 0 };

export function createCapacity(monotonic: () => number): (bucket: string, principal: Principal) => number {
  const buckets = new Map<string, TokenBucket>();
  return (name, principal) => {
    const key = `${name}\0${principal.id}`;
    const now = monotonic();
    const { rate, burst } = SIZES[name] ?? NOTHING;
    const bucket = buckets.get(key) ?? new TokenBucket(rate, burst, now);
    buckets.set(key, bucket);
    return bucket.take(now);
  };
}
