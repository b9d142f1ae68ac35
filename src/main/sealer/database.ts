/**
 * The database as one thing: the state row that was checked, the unit that is being committed, and the check itself.
 *
 * What it defends against: rows put back, taken away, swapped or added behind the vault's back; a state row of another moment; a
 * header that is not the database's. What it does not do: repair. A mismatch is an error, and nothing is sealed until a check of the
 * whole database has passed.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, copy, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { type Change, type ReplyOf, type RequestOf, type SealedChange, TABLES, type VaultState } from '../seal/protocol.ts';
import { blindIndex } from '../seal/blind-index.ts';
import { RECORD_LIMIT, RECORD_NONCE_LENGTH, RECORD_TAG_LENGTH, openRecord, recordTag, recordTerm, sealRecord } from '../seal/record.ts';
import type { TermKeys } from '../seal/term-keys.ts';
import { bytesOf, bytesUpTo, listOf, oneOf, wholeNumber } from './checks.ts';
import { MATERIAL_SCHEMA, type OpenVault, rowTampered, tampered } from './open-vault.ts';
import { PACKED_LENGTH, SetHash } from './set-hash.ts';
import { decodeState, encodeState, momentOf, nextState, statePlace } from './state.ts';

/** Tables that a unit may write or remove in; the state row is the sealer's own. */
export const ROW_TABLES = TABLES.filter((table) => table !== 'vault_state');
/** Tables that main may see the rows of. */
export const OPENABLE = ROW_TABLES.filter((table) => table !== 'key_materials');
const STATE_TABLE = TABLES.indexOf('vault_state');
export const ROW_ID_LENGTH = 16;

interface Known {
  readonly state: VaultState;
  /** Row version of the state row. */
  readonly version: number;
  /** Every row was compared: writing is allowed. */
  readonly whole: boolean;
}

interface Pending {
  readonly known: Known;
  /** The term of every row once this is committed. */
  readonly term: number;
  readonly reencrypted: boolean;
}

const conflict = (message: string): VaultError => new VaultError('InternalException', message);

/** The blind index of a row that has a unique value. Throws ValidationException for text that has no UTF-8 form. */
export const uniqueIndex = (keys: TermKeys, table: Change['table'], value: string | undefined): { blind?: Uint8Array } => {
  if (value === undefined) return {};
  try {
    return { blind: blindIndex(keys, table, value) };
  } catch {
    throw new VaultError('ValidationException', 'a unique value must be well-formed text; choose another name');
  }
};

export class Database {
  readonly #vault: OpenVault;
  #known: Known | undefined;
  #pending: Pending | undefined;
  /** One sum for each term that the rows may be of, until the state row has told. */
  #check: readonly { readonly keys: TermKeys; readonly sum: SetHash }[] | undefined;

  constructor(vault: OpenVault) {
    this.#vault = vault;
  }

  checkBegin(): void {
    const { keys, previous } = this.#vault.current;
    this.#check = [keys, ...(previous ? [previous] : [])].map((candidate) => ({ keys: candidate, sum: new SetHash(candidate.setHash) }));
  }

