/** What the making of slow keys costs the requests of others: the longest that an Encrypt waits while they are made, against the longest without. */
import { randomBytes } from 'node:crypto';
import { percentile, timed, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';

const SPECS = ['RSA_4096', 'ML_DSA_44', 'ML_DSA_87'] as const;
const SECONDS = 8;

export const keyGeneration: Figure = {
  name: 'key-generation',
  async run({ scratch, root, report }: Bench) {
    const vault = await Vault.create(root, scratch);
    try {
      const [maker, other] = (await vault.callers(2)) as [Caller, Caller];
      const { KeyMetadata } = await other.call('kms:CreateKey', {});
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      const frame = Caller.frame('kms:Encrypt', { KeyId, Plaintext: randomBytes(1024).toString('base64') });
      const encrypt = () => other.send(frame);
      await warmUp([encrypt], 3000);
      const waits = async (isOver: () => boolean): Promise<number[]> => {
        const took: number[] = [];
        while (!isOver()) took.push(await timed(encrypt));
        return took;
      };
      const until = (milliseconds: number): (() => boolean) => {
        const end = performance.now() + milliseconds;
        return () => performance.now() > end;
      };
      for (const KeySpec of SPECS) {
        const alone = await waits(until(SECONDS * 1000));
        const isOver = until(SECONDS * 1000);
        let made = 0;
        const making = (async () => {
          while (!isOver()) {
            await maker.call('kms:CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY' });
            made += 1;
          }
        })();
        const beside = await waits(isOver);
        await making;
        const worst = Math.max(...beside) - Math.max(...alone);
        report({ figure: `Encrypt, longest wait beside ${KeySpec} keys being made, beyond that without`, value: worst, unit: 'ms', target: { atMost: 20 }, note: `longest ${Math.max(...beside).toFixed(1)} and ${Math.max(...alone).toFixed(1)} ms, p99 ${percentile(beside, 0.99).toFixed(1)} and ${percentile(alone, 0.99).toFixed(1)} ms; ${String(made)} keys` });
      }
    } finally {
      await vault.stop();
    }
  },
};
