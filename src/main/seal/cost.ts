/**
 * What an Argon2id run may cost: a floor below which a slot is not opened and not made, and limits that hold before anything is
 * authenticated, so that a header cannot make the program eat the machine (SECURITY-DESIGN section 3, "Header").
 * A cost outside is refused, never clamped: a clamped one would be another key, or a downgrade that nobody sees.
 */
import type { KdfCost } from './protocol.ts';

/** 64 MiB and three passes. */
export const COST_FLOOR = { memory: 64 * 1024, passes: 3 } as const;
/** 2 GiB, 32 passes, 16 lanes. */
export const COST_LIMIT = { memory: 2 * 1024 * 1024, passes: 32, lanes: 16 } as const;
/** What a new password slot aims at: 256 MiB, three passes, four lanes. */
export const COST_AIM: KdfCost = { memory: 256 * 1024, passes: 3, lanes: 4 };

type Floor = Pick<KdfCost, 'memory' | 'passes'>;

/** KiB that one run may use on a machine with this much memory: the smaller of 2 GiB and half of it. */
export const memoryLimit = (ramBytes: number): number => Math.min(COST_LIMIT.memory, Math.floor(ramBytes / 2 / 1024));

/** What is wrong with a cost, as half a sentence; undefined when nothing is. */
export function costProblem(cost: KdfCost, floor: Floor, ramBytes: number): string | undefined {
  const { memory, passes, lanes } = cost;
  if (![memory, passes, lanes].every((value) => Number.isSafeInteger(value) && value > 0)) return 'is not made of whole numbers';
  if (memory < floor.memory || passes < floor.passes) {
    return `is below the floor of ${String(floor.memory / 1024)} MiB and ${String(floor.passes)} passes`;
  }
  if (passes > COST_LIMIT.passes) return `asks for more than ${String(COST_LIMIT.passes)} passes`;
  if (lanes > COST_LIMIT.lanes) return `asks for more than ${String(COST_LIMIT.lanes)} lanes`;
  if (memory > memoryLimit(ramBytes)) return `asks for more than ${String(Math.floor(memoryLimit(ramBytes) / 1024))} MiB, which is the limit on this machine`;
  return undefined;
}
