/**
 * Key slots: how factors become the root, and how the root is renewed for all slots without their factors (SECURITY-DESIGN
 * section 3, "Header").
 *
 * factors → KEK ‖ commitment → the slot's X25519 private key → the root that is wrapped to its public key. Only the last step is
 * redone when the root is renewed, and it needs no factor.
 *
 * What it defends against: relabelled or mixed slots (everything that a slot says of itself is in the KEK's derivation), one
 * factor standing in for another (fixed positions), a ciphertext made to open under two passwords (the commitment is compared
 * first). What it does not do: decide which slots may exist, or check the header's MAC; that is the sealer's.
 */
import { type Bytes, concat, lp, u32, utf8, wipe } from '../crypto/bytes.ts';
import { XCHACHA_NONCE_LENGTH, openXChaCha, sealXChaCha } from '../crypto/aead.ts';
import { argon2id, hkdf } from '../crypto/kdf.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { x25519PublicKey, x25519SharedSecret } from '../crypto/x25519.ts';
import type { Random } from '../platform/ports.ts';
import { FACTOR, type RootWrap, type Slot, type SlotDescriptor, encodeDescriptor } from './header.ts';
import { LABELS } from './labels.ts';
import { normalPassword } from './password.ts';
import type { Factors, KdfCost } from './protocol.ts';

const KEY_LENGTH = 32;
const NONE = utf8('');

/** Both 32 bytes, the caller's to wipe. */
export interface SlotKey {
  readonly kek: Bytes;
  readonly commit: Bytes;
}

export const wipeSlotKey = (key: SlotKey): void => {
  wipe(key.kek, key.commit);
};

/** Whether everything that the slot asks for is among the factors. */
export const hasFactors = (slot: SlotDescriptor, factors: Factors): boolean =>
  missingFactor(slot, factors) === undefined;

/** The first factor that the slot asks for and that is not there. */
export function missingFactor(slot: SlotDescriptor, factors: Factors): keyof typeof FACTOR | undefined {
  const asks = (bit: number): boolean => (slot.factors & bit) !== 0;
  if (asks(FACTOR.token) && !factors.token) return 'token';
  if (asks(FACTOR.password) && !factors.password) return 'password';
  if (asks(FACTOR.code) && !factors.code) return 'code';
  if (asks(FACTOR.device) && !factors.device) return 'device';
  return undefined;
}

/**
 * KEK ‖ commitment = HKDF-SHA512(LP(Argon2id(password)) ‖ LP(device) ‖ LP(token) ‖ LP(code), salt = slotId,
 * info = label ‖ vaultId ‖ descriptor); a factor that the slot does not have is LP of nothing, whatever was given.
 * The cost was judged before. Rejects with RangeError when Argon2id finds too little memory.
 */
export async function deriveSlotKey(vaultId: Uint8Array, slot: SlotDescriptor, factors: Factors): Promise<SlotKey> {
  const device = (slot.factors & FACTOR.device) !== 0 ? factors.device : undefined;
  const token = (slot.factors & FACTOR.token) !== 0 ? factors.token : undefined;
  const code = (slot.factors & FACTOR.code) !== 0 ? factors.code : undefined;
  const stretched = slot.kdf && factors.password ? await stretch(factors.password, slot.salt, slot.kdf) : undefined;
  const parts = [stretched, device, token, code].map((part) => lp(part ?? NONE));
  const material = concat(...parts);
  const info = concat(LABELS.slotKek, vaultId, encodeDescriptor(slot));
  const both = hkdf('sha512', material, slot.slotId, info, 2 * KEY_LENGTH);
  const key = { kek: concat(both.subarray(0, KEY_LENGTH)), commit: concat(both.subarray(KEY_LENGTH)) };
  wipe(stretched, ...parts, material, both);
  return key;
}

async function stretch(typed: Uint8Array, salt: Uint8Array, cost: KdfCost): Promise<Bytes> {
  const password = normalPassword(typed);
  try {
    return await argon2id(password, salt, cost, KEY_LENGTH);
  } finally {
    wipe(password);
  }
}

