/**
 * Every operation that names a key against every state that a key can be in: the table of the AWS KMS Developer Guide, "Key states of AWS KMS
 * keys", with what the API Reference says of later operations and of keys in custom key stores. Creating and Updating are not here: a replica
 * is whole and a primary moved when it is answered. Test data only.
 */
import type { KeyState } from '../../src/main/keyring/ports.ts';
import type { Name } from '../../src/shared/api/index.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';

export type Made = Readonly<Record<'KeySpec' | 'KeyUsage', string>>;
export const AES: Made = { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' };
const ECC: Made = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const MAC: Made = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
const ECDH: Made = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
const KEM: Made = { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' };

const ok = 'ok';
const dry = 'DryRunOperationException';
const off = 'DisabledException';
const bad = 'KMSInvalidStateException';
const not = 'UnsupportedOperationException';
/** Cannot be: the spec takes no imported material or is not made in tokens, or nothing was encrypted yet. */
const none = undefined;

type Verdict = string | undefined;
type Verdicts = readonly [Enabled: string, Disabled: string, PendingImport: Verdict, PendingDeletion: string, PendingReplicaDeletion: string];
/** Of a key in a custom key store, while that is connected and while it is not. */
type TokenVerdicts = readonly [Enabled: Verdict, Unavailable: Verdict];
export const STATES = ['Enabled', 'Disabled', 'PendingImport', 'PendingDeletion', 'PendingReplicaDeletion'] as const satisfies readonly KeyState[];
export const TOKEN_STATES = ['Enabled', 'Unavailable'] as const satisfies readonly KeyState[];
const USE: Verdicts = [dry, off, bad, bad, bad];
const SEEN: Verdicts = [ok, ok, ok, ok, ok];
const EDIT: Verdicts = [ok, ok, ok, bad, bad];
const USED: TokenVerdicts = [dry, bad];
/** It can be looked at and managed. */
const MANAGED: TokenVerdicts = [ok, ok];
/** Keys in custom key stores are never rotated, imported or replicated. */
const NEVER: TokenVerdicts = [not, not];
const NOT_MADE: TokenVerdicts = [none, none];

export interface Row {
  readonly made: Made;
  /** `alias`: of the key; `other`: an alias to be moved; `steady`: a key that stays enabled. */
  readonly input: (key: { readonly KeyId: string; readonly alias: string; readonly CiphertextBlob: unknown; readonly other: string; readonly steady: string }) => object;
  readonly verdicts: Verdicts;
  readonly inToken: TokenVerdicts;
}
const row = (made: Made, verdicts: Verdicts, inToken: TokenVerdicts, more: object = {}): Row => ({ made, verdicts, inToken, input: ({ KeyId }) => ({ KeyId, ...more }) });
export const secret = (): SecretBytes => SecretBytes.take(new Uint8Array(8));
const bytes = new Uint8Array(64);
const DryRun = true;

export const TABLE: Partial<Record<Name, Row>> = {
  'kms:CancelKeyDeletion': row(AES, [bad, bad, bad, ok, ok], [bad, bad]),
  'kms:CreateAlias': { made: AES, verdicts: EDIT, inToken: MANAGED, input: ({ KeyId, alias }) => ({ AliasName: `${alias}-2`, TargetKeyId: KeyId }) },
  'kms:UpdateAlias': { made: AES, verdicts: EDIT, inToken: MANAGED, input: ({ KeyId, other }) => ({ AliasName: other, TargetKeyId: KeyId }) },
  'kms:DeleteAlias': { made: AES, verdicts: SEEN, inToken: MANAGED, input: ({ alias }) => ({ AliasName: alias }) },
  'kms:ListAliases': row(AES, SEEN, MANAGED),
  'kms:DescribeKey': row(AES, SEEN, MANAGED),
  'kms:GetKeyLastUsage': row(AES, SEEN, MANAGED),
  'kms:EnableKey': row(AES, [ok, ok, bad, bad, bad], MANAGED),
  'kms:DisableKey': row(AES, [ok, ok, bad, bad, bad], MANAGED),
  'kms:UpdateKeyDescription': row(AES, EDIT, MANAGED, { Description: 'x' }),
  'kms:ScheduleKeyDeletion': row(AES, EDIT, MANAGED),
  'kms:TagResource': row(AES, EDIT, MANAGED, { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  'kms:UntagResource': row(AES, EDIT, MANAGED, { TagKeys: ['a'] }),
  'kms:ListResourceTags': row(AES, SEEN, MANAGED),
  'kms:GetKeyPolicy': row(AES, SEEN, MANAGED),
  'kms:ListKeyPolicies': row(AES, SEEN, MANAGED),
  'kms:EnableKeyRotation': row(AES, [ok, off, not, bad, bad], NEVER),
  'kms:DisableKeyRotation': row(AES, [ok, off, not, bad, bad], NEVER),
  'kms:GetKeyRotationStatus': row(AES, SEEN, MANAGED),
  'kms:ListKeyRotations': row(AES, SEEN, MANAGED),
  'kms:RotateKeyOnDemand': row(AES, [ok, off, bad, bad, bad], NEVER),
  'kms:GetParametersForImport': row(AES, [not, not, ok, not, not], NEVER, { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }),
  // A token that is none: what is refused before it is looked at is the state's.
  'kms:ImportKeyMaterial': row(AES, [not, not, 'InvalidImportTokenException', not, not], NEVER, { ImportToken: bytes, EncryptedKeyMaterial: bytes, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }),
  'kms:DeleteImportedKeyMaterial': row(AES, [not, not, ok, not, not], NEVER),
  'kms:ReplicateKey': row(AES, [ok, off, bad, bad, bad], NEVER, { ReplicaRegion: 'ap-south-1' }),
  'kms:UpdatePrimaryRegion': row(AES, [ok, off, bad, bad, bad], NEVER, { PrimaryRegion: 'eu-west-1' }),
  'kms:Encrypt': { made: AES, verdicts: USE, inToken: USED, input: ({ KeyId }) => ({ KeyId, Plaintext: secret(), DryRun }) },
  'kms:Decrypt': { made: AES, verdicts: [dry, off, none, bad, bad], inToken: USED, input: ({ CiphertextBlob }) => ({ CiphertextBlob, DryRun }) },
  'kms:ReEncrypt': { made: AES, verdicts: [dry, off, none, bad, bad], inToken: USED, input: ({ CiphertextBlob, steady }) => ({ CiphertextBlob, DestinationKeyId: steady, DryRun }) },
  'kms:GenerateDataKey': row(AES, USE, USED, { KeySpec: 'AES_256', DryRun }),
  'kms:GenerateDataKeyWithoutPlaintext': row(AES, USE, USED, { KeySpec: 'AES_256', DryRun }),
  'kms:GenerateDataKeyPair': row(AES, USE, USED, { KeyPairSpec: 'ECC_NIST_P256', DryRun }),
  'kms:GenerateDataKeyPairWithoutPlaintext': row(AES, USE, USED, { KeyPairSpec: 'ECC_NIST_P256', DryRun }),
  'kms:Sign': { made: ECC, verdicts: USE, inToken: USED, input: ({ KeyId }) => ({ KeyId, Message: secret(), SigningAlgorithm: 'ECDSA_SHA_256', DryRun }) },
  'kms:Verify': { made: ECC, verdicts: USE, inToken: USED, input: ({ KeyId }) => ({ KeyId, Message: secret(), Signature: bytes, SigningAlgorithm: 'ECDSA_SHA_256', DryRun }) },
  'kms:GenerateMac': { made: MAC, verdicts: USE, inToken: USED, input: ({ KeyId }) => ({ KeyId, Message: secret(), MacAlgorithm: 'HMAC_SHA_256', DryRun }) },
  'kms:VerifyMac': { made: MAC, verdicts: USE, inToken: USED, input: ({ KeyId }) => ({ KeyId, Message: secret(), Mac: bytes, MacAlgorithm: 'HMAC_SHA_256', DryRun }) },
  'kms:DeriveSharedSecret': row(ECDH, USE, USED, { KeyAgreementAlgorithm: 'ECDH', PublicKey: bytes, DryRun }),
  'kms:Encapsulate': row(KEM, [dry, off, none, bad, bad], NOT_MADE, { EncapsulationAlgorithm: 'ML_KEM', DryRun }),
  'kms:Decapsulate': row(KEM, [dry, off, none, bad, bad], NOT_MADE, { EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: bytes, DryRun }),
  'kms:GetPublicKey': row(ECC, [ok, off, bad, bad, bad], [ok, bad]),
};
