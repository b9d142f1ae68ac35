/** Encrypt of 1 KB through the whole path: the rate of many callers, and the wait of one, against the disk's own fsyncs. */
import { randomBytes } from 'node:crypto';
import { median, ratePerSecond, timed, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';
import { fsyncRate, restedFsync } from './disk.ts';

const CALLERS = 32;
const ROUNDS = 5;

export const encrypting: Figure = {
  name: 'encrypting',
  async run({ scratch, root, report }: Bench) {
    const vault = await Vault.create(root, scratch);
    try {
      const callers = await vault.callers(CALLERS);
      const one = callers[0]!;
      const { KeyMetadata } = await one.call('kms:CreateKey', {});
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      const frame = Caller.frame('kms:Encrypt', { KeyId, Plaintext: randomBytes(1024).toString('base64') });
      const works = callers.map((caller) => () => caller.send(frame));
      await warmUp(works);

      let done = 0;
      const counted = works.map((work) => async () => {
        await work();
        done += 1;
      });
      const cost = await vault.processorTimeOf(() => ratePerSecond(counted, 5), () => done);
      report({ figure: 'Encrypt 1 KB, processor time of the vault process', value: cost.main, unit: 'µs' });
      report({ figure: 'Encrypt 1 KB, processor time of the sealer', value: cost.children, unit: 'µs' });

      const rounds: number[] = [];
      const targets: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        targets.push(Math.min(5 * fsyncRate(scratch), 3000));
        rounds.push(await ratePerSecond(works, 3));
      }
      report({ figure: `Encrypt 1 KB, ${CALLERS} callers`, value: median(rounds), unit: '/s', target: { atLeast: median(targets) }, rounds, note: 'target: lower of 5 per fsync and 3,000' });

      const took: number[] = [];
      const fsync = await restedFsync(scratch, 200, async () => took.push(await timed(() => one.send(frame))));
      report({ figure: 'Encrypt 1 KB, one caller, p50', value: median(took), unit: 'ms', target: { atMost: 2.5 + 2 * fsync }, note: `target: 2.5 ms beyond two fsyncs of ${fsync.toFixed(2)} ms` });
    } finally {
      await vault.stop();
    }
  },
};
