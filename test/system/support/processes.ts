/** What `/proc` says of processes. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(parent), state };
  } catch {
    return undefined;
  }
}

const all = (): readonly Stat[] =>
  readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return stat ? [stat] : [];
  });

/** Every living process below this one. A zombie has no memory left and does not count. */
export function descendants(pid: number): readonly number[] {
  const stats = all().filter(({ state }) => state !== 'Z');
  const found: number[] = [];
  for (let level = [pid]; level.length > 0; ) {
    level = stats.filter(({ parent }) => level.includes(parent)).map((stat) => stat.pid);
    found.push(...level);
  }
  return found;
}

export const argumentsOf = (pid: number): string => readFileSync(`/proc/${String(pid)}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();

/** Whether it runs; false for a zombie. */
export const isAlive = (pid: number): boolean => {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
};

/** The child whose module has this name, for example `sealer`. */
export const childNamed = (pid: number, name: string): number | undefined => descendants(pid).find((child) => argumentsOf(child).includes(`/${name}.mjs`));

export async function until(holds: () => boolean | Promise<boolean>, what: string, milliseconds = 5000): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > milliseconds) throw new Error(`not within ${String(milliseconds)} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}
