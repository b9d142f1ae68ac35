/** The store against a map: whatever is done in whatever order, both say the same, also after closing and opening. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { AliasRecord, KeyRecord } from '../../src/main/keyring/ports.ts';
import type { Page } from '../../src/main/keyring/ports.ts';
import { FixedMap } from '../../src/main/store/fixed-map.ts';
import { decodeMarker, encodeMarker } from '../../src/main/store/markers.ts';
import { instant, type KeyId } from '../../src/shared/model/ids.ts';
import { close, codeOf, createVault, newAlias, newKey, record, reopen, type TestVault } from '../unit/store/vault.ts';

interface Model {
  readonly keys: Map<KeyId, KeyRecord>;
  readonly aliases: Map<string, AliasRecord>;
}

type Step =
  | { readonly kind: 'insertKey' | 'updateKey' | 'destroyKey' | 'pendKey'; readonly key: number }
  | { readonly kind: 'putAlias' | 'deleteAlias'; readonly name: number; readonly key: number }
  | { readonly kind: 'reopen' | 'fail' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insertKey', 'insertKey', 'updateKey', 'destroyKey', 'pendKey'), key: fc.nat(7) }),
  fc.record({ kind: fc.constantFrom('putAlias', 'putAlias', 'deleteAlias'), name: fc.nat(7), key: fc.nat(7) }),
  fc.record({ kind: fc.constantFrom('reopen', 'fail') }),
);

const nth = (model: Model, position: number): KeyRecord | undefined => [...model.keys.values()][position % Math.max(1, model.keys.size)];

/** Applies one step to both; several steps of a list of lists are one unit. */
async function unit(vault: TestVault, model: Model, steps: readonly Step[]): Promise<void> {
  const next: Model = { keys: new Map(model.keys), aliases: new Map(model.aliases) };
  const fresh = await newKey(vault.sealer);
  let inserted = false;
  const failing = steps.some(({ kind }) => kind === 'fail');
  const done = vault.store.write(record(), async (writer) => {
    next.keys.clear();
    next.aliases.clear();
    for (const [id, key] of model.keys) next.keys.set(id, key);
    for (const [name, alias] of model.aliases) next.aliases.set(name, alias);
    inserted = false;
    for (const one of steps) {
      if (one.kind === 'insertKey' && !inserted) {
        inserted = true;
        writer.insertKey(fresh.record, fresh.material);
        next.keys.set(fresh.record.keyId, fresh.record);
      }
      const key = 'key' in one ? nth(next, one.key) : undefined;
      if (key === undefined) continue;
      if (one.kind === 'updateKey' || one.kind === 'pendKey') {
        const changed: KeyRecord = { ...key, description: `${key.description}+`, state: one.kind === 'pendKey' ? 'PendingDeletion' : 'Enabled' };
        writer.updateKey(changed);
        next.keys.set(key.keyId, changed);
      } else if (one.kind === 'destroyKey') {
        // A record made and destroyed in one unit is not destroyed again.
        await writer.destroyKey(key.keyId);
        next.keys.delete(key.keyId);
        for (const [name, alias] of next.aliases) if (alias.target === key.keyId) next.aliases.delete(name);
      } else if (one.kind === 'putAlias') {
        const alias = newAlias(`n${String(one.name)}`, key.keyId);
        const known = next.aliases.get(alias.name);
        const changed = { ...alias, updated: instant((known?.updated ?? 0) + 1) };
        if (known) writer.updateAlias(changed);
        else writer.insertAlias(changed);
        next.aliases.set(alias.name, changed);
      } else if (one.kind === 'deleteAlias') {
        const { name } = newAlias(`n${String(one.name)}`, key.keyId);
        if (!next.aliases.delete(name)) continue;
        writer.deleteAlias(name);
      }
      const seen = nth(next, 0);
      if (seen) expect(await writer.key(seen.keyId)).toEqual(seen);
    }
    await same(writer, next);
    if (failing) throw new Error('failed on purpose');
  });
  if (failing) {
    await expect(done).rejects.toThrow('failed on purpose');
    return;
  }
  (await done).delivered();
  model.keys.clear();
  model.aliases.clear();
  for (const [id, key] of next.keys) model.keys.set(id, key);
  for (const [name, alias] of next.aliases) model.aliases.set(name, alias);
}

