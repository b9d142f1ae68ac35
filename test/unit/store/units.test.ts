import { describe, expect, test } from 'vitest';

import type { Committed, Writer } from '../../../src/main/store/port.ts';
import { instant, keyIdFrom } from '../../../src/shared/model/ids.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { addKey, close, codeOf, createVault, newAlias, newKey, record, reopen, SETTINGS } from './vault.ts';

describe('a unit of work', () => {
  test('is there after reopening, with its material, alias and settings', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'one');
    await vault.store.write(record(), (writer) => Promise.resolve(writer.putSettings({ ...SETTINGS, name: 'other' })));
    await close(vault);

    const { store } = await reopen(vault);
    expect(await store.reader.key(key.record.keyId)).toEqual(key.record);
    expect((await store.reader.alias(newAlias('one', key.record.keyId).name))?.target).toBe(key.record.keyId);
    expect((await store.reader.keyOfMaterial(key.material.materialId))?.keyId).toBe(key.record.keyId);
    const material = await store.reader.material(key.material.materialId);
    expect(Buffer.from(material?.body ?? []).equals(key.material.body)).toBe(true);
    expect(await store.reader.settings()).toEqual({ ...SETTINGS, name: 'other' });
  });

  test('reads its own writes, and nobody else does before the commit', async () => {
    const vault = await createVault();
    const old = await addKey(vault, 'old');
    const fresh = await newKey(vault.sealer);
    const { keyId } = fresh.record;
    await vault.store.write(record(), async (writer) => {
      writer.insertKey(fresh.record, fresh.material);
      writer.insertAlias(newAlias('fresh', keyId));
      writer.updateAlias({ ...newAlias('old', keyId), updated: instant(9) });
      writer.updateKey({ ...old.record, state: 'PendingDeletion', deletionDate: instant(5) });
      writer.putSettings({ ...SETTINGS, name: 'renamed' });

      expect(await writer.key(keyId)).toEqual(fresh.record);
      expect((await writer.keyOfMaterial(fresh.material.materialId))?.keyId).toBe(keyId);
      expect((await writer.material(fresh.material.materialId))?.version).toBe(1);
      expect((await writer.keys({ limit: 10 })).items).toHaveLength(2);
      expect((await writer.aliases({ limit: 10, target: keyId })).items.map(({ name }) => name).sort()).toEqual(['alias/fresh', 'alias/old']);
      expect((await writer.aliases({ limit: 10, target: old.record.keyId })).items).toEqual([]);
      expect((await writer.pendingDeletion()).map((key) => key.keyId)).toEqual([old.record.keyId]);
      expect((await writer.settings()).name).toBe('renamed');

      expect(await vault.store.reader.key(keyId)).toBeUndefined();
      expect((await vault.store.reader.aliases({ limit: 10 })).items).toHaveLength(1);
      expect((await vault.store.reader.settings()).name).toBe('personal');
    });
    expect(await vault.store.reader.key(keyId)).toEqual(fresh.record);
    expect((await vault.store.reader.pendingDeletion()).map((key) => key.keyId)).toEqual([old.record.keyId]);
  });

  test('pages of a unit hold its own rows, in order, each once', async () => {
    const vault = await createVault();
    for (let count = 0; count < 5; count++) await addKey(vault);
    await vault.store.write(record(), async (writer) => {
      for (let count = 0; count < 5; count++) {
        const key = await newKey(vault.sealer);
        writer.insertKey(key.record, key.material);
      }
      const seen = new Set<string>();
      for (let after: string | undefined; ; ) {
        const page = await writer.keys({ limit: 3, ...(after === undefined ? {} : { after }) });
        for (const { keyId } of page.items) {
          expect(seen.has(keyId)).toBe(false);
          seen.add(keyId);
        }
        if (page.next === undefined) break;
        after = page.next;
      }
      expect(seen.size).toBe(10);
    });
  });

  test('destroying a key takes its aliases and materials', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'gone');
    await vault.store.write(record(), async (writer) => {
      writer.insertAlias(newAlias('gone-too', key.record.keyId));
      await writer.destroyKey(key.record.keyId);
      expect(await writer.key(key.record.keyId)).toBeUndefined();
      expect(await writer.material(key.material.materialId)).toBeUndefined();
      expect((await writer.aliases({ limit: 10 })).items).toEqual([]);
    });
    for (const { store } of [vault, (await close(vault), await reopen(vault))]) {
      if (store === vault.store) continue;
      expect(await store.reader.key(key.record.keyId)).toBeUndefined();
      expect(await store.reader.material(key.material.materialId)).toBeUndefined();
      expect((await store.reader.aliases({ limit: 10 })).items).toEqual([]);
      expect((await store.reader.keys({ limit: 10 })).items).toEqual([]);
    }
  });

  test('an alias deleted and made again in one unit goes on in its row', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'same');
    const { name } = newAlias('same', key.record.keyId);
    await vault.store.write(record(), (writer) => {
      writer.deleteAlias(name);
      writer.insertAlias({ ...newAlias('same', key.record.keyId), updated: instant(77) });
      return Promise.resolve();
    });
    expect((await vault.store.reader.alias(name))?.updated).toBe(77);
    await close(vault);
    expect((await (await reopen(vault)).store.reader.alias(name))?.updated).toBe(77);
  });

  test('leaves nothing when the work throws, when a name is taken, when a row is missing', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'taken');
    const { epoch } = vault.store.state;
    const tries: ((writer: Writer) => Promise<void>)[] = [
      () => Promise.reject(new Error('no')),
      (writer) => Promise.resolve(writer.insertAlias(newAlias('taken', key.record.keyId))),
      (writer) => Promise.resolve(writer.insertKey(key.record, key.material)),
      (writer) => Promise.resolve(writer.updateAlias(newAlias('absent', key.record.keyId))),
      (writer) => Promise.resolve(writer.deleteAlias(newAlias('absent', key.record.keyId).name)),
      (writer) => writer.destroyKey(keyIdFrom(crypto.getRandomValues(new Uint8Array(16)))),
      (writer) => {
        writer.insertAlias(newAlias('fine', key.record.keyId));
        return Promise.resolve(writer.insertAlias(newAlias('taken', key.record.keyId)));
      },
    ];
    const codes: string[] = [];
    for (const work of tries) codes.push(await codeOf(vault.store.write(record(), work)));
    expect(codes).toEqual(['Error: no', 'AlreadyExistsException', 'AlreadyExistsException', 'NotFoundException', 'NotFoundException', 'NotFoundException', 'AlreadyExistsException']);
    expect(vault.store.state.epoch).toBe(epoch);
    expect((await vault.store.reader.aliases({ limit: 10 })).items).toHaveLength(1);
    await addKey(vault, 'still-works');
  });

  test('a name that is taken is noticed by the blind index while the index is not loaded', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'taken');
    await close(vault);
    const again = await reopen(vault);
    const failure = codeOf(again.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias('taken', key.record.keyId)))));
    expect(await failure).toBe('AlreadyExistsException');
  });

  test('the state follows: epoch, highest intent, a clock that never goes back', async () => {
    const clock = fakeClock(SETTINGS.created);
    const vault = await createVault(undefined, clock);
    const before = vault.store.state;
    const late = record();
    const early = record();
    clock.advance(5000);
    await vault.store.write(early, () => Promise.resolve());
    await vault.store.write({ ...late, intent: early.intent }, () => Promise.resolve());
    clock.setWall(clock.now() - 60_000);
    await vault.store.write(late, () => Promise.resolve());
    const { state } = vault.store;
    expect(state.epoch).toBe(before.epoch + 3);
    expect(state.trailIndex).toBe(Math.max(early.intent.index, late.intent.index));
    expect(state.clock).toBe(before.clock + 5000);
    await close(vault);
    expect((await reopen(vault)).store.state).toEqual(state);
  });
});

