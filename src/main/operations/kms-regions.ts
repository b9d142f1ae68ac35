/** `kms:` handlers of multi-Region keys. Thin: the keyring decides. */
import { VaultError } from '../../shared/model/errors.ts';
import { isRegion, realmIn } from '../../shared/model/ids.ts';
import { metadata } from '../keyring/metadata.ts';
import { inRegion, primaryMoved, replicated } from '../keyring/regions.ts';
import { tagged } from '../keyring/tags.ts';
import { assertNotAlias, changeStored } from './kms-keys.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'ReplicateKey' | 'UpdatePrimaryRegion';

/** Throws ValidationException. */
function checked(region: string): string {
  if (!isRegion(region)) throw new VaultError('ValidationException', `region \`${region}\` must look like \`us-east-1\``);
  return region;
}

export const kmsRegionHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:ReplicateKey': async (input, call, { writer, realm }) => {
    assertNotAlias(input.KeyId);
    const there = realmIn(realm, checked(input.ReplicaRegion));
    const record = await changeStored(writer, call, realm, (view) => {
      const wider = replicated(view, realm, { region: there.region, description: input.Description, created: call.at });
      // Judged as those of any key.
      const { tags } = tagged({ ...wider, tags: [] }, input.Tags);
      return tags === undefined ? wider : { ...wider, replicas: (wider.replicas ?? []).map((one) => (one.region === there.region ? { ...one, tags } : one)) };
    });
    const replica = inRegion(record, there);
    if (!replica) return call.fail('KMSInvalidStateException', 'the replica is not there; try again');
    return { ReplicaKeyMetadata: metadata(replica, there), ReplicaTags: (replica.tags ?? []).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) };
  },

  'kms:UpdatePrimaryRegion': async (input, call, { writer, realm }) => {
    assertNotAlias(input.KeyId);
    await changeStored(writer, call, realm, (view, stored) => primaryMoved(stored, view, realm, checked(input.PrimaryRegion)), 'record');
    return {};
  },
});
