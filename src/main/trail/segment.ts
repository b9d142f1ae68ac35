/**
 * The exact bytes of a segment file: one header, then records, and nothing else. Frozen by test/fixtures/trail. Big-endian.
 *
 *   header  0 magic "KSTRAIL1" · 8 flags u32 = 0 · 12 vaultId 16 · 28 number u32, from 1 · 32 first index u64 ·
 *           40 previous 32 · 72 recipient 32 · 104 ephemeral 32 · 136 sealed start key 32 + tag 16 · 184 mac 32 · 216
 *   record  0 length u32, of the whole record · 4 flags u8 = 0 · 5 index u64 · 13 previous 32 · 45 iv 12 ·
 *           57 ciphertext n × 256 · tag 16 · mac 32
 *   inside  0 length u32 of the body · body · zeros up to a multiple of 256
 *
 * One chain runs through both: `previous` is SHA-256 of the header or record before it, whole; 32 zeros in the header of
 * segment 1. So the hash of one record commits to every byte before it in the trail.
 *
 * The start key is sealed to the vault's X25519 key: an ephemeral key pair, HKDF-SHA-512 of the shared secret with salt
 * ephemeral ‖ recipient and info label ‖ header[0..136), of which 32 bytes are an AES-256-GCM key and 12 its iv; AAD is
 * header[0..136). AES-GCM from node:crypto, because a cipher in JavaScript would leave its key in the heap of main, and
 * with it the forward security of the whole segment.
 */
import { AEAD_TAG_LENGTH, GCM_IV_LENGTH, openGcm, sealGcm } from '../crypto/aead.ts';
import { type Bytes, allocate, concat, readU32, u32, u64, utf8, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { digest, hmac, verifyHmac } from '../crypto/hmac.ts';
import { hkdf } from '../crypto/kdf.ts';
import { X25519_LENGTH, x25519PublicKey, x25519SharedSecret } from '../crypto/x25519.ts';
import type { Random } from '../platform/ports.ts';
import { RATCHET_KEY_LENGTH, encryptionKey, headerMacKey, recordMacKey, withKey } from './ratchet.ts';

export const VAULT_ID_LENGTH = 16;
export const HASH_LENGTH = 32;
const MAC_LENGTH = 32;

/** A segment ends before it would exceed either. The count keeps the check of the tail at unlock cheap. */
export const SEGMENT_MAX_RECORDS = 2048;
export const SEGMENT_MAX_BYTES = 4 * 1024 * 1024;

/** The body of one record, in bytes. */
export const BODY_MAX = 16 * 1024;

const MAGIC = utf8('KSTRAIL1');
const SEAL_LABEL = utf8('keystead/trail/v1/start-key-seal');
const AT = { flags: 8, vaultId: 12, number: 28, firstIndex: 32, previous: 40, recipient: 72, ephemeral: 104, sealed: 136, mac: 184 } as const;
export const HEADER_LENGTH = 216;

const RECORD_AT = { flags: 4, index: 5, previous: 13, iv: 45, ciphertext: 57 } as const;
const PADDING = 256;
const OVERHEAD = RECORD_AT.ciphertext + AEAD_TAG_LENGTH + MAC_LENGTH;

/** Bytes that a record with such a body takes in the file. */
export const recordLength = (bodyLength: number): number => OVERHEAD + Math.ceil((4 + bodyLength) / PADDING) * PADDING;
const RECORD_MIN = recordLength(1);
const RECORD_MAX = recordLength(BODY_MAX);

/** What a segment begins with. `previous`: the chain's hash so far (32). `recipient`: the vault's X25519 public key (32). */
export interface SegmentHeader {
  readonly number: number;
  readonly firstIndex: number;
  readonly vaultId: Uint8Array;
  readonly previous: Uint8Array;
  readonly recipient: Uint8Array;
}

/** SHA-256 of one header or record, whole: the next link of the chain. */
export const linkHash = (bytes: Uint8Array): Bytes => digest('sha256', bytes);

/**
 * The 216 bytes. `start`: the first key of this segment; `last`: the key that the segment before ended with, or `start`
 * itself for segment 1. Both stay the caller's. Throws RangeError when the recipient is no usable X25519 key.
 */
export function encodeHeader(header: SegmentHeader, start: Uint8Array, last: Uint8Array, random: Random): Bytes {
  const secret = random.bytes(X25519_LENGTH);
  const open = concat(MAGIC, u32(0), header.vaultId, u32(header.number), u64(header.firstIndex), header.previous, header.recipient, x25519PublicKey(secret));
  const shared = x25519SharedSecret(secret, header.recipient);
  wipe(secret);
  if (!shared) throw new RangeError('the trail cannot be sealed to a public key of low order');
  const sealed = withSealKey(shared, open, (key, iv) => sealGcm(key, iv, open, start));
  const body = concat(open, sealed);
  return concat(body, withKey(headerMacKey(last), (key) => hmac('sha256', key, body)));
}

/** The fields, authenticated by nothing yet; undefined when these are not the bytes of a header of this format. */
export function parseHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.byteLength !== HEADER_LENGTH || !constantTimeEqual(bytes.subarray(0, AT.flags), MAGIC) || readU32(bytes, AT.flags) !== 0) return undefined;
  const firstIndex = readIndex(bytes, AT.firstIndex);
  if (firstIndex === undefined) return undefined;
  return {
    number: readU32(bytes, AT.number),
    firstIndex,
    vaultId: bytes.subarray(AT.vaultId, AT.number),
    previous: bytes.subarray(AT.previous, AT.recipient),
    recipient: bytes.subarray(AT.recipient, AT.ephemeral),
  };
}