describe('the writer', () => {
  test('groups units that wait; each has its own outcome, all the same epoch or later', async () => {
    const vault = await createVault();
    const keys = await Promise.all(Array.from({ length: 40 }, () => newKey(vault.sealer)));
    const { epoch } = vault.store.state;
    const done = await Promise.all(keys.map((key) => vault.store.write(record('grouped'), (writer) => Promise.resolve(writer.insertKey(key.record, key.material)))));
    expect(vault.store.state.epoch - epoch).toBeLessThan(10);
    for (const committed of done) expect(Buffer.from(committed.outcome).toString()).toBe(`grouped ${String(committed.epoch)}`);
    expect((await vault.store.reader.keys({ limit: 100 })).items).toHaveLength(40);
  });

  test('one unit of a group that fails does not fail the others', async () => {
    const vault = await createVault();
    const key = await addKey(vault, 'taken');
    await close(vault);
    // Right after opening the index is not loaded: the failure comes from inside the transaction.
    const again = await reopen(vault);
    const results = await Promise.allSettled([
      ...['a', 'taken', 'b'].map((name) => again.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias(name, key.record.keyId))))),
      again.store.write({ ...record(), outcome: () => { throw new Error('no body'); } }, (writer) => Promise.resolve(writer.insertAlias(newAlias('c', key.record.keyId)))),
      again.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias('d', key.record.keyId)))),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    const { items } = await again.store.reader.aliases({ limit: 10, target: key.record.keyId });
    expect(items.map(({ name }) => name).sort()).toEqual(['alias/a', 'alias/b', 'alias/d', 'alias/taken']);
  });

  test('two units that change one record after reading it both count', async () => {
    const vault = await createVault();
    const { record: key } = await addKey(vault);
    const step = (): Promise<Committed<number>> =>
      vault.store.write(record<number>(), async (writer) => {
        const now = await writer.key(key.keyId);
        const count = Number(now?.description.split(' ')[1] ?? 0) || 0;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
        writer.updateKey({ ...key, description: `count ${String(count + 1)}` });
        return count;
      });
    const done = await Promise.all(Array.from({ length: 24 }, step));
    expect((await vault.store.reader.key(key.keyId))?.description).toBe('count 24');
    expect(done.map(({ value }) => value).sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, count) => count));
  });

  test('a unit that listed is run again when the list has changed', async () => {
    const vault = await createVault();
    const { record: key } = await addKey(vault);
    // At most three aliases for a key: a rule that only a listing can check.
    const add = (name: string): Promise<Committed<boolean>> =>
      vault.store.write(record<boolean>(), async (writer) => {
        const { items } = await writer.aliases({ limit: 10, target: key.keyId });
        if (items.length >= 3) return false;
        writer.insertAlias(newAlias(name, key.keyId));
        return true;
      });
    const done = await Promise.all(Array.from({ length: 8 }, (_, n) => add(`n${String(n)}`)));
    expect(done.filter(({ value }) => value)).toHaveLength(3);
    expect((await vault.store.reader.aliases({ limit: 10, target: key.keyId })).items).toHaveLength(3);
  });

  test('two units that insert one name: one of them is told', async () => {
    const vault = await createVault();
    const { record: key } = await addKey(vault);
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => vault.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias('same', key.keyId))))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await codeOf(vault.store.write(record(), (writer) => Promise.resolve(writer.insertAlias(newAlias('same', key.keyId)))))).toBe('AlreadyExistsException');
  });

  test('refuses a writer that is used after its unit', async () => {
    const vault = await createVault();
    let kept: Writer | undefined;
    await vault.store.write(record(), (writer) => {
      kept = writer;
      return Promise.resolve();
    });
    expect(() => kept?.putSettings(SETTINGS)).toThrowError(/after its end/);
  });

  test('closing ends what waits with VaultLockedException and keeps what was acknowledged', async () => {
    const vault = await createVault();
    const keys = await Promise.all(Array.from({ length: 20 }, () => newKey(vault.sealer)));
    const writes = keys.map((key) => vault.store.write(record(), (writer) => Promise.resolve(writer.insertKey(key.record, key.material))));
    const closing = new Promise<void>((resolve) => setTimeout(() => void close(vault).then(resolve), 1));
    const results = await Promise.allSettled(writes);
    await closing;
    const { store } = await reopen(vault);
    for (const [at, result] of results.entries()) {
      const key = keys[at];
      if (result.status === 'fulfilled' && key) expect(await store.reader.key(key.record.keyId)).toBeDefined();
      if (result.status === 'rejected') expect((result.reason as { code: string }).code).toBe('VaultLockedException');
    }
    expect(await codeOf(vault.store.reader.key(keyIdFrom(new Uint8Array(16))))).toBe('VaultLockedException');
    expect(await codeOf(vault.store.write(record(), () => Promise.resolve()))).toBe('VaultLockedException');
  });
});

