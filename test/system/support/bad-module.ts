/** A PKCS #11 module that misbehaves as it is told, in front of SoftHSM (`test/fixtures/pkcs11/bad-module.c`). */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SOFTHSM } from './softhsm.ts';

const SOURCE = resolve(import.meta.dirname, '../../fixtures/pkcs11/bad-module.c');

export interface BadModule {
  readonly path: string;
  /** From now on: such as `sign:hang`; empty, and it behaves. */
  mode(word: string): void;
  /** How often it was logged in to. */
  logins(): number;
  /** Whether it has made a key pair since this was last forgotten. */
  hasMade(): boolean;
  forgetMade(): void;
}

/** Needs a C compiler. `conf`: SoftHSM's own settings, where they are not the environment's. */
export function buildBadModule(home: string, conf?: string): BadModule {
  const [path, file] = [join(home, 'bad.so'), join(home, 'mode')];
  writeFileSync(file, '');
  execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${file}"`, `-DREAL="${SOFTHSM}"`, ...(conf === undefined ? [] : [`-DCONF="${conf}"`]), SOURCE, '-o', path, '-ldl']);
  return {
    path,
    mode: (word) => { writeFileSync(file, word); },
    logins: () => (existsSync(`${file}.logins`) ? readFileSync(`${file}.logins`).byteLength : 0),
    hasMade: () => existsSync(`${file}.made`),
    forgetMade: () => { rmSync(`${file}.made`, { force: true }); },
  };
}
