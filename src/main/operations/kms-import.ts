/** `kms:` handlers of imported key material. Thin: the keyring decides. */
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { instant, keyArn, realmIn, type Instant } from '../../shared/model/ids.ts';
import { fitsWrapping } from '../../shared/model/wrapping.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { asOf, assertClaim, assertTakesImport, imported, importDeleted } from '../keyring/import.ts';
import { inRegion, isHeldAnywhere, isReplica, merged, primaryRegion } from '../keyring/regions.ts';
import { assertNotAlias, keyNow } from './kms-keys.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'GetParametersForImport' | 'ImportKeyMaterial' | 'DeleteImportedKeyMaterial' | 'ExpireDueKeyMaterials';

const DAY = 24 * 60 * 60 * 1000;
/** In one unit of work at most; the rest is due again a second later. */
const DUE_AT_ONCE = 256;

/** Throws ValidationException. */
function dateOf(seconds: number | undefined, now: Instant): Instant | undefined {
  if (seconds === undefined) return undefined;
  const date = seconds * 1000;
  if (!(date > now && date <= now + 365 * DAY)) throw new VaultError('ValidationException', '`ValidTo` must lie ahead, at most 365 days');
  return instant(date);
}

export const kmsImportHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:GetParametersForImport': async (input, call, { keys, realm }) => {
    assertNotAlias(input.KeyId);
    const key = keyOf(call.resource);
    assertTakesImport(key);
    const { WrappingAlgorithm: algorithm, WrappingKeySpec: spec } = input;
    if (!fitsWrapping(key.spec, algorithm, spec)) {
      return call.fail('UnsupportedOperationException', `material of a \`${key.spec}\` key cannot be wrapped by \`${algorithm}\` under \`${spec}\`; choose another algorithm or a longer wrapping key`);
    }
    const arn = keyArn(realm, key.keyId);
    const validTo = instant(call.at + DAY);
    const { publicKey, token } = await keys.importParameters({ arn, algorithm, spec, validTo });
    return { KeyId: arn, ImportToken: token, PublicKey: publicKey, ParametersValidTo: seconds(validTo) };
  },

  'kms:ImportKeyMaterial': async (input, call, { writer, keys, realm }) => {
    assertNotAlias(input.KeyId);
    const { stored, view: key } = await keyNow(writer, call, realm);
    const replica = isReplica(key, realm);
    if (replica && input.ImportType === 'NEW_KEY_MATERIAL') return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` is a replica here; import new material into its primary first`);
    const claim = {
      // A replica takes what its primary has, whether it is its first or not.
      type: replica && key.spec === 'SYMMETRIC_DEFAULT' ? ('EXISTING_KEY_MATERIAL' as const) : input.ImportType,
      keyMaterialId: input.KeyMaterialId,
      description: input.KeyMaterialDescription,
      validTo: dateOf(input.ValidTo, call.at),
    };
    assertClaim(key, claim);
    const { keyId, spec, purpose } = key;
    const arn = keyArn(realm, keyId);
    const { material, identity, publicKey } = await keys.importMaterial({ arn, token: input.ImportToken, wrapped: input.EncryptedKeyMaterial, spec, keyId, purpose, now: call.at });
    const changed = merged(stored, { ...imported(key, identity, claim), ...(publicKey ? { publicKey: bytesToBase64(publicKey) } : {}) }, realm);
    // The same material may be here already, when only its date changes or another region has it.
    writer.updateKey(changed, isHeldAnywhere(stored, identity) ? undefined : material);
    return { KeyId: arn, KeyMaterialId: identity };
  },

  'kms:DeleteImportedKeyMaterial': async (input, call, { writer, keys, realm }) => {
    assertNotAlias(input.KeyId);
    const { stored, view } = await keyNow(writer, call, realm);
    const { key, dropped, identity } = importDeleted(view, input.KeyMaterialId);
    if (dropped.length > 0) writer.updateKey(merged(stored, key, realm));
    await keys.forget(dropped);
    return { KeyId: keyArn(realm, key.keyId), ...(identity === undefined ? {} : { KeyMaterialId: identity }) };
  },

  'kms:ExpireDueKeyMaterials': async (_input, call, { writer, keys, realm }) => {
    const arns: string[] = [];
    for (const due of await writer.due('expiry', call.at, DUE_AT_ONCE)) {
      let record = due;
      for (const region of [primaryRegion(due, realm), ...(due.replicas ?? []).map((one) => one.region)]) {
        const there = realmIn(realm, region);
        const view = inRegion(record, there);
        const { key, dropped } = asOf(view ?? record, call.at);
        if (dropped.length === 0) continue;
        record = merged(record, key, there);
        arns.push(keyArn(there, due.keyId));
        await keys.forget(dropped);
      }
      writer.updateKey(record);
    }
    return { KeyArns: arns };
  },
});
