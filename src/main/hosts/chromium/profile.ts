/** The browser's profile: a fresh private folder in memory, gone with the window, and swept when a crash left one behind. */
import { chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../../shared/model/errno.ts';
import { PREFERENCES } from './flags.ts';

/** A user without rights, as every Linux has it. */
const NOBODY = 65_534;
/** `linux/magic.h`. */
const TMPFS_MAGIC = 0x0102_1994;
/** Bytes; a few hundred are usual. */
const LARGEST_AUTHORITY = 65_536;
const NAME = /^keystead-window-(\d{1,10})-[A-Za-z0-9]{6}$/;

/** Whom the browser runs as, where it must not be this process's own user. */
export interface Unprivileged {
  readonly uid: number;
  readonly gid: number;
}

export const unprivileged = (): Unprivileged | undefined => (process.geteuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined);

export interface Profile {
  readonly profile: string;
  readonly home: string;
  /** False where the system has no folder in memory: then the profile is on a disk, without a value in it. */
  readonly inMemory: boolean;
  /** Idempotent. Never throws. */
  remove(): void;
}

/** Folders that this user can write to, those in memory first. */
function bases(user: Unprivileged | undefined): readonly string[] {
  // A dropped user has no run-time folder; everybody has /dev/shm.
  const own = user === undefined ? process.env['XDG_RUNTIME_DIR'] : undefined;
  return [...(own === undefined ? [] : [own]), ...(process.platform === 'linux' ? ['/dev/shm'] : []), tmpdir()].filter((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory());
}

function isInMemory(folder: string): boolean {
  try {
    return statfsSync(folder).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

export function makeProfile(user: Unprivileged | undefined): Profile {
  const places = bases(user);
  places.forEach(sweep);
  const base = places.find(isInMemory) ?? places.at(-1) ?? tmpdir();
  // mkdtemp makes it 0700.
  const root = mkdtempSync(join(base, `keystead-window-${String(process.pid)}-`));
  const [profile, home, first] = [join(root, 'profile'), join(root, 'home'), join(root, 'profile', 'Default')];
  for (const folder of [profile, home, first]) mkdirSync(folder, { mode: 0o700 });
  const preferences = join(first, 'Preferences');
  writeFileSync(preferences, JSON.stringify(PREFERENCES), { mode: 0o600 });
  if (user) for (const path of [root, profile, home, first, preferences]) chownSync(path, user.uid, user.gid);
  return { profile, home, inMemory: isInMemory(base), remove: () => remove(root) };
}

/**
 * A copy of the X server's cookie for a browser that runs as another user, who cannot read the person's own (Xau(3)): beside its profile, and gone with
 * it. The path; undefined where there is none to copy, or no need.
 */
export function copyAuthority(user: Unprivileged | undefined, from: Readonly<Record<string, string | undefined>>, home: string): string | undefined {
  const own = from['XAUTHORITY'] ?? (from['HOME'] === undefined ? undefined : join(from['HOME'], '.Xauthority'));
  if (!user || !from['DISPLAY'] || own === undefined || (statSync(own, { throwIfNoEntry: false })?.size ?? Infinity) > LARGEST_AUTHORITY) return undefined;
  const copy = join(home, 'Xauthority');
  try {
    writeFileSync(copy, readFileSync(own), { mode: 0o600, flag: 'wx' });
    chownSync(copy, user.uid, user.gid);
    return copy;
  } catch {
    // The server may let it in without; if not, the browser says so.
    return undefined;
  }
}

/** The folders of processes that are no more. Other users' cannot be removed, and are not tried again and again. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isRunning(pid)) remove(join(base, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

function remove(folder: string): void {
  try {
    // A browser that is still dying may put a file back.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  } catch {
    // Swept at the next start.
  }
}
