/** What opens the vault, gathered: what the person gave, what a token's key makes, and the device secret from the system's keychain. */
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { fromHex, wipe } from '../crypto/bytes.ts';
import type { Keychain, Random } from '../platform/ports.ts';
import type { Factors, HeaderInfo, KdfCost, NewSlot, Sealer, SlotInfo, SlotType } from '../seal/protocol.ts';
import { calibrate } from '../seal/calibrate.ts';
import { formatRecoveryCode, parseRecoveryCode } from '../seal/recovery-code.ts';
import { tokenChallenge } from '../seal/token-factor.ts';

/** One of the four, as the operations take them; what follows the PIN goes with it. */
export interface Given {
  readonly Password?: SecretBytes | undefined;
  readonly RecoveryCode?: SecretBytes | undefined;
  readonly Keychain?: true | undefined;
  readonly TokenPin?: SecretBytes | undefined;
  /** Which slot, where several have a token. */
  readonly TokenSlotId?: string | undefined;
  /** That the slot's module is this file: SHA-256, hex. */
  readonly ModuleSha256?: string | undefined;
  /** Try even where one more wrong PIN locks the token. */
  readonly LastTry?: true | undefined;
}

export const typeOf = (given: Given): SlotType => (given.Password ? 'password' : given.RecoveryCode ? 'recovery' : given.TokenPin ? 'token' : 'keychain');

/** Asks keys in tokens for what opens their slots; `hardware/token-slots.ts` is it. */
export interface TokenFactors {
  /** 32 bytes, the receiver's to wipe. */
  factor(uri: string, challenge: Uint8Array, by: { readonly pin: SecretBytes; readonly lastTry: boolean; readonly moduleSha256: string | undefined }): Promise<Uint8Array>;
  end(): Promise<void>;
}

/** Where factors come from that nobody types. */
export interface FactorSources {
  readonly device: () => Promise<Uint8Array>;
  readonly tokens: TokenFactors;
}

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
  { slots, vaultId }: Pick<HeaderInfo, 'slots' | 'vaultId'>,
  { device, tokens }: FactorSources,
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
    return await lend(given, () => tokenFactor(given, wanted, vaultId, tokens), (bytes) => use({ ...bytes, ...(secret ? { device: secret } : {}) }, type));
  } finally {
    wipe(secret);
  }
}

/** What the token's key makes for the one slot that is meant. SlotNotFoundException. */
async function tokenFactor({ TokenPin: pin, TokenSlotId: id, ModuleSha256: moduleSha256, LastTry }: Given, slots: readonly SlotInfo[], vaultId: string, tokens: TokenFactors): Promise<Uint8Array> {
  const meant = id === undefined ? slots : slots.filter(({ slotId }) => slotId === id);
  const [slot] = meant;
  if (!slot) throw new VaultError('SlotNotFoundException', `this vault has no token slot \`${id ?? ''}\`; \`keystead status\` shows which it has`);
  if (meant.length > 1) throw new VaultError('SlotNotFoundException', `${String(meant.length)} tokens open this vault; name one with \`--token-slot-id\`: ${meant.map(({ slotId }) => `\`${slotId}\``).join(', ')}`);
  if (!pin || slot.tokenUri === undefined || !slot.salt) throw new VaultError('InternalException', 'a token slot without its salt, or nothing to ask its key with');
  return tokens.factor(slot.tokenUri, tokenChallenge(fromHex(vaultId), slot.salt), { pin, lastTry: LastTry === true, moduleSha256 });
}

const lend = <T>(given: Given, token: () => Promise<Uint8Array>, use: (factors: Factors) => Promise<T>): Promise<T> => {
  if (given.Password) return given.Password.borrow((password) => use({ password }));
  if (given.RecoveryCode) {
    const code = given.RecoveryCode.borrow(parseRecoveryCode);
    return use({ code }).finally(() => { wipe(code); });
  }
  if (given.TokenPin) return token().then((bytes) => use({ token: bytes }).finally(() => { wipe(bytes); }));
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
  readonly type: SlotType;
  readonly password?: SecretBytes;
  /** Of a token slot: its key's URI, the salt (32) that the key was asked with, and what it made (32), which stays the caller's. */
  readonly token?: { readonly uri: string; readonly salt: Uint8Array; readonly factor: Uint8Array };
  readonly withDevice: boolean;
}

/** Lends the parts of a new slot. */
export async function withNewSlot<T>(
  wish: SlotWish,
  ports: { readonly created: number; readonly cost: () => Promise<KdfCost>; readonly device: () => Promise<Uint8Array> },
  use: (slot: NewSlot) => Promise<T>,
): Promise<T> {
  const { type, password, token } = wish;
  const device = wish.withDevice || type === 'keychain' ? await ports.device() : undefined;
  const deviceFactor = device ? { device } : {};
  try {
    if (token) return await use({ type, factors: { token: token.factor, ...deviceFactor }, token: { uri: token.uri, salt: token.salt }, created: ports.created });
    if (!password) return await use({ type, factors: deviceFactor, created: ports.created });
    const kdf = await ports.cost();
    return await password.borrow((bytes) => use({ type, factors: { password: bytes, ...deviceFactor }, kdf, created: ports.created }));
  } finally {
    wipe(device);
  }
}
