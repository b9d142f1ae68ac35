/**
 * As much DER (X.690 section 10) as ECDSA signatures, SubjectPublicKeyInfo and PKCS #8 need, strict and minimal: one length
 * form, no trailing bytes, no unknown structure. Public keys are matched against the one encoding that this vault writes
 * (RFC 5480 named curve, uncompressed point; RFC 8410), so that a key has one form only.
 *
 * What this does not do: parse certificates or anything nested deeper than asked for.
 */
import { type Bytes, allocate, concat, copy, fromHex, u8, wipe } from './bytes.ts';
import { constantTimeEqual } from './equal.ts';

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;

interface Element {
  readonly content: Uint8Array;
  /** Offset of the byte after it. */
  readonly end: number;
}

/** The element with this tag at `offset`, or undefined unless it is there, whole and in its shortest form. */
function readElement(bytes: Uint8Array, offset: number, tag: number): Element | undefined {
  const first = bytes[offset + 1];
  if (bytes[offset] !== tag || first === undefined) return undefined;
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 3) return undefined;
    length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + (bytes[start + i] ?? Number.NaN);
    start += count;
    if (!(length >= (count === 1 ? 0x80 : 2 ** (8 * (count - 1))))) return undefined;
  }
  const end = start + length;
  return end <= bytes.byteLength ? { content: bytes.subarray(start, end), end } : undefined;
}

/** The contents of elements with these tags, one after the other; undefined when one is not there. `end`: nothing may follow. */
function readSeries(bytes: Uint8Array | undefined, tags: readonly number[], follow: 'end' | 'any'): Uint8Array[] | undefined {
  if (!bytes) return undefined;
  const contents: Uint8Array[] = [];
  let offset = 0;
  for (const tag of tags) {
    const element = readElement(bytes, offset, tag);
    if (!element) return undefined;
    contents.push(element.content);
    offset = element.end;
  }
  return follow === 'any' || offset === bytes.byteLength ? contents : undefined;
}

/** One element: tag, shortest length, content. Content up to 65,535 bytes, else RangeError. */
export function writeElement(tag: number, content: Uint8Array): Bytes {
  const length = content.byteLength;
  if (length > 0xffff) throw new RangeError('DER element over 65,535 bytes');
  if (length < 0x80) return concat(u8(tag), u8(length), content);
  if (length < 0x100) return concat(u8(tag), u8(0x81), u8(length), content);
  return concat(u8(tag), u8(0x82), u8(length >> 8), u8(length & 0xff), content);
}

/** A positive INTEGER in `size` bytes; undefined when negative, padded without need, or longer. */
function unsigned(content: Uint8Array, size: number): Uint8Array | undefined {
  const [first, second] = content;
  if (first === undefined || first >= 0x80) return undefined;
  if (first === 0 && second !== undefined && second < 0x80) return undefined;
  const digits = first === 0 ? content.subarray(1) : content;
  if (digits.byteLength > size) return undefined;
  const out = allocate(size);
  out.set(digits, size - digits.byteLength);
  return out;
}

function writeUnsigned(digits: Uint8Array): Bytes {
  let start = 0;
  while (start < digits.byteLength - 1 && digits[start] === 0) start += 1;
  const shortest = digits.subarray(start);
  return writeElement(INTEGER, (shortest[0] ?? 0) >= 0x80 ? concat(u8(0), shortest) : shortest);
}

/** Ecdsa-Sig-Value (RFC 3279 section 2.2.3) to r ‖ s of `size` bytes each; undefined when it is not strict DER. Ranges unchecked. */
export function readEcdsaSignature(der: Uint8Array, size: number): Bytes | undefined {
  const [body] = readSeries(der, [SEQUENCE], 'end') ?? [];
  const [r, s] = readSeries(body, [INTEGER, INTEGER], 'end') ?? [];
  const left = r && unsigned(r, size);
  const right = s && unsigned(s, size);
  return left && right && concat(left, right);
}

/** r ‖ s (two halves) to Ecdsa-Sig-Value. */
export function writeEcdsaSignature(rs: Uint8Array): Bytes {
  const half = rs.byteLength / 2;
  return writeElement(SEQUENCE, concat(writeUnsigned(rs.subarray(0, half)), writeUnsigned(rs.subarray(half))));
}

interface CurveForm {
  /** Bytes before the raw public key in SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** Raw public key: 04 ‖ x ‖ y, or 32 bytes for Ed25519. */
  readonly publicLength: number;
  /** Content of the AlgorithmIdentifier. */
  readonly algorithm: Bytes;
}

