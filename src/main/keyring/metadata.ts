/** A key record as AWS's `KeyMetadata`. Pure. */
import { algorithmLists, type KeyMetadata } from '../../shared/api/kms-keys.ts';
import { seconds } from '../../shared/api/operation.ts';
import { keyArn, type Realm } from '../../shared/model/ids.ts';
import type { KeyRecord } from './ports.ts';

export function metadata(key: KeyRecord, realm: Realm): KeyMetadata {
  return {
    AWSAccountId: realm.account,
    KeyId: key.keyId,
    Arn: keyArn(realm, key.keyId),
    CreationDate: seconds(key.created),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    MultiRegion: false,
    ...(key.deletionDate === undefined ? {} : { DeletionDate: seconds(key.deletionDate) }),
    ...algorithmLists(key.spec, key.usage),
  };
}
