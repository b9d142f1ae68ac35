/** `KeyMetadata` with what only the store of the vault knows: the token of a key in a key store. */
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import type { Realm } from '../../shared/model/ids.ts';
import { KEY_STORES } from '../hardware/kinds.ts';
import { clusterIdOf } from '../hardware/token-names.ts';
import { metadata } from '../keyring/metadata.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Stored } from './kms-key-stores.ts';

export async function keyMetadata(reader: Stored, key: KeyRecord, realm: Realm): Promise<KeyMetadata> {
  const store = key.hardware && (await reader.of(KEY_STORES).get(key.hardware.store));
  return { ...metadata(key, realm), ...(store ? { CloudHsmClusterId: clusterIdOf(store) } : {}) };
}
