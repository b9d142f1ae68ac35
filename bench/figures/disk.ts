/** How often this disk makes 4 KiB durable: what the other figures are held against. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median, pause, type Bench, type Figure } from '../harness.ts';

const BLOCK = new Uint8Array(4096).fill(0x5a);
const BLOCKS = 256;

/** A file that is already as long as it will be, so that only its bytes have to be made durable. */
function withFile<T>(folder: string, work: (sync: () => void) => T): T {
  const path = join(folder, `disk-${String(process.pid)}`);
  const file = openSync(path, 'w');
  const close = (): void => {
    closeSync(file);
    rmSync(path);
  };
  for (let block = 0; block < BLOCKS; block += 1) writeSync(file, BLOCK, 0, BLOCK.length, block * BLOCK.length);
  fdatasyncSync(file);
  let next = 0;
  const result = work(() => {
    writeSync(file, BLOCK, 0, BLOCK.length, (next++ % BLOCKS) * BLOCK.length);
    fdatasyncSync(file);
  });
  if (result instanceof Promise) return result.finally(close) as T;
  close();
  return result;
}

/** pwrite and fdatasync of 4 KiB, one after another, a second. */
export function fsyncRate(folder: string, seconds = 1): number {
  return withFile(folder, (sync) => {
    const started = performance.now();
    let count = 0;
    do {
      sync();
      count += 1;
    } while (performance.now() - started < seconds * 1000);
    return count / ((performance.now() - started) / 1000);
  });
}

/** Median milliseconds of one pwrite and fdatasync with 5 ms of rest before each. `between` runs after each. */
export function restedFsync(folder: string, times = 200, between: () => Promise<unknown> = () => Promise.resolve()): Promise<number> {
  return withFile(folder, async (sync) => {
    const took: number[] = [];
    for (let time = 0; time < times; time += 1) {
      await pause(5);
      const started = performance.now();
      sync();
      took.push(performance.now() - started);
      await between();
    }
    return median(took);
  });
}

export const disk: Figure = {
  name: 'disk',
  async run({ scratch, report }: Bench) {
    const rounds = Array.from({ length: 5 }, () => fsyncRate(scratch));
    report({ figure: 'fsync of 4 KiB, one after another', value: median(rounds), unit: '/s', rounds });
    report({ figure: 'fsync of 4 KiB, 5 ms apart, p50', value: await restedFsync(scratch), unit: 'ms' });
  },
};
