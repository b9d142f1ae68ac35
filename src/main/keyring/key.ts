/**
 * A key's life: which state allows which act, and what each transition makes of the record. Pure.
 * Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
 *
 * Defends against: use of a disabled or dying key, a key used for what it was not made for.
 * Does not: store anything, or know who asks.
 */
import { offered, type Algorithm, type KeyUsage } from '../../shared/model/algorithms.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import type { Attempt, KeyHandle, KeyRecord, KeyState } from './ports.ts';

/** What somebody wants to do with a key. */
export type Act = 'use' | 'enable' | 'disable' | 'describe' | 'edit' | 'name' | 'scheduleDeletion' | 'cancelDeletion' | 'import';

type Refusal = 'DisabledException' | 'KMSInvalidStateException';

/** Absent: allowed. */
const REFUSALS: Readonly<Record<Act, Partial<Record<KeyState, Refusal>>>> = {
  use: { Disabled: 'DisabledException', Unavailable: 'KMSInvalidStateException', PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException' },
  enable: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException' },
  disable: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException' },
  describe: {},
  edit: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException' },
  name: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException' },
  scheduleDeletion: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException' },
  cancelDeletion: { Enabled: 'KMSInvalidStateException', Disabled: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException', Unavailable: 'KMSInvalidStateException' },
  import: { PendingDeletion: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException' },
};

const NEXT_STEP: Readonly<Record<KeyState, string>> = {
  Enabled: 'is enabled',
  Disabled: 'is disabled; enable it with `keystead kms enable-key`',
  PendingDeletion: 'is pending deletion; keep it with `keystead kms cancel-key-deletion`',
  PendingReplicaDeletion: 'is pending deletion with its replicas; keep it with `keystead kms cancel-key-deletion`',
  Unavailable: 'is in a key store that is not connected; connect it with `keystead kms connect-custom-key-store`',
  PendingImport: 'is pending import; bring its key material with `keystead kms get-parameters-for-import`',
};

/** Throws DisabledException, KMSInvalidStateException, or AccessDeniedException for a key that the vault made for itself. */
export function assertAllows(key: KeyRecord, act: Act): void {
  if (key.manager && act !== 'use' && act !== 'describe') throw new VaultError('AccessDeniedException', `key \`${key.keyId}\` is the vault's own: it can be looked at, and nobody changes it`);
  const refusal = REFUSALS[act][key.state];
  if (!refusal) return;
  const why = act === 'cancelDeletion' ? 'is not pending deletion' : NEXT_STEP[key.state];
  throw new VaultError(refusal, `key \`${key.keyId}\` ${why}`);
}

export function enabled(key: KeyRecord): KeyRecord {
  assertAllows(key, 'enable');
  return { ...key, state: 'Enabled' };
}

export function disabled(key: KeyRecord): KeyRecord {
  assertAllows(key, 'disable');
  return { ...key, state: 'Disabled' };
}

const DAY = 24 * 60 * 60 * 1000;

/** `days`: 7 to 30, checked by the declaration. */
export function pendingDeletion(key: KeyRecord, days: number, now: Instant): KeyRecord {
  assertAllows(key, 'scheduleDeletion');
  return { ...key, state: 'PendingDeletion', deletionDate: instant(now + days * DAY) };
}

/** The key comes back disabled, as AWS does it: somebody has to want it again. One whose material has gone meanwhile waits for it. */
export function deletionCancelled(key: KeyRecord): KeyRecord {
  assertAllows(key, 'cancelDeletion');
  const { deletionDate: _, pendingDays: _days, ...rest } = key;
  return { ...rest, state: isWhole(key) ? 'Disabled' : 'PendingImport' };
}

/** Whether every material that the key decrypts with is here. */
export const isWhole = ({ origin, materials, imports = [] }: KeyRecord): boolean =>
  origin !== 'EXTERNAL' || (materials.length > 0 && imports.every(({ materialId, held }) => held || !materials.includes(materialId)));

/** Whether its waiting time is over. That a clock which was set or jumped makes deletions wait is the schedule's to see to. */
export const isDue = (key: KeyRecord, now: Instant): boolean => key.state === 'PendingDeletion' && key.deletionDate !== undefined && key.deletionDate <= now;

/**
 * A handle for one usage, of a key that may be used now.
 * Throws DisabledException, KMSInvalidStateException, or InvalidKeyUsageException (usage, purpose).
 */
export function openFor<U extends KeyUsage>(key: KeyRecord, usage: U, attempted?: (attempt: Attempt) => void): KeyHandle<U> {
  assertAllows(key, 'use');
  if (key.purpose !== 'kms') throw new VaultError('InvalidKeyUsageException', `key \`${key.keyId}\` is kept for \`${key.purpose}\` and cannot be used by kms operations`);
  if (key.usage !== usage) throw new VaultError('InvalidKeyUsageException', `key \`${key.keyId}\` is made for \`${key.usage}\`, not for \`${usage}\``);
  const { keyId, spec, purpose, materials, publicKey, hardware } = key;
  const handle = { keyId, spec, purpose, materials, ...(publicKey === undefined ? {} : { publicKey: base64ToBytes(publicKey) }), ...(hardware === undefined ? {} : { hardware, ...(attempted ? { attempted } : {}) }) };
  // The brand has no value at run time; this is the one place that gives it.
  return handle as unknown as KeyHandle<U>;
}

/** Throws InvalidKeyUsageException, as AWS does for an algorithm that the key does not offer. */
export function assertOffers(key: KeyRecord, algorithm: Algorithm): void {
  const algorithms = offered(key.spec, key.usage);
  if (algorithms.includes(algorithm)) return;
  throw new VaultError('InvalidKeyUsageException', `key \`${key.keyId}\` does not offer \`${algorithm}\`; it offers ${algorithms.map((name) => `\`${name}\``).join(', ')}`);
}