/** In constant time. */
export const slotCommits = (slot: Slot, key: SlotKey): boolean => constantTimeEqual(slot.commit, key.commit);

const privateAad = (vaultId: Uint8Array, slot: SlotDescriptor): Bytes => concat(LABELS.slotPrivate, vaultId, encodeDescriptor(slot));

/** A slot without its root: everything that needs the factors. `publicKey` of the plan is filled in here. */
export async function draftSlot(
  random: Random,
  vaultId: Uint8Array,
  plan: Omit<SlotDescriptor, 'publicKey'>,
  factors: Factors,
): Promise<Omit<Slot, 'wrap'>> {
  const privateKey = random.bytes(KEY_LENGTH);
  const descriptor = { ...plan, publicKey: x25519PublicKey(privateKey) };
  const key = await deriveSlotKey(vaultId, descriptor, factors);
  const nonce = random.bytes(XCHACHA_NONCE_LENGTH);
  const sealed = concat(nonce, sealXChaCha(key.kek, nonce, privateAad(vaultId, descriptor), privateKey));
  wipe(privateKey, key.kek);
  return { ...descriptor, commit: key.commit, privateKey: sealed };
}

const wrapAad = (vaultId: Uint8Array, slot: SlotDescriptor, generation: number, ephemeral: Uint8Array): Bytes =>
  concat(LABELS.rootWrap, vaultId, slot.slotId, u32(generation), ephemeral, slot.publicKey);

/** Key of the wrap: HKDF-SHA512(X25519, salt = ephemeral ‖ public, info = the wrap's AAD). Consumes the shared secret. */
function wrapKey(shared: Bytes, ephemeral: Uint8Array, slot: SlotDescriptor, aad: Uint8Array): Bytes {
  const key = hkdf('sha512', shared, concat(ephemeral, slot.publicKey), aad, KEY_LENGTH);
  wipe(shared);
  return key;
}

/** The root (32) of a term for whoever has the slot's private key. Throws RangeError for a public key of low order, which no slot made here has. */
export function wrapRoot(random: Random, vaultId: Uint8Array, slot: SlotDescriptor, root: Uint8Array, generation: number): RootWrap {
  const ephemeralPrivate = random.bytes(KEY_LENGTH);
  const ephemeral = x25519PublicKey(ephemeralPrivate);
  const shared = x25519SharedSecret(ephemeralPrivate, slot.publicKey);
  wipe(ephemeralPrivate);
  if (!shared) throw new RangeError('the slot has no usable public key');
  const aad = wrapAad(vaultId, slot, generation, ephemeral);
  const key = wrapKey(shared, ephemeral, slot, aad);
  const nonce = random.bytes(XCHACHA_NONCE_LENGTH);
  const sealed = concat(nonce, sealXChaCha(key, nonce, aad, root));
  wipe(key);
  return { ephemeral, generation, sealed };
}

/** The root, 32 bytes, the caller's to wipe; undefined when the slot was altered after its commitment fitted. */
export function openSlot(vaultId: Uint8Array, slot: Slot, key: SlotKey): Bytes | undefined {
  const nonce = slot.privateKey.subarray(0, XCHACHA_NONCE_LENGTH);
  const privateKey = openXChaCha(key.kek, nonce, privateAad(vaultId, slot), slot.privateKey.subarray(XCHACHA_NONCE_LENGTH));
  if (!privateKey) return undefined;
  const { ephemeral, generation, sealed } = slot.wrap;
  const shared = x25519SharedSecret(privateKey, ephemeral);
  wipe(privateKey);
  if (!shared) return undefined;
  const aad = wrapAad(vaultId, slot, generation, ephemeral);
  const wrapping = wrapKey(shared, ephemeral, slot, aad);
  const root = openXChaCha(wrapping, sealed.subarray(0, XCHACHA_NONCE_LENGTH), aad, sealed.subarray(XCHACHA_NONCE_LENGTH));
  wipe(wrapping);
  return root;
}
