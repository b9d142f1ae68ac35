/**
 * Key material that somebody brings, judged: raw bytes of the spec's length for AES and HMAC, PKCS #8 DER (RFC 5208) for key pairs.
 *
 * Defends against: DER that reads in more than one way, a key of another kind, size or curve, a scalar out of range, a public key that
 * is not the private key's own, RSA numbers that do not belong together or whose primes are none. Does not: tell whether
 * a key was made with good randomness; who brings a key answers for that.
 */
import { checkPrime, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, sign, verify, type KeyObject } from 'node:crypto';
import { type Family, type KeySpec, keySpecOf } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { adopt, copy, hex, utf8, wipe } from '../crypto/bytes.ts';
import { type RsaNumbers, readEcPoint, readEcScalar, readEd25519Seed, readRsaPkcs8, writeEcPkcs8, writeSpki } from '../crypto/der.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { bufferOver } from './algorithms/buffer-over.ts';
import { EC_CURVES, isEcScalar } from './algorithms/ecdsa.ts';
import { openEd25519 } from './algorithms/eddsa.ts';
import type { Generated } from './generate.ts';

type Read = (spec: KeySpec, given: Uint8Array) => Generated | undefined;

const raw: Read = (spec, given) => (given.byteLength === keySpecOf(spec).bits / 8 ? { key: copy(given) } : undefined);

const ec: Read = (spec, given) => {
  const { curve } = keySpecOf(spec);
  if (curve === undefined || curve === 'ed25519') return undefined;
  const { size, noble } = EC_CURVES[curve];
  const scalar = readEcScalar(curve, size, given);
  const said = readEcPoint(curve, size, given);
  if (!scalar || said === false || !isEcScalar(curve, scalar)) return undefined;
  const point = noble.getPublicKey(scalar, false);
  if (said && !constantTimeEqual(said, point)) return undefined;
  const publicKey = writeSpki(curve, point);
  if (curve === 'secp256k1') return { key: scalar, publicKey };
  const key = writeEcPkcs8(curve, scalar, publicKey);
  wipe(scalar);
  return { key, publicKey };
};

const edwards: Read = (_spec, given) => {
  const seed = readEd25519Seed(given);
  return seed && { key: seed, publicKey: openEd25519(seed).publicKey };
};

/** Of FIPS 186-5: odd, over 2^16; here under 2^32. */
const isExponent = (bytes: Uint8Array): boolean => bytes.byteLength >= 3 && bytes.byteLength <= 4 && ((bytes.at(-1) ?? 0) & 1) === 1;

/** BigInt leaves the numbers in V8's heap until this process ends, as @noble's curves do. */
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`);

/** RFC 8017 section 3.2. node:crypto uses the last five alone, and would keep any `d`. */
function belongTogether(numbers: RsaNumbers): boolean {
  const [n, e, d, p, q, dP, dQ, qInv] = numbers.map(numberOf) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  if (p < 3n || q < 3n || p === q || p * q !== n || d >= n) return false;
  return (e * dP) % (p - 1n) === 1n && (e * dQ) % (q - 1n) === 1n && d % (p - 1n) === dP && d % (q - 1n) === dQ && qInv < p && (q * qInv) % p === 1n;
}

const rsa: Read = (spec, given) => {
  const { bits } = keySpecOf(spec);
  const numbers = readRsaPkcs8(given);
  if (!numbers) return undefined;
  const [modulus, exponent] = numbers;
  if (modulus.byteLength !== bits / 8 || (modulus[0] ?? 0) < 0x80 || !isExponent(exponent) || !belongTogether(numbers)) return undefined;
  const privateKey = createPrivateKey({ key: bufferOver(given), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  if (privateKey.asymmetricKeyType !== 'rsa' || privateKey.asymmetricKeyDetails?.modulusLength !== bits || !isPair(privateKey, publicKey)) return undefined;
  return { key: copy(given), publicKey: adopt(publicKey.export({ format: 'der', type: 'spki' })) };
};

const PROBE = utf8('keystead/import-probe/1');

/** Both directions, with every number of the private key in use. Throws or is false for numbers of different keys. */
function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const opened = privateDecrypt(privateKey, publicEncrypt(publicKey, PROBE));
  return constantTimeEqual(opened, PROBE) && verify('sha256', PROBE, publicKey, sign('sha256', PROBE, privateKey));
}

const READERS: Readonly<Record<Family, Read | undefined>> = { symmetric: raw, hmac: raw, rsa, ec, edwards, 'ml-dsa': undefined, 'ml-kem': undefined };

const isPrime = (number: Uint8Array): Promise<boolean> =>
  new Promise((resolve, reject) => {
    checkPrime(bufferOver(number), (error, prime) => {
      if (error) reject(error);
      else resolve(prime);
    });
  });

/**
 * Whether both primes of an RSA key are prime, as OpenSSL tests candidates of their size (64 rounds of Miller and Rabin), in libuv's thread
 * pool: it takes a tenth of a second. A composite that no use of the key would show (a Carmichael number) is found, too.
 */
export async function hasPrimes(given: Uint8Array): Promise<boolean> {
  const numbers = readRsaPkcs8(given);
  return numbers !== undefined && (await isPrime(numbers[3])) && isPrime(numbers[4]);
}

export function notMaterial(spec: KeySpec): VaultError {
  const { family, bits } = keySpecOf(spec);
  const form = family === 'symmetric' || family === 'hmac' ? `${String(bits / 8)} raw bytes` : 'PKCS #8 in DER, whole and canonical';
  return new VaultError('IncorrectKeyMaterialException', `the key material is not one of a \`${spec}\` key: it has to be ${form}`);
}

/** Apart from `hasPrimes`. `key` in the form of `material-format.ts`, the caller's to wipe. IncorrectKeyMaterialException; none of the bytes is in it. */
export function readImported(spec: KeySpec, given: Uint8Array): Generated {
  let made: Generated | undefined;
  try {
    made = READERS[keySpecOf(spec).family]?.(spec, given);
  } catch {
    // The library's own words may describe key bytes.
  }
  if (made) return made;
  throw notMaterial(spec);
}
