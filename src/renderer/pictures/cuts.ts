/**
 * The bitting: teeth of a key, drawn from what is public about it. An aid to recognise a key again, never to verify one: two keys
 * may look alike.
 */
import { sha256 } from '../sha256.ts';

/** `n` depths of 0 to 7: bytes of the seed mod 8; one that equals its neighbour moves by three; none is more than four from its neighbour. */
export function cuts(seed: Uint8Array, n: number): readonly number[] {
  const depths: number[] = [];
  for (let i = 0; i < n; i++) {
    const previous = depths[i - 1];
    let value = (seed[i % seed.length] ?? 0) % 8;
    if (previous !== undefined) {
      if (value === previous) value = (value + 3) % 8;
      value = Math.min(previous + 4, Math.max(previous - 4, value));
    }
    depths.push(value);
  }
  return depths;
}

export const cutsOf = (publicId: string, n: number): readonly number[] => cuts(sha256(publicId), n);
