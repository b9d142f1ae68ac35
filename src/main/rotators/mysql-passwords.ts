/**
 * What MySQL and MariaDB keep of a password, made here, so that the password is in no statement.
 *
 * `mysql_native_password`: `*` and SHA-1 of SHA-1, unsalted. MariaDB's `ed25519` plugin: the public key of Ed25519 (RFC 8032) whose
 * private key is the password in place of the 32 random bytes, so its SHA-512 is what is signed with; no library takes such a key.
 */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

const sha = (algorithm: 'sha1' | 'sha512', ...parts: readonly (string | Uint8Array)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest();

/** 41 characters. */
export const nativeHash = (password: string): string => `*${sha('sha1', sha('sha1', password)).toString('hex').toUpperCase()}`;

const ORDER = ed25519.Point.Fn.ORDER;
/** Little-endian, as RFC 8032 reads integers. */
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const bytesOf = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
/** A base point's multiple; zero, which the library refuses, is the neutral element. */
const multiple = (scalar: bigint): Uint8Array => (scalar === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiply(scalar)).toBytes();

/** RFC 8032, section 5.1.5, from the password's SHA-512. */
function keysOf(password: string): { readonly scalar: bigint; readonly prefix: Uint8Array; readonly publicKey: Uint8Array } {
  const digest = sha('sha512', password);
  const low = digest.subarray(0, 32);
  low[0] = (low[0] ?? 0) & 0xf8;
  low[31] = ((low[31] ?? 0) & 0x7f) | 0x40;
  const scalar = numberOf(low) % ORDER;
  return { scalar, prefix: digest.subarray(32), publicKey: multiple(scalar) };
}

/** 43 characters of base64 without padding: `authentication_string`. */
export const ed25519Hash = (password: string): string => Buffer.from(keysOf(password).publicKey).toString('base64').replace(/=+$/, '');

/** 64 bytes: what `client_ed25519` answers to the server's nonce (RFC 8032, section 5.1.6). */
export function ed25519Sign(password: string, nonce: Uint8Array): Buffer {
  const { scalar, prefix, publicKey } = keysOf(password);
  const secret = numberOf(sha('sha512', prefix, nonce)) % ORDER;
  const commitment = multiple(secret);
  const challenge = numberOf(sha('sha512', commitment, publicKey, nonce)) % ORDER;
  return Buffer.concat([commitment, bytesOf((secret + challenge * scalar) % ORDER)]);
}
