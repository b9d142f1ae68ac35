/** The state check: whether the rows in the file are the ones that the sealed state row speaks of. Nothing is written. */
import { createHash } from 'node:crypto';

import { VaultError } from '../../shared/model/errors.ts';
import { TABLES, type Sealer, type VaultState } from '../seal/protocol.ts';
import type { StoreState } from './port.ts';
import type { Rows } from './rows.ts';

/** Above this many rows the check runs while reads are served already. */
export const BACKGROUND_ABOVE = 50_000;

export interface Checked {
  readonly state: StoreState;
  /** The state row's own version. */
  readonly stateVersion: number;
}

export const headerHash = (header: Uint8Array): Uint8Array => createHash('sha256').update(header).digest();

export const countRows = (rows: Rows): number => TABLES.reduce((sum, table) => sum + rows.count(table), 0);

/**
 * Compares every row with the state. VaultTamperedException when they do not agree, or the state row does not open, or
 * the header is neither the current nor the prepared one. `pause` is awaited between packs of 4,096 rows.
 */
export async function checkRows(sealer: Sealer, rows: Rows, header: Uint8Array, pause?: () => Promise<void>): Promise<Checked> {
  await sealer.call('checkBegin', {});
  // One call ahead: the sealer hashes one pack while the next is read.
  let sent: Promise<unknown> = Promise.resolve();
  for (const packed of rows.packedCoordinates()) {
    await sent;
    sent = sealer.call('checkRows', { packed });
    sent.catch(() => undefined);
    await pause?.();
  }
  await sent;
  return finish(sealer, rows, header, true);
}

/** Opens the state row, without looking at the others. VaultTamperedException. */
export async function openState(sealer: Sealer, rows: Rows, header: Uint8Array): Promise<Checked> {
  await sealer.call('checkBegin', {});
  return finish(sealer, rows, header, false);
}

/** For reading a vault whose state row does not open: nothing is known of it. */
export function unknownState(header: Uint8Array): Checked {
  return { state: { epoch: 0, header: headerHash(header), headerEpoch: 0, trailIndex: -1, trailHash: new Uint8Array(32), clock: 0 }, stateVersion: 0 };
}

export const isTampered = (error: unknown): boolean => error instanceof VaultError && error.code === 'VaultTamperedException';

export function storeStateOf({ setHash: _kept, ...state }: VaultState): StoreState {
  return state;
}

async function finish(sealer: Sealer, rows: Rows, header: Uint8Array, complete: boolean): Promise<Checked> {
  const row = rows.state();
  const { state } = await sealer.call('checkFinish', { stateBody: row.body, stateRowVersion: row.version, headerHash: headerHash(header), complete });
  return { state: storeStateOf(state), stateVersion: row.version };
}
