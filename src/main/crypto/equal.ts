/** Comparison in constant time (of two byte strings of one length; that the lengths differ is not hidden). */
import { timingSafeEqual } from 'node:crypto';

/** False for different lengths; never throws. */
export const constantTimeEqual = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && timingSafeEqual(a, b);
