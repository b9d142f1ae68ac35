/**
 * The set hash: one number for all rows of the database, whatever their order, that can be kept up row by row.
 *
 * Sum mod 2^256 of HMAC-SHA256(k, table u8 ‖ rowId16 ‖ version u64 ‖ tag16) (docs/architecture.md, "State row"; the multiset hash MSet-Add-Hash
 * of Clarke et al., 2003). Nobody without k can find rows that add up to the same, and the sum itself is sealed. The record's tag
 * stands for its body: a changed body fails when it is opened.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, allocate } from '../crypto/bytes.ts';
import { TABLES, type TableName } from '../seal/protocol.ts';

/** table u8 (index in TABLES) ‖ rowId16 ‖ version u64 ‖ tag16. */
export const PACKED_LENGTH = 41;
const SUM_LENGTH = 32;
const LIMBS = 8;
const LIMB = 2 ** 32;
/** 2^20 additions of 32-bit limbs stay exact in a double; then the carries are taken. */
const CARRY_AFTER = 2 ** 20;

/** Where a row stands: all that the set hash knows of it. */
export interface RowMark {
  readonly table: TableName;
  /** 16 bytes. */
  readonly rowId: Uint8Array;
  readonly version: number;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

export function packRow(row: RowMark, out: Bytes = allocate(PACKED_LENGTH)): Bytes {
  out[0] = TABLES.indexOf(row.table);
  out.set(row.rowId, 1);
  new DataView(out.buffer).setBigUint64(17, BigInt(row.version));
  out.set(row.tag, 25);
  return out;
}

export class SetHash {
  readonly #keyed;
  readonly #scratch;
  readonly #row = allocate(PACKED_LENGTH);
  readonly #element = allocate(SUM_LENGTH);
  readonly #view = new DataView(this.#element.buffer);
  /** Most significant first; between carries each may be any whole number. */
  readonly #limbs = new Float64Array(LIMBS);
  #uncarried = 0;

  /** `key` 32 bytes; `start` 32 bytes, big-endian, else zero: the sum of no rows. */
  constructor(key: Uint8Array, start?: Uint8Array) {
    // The key's two blocks are hashed once: each row then costs two compressions.
    this.#keyed = hmac.create(sha256, key);
    this.#scratch = this.#keyed.clone();
    if (start) {
      this.#element.set(start);
      this.#accumulate(1);
    }
  }

  /** Any number of packed rows. Throws RangeError for a part of one. */
  add(packed: Uint8Array): void {
    this.#each(packed, 1);
  }

  addRow(row: RowMark): void {
    this.#each(packRow(row, this.#row), 1);
  }

  removeRow(row: RowMark): void {
    this.#each(packRow(row, this.#row), -1);
  }

  /** 32 bytes, big-endian. */
  value(): Bytes {
    this.#carry();
    const out = allocate(SUM_LENGTH);
    const view = new DataView(out.buffer);
    this.#limbs.forEach((limb, i) => {
      view.setUint32(4 * i, limb);
    });
    return out;
  }

  #each(packed: Uint8Array, sign: 1 | -1): void {
    if (packed.byteLength % PACKED_LENGTH !== 0) throw new RangeError('packed rows are cut short');
    for (let offset = 0; offset < packed.byteLength; offset += PACKED_LENGTH) {
      this.#keyed._cloneInto(this.#scratch);
      this.#scratch.update(packed.subarray(offset, offset + PACKED_LENGTH)).digestInto(this.#element);
      this.#accumulate(sign);
    }
  }

  #accumulate(sign: 1 | -1): void {
    const limbs = this.#limbs;
    for (let i = 0; i < LIMBS; i += 1) limbs[i] = (limbs[i] ?? 0) + sign * this.#view.getUint32(4 * i);
    this.#uncarried += 1;
    if (this.#uncarried === CARRY_AFTER) this.#carry();
  }

  #carry(): void {
    const limbs = this.#limbs;
    let carry = 0;
    for (let i = LIMBS - 1; i >= 0; i -= 1) {
      const sum = (limbs[i] ?? 0) + carry;
      carry = Math.floor(sum / LIMB);
      limbs[i] = sum - carry * LIMB;
    }
    this.#uncarried = 0;
  }
}
