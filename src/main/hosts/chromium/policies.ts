/** What an administrator's policies put into the browser that this program cannot keep out: found, and said. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS: readonly (readonly [program: RegExp, folder: string])[] = [
  [/chromium/, '/etc/chromium/policies/managed'],
  [/google\/chrome/, '/etc/opt/chrome/policies/managed'],
  [/msedge/, '/etc/opt/edge/policies/managed'],
];
const EXTENSIONS = ['ExtensionInstallForcelist', 'ExtensionSettings'];

/** One line each. `folders` for tests. */
export function policyNotes(program: string, folders = FOLDERS): readonly string[] {
  const folder = folders.find(([pattern]) => pattern.test(program))?.[1];
  if (folder === undefined) return [];
  const installs = filesOf(folder).some((policy) => EXTENSIONS.some((name) => Object.hasOwn(policy, name)));
  return installs ? [`a policy in \`${folder}\` installs extensions into the browser: they may read what its window shows`] : [];
}

function filesOf(folder: string): readonly object[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      const policy: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      return typeof policy === 'object' && policy !== null ? [policy] : [];
    });
  } catch {
    // No such folder, or not for this user to read.
    return [];
  }
}