describe('following the trail', () => {
  test('moves the state on, never back, and commits nothing when it is as far already', async () => {
    const vault = await createVault();
    const { epoch } = vault.store.state;
    const [early, late] = [{ index: 70_000, hash: new Uint8Array(32).fill(1) }, { index: 70_001, hash: new Uint8Array(32).fill(2) }];
    for (const position of [late, late, early]) await vault.store.follow(position);
    expect(vault.store.state).toMatchObject({ epoch: epoch + 1, trailIndex: late.index, trailHash: late.hash });
    await close(vault);
    const again = await reopen(vault);
    expect(again.store.state.trailIndex).toBe(late.index);
    await close(again);
    const readOnly = await reopen(vault, { readOnly: true });
    expect(await codeOf(readOnly.store.follow({ ...late, index: 70_002 }))).toBe('VaultReadOnlyException');
  });
});

describe('the outbox', () => {
  test('an outcome stays until it is delivered, in the order of the commits', async () => {
    const vault = await createVault();
    const first = await vault.store.write(record('first'), () => Promise.resolve());
    await vault.store.write(record('second'), () => Promise.resolve());
    await vault.store.write(record('third'), () => Promise.resolve());
    first.delivered();
    first.delivered();
    await close(vault);

    const again = await reopen(vault);
    const left = await again.store.undelivered();
    expect(left.map(({ body }) => Buffer.from(body).toString().split(' ')[0])).toEqual(['second', 'third']);
    for (const outcome of left) outcome.delivered();
    expect(await again.store.undelivered()).toEqual([]);
    await again.store.write(record(), () => Promise.resolve()).then((committed) => { committed.delivered(); });
    for (const outcome of left) outcome.delivered();
    await close(again);
    expect(await (await reopen(vault)).store.undelivered()).toEqual([]);
  });
});
