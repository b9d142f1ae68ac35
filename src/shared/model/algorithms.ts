/**
 * One descriptor per algorithm and one per key spec, in two tables; nothing else enumerates them. Names are AWS KMS's.
 * Sizes are bytes. Source: AWS KMS Developer Guide, "Key spec reference" and "Asymmetric key specs".
 */
export const KEY_USAGES = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT', 'ENCAPSULATE_DECAPSULATE'] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];
/** What a key is kept for, immutable for ever: `kms:` operations use keys of purpose `kms` only. */
export const KEY_PURPOSES = ['kms', 'ssh', 'envelope', 'checkpoint', 'certificate'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];
export type Family = 'symmetric' | 'rsa' | 'ec' | 'edwards' | 'hmac' | 'ml-dsa' | 'ml-kem';
type Hash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

interface AlgorithmRow {
  readonly usage: KeyUsage;
  readonly scheme: 'aes-gcm' | 'oaep' | 'pkcs1' | 'pss' | 'ecdsa' | 'ed25519' | 'ed25519ph' | 'ml-dsa' | 'hmac' | 'ecdh' | 'ml-kem';
  readonly hash?: Hash;
  /** Length of a digest given in place of the message; absent when only whole messages are taken. */
  readonly digestLength?: number;
  /** Only digests are taken. */
  readonly digestOnly?: true;
  /** What is given in place of the message is no plain digest: ML-DSA's μ (FIPS 204 section 6.2), which holds the public key's hash too. */
  readonly digestForm?: 'EXTERNAL_MU';
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
  ML_DSA_SHAKE_256: { usage: 'SIGN_VERIFY', scheme: 'ml-dsa', digestLength: 64, digestForm: 'EXTERNAL_MU' },
  HMAC_SHA_224: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha224' },
  HMAC_SHA_256: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha256' },
  HMAC_SHA_384: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha384' },
  HMAC_SHA_512: { usage: 'GENERATE_VERIFY_MAC', scheme: 'hmac', hash: 'sha512' },
  ECDH: { usage: 'KEY_AGREEMENT', scheme: 'ecdh' },
  ML_KEM: { usage: 'ENCAPSULATE_DECAPSULATE', scheme: 'ml-kem' },
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
  /** RSA modulus, curve order or secret length, in bits; the number of an ML-DSA or ML-KEM parameter set (FIPS 204, FIPS 203). */
  readonly bits: number;
  /** Name of the curve in node:crypto; secp256k1 is @noble's everywhere (Electron's BoringSSL has none). */
  readonly curve?: 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'ed25519';
  /** The usage of a key that is made without one; a spec with one usage has that. AWS wants it said for all but symmetric keys. */
  readonly usage?: KeyUsage;
  /** What each allowed usage offers. */
  readonly algorithms: Partial<Record<KeyUsage, readonly Algorithm[]>>;
}

export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: { family: 'symmetric', bits: 256, algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] } },
  RSA_2048: { family: 'rsa', bits: 2048, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  RSA_3072: { family: 'rsa', bits: 3072, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  RSA_4096: { family: 'rsa', bits: 4096, algorithms: { ENCRYPT_DECRYPT: RSA_ENCRYPT, SIGN_VERIFY: RSA_SIGN } },
  ECC_NIST_P256: { family: 'ec', bits: 256, curve: 'P-256', usage: 'SIGN_VERIFY', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'], KEY_AGREEMENT: ['ECDH'] } },
  ECC_NIST_P384: { family: 'ec', bits: 384, curve: 'P-384', usage: 'SIGN_VERIFY', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_384'], KEY_AGREEMENT: ['ECDH'] } },
  ECC_NIST_P521: { family: 'ec', bits: 521, curve: 'P-521', usage: 'SIGN_VERIFY', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_512'], KEY_AGREEMENT: ['ECDH'] } },
  ECC_SECG_P256K1: { family: 'ec', bits: 256, curve: 'secp256k1', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] } },
  ECC_NIST_EDWARDS25519: { family: 'edwards', bits: 255, curve: 'ed25519', algorithms: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] } },
  ML_DSA_44: { family: 'ml-dsa', bits: 44, algorithms: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] } },
  ML_DSA_65: { family: 'ml-dsa', bits: 65, algorithms: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] } },
  ML_DSA_87: { family: 'ml-dsa', bits: 87, algorithms: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] } },
  ML_KEM_512: { family: 'ml-kem', bits: 512, algorithms: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] } },
  ML_KEM_768: { family: 'ml-kem', bits: 768, algorithms: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] } },
  ML_KEM_1024: { family: 'ml-kem', bits: 1024, algorithms: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] } },
  HMAC_224: { family: 'hmac', bits: 224, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_224'] } },
  HMAC_256: { family: 'hmac', bits: 256, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_256'] } },
  HMAC_384: { family: 'hmac', bits: 384, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_384'] } },
  HMAC_512: { family: 'hmac', bits: 512, algorithms: { GENERATE_VERIFY_MAC: ['HMAC_SHA_512'] } },
} as const satisfies Record<string, KeySpecRow>;

export type KeySpec = keyof typeof KEY_SPECS;

export const algorithmOf = (name: Algorithm): AlgorithmRow => ALGORITHMS[name];
export const keySpecOf = (name: KeySpec): KeySpecRow => KEY_SPECS[name];

/** The algorithms that a key of this spec and usage offers; empty when the pair is not allowed. `inToken`: of a key in a hardware token, for which Ed25519ph is not made. */
export const offered = (spec: KeySpec, usage: KeyUsage, inToken = false): readonly Algorithm[] => (keySpecOf(spec).algorithms[usage] ?? []).filter((name) => !inToken || algorithmOf(name).scheme !== 'ed25519ph');
