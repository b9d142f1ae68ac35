/**
 * Processes below another one, and their end. Linux only: elsewhere none is found, and a process group is all that ends together.
 *
 * A daemon leaves its group and session, and its parent; what it cannot leave is the nearest ancestor that adopts orphans (`adoptOrphans`),
 * below which it is found by who is whose parent. Out of reach: a process that runs as another user since.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { libc } from './libc.ts';

/** prctl(2), `linux/prctl.h`. */
const PR_SET_CHILD_SUBREAPER = 36;
/** What forks while it is looked for is found by the next look. */
const MOST_ROUNDS = 50;

/** From now on the orphans among this process's descendants are its own children, and no longer init's. False where the system has no such thing. */
export const adoptOrphans = (): boolean => libc()?.prctl?.(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) === 0;

/** Parents by process id, without those that have ended and wait to be reaped. proc(5): the name, which may hold anything, ends at the last bracket. */
function parents(): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state !== 'Z' && state !== 'X') found.set(Number(name), Number(parent));
    } catch {
      // It has ended.
    }
  }
  return found;
}

export function descendantsOf(pid: number): readonly number[] {
  const all = parents();
  const below = [pid];
  for (const one of below) for (const [child, parent] of all) if (parent === one) below.push(child);
  return below.slice(1);
}

/** SIGKILL to every one below `pid`, until none is left that can be killed. Never throws. */
export function killDescendants(pid: number): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const killed = descendantsOf(pid).filter((one) => {
      try {
        return process.kill(one, 'SIGKILL');
      } catch {
        return false;
      }
    });
    if (killed.length === 0) return;
  }
}

/** SIGKILL to a process and to every one below it. What it would start meanwhile it cannot: it is stopped first. Never throws. */
export function killTree(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
  } catch {
    return;
  }
  killDescendants(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
