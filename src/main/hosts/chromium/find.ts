/** Where an installed Chromium, Chrome or Edge is: the browser's own binary, never the distribution's script around it, which adds flags. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A browser gets fixes for some weeks. One that is more than a year behind the version that this was written for is not given the
 * vault's pages.
 */
export const OLDEST_MAJOR = 144;

const MACOS = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
const WINDOWS = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
const LINUX = [
  '/usr/lib/chromium/chromium',
  '/usr/lib64/chromium/chromium',
  '/usr/lib/chromium-browser/chromium-browser',
  '/usr/lib64/chromium-browser/chromium-browser',
  '/opt/google/chrome/chrome',
  '/opt/chromium.org/chromium/chromium-browser',
  '/opt/microsoft/msedge/msedge',
];

type Environment = Readonly<Record<string, string | undefined>>;

function candidates(platform: string, env: Environment): readonly string[] {
  if (platform === 'linux') return LINUX;
  if (platform === 'darwin') return MACOS.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  const folders = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].flatMap((name) => env[name] ?? []);
  return folders.flatMap((folder) => WINDOWS.map((path) => join(folder, path)));
}

/** The first that is there, is a program and no script, and cannot be written by everybody; undefined when there is none. */
export function findBrowser(platform: string = process.platform, env: Environment = process.env): string | undefined {
  return candidates(platform, env).find((path) => isBinary(path, platform));
}

function isBinary(path: string, platform: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) return false;
  if (platform === 'win32') return true;
  if ((stats.mode & 0o111) === 0 || (stats.mode & 0o022) !== 0) return false;
  const start = Buffer.alloc(2);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return start.toString('latin1') !== '#!';
}

/** The major version in what `Browser.getVersion` calls the product, such as `Chrome/156.0.8078.79`; 0 when there is none. */
export const majorOf = (product: unknown): number => Number(/^[A-Za-z]+\/(\d{1,5})\./.exec(typeof product === 'string' ? product : '')?.[1] ?? 0);