  checkRows(packed: Uint8Array): void {
    if (!this.#check) throw conflict('a check of the database has to be begun first; begin it');
    if (!(packed instanceof Uint8Array) || packed.byteLength % PACKED_LENGTH !== 0) throw tampered('rows', 'the rows to check are cut short');
    for (let offset = 0; offset < packed.byteLength; offset += PACKED_LENGTH) {
      const table = packed[offset] ?? TABLES.length;
      if (table >= TABLES.length || table === STATE_TABLE) throw tampered('rows', 'there is a row of a table that this vault has not');
    }
    for (const { sum } of this.#check) sum.add(packed);
  }

  checkFinish(request: RequestOf<'checkFinish'>): VaultState {
    const { stateRowVersion: version, complete } = request;
    const { keys, state } = this.#openState(request.stateBody, wholeNumber(version, 1, 'row version'));
    this.#checkHeader(state, request.headerHash);
    if (this.#known && this.#known.state.epoch > state.epoch) throw tampered('state', 'the state row is older than one that was seen before');
    if (complete) this.#compare(keys, state);
    this.#vault.setDataTerm(keys.term);
    this.#known = { state, version, whole: complete };
    return state;
  }

  #openState(body: Uint8Array, version: number): { readonly keys: TermKeys; readonly state: VaultState } {
    const keys = body instanceof Uint8Array ? this.#vault.keysOf(recordTerm(body)) : undefined;
    const plain = keys && openRecord(keys, statePlace(version), body);
    const state = plain && decodeState(plain);
    wipe(plain);
    if (!keys || !state) throw tampered('state', 'the state row does not open');
    return { keys, state };
  }

  /** The header on disk must be the state's, or the one that was prepared to follow it. */
  #checkHeader(state: VaultState, given: Uint8Array): void {
    const { hash, header } = this.#vault.current;
    const isCurrent = compareBytes(hash, state.header) === 0 && header.headerEpoch === state.headerEpoch;
    const isPrepared = state.preparedHeader !== undefined && compareBytes(hash, state.preparedHeader) === 0 && header.headerEpoch > state.headerEpoch;
    if (compareBytes(bytesOf(given, 32, 'header hash'), hash) !== 0 || !(isCurrent || isPrepared)) {
      throw tampered('header', 'the header is not the one that the database was written with', { headerEpoch: String(header.headerEpoch), expectedEpoch: String(state.headerEpoch) });
    }
  }

  #compare(keys: TermKeys, state: VaultState): void {
    const check = this.#check?.find((candidate) => candidate.keys === keys);
    this.#check = undefined;
    if (!check) throw conflict('a check of the database has to be begun first; begin it');
    if (!constantTimeEqual(check.sum.value(), state.setHash)) throw tampered('rows', 'rows of the database are missing, were put back or were added');
  }

