/**
 * The AWS Encryption SDK's keyring over this vault: it asks the parent for a data key, once, and writes what AWS's own KMS keyring
 * writes (provider `aws-kms`, the key's ARN), so that this vault's door and the SDK open each other's files.
 *
 * Defends against: a file that names another key than the caller did, or lacks the pairs that the caller wants in its context.
 */
import { EncryptedDataKey, KeyringNode, KeyringTraceFlag, type NodeDecryptionMaterial, type NodeEncryptionMaterial } from '@aws-crypto/material-management-node';
import { StreamFailure } from './failure.ts';

const PROVIDER = 'aws-kms';

export interface VaultKeys {
  /** ARN. */
  readonly keyArn: string;
  /** Pairs that a decrypted file's context must have. */
  readonly context: Readonly<Record<string, string>>;
  make(context: Readonly<Record<string, string>>): Promise<{ readonly key: Uint8Array; readonly wrapped: Uint8Array }>;
  unwrap(wrapped: Uint8Array, context: Readonly<Record<string, string>>): Promise<Uint8Array>;
}

export class VaultKeyring extends KeyringNode {
  readonly #keys: VaultKeys;

  constructor(keys: VaultKeys) {
    super();
    this.#keys = keys;
  }

  async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const { keyArn } = this.#keys;
    const { key, wrapped } = await this.#keys.make(material.encryptionContext);
    const trace = { keyNamespace: PROVIDER, keyName: keyArn };
    material.setUnencryptedDataKey(key, { ...trace, flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY });
    const edk = new EncryptedDataKey({ providerId: PROVIDER, providerInfo: keyArn, encryptedDataKey: wrapped });
    return material.addEncryptedDataKey(edk, KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_SIGNED_ENC_CTX);
  }

  async _onDecrypt(material: NodeDecryptionMaterial, edks: EncryptedDataKey[]): Promise<NodeDecryptionMaterial> {
    const { keyArn, context } = this.#keys;
    const given = material.encryptionContext;
    const lacks = Object.entries(context).some(([name, value]) => !Object.hasOwn(given, name) || given[name] !== value);
    const own = edks.find(({ providerId, providerInfo }) => providerId === PROVIDER && providerInfo === keyArn);
    if (!own) throw new StreamFailure('message', 'OTHER_KEY');
    if (lacks) throw new StreamFailure('message', 'OTHER_CONTEXT');
    const key = await this.#keys.unwrap(own.encryptedDataKey, given);
    return material.setUnencryptedDataKey(key, { keyNamespace: PROVIDER, keyName: keyArn, flags: KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_VERIFIED_ENC_CTX });
  }
}
