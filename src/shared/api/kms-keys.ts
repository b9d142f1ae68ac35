/** `kms:` operations that make, show and change keys and aliases. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import { keySpecOf, offered, type KeySpec, type KeyUsage } from '../model/algorithms.ts';
import * as f from './fields.ts';
import { expirationModel } from './kms-import.ts';
import { tags } from './kms-tags.ts';
import { operation, refused, timestamp } from './operation.ts';

const multiRegionKey = z.strictObject({ Arn: z.string(), Region: z.string() });

export const keyMetadata = z.strictObject({
  AWSAccountId: z.string().describe('The 12 digits that ARNs of this vault are made with'),
  KeyId: z.string(),
  Arn: z.string(),
  CreationDate: timestamp(),
  Enabled: z.boolean(),
  Description: z.string(),
  KeyUsage: f.keyUsage,
  KeyState: f.keyState,
  DeletionDate: timestamp().optional().describe('When the key will be destroyed, while it is PendingDeletion'),
  Origin: z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM']).describe('AWS_CLOUDHSM: in a hardware token'),
  CustomKeyStoreId: z.string().optional().describe('Of a key in a hardware token'),
  CloudHsmClusterId: z.string().optional().describe('Of a key in a hardware token: the token of its key store'),
  ExpirationModel: expirationModel.optional().describe('Of a key of origin EXTERNAL that has its material'),
  ValidTo: timestamp().optional().describe('When the first of its imported materials goes'),
  KeyManager: z.enum(['CUSTOMER', 'AWS']).describe('AWS: made by the vault for itself, and not to be changed'),
  CustomerMasterKeySpec: f.keySpec.describe('The old name of KeySpec, with the same value'),
  KeySpec: f.keySpec,
  EncryptionAlgorithms: z.array(f.encryptionAlgorithm).optional(),
  SigningAlgorithms: z.array(f.signingAlgorithm).optional(),
  MacAlgorithms: z.array(f.macAlgorithm).optional(),
  KeyAgreementAlgorithms: z.array(f.keyAgreementAlgorithm).optional(),
  EncapsulationAlgorithms: z.array(f.encapsulationAlgorithm).optional(),
  MultiRegion: z.boolean(),
  MultiRegionConfiguration: z
    .strictObject({ MultiRegionKeyType: z.enum(['PRIMARY', 'REPLICA']), PrimaryKey: multiRegionKey, ReplicaKeys: z.array(multiRegionKey) })
    .optional(),
  PendingDeletionWindowInDays: z.int().optional().describe('Days that begin when the last replica is gone, while PendingReplicaDeletion'),
  CurrentKeyMaterialId: z.string().optional().describe('Of a symmetric encryption key that has its material'),
});

export type KeyMetadata = z.output<typeof keyMetadata>;

const keyId = f.keyReference.describe('Key id, key ARN, alias name or alias ARN');
const ownKeyId = f.keyReference.describe('Key id or key ARN');

/** The usage that a new key gets: the one given, or the one that its spec has without. Undefined: it must be chosen (RSA). */
export function usageOf(spec: KeySpec, given: KeyUsage | undefined): KeyUsage | undefined {
  if (given !== undefined) return given;
  const { usage, algorithms } = keySpecOf(spec);
  const usages = f.keyUsage.options.filter((one) => algorithms[one] !== undefined);
  return usage ?? (usages.length === 1 ? usages[0] : undefined);
}

