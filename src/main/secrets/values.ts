/**
 * A version's value under its KMS key: a fresh data key for each version, wrapped by the key with the secret's ARN and the version's
 * id as encryption context, as AWS has it (`SecretARN`, `SecretVersionId`). Source: AWS Secrets Manager User Guide, "Secret
 * encryption and decryption".
 *
 *   format u8 = 1 · LP(wrapped data key) · IV 12 · AES-256-GCM ciphertext · tag 16        AAD: every byte before the IV
 *
 * Defends against: a value put into the place of another version's or another secret's, a value that was changed.
 * Does not: hide its length; the store pads what it seals.
 */
import type { Arn } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, GCM_IV_LENGTH, openGcm, sealGcm } from '../crypto/aead.ts';
import { concat, lp, readU32, u8 } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { KeyBackend, KeyHandle } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { SecretValue } from './ports.ts';

/** Bytes of the longest value, as in AWS. */
export const MAX_VALUE = 65_536;
const FORMAT = 1;
/** Format and length in front of the wrapped data key. */
const PREFIX = 5;

/** Which version of which secret a value belongs to. */
export interface ValuePlace {
  readonly arn: Arn;
  readonly versionId: string;
}

const contextOf = ({ arn, versionId }: ValuePlace): Record<string, string> => ({ SecretARN: arn, SecretVersionId: versionId });

/** `value` stays the caller's. InvalidParameterException above MAX_VALUE; else rejects as the key's backend does. */
export async function sealValue(keys: Pick<KeyBackend, 'generateDataKey'>, random: Random, key: KeyHandle<'ENCRYPT_DECRYPT'>, place: ValuePlace, value: SecretBytes): Promise<Uint8Array> {
  if (value.length > MAX_VALUE) throw new VaultError('InvalidParameterException', `the secret value must be at most ${String(MAX_VALUE)} bytes; keep large data elsewhere and its key here`);
  const { plaintext, ciphertext } = await keys.generateDataKey(key, { length: AEAD_KEY_LENGTH, context: contextOf(place) });
  using dataKey = plaintext;
  const head = concat(u8(FORMAT), lp(ciphertext));
  const iv = random.bytes(GCM_IV_LENGTH);
  const sealed = dataKey.borrow((keyBytes) => value.borrow((bytes) => sealGcm(keyBytes, iv, head, bytes)));
  return concat(head, iv, sealed);
}

/** The value, the caller's to dispose of. DecryptionFailure for whatever does not open; else rejects as the key's backend does. */
export async function openValue(keys: Pick<KeyBackend, 'decrypt'>, key: KeyHandle<'ENCRYPT_DECRYPT'>, place: ValuePlace, envelope: Uint8Array): Promise<SecretBytes> {
  const wrapped = envelope.byteLength >= PREFIX && envelope[0] === FORMAT ? readU32(envelope, 1) : -1;
  const at = PREFIX + wrapped;
  if (wrapped < 0 || envelope.byteLength < at + GCM_IV_LENGTH + AEAD_TAG_LENGTH) throw decryptionFailure();
  using dataKey = await keys.decrypt(key, { algorithm: 'SYMMETRIC_DEFAULT', ciphertext: envelope.subarray(PREFIX, at), context: contextOf(place) }).catch((error: unknown) => {
    if (error instanceof VaultError && (error.code === 'InvalidCiphertextException' || error.code === 'IncorrectKeyException')) throw decryptionFailure();
    throw error;
  });
  if (dataKey.length !== AEAD_KEY_LENGTH) throw decryptionFailure();
  const opened = dataKey.borrow((keyBytes) => openGcm(keyBytes, envelope.subarray(at, at + GCM_IV_LENGTH), envelope.subarray(0, at), envelope.subarray(at + GCM_IV_LENGTH)));
  if (!opened) throw decryptionFailure();
  return SecretBytes.take(opened);
}

/** Whether a request gives the value that a version has: text and bytes are different things. */
export const sameValue = (a: SecretValue, b: SecretValue): boolean => a.kind === b.kind && a.bytes.borrow((one) => b.bytes.borrow((other) => constantTimeEqual(one, other)));

const decryptionFailure = (): VaultError => new VaultError('DecryptionFailure', 'the secret value does not open under its key; verify the vault with `keystead doctor`');
