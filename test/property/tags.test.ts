/** Tags of a key against a map, in AWS's limits, and in a record that is sealed and opened. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { KeyRecord } from '../../src/main/keyring/ports.ts';
import { tagged, TAG_LIMIT, untagged, type Tag } from '../../src/main/keyring/tags.ts';
import { kmsTagHandlers } from '../../src/main/operations/kms-tags.ts';
import type { Call } from '../../src/main/kernel/handler.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, keyIdFrom } from '../../src/shared/model/ids.ts';
import { addKey, close, createVault, record, reopen } from '../unit/store/vault.ts';

const bare: KeyRecord = { keyId: keyIdFrom(new Uint8Array(16)), spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['00'] };
const codeFrom = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : 'not a VaultError';
  }
};

const list = kmsTagHandlers()['kms:ListResourceTags'];
async function listed(key: KeyRecord, Limit: number): Promise<Tag[]> {
  const found: Tag[] = [];
  for (let Marker: string | undefined; ; ) {
    const page = await list({ KeyId: key.keyId, Limit, ...(Marker === undefined ? {} : { Marker }) }, { resource: { subject: key } } as unknown as Call<never>, {} as never);
    found.push(...page.Tags);
    expect(page.Truncated).toBe(page.NextMarker !== undefined);
    if (page.NextMarker === undefined) return found;
    Marker = page.NextMarker;
  }
}

test('tags are a map of at most 50', async () => {
  const name = fc.integer({ min: 0, max: 70 }).map((n) => `tag ${String(n)} ü`);
  const step = fc.oneof(
    fc.record({ put: fc.uniqueArray(fc.record({ TagKey: name, TagValue: fc.constantFrom('', 'a', '鍵/x=1') }), { selector: ({ TagKey }) => TagKey, maxLength: 40 }) }),
    fc.record({ take: fc.array(name, { maxLength: 10 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 60 }), async (steps, limit) => {
      let key = bare;
      const model = new Map<string, string>();
      for (const one of steps) {
        if ('take' in one) {
          key = untagged(key, one.take);
          for (const taken of one.take) model.delete(taken);
          continue;
        }
        const next = new Map([...model, ...one.put.map(({ TagKey, TagValue }) => [TagKey, TagValue] as const)]);
        const fits = next.size <= TAG_LIMIT;
        expect(codeFrom(() => { key = tagged(key, one.put); })).toBe(fits ? undefined : 'LimitExceededException');
        if (fits) for (const [added, value] of next) model.set(added, value);
      }
      expect(new Map(key.tags)).toEqual(model);
      expect('tags' in key).toBe(model.size > 0);
      const seen = await listed(key, limit);
      expect(seen).toHaveLength(model.size);
      expect(new Map(seen.map(({ TagKey, TagValue }) => [TagKey, TagValue]))).toEqual(model);
    }),
    { numRuns: 300 },
  );
});

test('refuses what AWS refuses', () => {
  for (const TagKey of ['aws:x', 'AWS:x', 'a#b', 'a\nb', '\0']) expect(codeFrom(() => tagged(bare, [{ TagKey, TagValue: '' }]))).toBe('TagException');
  expect(codeFrom(() => tagged(bare, [{ TagKey: 'a', TagValue: '<script>' }]))).toBe('TagException');
  expect(codeFrom(() => tagged(bare, [{ TagKey: 'a', TagValue: '1' }, { TagKey: 'a', TagValue: '2' }]))).toBe('TagException');
  expect(codeFrom(() => tagged({ ...bare, state: 'PendingDeletion' }, []))).toBe('KMSInvalidStateException');
  expect(codeFrom(() => untagged({ ...bare, state: 'PendingDeletion' }, []))).toBe('KMSInvalidStateException');
  expect(codeFrom(() => tagged({ ...bare, state: 'Disabled' }, [{ TagKey: 'a', TagValue: '' }]))).toBeUndefined();
  for (const Marker of ['!', '', 'YQ==']) expect(codeFrom(() => list({ KeyId: bare.keyId, Limit: 1, Marker }, { resource: { subject: bare } } as unknown as Call<never>, {} as never))).toBe('InvalidMarkerException');
});

test('are sealed with the key', async () => {
  const vault = await createVault();
  const { record: key } = await addKey(vault);
  const changed = tagged(key, [{ TagKey: 'team', TagValue: 'infra' }]);
  await vault.store.write(record(), (writer) => Promise.resolve(writer.updateKey(changed)));
  await close(vault);
  expect(await (await reopen(vault)).store.reader.key(key.keyId)).toEqual(changed);
});
