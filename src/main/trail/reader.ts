/**
 * The streaming verifier: the bytes of the segments go in, in order and in any pieces; opened records and the first thing that
 * is wrong come out. It runs in the sealer, holds one record and one key at a time, and trusts nothing that it is given but
 * `from`, the anchors and the private keys.
 *
 * A full check begins with segment 1. A check with `from` begins with the segment that holds that record: up to it the
 * hashes alone are checked, since the hash of `from` commits to every byte before; what follows is checked in full.
 * `from` may also be the record just before the first segment fed; then that segment's header hangs on its hash alone, and
 * the caller has to anchor the end.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, allocate, concat, copy, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { TrailBreak } from '../seal/protocol.ts';
import { parseKeyBlock } from './key-block.ts';
import type { Position } from './port.ts';
import { nextKey } from './ratchet.ts';
import { HASH_LENGTH, HEADER_LENGTH, checkPlace, claimedLength, linkHash, openRecord, openStartKey, parseHeader, verifyHeader, verifyRecord } from './segment.ts';

export interface OpenedRecord extends Position {
  readonly body: Uint8Array;
}

export interface Reader {
  /** `last`: the segment ends with these bytes. After the first break everything is ignored. Bodies only when `open`, only after `from`. */
  feed(segment: number, bytes: Uint8Array, last: boolean, open: boolean): readonly OpenedRecord[];
  /**
   * Compares the end with `trail.key` (its bytes) and with the sealed `state`, which must have been `from` or an anchor unless
   * the trail ends there: hashes that went by are not kept. Throws ValidationException when it was not.
   */
  finish(keyBlock: Uint8Array, state?: Position): void;
  readonly broken: TrailBreak | undefined;
  /** Records checked so far. */
  readonly records: number;
  /** The last good record; index -1 and zeros before the first. */
  readonly last: Position;
  /** Wipes the key. */
  close(): void;
}

export interface ReaderOptions {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  /** The X25519 private key (32) of one of the vault's trail keys; it stays the caller's. */
  readonly privateKeyFor: (publicKey: Uint8Array) => Uint8Array | undefined;
  readonly from?: Position;
  /** In any order; those before the first segment fed cannot be checked and are ignored. */
  readonly anchors?: readonly Position[];
}

