/**
 * The barrier's record: one sealed database row (SECURITY-DESIGN section 3, "Sealed record").
 *
 * Layout: format u8 = 1 · suite u8 · term u32 · nonce 24 · ciphertext · tag 16. Suite 1 is AES-256-GCM with key ‖ IV = the first 44
 * bytes of HMAC-SHA512(table key, nonce): a key for each record, so nonces are 192 random bits and never run out.
 * AAD: format · suite · term · vaultId 16 · table name (u8 length ‖ ASCII) · rowId 16 · row version u64 · schema u32.
 * Plaintext: length u32 · body · zeros up to a size bucket.
 *
 * What it defends against: reading, altering, and putting a row in another place, version, table, vault or term. What it does
 * not: putting back a whole older row or taking one away; the sealed state row is against that.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { type Bytes, allocate, copy, readU32, utf8, wipe } from '../crypto/bytes.ts';
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, GCM_IV_LENGTH } from '../crypto/aead.ts';
import { TABLES, type TableName } from './protocol.ts';
import type { TermKeys } from './term-keys.ts';

export const RECORD_FORMAT = 1;
/** The only suite of format 1. The suite follows from the term by code; the byte on disk is compared, never obeyed. */
export const RECORD_SUITE = 1;
export const RECORD_NONCE_LENGTH = 24;
export const RECORD_TAG_LENGTH = AEAD_TAG_LENGTH;
/** Largest body before padding. */
export const RECORD_LIMIT = 1024 * 1024;

const TERM_OFFSET = 2;
const NONCE_OFFSET = 6;
const BODY_OFFSET = NONCE_OFFSET + RECORD_NONCE_LENGTH;
const LENGTH_FIELD = 4;
const PAGE = 4096;

/** Where a record belongs. */
export interface Place {
  readonly table: TableName;
  /** 16 bytes. */
  readonly rowId: Uint8Array;
  readonly version: number;
  readonly schema: number;
}

/** 256, 512, 1,024, 2,048, 4,096, then multiples of 4,096: what a body of this length, its length field included, is padded to. */
export function bucketOf(length: number): number {
  if (length > PAGE) return Math.ceil(length / PAGE) * PAGE;
  let bucket = 256;
  while (bucket < length) bucket *= 2;
  return bucket;
}

const NAMES = Object.fromEntries(TABLES.map((table) => [table, utf8(table)])) as Record<TableName, Bytes>;

/*
 * Thousands of records go through here at an unlock or a re-encryption, and memory of its own for each small part costs more than the
 * ciphers. So what is used and gone within one call shares these two; the padded plaintext is wiped, the AAD is public.
 */
const AAD = allocate(64 + Math.max(...Object.values(NAMES).map((name) => name.byteLength)));
const AAD_VIEW = new DataView(AAD.buffer);
const PADDED = allocate(PAGE);

/** A view that the next call overwrites. */
function aadOf(keys: TermKeys, place: Place): Uint8Array {
  const name = NAMES[place.table];
  writePrefix(AAD, keys.term);
  AAD.set(keys.vaultId, NONCE_OFFSET);
  AAD[NONCE_OFFSET + 16] = name.byteLength;
  AAD.set(name, NONCE_OFFSET + 17);
  const row = NONCE_OFFSET + 17 + name.byteLength;
  AAD.set(place.rowId, row);
  AAD_VIEW.setUint32(row + 16, Math.floor(place.version / 2 ** 32));
  AAD_VIEW.setUint32(row + 20, place.version);
  AAD_VIEW.setUint32(row + 24, place.schema);
  return AAD.subarray(0, row + 28);
}

function writePrefix(out: Uint8Array, term: number): void {
  out[0] = RECORD_FORMAT;
  out[1] = RECORD_SUITE;
  writeU32(out, TERM_OFFSET, term);
}

function writeU32(out: Uint8Array, offset: number, value: number): void {
  for (let i = 0; i < 4; i += 1) out[offset + i] = value >>> (24 - 8 * i);
}

