/** `kms:` operations that give a symmetric key new key material; the old ones decrypt for ever. AWS KMS API Reference, version 2014-11-01. */
import { z } from 'zod';
import * as f from './fields.ts';
import { expirationModel } from './kms-import.ts';
import { operation, timestamp } from './operation.ts';

const ownKeyId = f.keyReference.describe('Key id or key ARN');
const CHANGE_ERRORS = ['NotFoundException', 'InvalidArnException', 'DisabledException', 'KMSInvalidStateException', 'UnsupportedOperationException'] as const;

export const enableKeyRotation = operation({
  name: 'kms:EnableKeyRotation',
  summary: 'Give a key new material regularly; what was encrypted before still decrypts',
  input: () => z.strictObject({ KeyId: ownKeyId, RotationPeriodInDays: z.int().min(90).max(2560).default(365).describe('Days from one rotation to the next, counted from now') }),
  output: () => z.strictObject({}),
  errors: CHANGE_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'RotationPeriodInDays'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const disableKeyRotation = operation({
  name: 'kms:DisableKeyRotation',
  summary: 'Give a key no new material by itself any more',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({}),
  errors: CHANGE_ERRORS,
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const getKeyRotationStatus = operation({
  name: 'kms:GetKeyRotationStatus',
  summary: 'Show whether and when a key is given new material',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({
    KeyRotationEnabled: z.boolean().describe('False while the key is pending deletion'),
    KeyId: z.string(),
    RotationPeriodInDays: z.int().optional(),
    NextRotationDate: timestamp().optional(),
    OnDemandRotationStartDate: timestamp().optional().describe('Never present: a rotation is done when it is answered'),
  }),
  errors: ['NotFoundException', 'InvalidArnException', 'KMSInvalidStateException', 'UnsupportedOperationException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const listKeyRotations = operation({
  name: 'kms:ListKeyRotations',
  summary: 'List when a key was given new material, a page at a time',
  input: () => z.strictObject({
    KeyId: ownKeyId,
    IncludeKeyMaterial: z.enum(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']).default('ROTATIONS_ONLY').describe('ALL_KEY_MATERIAL: also the first material, and one that waits for its rotation'),
    Limit: f.pageLimit.default(100).describe('At most this many'),
    Marker: f.pageMarker.optional().describe('NextMarker of the page before'),
  }),
  output: () => z.strictObject({
    Rotations: z.array(
      z.strictObject({
        KeyId: z.string(),
        KeyMaterialId: z.string(),
        KeyMaterialDescription: z.string().optional(),
        ImportState: z.enum(['IMPORTED', 'PENDING_IMPORT']).optional().describe('Of imported material'),
        KeyMaterialState: z.enum(['CURRENT', 'NON_CURRENT', 'PENDING_ROTATION', 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION']),
        ExpirationModel: expirationModel.optional(),
        ValidTo: timestamp().optional(),
        RotationDate: timestamp().optional(),
        RotationType: z.enum(['AUTOMATIC', 'ON_DEMAND']).optional(),
      }),
    ),
    NextMarker: z.string().optional().describe('Present when Truncated'),
    Truncated: z.boolean(),
  }),
  errors: ['NotFoundException', 'InvalidArnException', 'InvalidMarkerException', 'KMSInvalidStateException', 'UnsupportedOperationException'],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId', 'Limit'],
  resource: { kind: 'key', field: 'KeyId' },
});

export const rotateKeyOnDemand = operation({
  name: 'kms:RotateKeyOnDemand',
  summary: 'Give a key new material now; a planned rotation keeps its date',
  input: () => z.strictObject({ KeyId: ownKeyId }),
  output: () => z.strictObject({ KeyId: z.string() }),
  errors: [...CHANGE_ERRORS, 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli', 'aws'],
  audited: ['KeyId'],
  resource: { kind: 'key', field: 'KeyId' },
});

/** The clock's own: keys whose date has come are rotated, once, however often the date was missed. */
export const rotateDueKeys = operation({
  name: 'kms:RotateDueKeys',
  summary: 'Rotate the keys whose date has come',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ KeyArns: z.array(z.string()) }),
  errors: [],
  effect: 'write',
  needs: 'unlocked',
  doors: ['schedule'],
  audited: [],
  command: { hidden: true },
});
