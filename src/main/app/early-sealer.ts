/**
 * The first sealer of a throwaway vault, begun while the rest of this program is still being evaluated: the one takes as long as the other, and
 * test suites wait for both. It holds nothing until a vault is made. To be imported before everything else.
 */
import { createProcessHost } from '../platform/process.ts';
import type { Child } from '../platform/ports.ts';
import { ENTRIES } from './entries.ts';

let early: Child | undefined = process.argv.includes('--ephemeral') ? createProcessHost({ entries: ENTRIES }).spawn('sealer') : undefined;

/** The one that is there already, once. */
export function takeEarlySealer(): Child | undefined {
  const taken = early;
  early = undefined;
  return taken;
}