  createState(request: RequestOf<'createState'>): ReplyOf<'createState'> {
    const { hash, header } = this.#vault.current;
    if (!this.#vault.isNew || this.#known) throw conflict('this vault has a state row already; open it instead');
    if (compareBytes(bytesOf(request.headerHash, 32, 'header hash'), hash) !== 0) throw new VaultError('ValidationException', 'the header hash is not that of the vault\'s header; report this as a fault');
    const keys = this.#vault.rowKeys;
    const state = { epoch: 1, setHash: new SetHash(keys.setHash).value(), header: copy(hash), headerEpoch: header.headerEpoch, ...momentOf(request) };
    this.#known = { state, version: 1, whole: true };
    return { ...this.#sealState(keys, this.#known, this.#vault.random.bytes(RECORD_NONCE_LENGTH)), state };
  }

  /** The state that was checked, when a unit may be sealed on it. VaultReadOnlyException. */
  writable(): Known {
    if (this.#pending) throw conflict('a unit is being committed; confirm or abandon it first');
    if (!this.#known?.whole) throw new VaultError('VaultReadOnlyException', 'the whole database has not been checked, so nothing is written; wait for the check or restore a backup');
    return this.#known;
  }

  sealUnit(request: RequestOf<'sealUnit'>): ReplyOf<'sealUnit'> {
    const { state, version } = this.writable();
    if (request.stateRowVersion !== version + 1) throw new VaultError('ValidationException', `the state row's next version is ${String(version + 1)}; read it again`);
    const keys = this.#vault.rowKeys;
    const changes = listOf(request.changes, 'list of changes');
    const sum = new SetHash(keys.setHash, state.setHash);
    const nonces = this.#vault.random.bytes(RECORD_NONCE_LENGTH * (changes.length + 1));
    const nonce = (i: number): Uint8Array => nonces.subarray(i * RECORD_NONCE_LENGTH, (i + 1) * RECORD_NONCE_LENGTH);
    const rows = changes.map((change, i) => this.#seal(change, keys, sum, nonce(i)));
    this.#checkStep(request.header);
    const known = { state: nextState(state, sum.value(), request, request.header), version: version + 1, whole: true };
    this.#pending = { known, term: keys.term, reencrypted: false };
    return { rows, ...this.#sealState(keys, known, nonce(changes.length)), epoch: known.state.epoch };
  }

  /** A header that becomes current under a wrong epoch would lock the vault's owner out at the next unlock. */
  #checkStep(step: RequestOf<'sealUnit'>['header']): void {
    if (!step || !('current' in step)) return;
    const epoch = this.#vault.epochOf(bytesOf(step.current, 32, 'header hash'));
    if (epoch !== undefined && epoch !== step.headerEpoch) throw new VaultError('ValidationException', `the epoch of that header is ${String(epoch)}; report this as a fault`);
  }

  #seal(change: Change, keys: TermKeys, sum: SetHash, nonce: Uint8Array): SealedChange {
    const table = oneOf(change.table, ROW_TABLES, 'table');
    const rowId = bytesOf(change.rowId, ROW_ID_LENGTH, 'row id');
    const version = wholeNumber(change.version, 1, 'row version');
    if (change.kind === 'remove') {
      sum.removeRow({ table, rowId, version, tag: bytesOf(change.oldTag, RECORD_TAG_LENGTH, 'tag') });
      return {};
    }
    const body = change.kind === 'putSealed' ? this.#materialBody(change) : this.#sealPlain(change, keys, nonce);
    if (version > 1) sum.removeRow({ table, rowId, version: version - 1, tag: bytesOf(change.kind === 'put' ? change.oldTag : undefined, RECORD_TAG_LENGTH, 'old tag') });
    else if (change.kind === 'put' && change.oldTag !== undefined) throw new VaultError('ValidationException', 'a first version replaces nothing; leave the old tag out');
    const tag = recordTag(body);
    sum.addRow({ table, rowId, version, tag });
    return { body, tag, ...uniqueIndex(keys, table, change.unique) };
  }

  #sealPlain(change: Extract<Change, { kind: 'put' }>, keys: TermKeys, nonce: Uint8Array): Bytes {
    const place = {
      table: oneOf(change.table, OPENABLE, 'table'),
      rowId: change.rowId,
      version: change.version,
      schema: wholeNumber(change.schema, 1, 'schema'),
    };
    return sealRecord(keys, place, nonce, bytesUpTo(change.plain, RECORD_LIMIT, 'record'));
  }

  /** A material was sealed in a call before: it has to open where it is going, or the key would be lost later. */
  #materialBody(change: Extract<Change, { kind: 'putSealed' }>): Bytes {
    const place = { table: oneOf(change.table, ['key_materials'], 'table'), rowId: change.rowId, version: 1, schema: MATERIAL_SCHEMA } as const;
    if (change.body instanceof Uint8Array && (recordTerm(change.body) ?? this.#vault.dataTerm) !== this.#vault.dataTerm) {
      throw new VaultError('KMSInternalException', 'the vault\'s root was renewed while the key was made; make the key again');
    }
    const plain = change.body instanceof Uint8Array ? this.#vault.open(place, change.body) : undefined;
    if (!plain) throw rowTampered(place);
    wipe(plain);
    return copy(change.body);
  }

  #sealState(keys: TermKeys, { state, version }: Known, nonce: Uint8Array): { readonly stateBody: Uint8Array; readonly stateTag: Uint8Array } {
    const stateBody = sealRecord(keys, statePlace(version), nonce, encodeState(state));
    return { stateBody, stateTag: recordTag(stateBody) };
  }

  /** The state row of a whole re-encryption, pending like a unit. `keys`: of the new term. */
  sealReencrypted(keys: TermKeys, setHash: Bytes, request: RequestOf<'resealState'>): ReplyOf<'resealState'> {
    const { state, version } = this.writable();
    if (request.rowVersion !== version + 1) throw new VaultError('ValidationException', `the state row's next version is ${String(version + 1)}; read it again`);
    const known = { state: nextState(state, setHash, request), version: version + 1, whole: true };
    this.#pending = { known, term: keys.term, reencrypted: true };
    return this.#sealState(keys, known, this.#vault.random.bytes(RECORD_NONCE_LENGTH));
  }

  /** Confirms a pending re-encryption, if there is one: whoever finishes the term has committed it. */
  confirmReencrypted(): void {
    if (this.#pending?.reencrypted) this.confirm(this.#pending.known.state.epoch);
  }

  confirm(epoch: number): void {
    const pending = this.#take(epoch);
    this.#known = pending.known;
    this.#vault.setDataTerm(pending.term);
  }

  abandon(epoch: number): void {
    this.#take(epoch);
  }

  #take(epoch: number): Pending {
    const pending = this.#pending;
    if (!pending) throw conflict('no unit is being committed; read the state again');
    if (pending.known.state.epoch !== epoch) throw conflict(`the unit of epoch \`${String(epoch)}\` is not being committed; read the state again`);
    this.#pending = undefined;
    return pending;
  }
}

