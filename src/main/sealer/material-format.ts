/**
 * What a `key_materials` row holds when opened (schema 1):
 *
 *   format u8 = 1 ‖ LP(spec) ‖ LP(purpose) ‖ LP(keyId) ‖ materialId8 ‖ LP(key)
 *
 * `key`: PKCS #8 DER for RSA and the NIST curves; 32-byte scalar for secp256k1; 32-byte seed for Ed25519 (RFC 8032) and
 * ML-DSA (ξ, FIPS 204), 64 bytes for ML-KEM (d ‖ z, FIPS 203); raw bytes for AES and HMAC, of exactly the spec's length. Nothing follows. What the key is for travels with the key under the same seal, so that a
 * row served for another key, purpose or spec is refused by the process that holds it, whoever asks.
 */
import { KEY_PURPOSES, KEY_SPECS, type KeyPurpose, type KeySpec } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, concat, lp, readU32, u8, utf8 } from '../crypto/bytes.ts';

const MATERIAL_FORMAT = 1;
export const MATERIAL_ID_LENGTH = 8;

export interface MaterialPlain {
  readonly spec: KeySpec;
  readonly purpose: KeyPurpose;
  readonly keyId: string;
  /** 8 bytes. */
  readonly materialId: Uint8Array;
  /** When decoded: a view into the bytes given. */
  readonly key: Uint8Array;
}

export const isPurpose = (text: string): text is KeyPurpose => KEY_PURPOSES.some((purpose) => purpose === text);
export const isSpec = (text: string): text is KeySpec => Object.hasOwn(KEY_SPECS, text);

const tampered = (what: string): VaultError =>
  new VaultError('VaultTamperedException', `a key material is not what this version writes (${what}): restore the vault from a copy`);

/** Off-heap, the caller's to wipe. */
export function encodeMaterial(material: MaterialPlain): Bytes {
  if (material.materialId.byteLength !== MATERIAL_ID_LENGTH) throw new RangeError('a material id is 8 bytes');
  const body = lp(material.key);
  try {
    return concat(u8(MATERIAL_FORMAT), lp(utf8(material.spec)), lp(utf8(material.purpose)), lp(utf8(material.keyId)), material.materialId, body);
  } finally {
    body.fill(0);
  }
}

/** Strict. VaultTooNewException for a later format, VaultTamperedException for anything else. No key byte is in an error. */
export function decodeMaterial(plain: Uint8Array): MaterialPlain {
  if (plain[0] === undefined || plain[0] === 0) throw tampered('format');
  if (plain[0] > MATERIAL_FORMAT) throw new VaultError('VaultTooNewException', 'a key material was written by a later version: update Keystead');
  let offset = 1;
  const bytes = (length: number): Uint8Array => {
    if (offset + length > plain.byteLength) throw tampered('length');
    const part = plain.subarray(offset, offset + length);
    offset += length;
    return part;
  };
  const prefixed = (): Uint8Array => bytes(readU32(bytes(4), 0));
  const text = (): string => new TextDecoder('utf-8', { fatal: true }).decode(prefixed());
  let spec: string;
  let purpose: string;
  let keyId: string;
  try {
    spec = text();
    purpose = text();
    keyId = text();
  } catch {
    throw tampered('names');
  }
  const materialId = bytes(MATERIAL_ID_LENGTH);
  const key = prefixed();
  if (offset !== plain.byteLength) throw tampered('trailing bytes');
  if (!isSpec(spec)) throw tampered('spec');
  if (!isPurpose(purpose)) throw tampered('purpose');
  return { spec, purpose, keyId, materialId, key };
}
