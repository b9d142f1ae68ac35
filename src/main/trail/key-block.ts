/**
 * `trail.key`: one block of 168 bytes, overwritten in place, so that the key before is gone from the file once the next is
 * there. It says where the trail goes on and with which key. Big-endian:
 *
 *   0 magic "KSTRKEY1" · 8 vaultId 16 · 24 segment u32 · 28 offset u32 · 32 next index u64 · 40 chain 32 · 72 head 32 ·
 *   104 key 32 · 136 mac 32 · 168
 *
 * `offset`: bytes of that segment up to here. `chain`: hash of the last header or record; `head`: hash of the last record
 * (zeros before the first), which differ just after a segment has begun. The MAC is under a key made from `key`: it shows
 * damage, and not more, since whoever can write the file can read the key in it. 168 bytes from 0 lie in one sector.
 *
 * What it cannot do: erase what a journal, a snapshot or a flash translation layer keeps of the old bytes.
 */
import { type Bytes, concat, readU32, u32, u64, utf8 } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { hmac, verifyHmac } from '../crypto/hmac.ts';
import { blockMacKey, withKey } from './ratchet.ts';
import { readIndex } from './segment.ts';

export const KEY_BLOCK_LENGTH = 168;

const MAGIC = utf8('KSTRKEY1');
const AT = { vaultId: 8, segment: 24, offset: 28, index: 32, chain: 40, head: 72, key: 104, mac: 136 } as const;

/** Where the next record goes. */
export interface Tip {
  readonly segment: number;
  readonly offset: number;
  /** Of the next record. */
  readonly index: number;
  readonly chain: Uint8Array;
  readonly head: Uint8Array;
}

/** A view into the block's bytes: it dies with them. */
export interface KeyBlock extends Tip {
  readonly vaultId: Uint8Array;
  readonly key: Uint8Array;
}

/** Holds the key: the caller wipes it. */
export function encodeKeyBlock(vaultId: Uint8Array, tip: Tip, key: Uint8Array): Bytes {
  const body = concat(MAGIC, vaultId, u32(tip.segment), u32(tip.offset), u64(tip.index), tip.chain, tip.head, key);
  const block = concat(body, withKey(blockMacKey(key), (mac) => hmac('sha256', mac, body)));
  body.fill(0);
  return block;
}

/** Undefined for anything but an undamaged block. Whether it fits the trail is for the reader to say. */
export function parseKeyBlock(bytes: Uint8Array): KeyBlock | undefined {
  if (bytes.byteLength !== KEY_BLOCK_LENGTH || !constantTimeEqual(bytes.subarray(0, AT.vaultId), MAGIC)) return undefined;
  const key = bytes.subarray(AT.key, AT.mac);
  if (!withKey(blockMacKey(key), (mac) => verifyHmac('sha256', mac, bytes.subarray(AT.mac), bytes.subarray(0, AT.mac)))) return undefined;
  const index = readIndex(bytes, AT.index);
  if (index === undefined) return undefined;
  return {
    vaultId: bytes.subarray(AT.vaultId, AT.segment),
    segment: readU32(bytes, AT.segment),
    offset: readU32(bytes, AT.offset),
    index,
    chain: bytes.subarray(AT.chain, AT.head),
    head: bytes.subarray(AT.head, AT.key),
    key,
  };
}
