import { describe, expect, it } from 'vitest';
import { calibrate } from '../../../src/main/seal/calibrate.ts';
import { COST_AIM, COST_FLOOR, COST_LIMIT, costProblem } from '../../../src/main/seal/cost.ts';
import type { KdfCost } from '../../../src/main/seal/protocol.ts';

const GIB = 1024 ** 3;

describe('KDF cost', () => {
  it('takes the floor, the aim and the limit', () => {
    expect(costProblem({ ...COST_FLOOR, lanes: 1 }, COST_FLOOR, 8 * GIB)).toBeUndefined();
    expect(costProblem(COST_AIM, COST_FLOOR, 8 * GIB)).toBeUndefined();
    expect(costProblem(COST_LIMIT, COST_FLOOR, 4 * GIB)).toBeUndefined();
  });

  it.each<[string, KdfCost]>([
    ['less memory than the floor', { memory: COST_FLOOR.memory - 1, passes: 3, lanes: 4 }],
    ['fewer passes than the floor', { memory: 256 * 1024, passes: 2, lanes: 4 }],
    ['more passes than the limit', { memory: 256 * 1024, passes: 33, lanes: 4 }],
    ['more lanes than the limit', { memory: 256 * 1024, passes: 3, lanes: 17 }],
    ['more than 2 GiB', { memory: 2 * 1024 * 1024 + 1, passes: 3, lanes: 4 }],
    ['no lanes', { memory: 256 * 1024, passes: 3, lanes: 0 }],
    ['a fraction', { memory: 256 * 1024 + 0.5, passes: 3, lanes: 4 }],
    ['no number', { memory: Number.NaN, passes: 3, lanes: 4 }],
  ])('refuses %s', (_name, cost) => {
    expect(costProblem(cost, COST_FLOOR, 64 * GIB)).toBeDefined();
  });

  it('refuses more than half of the memory', () => {
    expect(costProblem({ memory: 512 * 1024, passes: 3, lanes: 4 }, COST_FLOOR, 1 * GIB)).toBeUndefined();
    expect(costProblem({ memory: 512 * 1024 + 1, passes: 3, lanes: 4 }, COST_FLOOR, 1 * GIB)).toContain('512 MiB');
  });
});

describe('calibration', () => {
  /** A machine that takes this long for 1 GiB once through. */
  const machine = (millisecondsPerGib: number) => {
    const asked: KdfCost[] = [];
    const measure = (cost: KdfCost): Promise<number> => {
      asked.push(cost);
      return Promise.resolve((cost.memory / 1024 / 1024) * cost.passes * millisecondsPerGib);
    };
    return { asked, measure };
  };

  it.each([
    ['usual', 1000],
    ['fast', 100],
    ['very fast', 5],
    ['slow', 4000],
    ['very slow', 40_000],
  ])('on a %s machine is never under the floor nor over the limits', async (_name, speed) => {
    const { asked, measure } = machine(speed);
    const cost = await calibrate(measure, 8 * GIB);
    for (const tried of [...asked, cost]) expect(costProblem(tried, COST_FLOOR, 8 * GIB)).toBeUndefined();
    expect(asked.length).toBeLessThanOrEqual(6);
  });

  it('takes the aim where that is about a second', async () => {
    expect(await calibrate(machine(1000).measure, 8 * GIB)).toEqual(COST_AIM);
  });

  it('adds passes on a fast machine and takes memory away on a slow one', async () => {
    const fast = machine(100);
    const faster = await calibrate(fast.measure, 8 * GIB);
    expect(faster).toMatchObject({ memory: COST_AIM.memory });
    expect(await fast.measure(faster)).toBeGreaterThanOrEqual(500);
    const slow = machine(2500);
    const slower = await calibrate(slow.measure, 8 * GIB);
    expect(slower).toMatchObject({ passes: 3 });
    expect(await slow.measure(slower)).toBeLessThan(1200);
  });

  it('begins with half of a small memory, but not under the floor', async () => {
    const { asked, measure } = machine(1000);
    await calibrate(measure, 256 * 1024 * 1024);
    expect(asked[0]?.memory).toBe(128 * 1024);
    const tiny = machine(1000);
    await calibrate(tiny.measure, 64 * 1024 * 1024);
    expect(tiny.asked[0]?.memory).toBe(COST_FLOOR.memory);
  });
});
