/** What handlers that use a key ask before they do. Pure. */
import type { EncryptionUse, KeyHandle, KeyRecord } from '../keyring/ports.ts';
import { algorithmOf, keySpecOf, type Algorithm, type KeySpec } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { assertOffers, openFor } from '../keyring/key.ts';
import { keyMaterialId } from '../keyring/metadata.ts';

/** RFC 8017 section 7.1.1: k - 2 hLen - 2. */
export function maxPlaintext(spec: KeySpec, algorithm: Algorithm): number {
  if (algorithmOf(algorithm).scheme !== 'oaep') return 4096;
  return keySpecOf(spec).bits / 8 - 2 * (algorithm === 'RSAES_OAEP_SHA_1' ? 20 : 32) - 2;
}

/**
 * A key opened to encrypt or decrypt in this way. As in AWS, only symmetric encryption binds a context; with RSA it would silently
 * protect nothing. Throws what `openFor` and `assertOffers` throw, and ValidationException for a context with RSA.
 */
export function encryptionUse(key: KeyRecord, algorithm: Algorithm, context: Readonly<Record<string, string>>, attempted?: KeyHandle<never>['attempted']): EncryptionUse {
  const handle = openFor(key, 'ENCRYPT_DECRYPT', attempted);
  assertOffers(key, algorithm);
  if (algorithm !== 'SYMMETRIC_DEFAULT' && Object.keys(context).length > 0) {
    throw new VaultError('ValidationException', `\`EncryptionContext\` goes with \`SYMMETRIC_DEFAULT\` only; \`${algorithm}\` cannot bind it`);
  }
  return { key: handle, algorithm, context };
}

/** A symmetric key, opened to make data keys under it. Throws InvalidKeyUsageException beside what `openFor` throws. */
export function symmetricHandle(key: KeyRecord, attempted?: KeyHandle<never>['attempted']): KeyHandle<'ENCRYPT_DECRYPT'> {
  const handle = openFor(key, 'ENCRYPT_DECRYPT', attempted);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new VaultError('InvalidKeyUsageException', `key \`${key.keyId}\` is not symmetric; data keys are made under symmetric keys`);
  return handle;
}

/** What AWS calls the material that a symmetric key used: the current one, or the one that a ciphertext names. Nothing for other keys. */
export function usedMaterial(key: KeyRecord, materialId = key.materials.at(-1)): string | undefined {
  return key.spec === 'SYMMETRIC_DEFAULT' && materialId !== undefined ? keyMaterialId(key, materialId) : undefined;
}

/** A dry run that ignores the ciphertext ended before. Throws ValidationException. */
export function givenCiphertext({ CiphertextBlob }: { readonly CiphertextBlob?: Uint8Array | undefined }): Uint8Array {
  if (!CiphertextBlob) throw new VaultError('ValidationException', '`CiphertextBlob` must be given');
  return CiphertextBlob;
}

/** The last thing before the deed: everything that would refuse it has spoken. Throws DryRunOperationException. */
export function endDryRun({ DryRun }: { readonly DryRun?: boolean | undefined }): void {
  if (DryRun === true) throw new VaultError('DryRunOperationException', 'this request would be allowed; leave `DryRun` out to carry it out');
}
