/** Random appends, power cuts, kills, rotations and reopenings against a model: what was acknowledged is there, in order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BATCH_MAX } from '../../src/main/trail/writer.ts';
import { filesOf, memoryDisk } from '../unit/trail/memory-disk.ts';
import { check, create, otherPublicKey, publicKey, reopen, text } from '../unit/trail/support.ts';

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), sizes: fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 150 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), power: fc.boolean(), sizes: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 150 }), turns: fc.integer({ min: 0, max: 12 }), keep: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), other: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

let places = 0;

describe('a trail under random trouble', () => {
  it('has every acknowledged record, in order, and verifies', { timeout: 120_000 }, async () => {
    let crashes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const [disk, folder] = [memoryDisk(), `/property-${String((places += 1))}`];
        const acknowledged: string[] = [];
        let log = await create(folder, { disk });
        let counter = 0;
        const append = (sizes: readonly number[]): Promise<void>[] =>
          sizes.map(async (size) => {
            const name = `${String((counter += 1))}:`.padEnd(size, 'x');
            await log.append(text(name));
            acknowledged.push(name);
          });
        const verify = (): void => {
          const { segments, keyBlock } = filesOf(disk, folder);
          const { broken, bodies, last } = check(segments, keyBlock);
          expect(broken).toBeUndefined();
          expect(last).toEqual(log.head);
          const sure = new Set(acknowledged);
          expect(bodies.filter((body) => sure.has(body))).toEqual(acknowledged);
        };
        for (const one of steps) {
          if (one.kind === 'append') await Promise.all(append(one.sizes));
          else if (one.kind === 'rotate') await log.rotate(one.other ? otherPublicKey : publicKey);
          else if (one.kind === 'reopen') {
            await log.close();
            log = await reopen(folder, { disk });
            expect(log.recovery).toEqual({ fastForwarded: 0, tornBytes: 0 });
          } else {
            crashes += 1;
            const pending = append(one.sizes);
            for (let turn = 0; turn < one.turns; turn += 1) await new Promise(setImmediate);
            let next = 0;
            if (one.power) disk.powerCut(() => one.keep[(next += 1) % one.keep.length] ?? 0);
            else disk.kill();
            await Promise.allSettled([...pending, log.close()]);
            log = await reopen(folder, { disk });
            // After a kill the system still has the key as it was written last.
            if (!one.power) expect(log.recovery.fastForwarded).toBeLessThanOrEqual(BATCH_MAX);
          }
          verify();
        }
        await log.close();
      }),
      { numRuns: 60 },
    );
    expect(crashes).toBeGreaterThan(20);
  });
});
