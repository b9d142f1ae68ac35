import { randomFillSync } from 'node:crypto';

import type { Random } from './ports.ts';

/** A small draw costs the system's generator nearly as much as a large one, and each request makes several. */
const POOL = 4096;
const SMALL = 64;
const pool = new Uint8Array(new ArrayBuffer(POOL));
let at = POOL;

/** The system's generator. Bytes are off-heap: an `ArrayBuffer` of their own. What is handed out is wiped from the pool. */
export const systemRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(new ArrayBuffer(length));
    if (length > SMALL) return randomFillSync(bytes);
    if (at + length > POOL) {
      randomFillSync(pool);
      at = 0;
    }
    const drawn = pool.subarray(at, at + length);
    at += length;
    bytes.set(drawn);
    drawn.fill(0);
    return bytes;
  },
};
