/** Encrypting a file of 2 GB through the whole path, against `openssl enc -aes-256-ctr` and `openssl dgst` of what that wrote. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median, timed, type Bench, type Figure } from '../harness.ts';
import { processMegabytes, program, Vault } from '../vault.ts';

const SIZE = 2e9;
const ROUNDS = 3;
const HEX_KEY = '00'.repeat(32);
const HEX_IV = '00'.repeat(16);

function makeFile(path: string): void {
  const piece = randomBytes(1e6);
  const file = openSync(path, 'w');
  for (let written = 0; written < SIZE; written += piece.length) writeSync(file, piece);
  closeSync(file);
}

/** The largest that a process of this program's name below `parent` has been, megabytes: asked every 20 ms, for it is gone in the end. */
function watchPeak(parent: number, name: string): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
        const isChild = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(parent);
        if (isChild && readFileSync(`/proc/${entry}/cmdline`, 'latin1').includes(name)) peak = Math.max(peak, processMegabytes(Number(entry), 'status', 'VmHWM'));
      } catch {
        // It has ended meanwhile.
      }
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

export const ciphering: Figure = {
  name: 'ciphering',
  async run({ scratch, root, report }: Bench) {
    const path = join(scratch, 'two-gigabytes');
    const [theirs, ours, back] = [`${path}.openssl`, `${path}.encrypted`, `${path}.back`];
    makeFile(path);
    const openssl = (): Promise<number> =>
      timed(async () => {
        program('openssl', ['enc', '-aes-256-ctr', '-K', HEX_KEY, '-iv', HEX_IV, '-in', path, '-out', theirs]);
        program('openssl', ['dgst', '-sha256', theirs]);
        await Promise.resolve();
      });
    const vault = await Vault.create(root, scratch);
    try {
      const caller = await vault.caller();
      const { KeyMetadata } = await caller.call('kms:CreateKey', {});
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      const peak = watchPeak(vault.pid, 'cipher.mjs');
      const [other, encrypting, decrypting]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        const milliseconds = await openssl();
        other.push(milliseconds);
        rmSync(theirs);
        encrypting.push((100 * milliseconds) / (await timed(() => caller.call('file:Encrypt', { Path: path, OutputPath: ours, KeyId }))));
        decrypting.push((100 * milliseconds) / (await timed(() => caller.call('file:Decrypt', { Path: ours, OutputPath: back, KeyId }))));
        rmSync(ours);
        rmSync(back);
      }
      report({ figure: 'openssl enc -aes-256-ctr and dgst -sha256, 2 GB', value: median(other), unit: 'ms', rounds: other });
      report({ figure: 'file encrypt, 2 GB, speed to openssl enc and dgst', value: median(encrypting), unit: '%', target: { atLeast: 60 }, rounds: encrypting, note: 'durable: the file is synced before it has its name' });
      report({ figure: 'file decrypt, 2 GB, speed to the same', value: median(decrypting), unit: '%', rounds: decrypting });
      report({ figure: 'peak of the process that encrypts and decrypts', value: peak(), unit: 'MB', target: { atMost: 200 } });
    } finally {
      rmSync(path);
      await vault.stop();
    }
  },
};
