/** Whether Electron's binary is there. The package comes without it; asking the package itself would start a download. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Path of the binary under a `node_modules/electron`; undefined when it was not fetched. */
export function findElectron(packageFolder: string): string | undefined {
  try {
    const path = join(packageFolder, 'dist', readFileSync(join(packageFolder, 'path.txt'), 'utf8').trim());
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
