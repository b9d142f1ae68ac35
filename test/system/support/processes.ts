/** More of what `/proc` says of processes. Linux only. */
import { readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { childrenOf } from './served-vault.ts';

/** Every living process below this one. */
export const descendantsOf = (pid: number): readonly number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

export const argumentsOf = (pid: number): string => readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1');
export const environmentOf = (pid: number): string => readFileSync(`/proc/${String(pid)}/environ`, 'latin1');

/** Regular files that a process has open, also deleted ones, as paths that can be read. */
export const openFilesOf = (pid: number): readonly string[] =>
  readdirSync(`/proc/${String(pid)}/fd`).flatMap((fd) => {
    const path = `/proc/${String(pid)}/fd/${fd}`;
    try {
      return /^\/(?!dev\/|proc\/)/.test(readlinkSync(path)) ? [path] : [];
    } catch {
      return [];
    }
  });

/** Watches which processes there ever were below `pid`; `stop` returns them all. */
export function watchDescendants(pid: number): { stop(): ReadonlySet<number> } {
  const seen = new Set<number>();
  const look = (): void => descendantsOf(pid).forEach((child) => seen.add(child));
  const timer = setInterval(look, 20);
  look();
  return {
    stop() {
      clearInterval(timer);
      look();
      return seen;
    },
  };
}

export async function until(holds: () => boolean | Promise<boolean>, what: string, milliseconds = 5000): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > milliseconds) throw new Error(`not within ${String(milliseconds)} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
