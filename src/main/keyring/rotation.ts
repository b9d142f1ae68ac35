/**
 * Rotation: a symmetric key is given new material and keeps every old one, which go on decrypting. Pure.
 * Source: AWS KMS Developer Guide, "Rotate AWS KMS keys"; at most 25 rotations on demand in a key's life (its "Resource quotas").
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { assertAllows } from './key.ts';
import type { KeyRecord, RotationType } from './ports.ts';

const DAY = 24 * 60 * 60 * 1000;

/** The plan of keys that the vault makes for itself. */
export const yearly = (now: Instant): NonNullable<KeyRecord['rotation']> => ({ periodDays: 365, next: instant(now + 365 * DAY) });

export const ON_DEMAND_LIMIT = 25;

/** Throws UnsupportedOperationException, DisabledException, KMSInvalidStateException. */
function assertPlannable(key: KeyRecord): void {
  if (key.origin === 'EXTERNAL') throw new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` has imported key material, which cannot be renewed by itself; import the next one and rotate on demand`);
  assertRotatable(key);
}

function assertRotatable(key: KeyRecord): void {
  if (key.hardware) throw new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` is in a custom key store, where keys are not rotated; make a new one and move its alias`);
  if (key.manager) throw new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` is the vault's own: it is rotated every year by itself`);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` is \`${key.spec}\`; only symmetric encryption keys are rotated: make a new key and move its alias`);
  assertAllows(key, 'use');
}

/** `periodDays`: 90 to 2,560, checked by the declaration. */
export function rotationEnabled(key: KeyRecord, periodDays: number, now: Instant): KeyRecord {
  assertPlannable(key);
  return { ...key, rotation: { periodDays, next: instant(now + periodDays * DAY) } };
}

export function rotationDisabled(key: KeyRecord): KeyRecord {
  assertPlannable(key);
  const { rotation: _, ...rest } = key;
  return rest;
}

/**
 * Throws LimitExceededException too. The plan stays as it is. A key of origin EXTERNAL takes the material that was imported for this,
 * and none from here: `materialId` is its own then.
 */
export function rotatedOnDemand(key: KeyRecord, materialId: string, now: Instant): KeyRecord {
  assertRotatable(key);
  if (key.origin === 'EXTERNAL' && key.awaiting === undefined) throw new VaultError('KMSInvalidStateException', `key \`${key.keyId}\` has no key material that waits for a rotation; import one as \`NEW_KEY_MATERIAL\` first`);
  const done = (key.rotations ?? []).filter(({ type }) => type === 'ON_DEMAND').length;
  if (done >= ON_DEMAND_LIMIT) throw new VaultError('LimitExceededException', `key \`${key.keyId}\` was rotated on demand ${String(ON_DEMAND_LIMIT)} times, which is the limit; make a new key, or enable its yearly rotation`);
  const { awaiting: _, ...rest } = rotated(key, key.awaiting ?? materialId, now, 'ON_DEMAND');
  return rest;
}

/** When the key is to be rotated next; undefined while it cannot be: then the date waits and is met once the key is enabled. */
export const nextRotation = (key: KeyRecord): Instant | undefined => (key.state === 'Enabled' ? key.rotation?.next : undefined);

export function isRotationDue(key: KeyRecord, now: Instant): boolean {
  const next = nextRotation(key);
  return next !== undefined && next <= now;
}

/** One rotation for all dates that were missed. The plan goes on from its own date where that still lies ahead, else from now. */
export function rotatedOnSchedule(key: KeyRecord, materialId: string, now: Instant): KeyRecord {
  const plan = key.rotation;
  if (plan === undefined || !isRotationDue(key, now)) throw new VaultError('InternalException', `key \`${key.keyId}\` is not due for rotation, report this`);
  const planned = plan.next + plan.periodDays * DAY;
  const next = instant(planned > now ? planned : now + plan.periodDays * DAY);
  return { ...rotated(key, materialId, now, 'AUTOMATIC'), rotation: { ...plan, next } };
}

const rotated = (key: KeyRecord, materialId: string, at: Instant, type: RotationType): KeyRecord => ({
  ...key,
  materials: [...key.materials, materialId],
  rotations: [...(key.rotations ?? []), { at, type }],
});
