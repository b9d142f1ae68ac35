/** `kms:` handlers that make, show and change keys. Thin: the keyring decides. */
import { usageOf } from '../../shared/api/kms-keys.ts';
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { isAliasName, keyArn, keyIdFrom } from '../../shared/model/ids.ts';
import { isImportable } from '../../shared/model/wrapping.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { assertAllows, deletionCancelled, disabled, enabled, isDue, pendingDeletion } from '../keyring/key.ts';
import { asOf } from '../keyring/import.ts';
import { tagged } from '../keyring/tags.ts';
import { metadata } from '../keyring/metadata.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { Writer } from '../store/port.ts';
import type { Call } from '../kernel/handler.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'CreateKey' | 'DescribeKey' | 'ListKeys' | 'EnableKey' | 'DisableKey' | 'UpdateKeyDescription' | 'ScheduleKeyDeletion' | 'CancelKeyDeletion' | 'DeleteDueKeys';

/**
 * Operations that manage a key take its id or ARN, never an alias, as in AWS: a name may stand for another key tomorrow.
 * Throws NotFoundException.
 */
export function assertNotAlias(text: string): void {
  if (isAliasName(text) || text.includes(':alias/')) throw new VaultError('NotFoundException', `\`${text}\` is an alias; this operation takes a key id or key ARN (see \`keystead kms describe-key\`)`);
}

/** Changes the key as it stands inside the unit of work, not as it was when it was resolved. */
export async function change(writer: Writer, call: Call, reference: string, next: (key: KeyRecord) => KeyRecord): Promise<KeyRecord> {
  assertNotAlias(reference);
  const key = await keyNow(writer, call);
  const changed = next(key);
  writer.updateKey(changed);
  return changed;
}

/** As it is at the time of the call. Throws NotFoundException. */
export async function keyNow(writer: Writer, call: Call): Promise<KeyRecord> {
  const stored = await writer.key(keyOf(call.resource).keyId);
  if (!stored) throw new VaultError('NotFoundException', 'the key has just been destroyed');
  return asOf(stored, call.at).key;
}

export const kmsKeyHandlers = (random: Random): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:CreateKey': async (input, call, { writer, keys, realm }) => {
    const keyId = keyIdFrom(random.bytes(16));
    const spec = input.KeySpec;
    if (spec === 'SM2') return call.fail('UnsupportedOperationException', '`SM2` is offered in the Chinese regions of AWS only; choose `ECC_NIST_P256`');
    const usage = usageOf(spec, input.KeyUsage);
    if (usage === undefined) return call.fail('ValidationException', '`KeyUsage` must be given for this key spec');
    const isExternal = input.Origin === 'EXTERNAL';
    if (isExternal && !isImportable(spec)) return call.fail('UnsupportedOperationException', `a key of spec \`${spec}\` takes no key material from elsewhere; leave \`Origin\` out`);
    const made = isExternal ? undefined : await keys.generate({ spec, keyId, purpose: 'kms' });
    const bare: KeyRecord = {
      keyId,
      spec,
      usage,
      purpose: 'kms',
      state: made ? 'Enabled' : 'PendingImport',
      description: input.Description,
      created: call.at,
      materials: made ? [made.material.materialId] : [],
      ...(made?.publicKey ? { publicKey: bytesToBase64(made.publicKey) } : {}),
      ...(isExternal ? { origin: 'EXTERNAL' as const } : {}),
    };
    const record = tagged(bare, input.Tags);
    writer.insertKey(record, made?.material);
    return { KeyMetadata: metadata(record, realm) };
  },

  'kms:DescribeKey': (_input, call, { realm }) => ({ KeyMetadata: metadata(keyOf(call.resource), realm) }),

  'kms:ListKeys': async (input, _call, { reader, realm }) => {
    const page = await reader.keys({ limit: input.Limit, ...(input.Marker === undefined ? {} : { after: input.Marker }) });
    return {
      Keys: page.items.map(({ keyId }) => ({ KeyId: keyId, KeyArn: keyArn(realm, keyId) })),
      Truncated: page.next !== undefined,
      ...(page.next === undefined ? {} : { NextMarker: page.next }),
    };
  },

  'kms:EnableKey': async (input, call, { writer }) => {
    await change(writer, call, input.KeyId, enabled);
    return {};
  },

  'kms:DisableKey': async (input, call, { writer, keys }) => {
    const key = await change(writer, call, input.KeyId, disabled);
    await keys.forget(key.materials);
    return {};
  },

  'kms:UpdateKeyDescription': async (input, call, { writer }) => {
    await change(writer, call, input.KeyId, (key) => {
      assertAllows(key, 'edit');
      return { ...key, description: input.Description };
    });
    return {};
  },

  'kms:ScheduleKeyDeletion': async (input, call, { writer, keys, realm }) => {
    const key = await change(writer, call, input.KeyId, (before) => pendingDeletion(before, input.PendingWindowInDays, call.at));
    await keys.forget(key.materials);
    return { KeyId: keyArn(realm, key.keyId), DeletionDate: seconds(key.deletionDate ?? call.at), KeyState: key.state, PendingWindowInDays: input.PendingWindowInDays };
  },

  'kms:CancelKeyDeletion': async (input, call, { writer, realm }) => {
    const key = await change(writer, call, input.KeyId, deletionCancelled);
    return { KeyId: keyArn(realm, key.keyId) };
  },

  'kms:DeleteDueKeys': async (_input, call, { writer, keys, realm }) => {
    const due = (await writer.pendingDeletion()).filter((key) => isDue(key, call.at));
    for (const key of due) {
      await writer.destroyKey(key.keyId);
      await keys.forget(key.materials);
    }
    return { KeyArns: due.map((key) => keyArn(realm, key.keyId)) };
  },
});
