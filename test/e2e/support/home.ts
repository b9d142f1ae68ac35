/** A person's home folder with one vault in it, and the command line as they would type it there. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { remove, temporaryFolder } from '../../system/support/served-vault.ts';

const CLI = resolve('dist/cli/keystead.mjs');

export interface Home {
  readonly folder: string;
  /** Where the vault is, or will be. */
  readonly vault: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file of the home folder; its path. */
  write(name: string, content: string | Uint8Array): string;
  read(name: string): Buffer;
  /** A line as it is pasted into a terminal in the home folder. */
  shell(line: string, input?: string): SpawnSyncReturns<string>;
  /** The output of a line that must succeed; throws with what it said otherwise. */
  output(line: string, input?: string): string;
  remove(): void;
}

/** `more`: environment beyond the usual. */
export function makeHome(more: Readonly<Record<string, string>> = {}): Home {
  const folder = temporaryFolder();
  const vault = join(folder, 'acme-dev');
  for (const name of ['run', 'state', 'bin']) mkdirSync(join(folder, name), { mode: 0o700 });
  writeFileSync(join(folder, 'bin/keystead'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 });
  const env = {
    ...more,
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    HOME: folder,
    LANG: 'C.UTF-8',
    XDG_RUNTIME_DIR: join(folder, 'run'),
    XDG_STATE_HOME: join(folder, 'state'),
    KEYSTEAD_VAULT: vault,
  };
  const shell: Home['shell'] = (line, input = '') => spawnSync('/bin/sh', ['-c', line], { cwd: folder, env, input, encoding: 'utf8' });
  return {
    folder,
    vault,
    env,
    write(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    read: (name) => readFileSync(join(folder, name)),
    shell,
    output(line, input) {
      const { status, stdout, stderr } = shell(line, input);
      if (status !== 0) throw new Error(`${line}\nended with ${String(status)}: ${stderr}`);
      return stdout;
    },
    remove: () => remove(folder),
  };
}
