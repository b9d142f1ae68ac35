/** Signing a file of 1 GB through the whole path, against `openssl dgst` on the same file. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median, timed, type Bench, type Figure } from '../harness.ts';
import { forgetPeak, processMegabytes, program, Vault } from '../vault.ts';

const GIGABYTE = 1e9;
const ROUNDS = 5;

function makeFile(path: string): void {
  const piece = randomBytes(1e6);
  const file = openSync(path, 'w');
  for (let written = 0; written < GIGABYTE; written += piece.length) writeSync(file, piece);
  closeSync(file);
}

export const hashing: Figure = {
  name: 'hashing',
  async run({ scratch, root, report }: Bench) {
    const path = join(scratch, 'gigabyte');
    makeFile(path);
    const openssl = (): Promise<number> => timed(async () => program('openssl', ['dgst', '-sha256', path]));
    await openssl();
    const vault = await Vault.create(root, scratch);
    try {
      const caller = await vault.caller();
      const { KeyMetadata } = await caller.call('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      const sign = (): Promise<number> => timed(() => caller.call('file:Sign', { Path: path, KeyId }));
      await sign();
      forgetPeak(vault.pid);
      const theirs: number[] = [];
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const milliseconds = await openssl();
        theirs.push(milliseconds);
        ratios.push((100 * milliseconds) / (await sign()));
      }
      report({ figure: 'openssl dgst -sha256, 1 GB', value: median(theirs), unit: 'ms', rounds: theirs });
      report({ figure: 'file sign, 1 GB, speed to openssl dgst', value: median(ratios), unit: '%', target: { atLeast: 80 }, rounds: ratios });
      report({ figure: 'peak of the process that hashes', value: processMegabytes(vault.pid, 'status', 'VmHWM'), unit: 'MB', target: { atMost: 150 } });
    } finally {
      rmSync(path);
      await vault.stop();
    }
  },
};
