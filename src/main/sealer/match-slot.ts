/** Finding the slot that factors open. Refuses what is too cheap or too dear before any of it is paid. */
import { VaultError } from '../../shared/model/errors.ts';
import { copy, hex, wipe } from '../crypto/bytes.ts';
import { COST_FLOOR, costProblem } from '../seal/cost.ts';
import { FACTOR, type HeaderBody, type Slot, refused } from '../seal/header.ts';
import type { Factors, SlotType } from '../seal/protocol.ts';
import { parseRecoveryCode } from '../seal/recovery-code.ts';
import { type SlotKey, deriveSlotKey, hasFactors, missingFactor, slotCommits, wipeSlotKey } from '../seal/slots.ts';
import { TOKEN_FACTOR_LENGTH } from '../seal/token-factor.ts';
import { bytesOf, bytesUpTo, oneOf } from './checks.ts';
import { DEVICE_LENGTH, PASSWORD_LIMIT, outOfMemory } from './new-slot.ts';

export interface Match {
  readonly slot: Slot;
  /** The receiver's to wipe. */
  readonly key: SlotKey;
}

/**
 * HeaderRefusedException for a slot below the floor or over the limits. Every slot is held to floor and absolute limits; this
 * machine's memory counts only for those that are about to be tried, so that a recovery code opens a vault on a small machine.
 */
export function refuseCosts(header: HeaderBody, type: SlotType, ramBytes: number): void {
  for (const slot of header.slots) {
    const problem = slot.kdf && costProblem(slot.kdf, COST_FLOOR, slot.type === type ? ramBytes : Infinity);
    if (problem !== undefined) throw refused(`the KDF cost of a slot ${problem}`);
  }
}

function missing(slot: Slot, factors: Factors): VaultError {
  const factor = missingFactor(slot, factors);
  if (factor === 'device') return new VaultError('KeychainUnavailableException', 'this slot needs the secret in the system\'s keychain; unlock the keychain, or use the recovery code');
  if (factor === 'token') return new VaultError('ValidationException', 'a slot of type `token` opens with what a key in the token made; give its PIN');
  return new VaultError('ValidationException', `a slot of type \`${slot.type}\` opens with a ${factor === 'code' ? 'recovery code' : 'password'}; give it`);
}

function wrong(candidates: readonly Slot[], type: SlotType): VaultError {
  if (type === 'recovery') return new VaultError('IncorrectRecoveryCodeException', 'the recovery code does not open this vault; it may be an earlier one, so look for a newer');
  if (type === 'keychain') return new VaultError('KeychainUnavailableException', 'the secret in the keychain does not open this vault; use the password or the recovery code');
  if (type === 'token') return new VaultError('KeyUnavailableException', 'the token\'s key is another than the one that this slot was made with, or the keychain\'s secret beside it is; use another way to unlock');
  const withDevice = candidates.some((slot) => (slot.factors & FACTOR.device) !== 0);
  return new VaultError('IncorrectPasswordException', withDevice ? 'the password, or the keychain\'s secret that goes with it, does not open this vault; try again' : 'the password does not open this vault; try again');
}

/** Checked sizes, and the code as it was printed. What it copies is wiped by the caller. */
function checkedFactors(type: SlotType, factors: Factors): Factors {
  if (factors.password) bytesUpTo(factors.password, PASSWORD_LIMIT, 'password');
  if (factors.device) bytesOf(factors.device, DEVICE_LENGTH, 'device secret');
  if (factors.token) bytesOf(factors.token, TOKEN_FACTOR_LENGTH, 'token factor');
  const code = type === 'recovery' && factors.code ? parseRecoveryCode(bytesUpTo(factors.code, PASSWORD_LIMIT, 'recovery code')) : undefined;
  return {
    ...(factors.password ? { password: copy(factors.password) } : {}),
    ...(factors.device ? { device: copy(factors.device) } : {}),
    ...(factors.token ? { token: copy(factors.token) } : {}),
    ...(code ? { code } : {}),
  };
}

async function firstMatch(vaultId: Uint8Array, slots: readonly Slot[], factors: Factors): Promise<Match | undefined> {
  for (const slot of slots) {
    const key = await deriveSlotKey(vaultId, slot, factors);
    if (slotCommits(slot, key)) return { slot, key };
    wipeSlotKey(key);
  }
  return undefined;
}

/**
 * The slot of this type (and id) that the factors open, by its commitment. SlotNotFoundException when there is none of the type,
 * ValidationException or KeychainUnavailableException when a factor is missing, IncorrectPasswordException, KeyUnavailableException for a token's,
 * IncorrectRecoveryCodeException (mistyped ones before anything is derived), KeychainUnavailableException for a wrong device secret.
 */
export async function matchSlot(header: HeaderBody, request: { readonly slotId?: string; readonly type: SlotType; readonly factors: Factors }): Promise<Match> {
  const type = oneOf(request.type, ['password', 'recovery', 'keychain', 'token'], 'slot type');
  const candidates = header.slots.filter((slot) => slot.type === type && (request.slotId === undefined || hex(slot.slotId) === request.slotId));
  const [first] = candidates;
  if (!first) throw new VaultError('SlotNotFoundException', `this vault has no such slot of type \`${type}\`; list its slots`);
  const factors = checkedFactors(type, request.factors);
  try {
    const usable = candidates.filter((slot) => hasFactors(slot, factors));
    if (usable.length === 0) throw missing(first, factors);
    const match = await firstMatch(header.vaultId, usable, factors);
    if (!match) throw wrong(usable, type);
    return match;
  } catch (error) {
    throw error instanceof RangeError ? outOfMemory() : error;
  } finally {
    wipe(factors.password, factors.device, factors.token, factors.code);
  }
}
