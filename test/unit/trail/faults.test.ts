import { describe, expect, it, vi } from 'vitest';

import { parseKeyBlock } from '../../../src/main/trail/key-block.ts';
import { RESERVE_LENGTH } from '../../../src/main/trail/reserve.ts';
import { BATCH_MAX } from '../../../src/main/trail/writer.ts';
import { SEGMENT_MAX_RECORDS } from '../../../src/main/trail/segment.ts';
import { type MemoryDisk, filesOf, memoryDisk } from './memory-disk.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { check, create, otherPublicKey, reopen, text } from './support.ts';

let places = 0;
const place = (): string => `/memory-${String((places += 1))}`;
const isSegment = (path: string): boolean => path.endsWith('.seg');
const verdict = (disk: MemoryDisk, folder: string): ReturnType<typeof check> => {
  const { segments, keyBlock } = filesOf(disk, folder);
  return check(segments, keyBlock);
};
const settled = async (promises: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(promises)).map((one) => (one.status === 'fulfilled' ? 'ok' : (one.reason as { code: string }).code));
const many = (log: { append: (body: Uint8Array) => Promise<unknown> }, count: number, name = 'r'): Promise<unknown>[] =>
  Array.from({ length: count }, (_, i) => log.append(text(`${name}${String(i)}`)));

describe('group commit', () => {
  it('is one write and one fdatasync for what waits together, and the key follows', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    disk.calls.length = 0;
    await Promise.all(many(log, 10));
    expect(disk.calls).toEqual(['write 00000001.seg', 'sync 00000001.seg', 'overwrite trail.key']);
    disk.calls.length = 0;
    await Promise.all(many(log, BATCH_MAX + 1));
    expect(disk.calls.filter((call) => call.startsWith('sync'))).toHaveLength(2);
    await log.close();
  });

  it('never lets the key lead the durable records, nor lag by more than a batch', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    let worst = 0;
    disk.onChange = (call, path) => {
      const block = parseKeyBlock(disk.content(`${folder}/trail/trail.key`));
      if (!block) throw new Error('torn key');
      const segment = `${folder}/trail/${String(block.segment).padStart(8, '0')}.seg`;
      expect(disk.syncedContent(segment).byteLength).toBeGreaterThanOrEqual(block.offset);
      if (call !== 'write' || !isSegment(path)) return;
      // Records in the file that the key on disk does not cover yet: what a thief of the file could re-write.
      worst = Math.max(worst, (disk.content(segment).byteLength - block.offset) / 361);
    };
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(many(log, 200));
      await log.rotate(otherPublicKey);
    }
    expect(worst).toBeGreaterThan(1);
    expect(worst).toBeLessThanOrEqual(BATCH_MAX);
    await log.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: 1000 });
  });

  it('moves the key at once after the answer, not some time later', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    for (let i = 0; i < 20; i += 1) {
      const { index } = await log.append(text('x'));
      // Far inside of the 50 ms that are promised: no timer has had a chance to run.
      expect(parseKeyBlock(disk.content(`${folder}/trail/trail.key`))?.index).toBe(index + 1);
    }
    await log.close();
  });
});

