/** Global setup of the system tests: the program that they start is the one that the sources say. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

export function setup(): void {
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../scripts/build.mjs'), '--if-stale'], { stdio: 'inherit' });
}
