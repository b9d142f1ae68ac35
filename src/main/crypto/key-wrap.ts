/**
 * AES Key Wrap with Padding (RFC 5649, NIST SP 800-38F's KWP), by @noble/ciphers: Electron's BoringSSL has it not in node:crypto.
 * What this does not do: hide the length of what was wrapped, to 8 bytes.
 */
import { aeskwp } from '@noble/ciphers/aes.js';
import { type Bytes, copy, take } from './bytes.ts';

/** What was wrapped, the caller's to wipe; undefined when anything does not fit. `key`: 16, 24 or 32 bytes, else undefined too. */
export function unwrapKwp(key: Uint8Array, wrapped: Uint8Array): Bytes | undefined {
  if (![16, 24, 32].includes(key.byteLength) || wrapped.byteLength < 16 || wrapped.byteLength % 8 !== 0) return undefined;
  try {
    return take(aeskwp(key).decrypt(copy(wrapped)));
  } catch {
    return undefined;
  }
}

/** `plain`: 1 byte to 2^32-1. */
export const wrapKwp = (key: Uint8Array, plain: Uint8Array): Bytes => copy(aeskwp(key).encrypt(copy(plain)));
