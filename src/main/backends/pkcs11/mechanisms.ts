/**
 * What a token must offer for a key of ours, in one table: the mechanism that makes it, and those that use it. What a token offers is
 * probed (C_GetMechanismList, C_GetMechanismInfo, for curves a key pair), never assumed.
 */
import { algorithmOf, keySpecOf, offered, type Algorithm, type KeySpec, type KeyUsage } from '../../../shared/model/algorithms.ts';
import { CKF, CKG, CKM, PARAMETERS, type Mechanism } from './cryptoki.ts';
import type { Use } from './protocol.ts';

/** As C_GetMechanismInfo has it. Sizes are in the mechanism's own unit: bits for RSA and curves, bytes or bits for AES. */
export interface MechanismFacts {
  readonly type: number;
  readonly flags: number;
  readonly min: number;
  readonly max: number;
  /** Of a mechanism that makes pairs on curves: those that the token refused when it was tried. */
  readonly refuses?: readonly KeySpec[];
}

const NAMES = new Map(Object.entries(CKM).map(([name, type]) => [type as number, `CKM_${name}`]));
/** Its own number where it has no name here. */
export const mechanismName = (type: number): string => NAMES.get(type) ?? `0x${type.toString(16)}`;

type Hash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
export const DIGESTS: Readonly<Record<Hash, number>> = { sha1: CKM.SHA_1, sha224: CKM.SHA224, sha256: CKM.SHA256, sha384: CKM.SHA384, sha512: CKM.SHA512 };
export const HMACS: Readonly<Partial<Record<Hash, number>>> = { sha224: CKM.SHA224_HMAC, sha256: CKM.SHA256_HMAC, sha384: CKM.SHA384_HMAC, sha512: CKM.SHA512_HMAC };

/** The mechanism that makes a key of each family; a family without one is not made on tokens. */
export const GENERATORS = {
  symmetric: CKM.AES_KEY_GEN,
  hmac: CKM.GENERIC_SECRET_KEY_GEN,
  rsa: CKM.RSA_PKCS_KEY_PAIR_GEN,
  ec: CKM.EC_KEY_PAIR_GEN,
  edwards: CKM.EC_EDWARDS_KEY_PAIR_GEN,
} as const;

interface Needed {
  readonly type: number;
  readonly flag: number;
}

/** What each algorithm of KMS is done with; more than one: any of them will do, the first that is there is taken. */
function needed(algorithm: Algorithm): readonly Needed[] {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'aes-gcm') return [{ type: CKM.AES_GCM, flag: CKF.ENCRYPT | CKF.DECRYPT }];
  if (scheme === 'pkcs1') return [{ type: CKM.RSA_PKCS, flag: CKF.SIGN }];
  if (scheme === 'pss') return [{ type: CKM.RSA_PKCS_PSS, flag: CKF.SIGN }];
  if (scheme === 'ecdsa') return [{ type: CKM.ECDSA, flag: CKF.SIGN }];
  if (scheme === 'ed25519') return [{ type: CKM.EDDSA, flag: CKF.SIGN }];
  if (scheme === 'ecdh') return [{ type: CKM.ECDH1_DERIVE, flag: CKF.DERIVE }];
  if (scheme === 'oaep') return [{ type: CKM.RSA_PKCS_OAEP, flag: CKF.DECRYPT }, { type: CKM.RSA_X_509, flag: CKF.DECRYPT }];
  const mac = hash === undefined ? undefined : HMACS[hash];
  if (scheme === 'hmac' && mac !== undefined) return [{ type: mac, flag: CKF.SIGN }];
  return [];
}

/** A probed token's mechanisms by their number. */
export type Offer = ReadonlyMap<number, MechanismFacts>;

/** Whether the token says of this mechanism (CKM number) that it does this with it (CKF of a mechanism). */
export const does = (offer: Offer, type: number, flag: number): boolean => ((offer.get(type)?.flags ?? 0) & flag) === flag;

/** The algorithms that this token does for keys of this spec and usage. */
export const usable = (offer: Offer, spec: KeySpec, usage: KeyUsage): readonly Algorithm[] => offered(spec, usage).filter((name) => needed(name).some(({ type, flag }) => does(offer, type, flag)));

/** An offer with what a trial of curves has shown. */
export const withRefused = (offer: Offer, refused: readonly KeySpec[]): Offer =>
  new Map(Array.from(offer, ([type, facts]): [number, MechanismFacts] => (type === GENERATORS.ec || type === GENERATORS.edwards ? [type, { ...facts, refuses: refused }] : [type, facts])));

/** Why the token cannot hold such a key, in words that continue "token x …"; undefined: it can. */
export function lacks(offer: Offer, spec: KeySpec, usage: KeyUsage): string | undefined {
  const { family, bits } = keySpecOf(spec);
  const generator = Object.hasOwn(GENERATORS, family) ? GENERATORS[family as keyof typeof GENERATORS] : undefined;
  const facts = generator === undefined ? undefined : offer.get(generator);
  if (!facts) return `makes no keys of \`${spec}\``;
  if (facts.refuses?.includes(spec)) return `makes no keys of \`${spec}\`: it refused one when it was tried`;
  // Some modules count AES and generic keys in bytes, some in bits, some say 0: only sizes that the standard fixes are judged.
  if ((family === 'rsa' || family === 'ec') && facts.max > 0 && (bits < facts.min || bits > facts.max)) return `makes keys of this kind from ${String(facts.min)} to ${String(facts.max)} bits only`;
  if (usable(offer, spec, usage).length === 0) return family === 'symmetric' ? 'has no AES-GCM, which symmetric keys are used with' : `cannot use a key of \`${spec}\` for \`${usage}\``;
  return undefined;
}

/** How the token is asked for a signature or MAC; the data that it then gets is a digest, a DigestInfo, or the message itself. */
export function signingUse(algorithm: Algorithm): Use {
  const { scheme, hash, digestLength } = algorithmOf(algorithm);
  if (scheme === 'pss' && hash !== undefined && digestLength !== undefined) return { mechanism: CKM.RSA_PKCS_PSS, kind: 'pss', hash, saltLength: digestLength };
  const [first] = needed(algorithm);
  return { mechanism: first?.type ?? 0, kind: 'plain' };
}

/** As the wrapping library takes it. */
export function mechanismOf(use: Use): Mechanism {
  const { mechanism } = use;
  if (use.kind === 'pss') return { mechanism, parameter: { type: PARAMETERS.RSA_PSS, hashAlg: DIGESTS[use.hash], mgf: CKG[use.hash], saltLen: use.saltLength } };
  if (use.kind === 'oaep') return { mechanism, parameter: { type: PARAMETERS.RSA_OAEP, hashAlg: DIGESTS[use.hash], mgf: CKG[use.hash], source: 1 } };
  if (use.kind === 'gcm') return { mechanism, parameter: { type: PARAMETERS.AES_GCM, iv: Buffer.from(use.iv, 'hex'), ivBits: use.iv.length * 4, aad: Buffer.from(use.aad, 'hex'), tagBits: 128 } };
  return { mechanism };
}