export function createReader({ vaultId, privateKeyFor, from: given, anchors = [] }: ReaderOptions): Reader {
  // Copied, as are the anchors: what a message brought may be wiped after the call.
  const from = given && { index: given.index, hash: copy(given.hash) };
  const expected = new Map<number, Uint8Array[]>();
  for (const anchor of from ? [from, ...anchors] : anchors) {
    const hashes = expected.get(anchor.index) ?? [];
    expected.set(anchor.index, [...hashes, copy(anchor.hash)]);
  }
  const mustReach = Math.max(-1, ...expected.keys());
  const key = allocate(32);
  let broken: TrailBreak | undefined;
  let records = 0;
  let rest: Uint8Array = allocate(0);
  // The segment being read: its number, whether its header was read and its end seen, and the bytes consumed of it.
  let [segment, inside, ended, offset] = [0, false, true, 0];
  let [index, head, chain]: [number, Bytes, Bytes] = [from ? -1 : 0, allocate(HASH_LENGTH), allocate(HASH_LENGTH)];

  const fail = (what: TrailBreak['what'], at = Math.max(0, index)): void => {
    broken ??= { segment, index: at, offset, what };
    wipe(key);
  };

  const stopped = (): boolean => broken !== undefined;

  function header(bytes: Uint8Array): void {
    const first = index < 0;
    const parsed = parseHeader(bytes);
    if (parsed?.number !== segment || !constantTimeEqual(parsed.vaultId, vaultId)) return fail('header');
    if (first && from) {
      if (parsed.firstIndex > from.index + 1) return fail('missing-segment', from.index);
      if (parsed.firstIndex === from.index + 1 && !constantTimeEqual(parsed.previous, from.hash)) return fail('fork', from.index);
      index = parsed.firstIndex;
      if (index > 0) head = copy(parsed.previous);
    } else if (parsed.firstIndex !== index || !constantTimeEqual(parsed.previous, chain)) return fail('header');
    const privateKey = privateKeyFor(parsed.recipient);
    const start = privateKey && openStartKey(bytes, privateKey);
    if (!start) return fail('header');
    // Beginning in the middle, the key of the segment before is not known: `from` vouches for this header instead.
    const vouched = first && segment > 1;
    if (!vouched && !verifyHeader(bytes, segment === 1 ? start : key)) fail('header');
    if (!stopped()) key.set(start);
    wipe(start);
    chain = linkHash(bytes);
  }

  function record(bytes: Uint8Array, open: boolean): OpenedRecord | undefined {
    const trusted = from !== undefined && index <= from.index;
    const fault = checkPlace(bytes, index, chain) ?? (trusted || verifyRecord(bytes, key) ? undefined : 'mac');
    if (fault) return void fail(fault);
    const hash = linkHash(bytes);
    if (expected.get(index)?.some((anchor) => !constantTimeEqual(anchor, hash))) return void fail('fork');
    const body = open && !trusted ? openRecord(bytes, key) : undefined;
    if (open && !trusted && !body) return void fail('decrypt');
    const opened = body && { index, hash: copy(hash), body };
    const next = nextKey(key);
    key.set(next);
    wipe(next);
    head = chain = hash;
    index += 1;
    records += 1;
    return opened;
  }

  /** The length of the unit at `at`; undefined when more bytes are needed to tell. */
  function unitLength(bytes: Uint8Array, at: number): number | undefined {
    if (!inside) return HEADER_LENGTH;
    if (bytes.byteLength - at < 4) return undefined;
    const length = claimedLength(bytes, at);
    if (length === undefined) fail('mac');
    return length;
  }

  return {
    feed(number, bytes, last, open) {
      const opened: OpenedRecord[] = [];
      if (stopped()) return opened;
      if (ended) {
        const next = from && segment === 0 ? number : segment + 1;
        segment = next;
        [inside, ended, offset] = [false, false, 0];
      }
      if (number !== segment) fail('missing-segment');
      const all = rest.byteLength === 0 ? bytes : concat(rest, bytes);
      let at = 0;
      while (!stopped()) {
        const length = unitLength(all, at);
        if (length === undefined || all.byteLength - at < length) break;
        const unit = all.subarray(at, at + length);
        if (inside) {
          const one = record(unit, open);
          if (one) opened.push(one);
        } else header(unit);
        if (stopped()) break;
        inside = true;
        at += length;
        offset += length;
      }
      rest = stopped() ? allocate(0) : copy(all.subarray(at));
      if (last && !stopped()) {
        ended = true;
        if (!inside) fail(rest.byteLength === 0 ? 'missing-segment' : 'header');
        else if (rest.byteLength > 0) fail('torn');
      }
      return opened;
    },
    finish(keyBlock, state) {
      if (stopped()) return;
      if (!ended) return fail('torn');
      if (index - 1 < Math.max(state?.index ?? -1, mustReach)) return fail('behind-state');
      if (state?.index === index - 1 && !constantTimeEqual(state.hash, head)) return fail('fork', state.index);
      if (state && state.index < index - 1 && !expected.get(state.index)?.some((hash) => constantTimeEqual(hash, state.hash))) {
        throw new VaultError('ValidationException', 'the state was not among the positions that reading began with');
      }
      const block = parseKeyBlock(keyBlock);
      const fits = block?.segment === segment && block.offset === offset && block.index === index;
      const same = fits && constantTimeEqual(block.vaultId, vaultId) && constantTimeEqual(block.chain, chain) && constantTimeEqual(block.head, head);
      if (!same || !constantTimeEqual(block.key, key)) fail('next-key');
    },
    get broken() {
      return broken;
    },
    get records() {
      return records;
    },
    get last() {
      return { index: Math.max(0, index) - 1, hash: copy(head) };
    },
    close: () => wipe(key),
  };
}
