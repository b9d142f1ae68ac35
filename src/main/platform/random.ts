import { randomFillSync } from 'node:crypto';

import type { Random } from './ports.ts';

/** The system's generator. Bytes are off-heap: an `ArrayBuffer` of their own, filled in place. */
export const systemRandom: Random = {
  bytes(length) {
    return randomFillSync(new Uint8Array(new ArrayBuffer(length)));
  },
};
