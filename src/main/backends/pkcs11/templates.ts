/**
 * Keys as a token has them: the template that one is made with, every attribute said outright, and what is read back from it. Attributes
 * are in the module's own byte order, which is this machine's.
 */
import { createPublicKey } from 'node:crypto';
import { endianness } from 'node:os';
import { keySpecOf, type KeySpec, type KeyUsage } from '../../../shared/model/algorithms.ts';
import { readSpki, writeSpki, type CurveName } from '../../crypto/der.ts';
import { CKA, CKK, CKO, type Attribute } from './cryptoki.ts';

/** CKA_EC_PARAMS of each curve: a named curve's object identifier, DER. */
const CURVE_PARAMS: Readonly<Record<CurveName, string>> = {
  'P-256': '06082a8648ce3d030107',
  'P-384': '06052b81040022',
  'P-521': '06052b81040023',
  secp256k1: '06052b8104000a',
  ed25519: '06032b6570',
};
/** Ed25519 as PKCS #11 v3.0 allows it, too: PrintableString "edwards25519". */
const EDWARDS_BY_NAME = '130c656477617264733235353139';

const EC_SPECS: Readonly<Record<CurveName, KeySpec>> = { 'P-256': 'ECC_NIST_P256', 'P-384': 'ECC_NIST_P384', 'P-521': 'ECC_NIST_P521', secp256k1: 'ECC_SECG_P256K1', ed25519: 'ECC_NIST_EDWARDS25519' };

export const curveOf = (params: Buffer): CurveName | undefined => {
  const text = params.toString('hex');
  if (text === EDWARDS_BY_NAME) return 'ed25519';
  return (Object.keys(CURVE_PARAMS) as CurveName[]).find((name) => CURVE_PARAMS[name] === text);
};
export const specOfCurve = (curve: CurveName): KeySpec => EC_SPECS[curve];

export interface Named {
  readonly id: Buffer;
  readonly label: string;
}

const USES = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'] as const;
type Permission = (typeof USES)[number];

/** What each half may do; everything that is not named is forbidden outright. Absent: tokens hold no such keys. */
const PERMISSIONS: Readonly<Partial<Record<KeyUsage, { readonly secret?: readonly Permission[]; readonly private?: readonly Permission[]; readonly public?: readonly Permission[] }>>> = {
  ENCRYPT_DECRYPT: { secret: ['ENCRYPT', 'DECRYPT'], private: ['DECRYPT'], public: ['ENCRYPT'] },
  SIGN_VERIFY: { private: ['SIGN'], public: ['VERIFY'] },
  GENERATE_VERIFY_MAC: { secret: ['SIGN', 'VERIFY'] },
  KEY_AGREEMENT: { private: ['DERIVE'], public: [] },
};

const permit = (all: readonly Permission[], allowed: readonly Permission[] = []): Attribute[] => all.map((name) => ({ type: CKA[name], value: allowed.includes(name) }));

/** `cluster`: it may leave the token under a trusted wrapping key, and under no other. */
const hidden = (cluster: boolean): Attribute[] => [
  { type: CKA.TOKEN, value: true },
  { type: CKA.PRIVATE, value: true },
  { type: CKA.SENSITIVE, value: true },
  { type: CKA.EXTRACTABLE, value: cluster },
  ...(cluster ? [{ type: CKA.WRAP_WITH_TRUSTED, value: true }] : []),
];
const named = ({ id, label }: Named): Attribute[] => [{ type: CKA.ID, value: id }, { type: CKA.LABEL, value: Buffer.from(label, 'utf8') }];

/** For C_GenerateKey: AES-256, or a generic secret of the HMAC's length. */
export function secretTemplate(spec: KeySpec, usage: KeyUsage, name: Named, cluster = false): Attribute[] {
  const { family, bits } = keySpecOf(spec);
  return [
    { type: CKA.CLASS, value: CKO.SECRET_KEY },
    { type: CKA.KEY_TYPE, value: family === 'symmetric' ? CKK.AES : CKK.GENERIC_SECRET },
    { type: CKA.VALUE_LEN, value: bits / 8 },
    ...hidden(cluster),
    ...named(name),
    ...permit(USES, PERMISSIONS[usage]?.secret),
  ];
}

