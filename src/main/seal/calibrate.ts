/**
 * Finding the Argon2id cost that takes about a second on this machine. Pure: the measuring is the caller's (the sealer's
 * `measureKdf`), and so is what it costs, at most a handful of runs.
 */
import { COST_AIM, COST_FLOOR, COST_LIMIT, memoryLimit } from './cost.ts';
import type { KdfCost } from './protocol.ts';

/** Milliseconds. Between the two a measured cost is taken as it is. */
const WANTED = { least: 500, aim: 1000, most: 1200 } as const;
const RUNS = 6;

const MEBIBYTE = 1024;

function faster(cost: KdfCost, milliseconds: number): KdfCost | undefined {
  const ratio = WANTED.aim / milliseconds;
  if (cost.passes > COST_FLOOR.passes) return { ...cost, passes: Math.max(COST_FLOOR.passes, Math.floor(cost.passes * ratio)) };
  const memory = Math.max(COST_FLOOR.memory, Math.floor((cost.memory * ratio) / MEBIBYTE) * MEBIBYTE);
  return memory < cost.memory ? { ...cost, memory } : undefined;
}

function slower(cost: KdfCost, milliseconds: number): KdfCost | undefined {
  const passes = Math.min(COST_LIMIT.passes, Math.floor((cost.passes * WANTED.aim) / Math.max(milliseconds, 1)));
  return passes > cost.passes ? { ...cost, passes } : undefined;
}

/**
 * Begins with 256 MiB (or half of the memory there is), three passes and four lanes; a slow machine gets less memory, a fast one more
 * passes. Never below the floor, even when the floor takes longer than a second; never over the limits. Rejects with what `measure` does.
 */
export async function calibrate(measure: (cost: KdfCost) => Promise<number>, ramBytes: number): Promise<KdfCost> {
  let cost: KdfCost = { ...COST_AIM, memory: Math.max(COST_FLOOR.memory, Math.min(COST_AIM.memory, memoryLimit(ramBytes))) };
  for (let run = 0; run < RUNS; run += 1) {
    const milliseconds = await measure(cost);
    if (milliseconds >= WANTED.least && milliseconds <= WANTED.most) return cost;
    const next = milliseconds > WANTED.most ? faster(cost, milliseconds) : slower(cost, milliseconds);
    if (!next) return cost;
    cost = next;
  }
  return cost;
}
