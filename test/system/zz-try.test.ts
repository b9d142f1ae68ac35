import { join } from 'node:path';
import { it } from 'vitest';
import { base64 } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { childrenOf, isAlive, remove, startVault, temporaryFolder } from './support/vault-process.ts';
it('times', async () => {
  const home = temporaryFolder();
  const folder = join(home, 'vault');
  await makeVault(folder);
  for (let i = 0; i < 5; i++) {
    const t0 = performance.now();
    const vault = await startVault(folder, { home });
    const t1 = performance.now();
    await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
    const t2 = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => vault.client.ok('kms:CreateKey', { KeySpec: 'HMAC_256' })));
    const t3 = performance.now();
    const v = await vault.client.ok('trail:VerifyTrail');
    const t4 = performance.now();
    const c = vault.children();
    await vault.kill();
    const t5 = performance.now();
    while (c.some(isAlive)) await new Promise((r) => setTimeout(r, 1));
    console.log(t1 - t0, t2 - t1, t3 - t2, t4 - t3, t5 - t4, performance.now() - t5, c, JSON.stringify(v).slice(0, 200));
  }
  remove(home);
});
