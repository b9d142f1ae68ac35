/** Folders of vaults that are thrown away: the user's own (0700), gone when the process ends, or swept when the next one starts. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface ThrowawayFolder {
  readonly folder: string;
  remove(): void;
}

/** A new folder below `base`; what processes that are gone have left under `prefix` goes. */
export function makeThrowaway(base: string, prefix: string): ThrowawayFolder {
  sweep(base, new RegExp(`^${prefix}(\\d+)-\\w{6}$`));
  // Six characters that nobody can guess beforehand.
  const folder = mkdtempSync(join(base, `${prefix}${String(process.pid)}-`));
  return { folder, remove: () => { rmSync(folder, { recursive: true, force: true }); } };
}

/** Only what this user made, and nobody else can enter: in a folder that others may write to, the rest may be a trap. */
function sweep(base: string, form: RegExp): void {
  for (const name of readdirSync(base)) {
    const pid = Number(form.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    try {
      if (!isOurs(join(base, name))) continue;
      rmSync(join(base, name), { recursive: true, force: true });
    } catch {
      continue;
    }
  }
}

/** As `mkdtemp` leaves it. Throws where it cannot be looked at. */
function isOurs(path: string): boolean {
  const stat = lstatSync(path);
  return stat.isDirectory() && stat.uid === (process.geteuid?.() ?? stat.uid) && (process.platform === 'win32' || (stat.mode & 0o077) === 0);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
