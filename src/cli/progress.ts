/** A bar on a terminal while the vault works; nothing elsewhere, and nothing for work that is done at once. */
import type { Progress } from '../shared/wire/messages.ts';
import type { Run } from './command.ts';

const WIDTH = 24;
const FIRST_AFTER = 300;
const EVERY = 100;

export function bar(label: string, progress: Progress): string {
  const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  const filled = Math.round(share * WIDTH);
  return `${label} [${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} % of ${size(progress)}`;
}

function size({ total, unit }: Progress): string {
  if (unit !== 'bytes') return `${String(total)} ${unit}`;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
  const power = Math.min(units.length - 1, total < 1 ? 0 : Math.floor(Math.log10(total) / 3));
  return `${(total / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? 'B'}`;
}

export async function withProgress<T>(run: Run, label: string, work: (progress: (progress: Progress) => void) => Promise<T>): Promise<T> {
  const { world } = run;
  const { stderr } = world;
  const begun = world.monotonic();
  let last = begun + FIRST_AFTER - EVERY;
  const shown = { any: false };
  try {
    return await work((progress) => {
      const now = world.monotonic();
      if (!stderr.isTTY || now - last < EVERY) return;
      last = now;
      shown.any = true;
      void stderr.write(`\r${bar(label, progress).slice(0, stderr.columns - 1)}\u001b[0K`);
    });
  } finally {
    if (shown.any) await stderr.write('\r\u001b[0K');
  }
}
