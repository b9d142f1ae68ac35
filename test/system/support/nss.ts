/** NSS softokn (Debian `libnss3`, `libnss3-tools`) with a database of a test's own: a second vendor's token. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const NSS = process.arch === 'arm64' ? '/usr/lib/aarch64-linux-gnu/libsoftokn3.so' : '/usr/lib/x86_64-linux-gnu/libsoftokn3.so';
export const NSS_PIN = 'nss-pin-1';
export const NSS_LABEL = 'NSS Certificate DB';

/** What AddModule takes. Throws where NSS is not installed. */
export function nssToken(home: string): { readonly Path: string; readonly Parameters: string } {
  const database = join(home, 'nss');
  mkdirSync(database);
  const pin = join(home, 'nss-pin');
  writeFileSync(pin, `${NSS_PIN}\n`);
  execFileSync('certutil', ['-N', '-d', `sql:${database}`, '-f', pin]);
  return { Path: NSS, Parameters: `configdir='sql:${database}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=` };
}
