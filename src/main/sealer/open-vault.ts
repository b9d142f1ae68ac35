/**
 * The vault while it is unsealed: the header that is on disk, the one that was made to follow it, and the barrier over both terms.
 *
 * Two terms exist only between a compromise and `finishTerm`. The database is then wholly under one of them (`dataTerm`): the state
 * row's record says which, and rows of the other are refused.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, copy, hex } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import { type Place, openRecord, recordTag, recordTerm, sealRecord, RECORD_NONCE_LENGTH } from '../seal/record.ts';
import type { TermKeys } from '../seal/term-keys.ts';
import { type HeldHeader, releaseHeader } from './held-header.ts';
import type { Unsealed } from './session.ts';

export const MATERIAL_SCHEMA = 1;
/** No row has this schema, so that neither passes for the other. */
const TOKEN_SCHEMA = 0x4b49;

/** What is wrong, for `details.what`. */
type Tampered = 'rows' | 'state' | 'header' | 'row';

export const tampered = (what: Tampered, message: string, details?: Record<string, string>): VaultError =>
  new VaultError('VaultTamperedException', `${message}; restore the vault's folder from a backup, or open it read-only`, { details: { what, ...details } });

export const rowTampered = (place: Pick<Place, 'table' | 'rowId'>): VaultError => {
  const row = hex(place.rowId);
  return tampered('row', `row \`${row}\` of \`${place.table}\` does not open`, { table: place.table, row });
};

export class OpenVault implements Unsealed {
  readonly random: Random;
  /** This session made the vault: only then may there be a first state row. */
  readonly isNew: boolean;
  /** Undefined once wiped: a call that was under way then must not go on with keys of zeros. */
  #current: HeldHeader | undefined;
  #proposed: HeldHeader | undefined;
  /** The term that every row is of; undefined until the state row has told, when there are two. */
  #dataTerm: number | undefined;

  constructor(random: Random, header: HeldHeader, isNew: boolean) {
    this.random = random;
    this.isNew = isNew;
    this.#current = header;
    this.#dataTerm = header.previous ? undefined : header.keys.term;
  }

  /** Throws VaultLockedException once the vault was wiped. */
  get current(): HeldHeader {
    if (!this.#current) throw new VaultError('VaultLockedException', 'the vault was locked meanwhile; unlock it and try again');
    return this.#current;
  }

  get vaultId(): Bytes {
    return this.current.header.vaultId;
  }

  /** The header that follows, until main has written it and says so. An earlier proposal is dropped. */
  propose(header: HeldHeader): void {
    if (this.#proposed) releaseHeader(this.#proposed, this.current);
    this.#proposed = header;
  }

  /** Epoch of a header that is current or proposed, by its hash. */
  epochOf(hash: Uint8Array): number | undefined {
    return [this.current, this.#proposed].find((held) => held && compareBytes(held.hash, hash) === 0)?.header.headerEpoch;
  }

  /** Takes the proposed header for the one on disk. HeaderRefusedException for bytes that are neither. */
  adopt(bytes: Uint8Array): void {
    if (compareBytes(bytes, this.current.bytes) === 0) return;
    const next = this.#proposed;
    if (!next || compareBytes(bytes, next.bytes) !== 0) {
      throw new VaultError('HeaderRefusedException', 'this is not the header that was made last; make the change again');
    }
    releaseHeader(this.current, next);
    this.#current = next;
    this.#proposed = undefined;
  }

  get dataTerm(): number | undefined {
    return this.#dataTerm;
  }

  /** Throws VaultTamperedException for a term that this vault has no root of. */
  setDataTerm(term: number): void {
    if (!this.keysOf(term)) throw tampered('state', 'the state row is of another term than the header');
    this.#dataTerm = term;
  }

  /** Keys of the current term or the one before; undefined for any other. */
  keysOf(term: number | undefined): TermKeys | undefined {
    const { keys, previous } = this.current;
    return [keys, previous].find((candidate) => candidate !== undefined && candidate.term === term);
  }

  /** Keys that rows are sealed with now. */
  get rowKeys(): TermKeys {
    const keys = this.keysOf(this.#dataTerm);
    if (!keys) throw new VaultError('InternalException', 'the state row has to be read before rows are sealed; check the database first');
    return keys;
  }

  /** The body, the caller's to wipe; undefined when it does not open in this place. */
  open(place: Place, body: Uint8Array): Bytes | undefined {
    const term = recordTerm(body);
    const keys = this.#dataTerm === undefined || this.#dataTerm === term ? this.keysOf(term) : undefined;
    return keys && openRecord(keys, place, body);
  }

  openMaterial({ rowId, version, body }: { readonly rowId: Uint8Array; readonly version: number; readonly body: Uint8Array }): Bytes {
    const place = { table: 'key_materials', rowId, version, schema: MATERIAL_SCHEMA } as const;
    const plain = this.open(place, body);
    if (!plain) throw rowTampered(place);
    return plain;
  }

  sealMaterial(rowId: Uint8Array, plain: Uint8Array): { readonly body: Bytes; readonly tag: Uint8Array } {
    const place = { table: 'key_materials', rowId, version: 1, schema: MATERIAL_SCHEMA } as const;
    const body = sealRecord(this.rowKeys, place, this.random.bytes(RECORD_NONCE_LENGTH), plain);
    return { body, tag: recordTag(body) };
  }

  sealToken(rowId: Uint8Array, plain: Uint8Array): Bytes {
    return sealRecord(this.rowKeys, { table: 'key_materials', rowId, version: 1, schema: TOKEN_SCHEMA }, this.random.bytes(RECORD_NONCE_LENGTH), plain);
  }

  openToken(rowId: Uint8Array, body: Uint8Array): Bytes | undefined {
    return this.open({ table: 'key_materials', rowId, version: 1, schema: TOKEN_SCHEMA }, body);
  }

  get locatorKey(): Bytes {
    return this.current.secrets.locatorKey;
  }

  trailPrivateKey(publicKey: Uint8Array): Bytes | undefined {
    const era = this.current.secrets.eras.find((candidate) => compareBytes(candidate.trailPublicKey, publicKey) === 0);
    return era && copy(era.trailPrivateKey);
  }

  get trailPublicKeys(): readonly Bytes[] {
    return this.current.secrets.eras.map((era) => era.trailPublicKey);
  }

  get checkpointSeeds(): readonly Bytes[] {
    return this.current.secrets.eras.map((era) => era.checkpointSeed);
  }

  get checkpointSeed(): Bytes {
    const newest = this.checkpointSeeds.at(-1);
    if (!newest) throw new VaultError('InternalException', 'the header holds no checkpoint key; report this as a fault');
    return newest;
  }

  wipe(): void {
    if (this.#proposed) releaseHeader(this.#proposed);
    if (this.#current) releaseHeader(this.#current);
    this.#proposed = undefined;
    this.#current = undefined;
  }
}
