/**
 * What `npm run bench` measures with: figures with a name, a unit and a target, each a median of several rounds; what is
 * compared is measured in the same run, side by side. A missed target is printed and is not an error.
 */

export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Line {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
  /** What the value was in each round. */
  readonly rounds?: readonly number[];
  readonly note?: string;
}

export interface Bench {
  /** A folder on the disk that the vaults lie on, removed afterwards. */
  readonly scratch: string;
  /** The checkout. */
  readonly root: string;
  /** Keys in the large vault. */
  readonly keys: number;
  report(line: Line): void;
  /** Progress, for people: on standard error. */
  say(text: string): void;
}

export interface Figure {
  readonly name: string;
  run(bench: Bench): Promise<void>;
}

export type Verdict = 'pass' | 'MISS' | '';

export function verdictOf({ value, target }: Line): Verdict {
  if (target === undefined) return '';
  const { atLeast = -Infinity, atMost = Infinity } = target;
  return value >= atLeast && value <= atMost ? 'pass' : 'MISS';
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds that `work` took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** How often a second each of `works` together gets done, when each starts again as soon as it has ended. */
export async function ratePerSecond(works: readonly (() => Promise<unknown>)[], seconds: number): Promise<number> {
  const started = performance.now();
  const end = started + seconds * 1000;
  let count = 0;
  const lane = async (work: () => Promise<unknown>): Promise<void> => {
    while (performance.now() < end) {
      await work();
      count += 1;
    }
  };
  await Promise.all(works.map(lane));
  return count / ((performance.now() - started) / 1000);
}

/** Calls before anything is measured: V8 compiles what is hot, on other processors' time, for thousands of them. */
export async function warmUp(works: readonly (() => Promise<unknown>)[], calls = 20_000): Promise<void> {
  let left = calls;
  await Promise.all(works.map(async (work) => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  }));
}

const format = (value: number): string => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
const formatTarget = ({ atLeast, atMost }: Target): string => (atLeast === undefined ? `≤ ${format(atMost ?? Infinity)}` : `≥ ${format(atLeast)}`);

export function table(lines: readonly Line[]): string {
  const rows = lines.map((line) => [line.figure, format(line.value), line.unit, line.target ? formatTarget(line.target) : '', verdictOf(line), line.note ?? '']);
  const header = ['figure', 'value', 'unit', 'target', '', 'note'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [header, ...rows].map((row) => row.map((cell, column) => (column === 1 || column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()).join('\n');
}

/** `share` from 0 to 1. */
export const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
