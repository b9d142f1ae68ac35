/** A key record as AWS's `KeyMetadata`, and what AWS calls its materials. Pure. */
import { algorithmLists, type KeyMetadata } from '../../shared/api/kms-keys.ts';
import { seconds } from '../../shared/api/operation.ts';
import { keyArn, realmIn, type Realm } from '../../shared/model/ids.ts';
import { isReplica, primaryRegion } from './regions.ts';
import { validTo } from './import.ts';
import type { KeyRecord } from './ports.ts';

/** 64 hexadecimal digits, as AWS has them: what an imported material is known by, or the 16 of one that was made here and zeros. */
export const keyMaterialId = ({ imports }: KeyRecord, materialId: string): string => imports?.find((one) => one.materialId === materialId)?.identity ?? materialId.padEnd(64, '0');

function expiration(key: KeyRecord): Pick<KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  if (key.origin !== 'EXTERNAL' || !key.imports?.some(({ materialId, held }) => held && key.materials.includes(materialId))) return {};
  const date = validTo(key);
  return date === undefined ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: seconds(date) };
}

function multiRegion(key: KeyRecord, realm: Realm): Pick<KeyMetadata, 'MultiRegionConfiguration'> {
  if (!key.replicas) return {};
  const at = (region: string) => ({ Arn: keyArn(realmIn(realm, region), key.keyId), Region: region });
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: isReplica(key, realm) ? 'REPLICA' : 'PRIMARY',
      PrimaryKey: at(primaryRegion(key, realm)),
      ReplicaKeys: key.replicas.map(({ region }) => at(region)),
    },
  };
}

/** `key`: as the realm's region sees it. */
export function metadata(key: KeyRecord, realm: Realm): KeyMetadata {
  const current = key.spec === 'SYMMETRIC_DEFAULT' ? key.materials.at(-1) : undefined;
  return {
    AWSAccountId: realm.account,
    KeyId: key.keyId,
    Arn: keyArn(realm, key.keyId),
    CreationDate: seconds(key.created),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    Origin: key.origin ?? 'AWS_KMS',
    ...(key.hardware ? { CustomKeyStoreId: key.hardware.store } : {}),
    ...expiration(key),
    KeyManager: key.manager ?? 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    MultiRegion: key.replicas !== undefined,
    ...multiRegion(key, realm),
    ...(key.pendingDays === undefined ? {} : { PendingDeletionWindowInDays: key.pendingDays }),
    ...(key.deletionDate === undefined ? {} : { DeletionDate: seconds(key.deletionDate) }),
    ...(current === undefined ? {} : { CurrentKeyMaterialId: keyMaterialId(key, current) }),
    ...algorithmLists(key.spec, key.usage, key.hardware !== undefined),
  };
}
