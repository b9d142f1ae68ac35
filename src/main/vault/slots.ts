/**
 * The ways into the vault: listed, added, replaced, removed as retired or as compromised. Every change asks for a factor
 * again, and goes through the two-phase header.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { AttemptGate } from '../platform/ports.ts';
import type { HeaderInfo, NewSlot, SlotInfo } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { ensureDeviceSecret, measureCost, shownCode, typeOf, withFactors, withNewSlot, type Given, type SlotWish } from './factors.ts';
import { setRecoveryCodeUsed } from './recovery.ts';
import { factorSources, openOrThrow, positionOr, type OpenVault, type Vault } from './vault.ts';

export interface ChangedSlot {
  readonly slot: SlotInfo;
  readonly recoveryCode?: SecretBytes;
}

/**
 * Shows that the caller knows a factor; wrong ones meet the same delay as at unlock, and a recovery code is used up by it as there.
 * Resolves with the slot that it opens.
 */
export async function prove(vault: Vault, given: Given, attempts: AttemptGate, intent: Position | undefined): Promise<string> {
  const open = openOrThrow(vault);
  const { sealer, info } = open;
  return withFactors(given, info, factorSources(vault, info.vaultId), async (factors, type) => {
    await attempts.begin();
    const { slotId } = await sealer.call('checkFactors', { type, factors });
    await attempts.succeeded();
    if (type === 'recovery') await setRecoveryCodeUsed(vault, open, true, intent);
    return slotId;
  });
}

/** Adds a slot, or puts it in the place of another in one header. */
export const putSlot = (vault: Vault, wish: SlotWish, replaces: string | undefined, intent: Position | undefined): Promise<ChangedSlot> =>
  vault.inTurn(async () => {
    const open = openOrThrow(vault);
    const { clock, random, keychain, ramBytes } = vault.ports;
    const ports = {
      created: clock.now(),
      cost: () => measureCost(open.sealer, ramBytes),
      device: () => ensureDeviceSecret(keychain, random, open.info.vaultId),
    };
    return withNewSlot(wish, ports, async (slot: NewSlot) => {
      const made = replaces === undefined ? await open.sealer.call('addSlot', { slot }) : await open.sealer.call('replaceSlot', { slotId: replaces, slot });
      await adopt(vault, open, made.header, made.info, intent);
      const info = made.info.slots.find(({ slotId }) => slotId === made.slotId);
      if (!info) throw new VaultError('InternalException', 'the new slot is not in the new header');
      return { slot: info, ...(made.recoveryCode ? { recoveryCode: shownCode(made.recoveryCode) } : {}) };
    });
  });

export const retire = (vault: Vault, slotId: string, intent: Position | undefined): Promise<void> =>
  vault.inTurn(async () => {
    const open = openOrThrow(vault);
    const { header, info } = await open.sealer.call('retireSlot', { slotId });
    await adopt(vault, open, header, info, intent);
  });

/** A new root and new table keys; every record is encrypted again. Old copies of the vault stay open to the old factor. */
export const compromise = (vault: Vault, slotId: string, intent: Position | undefined, progress: (done: number, total: number) => void): Promise<void> =>
  vault.inTurn(async () => {
    const open = openOrThrow(vault);
    const { header, info } = await open.sealer.call('compromiseSlot', { slotId });
    await adopt(vault, open, header, info, intent);
    await open.store.changeTerm({ intent: positionOr(vault, intent) }, progress);
    await vault.trail?.rotate(info.trailPublicKey);
  });

async function adopt(vault: Vault, open: OpenVault, header: Uint8Array, info: HeaderInfo, intent: Position | undefined): Promise<void> {
  await open.store.changeHeader(header, { intent: positionOr(vault, intent), headerEpoch: info.headerEpoch });
  open.info = info;
}

/** Which slot a password change replaces: the one that the current password opens, or with a recovery code the only one. */
export function passwordSlot(slots: readonly SlotInfo[], proved: string, asked: string | undefined, given: Given): SlotInfo {
  const passwords = slots.filter(({ type }) => type === 'password');
  const wanted = typeOf(given) === 'password' ? proved : (asked ?? (passwords.length === 1 ? passwords[0]?.slotId : undefined));
  const slot = passwords.find(({ slotId }) => slotId === wanted);
  if (!slot) throw new VaultError('SlotNotFoundException', 'name the password slot to change with `--slot-id`; `keystead slot list` shows them');
  return slot;
}
