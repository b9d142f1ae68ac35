/** More of what `/proc` says of processes. Linux only. */
import { readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { childrenOf } from './served-vault.ts';

/** Every living process below this one. */
export const descendantsOf = (pid: number): readonly number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

const read = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'latin1');
  } catch {
    // It has ended.
    return '';
  }
};
export const argumentsOf = (pid: number): string => read(pid, 'cmdline');
export const environmentOf = (pid: number): string => read(pid, 'environ');

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

export interface Watch {
  /** Every process that there has been. */
  seen(): readonly number[];
  stop(): void;
}

/** Watches which processes there are below `pid`. One that lives for less than 20 ms may be missed. */
export function watchDescendants(pid: number): Watch {
  const seen = new Set<number>();
  const look = (): void => descendantsOf(pid).forEach((child) => seen.add(child));
  const timer = setInterval(look, 20);
  return {
    seen() {
      look();
      return [...seen];
    },
    stop: () => clearInterval(timer),
  };
}

export async function until(holds: () => boolean | Promise<boolean>, what: string, milliseconds = 5000): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > milliseconds) throw new Error(`not within ${String(milliseconds)} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
