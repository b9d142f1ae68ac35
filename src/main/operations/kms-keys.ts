/** `kms:` handlers that make, show and change keys. Thin: the keyring decides. */
import { newSpecOf, usageOf } from '../../shared/api/kms-keys.ts';
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { aliasHere, isAliasName, keyArn, keyIdFrom, multiRegionIdFrom, realmIn, type KeyId, type Realm } from '../../shared/model/ids.ts';
import { isImportable } from '../../shared/model/wrapping.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { asOf } from '../keyring/import.ts';
import { assertAllows, deletionCancelled, disabled, enabled } from '../keyring/key.ts';
import { deletionScheduled, inRegion, merged, withoutDue } from '../keyring/regions.ts';
import { KEY_USAGE } from '../keyring/kinds.ts';
import { tagged } from '../keyring/tags.ts';
import type { AliasRecord, KeyRecord, Page } from '../keyring/ports.ts';
import type { Hardware } from '../hardware/hardware.ts';
import type { Random } from '../platform/ports.ts';
import type { Writer } from '../store/port.ts';
import type { Call } from '../kernel/handler.ts';
import { keyMetadata } from './key-metadata.ts';
import { destroyOnToken, generateOnToken, noteGone } from './hardware-keys.ts';
import { pageWhere } from './pages.ts';
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

/**
 * A key as it stands inside the unit of work, not as it was when it was resolved. `view` is the region's part of the record: what is written
 * comes from it. `judged` is the same at the time of the call, without the materials that are past their date: what may be done follows from it.
 *
 * INVARIANT: nothing that was made from `judged` is written. A wall clock that was moved would destroy materials by it; that is for
 * ExpireDueKeyMaterials, which waits for a steady clock, and for whoever deletes them by name.
 */
export interface KeyNow {
  readonly stored: KeyRecord;
  readonly view: KeyRecord;
  readonly judged: KeyRecord;
}

/** Throws NotFoundException. */
export async function keyNow(writer: Writer, call: Call, realm: Realm): Promise<KeyNow> {
  const stored = await writer.key(keyOf(call.resource).keyId);
  const view = stored && inRegion(stored, realm);
  if (!stored || !view) throw new VaultError('NotFoundException', 'the key has just been destroyed');
  return { stored, view, judged: asOf(view, call.at).key };
}

/** Changes what the region sees of the key. `next` is pure, and asked twice: whether it may be, and what is written. */
export async function change(writer: Writer, call: Call, realm: Realm, reference: string, next: (view: KeyRecord) => KeyRecord): Promise<KeyRecord> {
  assertNotAlias(reference);
  const { stored, view, judged } = await keyNow(writer, call, realm);
  next(judged);
  const changed = next(view);
  writer.updateKey(merged(stored, changed, realm));
  return changed;
}

/** Changes a key in more than one region. `next` gives a view, or the record itself, and is pure, as for `change`. Returns the record. */
export async function changeStored(writer: Writer, call: Call, realm: Realm, next: (view: KeyRecord, stored: KeyRecord) => KeyRecord, gives: 'view' | 'record' = 'view'): Promise<KeyRecord> {
  const { stored, view, judged } = await keyNow(writer, call, realm);
  next(judged, stored);
  const changed = next(view, stored);
  const record = gives === 'view' ? merged(stored, changed, realm) : changed;
  writer.updateKey(record);
  return record;
}