/** Whether whoever wrote this header had `last`. */
export const verifyHeader = (bytes: Uint8Array, last: Uint8Array): boolean =>
  withKey(headerMacKey(last), (key) => verifyHmac('sha256', key, bytes.subarray(AT.mac), bytes.subarray(0, AT.mac)));

/** The segment's first key (32), the caller's to wipe; undefined when it does not open under this private key (32). */
export function openStartKey(bytes: Uint8Array, privateKey: Uint8Array): Bytes | undefined {
  const shared = x25519SharedSecret(privateKey, bytes.subarray(AT.ephemeral, AT.sealed));
  if (!shared) return undefined;
  const open = bytes.subarray(0, AT.sealed);
  return withSealKey(shared, open, (key, iv) => openGcm(key, iv, open, bytes.subarray(AT.sealed, AT.mac)));
}

/** Takes and wipes the shared secret. */
function withSealKey<T>(shared: Bytes, open: Uint8Array, use: (key: Uint8Array, iv: Uint8Array) => T): T {
  const salt = concat(open.subarray(AT.ephemeral), open.subarray(AT.recipient, AT.ephemeral));
  const derived = hkdf('sha512', shared, salt, concat(SEAL_LABEL, open), RATCHET_KEY_LENGTH + GCM_IV_LENGTH);
  wipe(shared);
  return withKey(derived, (bytes) => use(bytes.subarray(0, RATCHET_KEY_LENGTH), bytes.subarray(RATCHET_KEY_LENGTH)));
}

/** One record under K(index). `body` is 1 to BODY_MAX bytes (RangeError). The key stays the caller's. */
export function encodeRecord(index: number, previous: Uint8Array, body: Uint8Array, key: Uint8Array, random: Random): Bytes {
  if (body.byteLength < 1 || body.byteLength > BODY_MAX) throw new RangeError('the body of a record is 1 to 16,384 bytes');
  const length = recordLength(body.byteLength);
  const record = allocate(length);
  const view = new DataView(record.buffer);
  view.setUint32(0, length);
  view.setBigUint64(RECORD_AT.index, BigInt(index));
  record.set(previous, RECORD_AT.previous);
  record.set(random.bytes(GCM_IV_LENGTH), RECORD_AT.iv);
  const plain = allocate(length - OVERHEAD);
  new DataView(plain.buffer).setUint32(0, body.byteLength);
  plain.set(body, 4);
  const iv = record.subarray(RECORD_AT.iv, RECORD_AT.ciphertext);
  record.set(withKey(encryptionKey(key), (enc) => sealGcm(enc, iv, record.subarray(0, RECORD_AT.ciphertext), plain)), RECORD_AT.ciphertext);
  const end = length - MAC_LENGTH;
  record.set(withKey(recordMacKey(key), (mac) => hmac('sha256', mac, record.subarray(0, end))), end);
  return record;
}

/** The length that the record at `offset` claims, when it can be one; its first 4 bytes must be there. */
export function claimedLength(bytes: Uint8Array, offset: number): number | undefined {
  const length = readU32(bytes, offset);
  return length >= RECORD_MIN && length <= RECORD_MAX && (length - OVERHEAD) % PADDING === 0 ? length : undefined;
}

export type RecordFault = 'index' | 'hash' | 'mac' | 'decrypt';

/** What can be said of one whole record without its key: whether it stands where it should. */
export function checkPlace(record: Uint8Array, index: number, previous: Uint8Array): RecordFault | undefined {
  if (record[RECORD_AT.flags] !== 0) return 'mac';
  if (readIndex(record, RECORD_AT.index) !== index) return 'index';
  return constantTimeEqual(record.subarray(RECORD_AT.previous, RECORD_AT.iv), previous) ? undefined : 'hash';
}

/** Whether whoever wrote this record had exactly K(index). */
export function verifyRecord(record: Uint8Array, key: Uint8Array): boolean {
  const end = record.byteLength - MAC_LENGTH;
  return withKey(recordMacKey(key), (mac) => verifyHmac('sha256', mac, record.subarray(end), record.subarray(0, end)));
}

/** The body, the caller's; undefined when it does not open or its padding is not as written here. */
export function openRecord(record: Uint8Array, key: Uint8Array): Bytes | undefined {
  const prefix = record.subarray(0, RECORD_AT.ciphertext);
  const sealed = record.subarray(RECORD_AT.ciphertext, record.byteLength - MAC_LENGTH);
  const plain = withKey(encryptionKey(key), (enc) => openGcm(enc, record.subarray(RECORD_AT.iv, RECORD_AT.ciphertext), prefix, sealed));
  if (!plain) return undefined;
  const length = readU32(plain, 0);
  if (length < 1 || length > BODY_MAX || recordLength(length) !== record.byteLength) return undefined;
  if (plain.subarray(4 + length).some((byte) => byte !== 0)) return undefined;
  const body = allocate(length);
  body.set(plain.subarray(4, 4 + length));
  wipe(plain);
  return body;
}

/** A u64 that is exact as a number; undefined otherwise. Without BigInt: it is read for every record. */
export function readIndex(bytes: Uint8Array, offset: number): number | undefined {
  const value = readU32(bytes, offset) * 0x1_0000_0000 + readU32(bytes, offset + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
