/**
 * How key material from elsewhere is wrapped on its way in. One descriptor per wrapping algorithm; names are AWS KMS's.
 * Source: AWS KMS API Reference, GetParametersForImport; AWS KMS Developer Guide, "Select a wrapping algorithm".
 */
import { keySpecOf, type Family, type KeySpec } from './algorithms.ts';

interface WrappingRow {
  /** Of OAEP, and of its MGF1. */
  readonly hash: 'sha1' | 'sha256';
  /** An AES key is wrapped by RSA, and the material by that key (AES-KWP); else RSA wraps the material itself. */
  readonly aes: boolean;
  readonly families: readonly Family[];
}

const ALL: readonly Family[] = ['symmetric', 'hmac', 'ec', 'edwards'];
const PAIRS: readonly Family[] = ['rsa', 'ec', 'edwards'];

export const WRAPPING_ALGORITHMS = {
  RSAES_OAEP_SHA_256: { hash: 'sha256', aes: false, families: ALL },
  RSAES_OAEP_SHA_1: { hash: 'sha1', aes: false, families: ALL },
  RSA_AES_KEY_WRAP_SHA_256: { hash: 'sha256', aes: true, families: PAIRS },
  RSA_AES_KEY_WRAP_SHA_1: { hash: 'sha1', aes: true, families: PAIRS },
} as const satisfies Record<string, WrappingRow>;

export type WrappingAlgorithm = keyof typeof WRAPPING_ALGORITHMS;
export const WRAPPING_ALGORITHM_NAMES = Object.keys(WRAPPING_ALGORITHMS) as [WrappingAlgorithm, ...WrappingAlgorithm[]];

export const WRAPPING_KEY_SPECS = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const satisfies readonly KeySpec[];
export type WrappingKeySpec = (typeof WRAPPING_KEY_SPECS)[number];

export const wrappingOf = (name: WrappingAlgorithm): WrappingRow => WRAPPING_ALGORITHMS[name];

const IMPORTABLE: ReadonlySet<Family> = new Set([...ALL, ...PAIRS]);
/** Whether a key of this spec may have material from elsewhere. */
export const isImportable = (spec: KeySpec): boolean => IMPORTABLE.has(keySpecOf(spec).family);

/** Whether material of this spec goes through this algorithm under a wrapping key of this size: P-521's PKCS #8 is too long for OAEP with 2,048 bits. */
export function fitsWrapping(spec: KeySpec, algorithm: WrappingAlgorithm, wrappingKey: WrappingKeySpec): boolean {
  const { aes, families } = wrappingOf(algorithm);
  return families.includes(keySpecOf(spec).family) && (aes || spec !== 'ECC_NIST_P521' || wrappingKey !== 'RSA_2048');
}
