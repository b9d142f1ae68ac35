/**
 * Public keys as node:crypto has them, the last ones that were used kept: OpenSSL 3 takes longer to read one than to verify with it (P-256: 140 µs
 * and 63 µs, RSA-2048: 112 µs and 21 µs). What every signature of a token is checked with is one of a few.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { hex } from '../../crypto/bytes.ts';
import { bufferOver } from './buffer-over.ts';

/** How many are kept. */
const MOST = 64;
/** Bytes: an RSA-4096 key has 550. */
const LONGEST = 1024;

const known = new Map<string, KeyObject>();

/** `spki`: SubjectPublicKeyInfo, DER. Throws as createPublicKey does. */
export function publicKeyFrom(spki: Uint8Array): KeyObject {
  const name = hex(spki);
  const key = known.get(name) ?? createPublicKey({ key: bufferOver(spki), format: 'der', type: 'spki' });
  if (spki.byteLength > LONGEST) return key;
  // Back to the end: the first is the one that was not used for the longest time.
  known.delete(name);
  known.set(name, key);
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  return key;
}