type Lists = Pick<TestVault['store']['reader'], 'keys' | 'aliases' | 'pendingDeletion' | 'keyOfMaterial'>;

async function all<T>(list: (page: { readonly after?: string; readonly limit: number }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let after: string | undefined; ; ) {
    const page = await list({ limit: 3, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}

async function same(reader: Lists, model: Model): Promise<void> {
  const keys = await all((page) => reader.keys(page));
  expect(new Map(keys.map((key) => [key.keyId, key]))).toEqual(model.keys);
  expect(keys).toHaveLength(model.keys.size);
  expect(new Map((await all((page) => reader.aliases(page))).map((alias) => [alias.name, alias]))).toEqual(model.aliases);
  const pending = [...model.keys.values()].filter(({ state }) => state === 'PendingDeletion');
  expect(new Set((await reader.pendingDeletion()).map(({ keyId }) => keyId))).toEqual(new Set(pending.map(({ keyId }) => keyId)));
  for (const key of model.keys.values()) {
    const mine = (await all((page) => reader.aliases({ ...page, target: key.keyId }))).map(({ name }) => name).sort();
    expect(mine).toEqual([...model.aliases.values()].filter(({ target }) => target === key.keyId).map(({ name }) => name).sort());
    expect((await reader.keyOfMaterial(key.materials[0] ?? ''))?.keyId).toBe(key.keyId);
  }
}

test('the store is a map of records', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 }), async (units) => {
      const model: Model = { keys: new Map(), aliases: new Map() };
      let vault = await createVault();
      for (const steps of units) {
        await unit(vault, model, steps);
        if (steps.some(({ kind }) => kind === 'reopen')) {
          await close(vault);
          vault = await reopen(vault);
        }
        await same(vault.store.reader, model);
        for (const alias of model.aliases.values()) expect(await vault.store.reader.alias(alias.name)).toEqual(alias);
      }
      await close(vault);
      const again = await reopen(vault);
      await same(again.store.reader, model);
      await close(again);
    }),
    { numRuns: Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 40) },
  );
});

test('the fixed map is a map', () => {
  const key = fc.nat(40).map((n) => Uint8Array.from([n % 3, 0, 0, n % 5, n]));
  fc.assert(
    fc.property(fc.array(fc.record({ key, value: fc.nat(255), drop: fc.boolean() }), { maxLength: 300 }), (steps) => {
      const model = new Map<string, number>();
      const map = new FixedMap(5, 1);
      for (const { key, value, drop } of steps) {
        const name = String(key);
        if (drop) expect(map.delete(key)).toBe(model.delete(name));
        else {
          map.set(key, Uint8Array.of(value));
          model.set(name, value);
        }
        expect(map.size).toBe(model.size);
      }
      for (let n = 0; n <= 40; n++) {
        const probe = Uint8Array.from([n % 3, 0, 0, n % 5, n]);
        expect(map.get(probe)?.[0]).toBe(model.get(String(probe)));
        expect(map.has(probe)).toBe(model.has(String(probe)));
      }
    }),
    { numRuns: 300 },
  );
});

test('a marker is what was given out, and nothing else is one', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (row) => {
      expect([...decodeMarker(encodeMarker(row))]).toEqual([...row]);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url'))), (text) => {
      const bytes = Buffer.from(text, 'base64url');
      fc.pre(!(bytes.length === 17 && bytes[0] === 1 && bytes.toString('base64url') === text));
      expect(() => decodeMarker(text)).toThrowError(/marker/);
    }),
  );
  const { store } = await createVault();
  expect(await codeOf(store.reader.keys({ limit: 5, after: 'nonsense' }))).toBe('InvalidMarkerException');
  expect(await codeOf(store.reader.aliases({ limit: 0 }))).toBe('ValidationException');
  expect(await codeOf(store.reader.keys({ limit: 1001 }))).toBe('ValidationException');
});
