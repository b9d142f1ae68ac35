/** When a cluster is looked at by itself: also after a lock and an unlock in the middle of it. */
import { expect, it } from 'vitest';
import { startClusterRunner, type ClusterRunnerPorts } from '../../../src/main/app/cluster-runner.ts';

it('is looked at again where a token comes back in a new unlock, while the old look is winding down', async () => {
  const timers: (() => void)[] = [];
  const looks: (() => void)[] = [];
  let say: (event: { readonly event: string }) => void = () => undefined;
  const settle = async (): Promise<void> => { for (let i = 0; i < 20; i += 1) await Promise.resolve(); };
  const runner = startClusterRunner({
    vault: { open: { store: { reader: {} } } },
    port: { subscribe: (listener: typeof say) => { say = listener; return () => undefined; } },
    clock: { boottime: () => 0 },
    fault: () => undefined,
    isBehind: () => new Promise((resolve) => { looks.push(() => { resolve(false); }); }),
    after: (_ms: number, fire: () => void) => { timers.push(fire); return () => undefined; },
  } as unknown as ClusterRunnerPorts);
  runner.returned('cks-1');
  timers.shift()?.();
  await settle();
  expect(looks).toHaveLength(1);
  say({ event: 'vault.locked' });
  say({ event: 'vault.unlocked' });
  runner.returned('cks-1');
  expect(timers).toHaveLength(0);
  looks[0]?.();
  await settle();
  expect(timers).toHaveLength(1);
  timers.shift()?.();
  await settle();
  expect(looks).toHaveLength(2);
  looks[1]?.();
  await runner.close();
});
