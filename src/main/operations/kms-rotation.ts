/** `kms:` handlers of rotation. Thin: the keyring decides. */
import type { listKeyRotations } from '../../shared/api/kms-rotation.ts';
import { seconds, type OutputOf } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn, type Realm } from '../../shared/model/ids.ts';
import { keyMaterialId } from '../keyring/metadata.ts';
import type { ImportedMaterial, KeyBackend, KeyRecord, NewMaterial } from '../keyring/ports.ts';
import { isRotationDue, nextRotation, rotatedOnDemand, rotatedOnSchedule, rotationDisabled, rotationEnabled } from '../keyring/rotation.ts';
import { assertPrimary, isAwaitedEverywhere, merged } from '../keyring/regions.ts';
import { assertNotAlias, change, keyNow } from './kms-keys.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'EnableKeyRotation' | 'DisableKeyRotation' | 'GetKeyRotationStatus' | 'ListKeyRotations' | 'RotateKeyOnDemand' | 'RotateDueKeys';

/** In one unit of work at most: each takes the sealer some 50 µs, and the rest is due again a second later. */
const DUE_AT_ONCE = 256;
const MARKER = /^r([0-9]{1,9})$/;

const newMaterial = async (keys: KeyBackend, { spec, keyId, purpose }: KeyRecord): Promise<NewMaterial> => (await keys.generate({ spec, keyId, purpose })).material;

export const kmsRotationHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:EnableKeyRotation': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, (key) => {
      assertPrimary(key, realm);
      return rotationEnabled(key, input.RotationPeriodInDays, call.at);
    });
    return {};
  },

  'kms:DisableKeyRotation': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, (key) => {
      assertPrimary(key, realm);
      return rotationDisabled(key);
    });
    return {};
  },

  'kms:GetKeyRotationStatus': (input, call, { realm }) => {
    assertNotAlias(input.KeyId);
    const key = keyOf(call.resource);
    const next = nextRotation(key);
    const enabled = key.rotation !== undefined && key.state !== 'PendingDeletion';
    return {
      KeyId: keyArn(realm, key.keyId),
      KeyRotationEnabled: enabled,
      ...(enabled ? { RotationPeriodInDays: key.rotation.periodDays } : {}),
      ...(next === undefined ? {} : { NextRotationDate: seconds(next) }),
    };
  },

  'kms:ListKeyRotations': (input, call, { realm }) => {
    assertNotAlias(input.KeyId);
    const key = keyOf(call.resource);
    if (key.spec !== 'SYMMETRIC_DEFAULT') return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` is \`${key.spec}\`, which is never rotated`);
    const all = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL';
    const from = positionOf(input.Marker, all ? 0 : 1);
    const listed = all && key.awaiting !== undefined ? [...key.materials, key.awaiting] : key.materials;
    const to = Math.min(listed.length, from + input.Limit);
    return {
      Rotations: listed.slice(from, to).map((materialId, offset) => entryOf(key, materialId, from + offset, realm)),
      Truncated: to < listed.length,
      ...(to < listed.length ? { NextMarker: `r${String(to)}` } : {}),
    };
  },

  'kms:RotateKeyOnDemand': async (input, call, { writer, keys, realm }) => {
    assertNotAlias(input.KeyId);
    const { stored, view: key, judged } = await keyNow(writer, call, realm);
    assertPrimary(key, realm);
    // Refused before a material is made; imported material is here already.
    rotatedOnDemand(judged, '', call.at);
    const rotated = rotatedOnDemand(key, '', call.at);
    if (key.origin === 'EXTERNAL' && !isAwaitedEverywhere(judged)) return call.fail('KMSInvalidStateException', `the next key material of \`${key.keyId}\` is not in every region yet; import it into each replica first`);
    if (key.origin === 'EXTERNAL') writer.updateKey(merged(stored, rotated, realm));
    else {
      const material = await newMaterial(keys, key);
      writer.updateKey(merged(stored, rotatedOnDemand(key, material.materialId, call.at), realm), material);
    }
    return { KeyId: keyArn(realm, key.keyId) };
  },

  'kms:RotateDueKeys': async (_input, call, { writer, keys, realm }) => {
    const due = (await writer.due('rotation', call.at, DUE_AT_ONCE)).filter((key) => isRotationDue(key, call.at));
    for (const key of due) {
      const material = await newMaterial(keys, key);
      writer.updateKey(rotatedOnSchedule(key, material.materialId, call.at), material);
    }
    return { KeyArns: due.map(({ keyId }) => keyArn(realm, keyId)) };
  },
});

type Entry = OutputOf<typeof listKeyRotations>['Rotations'][number];

function entryOf(key: KeyRecord, materialId: string, position: number, realm: Realm): Entry {
  const rotation = key.rotations?.[position - 1];
  const brought = key.imports?.find((one) => one.materialId === materialId);
  const state = materialId === key.awaiting ? (isAwaitedEverywhere(key) ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION') : position === key.materials.length - 1 ? 'CURRENT' : 'NON_CURRENT';
  return {
    KeyId: keyArn(realm, key.keyId),
    KeyMaterialId: keyMaterialId(key, materialId),
    KeyMaterialState: state,
    ...(brought ? importedEntry(brought) : {}),
    ...(rotation ? { RotationDate: seconds(rotation.at), RotationType: rotation.type } : {}),
  };
}

const importedEntry = ({ held, validTo, description }: ImportedMaterial): Partial<Entry> => ({
  ImportState: held ? 'IMPORTED' : 'PENDING_IMPORT',
  ...(held ? { ExpirationModel: validTo === undefined ? ('KEY_MATERIAL_DOES_NOT_EXPIRE' as const) : ('KEY_MATERIAL_EXPIRES' as const) } : {}),
  ...(validTo === undefined ? {} : { ValidTo: seconds(validTo) }),
  ...(description === undefined ? {} : { KeyMaterialDescription: description }),
});

/** Materials are only ever added, so that a position stays one. Throws InvalidMarkerException. */
function positionOf(marker: string | undefined, first: number): number {
  if (marker === undefined) return first;
  const position = Number(MARKER.exec(marker)?.[1] ?? Number.NaN);
  if (!(position >= first)) throw new VaultError('InvalidMarkerException', 'the marker is not one that a listing of this key gave out, start again without a marker');
  return position;
}
