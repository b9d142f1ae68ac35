/** What opens the vault, gathered: what the person gave, and the device secret from the system's keychain. */
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { wipe } from '../crypto/bytes.ts';
import type { Keychain, Random } from '../platform/ports.ts';
import type { Factors, KdfCost, NewSlot, Sealer, SlotInfo, SlotType } from '../seal/protocol.ts';
import { calibrate } from '../seal/calibrate.ts';
import { formatRecoveryCode, parseRecoveryCode } from '../seal/recovery-code.ts';

/** One of the three, as the operations take them. */
export interface Given {
  readonly Password?: SecretBytes | undefined;
  readonly RecoveryCode?: SecretBytes | undefined;
  readonly Keychain?: true | undefined;
}

export const typeOf = (given: Given): SlotType => (given.Password ? 'password' : given.RecoveryCode ? 'recovery' : 'keychain');

const DEVICE_SECRET_BYTES = 32;
/** Of characters that the keychain's client allows. */
const deviceName = (vaultId: string): string => `device:${vaultId}`;

/** The vault's secret on this device. KeychainUnavailableException when the keychain cannot be asked, or has none. */
export async function deviceSecret(keychain: Keychain, vaultId: string): Promise<Uint8Array> {
  const secret = await keychain.get(deviceName(vaultId));
  if (!secret) throw new VaultError('KeychainUnavailableException', 'this system\'s keychain has no secret for this vault; unlock with the recovery code (`keystead unlock --recovery-code`)');
  return secret;
}

/** The existing one, or a new one that is stored and read back. */
export async function ensureDeviceSecret(keychain: Keychain, random: Random, vaultId: string): Promise<Uint8Array> {
  const known = await keychain.get(deviceName(vaultId));
  if (known) return known;
  const fresh = random.bytes(DEVICE_SECRET_BYTES);
  await keychain.set(deviceName(vaultId), fresh);
  return fresh;
}

export async function removeDeviceSecret(keychain: Keychain, vaultId: string): Promise<void> {
  await keychain.remove(deviceName(vaultId));
}

/**
 * Lends the factors for one attempt. The device secret is asked for only when a slot of this type wants it; a password
 * vault without one never touches the keychain.
 */
export async function withFactors<T>(
  given: Given,
  slots: readonly SlotInfo[],
  device: () => Promise<Uint8Array>,
  use: (factors: Factors, type: SlotType) => Promise<T>,
): Promise<T> {
  const type = typeOf(given);
  const wanted = slots.filter((slot) => slot.type === type);
  if (wanted.length === 0) throw new VaultError('SlotNotFoundException', `this vault has no way in of type \`${type}\`; \`keystead status\` shows which it has`);
  // With both kinds of password slot the plain one must still open when the keychain cannot be asked.
  const needed = wanted.every((slot) => slot.factors.includes('device'));
  const asked = wanted.some((slot) => slot.factors.includes('device'));
  const secret = needed ? await device() : asked ? await device().catch(() => undefined) : undefined;
  try {
    return await lend(given, (bytes) => use({ ...bytes, ...(secret ? { device: secret } : {}) }, type));
  } finally {
    wipe(secret);
  }
}

const lend = <T>(given: Given, use: (factors: Factors) => Promise<T>): Promise<T> => {
  if (given.Password) return given.Password.borrow((password) => use({ password }));
  if (given.RecoveryCode) {
    const code = given.RecoveryCode.borrow(parseRecoveryCode);
    return use({ code }).finally(() => { wipe(code); });
  }
  return use({});
};

/** A new code as people see it, in seven groups; wipes what the sealer made. */
export function shownCode(code: Uint8Array): SecretBytes {
  const shown = SecretBytes.take(formatRecoveryCode(code));
  wipe(code);
  return shown;
}

/** A cost of about one second on this machine, never under the floor. */
export const measureCost = (sealer: Sealer, ramBytes: number): Promise<KdfCost> =>
  calibrate(async (cost) => (await sealer.call('measureKdf', { cost })).milliseconds, ramBytes);

export interface SlotWish {
  readonly type: 'password' | 'recovery' | 'keychain';
  readonly password?: SecretBytes;
  readonly withDevice: boolean;
}

/** Lends the parts of a new slot. */
export async function withNewSlot<T>(
  wish: SlotWish,
  ports: { readonly created: number; readonly cost: () => Promise<KdfCost>; readonly device: () => Promise<Uint8Array> },
  use: (slot: NewSlot) => Promise<T>,
): Promise<T> {
  const { type, password } = wish;
  const device = wish.withDevice || type === 'keychain' ? await ports.device() : undefined;
  const deviceFactor = device ? { device } : {};
  try {
    if (!password) return await use({ type, factors: deviceFactor, created: ports.created });
    const kdf = await ports.cost();
    return await password.borrow((bytes) => use({ type, factors: { password: bytes, ...deviceFactor }, kdf, created: ports.created }));
  } finally {
    wipe(device);
  }
}
