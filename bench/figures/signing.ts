/** Sign with P-256 through the whole path, against the bare primitive of the same machine and the same run. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { median, ratePerSecond, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';
import { bareSealerRate } from './bare-sealer.ts';
import { fsyncRate } from './disk.ts';

const CALLERS = 32;
const ROUNDS = 5;

/** Synchronous node:crypto in one thread, signatures a second. */
function bareRate(seconds = 1): number {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = randomBytes(32);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < seconds * 1000) {
    for (let time = 0; time < 100; time += 1) sign('sha256', message, privateKey);
    count += 100;
  }
  return count / ((performance.now() - started) / 1000);
}

export const signing: Figure = {
  name: 'signing',
  async run({ scratch, root, report }: Bench) {
    const bare = Array.from({ length: ROUNDS }, () => bareRate());
    report({ figure: 'P-256 sign, bare node:crypto in one thread', value: median(bare), unit: '/s', rounds: bare });
    const sealer = await bareSealerRate(root, CALLERS, 3);
    report({ figure: `P-256 sign, bare sealer child, ${CALLERS} callers`, value: sealer, unit: '/s' });

    const vault = await Vault.create(root, scratch);
    try {
      const callers = await vault.callers(CALLERS);
      const { KeyMetadata } = await callers[0]!.call('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      const worksOf = (MessageType: 'RAW' | 'DIGEST') => {
        const frame = Caller.frame('kms:Sign', { KeyId, Message: randomBytes(32).toString('base64'), MessageType, SigningAlgorithm: 'ECDSA_SHA_256' });
        return callers.map((caller) => () => caller.send(frame));
      };
      const works = worksOf('RAW');
      await warmUp(works);
      let done = 0;
      const counted = works.map((work) => async () => {
        await work();
        done += 1;
      });
      const cost = await vault.processorTimeOf(() => ratePerSecond(counted, 5), () => done);
      report({ figure: 'Sign P-256, processor time of the vault process', value: cost.main, unit: 'µs' });
      report({ figure: 'Sign P-256, processor time of the sealer', value: cost.children, unit: 'µs' });

      const rounds: number[] = [];
      const targets: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const target = Math.min(0.12 * bareRate(0.5), 8 * fsyncRate(scratch));
        rounds.push(await ratePerSecond(works, 3));
        targets.push(target);
      }
      const atLeast = median(targets);
      report({ figure: `Sign P-256, ${CALLERS} callers`, value: median(rounds), unit: '/s', target: { atLeast }, rounds, note: 'target: lower of 12 % of bare and 8 per fsync' });
      report({ figure: 'Sign P-256 to the bare sealer child', value: (100 * median(rounds)) / sealer, unit: '%' });
      // node:crypto signs no digests, so these go through @noble/curves.
      report({ figure: `Sign P-256 of a digest, ${CALLERS} callers`, value: await ratePerSecond(worksOf('DIGEST'), 3), unit: '/s' });
      report({ figure: 'Sign P-256 to bare node:crypto', value: (100 * median(rounds)) / median(bare), unit: '%' });
    } finally {
      await vault.stop();
    }
  },
};