/** Key ‖ IV of one record, then what is left of the HMAC; to be wiped. */
const recordKey = (keys: TermKeys, table: TableName, nonce: Uint8Array): Uint8Array => createHmac('sha512', keys.table(table)).update(nonce).digest();
const keyOf = (material: Uint8Array): Uint8Array => material.subarray(0, AEAD_KEY_LENGTH);
const ivOf = (material: Uint8Array): Uint8Array => material.subarray(AEAD_KEY_LENGTH, AEAD_KEY_LENGTH + GCM_IV_LENGTH);
const OPTIONS = { authTagLength: AEAD_TAG_LENGTH } as const;

/** `plain` at most `RECORD_LIMIT`; `nonce` 24 fresh random bytes. The sealed record; its last 16 bytes are the tag. RangeError for wrong sizes. */
export function sealRecord(keys: TermKeys, place: Place, nonce: Uint8Array, plain: Uint8Array): Bytes {
  if (plain.byteLength > RECORD_LIMIT || nonce.byteLength !== RECORD_NONCE_LENGTH || place.rowId.byteLength !== 16) {
    throw new RangeError('a record, its nonce or its row id has a wrong size');
  }
  const bucket = bucketOf(LENGTH_FIELD + plain.byteLength);
  const padded = bucket <= PADDED.byteLength ? PADDED.subarray(0, bucket) : allocate(bucket);
  writeU32(padded, 0, plain.byteLength);
  padded.set(plain, LENGTH_FIELD);
  const material = recordKey(keys, place.table, nonce);
  try {
    const cipher = createCipheriv('aes-256-gcm', keyOf(material), ivOf(material), OPTIONS);
    cipher.setAAD(aadOf(keys, place));
    const record = allocate(BODY_OFFSET + bucket + RECORD_TAG_LENGTH);
    writePrefix(record, keys.term);
    record.set(nonce, NONCE_OFFSET);
    record.set(cipher.update(padded), BODY_OFFSET);
    cipher.final();
    record.set(cipher.getAuthTag(), BODY_OFFSET + bucket);
    return record;
  } finally {
    wipe(material, padded);
  }
}

/** The body, the caller's to wipe; undefined when anything does not fit: format, suite, term, place, tag, padding. */
export function openRecord(keys: TermKeys, place: Place, record: Uint8Array): Bytes | undefined {
  if (recordTerm(record) !== keys.term || place.rowId.byteLength !== 16) return undefined;
  const material = recordKey(keys, place.table, record.subarray(NONCE_OFFSET, BODY_OFFSET));
  const decipher = createDecipheriv('aes-256-gcm', keyOf(material), ivOf(material), OPTIONS);
  wipe(material);
  const tagOffset = record.byteLength - RECORD_TAG_LENGTH;
  decipher.setAAD(aadOf(keys, place));
  decipher.setAuthTag(record.subarray(tagOffset));
  const padded = decipher.update(record.subarray(BODY_OFFSET, tagOffset));
  try {
    // Throws when the tag does not fit; until then nothing of `padded` is looked at.
    decipher.final();
    return unpad(padded);
  } catch {
    return undefined;
  } finally {
    wipe(padded);
  }
}

function unpad(padded: Uint8Array): Bytes | undefined {
  if (padded.byteLength < LENGTH_FIELD) return undefined;
  const length = readU32(padded, 0);
  if (length > RECORD_LIMIT || padded.byteLength !== bucketOf(LENGTH_FIELD + length)) return undefined;
  for (let i = LENGTH_FIELD + length; i < padded.byteLength; i += 1) if (padded[i] !== 0) return undefined;
  return copy(padded.subarray(LENGTH_FIELD, LENGTH_FIELD + length));
}

/** The term that a record says it is of; undefined when it is not a record of this format and suite. */
export function recordTerm(record: Uint8Array): number | undefined {
  if (record.byteLength < BODY_OFFSET + RECORD_TAG_LENGTH || record[0] !== RECORD_FORMAT || record[1] !== RECORD_SUITE) return undefined;
  return readU32(record, TERM_OFFSET);
}

/** A view of the last 16 bytes. */
export const recordTag = (record: Uint8Array): Uint8Array => record.subarray(record.byteLength - RECORD_TAG_LENGTH);