const EC_PUBLIC_KEY = '06072a8648ce3d0201';
const form = (spki: string, publicLength: number, algorithm: string): CurveForm => ({ spki: fromHex(spki), publicLength, algorithm: fromHex(algorithm) });

const CURVES = {
  'P-256': form('3059301306072a8648ce3d020106082a8648ce3d030107034200', 65, `${EC_PUBLIC_KEY}06082a8648ce3d030107`),
  'P-384': form('3076301006072a8648ce3d020106052b81040022036200', 97, `${EC_PUBLIC_KEY}06052b81040022`),
  'P-521': form('30819b301006072a8648ce3d020106052b8104002303818600', 133, `${EC_PUBLIC_KEY}06052b81040023`),
  secp256k1: form('3056301006072a8648ce3d020106052b8104000a034200', 65, `${EC_PUBLIC_KEY}06052b8104000a`),
  ed25519: form('302a300506032b6570032100', 32, '06032b6570'),
} as const satisfies Record<string, CurveForm>;

export type CurveName = keyof typeof CURVES;

/** Raw public key (04 ‖ x ‖ y, or Ed25519's 32 bytes) to SubjectPublicKeyInfo DER. */
export function writeSpki(curve: CurveName, raw: Uint8Array): Bytes {
  const { spki, publicLength } = CURVES[curve];
  if (raw.byteLength !== publicLength) throw new RangeError('public key of another size');
  return concat(spki, raw);
}

/** The raw public key in an SPKI of exactly this curve and form; undefined for any other. The point is not checked. */
export function readSpki(curve: CurveName, der: Uint8Array): Uint8Array | undefined {
  const { spki, publicLength } = CURVES[curve];
  if (der.byteLength !== spki.byteLength + publicLength) return undefined;
  if (!constantTimeEqual(der.subarray(0, spki.byteLength), spki)) return undefined;
  return der.subarray(spki.byteLength);
}

const VERSION_0 = u8(0);
const VERSION_1 = u8(1);

const ED25519_PKCS8 = fromHex('302e020100300506032b657004220420');

/** RFC 8410 section 7: PKCS #8 of an Ed25519 seed (32). A copy of the seed is in it. */
export const writeEd25519Pkcs8 = (seed: Uint8Array): Bytes => concat(ED25519_PKCS8, seed);

const BIT_STRING = 0x03;
/** [1], constructed: ECPrivateKey's public key. */
const CONTEXT_1 = 0xa1;

/** RFC 5915 in PKCS #8, as openssl writes it. `scalar`: of the curve's size; `spki`: of the same key, in this file's form. Off-heap, the caller's to wipe. */
export function writeEcPkcs8(curve: CurveName, scalar: Uint8Array, spki: Uint8Array): Bytes {
  const { algorithm } = CURVES[curve];
  const point = readSpki(curve, spki);
  if (!point || scalar.byteLength !== (point.byteLength - 1) / 2) throw new RangeError('not a key of this curve');
  const publicKey = writeElement(CONTEXT_1, writeElement(BIT_STRING, concat(u8(0), point)));
  const number = writeElement(OCTET_STRING, scalar);
  const inner = writeElement(SEQUENCE, concat(writeElement(INTEGER, VERSION_1), number, publicKey));
  const key = writeElement(OCTET_STRING, inner);
  try {
    return writeElement(SEQUENCE, concat(writeElement(INTEGER, VERSION_0), writeElement(SEQUENCE, algorithm), key));
  } finally {
    wipe(number, inner, key);
  }
}

/**
 * The private scalar, `size` bytes big-endian, of a PKCS #8 (RFC 5958 version 0) that holds an ECPrivateKey (RFC 5915) of
 * exactly this curve; undefined for anything else. Off-heap, the caller's to wipe.
 */
export function readEcScalar(curve: CurveName, size: number, pkcs8: Uint8Array): Bytes | undefined {
  const [body] = readSeries(pkcs8, [SEQUENCE], 'end') ?? [];
  const [version, algorithm, key] = readSeries(body, [INTEGER, SEQUENCE, OCTET_STRING], 'end') ?? [];
  const [inner] = readSeries(key, [SEQUENCE], 'end') ?? [];
  const [one, scalar] = readSeries(inner, [INTEGER, OCTET_STRING], 'any') ?? [];
  if (!version || !algorithm || !one || scalar?.byteLength !== size) return undefined;
  if (!constantTimeEqual(version, VERSION_0) || !constantTimeEqual(one, VERSION_1)) return undefined;
  if (!constantTimeEqual(algorithm, CURVES[curve].algorithm)) return undefined;
  // The public key that may follow is not used: it would be another's word on what this scalar is.
  return copy(scalar);
}

