/**
 * One descriptor per algorithm and one per key spec, in two tables; nothing else enumerates them. Names are AWS KMS's.
 * Sizes are bytes. Source: AWS KMS Developer Guide, "Key spec reference" and "Asymmetric key specs".
 */
export type KeyUsage = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC';
/** What a key is kept for, immutable for ever: `kms:` operations use keys of purpose `kms` only. */
export const KEY_PURPOSES = ['kms', 'ssh', 'envelope', 'checkpoint', 'certificate'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];
export type Family = 'symmetric' | 'rsa' | 'ec' | 'edwards' | 'hmac';
type Hash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

interface AlgorithmRow {
  readonly usage: KeyUsage;
  readonly scheme: 'aes-gcm' | 'oaep' | 'pkcs1' | 'pss' | 'ecdsa' | 'ed25519' | 'ed25519ph' | 'hmac';
  readonly hash?: Hash;
  /** Length of a digest given in place of the message; absent when only whole messages are taken. */
  readonly digestLength?: number;
  /** Only digests are taken. */
  readonly digestOnly?: true;
}

export const ALGORITHMS = {
  SYMMETRIC_DEFAULT: { usage: 'ENCRYPT_DECRYPT', scheme: 'aes-gcm' },
  RSAES_OAEP_SHA_1: { usage: 'ENCRYPT_DECRYPT', scheme: 'oaep', hash: 'sha1' },
  RSAES_OAEP_SHA_256: { usage: 'ENCRYPT_DECRYPT', scheme: 'oaep', hash: 'sha256' },
  RSASSA_PKCS1_V1_5_SHA_256: { usage: 'SIGN_VERIFY', scheme: 'pkcs1', hash: 'sha256', digestLength: 32 },
  RSASSA_PKCS1_V1_5_SHA_384: { usage: 'SIGN_VERIFY', scheme: 'pkcs1', hash: 'sha384', digestLength: 48 },
  RSASSA_PKCS1_V1_5_SHA_512: { usage: 'SIGN_VERIFY', scheme: 'pkcs1', hash: 'sha512', digestLength: 64 },
  RSASSA_PSS_SHA_256: { usage: 'SIGN_VERIFY', scheme: 'pss', hash: 'sha256', digestLength: 32 },
  RSASSA_PSS_SHA_384: { usage: 'SIGN_VERIFY', scheme: 'pss', hash: 'sha384', digestLength: 48 },
  RSASSA_PSS_SHA_512: { usage: 'SIGN_VERIFY', scheme: 'pss', hash: 'sha512', digestLength: 64 },
  ECDSA_SHA_256: { usage: 'SIGN_VERIFY', scheme: 'ecdsa', hash: 'sha256', digestLength: 32 },
  ECDSA_SHA_384: { usage: 'SIGN_VERIFY', scheme: 'ecdsa', hash: 'sha384', digestLength: 48 },
  ECDSA_SHA_512: { usage: 'SIGN_VERIFY', scheme: 'ecdsa', hash: 'sha512', digestLength: 64 },
  ED25519_SHA_512: { usage: 'SIGN_VERIFY', scheme: 'ed25519' },
  ED25519_PH_SHA_512: { usage: 'SIGN_VERIFY', scheme: 'ed25519ph', hash: 'sha512', digestLength: 64, digestOnly: true },
  HMAC_SHA_224: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha224' },
  HMAC_SHA_256: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha256' },
  HMAC_SHA_384: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha384' },
  HMAC_SHA_512: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha512' },
} as const satisfies Record<string, AlgorithmRow>;

export type Algorithm = keyof typeof ALGORITHMS;

const RSA_SIGN = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
] as const;
const RSA_ENCRYPT = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const;

interface KeySpecRow {
  readonly family: Family;
  /** RSA modulus, curve order or secret length, in bits. */
  readonly bits: number;
  /** Name of the curve in node:crypto; secp256k1 is @noble's everywhere (Electron's BoringSSL has none). */
  readonly curve?: 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'ed25519';
  /** What each allowed usage offers. A spec with one usage has it as its default. */
  readonly algorithms: Partial<Record<KeyUsage, readonly Algorithm[]>>;
}

export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: { family: 'symmetric', bits: 256, algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] } },
  RSA_2048: { family: 'rsa', bits: 2048, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  RSA_3072: { family: 'rsa', bits: 3072, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  RSA_4096: { family: 'rsa', bits: 4096, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  ECC_NIST_P256: { family: 'ec', bits: 256, curve: 'P-256', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] } },
  ECC_NIST_P384: { family: 'ec', bits: 384, curve: 'P-384', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_384'] } },
  ECC_NIST_P521: { family: 'ec', bits: 521, curve: 'P-521', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_512'] } },
  ECC_SECG_P256K1: { family: 'ec', bits: 256, curve: 'secp256k1', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] } },
  ECC_NIST_EDWARDS25519: { family: 'edwards', bits: 255, curve: 'ed25519', algorithms: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] } },
  HMAC_224: { family: 'hmac', bits: 224, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_224'] } },
  HMAC_256: { family: 'hmac', bits: 256, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_256'] } },
  HMAC_384: { family: 'hmac', bits: 384, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_384'] } },
  HMAC_512: { family: 'hmac', bits: 512, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_512'] } },
} as const satisfies Record<string, KeySpecRow>;

export type KeySpec = keyof typeof KEY_SPECS;

export const algorithmOf = (name: Algorithm): AlgorithmRow => ALGORITHMS[name];
export const keySpecOf = (name: KeySpec): KeySpecRow => KEY_SPECS[name];

/** The algorithms that a key of this spec and usage offers; empty when the pair is not allowed. */
export const offered = (spec: KeySpec, usage: KeyUsage): readonly Algorithm[] => keySpecOf(spec).algorithms[usage] ?? [];