const KEY_TYPES: Readonly<Record<string, number>> = { rsa: CKK.RSA, ec: CKK.EC, edwards: CKK.EC_EDWARDS };

/** For C_GenerateKeyPair. */
export function pairTemplates(spec: KeySpec, usage: KeyUsage, name: Named, cluster = false): { readonly public: Attribute[]; readonly private: Attribute[] } {
  const { family, bits, curve } = keySpecOf(spec);
  const type = { type: CKA.KEY_TYPE, value: KEY_TYPES[family] ?? CKK.EC };
  const own = curve === undefined ? [{ type: CKA.MODULUS_BITS, value: bits }, { type: CKA.PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) }] : [{ type: CKA.EC_PARAMS, value: Buffer.from(CURVE_PARAMS[curve], 'hex') }];
  const allowed = PERMISSIONS[usage];
  return {
    public: [{ type: CKA.CLASS, value: CKO.PUBLIC_KEY }, type, { type: CKA.TOKEN, value: true }, { type: CKA.PRIVATE, value: false }, ...named(name), ...permit(['ENCRYPT', 'VERIFY', 'WRAP'], allowed?.public), ...own],
    private: [{ type: CKA.CLASS, value: CKO.PRIVATE_KEY }, type, ...hidden(cluster), ...named(name), ...permit(['DECRYPT', 'SIGN', 'UNWRAP', 'DERIVE'], allowed?.private)],
  };
}

/** For C_UnwrapKey of a key of a cluster: as it was made, less what the wrapped key says itself. */
export function copyTemplate(spec: KeySpec, usage: KeyUsage, name: Named): Attribute[] {
  const { family } = keySpecOf(spec);
  const whole = family === 'symmetric' || family === 'hmac' ? secretTemplate(spec, usage, name, true) : pairTemplates(spec, usage, name, true).private;
  return whole.filter(({ type }) => type !== CKA.VALUE_LEN);
}

/** For C_CreateObject: the public half of a copy. `spki`: SubjectPublicKeyInfo. Undefined where it is not of this spec. */
export function publicTemplate(spec: KeySpec, usage: KeyUsage, name: Named, spki: Uint8Array): Attribute[] | undefined {
  const { curve } = keySpecOf(spec);
  const bare = pairTemplates(spec, usage, name).public.filter(({ type }) => type !== CKA.MODULUS_BITS && type !== CKA.PUBLIC_EXPONENT);
  if (curve === undefined) {
    const { n, e } = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }).export({ format: 'jwk' });
    return [...bare, { type: CKA.MODULUS, value: Buffer.from(n ?? '', 'base64url') }, { type: CKA.PUBLIC_EXPONENT, value: Buffer.from(e ?? '', 'base64url') }];
  }
  const point = readSpki(curve, spki);
  return point && [...bare, { type: CKA.EC_POINT, value: octets(point) }];
}

/** DER OCTET STRING of fewer than 256 bytes. */
const octets = (content: Uint8Array): Buffer => Buffer.concat([Buffer.from(content.byteLength < 128 ? [4, content.byteLength] : [4, 0x81, content.byteLength]), content]);

/** Bits of the pair that wrapping keys travel under: NIST SP 800-57 part 1, table 2, 128 bits of strength. */
const TRANSPORT_BITS = 3072;

/** For C_GenerateKeyPair: a pair that other tokens' wrapping keys travel to this one under. */
export const transportTemplates = (name: Named): { readonly public: Attribute[]; readonly private: Attribute[] } => ({
  public: [{ type: CKA.CLASS, value: CKO.PUBLIC_KEY }, { type: CKA.KEY_TYPE, value: CKK.RSA }, { type: CKA.TOKEN, value: true }, { type: CKA.PRIVATE, value: false }, ...named(name), ...permit(['ENCRYPT', 'VERIFY', 'WRAP'], ['WRAP']), { type: CKA.MODULUS_BITS, value: TRANSPORT_BITS }, { type: CKA.PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) }],
  private: [{ type: CKA.CLASS, value: CKO.PRIVATE_KEY }, { type: CKA.KEY_TYPE, value: CKK.RSA }, ...hidden(false), ...named(name), ...permit(['DECRYPT', 'SIGN', 'UNWRAP', 'DERIVE'], ['UNWRAP'])],
});

