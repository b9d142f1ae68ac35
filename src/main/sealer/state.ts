/**
 * The state row's exact bytes, and what follows from one state to the next (docs/architecture.md, "State row").
 *
 * Plaintext, big-endian: format u8 = 1 · epoch u64 · set hash 32 · header hash 32 · prepared u8 (0 or 1) · prepared header hash 32 (zeros
 * when there is none) · header epoch u64 · trail index + 1 u64 · trail hash 32 · clock u64.
 * It is sealed as a record of table `vault_state`, row id 16 zeros (there is one row), schema 1.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, allocate, compareBytes, concat, copy, u64, u8 } from '../crypto/bytes.ts';
import { Cursor, MalformedError } from '../seal/cursor.ts';
import type { RequestOf, VaultState } from '../seal/protocol.ts';
import type { Place } from '../seal/record.ts';
import { bytesOf, wholeNumber } from './checks.ts';

const STATE_SCHEMA = 1;
export const STATE_ROW_ID = allocate(16);
const STATE_FORMAT = 1;
const HASH_LENGTH = 32;
const NO_HASH = allocate(HASH_LENGTH);

export const statePlace = (version: number): Place => ({ table: 'vault_state', rowId: STATE_ROW_ID, version, schema: STATE_SCHEMA });

export function encodeState(state: VaultState): Bytes {
  return concat(
    u8(STATE_FORMAT),
    u64(state.epoch),
    state.setHash,
    state.header,
    u8(state.preparedHeader ? 1 : 0),
    state.preparedHeader ?? NO_HASH,
    u64(state.headerEpoch),
    u64(state.trailIndex + 1),
    state.trailHash,
    u64(state.clock),
  );
}

function parse(plain: Uint8Array): VaultState {
  const cursor = new Cursor(plain);
  if (cursor.u8('format') !== STATE_FORMAT) throw new MalformedError('format is unknown');
  const epoch = cursor.u64('epoch');
  const setHash = cursor.bytes(HASH_LENGTH, 'set hash');
  const header = cursor.bytes(HASH_LENGTH, 'header hash');
  const prepared = cursor.u8('prepared');
  const preparedHeader = cursor.bytes(HASH_LENGTH, 'prepared header hash');
  if (prepared > 1 || (prepared === 0 && compareBytes(preparedHeader, NO_HASH) !== 0)) throw new MalformedError('prepared header is unknown');
  const headerEpoch = cursor.u64('header epoch');
  const trailIndex = cursor.u64('trail index') - 1;
  const trailHash = cursor.bytes(HASH_LENGTH, 'trail hash');
  const clock = cursor.u64('clock');
  cursor.end('state');
  return { epoch, setHash, header, ...(prepared === 1 ? { preparedHeader } : {}), headerEpoch, trailIndex, trailHash, clock };
}

/** Undefined when these are not exactly the bytes of a state. */
export function decodeState(plain: Uint8Array): VaultState | undefined {
  try {
    return parse(plain);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** What a unit says of its moment. */
export type Moment = Pick<RequestOf<'sealUnit'>, 'trailIndex' | 'trailHash' | 'clock'>;

/** Checked and copied, since a request's bytes are gone after the call. -1 is a trail without records. */
export const momentOf = (request: Moment): Moment => ({
  trailIndex: wholeNumber(request.trailIndex, -1, 'trail index'),
  trailHash: copy(bytesOf(request.trailHash, HASH_LENGTH, 'trail hash')),
  clock: wholeNumber(request.clock, 0, 'time'),
});

/**
 * The newer of two trail positions: units may commit in another order than their intents were written in, and the state must not go back.
 * Throws VaultTamperedException when one index has two hashes: that is two trails.
 */
function laterTrail(state: VaultState, moment: Moment): Pick<VaultState, 'trailIndex' | 'trailHash'> {
  if (moment.trailIndex > state.trailIndex) return { trailIndex: moment.trailIndex, trailHash: moment.trailHash };
  if (moment.trailIndex === state.trailIndex && compareBytes(moment.trailHash, state.trailHash) !== 0) {
    throw new VaultError('VaultTamperedException', 'the trail is not the one that the database was written with; verify the trail', { details: { what: 'trail' } });
  }
  return { trailIndex: state.trailIndex, trailHash: state.trailHash };
}

type HeaderStep = NonNullable<RequestOf<'sealUnit'>['header']>;
type HeaderFields = Pick<VaultState, 'header' | 'preparedHeader' | 'headerEpoch'>;

function headerFields(state: VaultState, step: HeaderStep | undefined): HeaderFields {
  if (!step) return { header: state.header, ...(state.preparedHeader ? { preparedHeader: state.preparedHeader } : {}), headerEpoch: state.headerEpoch };
  if ('prepare' in step) {
    return { header: state.header, preparedHeader: copy(bytesOf(step.prepare, HASH_LENGTH, 'header hash')), headerEpoch: state.headerEpoch };
  }
  const current = bytesOf(step.current, HASH_LENGTH, 'header hash');
  const known = compareBytes(current, state.header) === 0 || (state.preparedHeader && compareBytes(current, state.preparedHeader) === 0);
  if (!known) throw new VaultError('ValidationException', 'a header becomes current only after it was prepared; prepare it first');
  return { header: copy(current), headerEpoch: wholeNumber(step.headerEpoch, state.headerEpoch, 'header epoch') };
}

/** The state after a unit: one epoch on, never back in trail or time. */
export const nextState = (state: VaultState, setHash: Bytes, request: Moment, step?: HeaderStep): VaultState => {
  const moment = momentOf(request);
  return {
    epoch: state.epoch + 1,
    setHash,
    ...headerFields(state, step),
    ...laterTrail(state, moment),
    clock: Math.max(state.clock, moment.clock),
  };
};