describe('a failing disk', () => {
  it('EIO on fdatasync: nothing is pretended from there on, until the trail is opened again', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    await log.append(text('before'));
    disk.faults = [{ code: 'EIO', at: (call, path) => call === 'sync' && isSegment(path), skip: 0, times: 1 }];
    expect(await settled(many(log, 3))).toEqual(Array(3).fill('TrailUnavailableException'));
    expect(await settled(many(log, 2))).toEqual(Array(2).fill('TrailUnavailableException'));
    expect(log.head.index).toBe(0);
    await log.close();
    const again = await reopen(folder, { disk });
    // They were written whole, so they are there whole; nobody was told that they are not.
    expect(again.recovery.fastForwarded).toBe(3);
    await again.append(text('after'));
    await again.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, bodies: ['before', 'r0', 'r1', 'r2', 'after'] });
  });

  it('EIO and ENOSPC at each system call of append, rotate and open: acknowledged records stay, the trail verifies', async () => {
    for (const code of ['EIO', 'ENOSPC'] as const) {
      let reached = true;
      for (let skip = 0; reached; skip += 1) {
        const [disk, folder] = [memoryDisk(), place()];
        let log = await create(folder, { disk });
        const sure: string[] = [];
        const attempt = async (name: string): Promise<void> => {
          const [result] = await settled([log.append(text(name))]);
          if (result === 'ok') sure.push(name);
          else expect(result).toEqual(code === 'EIO' ? 'TrailUnavailableException' : expect.stringMatching(/^(TrailUnavailable|StorageFull)Exception$/));
        };
        await attempt('first');
        const fault = { code, at: () => true, skip, times: 1 };
        disk.faults = [fault];
        await attempt('a');
        await settled([log.rotate(otherPublicKey)]);
        await attempt('b');
        await settled([log.close()]);
        const [opened] = await Promise.allSettled([reopen(folder, { disk })]);
        reached = fault.times === 0;
        disk.faults = [];
        log = opened.status === 'fulfilled' ? opened.value : await reopen(folder, { disk });
        await attempt('last');
        await log.close();
        const { broken, bodies } = verdict(disk, folder);
        expect({ code, skip, broken }).toEqual({ code, skip, broken: undefined });
        expect(bodies).toEqual(expect.arrayContaining(sure));
        expect(sure).toContain('last');
        expect(bodies.filter((body) => sure.includes(body))).toEqual(sure);
        if (!reached) expect(skip).toBeGreaterThanOrEqual(20);
      }
    }
  });

  it('EIO when `trail.key` is forced to the disk in the background stops the trail too', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    disk.faults = [{ code: 'EIO', at: (call, path) => call === 'sync' && path.endsWith('trail.key'), skip: 0, times: 1 }];
    expect(await settled([log.append(text('x'))])).toEqual(['ok']);
    await vi.waitFor(async () => expect(await settled([log.append(text('y'))])).toEqual(['TrailUnavailableException']), { timeout: 5000, interval: 200 });
    await log.close();
    const again = await reopen(folder, { disk });
    await again.close();
    expect(verdict(disk, folder).broken).toBeUndefined();
  });

  it('a full disk in the middle of a batch leaves no part of it, and the trail goes on when there is room', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    await log.append(text('before'));
    const size = disk.content(`${folder}/trail/00000001.seg`).byteLength;
    disk.capacity = RESERVE_LENGTH + size + 168 + 361 * 2 + 100;
    expect(await settled(many(log, 5))).toEqual(Array(5).fill('StorageFullException'));
    expect(disk.content(`${folder}/trail/00000001.seg`).byteLength).toBe(size);
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: 1 });
    disk.capacity = Number.POSITIVE_INFINITY;
    await Promise.all(many(log, 5));
    await log.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: 6 });
  });

  it('the reserve is for those who may use it, step by step, and is made whole before others go on', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    const reserve = (): number => disk.content(`${folder}/trail/reserve`).byteLength;
    const used = (): number => RESERVE_LENGTH + disk.content(`${folder}/trail/00000001.seg`).byteLength + 168;
    disk.capacity = used();
    expect(await settled([log.append(text('usual')), log.append(text('lock'), { reserve: true }), log.append(text('usual'))])).toEqual(['StorageFullException', 'ok', 'StorageFullException']);
    expect(reserve()).toBe(RESERVE_LENGTH * 0.75);
    // There would be room for this one now, but it is not for the likes of it.
    expect(await settled([log.append(text('usual'))])).toEqual(['StorageFullException']);
    let kept = 1;
    while ((await settled([log.append(text('lock'), { reserve: true })]))[0] === 'ok') kept += 1;
    expect(kept).toBeGreaterThan(500);
    expect(reserve()).toBe(0);
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: kept });
    await log.close();
    const full = await reopen(folder, { disk });
    expect(await settled([full.append(text('usual'))])).toEqual(['StorageFullException']);
    disk.capacity += RESERVE_LENGTH + 1000;
    expect(await settled([full.append(text('usual'))])).toEqual(['ok']);
    expect(reserve()).toBe(RESERVE_LENGTH);
    await full.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: kept + 1 });
  });

  it('a segment can be begun from the reserve', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    await Promise.all(many(log, SEGMENT_MAX_RECORDS));
    disk.capacity = RESERVE_LENGTH + disk.content(`${folder}/trail/00000001.seg`).byteLength + 168;
    expect(await settled([log.append(text('usual'))])).toEqual(['StorageFullException']);
    expect(log.segments()).toHaveLength(1);
    expect(await settled([log.append(text('lock'), { reserve: true })])).toEqual(['ok']);
    expect(log.segments()).toHaveLength(2);
    await log.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, checked: SEGMENT_MAX_RECORDS + 1 });
  });
});

describe('recovery', () => {
  it('cuts a torn tail at every byte, and nothing else', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    const path = `${folder}/trail/00000001.seg`;
    await Promise.all(many(log, 2));
    const block = Buffer.from(disk.content(`${folder}/trail/trail.key`));
    const known = disk.content(path).byteLength;
    await Promise.all(many(log, 2, 'late'));
    await log.close();
    const whole = Buffer.from(disk.content(path));
    for (let length = known; length <= whole.byteLength; length += 1) {
      disk.put(path, whole.subarray(0, length));
      disk.put(`${folder}/trail/trail.key`, block);
      const again = await reopen(folder, { disk });
      const left = Math.floor((length - known) / 361);
      expect(again.recovery).toEqual({ fastForwarded: left, tornBytes: (length - known) % 361 });
      expect(disk.content(path).byteLength).toBe(known + left * 361);
      await again.append(text('next'));
      await again.close();
      expect(verdict(disk, folder)).toMatchObject({ broken: undefined, bodies: ['r0', 'r1', 'late0', 'late1'].slice(0, 2 + left).concat('next') });
    }
  });

  it('begins an abandoned segment again', async () => {
    const [disk, folder] = [memoryDisk(), place()];
    const log = await create(folder, { disk });
    await log.append(text('before'));
    disk.faults = [{ code: 'EIO', at: (call, path) => call === 'overwrite' && path.endsWith('trail.key'), skip: 0, times: 1 }];
    expect(await settled([log.rotate(otherPublicKey)])).toEqual(['TrailUnavailableException']);
    await log.close();
    const again = await reopen(folder, { disk, random: fixedRandom('again') });
    expect(again.recovery).toMatchObject({ abandonedSegment: 2, tornBytes: 0 });
    await again.rotate(otherPublicKey);
    await again.append(text('after'));
    await again.close();
    expect(verdict(disk, folder)).toMatchObject({ broken: undefined, bodies: ['before', 'after'] });
  });
});
