/**
 * ECDH on the NIST curves (SP 800-56A revision 3, section 5.7.1.2: the x coordinate), by node:crypto, which checks that a point lies on
 * its curve. Their cofactor is 1, so there is no small subgroup to be led into.
 */
import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { type Bytes, adopt } from '../../crypto/bytes.ts';
import { readSpki } from '../../crypto/der.ts';
import { bufferOver } from './buffer-over.ts';
import type { EcCurve } from './ecdsa.ts';

/** As long as the curve's field: 32, 48 or 66 bytes; undefined unless `publicKey` (SPKI DER in the one form of `readSpki`) is a point of this curve. */
export function deriveEcdh(curve: EcCurve, privateKey: KeyObject, publicKey: Uint8Array): Bytes | undefined {
  if (!readSpki(curve, publicKey)) return undefined;
  try {
    return adopt(diffieHellman({ privateKey, publicKey: createPublicKey({ key: bufferOver(publicKey), format: 'der', type: 'spki' }) }));
  } catch {
    return undefined;
  }
}
