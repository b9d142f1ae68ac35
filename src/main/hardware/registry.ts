/** Modules that p11-kit knows of: `*.module` files with a `module:` line (p11-kit manual, pkcs11.conf(5)). Read only; nothing is loaded. */
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

const FOLDERS = ['/usr/share/p11-kit/modules', '/etc/pkcs11/modules'];
/** Where a name without a folder is looked for. */
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu/pkcs11', '/usr/lib/aarch64-linux-gnu/pkcs11', '/usr/lib64/pkcs11', '/usr/lib/pkcs11'];
const LONGEST = 64 * 1024;

/** The library that a `.module` file names; undefined when it names none. */
export const moduleIn = (text: string): string | undefined => /^[ \t]*module[ \t]*:[ \t]*(\S.*?)[ \t]*$/m.exec(text.slice(0, LONGEST))?.[1];

function textsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.module')).map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch {
    return [];
  }
}

/** Paths, each once. p11-kit's own proxy and trust modules hold no keys and are left out. */
export function registeredModules(exists: (path: string) => boolean, folders: readonly string[] = FOLDERS): readonly string[] {
  const found = folders.flatMap(textsIn).flatMap((text) => {
    const name = moduleIn(text);
    if (name === undefined || /p11-kit-(?:trust|proxy|client)/.test(name)) return [];
    const path = isAbsolute(name) ? name : LIBRARIES.map((folder) => join(folder, name)).find(exists);
    return path !== undefined && exists(path) ? [path] : [];
  });
  return [...new Set(found)].sort();
}