export const kmsKeyHandlers = (random: Random, now: () => Hardware): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:CreateKey': async (input, call, { writer, keys, realm, vaultId, undone }) => {
    const hardware = now();
    const keyId = input.MultiRegion ? multiRegionIdFrom(random.bytes(16)) : keyIdFrom(random.bytes(16));
    const spec = newSpecOf(input);
    if (spec === 'SM2') return call.fail('UnsupportedOperationException', '`SM2` is offered in the Chinese regions of AWS only; choose `ECC_NIST_P256`');
    // Our own doors know the one that is likely; a client of AWS's protocol must fail here where it fails there.
    if (call.door === 'aws' && input.KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') return call.fail('ValidationException', '`KeyUsage` must be given for every key spec but `SYMMETRIC_DEFAULT`');
    const usage = usageOf(spec, input.KeyUsage);
    if (usage === undefined) return call.fail('ValidationException', '`KeyUsage` must be given for this key spec');
    const isExternal = input.Origin === 'EXTERNAL';
    if (isExternal && !isImportable(spec)) return call.fail('UnsupportedOperationException', `a key of spec \`${spec}\` takes no key material from elsewhere; leave \`Origin\` out`);
    const store = input.CustomKeyStoreId;
    if (store !== undefined && input.MultiRegion) return call.fail('UnsupportedOperationException', 'a key in a custom key store is in one region; leave `MultiRegion` out');
    const onToken = store === undefined ? undefined : await generateOnToken(hardware, writer, random, { store, spec, usage, keyId, vaultId, attempted: call.attempted });
    // The unit may run again, or fail: then another key stands for this one, or none.
    if (onToken) undone(() => { destroyOnToken(hardware, onToken.ref); });
    const made = isExternal || onToken ? undefined : await keys.generate({ spec, keyId, purpose: 'kms' });
    const publicKey = made?.publicKey ?? onToken?.publicKey;
    const bare: KeyRecord = {
      keyId,
      spec,
      usage,
      purpose: 'kms',
      state: made ?? onToken ? 'Enabled' : 'PendingImport',
      description: input.Description,
      created: call.at,
      materials: made ? [made.material.materialId] : onToken ? [onToken.materialId] : [],
      ...(publicKey ? { publicKey: bytesToBase64(publicKey) } : {}),
      ...(onToken ? { origin: 'AWS_CLOUDHSM' as const, hardware: onToken.ref } : {}),
      ...(isExternal ? { origin: 'EXTERNAL' as const } : {}),
      ...(realm.home === undefined || realm.home === realm.region ? {} : { region: realm.region }),
      ...(input.MultiRegion ? { replicas: [] } : {}),
    };
    const record = tagged(bare, input.Tags);
    writer.insertKey(record, made?.material);
    return { KeyMetadata: await keyMetadata(writer, record, realm) };
  },

  'kms:DescribeKey': async (_input, call, { reader, realm }) => ({ KeyMetadata: await keyMetadata(reader, keyOf(call.resource), realm) }),

  'kms:ListKeys': async (input, call, { reader, realm }) => {
    const page = await pageWhere(input.Limit, input.Marker, (at) => reader.keys(at), (key) => inRegion(key, realm) !== undefined, call.signal);
    return {
      Keys: page.items.map(({ keyId }) => ({ KeyId: keyId, KeyArn: keyArn(realm, keyId) })),
      Truncated: page.next !== undefined,
      ...(page.next === undefined ? {} : { NextMarker: page.next }),
    };
  },

  'kms:EnableKey': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, enabled);
    return {};
  },

  'kms:DisableKey': async (input, call, { writer, keys, realm }) => {
    const key = await change(writer, call, realm, input.KeyId, disabled);
    await keys.forget(key.materials);
    return {};
  },

  'kms:UpdateKeyDescription': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, (key) => {
      assertAllows(key, 'edit');
      return { ...key, description: input.Description };
    });
    return {};
  },

  'kms:ScheduleKeyDeletion': async (input, call, { writer, keys, realm }) => {
    const key = await change(writer, call, realm, input.KeyId, (before) => deletionScheduled(before, realm, input.PendingWindowInDays, call.at));
    await keys.forget(key.materials);
    return { KeyId: keyArn(realm, key.keyId), ...(key.deletionDate === undefined ? {} : { DeletionDate: seconds(key.deletionDate) }), KeyState: key.state, PendingWindowInDays: input.PendingWindowInDays };
  },

  'kms:CancelKeyDeletion': async (input, call, { writer, realm }) => {
    const key = await change(writer, call, realm, input.KeyId, deletionCancelled);
    return { KeyId: keyArn(realm, key.keyId) };
  },

  'kms:DeleteDueKeys': async (_input, call, { writer, keys, realm, afterwards }) => {
    const hardware = now();
    const arns: string[] = [];
    for (const stored of await writer.pendingDeletion()) {
      const { key, gone } = withoutDue(stored, realm, call.at);
      for (const region of gone) {
        const there = realmIn(realm, region);
        arns.push(keyArn(there, stored.keyId));
        await dropTraces(writer, stored.keyId, there);
      }
      if (key) writer.updateKey(key);
      else {
        await writer.destroyKey(stored.keyId);
        const { hardware: ref } = stored;
        if (ref) await noteGone(writer, ref);
        if (ref) afterwards(() => { destroyOnToken(hardware, ref); });
        await keys.forget(stored.materials);
      }
    }
    return { KeyArns: arns };
  },
});

/** What names a key in a region where it is no more, and what is known of its use there. */
async function dropTraces(writer: Writer, keyId: KeyId, realm: Realm): Promise<void> {
  const usage = writer.of(KEY_USAGE);
  const arn = keyArn(realm, keyId);
  if (await usage.get(arn)) usage.remove(arn);
  for (let after: string | undefined; ; ) {
    const page: Page<AliasRecord> = await writer.aliases({ target: keyId, limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const { name } of page.items) if (aliasHere(realm, name) !== undefined) writer.deleteAlias(name);
    if (page.next === undefined) return;
    after = page.next;
  }
}
