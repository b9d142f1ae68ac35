/** `kms:` operations that bring key material from elsewhere. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import { WRAPPING_ALGORITHM_NAMES, WRAPPING_KEY_SPECS } from '../model/wrapping.ts';
import * as f from './fields.ts';
import { blob, operation, timestamp } from './operation.ts';

const ownKeyId = f.keyReference.describe('Key id or key ARN');
const keyMaterialId = z.string().regex(/^[a-f0-9]{64}$/, { error: 'must be 64 hexadecimal digits, as `keystead kms list-key-rotations` shows them' });
const MAX_BYTES = 6144;

export const expirationModel = z.enum(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']);

const ERRORS = ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException', 'UnsupportedOperationException'] as const;

export const getParametersForImport = operation({
  name: 'kms:GetParametersForImport',
  summary: 'Get a wrapping key and a token, good for 24 hours, to bring key material with',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    WrappingAlgorithm: z.enum(WRAPPING_ALGORITHM_NAMES).describe('RSA_AES_KEY_WRAP is for RSA and ECC keys, RSAES_OAEP for all but RSA keys'),
    WrappingKeySpec: z.enum(WRAPPING_KEY_SPECS).describe('The longest is the best'),
  }),
  output: () => z.strictObject({
    KeyId: z.string().describe('ARN of the key'),
    ImportToken: blob({ min: 1, max: MAX_BYTES }).describe('Holds the private wrapping key, sealed: only this vault opens it, for this key'),
    PublicKey: blob({ min: 1, max: 4096 }).describe('SubjectPublicKeyInfo DER'),
    ParametersValidTo: timestamp(),
  }),
  errors: ERRORS,
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'WrappingAlgorithm', 'WrappingKeySpec'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const importKeyMaterial = operation({
  name: 'kms:ImportKeyMaterial',
  summary: 'Bring key material that was encrypted to the wrapping key; the key can be used from then on',
  input: () => z
    .strictObject({
      KeyId: ownKeyId,
      ImportToken: blob({ min: 1, max: MAX_BYTES }),
      EncryptedKeyMaterial: blob({ min: 1, max: MAX_BYTES }).describe('PKCS #8 DER or raw bytes, wrapped'),
      ValidTo: timestamp().optional().describe('When the material goes; at most 365 days ahead'),
      ExpirationModel: expirationModel.default('KEY_MATERIAL_EXPIRES'),
      ImportType: z.enum(['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']).optional().describe('New to the key, or one that it has had; by default new only where it has had none'),
      KeyMaterialDescription: z.string().max(256).optional().describe('For people; not secret'),
      KeyMaterialId: keyMaterialId.optional().describe('The material that this has to be'),
    })
    .superRefine((input, issues) => {
      const expires = input.ExpirationModel === 'KEY_MATERIAL_EXPIRES';
      if (expires && input.ValidTo === undefined) issues.addIssue({ code: 'custom', path: ['ValidTo'], message: 'must be given, or `ExpirationModel` KEY_MATERIAL_DOES_NOT_EXPIRE' });
      if (!expires && input.ValidTo !== undefined) issues.addIssue({ code: 'custom', path: ['ValidTo'], message: 'goes with `ExpirationModel` KEY_MATERIAL_EXPIRES only' });
    }),
  output: () => z.strictObject({ KeyId: z.string().describe('ARN of the key'), KeyMaterialId: z.string() }),
  errors: [...ERRORS, 'IncorrectKeyMaterialException', 'InvalidCiphertextException', 'InvalidImportTokenException', 'ExpiredImportTokenException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'ValidTo', 'ExpirationModel', 'ImportType', 'KeyMaterialId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const deleteImportedKeyMaterial = operation({
  name: 'kms:DeleteImportedKeyMaterial',
  summary: 'Destroy imported key material now; the key cannot be used until the same material is imported again',
  input: () => z.strictObject({ KeyId: ownKeyId, KeyMaterialId: keyMaterialId.optional().describe('The current one if left out') }),
  output: () => z.strictObject({ KeyId: z.string().describe('ARN of the key'), KeyMaterialId: z.string().optional() }),
  errors: ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'KeyMaterialId'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** The clock's own: imported materials whose date has come are destroyed. They are out of use from that date on, whenever this runs. */
export const expireDueKeyMaterials = operation({
  name: 'kms:ExpireDueKeyMaterials',
  summary: 'Destroy the imported key materials whose date has come',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ KeyArns: z.array(z.string()) }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});