/**
 * The point in the ECPrivateKey of a PKCS #8 that `readEcScalar` has read: undefined where none is given, false where what follows
 * the scalar is anything but this curve's name and a point of its size.
 */
export function readEcPoint(curve: CurveName, size: number, pkcs8: Uint8Array): Uint8Array | false | undefined {
  const [body] = readSeries(pkcs8, [SEQUENCE], 'end') ?? [];
  const [, , key] = readSeries(body, [INTEGER, SEQUENCE, OCTET_STRING], 'end') ?? [];
  const [inner] = readSeries(key, [SEQUENCE], 'end') ?? [];
  const head = readSeries(inner, [INTEGER, OCTET_STRING], 'any');
  if (!inner || !head) return false;
  // 3 for the version, then tag, length (at most 66: one byte) and scalar.
  let rest = inner.subarray(3 + 2 + size);
  const named = readElement(rest, 0, 0xa0);
  if (named) {
    if (!constantTimeEqual(named.content, CURVES[curve].algorithm.subarray(EC_PUBLIC_KEY.length / 2))) return false;
    rest = rest.subarray(named.end);
  }
  if (rest.byteLength === 0) return undefined;
  const [wrapped] = readSeries(rest, [CONTEXT_1], 'end') ?? [];
  const [bits] = readSeries(wrapped, [BIT_STRING], 'end') ?? [];
  return bits?.[0] === 0 && bits.byteLength === 1 + CURVES[curve].publicLength ? bits.subarray(1) : false;
}

/** The seed (32) of an Ed25519 PKCS #8 in the one form of RFC 8410 section 7, without a public key; undefined for anything else. Off-heap, the caller's to wipe. */
export function readEd25519Seed(pkcs8: Uint8Array): Bytes | undefined {
  const length = ED25519_PKCS8.byteLength;
  if (pkcs8.byteLength !== length + 32 || !constantTimeEqual(pkcs8.subarray(0, length), ED25519_PKCS8)) return undefined;
  return copy(pkcs8.subarray(length));
}

/** AlgorithmIdentifier of RFC 8017 appendix A.1: rsaEncryption, with its NULL. */
const RSA_ALGORITHM = fromHex('06092a864886f70d0101010500');

/** n, e, d, p, q, d mod (p-1), d mod (q-1), q^-1 mod p (RFC 8017 section 3.2): views, big-endian, without leading zeros. */
export type RsaNumbers = readonly [n: Uint8Array, e: Uint8Array, d: Uint8Array, p: Uint8Array, q: Uint8Array, dP: Uint8Array, dQ: Uint8Array, qInv: Uint8Array];

/** The numbers in a PKCS #8 version 0 that holds a two-prime RSAPrivateKey (RFC 8017 appendix A.1.2), all of it strict; undefined for anything else. */
export function readRsaPkcs8(pkcs8: Uint8Array): RsaNumbers | undefined {
  const [body] = readSeries(pkcs8, [SEQUENCE], 'end') ?? [];
  const [version, algorithm, key] = readSeries(body, [INTEGER, SEQUENCE, OCTET_STRING], 'end') ?? [];
  const [inner] = readSeries(key, [SEQUENCE], 'end') ?? [];
  const [two, ...rest] = readSeries(inner, Array.from({ length: 9 }, () => INTEGER), 'end') ?? [];
  if (!version || !algorithm || !two) return undefined;
  if (!constantTimeEqual(version, VERSION_0) || !constantTimeEqual(algorithm, RSA_ALGORITHM)) return undefined;
  if (!constantTimeEqual(two, VERSION_0) || !rest.every(isMinimal)) return undefined;
  return rest.map((content) => (content[0] === 0 ? content.subarray(1) : content)) as unknown as RsaNumbers;
}

/** A positive INTEGER's content in its shortest form; zero is not positive. */
function isMinimal(content: Uint8Array): boolean {
  const [first = 0x80, second = 0] = content;
  return first !== 0 ? first < 0x80 : content.byteLength > 1 && second >= 0x80;
}

/** DigestInfo up to the digest (RFC 8017 section 9.2, note 1). */
export const DIGEST_INFO = {
  sha256: fromHex('3031300d060960864801650304020105000420'),
  sha384: fromHex('3041300d060960864801650304020205000430'),
  sha512: fromHex('3051300d060960864801650304020305000440'),
} as const;
