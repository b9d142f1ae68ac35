/**
 * A key store's connection: which state allows which act. Pure. Source: AWS KMS API Reference, the exceptions of ConnectCustomKeyStore,
 * DisconnectCustomKeyStore, UpdateCustomKeyStore, DeleteCustomKeyStore, CreateKey.
 */
import type { ConnectionError, ConnectionState } from '../../shared/api/kms-key-stores.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Place } from './processes.ts';
import { sealedPinOf } from './sealed-pins.ts';

export type StoreAct = 'connect' | 'disconnect' | 'change' | 'createKey';

/** Absent: allowed. */
const REFUSALS: Readonly<Record<StoreAct, Partial<Record<ConnectionState, string>>>> = {
  connect: { FAILED: 'has failed to connect; disconnect it first with `keystead kms disconnect-custom-key-store`', DISCONNECTING: 'is being disconnected; try again in a moment' },
  disconnect: { DISCONNECTED: 'is disconnected', DISCONNECTING: 'is being disconnected' },
  change: {
    CONNECTED: 'is connected; disconnect it first with `keystead kms disconnect-custom-key-store`',
    CONNECTING: 'is being connected; wait, and disconnect it first',
    FAILED: 'has failed to connect; disconnect it first with `keystead kms disconnect-custom-key-store`',
    DISCONNECTING: 'is being disconnected; try again in a moment',
  },
  createKey: {
    DISCONNECTED: 'is not connected; connect it with `keystead kms connect-custom-key-store`',
    CONNECTING: 'is being connected; try again in a moment',
    FAILED: 'has failed to connect; see `keystead kms describe-custom-key-stores`',
    DISCONNECTING: 'is being disconnected',
  },
};

/** Throws CustomKeyStoreInvalidStateException. */
export function assertStore(name: string, state: ConnectionState, act: StoreAct): void {
  const why = REFUSALS[act][state];
  if (why !== undefined) throw new VaultError('CustomKeyStoreInvalidStateException', `key store \`${name}\` ${why}`);
}

/** AWS's word for why a connection failed. */
export function connectionError(error: unknown): ConnectionError {
  if (!(error instanceof VaultError)) return 'INTERNAL_ERROR';
  const { code, details } = error;
  if (details?.['returned'] === 'CKR_USER_PIN_NOT_INITIALIZED') return 'USER_NOT_FOUND';
  if (code === 'IncorrectPinException') return 'INVALID_CREDENTIALS';
  if (code === 'PinLockedException') return 'USER_LOCKED_OUT';
  if (code === 'KeyUnavailableException' || code === 'ModuleRefusedException' || code === 'FileNotReadableException') return 'CLUSTER_NOT_FOUND';
  return 'INTERNAL_ERROR';
}

export interface Connection {
  readonly state: ConnectionState;
  readonly error?: ConnectionError;
}

export const needsPin = (error: unknown): boolean => error instanceof VaultError && error.details?.['returned'] === 'CKR_USER_NOT_LOGGED_IN';

/** Reaches a token; with its sealed PIN, where there is one and its process has none. */
export async function reachSealed(place: Place, reach: () => Promise<void>, giveSealed: ((place: Place) => Promise<void>) | undefined): Promise<void> {
  try {
    await reach();
  } catch (error) {
    if (!giveSealed || !needsPin(error) || !sealedPinOf(place.module, place.token)) throw error;
    await giveSealed(place);
    await reach();
  }
}

/** Errors after which a sealed PIN is not given by itself: it is wrong, doubtful, or gone. */
const NOT_GIVEN: ReadonlySet<string> = new Set(['IncorrectPinException', 'PinLockedException', 'NotFoundException']);
export const mayGiveSealed = ({ module, token }: Place, error: unknown): boolean => sealedPinOf(module, token) !== undefined && !(error instanceof VaultError && NOT_GIVEN.has(error.code));
