/** A vault with many keys: how fast it opens apart from the password's cost, and what it takes in memory. */
import { setTimeout as wait } from 'node:timers/promises';
import { median, timed, type Bench, type Figure } from '../harness.ts';
import { PASSWORD, processMegabytes, Vault, type Caller } from '../vault.ts';

const ROUNDS = 5;
const CALLERS = 32;

/** Makes keys `from` to `to`, without `to` itself. Each is three rows: the key, its material, its alias. */
export async function fill(callers: readonly Caller[], from: number, to: number): Promise<void> {
  let next = from;
  const lane = async (caller: Caller): Promise<void> => {
    for (let number = next++; number < to; number = next++) {
      const { KeyMetadata } = await caller.call('kms:CreateKey', { Description: `key number ${String(number)} of the large vault` });
      const { KeyId } = KeyMetadata as { readonly KeyId: string };
      await caller.call('kms:CreateAlias', { AliasName: `alias/large/${String(number)}`, TargetKeyId: KeyId });
    }
  };
  await Promise.all(callers.map(lane));
}

export const large: Figure = {
  name: 'large-vault',
  async run({ scratch, root, keys, report, say }: Bench) {
    const vault = await Vault.create(root, scratch);
    try {
      const seconds = (await timed(async () => fill(await vault.callers(CALLERS), 0, keys))) / 1000;
      say(`${String(keys)} keys with aliases made in ${seconds.toFixed(1)} s`);
      const rows = `${keys.toLocaleString('en-US')} keys`;
      report({ figure: `CreateKey and CreateAlias, ${CALLERS} callers`, value: (2 * keys) / seconds, unit: '/s' });

      const caller = await vault.caller();
      const opened: number[] = [];
      const listed: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await caller.call('vault:Lock');
        // The recovery code is as strong as a key and costs no Argon2: what is left is everything but the KDF.
        opened.push(await timed(() => caller.call('vault:Unlock', { RecoveryCode: vault.recoveryCode })));
        listed.push(await timed(() => caller.call('kms:ListKeys', {})));
      }
      report({ figure: `unlock apart from the KDF, ${rows}`, value: median(opened), unit: 'ms', target: { atMost: 250 }, rounds: opened, note: 'by recovery code, state check included' });
      report({ figure: `first page of the list, ${rows}`, value: median(listed), unit: 'ms', target: { atMost: 100 }, rounds: listed });

      await caller.call('vault:Lock');
      const whole = await timed(() => caller.call('vault:Unlock', { Password: PASSWORD }));
      report({ figure: `unlock with the password, ${rows}`, value: whole, unit: 'ms', note: 'KDF included' });
      const sealers = vault.children();
      report({ figure: 'peak of the sealer, KDF included', value: Math.max(...sealers.map((pid) => processMegabytes(pid, 'status', 'VmHWM'))), unit: 'MB' });
      await wait(10_000);
      const pss = [vault.pid, ...sealers].map((pid) => processMegabytes(pid, 'smaps_rollup', 'Pss'));
      report({
        figure: `main and sealer, ${rows}, 10 s after unlock`,
        value: pss.reduce((sum, one) => sum + one, 0),
        unit: 'MB',
        target: { atMost: 220 },
        note: `PSS: ${pss.map((one) => one.toFixed(0)).join(' + ')}`,
      });
    } finally {
      await vault.stop();
    }
  },
};
