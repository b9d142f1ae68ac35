/** Programs of the desktop, where they are. */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The whole path of a program of this name; not by what the working directory holds. To be started by that path, since a name is looked up again. */
export function onPath(name: string, { PATH = '' }: Readonly<Record<string, string | undefined>>): string | undefined {
  return PATH.split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
