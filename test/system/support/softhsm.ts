/** SoftHSM 2 (Debian `softhsm2`) with tokens of a test's own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';
export const OFFICER_PIN = '87654321';
export const PIN = '1234567';

export interface SoftHsm {
  /** What a process needs to see these tokens. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Makes a token; its serial number. */
  makeToken(label: string): string;
  run(program: string, ...args: readonly string[]): Buffer;
}

/** Throws where SoftHSM is not installed. */
export function softHsm(home: string): SoftHsm {
  if (!existsSync(SOFTHSM)) throw new Error('SoftHSM is missing: apt-get install softhsm2');
  const folder = join(home, 'tokens');
  mkdirSync(folder, { recursive: true });
  const conf = join(home, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${folder}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: conf };
  const run = (program: string, ...args: readonly string[]): Buffer => execFileSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    env,
    folder,
    run,
    makeToken(label) {
      run('softhsm2-util', '--init-token', '--free', '--label', label, '--so-pin', OFFICER_PIN, '--pin', PIN);
      const slots = run('softhsm2-util', '--show-slots').toString('utf8');
      const block = slots.split(/^Slot /m).find((text) => new RegExp(`Label:\\s+${label}\\s*$`, 'm').test(text)) ?? '';
      const serial = /Serial number:\s+(\S+)/.exec(block)?.[1];
      if (serial === undefined) throw new Error(`no serial number for ${label}`);
      return serial;
    },
  };
}
