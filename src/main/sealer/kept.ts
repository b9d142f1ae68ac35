/**
 * What main keeps for the sealer and never sees open: secret access keys, and the private key of the vault's own certificates; and PINs of
 * tokens and session tokens of remotes, which main sees while it hands one on.
 *
 *   format u8 = 1 ‖ salt 32 ‖ AES-256-GCM ciphertext ‖ tag 16
 *
 *   key 32 ‖ iv 12 = HKDF-SHA512(k_loc, salt, label ‖ vaultId 16 ‖ LP(kind) ‖ LP(name))
 *   AAD            = every byte before the ciphertext
 *
 * It stands inside a record that the barrier seals like every other, which is what hides and binds it on the disk; this seal keeps it
 * from main alone. So its key is one that does not change when a slot was compromised and every record gets a new root (k_loc).
 */
import { VaultError } from '../../shared/model/errors.ts';
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, GCM_IV_LENGTH, openGcm, sealGcm } from '../crypto/aead.ts';
import { type Bytes, concat, lp, u8, utf8, wipe } from '../crypto/bytes.ts';
import { hkdf } from '../crypto/kdf.ts';
import { LABELS } from '../seal/labels.ts';
import type { Session } from './session.ts';

const FORMAT = u8(1);
const SALT_LENGTH = 32;
const CIPHERTEXT_AT = FORMAT.byteLength + SALT_LENGTH;

/** What it is, and of what: the same bytes under another kind or name do not open. */
export interface KeptPlace {
  readonly kind: 'access-key' | 'session-token' | 'certificate-key' | 'token-pin';
  readonly name: string;
}

function withKey<T>({ unsealed }: Session, { kind, name }: KeptPlace, salt: Uint8Array, use: (key: Uint8Array, iv: Uint8Array) => T): T {
  const info = concat(LABELS.kept, unsealed.vaultId, lp(utf8(kind)), lp(utf8(name)));
  const derived = hkdf('sha512', unsealed.locatorKey, salt, info, AEAD_KEY_LENGTH + GCM_IV_LENGTH);
  try {
    return use(derived.subarray(0, AEAD_KEY_LENGTH), derived.subarray(AEAD_KEY_LENGTH));
  } finally {
    wipe(derived);
  }
}

/** `plain` stays the caller's. */
export function sealKept(session: Session, place: KeptPlace, plain: Uint8Array): Bytes {
  const head = concat(FORMAT, session.random.bytes(SALT_LENGTH));
  return withKey(session, place, head.subarray(FORMAT.byteLength), (key, iv) => concat(head, sealGcm(key, iv, head, plain)));
}

/** The caller's to wipe. VaultTooNewException for a later format, VaultTamperedException for whatever else does not open here. */
export function openKept(session: Session, place: KeptPlace, sealed: Uint8Array): Bytes {
  if ((sealed[0] ?? 0) > 1) throw new VaultError('VaultTooNewException', 'a key was sealed by a later version: update Keystead');
  const whole = sealed.byteLength >= CIPHERTEXT_AT + AEAD_TAG_LENGTH && sealed[0] === 1;
  const head = sealed.subarray(0, CIPHERTEXT_AT);
  const plain = whole ? withKey(session, place, head.subarray(FORMAT.byteLength), (key, iv) => openGcm(key, iv, head, sealed.subarray(CIPHERTEXT_AT))) : undefined;
  if (!plain) throw new VaultError('VaultTamperedException', `the sealed ${place.kind} of \`${place.name}\` does not open: restore the vault from a copy, or make a new one`);
  return plain;
}
