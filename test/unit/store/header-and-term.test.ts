/** Header and term changes, cut off at every step: what is on the disk then opens, and is finished. */
import { cpSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { systemRandom } from '../../../src/main/platform/random.ts';
import type { RequestOf, ReplyOf, Sealer, SealerMethod } from '../../../src/main/seal/protocol.ts';
import { openStore } from '../../../src/main/store/store.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { BLOBS, NOTES, TEST_KINDS } from './kinds.ts';
import { addKey, close, codeOf, copyOf, createVault, readHeader, record, reopen, SETTINGS, temporaryFolder, unseal, type TestVault } from './vault.ts';

/** The same sealer, with something done before each call: the disk is then as a kill at that moment would leave it. */
const watched = (sealer: Sealer, before: (method: SealerMethod) => void): Sealer => ({
  call<M extends SealerMethod>(method: M, request: RequestOf<M>): Promise<ReplyOf<M>> {
    before(method);
    return sealer.call(method, request);
  },
  stop: () => sealer.stop(),
  gone: sealer.gone,
});

async function openWatched(folder: string, code: Uint8Array, before: (method: SealerMethod) => void): Promise<TestVault> {
  const { sealer } = await unseal(folder, code);
  const seen = watched(sealer, before);
  const store = await openStore(seen, { folder, header: readHeader(folder) }, { random: systemRandom, clock: fakeClock(SETTINGS.created), kinds: TEST_KINDS });
  return { folder, code, store, sealer: seen };
}

/** A vault with a second recovery code, which is the one that is given back. */
async function twoSlots(): Promise<TestVault & { readonly firstSlot: string }> {
  const vault = await createVault();
  const { slots } = await vault.sealer.call('readHeader', { header: readHeader(vault.folder) });
  const added = await vault.sealer.call('addSlot', { slot: { type: 'recovery', factors: {}, created: 1 } });
  await vault.store.changeHeader(added.header, { intent: record().intent, headerEpoch: added.info.headerEpoch });
  return { ...vault, code: added.recoveryCode ?? new Uint8Array(0), firstSlot: slots[0]?.slotId ?? '' };
}

describe('a header change', () => {
  test('holds: the new header opens, the old does not', async () => {
    const vault = await twoSlots();
    const { header, info } = await vault.sealer.call('retireSlot', { slotId: vault.firstSlot });
    await vault.store.changeHeader(header, { intent: record().intent, headerEpoch: info.headerEpoch });
    expect(vault.store.state.headerEpoch).toBe(info.headerEpoch);
    expect(vault.store.state.preparedHeader).toBeUndefined();
    await close(vault);
    expect((await reopen(vault)).store.state.headerEpoch).toBe(info.headerEpoch);
  });

  test('cut off at each call, it opens with either header and goes on', async () => {
    const base = await twoSlots();
    await close(base);
    const work = copyOf(base.folder);
    const cuts: string[] = [];
    let recording = false;
    const vault = await openWatched(work, base.code, () => {
      if (!recording) return;
      const cut = temporaryFolder();
      cpSync(work, cut, { recursive: true });
      cuts.push(cut);
    });
    const { header, info } = await vault.sealer.call('retireSlot', { slotId: base.firstSlot });
    recording = true;
    await vault.store.changeHeader(header, { intent: record().intent, headerEpoch: info.headerEpoch });
    recording = false;
    await close(vault);
    expect(cuts.length).toBeGreaterThanOrEqual(4);
    const epochs = new Set<number>();
    for (const folder of cuts) {
      const again = await reopen({ folder, code: base.code });
      epochs.add(again.store.state.headerEpoch);
      await addKey(again);
      const next = await again.sealer.call('addSlot', { slot: { type: 'recovery', factors: {}, created: 2 } });
      await again.store.changeHeader(next.header, { intent: record().intent, headerEpoch: next.info.headerEpoch });
      await close(again);
      await close(await reopen({ folder, code: base.code }));
    }
    expect(epochs.size).toBe(2);
  });

  test('that cannot be written leaves the old one, and the next one works', async () => {
    const vault = await twoSlots();
    const folder = vault.folder;
    const { header, info } = await vault.sealer.call('retireSlot', { slotId: vault.firstSlot });
    // A folder in the way of the rename: fails for root too.
    const { mkdirSync, renameSync } = await import('node:fs');
    renameSync(`${folder}/header`, `${folder}/header.kept`);
    mkdirSync(`${folder}/header`);
    expect(await codeOf(vault.store.changeHeader(header, { intent: record().intent, headerEpoch: info.headerEpoch }))).toBe('StorageException');
    rmSync(`${folder}/header`, { recursive: true });
    renameSync(`${folder}/header.kept`, `${folder}/header`);
    await addKey(vault);
    const again = await vault.sealer.call('retireSlot', { slotId: vault.firstSlot });
    await vault.store.changeHeader(again.header, { intent: record().intent, headerEpoch: again.info.headerEpoch });
    await close(vault);
    await reopen(vault);
  });
});

describe('a new term', () => {
  test('re-encrypts everything; cut off at each call it is resumed', { timeout: 180_000 }, async () => {
    const base = await twoSlots();
    const keys = [await addKey(base, 'one'), await addKey(base, 'two')];
    await base.store.write(record('kept'), (writer) => {
      writer.of(NOTES).insert({ name: 'note', text: 'kept too' });
      // More than one call's worth.
      for (let at = 0; at < 20; at++) writer.of(BLOBS).insert({ id: String(at), bytes: 'b'.repeat(900_000) });
      return Promise.resolve();
    });
    await close(base);
    const work = copyOf(base.folder);
    const cuts: string[] = [];
    let recording = false;
    const vault = await openWatched(work, base.code, () => {
      if (!recording) return;
      const cut = temporaryFolder();
      cpSync(work, cut, { recursive: true });
      cuts.push(cut);
    });
    const compromised = await vault.sealer.call('compromiseSlot', { slotId: base.firstSlot });
    recording = true;
    await vault.store.changeHeader(compromised.header, { intent: record().intent, headerEpoch: compromised.info.headerEpoch });
    const seen: number[] = [];
    await vault.store.changeTerm({ intent: record().intent }, (done) => seen.push(done));
    recording = false;
    expect(seen.length).toBeGreaterThan(0);
    await addKey(vault, 'after');
    await close(vault);

    const verify = async (folder: string): Promise<void> => {
      const { sealer, pendingTerm } = await unseal(folder, base.code);
      const store = await openStore(sealer, { folder, header: readHeader(folder) }, { random: systemRandom, clock: fakeClock(SETTINGS.created), kinds: TEST_KINDS });
      if (pendingTerm) await store.changeTerm({ intent: record().intent });
      for (const { record: key, material } of keys) {
        expect(await store.reader.key(key.keyId)).toEqual(key);
        expect(await store.reader.material(material.materialId)).toBeDefined();
      }
      expect(await store.reader.of(NOTES).get('note')).toEqual({ name: 'note', text: 'kept too' });
      expect((await store.reader.of(BLOBS).get('7'))?.bytes).toHaveLength(900_000);
      expect((await store.undelivered()).map(({ body }) => Buffer.from(body).toString().split(' ')[0])).toContain('kept');
      await addKey({ folder, code: base.code, store, sealer });
      await store.close();
      await sealer.stop();
      const again = await unseal(folder, base.code);
      expect(again.pendingTerm).toBe(false);
      await again.sealer.stop();
      await close(await reopen({ folder, code: base.code }));
    };
    await verify(work);
    let resumed = 0;
    for (const folder of cuts) {
      const { sealer, pendingTerm } = await unseal(folder, base.code);
      await sealer.stop();
      if (!pendingTerm) continue;
      resumed++;
      await verify(folder);
    }
    expect(resumed).toBeGreaterThan(5);
  });
});