/** For C_CreateObject by the security officer: another token's public key that this token's wrapping key may travel under. */
export const peerTemplate = (name: Named, modulus: Buffer, exponent: Buffer): Attribute[] => [
  { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
  { type: CKA.KEY_TYPE, value: CKK.RSA },
  { type: CKA.TOKEN, value: true },
  { type: CKA.PRIVATE, value: false },
  { type: CKA.TRUSTED, value: true },
  ...named(name),
  ...permit(['ENCRYPT', 'VERIFY', 'WRAP'], ['WRAP']),
  { type: CKA.MODULUS, value: modulus },
  { type: CKA.PUBLIC_EXPONENT, value: exponent },
];

/** For C_GenerateKey by the security officer, who makes public objects only (PKCS #11 v3.0 section 5.6.8): the user copies it to a private one. */
export const wrapperTemplate = (name: Named): Attribute[] => [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
  { type: CKA.VALUE_LEN, value: 32 },
  { type: CKA.TOKEN, value: true },
  { type: CKA.PRIVATE, value: false },
  { type: CKA.SENSITIVE, value: true },
  { type: CKA.EXTRACTABLE, value: true },
  { type: CKA.WRAP_WITH_TRUSTED, value: true },
  { type: CKA.TRUSTED, value: true },
  ...named(name),
  ...permit(USES, ['WRAP']),
];

/** For C_UnwrapKey: another token's wrapping key. It unwraps here, and wraps nothing. */
export const wrapperCopyTemplate = (name: Named): Attribute[] => [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
  ...hidden(false),
  ...named(name),
  ...permit(USES, ['UNWRAP']),
];

/** A secret that is agreed on: of the session, and read out at once. */
export const sharedTemplate = (length: number): Attribute[] => [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.GENERIC_SECRET },
  { type: CKA.TOKEN, value: false },
  { type: CKA.PRIVATE, value: false },
  { type: CKA.SENSITIVE, value: false },
  { type: CKA.EXTRACTABLE, value: true },
  { type: CKA.VALUE_LEN, value: length },
];

/** CK_ULONG. */
export const numberIn = (value: Buffer | undefined): number | undefined => {
  if (value?.byteLength !== 8 && value?.byteLength !== 4) return undefined;
  const little = endianness() === 'LE';
  if (value.byteLength === 4) return little ? value.readUInt32LE() : value.readUInt32BE();
  return Number(little ? value.readBigUInt64LE() : value.readBigUInt64BE());
};
export const flagIn = (value: Buffer | undefined): boolean | undefined => (value?.byteLength === 1 ? value[0] !== 0 : undefined);

/** UTF-8, cut after `most` UTF-16 code units, and never inside of a character. */
export const textIn = (value: Uint8Array | undefined, most = 256): string => Buffer.from(value ?? []).toString('utf8').slice(0, most).replace(/[\ud800-\udbff]$/, '').replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');

/** SubjectPublicKeyInfo DER. */
export const rsaSpki = (modulus: Buffer, exponent: Buffer): Buffer =>
  createPublicKey({ key: { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') }, format: 'jwk' }).export({ type: 'spki', format: 'der' });

/** SubjectPublicKeyInfo DER of CKA_EC_POINT: a DER OCTET STRING, or from some modules the bare point. Undefined when it is neither. */
export function ecSpki(curve: CurveName, point: Buffer): Uint8Array | undefined {
  for (const raw of [unwrapped(point), point]) {
    try {
      if (raw) return writeSpki(curve, raw);
    } catch {
      // Of another length.
    }
  }
  return undefined;
}

/** The content of a DER OCTET STRING that is the whole of `der`; curves' points are shorter than 256 bytes. */
function unwrapped(der: Buffer): Buffer | undefined {
  const [tag, first = 0, second = 0] = der;
  if (tag !== 4) return undefined;
  const [length, at] = first === 0x81 ? [second, 3] : [first, 2];
  return der.byteLength === at + length ? der.subarray(at) : undefined;
}