const newKeySpec = z.enum([...f.keySpec.options, 'SM2']);
type NewKeySpec = z.infer<typeof newKeySpec>;
/** Specs that came after the field was renamed have no old name (CustomerMasterKeySpec in AWS's model). */
const oldKeySpec = newKeySpec.exclude(['ECC_NIST_EDWARDS25519', 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']);

/** The spec that is asked for, by whichever name. */
export const newSpecOf = ({ KeySpec, CustomerMasterKeySpec }: { readonly KeySpec?: NewKeySpec | undefined; readonly CustomerMasterKeySpec?: NewKeySpec | undefined }): NewKeySpec => KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';

export const createKey = operation({
  name: 'kms:CreateKey',
  summary: 'Make a key that never leaves the vault',
  input: () => z
    .strictObject({
      KeySpec: newKeySpec.optional().describe('Kind and size of the key, SYMMETRIC_DEFAULT unless given; SM2 is not offered'),
      KeyUsage: f.keyUsage.optional().describe('What the key is for, for ever; required for RSA, SIGN_VERIFY for elliptic curves unless given, the only possible one otherwise'),
      Description: f.description.default('').describe('For people; not secret'),
      Origin: z
        .enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM'], { error: 'must be `AWS_KMS`, `EXTERNAL` for a key whose material is imported, or `AWS_CLOUDHSM` for one in a custom key store' })
        .default('AWS_KMS')
        .describe('EXTERNAL: without key material, which is imported afterwards; AWS_CLOUDHSM: made in a hardware token, with CustomKeyStoreId'),
      MultiRegion: z.boolean().default(false).describe('For ever: the key can be replicated to other regions of this vault'),
      CustomerMasterKeySpec: oldKeySpec.optional().describe('The old name of KeySpec, which some tools still send'),
      Policy: refused('every key belongs to the owner of the vault'),
      BypassPolicyLockoutSafetyCheck: refused('there are no key policies'),
      Tags: tags.default([]),
      CustomKeyStoreId: z.string().min(1).max(64).optional().describe('The key store in whose token the key is made'),
      XksKeyId: refused('keys live in this vault or in a token'),
    })
    .superRefine((input, context) => {
      if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) context.addIssue({ code: 'custom', path: ['CustomerMasterKeySpec'], message: 'is the old name of `KeySpec`: give one of them' });
      const spec = newSpecOf(input);
      // Answered by the handler, with AWS's own error.
      if (spec === 'SM2') return;
      if ((input.Origin === 'AWS_CLOUDHSM') !== (input.CustomKeyStoreId !== undefined)) context.addIssue({ code: 'custom', path: ['CustomKeyStoreId'], message: 'goes with `Origin` AWS_CLOUDHSM: give both or neither' });
      const usage = usageOf(spec, input.KeyUsage);
      if (usage === undefined) {
        context.addIssue({ code: 'custom', path: ['KeyUsage'], message: `must be given for ${spec}: SIGN_VERIFY or ENCRYPT_DECRYPT` });
      } else if (keySpecOf(spec).algorithms[usage] === undefined) {
        context.addIssue({ code: 'custom', path: ['KeyUsage'], message: `${usage} does not fit ${spec}` });
      }
    }),
  output: () => z.strictObject({ KeyMetadata: keyMetadata }),
  errors: ['LimitExceededException', 'UnsupportedOperationException', 'TagException', 'CustomKeyStoreNotFoundException', 'CustomKeyStoreInvalidStateException', 'CloudHsmClusterInvalidConfigurationException', 'KeyUnavailableException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeySpec', 'CustomerMasterKeySpec', 'KeyUsage', 'Origin', 'MultiRegion'],
});

export const describeKey = operation({
  name: 'kms:DescribeKey',
  summary: 'Show what is known about a key',
  input: () => z.strictObject({ KeyId: keyId, GrantTokens: refused('leave it out: there are no grants') }),
  output: () => z.strictObject({ KeyMetadata: keyMetadata }),
  errors: ['NotFoundException', 'InvalidArnException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const listKeys = operation({
  name: 'kms:ListKeys',
  summary: 'List every key, a page at a time',
  input: () => z.strictObject({
    Limit: f.pageLimit.default(100).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('NextMarker of the page before'),
  }),
  output: () => z.strictObject({
    Keys: z.array(z.strictObject({ KeyId: z.string(), KeyArn: z.string() })),
    NextMarker: z.string().optional().describe('Present when Truncated'),
    Truncated: z.boolean(),
  }),
  errors: ['InvalidMarkerException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['Limit'],
});

export const enableKey = operation({
  name: 'kms:EnableKey',
  summary: 'Let a disabled key be used again',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException', 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const disableKey = operation({
  name: 'kms:DisableKey',
  summary: 'Keep a key from being used until it is enabled again',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const updateKeyDescription = operation({
  name: 'kms:UpdateKeyDescription',
  summary: 'Change the description of a key',
  input: () => z.strictObject({ KeyId: ownKeyId, Description: f.description.describe('For people; not secret') }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const scheduleKeyDeletion = operation({
  name: 'kms:ScheduleKeyDeletion',
  summary: 'Destroy a key after a waiting time, during which it cannot be used and can be taken back',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    PendingWindowInDays: z.int().min(7).max(30).default(30).describe('How long the key waits'),
  }),
  output: () => z.strictObject({ KeyId: z.string(), DeletionDate: timestamp().optional().describe('Absent while replicas remain'), KeyState: f.keyState, PendingWindowInDays: z.int() }),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'PendingWindowInDays'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const cancelKeyDeletion = operation({
  name: 'kms:CancelKeyDeletion',
  summary: 'Take a key back from its planned deletion; it is disabled afterwards',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({ KeyId: z.string() }),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** The clock's own: keys whose waiting time is over are destroyed, once, however often the moment was missed. */
export const deleteDueKeys = operation({
  name: 'kms:DeleteDueKeys',
  summary: 'Destroy the keys whose waiting time is over',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ KeyArns: z.array(z.string()) }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});

const name = f.aliasName.describe('`alias/` and up to 250 of a-z, A-Z, 0-9, / _ -; not `alias/aws/`');

export const createAlias = operation({
  name: 'kms:CreateAlias',
  summary: 'Give a key a name',
  input: () => z.strictObject({ AliasName: name, TargetKeyId: ownKeyId }),
  output: () => z.strictObject({}),
  errors: ['AlreadyExistsException', 'NotFoundException', 'InvalidArnException', 'InvalidAliasNameException', 'KMSInvalidStateException', 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['AliasName', 'TargetKeyId'],
  resource: { kind: 'key', field: 'TargetKeyId' },
});

export const updateAlias = operation({
  name: 'kms:UpdateAlias',
  summary: 'Let a name stand for another key of the same kind and usage',
  input: () => z.strictObject({ AliasName: name, TargetKeyId: ownKeyId }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'InvalidArnException', 'InvalidAliasNameException', 'KMSInvalidStateException', 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['AliasName', 'TargetKeyId'],
  resource: { kind: 'alias', field: 'AliasName' },
});

export const deleteAlias = operation({
  name: 'kms:DeleteAlias',
  summary: 'Remove a name; its key stays',
  input: () => z.strictObject({ AliasName: name }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException', 'InvalidAliasNameException', 'KMSInvalidStateException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['AliasName'],
  resource: { kind: 'alias', field: 'AliasName' },
});

export const listAliases = operation({
  name: 'kms:ListAliases',
  summary: 'List every name, or those of one key, a page at a time',
  input: () => z.strictObject({
    KeyId: ownKeyId.optional(),
    Limit: f.pageLimit.default(50).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('NextMarker of the page before'),
  }),
  output: () => z.strictObject({
    Aliases: z.array(
      z.strictObject({ AliasName: z.string(), AliasArn: z.string(), TargetKeyId: z.string(), CreationDate: timestamp(), LastUpdatedDate: timestamp() }),
    ),
    NextMarker: z.string().optional().describe('Present when Truncated'),
    Truncated: z.boolean(),
  }),
  errors: ['InvalidMarkerException', 'InvalidArnException', 'NotFoundException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'Limit'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** The field of KeyMetadata and GetPublicKey that lists what a key of each usage offers. */
const LISTS = {
  ENCRYPT_DECRYPT: ['EncryptionAlgorithms', f.encryptionAlgorithm],
  SIGN_VERIFY: ['SigningAlgorithms', f.signingAlgorithm],
  GENERATE_VERIFY_MAC: ['MacAlgorithms', f.macAlgorithm],
  KEY_AGREEMENT: ['KeyAgreementAlgorithms', f.keyAgreementAlgorithm],
  ENCAPSULATE_DECAPSULATE: ['EncapsulationAlgorithms', f.encapsulationAlgorithm],
} as const satisfies Record<KeyUsage, readonly [keyof KeyMetadata, z.ZodEnum]>;
type AlgorithmLists = Pick<KeyMetadata, (typeof LISTS)[KeyUsage][0]>;

/** What a key of this spec and usage offers, as KeyMetadata and GetPublicKey list it. */
export function algorithmLists(spec: KeySpec, usage: KeyUsage, inToken = false): AlgorithmLists {
  const names: readonly string[] = offered(spec, usage, inToken);
  const [field, { options }] = LISTS[usage];
  return { [field]: options.filter((name) => names.includes(name)) };
}
