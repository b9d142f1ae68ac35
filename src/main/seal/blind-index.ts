/**
 * Blind index: how a sealed row is found by its one unique value (a key id, an alias, a material id). The first 16 bytes of
 * HMAC-SHA256 under a key of the term and table, so equal values are equal within a table and unrelated across tables and terms.
 * What it gives away: that two versions of a row have the same value. So never on tags, stages or anything that repeats.
 */
import { utf8 } from '../crypto/bytes.ts';
import { hmac } from '../crypto/hmac.ts';
import type { TableName } from './protocol.ts';
import type { TermKeys } from './term-keys.ts';

export const BLIND_LENGTH = 16;

/** 16 bytes. Throws TypeError for text with a lone surrogate. */
export const blindIndex = (keys: TermKeys, table: TableName, value: string): Uint8Array =>
  hmac('sha256', keys.blind(table), utf8(value)).subarray(0, BLIND_LENGTH);
