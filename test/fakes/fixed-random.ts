/** A generator whose bytes follow from its seed: what was made with it can be compared with what was made before. */
import { createHash } from 'node:crypto';
import type { Random } from '../../src/main/platform/ports.ts';

export function fixedRandom(seed: string): Random {
  let counter = 0;
  return {
    bytes(length) {
      const out = new Uint8Array(new ArrayBuffer(length));
      for (let offset = 0; offset < length; offset += 32) {
        const block = createHash('sha256').update(`${seed}/${String(counter)}`).digest();
        counter += 1;
        out.set(block.subarray(0, Math.min(32, length - offset)), offset);
      }
      return out;
    },
  };
}
